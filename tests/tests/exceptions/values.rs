//! What exceptions carry, and where references to them can be.

use std::num::NonZeroUsize;

use precast_loader::{
    CallError, Caller, Exception, ExternRef, Func, GrowthFailure, GrowthObserver, HostError,
    Instance, InstanceOptions, InstantiateError, Stack, TrapCode, Value,
};

use super::World;

/// Throws one of everything ten frames down, and gives back what the handler got.
const EVERYTHING: &str = r#"(module
  (tag $everything (export "tag")
    (param i32 i64 f32 f64 v128 funcref externref exnref i32))
  (tag $nothing)
  (func $self (export "self") (param externref exnref)
    (local $a i64) (local $b v128)
    (throw $everything (i32.const -1) (i64.const -2) (f32.const 1.5) (f64.const -2.5)
      (v128.const i64x2 5 -6) (ref.func $self) (local.get 0) (local.get 1) (i32.const 9)))
  (func $deep (param i32 externref exnref)
    (if (local.get 0)
      (then (call $deep (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (local.get 2)))
      (else (call $self (local.get 1) (local.get 2)))))
  (func (export "caught") (param externref exnref)
    (result i32 i64 f32 f64 v128 funcref externref exnref i32)
    (block $none
      (block $handler (result i32 i64 f32 f64 v128 funcref externref exnref i32)
        (try_table (catch $nothing $none) (catch $everything $handler)
          (call $deep (i32.const 10) (local.get 0) (local.get 1)))
        unreachable)
      return)
    unreachable)
  (func (export "referred") (param externref exnref) (result exnref)
    (block $handler (result exnref)
      (try_table (catch_all_ref $handler)
        (call $deep (i32.const 10) (local.get 0) (local.get 1)))
      unreachable))
  (func (export "again") (param exnref)
    (result i32 i64 f32 f64 v128 funcref externref exnref i32)
    (block $handler (result i32 i64 f32 f64 v128 funcref externref exnref i32 exnref)
      (try_table (catch_ref $everything $handler) (throw_ref (local.get 0)))
      unreachable)
    drop))"#;

type Everything = (
    i32,
    i64,
    f32,
    f64,
    u128,
    Option<Func>,
    Option<ExternRef>,
    Option<Exception>,
    i32,
);

const VECTOR: u128 = (-6i64 as u64 as u128) << 64 | 5;

fn number(value: usize) -> Option<ExternRef> {
    NonZeroUsize::new(value).map(ExternRef::new)
}

fn check(found: Everything, inner: Option<&Exception>) {
    let (a, b, c, d, e, function, number_found, exception, last) = found;
    assert_eq!((a, b, c, d, e), (-1, -2, 1.5, -2.5, VECTOR));
    assert_eq!(function.map(|f| f.func_type().params().len()), Some(2));
    assert_eq!(number_found, number(77));
    assert_eq!(exception.as_ref(), inner);
    assert_eq!(last, 9);
}

#[test]
fn values_of_all_types_arrive() {
    for world in World::all().filter(World::has_vectors) {
        let instance = world.alone(EVERYTHING);
        let found: Everything = world.get(&instance, "caught", (number(77), None::<Exception>));
        check(found, None);

        let inner: Option<Exception> =
            world.get(&instance, "referred", (number(77), None::<Exception>));
        let inner = inner.expect("it was thrown");
        let outer: Option<Exception> =
            world.get(&instance, "referred", (number(77), Some(inner.clone())));
        let outer = outer.expect("it was thrown");
        assert_ne!(inner, outer);
        let found: Everything = world.get(&instance, "again", (Some(outer.clone()),));
        check(found, Some(&inner));

        // The host looks for itself.
        let tag = instance.tag("tag").expect("it is exported");
        assert_eq!(outer.tag(), tag);
        assert_eq!(tag.types().len(), 9);
        let values: Vec<Value> = outer.values().expect("idle").collect();
        assert_eq!(values.len(), 9);
        assert!(matches!(values[0], Value::I32(-1)));
        assert!(matches!(values[1], Value::I64(-2)));
        assert_eq!(values[2].f32(), Some(1.5));
        assert_eq!(values[3].f64(), Some(-2.5));
        assert!(matches!(values[4], Value::V128(VECTOR)));
        assert!(matches!(&values[5], Value::FuncRef(Some(_))));
        assert!(matches!(values[6], Value::ExternRef(found) if found == number(77)));
        assert!(matches!(&values[7], Value::ExnRef(Some(found)) if *found == inner));
        assert!(matches!(values[8], Value::I32(9)));

        drop((values, inner, outer, tag));
        assert_eq!(world.bytes(), 0, "{:?}", world.options);
        drop(instance);
        assert_eq!(world.bytes(), 0);
    }
}

