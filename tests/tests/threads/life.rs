//! Instances that come and go on several threads, and what is left when all is gone.

use precast_loader::{Category, InstanceOptions, Runtime, Value};

use crate::support::{Program, THREADS, call, call_i32, in_every_way, load, on_threads};

/// A module that initialises its shared memory once, as linkers for threads do it, and counts.
const ONCE: &str = r#"
    (data $data "data")
    (global $tls (mut i32) (i32.const 0))
    (table 2 funcref)
    (elem (i32.const 0) $count)
    (func $init
        (block $done (block $wait
            (br_if $wait (i32.atomic.rmw.cmpxchg (i32.const 128) (i32.const 0) (i32.const 1)))
            (memory.init $data (i32.const 256) (i32.const 0) (i32.const 4))
            (i32.atomic.store (i32.const 128) (i32.const 2))
            (drop (memory.atomic.notify (i32.const 128) (i32.const -1)))
            (br $done))
            (drop (memory.atomic.wait32 (i32.const 128) (i32.const 1) (i64.const -1))))
        (data.drop $data))
    (start $init)
    (func $count (param i32) (result i32)
        (global.set $tls (local.get 0))
        (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
    (func (export "count") (param i32) (result i32)
        (call_indirect (param i32) (result i32) (local.get 0) (i32.const 0)))
    (func (export "mine") (result i32) (global.get $tls))
    (func (export "word") (result i32) (i32.load (i32.const 256)))"#;

#[test]
fn instances_of_one_module_come_and_go_on_every_thread() {
    const ROUNDS: u32 = 100;
    in_every_way(|options| {
        let program = Program::new(ONCE, options);
        on_threads(|number| {
            for round in 0..ROUNDS {
                let instance = program.instance();
                assert_eq!(
                    call_i32(&instance, "word", &[]),
                    i32::from_le_bytes(*b"data")
                );
                let mine = number as i32 * 1000 + round as i32;
                call(&instance, "count", &[Value::I32(mine)]).unwrap();
                assert_eq!(call_i32(&instance, "mine", &[]), mine);
            }
        });
        assert_eq!(program.read_u32(0), ROUNDS * THREADS as u32);
    });
}

fn everything(runtime: &Runtime) -> usize {
    let all = Category::ALL.iter().filter(|it| **it != Category::Runtime);
    all.map(|category| runtime.usage(*category).current).sum()
}

#[test]
fn nothing_is_left_when_all_is_gone() {
    in_every_way(|options| {
        let program = Program::new(ONCE, options);
        let runtime = program.runtime.clone();
        on_threads(|_| {
            let instance = program.instance();
            let interrupter = instance.interrupter().unwrap();
            call(&instance, "count", &[Value::I32(1)]).unwrap();
            program.memory.grow(1).unwrap();
            drop(instance);
            interrupter.interrupt();
        });
        drop(program);
        assert_eq!(everything(&runtime), 0);
    });
}

#[test]
fn a_module_shares_the_memory_that_it_defines() {
    const TEXT: &str = r#"(module
        (memory (export "memory") 1 4 shared)
        (data (i32.const 16) "\2a")
        (func (export "add") (result i32)
            (i32.atomic.rmw.add (i32.const 16) (i32.const 1)))
        (func (export "grow") (result i32) (memory.grow (i32.const 1)))
        (func (export "size") (result i32) (memory.size)))"#;
    in_every_way(|options| {
        let runtime = Runtime::system().unwrap();
        let module = load(&runtime, TEXT, options);
        let imports = precast_loader::Imports::new(&runtime);
        let owner = module
            .instantiate(&imports, InstanceOptions::default())
            .unwrap();
        let memory = owner.memory("memory").unwrap();
        let program = Program {
            runtime: runtime.clone(),
            module: load(
                &runtime,
                r#"(module (import "env" "memory" (memory 1 64 shared))
                    (func (export "add") (result i32)
                        (i32.atomic.rmw.add (i32.const 16) (i32.const 1)))
                    (func (export "size") (result i32) (memory.size)))"#,
                options,
            ),
            memory,
        };
        assert_eq!(call_i32(&owner, "add", &[]), 42);
        let instances = on_threads(|_| {
            let instance = program.instance();
            call(&instance, "add", &[]).unwrap();
            instance
        });
        assert_eq!(call_i32(&owner, "grow", &[]), 1);
        for instance in &instances {
            assert_eq!(call_i32(instance, "size", &[]), 2);
        }
        drop(owner);
        assert_eq!(call_i32(&instances[0], "add", &[]), 43 + THREADS as i32);
        drop((instances, program, module, imports));
        assert_eq!(everything(&runtime), 0);
    });
}
