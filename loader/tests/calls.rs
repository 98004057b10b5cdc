//! Calls into code and out of it, with code written by hand: values, traps, errors and panics of
//! host functions, calls from host functions back into code.

#![cfg(all(
    unix,
    not(target_vendor = "apple"),
    any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "s390x",
        target_arch = "x86_64"
    )
))]

#[path = "support/code/mod.rs"]
mod code;
mod support;

use precast_loader::{
    CallError, Caller, Category, ExportError, Extern, HostError, Imports, Instance, Stack,
    TrapCode, Value,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use support::{instantiate, runtime};

/// An instance whose import does what the second argument says.
fn instance() -> Instance {
    let mut imports = Imports::new(&runtime());
    imports
        .func(
            "env",
            "f",
            |caller: &mut Caller<'_>, a: i32, b: i32| -> Result<i32, HostError> {
                match b {
                    0 => Ok(a + 1),
                    1 => Err(HostError::Exit(a)),
                    2 => Err(HostError::Message("it did not work")),
                    3 => Err(HostError::Trap(TrapCode::Interrupted)),
                    4 => panic!("the host has a bug"),
                    5 => Err(std::io::Error::other("from the system"))?,
                    6 => {
                        let add = caller.instance().func::<(i32, i32), i32>("add")?;
                        Ok(add.call(caller, (a, 100))?)
                    }
                    7 => {
                        let fault = caller.instance().func::<(), ()>("fault")?;
                        fault.call(caller, ())?;
                        Ok(0)
                    }
                    8 => {
                        let fault = caller.instance().func::<(), ()>("fault")?;
                        Ok(i32::from(matches!(
                            fault.call(caller, ()),
                            Err(CallError::Trap(_))
                        )))
                    }
                    // Down and down: host, code, host, code, ...
                    _ => {
                        let host = caller.instance().func::<(i32, i32), i32>("host")?;
                        let below = if a == 0 { 0 } else { b };
                        Ok(host.call(caller, (a - 1, below))? + 1)
                    }
                }
            },
        )
        .expect("there is memory");
    instantiate(&imports, &code::module()).expect("the import is there")
}

/// Calls `host` with the arguments of the import.
fn host(instance: &Instance, a: i32, b: i32) -> Result<i32, CallError> {
    let mut environment = instance
        .execution_environment(Stack::Caller)
        .expect("it needs no memory");
    let host = instance.func::<(i32, i32), i32>("host").expect("exported");
    host.call(&mut environment, (a, b))
}

