//! wasi-threads: programs that start threads of their own.
//!
//! ```text
//!   main thread      instance --.
//!   thread 1         instance --+-- one shared memory, one WASI context
//!   thread 2         instance --'
//! ```
//!
//! A program calls `wasi.thread-spawn`; the same module is instantiated once more, with the same
//! imports, and a thread of the host calls its export `wasi_thread_start`. All that instances have in
//! common is what they import: the memory, which is shared, and functions of the host. So no thread
//! ever waits for another one's instance.
//!
//! # The end
//!
//! A program ends as a whole: when main returns, when any thread traps or calls `proc_exit`, when an
//! exception leaves any thread. What comes first is what the program ends with. All threads are then
//! interrupted: in their code, where they wait for each other, and where they wait in a function of
//! WASI. [`Threads::run`] returns when the last of them is gone, and their memory with them.
//!
//! # Memory
//!
//! An instance and a call stack for each thread, and the list of the threads, are in the runtime's
//! memory; [`Threads::requests`] and the plan of an instance say how much. The stack of the thread
//! itself is the system's, and what the standard library keeps of a thread is on the heap of the
//! process.
//!
//! # Example
//!
//! ```no_run
//! use precast_loader::{Imports, InstanceOptions, Memory, Module, Stack};
//! use precast_wasi::{ThreadOptions, Threads, WasiContext};
//!
//! fn run(module: &Module, memory: &Memory) -> Result<(), Box<dyn std::error::Error>> {
//!     let runtime = module.runtime();
//!     let wasi = WasiContext::builder().inherit_stdio().build(runtime)?;
//!     let threads = Threads::new(module, Some(&wasi), ThreadOptions::default().max_threads(8))?;
//!     let mut imports = Imports::for_module(module)?;
//!     imports.memory("env", "memory", memory)?;
//!     wasi.define_for(&mut imports, module)?;
//!     threads.define(&mut imports)?;
//!     let instance = threads.instantiate(imports, InstanceOptions::default())?;
//!     let start = instance.func::<(), ()>("_start")?;
//!     let mut environment = instance.execution_environment(Stack::Caller)?;
//!     threads.run(|| start.call(&mut environment, ()))?;
//!     Ok(())
//! }
//! ```

mod registry;
mod spawn;

use std::alloc::Layout;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use precast_loader::alloc::{PortableLayout, Shared};
use precast_loader::{
    CallError, Category, Imports, Instance, InstanceOptions, InstantiateError, Module, OutOfMemory,
    PointerWidth,
};

use crate::context::WasiContext;
use registry::{Failure, Registry, Running};

/// The module name of what starts threads.
pub const THREADS: &str = "wasi";

/// The name of the function that starts a thread.
pub const THREAD_SPAWN: &str = "thread-spawn";

/// How many threads a program may have beside main, unless told otherwise.
pub const DEFAULT_THREADS: u32 = 256;

/// Where the code of a thread has its native stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThreadStack {
    /// On the stack of the host's thread, which is made so large that the code has so many bytes.
    Own(usize),
    /// In a block of so many bytes of the runtime's memory, zero being the default size. Functions
    /// of the host run on the stack of the host's thread.
    Runtime(usize),
}

impl Default for ThreadStack {
    /// As much as calls have by default, on the thread's own stack.
    fn default() -> ThreadStack {
        ThreadStack::Own(precast_loader::limits::DEFAULT_STACK)
    }
}

/// What a program's threads may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ThreadOptions {
    /// How many threads there may be at a time, main not counted.
    pub max_threads: u32,
    /// Where their code has its native stack.
    pub stack: ThreadStack,
    /// How their instances are made, and how large the C stack is that each has in the memory: see
    /// [`InstanceOptions::thread_aux_stack`].
    pub instance: InstanceOptions,
}

impl Default for ThreadOptions {
    fn default() -> ThreadOptions {
        ThreadOptions {
            max_threads: DEFAULT_THREADS,
            stack: ThreadStack::default(),
            instance: InstanceOptions::default().thread_aux_stack(0),
        }
    }
}

impl ThreadOptions {
    /// Sets how many threads there may be at a time, main not counted.
    #[must_use]
    pub fn max_threads(mut self, count: u32) -> ThreadOptions {
        self.max_threads = count;
        self
    }

    /// Sets where the code of threads has its native stack.
    #[must_use]
    pub fn stack(mut self, stack: ThreadStack) -> ThreadOptions {
        self.stack = stack;
        self
    }

    /// Sets the size of the C stack that each thread has in the memory, in bytes; zero is what the C
    /// library of WASI chooses.
    #[must_use]
    pub fn aux_stack(mut self, bytes: u64) -> ThreadOptions {
        self.instance.thread_aux_stack = Some(bytes);
        self
    }
}

/// A program did not end by the return of main.
#[derive(Debug)]
#[must_use]
pub struct Ended {
    /// The thread that ended it; none for main.
    pub thread: Option<u32>,
    /// How.
    pub error: CallError,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(thread) = self.thread {
            write!(formatter, "thread {thread}: ")?;
        }
        self.error.fmt(formatter)
    }
}

impl std::error::Error for Ended {}