/// References in locals, globals, tables, segments and across calls, with so many other exceptions in
/// between that unreferenced ones are looked for again and again.
const KEPT: &str = r#"(module
  (tag $number (export "number") (param i32))
  (global $global (export "global") (mut exnref) (ref.null exn))
  (table $table (export "table") 4 10 exnref)
  (func $make (export "make") (param i32) (result exnref)
    (block $caught (result i32 exnref)
      (try_table (catch_ref $number $caught) (throw $number (local.get 0)))
      unreachable)
    drop
    (return (call $remake)))
  (func $remake (param i32) (result exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (throw $number (local.get 0)))
      unreachable))
  (func $value (export "value") (param exnref) (result i32)
    (block $caught (result i32)
      (try_table (catch $number $caught) (throw_ref (local.get 0)))
      unreachable))
  (func $litter (export "litter") (param i32)
    (loop $more
      (drop (call $make (local.get 0)))
      (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "in_local") (param i32) (result i32)
    (local $kept exnref)
    (local.set $kept (call $make (i32.const 1234)))
    (call $litter (local.get 0))
    (call $value (local.get $kept)))
  (func $pass (param exnref i32) (result i32)
    (call $litter (local.get 1))
    (call $value (local.get 0)))
  (func (export "in_parameter") (param i32) (result i32)
    (call $pass (call $make (i32.const 1235)) (local.get 0)))
  (func (export "in_global") (param i32) (result i32)
    (global.set $global (call $make (i32.const 1236)))
    (call $litter (local.get 0))
    (call $value (global.get $global)))
  (func (export "in_table") (param i32) (result i32)
    (table.set $table (i32.const 2) (call $make (i32.const 1237)))
    (call $litter (local.get 0))
    (drop (table.grow $table (call $make (i32.const 1238)) (i32.const 1)))
    (call $litter (local.get 0))
    (i32.add
      (call $value (table.get $table (i32.const 2)))
      (call $value (table.get $table (i32.const 4)))))
  (func (export "get_global") (result i32) (call $value (global.get $global)))
  (func (export "null") (throw_ref (ref.null exn))))"#;

#[test]
fn references_survive_sweeps() {
    for world in World::all() {
        let instance = world.alone(KEPT);
        let count = 300;
        assert_eq!(world.get::<_, i32>(&instance, "in_local", (count,)), 1234);
        assert_eq!(
            world.get::<_, i32>(&instance, "in_parameter", (count,)),
            1235
        );
        assert_eq!(world.bytes(), 0);
        assert_eq!(world.get::<_, i32>(&instance, "in_global", (count,)), 1236);
        assert_eq!(
            world.get::<_, i32>(&instance, "in_table", (count,)),
            1237 + 1238
        );
        assert_ne!(world.bytes(), 0);
        assert!(world.peak() < 16 << 10, "{} bytes", world.peak());

        // After the call they are still there, and gone when nothing holds them any more.
        assert_eq!(world.get::<_, i32>(&instance, "get_global", ()), 1236);
        let global = instance.global("global").expect("it is exported");
        let Ok(Value::ExnRef(Some(exception))) = global.get() else {
            panic!("there is an exception in the global")
        };
        assert!(
            exception
                .values()
                .expect("idle")
                .any(|value| value.i32() == Some(1236))
        );
        global.set(Value::ExnRef(None)).expect("it is mutable");
        let table = instance.table("table").expect("it is exported");
        assert!(matches!(table.get(2), Ok(Some(Value::ExnRef(Some(_))))));
        assert!(matches!(table.get(0), Ok(Some(Value::ExnRef(None)))));
        table
            .set(0, &Value::ExnRef(Some(exception)))
            .expect("in bounds");
        table.set(2, &Value::ExnRef(None)).expect("in bounds");
        table.set(4, &Value::ExnRef(None)).expect("in bounds");
        world.get::<_, ()>(&instance, "litter", (count,));
        let Ok(Some(Value::ExnRef(Some(exception)))) = table.get(0) else {
            panic!("there is an exception in the table")
        };
        assert_eq!(
            world.get::<_, i32>(&instance, "value", (Some(exception),)),
            1236
        );
        table.set(0, &Value::ExnRef(None)).expect("in bounds");
        world.get::<_, ()>(&instance, "litter", (1,));
        assert_eq!(world.bytes(), 0);

        assert_eq!(world.trap(&instance, "null", ()), TrapCode::NullReference);
    }
}