/// Calls a function without parameters, which has to trap.
fn trap(instance: &Instance, name: &str) -> precast_loader::Trap {
    let mut environment = instance
        .execution_environment(Stack::Caller)
        .expect("it needs no memory");
    let function = instance.func::<(), ()>(name).expect("exported");
    match function.call(&mut environment, ()) {
        Err(CallError::Trap(trap)) => trap,
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_go_in_and_come_out() {
    let instance = instance();
    let mut environment = instance
        .execution_environment(Stack::Caller)
        .expect("it needs no memory");
    let add = instance.func::<(u32, i32), u32>("add").expect("exported");
    assert_eq!(add.call(&mut environment, (40, 2)).expect("it adds"), 42);
    assert_eq!(
        add.call(&mut environment, (u32::MAX, 2)).expect("it adds"),
        1
    );

    let add = instance.untyped_func("add").expect("exported");
    let mut results = [Value::I32(0)];
    let params = [Value::from(-7), Value::from(5)];
    add.call(&mut environment, &params, &mut results)
        .expect("it adds");
    assert_eq!(results[0].i32(), Some(-2));
}

#[test]
fn types_are_checked_before_anything_runs() {
    let instance = instance();
    let mut environment = instance
        .execution_environment(Stack::Caller)
        .expect("it needs no memory");
    let error = instance
        .func::<(i32,), i32>("add")
        .expect_err("it takes two");
    assert!(matches!(error, ExportError::Mismatch { .. }));
    assert_eq!(
        instance.func::<(), ()>("none").map(drop),
        Err(ExportError::Missing)
    );
    let add = instance.untyped_func("add").expect("exported");
    let mut results = [Value::I32(0)];
    for params in [&[][..], &[Value::I32(1)], &[Value::I32(1), Value::I64(2)]] {
        let error = add.call(&mut environment, params, &mut results);
        assert!(
            matches!(error, Err(CallError::Mismatch { .. })),
            "{params:?}"
        );
    }
    let params = [Value::I32(1), Value::I32(2)];
    let error = add.call(&mut environment, &params, &mut []);
    assert!(matches!(error, Err(CallError::Mismatch { .. })));
}

#[test]
fn a_fault_is_a_trap_with_its_place() {
    let instance = instance();
    for _ in 0..3 {
        let trap = trap(&instance, "fault");
        assert_eq!(trap.code(), TrapCode::Unreachable);
        let [frame] = trap.backtrace().frames() else {
            panic!("{trap}")
        };
        assert_eq!(frame.function_name(), Some("fault"));
        assert_eq!(frame.function_index(), 2);
        assert_eq!(frame.wasm_offset(), Some(2007));
        assert_eq!(frame.module().name(), Some("tested"));
        assert_eq!(
            trap.to_string(),
            "wasm trap: unreachable\n  0: tested!fault at 0x7d7"
        );
    }
    assert_eq!(host(&instance, 1, 0).expect("the instance still works"), 2);
}

#[test]
fn a_raised_trap_has_its_place_too() {
    let trap = trap(&instance(), "raise");
    assert_eq!(trap.code(), TrapCode::IntegerDivideByZero);
    let [frame] = trap.backtrace().frames() else {
        panic!("{trap}")
    };
    assert_eq!(frame.function_name(), Some("raise"));
    assert_eq!(frame.wasm_offset(), Some(3007));
}

#[test]
fn the_stack_has_an_end() {
    let instance = instance();
    let deep = instance.func::<(), ()>("deep").expect("exported");
    for (stack, is_short) in [
        (Stack::Caller, false),
        (Stack::CallerBytes(40_000), true),
        (Stack::CallerBytes(usize::MAX), false),
    ] {
        let mut environment = instance
            .execution_environment(stack)
            .expect("it needs no memory");
        let Err(CallError::Trap(trap)) = deep.call(&mut environment, ()) else {
            panic!()
        };
        assert_eq!(trap.code(), TrapCode::StackOverflow);
        let frames = trap.backtrace().frames();
        assert!(frames.len() > 10 && frames.iter().all(|it| it.function_name() == Some("deep")));
        assert_eq!(trap.backtrace().is_truncated(), !is_short);
    }
}

#[test]
fn host_functions_return_and_fail() {
    let instance = instance();
    assert_eq!(host(&instance, 4, 0).expect("it returns"), 5);
    assert!(matches!(host(&instance, 17, 1), Err(CallError::Exit(17))));
    let error = host(&instance, 0, 2).expect_err("it fails");
    assert_eq!(error.to_string(), "it did not work");
    let error = host(&instance, 0, 5).expect_err("it fails");
    let CallError::Host(HostError::Other(error)) = error else {
        panic!("{error}")
    };
    assert!(error.downcast_ref::<std::io::Error>().is_some());
    assert_eq!(host(&instance, 4, 0).expect("the instance still works"), 5);
}

#[test]
fn a_host_function_can_trap() {
    let Err(CallError::Trap(trap)) = host(&instance(), 0, 3) else {
        panic!()
    };
    assert_eq!(trap.code(), TrapCode::Interrupted);
    let [frame] = trap.backtrace().frames() else {
        panic!("{trap}")
    };
    assert_eq!(
        (frame.function_name(), frame.wasm_offset()),
        (Some("host"), Some(4007))
    );
}

#[test]
fn a_panic_passes_through_code() {
    let instance = instance();
    let panic = catch_unwind(AssertUnwindSafe(|| host(&instance, 0, 4)));
    let panic = panic.expect_err("the panic arrives");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the host has a bug"));
    assert_eq!(host(&instance, 4, 0).expect("the instance still works"), 5);
}

#[test]
fn host_functions_call_back() {
    let instance = instance();
    assert_eq!(host(&instance, 11, 6).expect("it adds"), 111);
    // 9 and 0 mean: eight more levels, then add one.
    assert_eq!(host(&instance, 8, 9).expect("all levels return"), 9);
}

#[test]
fn a_trap_below_a_host_function_names_both_sides() {
    let instance = instance();
    let Err(CallError::Trap(trap)) = host(&instance, 0, 7) else {
        panic!()
    };
    assert_eq!(trap.code(), TrapCode::Unreachable);
    let names: Vec<_> = trap
        .backtrace()
        .frames()
        .iter()
        .map(|it| it.function_name().expect("named"))
        .collect();
    assert_eq!(names, ["fault", "host"]);
    assert_eq!(host(&instance, 0, 8).expect("the host may carry on"), 1);
}

#[test]
fn endless_calls_between_host_and_code_end() {
    let Err(CallError::Trap(trap)) = host(&instance(), i32::MAX, 9) else {
        panic!()
    };
    assert_eq!(trap.code(), TrapCode::StackOverflow);
}

#[test]
fn a_slice_of_memory_does_not_survive_its_host_function() {
    let runtime = runtime();
    let memory = precast_loader::Memory::new(&runtime, support::memory_type(1, None));
    let memory: &'static _ = Box::leak(Box::new(memory.expect("there is memory")));
    let mut artifact = code::module();
    artifact.imports.push(support::import(
        "memory",
        precast_format::types::ImportType::Memory(support::memory_type(1, None)),
    ));
    // The import of a memory moves the place of the import `f`; this test does not call it.
    let mut imports = Imports::new(&runtime);
    imports
        .memory("env", "memory", memory)
        .expect("there is memory");
    imports
        .func("env", "f", |_: &mut Caller<'_>, _: i32, _: i32| 0i32)
        .expect("there is memory");
    let instance = instantiate(&imports, &artifact).expect("the imports are there");
    let slice = memory.borrow_mut().expect("idle");
    let add = instance.func::<(i32, i32), i32>("add").expect("exported");
    let mut environment = instance
        .execution_environment(Stack::Caller)
        .expect("it needs no memory");
    let result = add.call(&mut environment, (1, 2));
    assert!(matches!(result, Err(CallError::Busy(_))), "{result:?}");
    drop(slice);
    assert_eq!(add.call(&mut environment, (1, 2)).expect("idle again"), 3);
}

#[test]
fn many_threads_have_their_own_instances() {
    let calls = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let instance = instance();
                for _ in 0..200 {
                    assert_eq!(trap(&instance, "fault").code(), TrapCode::Unreachable);
                    assert_eq!(host(&instance, 1, 0).expect("it returns"), 2);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(calls.into_inner(), 800);
}

#[test]
fn one_instance_is_entered_by_one_thread_at_a_time() {
    let instance = instance();
    let (done, busy) = (AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    match host(&instance, 1, 0) {
                        Ok(2) => done.fetch_add(1, Ordering::Relaxed),
                        Err(CallError::Busy(_)) => busy.fetch_add(1, Ordering::Relaxed),
                        other => panic!("{other:?}"),
                    };
                }
            });
        }
    });
    assert_eq!(
        done.load(Ordering::Relaxed) + busy.load(Ordering::Relaxed),
        2000
    );
    assert!(done.load(Ordering::Relaxed) >= 500);
}