/// A handle to what counts the threads.
const CAPTURE: PortableLayout = PortableLayout::new(Layout::new::<Shared<Registry>>(), 4, 4);

/// The request for what counts them.
const REGISTRY: PortableLayout = PortableLayout::up_to(Shared::<Registry>::layout(), 248, 8);

/// A program that can start threads. Dropping it ends them.
pub struct Threads {
    registry: Shared<Registry>,
}

impl Threads {
    /// What `thread-spawn` captures.
    pub const CAPTURE: Layout = CAPTURE.here();

    /// As [`Threads::CAPTURE`], on a machine with pointers of this width; `None` where that is not
    /// known.
    #[must_use]
    pub const fn capture_on(width: PointerWidth) -> Option<Layout> {
        CAPTURE.on(width)
    }

    /// What [`Threads::new`] asks the runtime's allocator for: size and alignment of each block, of
    /// [`Category::Threads`], in order. All of it stays until the value and the program's instances
    /// are dropped.
    pub fn requests(options: &ThreadOptions) -> impl Iterator<Item = Layout> + use<> {
        let list = Running::list(registry::RUNNING.here(), options.max_threads);
        list.into_iter().chain([REGISTRY.here()])
    }

    /// As [`Threads::requests`], on a machine with pointers of this width; `None` where that is not
    /// known.
    pub fn requests_on(
        options: &ThreadOptions,
        width: PointerWidth,
    ) -> Option<impl Iterator<Item = Layout> + use<>> {
        let list = Running::list(registry::RUNNING.on(width)?, options.max_threads);
        Some(list.into_iter().chain([REGISTRY.on(width)?]))
    }

    /// Whether a module asks for `thread-spawn`.
    #[must_use]
    pub fn are_wanted(module: &Module) -> bool {
        let mut imports = module.imports();
        imports.any(|(from, name, _)| (from, name) == (THREADS, THREAD_SPAWN))
    }

    /// Prepares a program. With a context, waits in its functions end with the program; it should be
    /// a context of the program's own, because all waits through it end.
    ///
    /// # Errors
    ///
    /// If there is not enough memory.
    pub fn new(
        module: &Module,
        context: Option<&WasiContext>,
        options: ThreadOptions,
    ) -> Result<Threads, OutOfMemory> {
        let registry = Registry::new(module, context, options)?;
        let allocator = module.runtime().allocator();
        let registry = Shared::new(allocator, Category::Threads, registry)?;
        Ok(Threads { registry })
    }

    /// Defines `thread-spawn`.
    ///
    /// # Errors
    ///
    /// If the imports' memory is used up.
    pub fn define(&self, imports: &mut Imports) -> Result<(), OutOfMemory> {
        let function = spawn::function(self.registry.clone());
        imports.func(THREADS, THREAD_SPAWN, function)
    }

    /// Makes the instance of the main thread. All instances get these imports, among which is what
    /// [`Threads::define`] defined; what else the module imports are shared memories, and functions
    /// of the host. The start function may start threads.
    ///
    /// # Errors
    ///
    /// As for any instance. Threads that the start function began have ended then.
    pub fn instantiate(
        &self,
        imports: Imports,
        options: InstanceOptions,
    ) -> Result<Instance, InstantiateError> {
        self.registry.offer(imports);
        let registry = &self.registry;
        let instance = registry.instantiate(options, |interrupter| registry.set_main(interrupter));
        if instance.is_err() {
            self.end();
        }
        instance
    }

    /// Runs main and, when it returns or the program ends otherwise, ends all threads and waits until
    /// they are gone: none outlives this call.
    ///
    /// # Errors
    ///
    /// How the program ended, if it was not by the return of main.
    ///
    /// # Panics
    ///
    /// With what a function of the host panicked with, in whichever thread.
    pub fn run<T>(&self, main: impl FnOnce() -> Result<T, CallError>) -> Result<T, Ended> {
        let returned = catch_unwind(AssertUnwindSafe(main));
        match self.finish() {
            Some((thread, failure)) => Err(failure.ended(Some(thread))),
            None => match returned {
                Ok(Ok(value)) => Ok(value),
                Ok(Err(error)) => Err(Failure::Error(error).ended(None)),
                Err(panic) => resume_unwind(panic),
            },
        }
    }

    /// Stops the program, from any thread of the host: main's call and all threads end with
    /// [`TrapCode::Interrupted`](precast_loader::TrapCode::Interrupted), and [`Threads::run`] returns.
    /// Without effect when the program ends already.
    pub fn interrupt(&self) {
        self.registry.end();
    }

    /// Ends all threads and waits until they are gone, between two calls of main. How one of them
    /// ended before is forgotten. Functions that the program calls use [`Threads::interrupt`] instead.
    pub fn end(&self) {
        drop(self.finish());
    }

    /// Ends all threads; if one of them ended the program before, says how.
    fn finish(&self) -> Option<(u32, Failure)> {
        let _one_at_a_time = self.registry.lock_end();
        self.registry.end();
        self.registry.join();
        self.registry.restart()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.end();
        // The imports have `thread-spawn`, which has the registry.
        self.registry.withdraw();
    }
}

impl std::fmt::Debug for Threads {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Threads").finish_non_exhaustive()
    }
}
