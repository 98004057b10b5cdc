//! An exception that left a call, or is about to leave a host function.
#![forbid(unsafe_code)]

use core::fmt;

use super::handle::Exception;
use crate::call::backtrace::Backtrace;

/// An exception that nobody caught, and where it was thrown.
///
/// A host function that returns it as its error lets it go on as the same exception: compiled code
/// that called the function can catch it.
#[derive(Debug)]
pub struct UncaughtException {
    exception: Exception,
    backtrace: Backtrace,
}

impl UncaughtException {
    pub(crate) fn new(exception: Exception, backtrace: Backtrace) -> UncaughtException {
        UncaughtException {
            exception,
            backtrace,
        }
    }

    /// The exception.
    pub fn exception(&self) -> &Exception {
        &self.exception
    }

    /// The exception without the backtrace.
    pub fn into_exception(self) -> Exception {
        self.exception
    }

    /// The functions that were active when it was thrown, innermost first. Empty where a host
    /// function has made it and not thrown it yet.
    pub fn backtrace(&self) -> &Backtrace {
        &self.backtrace
    }
}

impl From<Exception> for UncaughtException {
    fn from(exception: Exception) -> UncaughtException {
        UncaughtException::new(exception, Backtrace::empty())
    }
}

impl fmt::Display for UncaughtException {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uncaught {}{}", self.exception, self.backtrace)
    }
}

impl core::error::Error for UncaughtException {}
