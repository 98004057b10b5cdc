//! A million exceptions in one call: whoever throws them, however they are caught, only so many are
//! there at a time.

use precast_loader::{Caller, Exception, HostError, Tag, Value, ValueType};

use super::World;

const COUNT: i32 = 1_000_000;

/// Bytes that may be taken at a time: the exceptions between two sweeps.
const BOUND: usize = 16 << 10;

const MODULE: &str = r#"(module
  (tag $number (param i32 i64))
  (func $deep (param i32 i32)
    (if (local.get 0)
      (then (call $deep (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))
      (else (throw $number (local.get 1) (i64.const 1)))))

  (func $plain (param i32) (result i32)
    (block $h (result i32 i64)
      (try_table (catch $number $h) (call $deep (i32.const 10) (local.get 0)))
      unreachable)
    drop)
  (func (export "plain") (param i32) (result i64)
    (local $sum i64)
    (loop $more
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (call $plain (local.get 0)))))
      (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))

  (func $dropped (param i32) (result i32)
    (block $h (result i32 i64 exnref)
      (try_table (catch_ref $number $h) (call $deep (i32.const 2) (local.get 0)))
      unreachable)
    drop drop)
  (func (export "dropped") (param i32) (result i64)
    (local $sum i64)
    (loop $more
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (call $dropped (local.get 0)))))
      (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))

  ;; As the landing pads of C++ go: each frame cleans up and throws again.
  (global $cleaned (mut i64) (i64.const 0))
  (func $pad (param i32 i32)
    (block $done
      (throw_ref
        (block $h (result exnref)
          (try_table (catch_all_ref $h)
            (if (local.get 0)
              (then (call $pad (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))
              (else (throw $number (local.get 1) (i64.const 1)))))
          (br $done)))
      (unreachable))
    (unreachable))
  (func $cleanup (param i32 i32)
    (local $e exnref)
    (block $h (result exnref)
      (try_table (catch_all_ref $h)
        (if (local.get 0)
          (then (call $cleanup (i32.sub (local.get 0) (i32.const 1)) (local.get 1)))
          (else (throw $number (local.get 1) (i64.const 1)))))
      unreachable)
    (local.set $e)
    (global.set $cleaned (i64.add (global.get $cleaned) (i64.const 1)))
    (throw_ref (local.get $e)))
  (func $chain (param i32) (result i32)
    (block $h (result i32 i64)
      (try_table (catch $number $h) (call $cleanup (i32.const 9) (local.get 0)))
      unreachable)
    drop)
  (func (export "chain") (param i32) (result i64)
    (local $sum i64)
    (loop $more
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (call $chain (local.get 0)))))
      (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (local.get $sum))
  (func (export "cleaned") (result i64) (global.get $cleaned)))"#;

/// The sum of the numbers from one on.
fn sum(count: i32) -> i64 {
    i64::from(count) * (i64::from(count) + 1) / 2
}

#[test]
fn a_million_caught_in_one_call_take_little() {
    for name in ["plain", "dropped", "chain"] {
        let world = World::one();
        let instance = world.alone(MODULE);
        assert_eq!(world.get::<_, i64>(&instance, name, (COUNT,)), sum(COUNT));
        assert!(world.peak() < BOUND, "{name}: {} bytes", world.peak());
        assert_eq!(world.bytes(), 0, "{name}");
        if name == "chain" {
            let cleaned: i64 = world.get(&instance, "cleaned", ());
            assert_eq!(cleaned, 10 * i64::from(COUNT));
        }
    }
}

#[test]
fn some_are_caught_in_every_world() {
    for world in World::all() {
        let instance = world.alone(MODULE);
        for name in ["plain", "dropped", "chain"] {
            assert_eq!(world.get::<_, i64>(&instance, name, (1000,)), sum(1000));
        }
        assert!(world.peak() < BOUND, "{} bytes", world.peak());
        assert_eq!(world.bytes(), 0);
    }
}

#[test]
fn those_of_the_host_take_little_too() {
    for on_region in [false, true] {
        let mut world = World::one();
        world.on_region = on_region;
        let tag = Tag::new(&world.runtime, &[ValueType::I32]).expect("there is memory");
        let mut imports = world.imports();
        imports.tag("host", "tag", &tag).expect("there is memory");
        let throw = move |_: &mut Caller<'_>, number: i32| {
            // One more, which nobody sees.
            Exception::new(&tag, &[Value::I32(0)])?;
            Err::<(), HostError>(Exception::new(&tag, &[Value::I32(number)])?.into())
        };
        imports
            .func("host", "throw", throw)
            .expect("there is memory");
        let instance = world.instance(
            r#"(module
              (import "host" "tag" (tag $number (param i32)))
              (import "host" "throw" (func $throw (param i32)))
              (func $catch (param i32) (result i32)
                (block $h (result i32)
                  (try_table (catch $number $h) (call $throw (local.get 0)))
                  unreachable))
              (func (export "run") (param i32) (result i64)
                (local $sum i64)
                (loop $more
                  (local.set $sum
                    (i64.add (local.get $sum) (i64.extend_i32_u (call $catch (local.get 0)))))
                  (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (local.get $sum)))"#,
            &imports,
        );
        let count = COUNT / 10;
        assert_eq!(world.get::<_, i64>(&instance, "run", (count,)), sum(count));
        assert!(world.peak() < BOUND, "{} bytes", world.peak());
        assert_eq!(world.bytes(), 0);
    }
}
