//! What can go wrong in a compilation, with the place in the module.

use std::fmt;

/// Why a module was not compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The module is not valid WebAssembly. Mend the module.
    Invalid,
    /// The module needs a feature that is not implemented or was switched off. The message names
    /// it. Build the module without the feature.
    Unsupported,
    /// The module, or a function of it, exceeds a limit of this compiler. The message names it.
    Limit,
    /// The options contradict each other or the target. The message says which.
    Options,
    /// The compiler failed on valid input: a defect. Please report it with the module.
    Internal,
}

/// An error of the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct CompileError {
    /// What kind of failure this is.
    pub kind: ErrorKind,
    /// Byte offset in the wasm module, where one is known.
    pub offset: Option<usize>,
    /// Function index (imports included) in which the error is, where there is one.
    pub function: Option<u32>,
    /// The failure as a phrase without a full stop.
    pub message: String,
}

/// Result of a step of the compilation.
pub type Result<T> = std::result::Result<T, CompileError>;

impl CompileError {
    fn new(kind: ErrorKind, message: impl Into<String>) -> CompileError {
        CompileError {
            kind,
            offset: None,
            function: None,
            message: message.into(),
        }
    }

    /// A module that needs a feature which is not there.
    pub fn unsupported(message: impl Into<String>) -> CompileError {
        CompileError::new(ErrorKind::Unsupported, message)
    }

    /// A module or function that is too large.
    pub fn limit(message: impl Into<String>) -> CompileError {
        CompileError::new(ErrorKind::Limit, message)
    }

    /// Options that cannot be honoured.
    pub fn options(message: impl Into<String>) -> CompileError {
        CompileError::new(ErrorKind::Options, message)
    }

    /// A defect of the compiler.
    pub fn internal(message: impl Into<String>) -> CompileError {
        CompileError::new(ErrorKind::Internal, message)
    }

    /// The same error with the wasm offset at which it occurred.
    pub fn at(mut self, offset: usize) -> CompileError {
        self.offset.get_or_insert(offset);
        self
    }

    /// The same error with the function in which it occurred.
    pub fn in_function(mut self, function: u32) -> CompileError {
        self.function.get_or_insert(function);
        self
    }
}

impl From<wasmparser::BinaryReaderError> for CompileError {
    fn from(error: wasmparser::BinaryReaderError) -> CompileError {
        CompileError::new(ErrorKind::Invalid, error.message()).at(error.offset() as usize)
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ErrorKind::Invalid => "invalid module",
            ErrorKind::Unsupported => "unsupported feature",
            ErrorKind::Limit => "limit exceeded",
            ErrorKind::Options => "contradictory options",
            ErrorKind::Internal => "internal error",
        };
        write!(f, "{kind}: {}", self.message)?;
        if let Some(function) = self.function {
            write!(f, ", in function {function}")?;
        }
        if let Some(offset) = self.offset {
            write!(f, ", at offset {offset:#x}")?;
        }
        Ok(())
    }
}

impl std::error::Error for CompileError {}
