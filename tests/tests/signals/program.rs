//! The programs that trap and call the host, and what is checked of them at every step.

use std::cell::RefCell;

use precast_compiler::{Options, Silent, Target, compile};
use precast_format::tunables::{BoundsChecks, StackChecks, TrapMode};
use precast_loader::{
    CallError, Caller, Imports, Instance, InstanceOptions, Module, Runtime, Source, Stack,
    TrapCode, TypedFunc,
};

use super::hardware;

/// Traps of every kind, and a call of the host.
const TEXT: &str = r#"(module
  (import "host" "call" (func $call (param i32 i32)))
  (memory 1)
  (func (export "call") (param i32 i32) (call $call (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "stop") (param i32) (result i32) unreachable)
  (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func $deep (export "deep") (param i32) (result i32)
    (i32.add (local.get 0) (call $deep (i32.add (local.get 0) (i32.const 1))))))"#;

/// Which artifact: one whose traps are faults, or one that needs no signals.
#[derive(Clone, Copy)]
pub enum Kind {
    Signals,
    Explicit,
}

/// Compiles one.
pub fn artifact(kind: Kind) -> Vec<u8> {
    let wasm = wat::parse_str(TEXT).expect("the module is well formed");
    let mut options = Options::new(Target::host().expect("tests run where code can run"));
    (
        options.bounds_checks,
        options.stack_checks,
        options.trap_mode,
    ) = match kind {
        Kind::Signals => (BoundsChecks::Guard, StackChecks::Guard, TrapMode::Signals),
        Kind::Explicit => (
            BoundsChecks::Explicit,
            StackChecks::Explicit,
            TrapMode::Explicit,
        ),
    };
    compile(&wasm, &options, &Silent)
        .expect("it compiles")
        .artifact
}

/// Loads one into a runtime of its own.
pub fn load(artifact: &[u8]) -> Module {
    let runtime = Runtime::system().expect("there is memory");
    runtime
        .load_named_by_user(Source::copied(artifact))
        .expect("it loads")
}

thread_local! {
    /// The other instance of this thread, which the host calls in between.
    static OTHER: RefCell<Option<TypedFunc<(i32, i32), ()>>> = const { RefCell::new(None) };
}

/// What the host does when it is called: at depth zero it faults; else it calls the other instance,
/// so that code of both is on the stack.
fn called(caller: &mut Caller<'_>, depth: i32, signal: i32) {
    if depth == 0 {
        return match signal {
            0 => overflow(&mut [0; 512]),
            signal => hardware::fault(signal),
        };
    }
    let call = OTHER.with_borrow_mut(Option::take);
    let call = call.expect("there is another instance");
    let result = call.call(caller, (depth - 1, signal));
    OTHER.set(Some(call));
    result.expect("the host's handler has seen to it");
}

/// Recursion of the host's own without end.
#[expect(unconditional_recursion, reason = "its stack is meant to overflow")]
fn overflow(bytes: &mut [u8; 512]) {
    let mut more = [bytes[0].wrapping_add(1); 512];
    std::hint::black_box(&mut more);
    overflow(&mut more);
    std::hint::black_box(&mut more);
}

/// Two instances on this thread.
pub struct Program {
    instance: Instance,
    stack: Option<usize>,
}

impl Program {
    /// Instances of a module whose calls have the thread's stack, or a region of so many bytes.
    pub fn new(module: &Module, stack: Option<usize>) -> Program {
        let mut imports = Imports::new(module.runtime());
        imports
            .func("host", "call", called)
            .expect("there is memory");
        let instance = || {
            module
                .instantiate(&imports, InstanceOptions::default())
                .expect("it can be instantiated")
        };
        let other = instance();
        OTHER.set(Some(other.func("call").expect("it is exported")));
        Program {
            instance: instance(),
            stack,
        }
    }

    /// Traps in every way; all of them are ours, and the program goes on.
    pub fn traps(&self) {
        for (name, argument, code) in [
            ("load", 65536, TrapCode::MemoryOutOfBounds),
            ("stop", 0, TrapCode::Unreachable),
            ("divide", 0, TrapCode::IntegerDivideByZero),
            ("deep", 0, TrapCode::StackOverflow),
        ] {
            match self.value(name, argument) {
                Err(CallError::Trap(trap)) => assert_eq!(trap.code(), code, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
            for signal in hardware::SIGNALS {
                assert!(!super::handlers::is_blocked(signal), "{name}: blocked");
            }
        }
        assert_eq!(self.value("load", 65532).expect("it is in bounds"), 0);
    }

    fn value(&self, name: &str, argument: i32) -> Result<i32, CallError> {
        let func = self.instance.func::<(i32,), i32>(name);
        let mut environment = self
            .instance
            .execution_environment(self.stack())
            .expect("there is memory");
        func.expect("it is exported")
            .call(&mut environment, (argument,))
    }

    fn stack(&self) -> Stack<'static> {
        self.stack
            .map_or(Stack::CallerBytes(usize::MAX), Stack::Bytes)
    }

    /// Lets the host fault while code of both instances is on the stack; zero is an overflow of the
    /// thread's stack.
    pub fn fault_in_host(&self, signal: i32) {
        let func = self.instance.func::<(i32, i32), ()>("call");
        let mut environment = self
            .instance
            .execution_environment(self.stack())
            .expect("there is memory");
        func.expect("it is exported")
            .call(&mut environment, (1, signal))
            .expect("the host's handler has seen to it");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        OTHER.set(None);
    }
}
