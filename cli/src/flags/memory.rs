//! Where a program's memory comes from, how much it may have, and what is told about it.

use super::size;
use crate::Outcome;
use crate::failure::Failure;
use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, ValueEnum};
use precast_loader::limits::DEFAULT_STACK;
use precast_loader::{
    ExecutionEnvironment, GrowthObserver, Instance, InstanceOptions, MemoryType, OutOfMemory,
    Runtime, RuntimeOptions, Stack,
};
use precast_wasi::{ThreadOptions, ThreadStack};
use std::ffi::OsString;
use std::io::Write;
use std::mem::MaybeUninit;
use std::path::PathBuf;

/// Where memory comes from, on the command line.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, ValueEnum)]
pub enum Allocation {
    /// The system's allocator and mappings.
    #[default]
    System,
    /// One region of bytes.
    Pool,
}

impl Allocation {
    /// The name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Allocation::System => "system",
            Allocation::Pool => "pool",
        }
    }
}

/// What bounds a program's memory; for running it and for planning it.
#[derive(Args, Clone, Copy, Default)]
#[command(next_help_heading = "Memory")]
pub struct LimitFlags {
    /// Where memory comes from. Modules that are compiled for a pool get explicit bounds checks,
    /// unless --bounds-checks says otherwise; artifacts for a pool want them too.
    #[arg(long, value_enum, default_value_t, value_name = "WHERE")]
    pub alloc: Allocation,
    /// Lower the maximum of the program's memories, in pages.
    #[arg(long, value_name = "PAGES")]
    pub max_memory_pages: Option<u64>,
    /// Allocate the program's memories at their maximum at once, so that they never move.
    #[arg(long)]
    pub fixed_memory: bool,
    /// A heap for programs without an allocator of their own, at the end of their memory.
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    pub heap_size: Option<u64>,
    /// Give calls into the program a native stack of this size, instead of the caller's own.
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    pub stack_size: Option<u64>,
    /// Let the program start so many threads at a time; 256 unless told otherwise.
    #[arg(long, alias = "threads", value_name = "COUNT")]
    pub max_threads: Option<u32>,
    /// The size of the native stack of each thread that the program starts: where --stack-size gives
    /// calls a stack of their own, else on the thread's own. By default as large as that of calls.
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    pub thread_stack_size: Option<u64>,
    /// The size of the C stack, in the program's memory, of each thread that the program starts. By
    /// default what the C library of WASI chooses.
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    pub thread_c_stack_size: Option<u64>,
    /// Let the program have so many files open at a time, beside its streams and folders, and no
    /// more; room for their table is made at once.
    #[arg(long, value_name = "COUNT")]
    pub open_files: Option<u32>,
}

impl LimitFlags {
    /// Where calls have their stack.
    pub fn stack(&self) -> Stack<'static> {
        self.own_stack().map_or(Stack::Caller, Stack::Bytes)
    }

    /// The size of a stack beside the caller's, if there is to be one.
    pub fn own_stack(&self) -> Option<usize> {
        // More than there can be is refused as any other stack that is too large.
        let bytes = self.stack_size?;
        Some(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// How many files the program may have open.
    pub fn open_files(&self) -> Option<usize> {
        self.open_files.map(|count| count as usize)
    }

    /// What threads that the program starts may use.
    pub fn thread_options(&self) -> ThreadOptions {
        let options = ThreadOptions::default().stack(match self.own_stack() {
            Some(bytes) => ThreadStack::Runtime(self.thread_stack(bytes)),
            None => ThreadStack::Own(self.thread_stack(DEFAULT_STACK)),
        });
        let options = options.aux_stack(self.thread_c_stack_size.unwrap_or(0));
        match self.max_threads {
            Some(count) => options.max_threads(count),
            None => options,
        }
    }

    /// The size of a thread's native stack.
    fn thread_stack(&self, default: usize) -> usize {
        let bytes = self.thread_stack_size.map(usize::try_from);
        bytes.map_or(default, |bytes| bytes.unwrap_or(usize::MAX))
    }

    /// The type of a memory that the program imports: what it asks for, and no more than it may have.
    pub fn memory_type(&self, mut wanted: MemoryType) -> MemoryType {
        if let Some(pages) = self.max_memory_pages {
            let bounded = |max: u64| max.min(pages).max(wanted.limits.min);
            wanted.limits.max = Some(bounded(wanted.limits.max.unwrap_or(u64::MAX)));
        }
        wanted
    }

    /// The options of the program's instance.
    pub fn instance_options(&self) -> InstanceOptions {
        let mut options = InstanceOptions::default().fixed_memory(self.fixed_memory);
        options.max_memory_pages = self.max_memory_pages;
        // What does not fit into a number is refused as any other heap that is too large.
        let heap_size = self.heap_size.unwrap_or(0);
        options.heap_size = usize::try_from(heap_size).unwrap_or(usize::MAX);
        options
    }
}

/// The memory of a program that runs.
#[derive(Args, Default)]
#[command(next_help_heading = "Memory")]
pub struct MemoryFlags {
    #[command(flatten)]
    limits: LimitFlags,
    /// The size of the pool, for `--alloc pool`.
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    pool_size: Option<u64>,
    /// Print what memory the run took, by lifetime and category, on standard error or to a file.
    /// Growth that failed is told on standard error.
    #[arg(
        long,
        value_name = "FILE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "",
        value_parser = OsStringValueParser::new().map(Destination::new)
    )]
    memory_profile: Option<Destination>,
    /// Write the same as JSON, which `precast memory --profile` reads; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    memory_profile_json: Option<PathBuf>,
    /// Fill the unused part of stacks before the program runs, for the profile to tell how much of
    /// them it used. All of a stack is then resident. Programs that switch between stacks of their
    /// own must not be measured.
    #[arg(long)]
    measure_stacks: bool,
}

