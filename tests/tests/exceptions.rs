//! Exceptions, run: what they carry and who catches them, across instances and through the host; what
//! is left when nobody does; and that every one of them is freed.
//!
//! Each case runs with both bounds strategies, both relocation models and all ways to end a stack, on
//! the thread's own stack and on one of its own.
#![forbid(unsafe_code)]

#[path = "exceptions/freed.rs"]
mod freed;
#[path = "exceptions/host.rs"]
mod host;
#[path = "exceptions/identity.rs"]
mod identity;
#[path = "exceptions/many.rs"]
mod many;
#[path = "exceptions/values.rs"]
mod values;

use precast_compiler::{Options, Silent, compile};
use precast_format::tunables::StackChecks;
use precast_loader::{
    CallError, Category, ExecutionEnvironment, Imports, Instance, InstanceOptions, Module, Runtime,
    Source, Stack, TrapCode, UncaughtException, WasmParams, WasmResults,
};
use precast_tests::configuration;

/// A stack that is a region has so many bytes.
const REGION: usize = 256 << 10;

/// A runtime and how modules are compiled and called in it.
struct World {
    runtime: Runtime,
    options: Options,
    on_region: bool,
}

impl World {
    /// Whether modules may have vectors: bytecode for big-endian machines has none.
    fn has_vectors(&self) -> bool {
        let is_bytecode = self.options.target.isa().is_bytecode();
        !(is_bytecode && cfg!(target_endian = "big"))
    }

    /// Every way to compile and to call.
    fn all() -> impl Iterator<Item = World> {
        let stacks = [
            (StackChecks::Explicit, false),
            (StackChecks::Explicit, true),
            (StackChecks::Guard, false),
            (StackChecks::Guard, true),
        ];
        configuration::with_bytecode().flat_map(move |configuration| {
            let is_native = !configuration.options().target.isa().is_bytecode();
            let fits = move |(checks, _): &(StackChecks, bool)| {
                is_native || *checks == StackChecks::Explicit
            };
            let stacks = stacks.into_iter().filter(fits);
            stacks.map(move |(checks, on_region)| {
                let mut options = configuration.options();
                options.stack_checks = checks;
                World {
                    runtime: Runtime::system().expect("there is memory"),
                    options,
                    on_region,
                }
            })
        })
    }

    /// One way, for what takes long.
    fn one() -> World {
        World {
            runtime: Runtime::system().expect("there is memory"),
            options: configuration::FAST.options(),
            on_region: false,
        }
    }

    fn module(&self, text: &str) -> Module {
        let wasm = wat::parse_str(text).expect("the module is well formed");
        let compiled = compile(&wasm, &self.options, &Silent).expect("it compiles");
        let source = Source::copied(&compiled.artifact);
        let module = self.runtime.load_named_by_user(source);
        module.expect("the device accepts it")
    }

    fn imports(&self) -> Imports {
        Imports::new(&self.runtime)
    }

    fn instance(&self, text: &str, imports: &Imports) -> Instance {
        let module = self.module(text);
        let instance = module.instantiate(imports, InstanceOptions::default());
        instance.expect("the imports are there")
    }

    /// An instance without imports.
    fn alone(&self, text: &str) -> Instance {
        self.instance(text, &self.imports())
    }

    fn environment(&self) -> ExecutionEnvironment<'static> {
        let stack = if self.on_region {
            Stack::Bytes(REGION)
        } else {
            Stack::Caller
        };
        ExecutionEnvironment::new(&self.runtime, stack).expect("there is memory")
    }

    fn call<P: WasmParams, R: WasmResults>(
        &self,
        instance: &Instance,
        name: &str,
        params: P,
    ) -> Result<R, CallError> {
        let function = instance.func::<P, R>(name).expect("it is exported");
        function.call(&mut self.environment(), params)
    }

    /// What a call that must return returns.
    fn get<P: WasmParams, R: WasmResults>(&self, instance: &Instance, name: &str, params: P) -> R {
        self.call(instance, name, params).expect("it returns")
    }

    /// The exception that a call must end with.
    fn uncaught<P: WasmParams>(
        &self,
        instance: &Instance,
        name: &str,
        params: P,
    ) -> UncaughtException {
        match self.call::<P, ()>(instance, name, params) {
            Err(CallError::Exception(exception)) => exception,
            Err(error) => panic!("{error}"),
            Ok(()) => panic!("nothing was thrown"),
        }
    }

    /// The trap that a call must end with.
    fn trap<P: WasmParams>(&self, instance: &Instance, name: &str, params: P) -> TrapCode {
        match self.call::<P, ()>(instance, name, params) {
            Err(CallError::Trap(trap)) => trap.code(),
            Err(error) => panic!("{error}"),
            Ok(()) => panic!("there was no trap"),
        }
    }

    /// Bytes that exceptions take now.
    fn bytes(&self) -> usize {
        self.runtime.usage(Category::Exceptions).current
    }

    /// The most bytes that exceptions have taken.
    fn peak(&self) -> usize {
        self.runtime.usage(Category::Exceptions).peak
    }
}
