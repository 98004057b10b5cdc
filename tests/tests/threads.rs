//! Threads, run: atomic instructions, waiting, growth, interruption, and instances that come and go
//! on several threads at the same time.
//!
//! Each test has a limit within which it has to end, far above what it takes: a thread that is not
//! woken is a failure, not a build that hangs.
#![forbid(unsafe_code)]

#[path = "threads/atomics.rs"]
mod atomics;
#[path = "threads/aux_stack.rs"]
mod aux_stack;
#[path = "threads/growth.rs"]
mod growth;
#[path = "threads/interrupt.rs"]
mod interrupt;
#[path = "threads/life.rs"]
mod life;
#[path = "threads/support.rs"]
mod support;
#[path = "threads/waiting.rs"]
mod waiting;
