//! Being told what an instance counted when it goes.
//!
//! Whoever makes an instance can ask it. Those of a program's threads come and go with the threads, and
//! their counts would go with them.
#![forbid(unsafe_code)]

use core::fmt;

use super::CallProfile;
use crate::instance::InstanceData;

/// Who is told the counts of an instance when it is dropped.
///
/// The function is called in the thread that drops the instance. It must not panic, nor touch anything
/// of the runtime's but what it is given.
#[derive(Clone, Copy)]
pub struct CallObserver {
    user: usize,
    tell: fn(usize, &CallProfile<'_>),
}

impl CallObserver {
    /// An observer. `user` is passed to the function: an index, or an address with exposed
    /// provenance.
    pub const fn new(user: usize, tell: fn(usize, &CallProfile<'_>)) -> CallObserver {
        CallObserver { user, tell }
    }
}

impl PartialEq for CallObserver {
    /// Whether function and user are the same.
    fn eq(&self, other: &CallObserver) -> bool {
        self.user == other.user && core::ptr::fn_addr_eq(self.tell, other.tell)
    }
}

impl Eq for CallObserver {}

impl fmt::Debug for CallObserver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallObserver({:#x})", self.user)
    }
}

impl Drop for InstanceData {
    fn drop(&mut self) {
        let Some(books) = self.call_books() else {
            return;
        };
        if let Some(CallObserver { user, tell }) = books.observer {
            tell(user, &CallProfile::new(self.module(), books, None));
        }
    }
}
