//! Waiting at addresses and waking others.

use std::thread;

use precast_loader::{InstanceOptions, Runtime, Stack, TrapCode, Value};

use crate::support::{Program, THREADS, call, call_i32, in_every_way, load, on_threads, trap};

/// Both waits and notification, as functions.
const WAIT: &str = r#"
    (func (export "wait32") (param i32 i32 i64) (result i32)
        (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "wait64") (param i32 i64 i64) (result i32)
        (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
    (func (export "notify") (param i32 i32) (result i32)
        (memory.atomic.notify (local.get 0) (local.get 1)))"#;

/// What waits give.
const WOKEN: i32 = 0;
const NOT_EQUAL: i32 = 1;
const TIMED_OUT: i32 = 2;

fn wait32(address: i32, expected: i32, timeout: i64) -> [Value; 3] {
    [
        Value::I32(address),
        Value::I32(expected),
        Value::I64(timeout),
    ]
}

fn wait64(address: i32, expected: i64, timeout: i64) -> [Value; 3] {
    [
        Value::I32(address),
        Value::I64(expected),
        Value::I64(timeout),
    ]
}

#[test]
fn a_mutex_lets_one_thread_in_at_a_time() {
    // 0 is free, 1 taken, 2 taken and waited for.
    const FUNCTIONS: &str = r#"
        (func $lock (local $state i32)
            (local.set $state
                (i32.atomic.rmw.cmpxchg (i32.const 0) (i32.const 0) (i32.const 1)))
            (block
                (br_if 0 (i32.eqz (local.get $state)))
                (if (i32.ne (local.get $state) (i32.const 2))
                    (then (local.set $state
                        (i32.atomic.rmw.xchg (i32.const 0) (i32.const 2)))))
                (loop
                    (br_if 1 (i32.eqz (local.get $state)))
                    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 2) (i64.const -1)))
                    (local.set $state (i32.atomic.rmw.xchg (i32.const 0) (i32.const 2)))
                    (br 0))))
        (func $unlock
            (if (i32.ne (i32.atomic.rmw.xchg (i32.const 0) (i32.const 0)) (i32.const 1))
                (then (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))))
        (func (export "run") (param $times i32)
            (loop
                (call $lock)
                (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
                (call $unlock)
                (br_if 0 (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))"#;
    const TIMES: u32 = 2000;
    in_every_way(|options| {
        let program = Program::new(FUNCTIONS, options);
        on_threads(|_| {
            let instance = program.instance();
            call(&instance, "run", &[Value::I32(TIMES as i32)]).unwrap();
        });
        assert_eq!(program.read_u32(64), TIMES * THREADS as u32);
        assert_eq!(program.read_u32(0), 0);
    });
}

#[test]
fn waits_end_at_their_timeout_or_do_not_begin() {
    in_every_way(|options| {
        let program = Program::new(WAIT, options);
        program.write_u32(8, 7);
        let instance = program.instance();
        for timeout in [0, 1, 1_000_000] {
            let result = call_i32(&instance, "wait32", &wait32(8, 7, timeout));
            assert_eq!(result, TIMED_OUT);
            let result = call_i32(&instance, "wait64", &wait64(8, 7, timeout));
            assert_eq!(result, TIMED_OUT);
        }
        for timeout in [-1, 0, i64::MIN, i64::MAX] {
            let result = call_i32(&instance, "wait32", &wait32(8, 8, timeout));
            assert_eq!(result, NOT_EQUAL);
            let result = call_i32(&instance, "wait64", &wait64(8, 7 << 32, timeout));
            assert_eq!(result, NOT_EQUAL);
        }
        // Nobody is left in the list.
        let all = [Value::I32(8), Value::I32(-1)];
        assert_eq!(call_i32(&instance, "notify", &all), 0);
    });
}

#[test]
fn a_wait_without_timeout_ends_by_notification() {
    in_every_way(|options| {
        let program = Program::new(WAIT, options);
        // A negative timeout is none, and so is one of centuries.
        for (name, timeout) in [("wait32", -1), ("wait64", i64::MIN), ("wait32", i64::MAX)] {
            thread::scope(|scope| {
                let waiting = scope.spawn(|| {
                    let instance = program.instance();
                    let arguments = match name {
                        "wait32" => wait32(16, 0, timeout),
                        _ => wait64(16, 0, timeout),
                    };
                    call_i32(&instance, name, &arguments)
                });
                let instance = program.instance();
                let one = [Value::I32(16), Value::I32(1)];
                while call_i32(&instance, "notify", &one) == 0 {
                    thread::yield_now();
                }
                assert_eq!(waiting.join().unwrap(), WOKEN);
            });
        }
    });
}

#[test]
fn notification_counts_whom_it_wakes() {
    in_every_way(|options| {
        let program = Program::new(WAIT, options);
        for limit in [1, 2, -1] {
            thread::scope(|scope| {
                let mut waiting = Vec::new();
                for _ in 0..THREADS {
                    waiting.push(scope.spawn(|| {
                        let instance = program.instance();
                        call_i32(&instance, "wait32", &wait32(32, 0, -1))
                    }));
                }
                let instance = program.instance();
                let notify = |address, count| {
                    let arguments = [Value::I32(address), Value::I32(count)];
                    call_i32(&instance, "notify", &arguments)
                };
                let mut woken = 0;
                while woken < THREADS as i32 {
                    // Others are not woken, and none of nobody.
                    assert_eq!(notify(36, -1), 0);
                    assert_eq!(notify(32, 0), 0);
                    let count = notify(32, limit);
                    assert!(count >= 0 && (limit < 0 || count <= limit));
                    woken += count;
                    thread::yield_now();
                }
                assert_eq!(woken, THREADS as i32);
                for thread in waiting {
                    assert_eq!(thread.join().unwrap(), WOKEN);
                }
                assert_eq!(notify(32, -1), 0);
            });
        }
    });
}

#[test]
fn addresses_of_waits_are_checked() {
    in_every_way(|options| {
        let program = Program::new(WAIT, options);
        let instance = program.instance();
        for (address, code) in [
            (1, TrapCode::UnalignedAtomic),
            (2, TrapCode::UnalignedAtomic),
            (65536, TrapCode::MemoryOutOfBounds),
            (-8, TrapCode::MemoryOutOfBounds),
        ] {
            let result = call(&instance, "wait32", &wait32(address, 0, 0));
            assert_eq!(trap(result), code);
            let result = call(&instance, "wait64", &wait64(address, 0, 0));
            assert_eq!(trap(result), code);
            let all = [Value::I32(address), Value::I32(1)];
            assert_eq!(trap(call(&instance, "notify", &all)), code);
        }
        let result = call(&instance, "wait64", &wait64(4, 0, 0));
        assert_eq!(trap(result), TrapCode::UnalignedAtomic);
        assert_eq!(
            call_i32(&instance, "wait32", &wait32(65532, 0, 0)),
            TIMED_OUT
        );
    });
}

#[test]
fn code_on_a_stack_of_its_own_waits() {
    in_every_way(|options| {
        let program = Program::new(WAIT, options);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let instance = program.instance();
                let wait = instance.func::<(i32, i32, i64), i32>("wait32").unwrap();
                // As small as it can be.
                let depth = program.module.stack_depth("wait32").unwrap();
                let needed = depth.region().unwrap();
                let mut environment = instance
                    .execution_environment(Stack::Bytes(needed))
                    .unwrap();
                wait.call(&mut environment, (64, 0, -1)).unwrap()
            });
            let instance = program.instance();
            let one = [Value::I32(64), Value::I32(1)];
            while call_i32(&instance, "notify", &one) == 0 {
                thread::yield_now();
            }
            assert_eq!(waiting.join().unwrap(), WOKEN);
        });
    });
}

#[test]
fn nobody_waits_at_a_memory_of_its_own() {
    in_every_way(|options| {
        let runtime = Runtime::system().unwrap();
        let module = load(&runtime, &format!("(module (memory 1) {WAIT})"), options);
        let imports = precast_loader::Imports::new(&runtime);
        let instance = module
            .instantiate(&imports, InstanceOptions::default())
            .unwrap();
        let result = call(&instance, "wait32", &wait32(0, 0, 0));
        assert_eq!(trap(result), TrapCode::ExpectedSharedMemory);
        let result = call(&instance, "wait64", &wait64(0, 1, 0));
        assert_eq!(trap(result), TrapCode::ExpectedSharedMemory);
        let all = [Value::I32(0), Value::I32(1)];
        assert_eq!(call_i32(&instance, "notify", &all), 0);
    });
}
