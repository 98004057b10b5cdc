//! WASI preview 1 for the Precast loader: all 46 functions, as methods of [`WasiContext`].
//!
//! A guest reaches what its context was given and nothing else. Paths are resolved beneath directory
//! handles by cap-std; descriptors carry the rights of the preview 1 documents; every pointer is
//! checked before anything happens ([`GuestMemory`]). A bad pointer is [`Errno::Fault`], never a trap.
//!
//! Each method takes the numbers that the guest passed and writes results where the guest wants them,
//! so that it can be called, and tested, without a module.
//!
//! Modules that import from `wasi_unstable` speak preview 0; the methods that differ take an [`Abi`].
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
pub mod types;

pub use builder::{BuildError, WasiContextBuilder};
pub use context::WasiContext;
pub use errno::Errno;
pub use list::List;
pub use memory::GuestMemory;
pub use process::{Exit, Raised};
pub use register::{PREVIEW0, PREVIEW1};
pub use rights::Rights;
pub use streams::{Input, Output, OutputBuffer};
pub use types::Abi;
