//! The threads of a program: who runs, who has to be woken and joined, and how the program ended.
//!
//! ```text
//!   reserve            launch                finish
//!     | id, a place      | interrupter, handle  | handle moves to `gone`
//!     v                  v                      v
//!   in the list ------ running -------------- gone: joined by the next one to go, or by main
//! ```
//!
//! One lock guards all of it. Under it nothing waits and no code of the program runs: instances are
//! made before it is taken, threads are joined after it is released. To interrupt an instance takes
//! the lock of the memories that it waits on; whoever holds one of those never comes here. Two more
//! are taken before it: one by who reads or replaces the imports, one by who ends the program.

use std::alloc::Layout;
use std::any::Any;
use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use precast_loader::alloc::{PortableLayout, Vec};
use precast_loader::{
    CallError, Category, Imports, Instance, InstanceOptions, InstantiateError, Interrupter, Module,
    OutOfMemory,
};

use super::{Ended, ThreadOptions};
use crate::context::WasiContext;
use crate::descriptor::lock;
use crate::errno::Errno;

/// The highest number of a thread that the documents of wasi-threads allow.
const LAST_ID: u32 = (1 << 29) - 1;

/// How a thread failed.
pub(super) enum Failure {
    /// The call did not return.
    Error(CallError),
    /// A function of the host panicked.
    Panic(Box<dyn Any + Send>),
}

impl Failure {
    /// What the program's end is to whoever ran it. A panic goes on there.
    pub fn ended(self, thread: Option<u32>) -> Ended {
        match self {
            Failure::Error(error) => Ended { thread, error },
            Failure::Panic(panic) => resume_unwind(panic),
        }
    }
}

/// One thread in the list.
pub(super) const RUNNING: PortableLayout = PortableLayout::new(Layout::new::<Running>(), 20, 4);

/// A thread that runs, or is about to.
pub(super) struct Running {
    id: u32,
    /// None before there is an instance.
    interrupter: Option<Interrupter>,
    /// None before it is launched, and when somebody joins it.
    handle: Option<JoinHandle<()>>,
}

impl Running {
    /// The block of a list of so many threads, by the layout of one.
    pub fn list(of: Layout, count: u32) -> Option<Layout> {
        let size = of.size().checked_mul(usize::try_from(count).ok()?)?;
        let layout = Layout::from_size_align(size, of.align()).ok();
        layout.filter(|layout| layout.size() != 0)
    }
}

/// Who ended the program.
enum First {
    /// Main, or the host.
    Main,
    /// A thread.
    Thread(u32, Failure),
}

/// What changes.
struct State {
    /// Has room for as many as there may be.
    threads: Vec<Running>,
    last_id: u32,
    main: Option<Interrupter>,
    /// The last thread that went: at its end, or nearly.
    gone: Option<JoinHandle<()>>,
    /// Set when the program is to end.
    first: Option<First>,
}

/// The threads of one program.
pub(super) struct Registry {
    module: Module,
    context: Option<WasiContext>,
    options: ThreadOptions,
    /// What instances import: nothing before the first, and when there are to be no more. The imports
    /// have `thread-spawn`, which has the registry. Read while an instance is made; written while
    /// there are no threads.
    imports: RwLock<Imports>,
    state: Mutex<State>,
    /// Held by whoever ends the program, until all threads are joined. Threads never take it.
    ending: Mutex<()>,
}

impl Registry {
    /// A program without threads.
    pub fn new(
        module: &Module,
        context: Option<&WasiContext>,
        options: ThreadOptions,
    ) -> Result<Registry, OutOfMemory> {
        let allocator = module.runtime().allocator();
        let room = options.max_threads as usize;
        let state = State {
            threads: Vec::try_with_capacity(allocator, Category::Threads, room)?,
            last_id: 0,
            main: None,
            gone: None,
            first: None,
        };
        Ok(Registry {
            module: module.clone(),
            context: context.cloned(),
            options,
            imports: RwLock::new(Imports::new(module.runtime())),
            state: Mutex::new(state),
            ending: Mutex::new(()),
        })
    }

    /// What threads may use.
    pub fn options(&self) -> &ThreadOptions {
        &self.options
    }

