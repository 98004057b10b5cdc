//! A threaded program from its text: compiled, loaded, run, and looked after: nothing may be left of
//! it when it has ended.

#![allow(dead_code, reason = "each test file uses a part of it")]

use precast_compiler::{Options, Silent, Target, compile};
use precast_format::tunables::BoundsChecks;
use precast_loader::{
    CallError, Category, ExternType, Imports, Instance, InstanceOptions, Memory, Module, Runtime,
    Source, Stack, WasmParams,
};
use precast_wasi::WasiContextBuilder;
use precast_wasi::{Ended, Output, OutputBuffer, ThreadOptions, Threads, WasiContext};
use std::collections::HashMap;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

/// How accesses of memory are kept inside.
pub type Strategy = BoundsChecks;

/// With and without guard pages.
pub fn strategies() -> [Strategy; 2] {
    [BoundsChecks::Guard, BoundsChecks::Explicit]
}

/// The artifact of a text. Each is compiled once.
fn artifact(text: &'static str, strategy: Strategy) -> &'static [u8] {
    type Artifacts = HashMap<(usize, u8), &'static [u8]>;
    static ARTIFACTS: OnceLock<Mutex<Artifacts>> = OnceLock::new();
    let mut artifacts = ARTIFACTS.get_or_init(Mutex::default).lock().unwrap();
    artifacts
        .entry((text.as_ptr().addr(), strategy as u8))
        .or_insert_with(|| {
            let wasm = wat::parse_str(text).expect("the text is a module");
            let mut options = Options::new(Target::host().expect("code for this machine"));
            options.bounds_checks = strategy;
            options.threads = Some(1);
            let compiled = compile(&wasm, &options, &Silent).expect("the module is valid");
            compiled.artifact.leak()
        })
}

/// How long a program may take, which is far more than any does.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs something that has to end: a thread that nobody wakes is a failure, not a build that hangs.
fn within_limit<T>(work: impl FnOnce() -> T) -> T {
    let (done, when_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if when_done.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
                eprintln!("a program with threads does not end");
                std::process::abort();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// What is in use of each category; backtraces are the traps', which the tests look at.
fn usage(runtime: &Runtime) -> Vec<(Category, usize, usize)> {
    let usage = |category: &Category| {
        let usage = runtime.usage(*category);
        (*category, usage.current, usage.blocks)
    };
    let all = Category::ALL.iter();
    all.filter(|category| **category != Category::Backtrace)
        .map(usage)
        .collect()
}

/// A program that is about to run.
pub struct Program {
    pub runtime: Runtime,
    pub module: Module,
    pub options: ThreadOptions,
    pub context: WasiContextBuilder,
}

impl Program {
    pub fn new(text: &'static str, strategy: Strategy) -> Program {
        let runtime = Runtime::system().expect("a runtime");
        Program::new_in(runtime, text, strategy)
    }

    pub fn new_in(runtime: Runtime, text: &'static str, strategy: Strategy) -> Program {
        let source = Source::borrowed(artifact(text, strategy));
        let module = runtime
            .load_named_by_user(source)
            .expect("the artifact loads");
        Program {
            runtime,
            module,
            options: ThreadOptions::default(),
            context: WasiContext::builder(),
        }
    }

    /// Runs `_start`, and gives how the program ended and what it wrote.
    pub fn run_main(self) -> (Result<(), Ended>, Vec<u8>) {
        let output = OutputBuffer::new(1 << 20);
        let context = self.context.stdout(Output::Buffer(output.clone()));
        let program = Program { context, ..self };
        let ended = program.run_with(|threads, instance| {
            let start = instance.func::<(), ()>("_start").expect("the export");
            let environment = instance.execution_environment(Stack::Caller);
            let mut environment = environment.expect("a stack");
            threads.run(|| start.call(&mut environment, ()))
        });
        (ended, output.take())
    }

    /// Calls an export, and gives what it returned, or how the program ended, and what it wrote.
    pub fn run<P: WasmParams>(self, name: &str, arguments: P) -> (Result<i32, Ended>, Vec<u8>) {
        let output = OutputBuffer::new(1 << 20);
        let context = self.context.stdout(Output::Buffer(output.clone()));
        let program = Program { context, ..self };
        let ended = program.run_with(|threads, instance| {
            let function = instance.func::<P, i32>(name).expect("the export");
            let environment = instance.execution_environment(Stack::Caller);
            let mut environment = environment.expect("a stack");
            threads.run(|| function.call(&mut environment, arguments))
        });
        (ended, output.take())
    }

    /// Makes the main instance, lets the host do something with it, and looks at what is left of all.
    pub fn run_with<T>(self, host: impl FnOnce(&Threads, &Instance) -> T) -> T {
        within_limit(|| self.run_to_the_end(host))
    }

    fn run_to_the_end<T>(self, host: impl FnOnce(&Threads, &Instance) -> T) -> T {
        let before = usage(&self.runtime);
        let context = self.context.build(&self.runtime).expect("a context");
        let threads = Threads::new(&self.module, Some(&context), self.options).expect("memory");
        let imports = imports(&self.runtime, &self.module, &context, &threads);
        let instance = threads.instantiate(imports, InstanceOptions::default());
        let instance = instance.expect("an instance");
        let result = host(&threads, &instance);
        drop((instance, threads, context));
        assert_eq!(usage(&self.runtime), before, "something is left");
        result
    }
}

/// What the module imports.
pub fn imports(
    runtime: &Runtime,
    module: &Module,
    context: &WasiContext,
    threads: &Threads,
) -> Imports {
    let mut imports = Imports::for_module(module).expect("memory");
    context.define_for(&mut imports, module).expect("memory");
    threads.define(&mut imports).expect("memory");
    for (from, name, ty) in module.imports() {
        if let ExternType::Memory(ty) = ty {
            let memory = Memory::new(runtime, ty).expect("memory");
            imports.memory(from, name, &memory).expect("memory");
        }
    }
    imports
}

/// The code with which a program exited.
pub fn end_code(ended: &Ended) -> Option<i32> {
    match ended.error {
        CallError::Exit(code) => Some(code),
        _ => None,
    }
}
