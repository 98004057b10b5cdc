//! The loader: checks an artifact, maps it, relocates it and runs it, with no compiler on board.
//!
//! The crate is `no_std` at its core. Every allocation is fallible and goes through one interface;
//! no input, however malformed, makes it panic. Data walks one way, and each step is a type:
//!
//! ```text
//! bytes -> Artifact (well formed) -> LinkPlan (fits this device) -> WritableCode -> ExecutableCode
//!       -> Module -> Instance -> call
//! ```
//!
//! # Example
//!
//! ```no_run
//! use precast_loader::{Caller, Imports, InstanceOptions, Runtime, Source, Stack, Trust};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # const VENDOR_KEY: [u8; 32] = [0; 32];
//! let runtime = Runtime::system()?;
//! let module = runtime.load(Source::file("app.precast"), Trust::Keys(&[VENDOR_KEY]))?;
//!
//! let mut imports = Imports::new(&runtime);
//! imports.func("env", "log", |caller: &mut Caller<'_>, address: u32, length: u32| {
//!     let memory = caller.memory_mut()?;
//!     let text = memory.get(address as usize..).and_then(|rest| rest.get(..length as usize));
//!     println!("{}", String::from_utf8_lossy(text.unwrap_or_default()));
//!     Ok::<(), precast_loader::HostError>(())
//! })?;
//!
//! let app = module.instantiate(&imports, InstanceOptions::default())?;
//! let mut env = app.execution_environment(Stack::Caller)?;
//! let tick = app.func::<(u32,), u32>("tick")?; // the type is checked once, here
//! let answer = tick.call(&mut env, (7,))?; // a trap names function, offset, backtrace
//! # let _ = answer;
//! # Ok(())
//! # }
//! ```
//!
//! # Trust
//!
//! Checking an artifact keeps the loader safe; it does not make native code harmless. The safe
//! [`Runtime::load`] therefore wants a signature by a trusted key. Whoever runs anything else says
//! so with an `unsafe` call of [`Runtime::load_unverified`]. What is linked into the program is trusted
//! as the program is: [`Module::from_static`].
//!
//! # Threads
//!
//! All handles are `Send` and `Sync`. Instances that are linked with each other form a group, which
//! one thread at a time may enter; another one gets [`Busy`]. A program with threads has instances for
//! each of them, which have a shared [`Memory`] in common: that belongs to no group, and all threads
//! may use it at any time. An [`Interrupter`] stops code that runs on another thread.

#![no_std]

// Tests have the standard library, with or without the feature.
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod alloc;
pub mod limits;
#[cfg(feature = "plan")]
pub mod plan;
pub mod platform;

mod call;
mod code;
mod error;
mod exception;
mod facility;
mod group;
mod instance;
#[cfg(feature = "pulley")]
mod interpret;
mod libcall;
mod link;
mod memory;
mod module;
mod open;
mod printable;
mod profile;
#[cfg(feature = "profiling")]
pub mod profiling;
mod runtime;
mod sys;
mod trap;
mod types;

pub use precast_format::context::PointerWidth;
pub use precast_format::target::{CpuFeatures, HostAbi, Isa};
pub use precast_format::trap::TrapCode;
pub use precast_format::types::WASM_PAGE_SIZE_LOG2;

pub use alloc::{
    Allocator, Category, CustomAllocator, Lifetime, OutOfMemory, PoolUsage, StaticPool, Usage,
};
pub use call::backtrace::{Backtrace, Frame, HostCall, MissingTables};
pub use call::caller::Caller;
pub use call::error::{CallError, HostError, StackError, Trap};
pub use call::exec_env::{CallContext, ExecutionEnvironment, Stack};
pub use call::func::Func;
pub use call::host::{HostResults, IntoHostFunction};
pub use call::typed::{TypedFunc, WasmParams, WasmResults, WasmValue};
pub use call::value::{ExternRef, Value};
pub use code::CodeMemory;
pub use error::{LoadError, Untrusted};
pub use exception::handle::{Exception, ExceptionValues};
pub use exception::tag::Tag;
pub use exception::uncaught::UncaughtException;
pub use group::Busy;
pub use instance::aux_stack::{AuxStackError, AuxStackUsage};
pub use instance::call_profile::observer::CallObserver;
pub use instance::call_profile::{CallPath, CallProfile, FunctionCalls};
pub use instance::error::{ImportName, InstantiateError, LinkError};
pub use instance::export::Extern;
pub use instance::global::Global;
pub use instance::heap::{AppHeapError, HeapError};
pub use instance::import::Imports;
pub use instance::interrupt::Interrupter;
pub use instance::memory::{
    BorrowError, ClampedLimit, GrowthFailure, GrowthObserver, Memory, MemoryMut,
};
pub use instance::table::Table;
pub use instance::{ExportError, Instance, InstanceOptions};
pub use memory::address::AddressError;
pub use memory::app_heap::AppHeapUsage;
pub use module::{FunctionCode, Module, StackDepth};
pub use open::statics::StaticModule;
pub use open::trust::Trust;
pub use open::{ArtifactUsage, Source};
pub use printable::Printable;
pub use profile::{InstanceProfile, MemoryFigures, MemoryProfile, TableFigures};
pub use runtime::{Device, Runtime, RuntimeOptions};
pub use types::{
    ExternKind, ExternType, FuncType, GlobalType, Limits, MemoryType, TableType, ValueType,
};
