//! The stack in linear memory, of the first thread and of others: bounds are each instance's own.

use precast_loader::{Instance, InstanceOptions, TrapCode, Value};

use crate::support::{Program, call, call_i32, in_every_way, on_threads, trap};

/// As a linker leaves it: data from 1024 to 1040, a stack above, the heap from 32768 on.
const FUNCTIONS: &str = r#"
    (global $__stack_pointer (mut i32) (i32.const 32768))
    (global (export "__data_end") i32 (i32.const 1040))
    (global (export "__heap_base") i32 (i32.const 32768))
    (data $data "data")
    (func (export "set") (param i32) (global.set $__stack_pointer (local.get 0)))
    (func (export "get") (result i32) (global.get $__stack_pointer))
    (func (export "wasi_thread_start") (param i32 i32)
        (global.set $__stack_pointer (i32.load (local.get 1))))"#;

fn set(instance: &Instance, value: i32) -> Result<Option<Value>, precast_loader::CallError> {
    call(instance, "set", &[Value::I32(value)])
}

#[test]
fn the_first_thread_has_the_stack_of_the_module() {
    in_every_way(|options| {
        let program = Program::new(FUNCTIONS, options);
        let instance = program.instance();
        for inside in [1040, 2000, 32768] {
            set(&instance, inside).unwrap();
        }
        for (outside, code) in [
            (1039, TrapCode::AuxStackOverflow),
            (-16, TrapCode::AuxStackOverflow),
            (32769, TrapCode::AuxStackUnderflow),
            (65536, TrapCode::AuxStackUnderflow),
        ] {
            assert_eq!(trap(set(&instance, outside)), code, "{outside}");
            assert_eq!(call_i32(&instance, "get", &[]), 32768);
        }
    });
}

#[test]
fn another_thread_has_a_stack_where_its_pointer_first_is() {
    in_every_way(|options| {
        let program = Program::new(FUNCTIONS, options);
        on_threads(|number| {
            let base = 40_000 + 4096 * number as i32;
            let place = 1024 + 4 * number as u64;
            program.write_u32(place, base as u32);
            let options = InstanceOptions::default().thread_aux_stack(1024);
            let instance = program.module.instantiate(&program.imports(), options);
            let instance = instance.unwrap();
            assert_eq!(instance.aux_stack().unwrap(), None);
            let arguments = [Value::I32(number as i32), Value::I32(place as i32)];
            call(&instance, "wasi_thread_start", &arguments).unwrap();
            assert_eq!(call_i32(&instance, "get", &[]), base);
            for inside in [base - 16, base - 1024, base] {
                set(&instance, inside).unwrap();
            }
            let below = trap(set(&instance, base - 1025));
            assert_eq!(below, TrapCode::AuxStackOverflow);
            let above = trap(set(&instance, base + 1));
            assert_eq!(above, TrapCode::AuxStackUnderflow);
            let usage = instance.aux_stack().unwrap().unwrap();
            assert_eq!((usage.base, usage.size), (base as u64, 1024));
        });
    });
}

#[test]
fn a_stack_of_the_default_size_ends_at_zero_at_last() {
    in_every_way(|options| {
        let program = Program::new(FUNCTIONS, options);
        let options = InstanceOptions::default().thread_aux_stack(0);
        let instance = program.module.instantiate(&program.imports(), options);
        let instance = instance.unwrap();
        set(&instance, 50_000).unwrap();
        set(&instance, 0).unwrap();
        assert_eq!(trap(set(&instance, -16)), TrapCode::AuxStackOverflow);
        // 128 KiB below where another begins.
        let instance = program.module.instantiate(&program.imports(), options);
        let instance = instance.unwrap();
        set(&instance, 500_000).unwrap();
        set(&instance, 500_000 - (128 << 10)).unwrap();
        let below = set(&instance, 500_000 - (128 << 10) - 1);
        assert_eq!(trap(below), TrapCode::AuxStackOverflow);
    });
}
