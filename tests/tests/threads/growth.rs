//! Growth of shared memories, from code and from the host, as other threads see it.

use std::collections::BTreeSet;

use precast_loader::{TrapCode, Value};

use crate::support::{Program, THREADS, call, call_i32, in_every_way, on_threads, trap};

const PAGE: u64 = 65536;

#[test]
fn growth_is_seen_by_threads_that_call_nothing() {
    // One thread turns in a loop until the flag is set, then reads the new page.
    const FUNCTIONS: &str = r#"
        (func (export "watch") (param $address i32) (result i32)
            (loop (br_if 0 (i32.eqz (i32.atomic.load (i32.const 0)))))
            (i32.add
                (i32.load (local.get $address))
                (i32.shl (memory.size) (i32.const 16))))
        (func (export "load") (param $address i32) (result i32) (i32.load (local.get $address)))
        (func (export "grow") (param $address i32) (result i32) (local $previous i32)
            (local.set $previous (memory.grow (i32.const 1)))
            (i32.store (local.get $address) (i32.const 77))
            (i32.atomic.store (i32.const 0) (i32.const 1))
            (local.get $previous))"#;
    in_every_way(|options| {
        let program = Program::new(FUNCTIONS, options);
        let address = [Value::I32(PAGE as i32 + 64)];
        let instance = program.instance();
        let before = call(&instance, "load", &address);
        assert_eq!(trap(before), TrapCode::MemoryOutOfBounds);
        let results = on_threads(|number| {
            let instance = program.instance();
            let name = if number == 0 { "grow" } else { "watch" };
            call_i32(&instance, name, &address)
        });
        assert_eq!(results[0], 1);
        for seen in &results[1..] {
            assert_eq!(*seen, 77 + (2 << 16));
        }
        assert_eq!(call_i32(&instance, "load", &address), 77);
    });
}

#[test]
fn host_and_code_grow_at_the_same_time() {
    const FUNCTIONS: &str = r#"
        (func (export "grow") (result i32) (memory.grow (i32.const 1)))
        (func (export "size") (result i32) (memory.size))
        (func (export "fill") (param $page i32) (param $value i32)
            (memory.fill (i32.shl (local.get $page) (i32.const 16)) (local.get $value)
                (i32.const 65536)))"#;
    const EACH: usize = 15;
    in_every_way(|options| {
        let program = Program::new(FUNCTIONS, options);
        let pages = on_threads(|number| {
            let instance = program.instance();
            let mut mine = Vec::new();
            for _ in 0..EACH {
                // Two threads grow by code, two from outside.
                let page = match number % 2 {
                    0 => call_i32(&instance, "grow", &[]) as u64,
                    _ => program.memory.grow(1).unwrap().unwrap(),
                };
                assert!(call_i32(&instance, "size", &[]) as u64 > page);
                assert!(program.memory.size().unwrap() > page);
                let value = number as i32 + 1;
                call(
                    &instance,
                    "fill",
                    &[Value::I32(page as i32), Value::I32(value)],
                )
                .unwrap();
                mine.push((page, value as u8));
            }
            mine
        });
        let pages = pages.concat();
        let numbers: BTreeSet<u64> = pages.iter().map(|(page, _)| *page).collect();
        assert_eq!(numbers, (1..1 + (EACH * THREADS) as u64).collect());
        for (page, value) in pages {
            let mut bytes = vec![0; PAGE as usize];
            program.memory.read(page * PAGE, &mut bytes).unwrap();
            assert!(bytes.iter().all(|byte| *byte == value));
        }
        let instance = program.instance();
        assert_eq!(program.memory.grow(4).unwrap(), None);
        for expected in [61, 62, 63, -1] {
            assert_eq!(call_i32(&instance, "grow", &[]), expected);
        }
    });
}

#[test]
fn bulk_instructions_work_on_shared_memories() {
    const FUNCTIONS: &str = r#"
        (data $bytes "0123456789")
        (memory $own 1)
        (func (export "init") (param i32 i32 i32)
            (memory.init $bytes (local.get 0) (local.get 1) (local.get 2)))
        (func (export "copy") (param i32 i32 i32)
            (memory.copy (local.get 0) (local.get 1) (local.get 2)))
        (func (export "through") (param i32 i32 i32)
            (memory.copy $own 0 (i32.const 5) (local.get 1) (local.get 2))
            (memory.copy 0 $own (local.get 0) (i32.const 5) (local.get 2)))"#;
    let numbers = |values: [i32; 3]| values.map(Value::I32);
    in_every_way(move |options| {
        let program = Program::new(FUNCTIONS, options);
        let instance = program.instance();
        let bytes = |offset| {
            let mut bytes = [0; 14];
            program.memory.read(offset, &mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).replace('\0', ".")
        };
        call(&instance, "init", &numbers([11, 0, 10])).unwrap();
        assert_eq!(bytes(10), ".0123456789...");
        call(&instance, "copy", &numbers([13, 11, 10])).unwrap();
        assert_eq!(bytes(10), ".010123456789.");
        call(&instance, "copy", &numbers([10, 13, 9])).unwrap();
        assert_eq!(bytes(10), "0123456786789.");
        call(&instance, "through", &numbers([101, 11, 10])).unwrap();
        assert_eq!(bytes(100), ".1234567867...");
        for (name, arguments) in [
            ("init", [65530, 0, 7]),
            ("init", [0, 4, 7]),
            ("copy", [65530, 0, 7]),
            ("copy", [0, 65530, 7]),
            ("through", [65530, 0, 7]),
            ("through", [0, 65530, 7]),
        ] {
            let result = call(&instance, name, &numbers(arguments));
            assert_eq!(trap(result), TrapCode::MemoryOutOfBounds, "{name}");
        }
    });
}
