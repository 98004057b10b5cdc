//! The checks of the C stack in linear memory, run: which values the pointer may take, which trap
//! another one is, and what the trap says.
#![forbid(unsafe_code)]

use precast_compiler::{Silent, compile};
use precast_format::tunables::TrapMode;
use precast_loader::{
    CallError, Imports, Instance, InstanceOptions, Runtime, Source, Stack, TrapCode,
};
use precast_tests::configuration;

/// A stack below the data, and one between the data and the heap.
const LAYOUTS: [(&str, i32, i32); 2] = [
    (r#"(data (i32.const 65536) "data")"#, 0, 65536),
    (
        r#"(data (i32.const 1024) "data")
           (global (export "__data_end") i32 (i32.const 1040))
           (global (export "__heap_base") i32 (i32.const 65536))"#,
        1040,
        65536,
    ),
];

fn instantiate(data: &str, change: impl FnOnce(&mut precast_compiler::Options)) -> Instance {
    let text = format!(
        r#"(module
            (memory 3)
            (global $__stack_pointer (mut i32) (i32.const 65536))
            {data}
            (func $reserve (export "reserve") (param i32)
                (global.set $__stack_pointer
                    (i32.sub (global.get $__stack_pointer) (local.get 0))))
            (func (export "set") (param i32) (global.set $__stack_pointer (local.get 0)))
            (func (export "get") (result i32) (global.get $__stack_pointer)))"#
    );
    let wasm = wat::parse_str(text).unwrap();
    let mut options = configuration::ALL[1].options();
    change(&mut options);
    let compiled = compile(&wasm, &options, &Silent).unwrap();
    let runtime = Runtime::system().unwrap();
    let source = Source::borrowed(compiled.artifact.leak());
    let module = runtime.load_named_by_user(source).unwrap();
    module
        .instantiate(&Imports::new(&runtime), InstanceOptions::default())
        .unwrap()
}

fn call(instance: &Instance, name: &str, value: i32) -> Result<(), CallError> {
    let mut environment = instance.execution_environment(Stack::Caller);
    let function = instance.func::<(i32,), ()>(name).unwrap();
    function.call(&mut environment, (value,))
}

fn pointer(instance: &Instance) -> i32 {
    let mut environment = instance.execution_environment(Stack::Caller);
    let get = instance.func::<(), i32>("get").unwrap();
    get.call(&mut environment, ()).unwrap()
}

/// Calls a function that has to trap; the trap's code and text.
fn trap(instance: &Instance, name: &str, value: i32) -> (TrapCode, String) {
    let before = pointer(instance);
    match call(instance, name, value) {
        Err(CallError::Trap(trap)) => {
            assert_eq!(pointer(instance), before, "a refused value is not stored");
            (trap.code(), trap.to_string())
        }
        other => panic!("{name} {value}: {other:?}"),
    }
}

#[test]
fn values_outside_of_the_stack_trap() {
    for (data, limit, base) in LAYOUTS {
        for mode in TrapMode::ALL {
            let instance = instantiate(data, |options| options.trap_mode = *mode);
            for inside in [limit, limit + 1, 32768, base - 1, base] {
                call(&instance, "set", inside).unwrap();
                assert_eq!(pointer(&instance), inside);
            }
            for below in [limit - 1, -16, i32::MIN + base] {
                let (code, _) = trap(&instance, "set", below);
                assert_eq!(code, TrapCode::AuxStackOverflow, "{mode:?} {below}");
            }
            for above in [base + 1, base + 65536, i32::MAX] {
                let (code, _) = trap(&instance, "set", above);
                assert_eq!(code, TrapCode::AuxStackUnderflow, "{mode:?} {above}");
            }
        }
    }
}

#[test]
fn every_configuration_traps() {
    for (data, ..) in LAYOUTS {
        for configuration in configuration::ALL {
            let instance = instantiate(data, |options| *options = configuration.options());
            let (code, _) = trap(&instance, "reserve", 65537);
            assert_eq!(code, TrapCode::AuxStackOverflow, "{}", configuration.name);
            let (code, _) = trap(&instance, "reserve", -16);
            assert_eq!(code, TrapCode::AuxStackUnderflow, "{}", configuration.name);
        }
    }
}

#[test]
fn the_trap_names_itself_and_the_function() {
    for mode in TrapMode::ALL {
        let instance = instantiate(LAYOUTS[0].0, |options| options.trap_mode = *mode);
        let (_, text) = trap(&instance, "reserve", 70_000);
        assert!(text.contains("auxiliary stack overflow"), "{text}");
        assert!(text.contains("reserve"), "{text}");
        let (_, text) = trap(&instance, "reserve", -70_000);
        assert!(text.contains("auxiliary stack underflow"), "{text}");
        assert!(text.contains("reserve"), "{text}");
    }
}

#[test]
fn without_checks_every_value_passes() {
    let instance = instantiate(LAYOUTS[0].0, |options| options.aux_stack_checks = false);
    for value in [-16, 0, 70_000] {
        call(&instance, "set", value).unwrap();
        assert_eq!(pointer(&instance), value);
    }
}