/// Where the table of a profile goes.
#[derive(Clone)]
pub enum Destination {
    /// Standard error.
    StandardError,
    /// A file, or standard output where it is `-`.
    File(PathBuf),
}

impl Destination {
    /// The file with this name, standard error without one.
    pub fn new(name: OsString) -> Destination {
        if name.is_empty() {
            Destination::StandardError
        } else {
            Destination::File(PathBuf::from(name))
        }
    }
}

impl MemoryFlags {
    /// Whether the program lives in a pool.
    pub fn in_pool(&self) -> bool {
        self.limits.alloc == Allocation::Pool
    }

    /// The runtime for the program.
    pub fn runtime(&self) -> Outcome<Runtime> {
        match (self.limits.alloc, self.pool_size) {
            (Allocation::System, None) => Runtime::system().map_err(Failure::new),
            (Allocation::System, Some(_)) => {
                Err(Failure::usage("--pool-size goes with --alloc pool"))
            }
            (Allocation::Pool, None) => Err(Failure::usage(
                "--alloc pool wants --pool-size; `precast memory --alloc pool` tells how much is \
                 enough",
            )),
            (Allocation::Pool, Some(bytes)) => pool(bytes),
        }
    }

    /// The options of the program's instance.
    pub fn instance_options(&self) -> InstanceOptions {
        let options = self.limits.instance_options();
        if self.memory_profile.is_none() {
            return options;
        }
        options.growth_observer(GrowthObserver::new(0, |_, failure| note(failure)))
    }

    /// Where calls have their stack.
    pub fn stack(&self) -> Stack<'static> {
        self.limits.stack()
    }

    /// How many files the program may have open.
    pub fn open_files(&self) -> Option<usize> {
        self.limits.open_files()
    }

    /// What threads that the program starts may use.
    pub fn thread_options(&self) -> ThreadOptions {
        self.limits.thread_options()
    }

    /// The type of a memory that the program imports.
    pub fn memory_type(&self, wanted: MemoryType) -> MemoryType {
        self.limits.memory_type(wanted)
    }

    /// Where the table goes, if it is wanted.
    pub fn table(&self) -> Option<&Destination> {
        self.memory_profile.as_ref()
    }

    /// Where the JSON goes, if it is wanted.
    pub fn json(&self) -> Option<&PathBuf> {
        self.memory_profile_json.as_ref()
    }

    /// Begins to measure the stacks of a program, if that is wanted.
    pub fn measure_stacks(&self, instance: &Instance, environment: &mut ExecutionEnvironment<'_>) {
        if !self.measure_stacks {
            return;
        }
        environment.measure_stack();
        if let Err(error) = instance.measure_aux_stack() {
            note(format_args!("the C stack is not measured: {error}"));
        }
    }

    /// Says which wish for a maximum was not heeded.
    pub fn tell_clamped_limits(&self, instance: &Instance) {
        for limit in instance.clamped_limits() {
            note(format_args!(
                "--max-memory-pages {}: the nearest that the type of memory {} allows is {}",
                limit.requested, limit.memory, limit.applied
            ));
        }
    }
}

/// Tells the user something on standard error; where nobody listens, that is no failure.
fn note(message: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "note: {message}");
}

/// A runtime in a region of exactly so many bytes, which lasts as long as the process.
fn pool(bytes: u64) -> Outcome<Runtime> {
    let refused = || Failure::new(format_args!("the system has no {bytes} bytes for a pool"));
    let size = usize::try_from(bytes).map_err(|_| refused())?;
    let region = region(size).ok_or_else(refused)?;
    Runtime::with_pool(region, RuntimeOptions::default()).map_err(|error: OutOfMemory| {
        Failure::new(format_args!(
            "a pool of {bytes} bytes is too small: {error}"
        ))
    })
}

/// So many bytes that nobody has touched, for as long as the process.
pub fn region(size: usize) -> Option<&'static mut [MaybeUninit<u8>]> {
    let mut bytes: Vec<u8> = Vec::new();
    bytes.try_reserve_exact(size).ok()?;
    Box::leak(Box::new(bytes))
        .spare_capacity_mut()
        .get_mut(..size)
}