#[test]
fn a_function_of_one_group_joins_another() {
    let runtime = runtime();
    let mut imports = Imports::new(&runtime);
    let add = |_: &mut Caller<'_>, a: i32, b: i32| a * b;
    imports.func("env", "f", add).expect("there is memory");
    let table =
        precast_loader::Table::new(&runtime, support::table_type(2, None), Value::FuncRef(None));
    let table = table.expect("there is memory");
    let instance = instantiate(&imports, &code::module()).expect("the import is there");
    for (index, name) in [(0, "add"), (1, "host")] {
        let func = instance.untyped_func(name).expect("exported");
        table
            .set(index, &Value::FuncRef(Some(func)))
            .expect("in bounds");
    }
    // The table keeps the instance.
    drop(instance);
    let mut environment = precast_loader::ExecutionEnvironment::new(&runtime, Stack::Caller)
        .expect("it needs no memory");
    for (index, product) in [(0, 11), (1, 24)] {
        let Ok(Some(Value::FuncRef(Some(func)))) = table.get(index) else {
            panic!()
        };
        let func = func.typed::<(i32, i32), i32>().expect("its type");
        assert_eq!(
            func.call(&mut environment, (3, 8)).expect("it runs"),
            product
        );
    }
}

#[test]
fn an_instance_hands_on_what_it_imports() {
    let runtime = runtime();
    let mut imports = Imports::new(&runtime);
    imports
        .func("env", "f", |_: &mut Caller<'_>, a: i32, b: i32| a - b)
        .expect("there is memory");
    let mut artifact = code::module();
    artifact.exports.push(support::export(
        "again",
        precast_loader::ExternKind::Function,
        0,
    ));
    let first = instantiate(&imports, &artifact).expect("the import is there");
    // A host function that an instance exports is that instance's adapter to it.
    let again = first.func::<(i32, i32), i32>("again").expect("exported");
    let mut environment = first
        .execution_environment(Stack::Caller)
        .expect("it needs no memory");
    assert_eq!(again.call(&mut environment, (9, 4)).expect("it runs"), 5);
    let mut imports = Imports::new(&runtime);
    imports
        .define("env", "f", Extern::Func(again.func().clone()))
        .expect("there is memory");
    let second = instantiate(&imports, &artifact).expect("the import is there");
    drop((first, again, imports));
    // The record has the adapter of the first instance, whose context it is not; only code that
    // the compiler made can call it there. From the host it is called directly.
    let again = second.func::<(i32, i32), i32>("again").expect("exported");
    assert_eq!(again.call(&mut environment, (9, 3)).expect("it runs"), 6);
}

#[test]
fn threads_load_instantiate_and_call_in_one_runtime() {
    let runtime = runtime();
    let artifact = code::module();
    let bytes = artifact.write().expect("the artifact is well formed");
    let shared = support::load_bytes(&runtime, &bytes).expect("the device accepts it");
    let mut imports = Imports::new(&runtime);
    imports
        .func("env", "f", |_: &mut Caller<'_>, a: i32, b: i32| {
            a.wrapping_add(b)
        })
        .expect("there is memory");
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (runtime, bytes, shared, imports) = (&runtime, &bytes, &shared, &imports);
            scope.spawn(move || {
                for round in 0..50 {
                    let own = support::load_bytes(runtime, bytes).expect("still accepted");
                    for module in [shared, &own] {
                        let instance = module
                            .instantiate(imports, precast_loader::InstanceOptions::default())
                            .expect("the import is there");
                        assert_eq!(host(&instance, seed, round).expect("it runs"), seed + round);
                        assert_eq!(trap(&instance, "fault").code(), TrapCode::Unreachable);
                        assert_eq!(trap(&instance, "deep").code(), TrapCode::StackOverflow);
                    }
                }
            });
        }
    });
    drop((shared, imports));
    for category in [Category::Code, Category::Instance, Category::Context] {
        assert_eq!(runtime.usage(category).current, 0, "{category} is left");
    }
}

/// Handles go from thread to thread, errors too.
#[test]
fn handles_are_send_and_sync() {
    fn check<T: Send + Sync + 'static>() {}
    check::<precast_loader::Runtime>();
    check::<precast_loader::Module>();
    check::<Imports>();
    check::<Instance>();
    check::<Extern>();
    check::<precast_loader::TypedFunc<(i32,), i32>>();
    check::<precast_loader::ExecutionEnvironment<'_>>();
    check::<CallError>();
    check::<HostError>();
    check::<precast_loader::InstantiateError>();
    check::<precast_loader::LoadError>();
}
