//! Programs with a shared memory, an instance for each thread.

use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use precast_compiler::{ContextRegister, Options, Silent, compile};
use precast_loader::{
    CallError, Imports, Instance, InstanceOptions, Limits, Memory, MemoryType, Module, Runtime,
    Source, Stack, TrapCode, Value, WASM_PAGE_SIZE_LOG2,
};
use precast_tests::configuration;

/// How many threads take part.
pub const THREADS: usize = 4;

/// What no test takes, on any machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Every configuration, and one that holds the context in a parameter.
pub fn all_options() -> Vec<Options> {
    let all = configuration::ALL.iter();
    let mut all: Vec<Options> = all.map(configuration::Configuration::options).collect();
    let mut other = configuration::ALL[3].options();
    other.context_register = Some(ContextRegister::Parameter);
    all.push(other);
    all
}

/// Runs a body once for each way to compile, and fails where one does not end.
pub fn in_every_way(body: impl Fn(&Options) + Send + Sync + 'static) {
    let (done, ended) = mpsc::channel::<()>();
    let test = thread::spawn(move || {
        for options in all_options() {
            body(&options);
        }
        drop(done);
    });
    if ended.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("the test does not end");
    }
    if let Err(panic) = test.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a body on several threads that begin together; their results by number.
pub fn on_threads<T: Send>(body: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let (start, body) = (&start, &body);
                scope.spawn(move || {
                    start.wait();
                    body(number)
                })
            })
            .collect();
        let ends = threads.into_iter().map(thread::ScopedJoinHandle::join);
        ends.map(|end| end.unwrap()).collect()
    })
}

pub fn shared_type(min: u64, max: u64) -> MemoryType {
    MemoryType {
        limits: Limits {
            min,
            max: Some(max),
        },
        is_64: false,
        shared: true,
        page_size_log2: WASM_PAGE_SIZE_LOG2,
    }
}

/// The import of the memory.
const SHARED: &str = r#"(import "env" "memory" (memory 1 64 shared))"#;

/// A module that imports a shared memory of 1 to 64 pages, and that memory.
pub struct Program {
    pub runtime: Runtime,
    pub module: Module,
    pub memory: Memory,
}

impl Program {
    /// Compiles functions in the text format.
    pub fn new(functions: &str, options: &Options) -> Program {
        Program::of(&format!("{SHARED} {functions}"), options)
    }

    /// Compiles what is in a module that need not import the memory.
    pub fn of(fields: &str, options: &Options) -> Program {
        let text = format!("(module {fields})");
        let runtime = Runtime::system().unwrap();
        let module = load(&runtime, &text, options);
        let memory = Memory::new(&runtime, shared_type(1, 64)).unwrap();
        Program {
            runtime,
            module,
            memory,
        }
    }

    pub fn imports(&self) -> Imports {
        let mut imports = Imports::new(&self.runtime);
        imports.memory("env", "memory", &self.memory).unwrap();
        imports
    }

    /// An instance for a thread.
    pub fn instance(&self) -> Instance {
        let options = InstanceOptions::default();
        self.module.instantiate(&self.imports(), options).unwrap()
    }

    pub fn read_u32(&self, address: u64) -> u32 {
        let mut bytes = [0; 4];
        self.memory.read(address, &mut bytes).unwrap();
        u32::from_le_bytes(bytes)
    }

    pub fn write_u32(&self, address: u64, value: u32) {
        self.memory.write(address, &value.to_le_bytes()).unwrap();
    }
}

/// Compiles and loads a module in the text format.
pub fn load(runtime: &Runtime, text: &str, options: &Options) -> Module {
    let wasm = wat::parse_str(text).unwrap();
    let artifact = compile(&wasm, options, &Silent).unwrap().artifact;
    runtime
        .load_named_by_user(Source::copied(&artifact))
        .unwrap()
}

/// Calls an export with numbers; the result, if there is one.
pub fn call(
    instance: &Instance,
    name: &str,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let function = instance.untyped_func(name).unwrap();
    let results = function.func_type();
    let mut results: Vec<Value> = results
        .results()
        .iter()
        .map(|ty| Value::default_for(*ty))
        .collect();
    let mut environment = instance.execution_environment(Stack::Caller).unwrap();
    function.call(&mut environment, arguments, &mut results)?;
    Ok(results.pop())
}

/// Calls an export that gives an `i32`.
pub fn call_i32(instance: &Instance, name: &str, arguments: &[Value]) -> i32 {
    call(instance, name, arguments)
        .unwrap()
        .unwrap()
        .i32()
        .unwrap()
}

/// The trap that a call has to end with.
pub fn trap(result: Result<Option<Value>, CallError>) -> TrapCode {
    match result {
        Err(CallError::Trap(trap)) => trap.code(),
        other => panic!("expected a trap, got {other:?}"),
    }
}