    /// Sets what instances import.
    pub fn offer(&self, imports: Imports) {
        let mut place = self.imports.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *place, imports);
        drop(place);
        drop(before);
    }

    /// Lets there be no more instances.
    pub fn withdraw(&self) {
        self.offer(Imports::new(self.module.runtime()));
    }

    /// Makes an instance; `give` gets what interrupts it, before any of its code runs.
    pub fn instantiate(
        &self,
        options: InstanceOptions,
        give: impl FnMut(Interrupter),
    ) -> Result<Instance, InstantiateError> {
        let imports = self.imports.read().unwrap_or_else(PoisonError::into_inner);
        self.module
            .instantiate_interruptible(&imports, options, give)
    }

    /// Enters the main thread, which ends with the others.
    pub fn set_main(&self, interrupter: Interrupter) {
        let mut state = lock(&self.state);
        if state.first.is_some() {
            interrupter.interrupt();
        }
        state.main = Some(interrupter);
    }

    /// Takes a place for another thread.
    ///
    /// # Errors
    ///
    /// [`Errno::Again`] if there are as many as there may be, [`Errno::Canceled`] if the program ends.
    pub fn reserve(&self) -> Result<Reserved<'_>, Errno> {
        let mut state = lock(&self.state);
        if state.first.is_some() {
            return Err(Errno::Canceled);
        }
        if state.threads.len() >= self.options.max_threads as usize {
            return Err(Errno::Again);
        }
        self.make_interruptible()?;
        // There are fewer threads than numbers.
        let id = loop {
            let id = state.last_id % LAST_ID + 1;
            state.last_id = id;
            if state.threads.iter().all(|thread| thread.id != id) {
                break id;
            }
        };
        state.threads.try_push(Running {
            id,
            interrupter: None,
            handle: None,
        })?;
        Ok(Reserved { registry: self, id })
    }

    /// Sees to it that waits in functions of WASI can be ended. The thread that calls waits in none.
    fn make_interruptible(&self) -> Result<(), Errno> {
        match &self.context {
            Some(context) => Ok(context.make_interruptible()?),
            None => Ok(()),
        }
    }

    /// Takes note that a thread has ended. If it failed, so does the program, unless it is about to
    /// end already.
    pub fn finish(&self, id: u32, failure: Option<Failure>) {
        let mut state = lock(&self.state);
        let handle = state.take(id).and_then(|thread| thread.handle);
        // Without a handle somebody is joining this thread.
        let before = handle.and_then(|handle| state.gone.replace(handle));
        if let Some(failure) = failure {
            self.begin_to_end(&mut state, First::Thread(id, failure));
        }
        drop(state);
        if let Some(before) = before {
            join(before);
        }
    }

    /// Lets nobody else end the program and join its threads meanwhile.
    pub fn lock_end(&self) -> MutexGuard<'_, ()> {
        lock(&self.ending)
    }

    /// Ends the program for a reason that is main's or the host's.
    pub fn end(&self) {
        self.begin_to_end(&mut lock(&self.state), First::Main);
    }

    fn begin_to_end(&self, state: &mut State, first: First) {
        if state.first.is_some() {
            return;
        }
        state.first = Some(first);
        let threads = state
            .threads
            .iter()
            .filter_map(|it| it.interrupter.as_ref());
        for interrupter in threads.chain(&state.main) {
            interrupter.interrupt();
        }
        // Last: a wait that ends finds its instance interrupted.
        if let Some(context) = &self.context {
            context.interrupt();
        }
    }

    /// Waits until all threads are gone that were launched.
    pub fn join(&self) {
        loop {
            let mut state = lock(&self.state);
            let mut running = state.threads.iter_mut();
            let handle = running.find_map(|thread| thread.handle.take());
            let Some(handle) = handle.or_else(|| state.gone.take()) else {
                return;
            };
            drop(state);
            join(handle);
        }
    }

    /// Lets the program run again. If a thread had ended it, says which and how.
    pub fn restart(&self) -> Option<(u32, Failure)> {
        let mut state = lock(&self.state);
        if let Some(context) = &self.context {
            context.clear_interrupt();
        }
        if let Some(main) = &state.main {
            main.clear();
        }
        match state.first.take() {
            Some(First::Thread(id, failure)) => Some((id, failure)),
            _ => None,
        }
    }
}

impl State {
    /// A thread in the list.
    fn find(&mut self, id: u32) -> Option<&mut Running> {
        self.threads.iter_mut().find(|thread| thread.id == id)
    }

    /// Takes a thread out of the list.
    fn take(&mut self, id: u32) -> Option<Running> {
        let place = self.threads.iter().position(|thread| thread.id == id)?;
        self.threads.swap_remove(place)
    }
}

/// Waits for a thread, unless it is the one that waits: a function of the program's own must not end
/// the program so.
fn join(handle: JoinHandle<()>) {
    if handle.thread().id() != thread::current().id() {
        // What it panicked with, it has told before.
        let _ = handle.join();
    }
}

/// A place for a thread that is not launched yet; dropping it gives the place back.
pub(super) struct Reserved<'a> {
    registry: &'a Registry,
    id: u32,
}

impl Reserved<'_> {
    /// The number of the thread.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Enters what interrupts the thread's instance.
    pub fn set_interrupter(&self, interrupter: Interrupter) {
        let mut state = lock(&self.registry.state);
        if state.first.is_some() {
            interrupter.interrupt();
        }
        if let Some(thread) = state.find(self.id) {
            thread.interrupter = Some(interrupter);
        }
    }

    /// Starts the thread with `start`, which gives its handle.
    ///
    /// # Errors
    ///
    /// [`Errno::Canceled`] if the program ends meanwhile, [`Errno::Again`] if the system has no thread.
    pub fn launch(
        self,
        start: impl FnOnce() -> std::io::Result<JoinHandle<()>>,
    ) -> Result<u32, Errno> {
        let id = self.id;
        let mut state = lock(&self.registry.state);
        let ends = state.first.is_some();
        // A thread that is quick waits at its end until it is entered here.
        let launched = match state.find(id).filter(|_| !ends) {
            None => Err(Errno::Canceled),
            Some(thread) => start()
                .map_err(|_| Errno::Again)
                .map(|handle| thread.handle = Some(handle)),
        };
        drop(state);
        launched?;
        std::mem::forget(self);
        Ok(id)
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        drop(lock(&self.registry.state).take(self.id));
    }
}
