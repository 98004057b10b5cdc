//! What a plan is asked to assume about the host.
#![forbid(unsafe_code)]

use core::alloc::Layout;

use crate::alloc::Category;
use crate::instance::InstanceOptions;

/// Where a runtime's memory comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AllocationMode {
    /// One region of the host's.
    Pool,
    /// The platform's allocator, or functions of the host.
    System,
}

/// How the artifact is passed to the loader.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ArtifactSource {
    /// Bytes that stay: in flash, or linked into the program.
    Borrowed,
    /// Bytes that the loader copies.
    Copied,
    /// A file that is mapped.
    Mapped,
}

/// Where code is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodePlace {
    /// In pages of the platform's.
    Platform,
    /// In blocks from functions of the host.
    Host,
    /// Where the artifact lies, if no relocation touches it and it is borrowed.
    InPlace,
}

/// Memory that the host itself takes from the runtime before it instantiates the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostRequest {
    /// What it is for.
    pub category: Category,
    /// Size and alignment of the block.
    pub layout: Layout,
}

/// Threads that the program starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThreadPlan {
    /// How many there are at a time, beside the one that runs the main instance.
    pub count: u32,
    /// How their instances are made.
    pub instance: InstanceOptions,
    /// The size of the call stack that the runtime allocates for each, as in
    /// [`PlanOptions::stack`].
    pub stack: Option<usize>,
}

/// What a plan assumes. The default is what a device does: a pool, an artifact that stays where it
/// is, host functions that capture nothing, calls on the caller's stack.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct PlanOptions<'a> {
    /// Where memory comes from.
    pub mode: AllocationMode,
    /// How the artifact is passed.
    pub source: ArtifactSource,
    /// Where code is kept.
    pub code: CodePlace,
    /// Whether linear memories come from functions of the host, and not from the pool; see
    /// [`RuntimeOptions::linear_memory`](crate::RuntimeOptions::linear_memory).
    pub separate_linear_memory: bool,
    /// How the module is instantiated. The maximum of pages is that of shared memories, too, which the
    /// host makes for the module to import.
    pub instance: InstanceOptions,
    /// What a host function captures: the layout of the closure with this module name and name.
    pub captures: &'a dyn Fn(&str, &str) -> Layout,
    /// The size of the call stack that the runtime allocates for the execution environment, in
    /// bytes, zero being the default size: see [`Stack::Bytes`](crate::Stack::Bytes). `None` where
    /// calls run on the caller's stack, or on one that the host provides.
    pub stack: Option<usize>,
    /// Whether all calls, the start function's included, run on a region that the host provides:
    /// [`Stack::Region`](crate::Stack::Region). Bytecode that is called on the caller's stack takes a
    /// region from the runtime.
    pub provided_stack: bool,
    /// Threads of the program, whose instances are made of the same module and imports, one after the
    /// other. Each of their instances, and the main one, is given an
    /// [`Interrupter`](crate::Interrupter).
    pub threads: Option<ThreadPlan>,
    /// What the host takes from the runtime after loading and before defining imports.
    pub host: &'a [HostRequest],
    /// What the host takes from the runtime while the program runs, at most at a time.
    pub running: &'a [HostRequest],
}

impl Default for PlanOptions<'_> {
    fn default() -> Self {
        PlanOptions {
            mode: AllocationMode::Pool,
            source: ArtifactSource::Borrowed,
            code: CodePlace::Platform,
            separate_linear_memory: false,
            instance: InstanceOptions::default(),
            captures: &|_, _| Layout::new::<()>(),
            stack: None,
            provided_stack: false,
            threads: None,
            host: &[],
            running: &[],
        }
    }
}
