//! Threads, run: atomic instructions, waiting, growth, interruption, and instances that come and go
//! on several threads at the same time.
//!
//! Each test has a limit within which it has to end, far above what it takes: a thread that is not
//! woken is a failure, not a build that hangs.
#![forbid(unsafe_code)]

#[cfg(target_pointer_width = "64")]
#[path = "threads/atomics.rs"]
mod atomics;
#[cfg(target_pointer_width = "64")]
#[path = "threads/aux_stack.rs"]
mod aux_stack;
#[cfg(target_pointer_width = "64")]
#[path = "threads/growth.rs"]
mod growth;
#[cfg(target_pointer_width = "64")]
#[path = "threads/interrupt.rs"]
mod interrupt;
#[cfg(target_pointer_width = "64")]
#[path = "threads/life.rs"]
mod life;
#[cfg(target_pointer_width = "64")]
#[path = "threads/support.rs"]
mod support;
#[cfg(target_pointer_width = "64")]
#[path = "threads/waiting.rs"]
mod waiting;

#[cfg(target_pointer_width = "32")]
#[test]
#[ignore = "there is no code with atomic instructions for this machine"]
fn threads() {}
