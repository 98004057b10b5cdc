//! The checks of the C stack in linear memory, run: which values the pointer may take, which trap
//! another one is, and what the trap says. And the high-water mark, which is measured on request.
#![forbid(unsafe_code)]

use precast_compiler::{Silent, compile};
use precast_format::tunables::TrapMode;
use precast_loader::{
    AuxStackError, CallError, Caller, Imports, Instance, InstanceOptions, Runtime, Source, Stack,
    TrapCode,
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
    let mut environment = instance.execution_environment(Stack::Caller).unwrap();
    let function = instance.func::<(i32,), ()>(name).unwrap();
    function.call(&mut environment, (value,))
}

fn pointer(instance: &Instance) -> i32 {
    let mut environment = instance.execution_environment(Stack::Caller).unwrap();
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

/// A program whose function takes a frame, writes its lowest bytes, calls the host and returns.
fn measured(pointer: &str, base: u32, limit: u32) -> Instance {
    let text = format!(
        r#"(module
            (import "env" "during" (func $during))
            (memory (export "memory") {memory} 3)
            (global $__stack_pointer (mut {pointer}) ({pointer}.const {base}))
            (global (export "__data_end") {pointer} ({pointer}.const {limit}))
            (global (export "__heap_base") {pointer} ({pointer}.const {base}))
            (func (export "set") (param {pointer}) (global.set $__stack_pointer (local.get 0)))
            (func (export "use") (param {pointer})
                (global.set $__stack_pointer
                    ({pointer}.sub (global.get $__stack_pointer) (local.get 0)))
                (i32.store (global.get $__stack_pointer) (i32.const 0))
                (call $during)
                (global.set $__stack_pointer
                    ({pointer}.add (global.get $__stack_pointer) (local.get 0)))))"#,
        memory = if pointer == "i64" { "i64" } else { "" },
    );
    let wasm = wat::parse_str(text).unwrap();
    let compiled = compile(&wasm, &configuration::ALL[3].options(), &Silent).unwrap();
    let runtime = Runtime::system().unwrap();
    let source = Source::borrowed(compiled.artifact.leak());
    let module = runtime.load_named_by_user(source).unwrap();
    let mut imports = Imports::new(&runtime);
    let during = |caller: &mut Caller<'_>| {
        let instance = caller.instance();
        // Looking is allowed, painting over the frames is not.
        assert!(instance.aux_stack().unwrap().unwrap().current > 0);
        assert_eq!(instance.measure_aux_stack(), Err(AuxStackError::InCall));
    };
    imports.func("env", "during", during).unwrap();
    module
        .instantiate(&imports, InstanceOptions::default())
        .unwrap()
}

#[test]
fn the_high_water_mark_is_measured_on_request() {
    let (base, limit) = (65536, 1040);
    for pointer in ["i32", "i64"] {
        let instance = measured(pointer, base, limit);
        let mut environment = instance.execution_environment(Stack::Caller).unwrap();
        let mut call = |name, value: u32| match pointer {
            "i32" => instance
                .func::<(u32,), ()>(name)
                .unwrap()
                .call(&mut environment, (value,))
                .unwrap(),
            _ => instance
                .func::<(u64,), ()>(name)
                .unwrap()
                .call(&mut environment, (value.into(),))
                .unwrap(),
        };
        let usage = || instance.aux_stack().unwrap().unwrap();
        let mark = || usage().high_water;
        assert_eq!(
            (usage().base, usage().limit),
            (u64::from(base), u64::from(limit))
        );
        assert_eq!(usage().size, u64::from(base - limit));
        assert_eq!((usage().current, mark()), (0, None));
        call("use", 30_000);
        assert_eq!(mark(), None);
        instance.measure_aux_stack().unwrap();
        assert_eq!(mark(), Some(0));
        call("use", 1000);
        assert_eq!((usage().current, mark()), (0, Some(1008)));
        call("use", 16);
        assert_eq!(mark(), Some(1008));
        call("use", base - limit);
        assert_eq!(mark(), Some(u64::from(base - limit)));
        // Again from the beginning, and from a frame that stays.
        instance.measure_aux_stack().unwrap();
        assert_eq!(mark(), Some(0));
        call("set", base - 512);
        assert_eq!((usage().current, mark()), (512, Some(512)));
        instance.measure_aux_stack().unwrap();
        call("set", base);
        assert_eq!((usage().current, mark()), (0, Some(512)));
        call("set", limit);
        instance.measure_aux_stack().unwrap();
        assert_eq!(mark(), Some(usage().size));
        // Neither the data below nor the heap above was touched.
        let memory = instance.memory("memory").unwrap();
        let bytes = memory.borrow_mut().unwrap();
        assert!(bytes[..limit as usize].iter().all(|byte| *byte == 0));
        assert!(bytes[base as usize..].iter().all(|byte| *byte == 0));
        drop(bytes);
        let borrowed = memory.borrow_mut().unwrap();
        assert!(matches!(
            instance.measure_aux_stack(),
            Err(AuxStackError::Busy(_))
        ));
        drop(borrowed);
    }
}

#[test]
fn a_stack_that_is_not_known_is_not_measured() {
    let wasm = wat::parse_str("(module (memory 1) (global (mut i32) (i32.const 5)))").unwrap();
    let compiled = compile(&wasm, &configuration::ALL[3].options(), &Silent).unwrap();
    let runtime = Runtime::system().unwrap();
    let source = Source::borrowed(compiled.artifact.leak());
    let module = runtime.load_named_by_user(source).unwrap();
    let instance = module
        .instantiate(&Imports::new(&runtime), InstanceOptions::default())
        .unwrap();
    assert_eq!(instance.aux_stack(), Ok(None));
    assert_eq!(instance.measure_aux_stack(), Err(AuxStackError::Unknown));
    // A pointer that has left the stack is not one to paint below.
    let instance = instantiate(LAYOUTS[1].0, |options| options.aux_stack_checks = false);
    call(&instance, "set", 100).unwrap();
    assert_eq!(instance.measure_aux_stack(), Err(AuxStackError::Switched));
    call(&instance, "set", 70_000).unwrap();
    assert_eq!(instance.measure_aux_stack(), Err(AuxStackError::Switched));
    assert_eq!(instance.aux_stack().unwrap().unwrap().current, 0);
}