/// Holds references while the host is called, which calls back and lets others come and go.
const NESTED: &str = r#"(module
  (import "host" "again" (func $again (param i32 exnref)))
  (tag $number (param i32))
  (memory (export "memory") 1 100)
  (func $make (param i32) (result exnref)
    (block $h (result exnref)
      (try_table (catch_all_ref $h) (throw $number (local.get 0)))
      unreachable))
  (func $value (param exnref) (result i32)
    (block $caught (result i32)
      (try_table (catch $number $caught) (throw_ref (local.get 0)))
      unreachable))
  (func (export "litter") (param i32)
    (loop $more
      (drop (call $make (local.get 0)))
      (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func $run (export "run") (param i32) (result i32)
    (local $a exnref) (local $b exnref)
    (local.set $a (call $make (i32.add (i32.const 100) (local.get 0))))
    (local.set $b (call $make (i32.add (i32.const 200) (local.get 0))))
    (call $again (local.get 0) (call $make (i32.const 5)))
    (drop (memory.grow (i32.const 1)))
    (i32.add (call $value (local.get $a)) (call $value (local.get $b)))))"#;

#[test]
fn references_survive_in_calls_that_are_left_for_the_host() {
    for world in World::all() {
        let mut imports = world.imports();
        let again = |caller: &mut Caller<'_>, depth: i32, held: Option<Exception>| {
            let litter = caller
                .instance()
                .func::<(i32,), ()>("litter")
                .expect("exported");
            litter.call(caller, (500,))?;
            if depth > 0 {
                let run = caller
                    .instance()
                    .func::<(i32,), i32>("run")
                    .expect("exported");
                // Every other call is on a stack of its own.
                let result = if depth % 2 == 0 {
                    run.call(caller, (depth - 1,))?
                } else {
                    let stack = Stack::Bytes(64 << 10);
                    let mut environment = caller.runtime().execution_environment(stack)?;
                    run.call(&mut environment, (depth - 1,))?
                };
                assert_eq!(result, 300 + 2 * (depth - 1));
            }
            let held = held.expect("it was made");
            let value = held.values()?.next();
            assert_eq!(value.and_then(|value| value.i32()), Some(5));
            Ok::<(), HostError>(())
        };
        imports
            .func("host", "again", again)
            .expect("there is memory");
        let instance = world.instance(NESTED, &imports);
        assert_eq!(world.get::<_, i32>(&instance, "run", (5,)), 310);
        assert_eq!(world.bytes(), 0);
        // What lies on the stack counts: 18 KiB were seen of bytecode, 11 to 17 KiB of native code.
        let most = 24 << 10;
        assert!(world.peak() < most, "{} bytes", world.peak());
    }
}

/// A growth that the host looks at calls back while registers of the code hold references.
#[test]
fn references_survive_where_growth_calls_the_host() {
    static INSTANCE: std::sync::Mutex<Option<Instance>> = std::sync::Mutex::new(None);
    for world in World::all() {
        let mut imports = world.imports();
        let again = |_: &mut Caller<'_>, _: i32, _: Option<Exception>| {};
        imports
            .func("host", "again", again)
            .expect("there is memory");
        let module = world.module(NESTED);
        let options = InstanceOptions::default().max_memory_pages(1);
        fn observe(_: usize, _: GrowthFailure) {
            let instance = INSTANCE
                .lock()
                .expect("no panic")
                .clone()
                .expect("it is there");
            let mut environment = instance
                .execution_environment(Stack::Caller)
                .expect("no memory");
            let litter = instance.func::<(i32,), ()>("litter").expect("exported");
            litter.call(&mut environment, (500,)).expect("it returns");
        }
        let options = options.growth_observer(GrowthObserver::new(0, observe));
        let instance = module
            .instantiate(&imports, options)
            .expect("the imports are there");
        *INSTANCE.lock().expect("no panic") = Some(instance.clone());
        assert_eq!(world.get::<_, i32>(&instance, "run", (0,)), 300);
        *INSTANCE.lock().expect("no panic") = None;
        assert_eq!(world.bytes(), 0);
    }
}

#[test]
fn a_start_function_can_throw() {
    let world = World::one();
    let module = world.module(
        r#"(module (tag $t (param i32)) (func $start (throw $t (i32.const 3))) (start $start))"#,
    );
    match module.instantiate(&world.imports(), InstanceOptions::default()) {
        Err(InstantiateError::Start(CallError::Exception(uncaught))) => {
            assert!(
                uncaught
                    .to_string()
                    .starts_with("uncaught exception (i32 3)")
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.bytes(), 0);
}
