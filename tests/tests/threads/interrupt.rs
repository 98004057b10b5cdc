//! Interruption: code that would not end is stopped from another thread, and its instance is usable
//! afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use precast_compiler::Options;
use precast_loader::{
    CallError, Caller, HostError, Instance, InstanceOptions, Interrupter, Stack, TrapCode, Value,
};

use crate::support::{Program, call, call_i32, in_every_way, trap};

/// Ways not to end, and one to say that the code runs.
const ENDLESS: &str = r#"
    (import "env" "started" (func $started))
    (import "env" "again" (func $again))
    (func (export "loop") (call $started) (loop (br 0)))
    (func (export "loops") (param i32) (call $started)
        (loop (loop (br_if 0 (local.get 0))) (br 0)))
    (func $tail (return_call $tail))
    (func (export "tail") (call $started) (return_call $tail))
    (func (export "wait") (call $started)
        (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
    (func (export "host") (call $started) (call $again))
    (func (export "catching") (call $started)
        (block $caught (try_table (catch_all $caught) (loop (br 0)))))
    (func (export "catching_wait") (call $started)
        (block $caught (try_table (catch_all $caught)
            (drop (memory.atomic.wait64 (i32.const 0) (i64.const 0) (i64.const -1))))))
    (func (export "nothing"))
    (func (export "number") (result i32) (i32.const 42))"#;

struct Endless {
    program: Program,
    instance: Instance,
    /// Whether the code has come to its endless part.
    started: Arc<AtomicBool>,
}

impl Endless {
    fn new(options: &Options) -> Endless {
        let program = Program::new(ENDLESS, options);
        let mut imports = program.imports();
        let started = Arc::new(AtomicBool::new(false));
        let says = started.clone();
        imports
            .func("env", "started", move |_: &mut Caller<'_>| {
                says.store(true, Ordering::SeqCst);
            })
            .unwrap();
        // A host function that calls its caller for ever.
        imports
            .func("env", "again", |caller: &mut Caller<'_>| {
                let instance = caller.instance();
                let nothing = instance.func::<(), ()>("nothing").unwrap();
                loop {
                    match nothing.call(caller, ()) {
                        Ok(()) => {}
                        Err(CallError::Trap(trap)) => return Err(HostError::Trap(trap.code())),
                        Err(_) => return Err(HostError::Message("no call")),
                    }
                }
                #[allow(unreachable_code)]
                Ok::<(), HostError>(())
            })
            .unwrap();
        let options = InstanceOptions::default();
        let instance = program.module.instantiate(&imports, options).unwrap();
        Endless {
            program,
            instance,
            started,
        }
    }

    /// Calls a function that does not end, and interrupts it once it runs.
    fn interrupt(&self, interrupter: &Interrupter, name: &str, arguments: &[Value]) -> TrapCode {
        self.started.store(false, Ordering::SeqCst);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !self.started.load(Ordering::SeqCst) {
                    thread::yield_now();
                }
                interrupter.interrupt();
            });
            trap(call(&self.instance, name, arguments))
        })
    }
}

#[test]
fn whatever_does_not_end_is_stopped() {
    in_every_way(|options| {
        let endless = Endless::new(options);
        let interrupter = endless.instance.interrupter().unwrap();
        for (name, arguments) in [
            ("loop", &[][..]),
            ("loops", &[Value::I32(0)]),
            ("loops", &[Value::I32(1)]),
            ("tail", &[]),
            ("wait", &[]),
            ("host", &[]),
            ("catching", &[]),
            ("catching_wait", &[]),
        ] {
            for _ in 0..3 {
                let code = endless.interrupt(&interrupter, name, arguments);
                assert_eq!(code, TrapCode::Interrupted, "{name}");
                // It stays interrupted until somebody says otherwise.
                assert!(interrupter.is_interrupted());
                let code = trap(call(&endless.instance, "number", &[]));
                assert_eq!(code, TrapCode::Interrupted);
                interrupter.clear();
                assert!(!interrupter.is_interrupted());
                assert_eq!(call_i32(&endless.instance, "number", &[]), 42);
            }
        }
    });
}

#[test]
fn others_are_not_stopped() {
    in_every_way(|options| {
        let endless = Endless::new(options);
        let other = Endless::new(options);
        let interrupter = endless.instance.interrupter().unwrap();
        interrupter.interrupt();
        assert_eq!(call_i32(&other.instance, "number", &[]), 42);
        assert_eq!(
            trap(call(&endless.instance, "number", &[])),
            TrapCode::Interrupted
        );
        // A notification is for those that wait, whoever is interrupted.
        assert_eq!(endless.program.read_u32(0), 0);
    });
}

#[test]
fn an_interrupter_outlives_its_instance() {
    in_every_way(|options| {
        let endless = Endless::new(options);
        let interrupter = endless.instance.interrupter().unwrap();
        let again = endless.instance.interrupter().unwrap();
        again.interrupt();
        assert!(interrupter.is_interrupted());
        drop(endless);
        assert!(!interrupter.is_interrupted());
        interrupter.interrupt();
        interrupter.clear();
        drop(again);
        interrupter.interrupt();
    });
}

#[test]
fn interrupters_are_used_while_instances_go() {
    in_every_way(|options| {
        for _ in 0..20 {
            let endless = Endless::new(options);
            let interrupter = endless.instance.interrupter().unwrap();
            thread::scope(|scope| {
                for _ in 0..3 {
                    let interrupter = interrupter.clone();
                    scope.spawn(move || {
                        for _ in 0..100 {
                            interrupter.interrupt();
                            interrupter.clear();
                        }
                    });
                }
                drop(endless);
            });
        }
    });
}

#[test]
fn without_checks_host_functions_and_waits_end_it() {
    in_every_way(|options| {
        let mut options = options.clone();
        options.interrupt_checks = Some(false);
        let endless = Endless::new(&options);
        let interrupter = endless.instance.interrupter().unwrap();
        for name in ["wait", "host"] {
            let code = endless.interrupt(&interrupter, name, &[]);
            assert_eq!(code, TrapCode::Interrupted, "{name}");
            interrupter.clear();
            assert_eq!(call_i32(&endless.instance, "number", &[]), 42);
        }
    });
}

#[test]
fn code_without_threads_can_be_stopped_too() {
    in_every_way(|options| {
        let mut options = options.clone();
        options.interrupt_checks = Some(true);
        let program = Program::of(r#"(func (export "loop") (loop (br 0)))"#, &options);
        let instance = program.instance();
        let interrupter = instance.interrupter().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| interrupter.interrupt());
            // On a region of its own, too.
            let mut environment = instance.execution_environment(Stack::Bytes(0)).unwrap();
            let endless = instance.func::<(), ()>("loop").unwrap();
            match endless.call(&mut environment, ()) {
                Err(CallError::Trap(trap)) => assert_eq!(trap.code(), TrapCode::Interrupted),
                other => panic!("{other:?}"),
            }
        });
    });
}
