//! WASI preview 1 for the Precast loader: all 46 functions, as methods of [`WasiContext`].
//!
//! A guest reaches what its context was given and nothing else. Paths are resolved beneath directory
//! handles by cap-std; descriptors carry the rights of the preview 1 documents; every pointer is
//! checked before anything happens ([`GuestMemory`]). A bad pointer is [`Errno::Fault`], never a trap.
//!
//! Each method takes the numbers that the guest passed and writes results where the guest wants them,
//! so that it can be called, and tested, without a module. Any number of threads may use a context at
//! the same time; [`Threads`] runs programs that start some.
//!
//! Modules that import from `wasi_unstable` speak preview 0; the methods that differ take an [`Abi`].
//!
//! # Memory
//!
//! A context lives in the memory of the runtime that it is built for, as [`Category::Wasi`]: its text
//! (arguments, environment, names of directories, standard input that is given as bytes) is one
//! block, the descriptor table is one, each open descriptor is one, and what holds them together is
//! one. [`WasiContextBuilder::requests`] lists the blocks before anything is built. While a guest
//! runs, these are asked for:
//!
//! - a block for each descriptor that it opens ([`WasiContextBuilder::descriptor_request`]), until it
//!   closes it;
//! - a larger table when the table is full ([`WasiContextBuilder::table_request`]);
//! - for the time of a call, a list of more than eight buffers, or of more than eight things to wait
//!   for. Without memory the list of buffers is a short one, and with it the read or write;
//! - for the time of a call that reads or writes more than 4 KiB of a memory that threads share, a copy
//!   of at most 64 KiB. Without memory the read or write is a short one.
//!
//! Where there is no memory, a guest gets [`Errno::NoMemory`]; no file is created, no file is cut and
//! no connection is taken for a descriptor that it then cannot have.
//!
//! Not in the runtime's memory, but on the heap of the process, are
//!
//! - the builder, until the context is built;
//! - what belongs to the host program: an [`Input::Reader`], an [`Output::Writer`], an
//!   [`OutputBuffer`];
//! - what cap-std and the standard library take for the time of a call: where paths are resolved
//!   (on Linux a path of usual length to something that can be opened takes nothing), for the
//!   contents of a symbolic link, and for errors until they are numbers; outside of Linux for
//!   listing a directory, too;
//! - on platforms where the standard library's locks are more than a number, such as Apple's, these.
//!
//! Calls that have nothing to do with paths take nothing from that heap.
//!
//! [`Category::Wasi`]: precast_loader::Category::Wasi
//!
//! # Example
//!
//! ```no_run
//! use precast_loader::{Imports, InstanceOptions, Module, Runtime};
//! use precast_wasi::WasiContext;
//!
//! fn instantiate(runtime: &Runtime, module: &Module) -> Result<(), Box<dyn std::error::Error>> {
//!     let wasi = WasiContext::builder()
//!         .args(["program", "input.txt"])
//!         .env("LANG", "C")
//!         .inherit_stdio()
//!         .preopen_dir("data", "/")?
//!         .build(runtime)?;
//!     let mut imports = Imports::new(runtime);
//!     wasi.define_for(&mut imports, module)?;
//!     let instance = module.instantiate(&imports, InstanceOptions::default())?;
//!     // A command starts with `_start`; when it calls `proc_exit`, the call ends with
//!     // `CallError::Exit` and the code.
//!     # drop(instance);
//!     Ok(())
//! }
//! ```

#![forbid(unsafe_code)]

mod alarm;
mod args;
mod builder;
mod clock;
mod context;
mod descriptor;
mod errno;
mod fd;
mod list;
mod memory;
mod path;
mod poll;
mod process;
mod random;
mod register;
mod rights;
mod socket;
mod streams;
mod sys;
mod table;
mod text;
mod threads;
pub mod types;

pub use builder::{BuildError, WasiContextBuilder};
pub use context::WasiContext;
pub use errno::Errno;
pub use list::List;
pub use memory::{GuestMemory, SharedBytes};
pub use process::{Exit, Raised};
pub use register::{PREVIEW0, PREVIEW1};
pub use rights::Rights;
pub use streams::{Input, Output, OutputBuffer};
pub use sys::OwnedFd;
pub use threads::{
    DEFAULT_THREADS, Ended, THREAD_SPAWN, THREADS, ThreadOptions, ThreadStack, Threads,
};
pub use types::Abi;
