//! Who keeps exceptions, and that they go when nobody does; what happens where there is no memory.

use precast_compiler::{Silent, compile};
use precast_format::tunables::{BoundsChecks, TrapMode};
use precast_loader::{
    CallError, Caller, Exception, ExecutionEnvironment, Global, GlobalType, Imports,
    InstanceOptions, Runtime, RuntimeOptions, Source, Stack, StaticPool, Tag, TrapCode, Value,
    ValueType,
};

use super::World;

const MODULE: &str = r#"(module $module
  (tag $number (export "number") (param i32))
  (func (export "throw") (param i32) (throw $number (local.get 0)))
  (func (export "catch") (param i32) (result exnref)
    (block $h (result exnref)
      (try_table (catch_all_ref $h) (throw $number (local.get 0)))
      unreachable)))"#;

#[test]
fn a_handle_of_the_host_keeps_an_exception_without_its_instance() {
    for world in World::all() {
        let instance = world.alone(MODULE);
        let uncaught = world.uncaught(&instance, "throw", (5,));
        let caught: Option<Exception> = world.get(&instance, "catch", (6,));
        drop(instance);
        let number = |exception: &Exception| {
            let value = exception.values().expect("idle").next();
            value.and_then(|value| value.i32())
        };
        assert_eq!(number(uncaught.exception()), Some(5));
        let caught = caught.expect("it was thrown");
        assert_eq!(number(&caught), Some(6));
        assert_ne!(world.bytes(), 0);
        // The other goes at once, though the instances are still there.
        let before = world.bytes();
        let copy = caught.clone();
        drop(caught);
        assert_eq!(world.bytes(), before);
        drop(copy);
        assert!(world.bytes() < before);
        assert_eq!(number(uncaught.exception()), Some(5));
        // Another thread may be the last to know it.
        std::thread::spawn(move || drop(uncaught))
            .join()
            .expect("it does not panic");
        assert_eq!(world.bytes(), 0);
    }
}

#[test]
fn exceptions_keep_each_other() {
    let world = World::one();
    let tag = Tag::new(&world.runtime, &[ValueType::I32, ValueType::EXNREF]);
    let tag = tag.expect("there is memory");
    let make = |number: i32, inner: Option<Exception>| {
        let values = [Value::I32(number), Value::ExnRef(inner)];
        Exception::new(&tag, &values).expect("there is memory")
    };
    let mut chain = make(0, None);
    for number in 1..10_000 {
        chain = make(number, Some(chain));
    }
    let length = |first: &Exception| {
        let mut count = 0;
        let mut next = Some(first.clone());
        while let Some(exception) = next {
            count += 1;
            let values: Vec<_> = exception.values().expect("idle").collect();
            let Value::ExnRef(inner) = &values[1] else {
                panic!("it carries a reference")
            };
            next = inner.clone();
        }
        count
    };
    assert_eq!(length(&chain), 10_000);
    // Those that nobody holds are found among them.
    let bytes = world.bytes();
    for number in 0..1000 {
        make(number, None);
    }
    assert!(world.bytes() <= bytes + (64 << 10));
    assert_eq!(length(&chain), 10_000);
    drop((chain, tag));
    assert_eq!(world.bytes(), 0);
}

#[test]
fn globals_of_the_host_hold_exceptions() {
    let world = World::one();
    let instance = world.alone(MODULE);
    let global_type = GlobalType {
        value: ValueType::EXNREF,
        mutable: true,
    };
    let caught: Option<Exception> = world.get(&instance, "catch", (6,));
    let global = Global::new(&world.runtime, global_type, Value::ExnRef(caught));
    let global = global.expect("there is memory");
    for _ in 0..1000 {
        let caught: Option<Exception> = world.get(&instance, "catch", (7,));
        drop(caught);
    }
    drop(instance);
    assert_ne!(world.bytes(), 0);
    let Ok(Value::ExnRef(Some(exception))) = global.get() else {
        panic!("there is an exception in the global")
    };
    let value = exception.values().expect("idle").next();
    assert_eq!(value.and_then(|value| value.i32()), Some(6));
    let wrong = global
        .set(Value::ExternRef(None))
        .expect_err("another type");
    assert!(matches!(wrong, CallError::GlobalMismatch { .. }));
    global.set(Value::ExnRef(None)).expect("it is mutable");
    drop(exception);
    assert_eq!(world.bytes(), 0);
    drop(global);
    assert_eq!(world.bytes(), 0);
}

/// Holds more and more exceptions until there is no memory for the next.
const HOARD: &str = r#"(module
  (tag $number (param i32))
  (table $hoard (export "hoard") 4000 exnref)
  (func $make (param i32) (result exnref)
    (block $h (result exnref)
      (try_table (catch_all_ref $h) (throw $number (local.get 0)))
      unreachable))
  (func (export "hoard_all") (param i32)
    (loop $more
      (table.set $hoard (local.get 0) (call $make (local.get 0)))
      (br_if $more (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "let_go") (table.fill $hoard (i32.const 0) (ref.null exn) (i32.const 4000)))
  (func (export "catch") (param i32) (result i32)
    (block $h (result i32)
      (try_table (catch $number $h) (throw $number (local.get 0)))
      unreachable)))"#;

#[test]
fn a_full_pool_is_a_trap_and_the_instance_stays_usable() {
    static POOL: StaticPool<{ 128 << 10 }> = StaticPool::new();
    let region = POOL.take().expect("nobody else takes it");
    let runtime = Runtime::with_pool(region, RuntimeOptions::default()).expect("there is room");
    let wasm = wat::parse_str(HOARD).expect("the module is well formed");
    let mut options = World::one().options;
    options.bounds_checks = BoundsChecks::Explicit;
    options.trap_mode = TrapMode::Explicit;
    let compiled = compile(&wasm, &options, &Silent).expect("it compiles");
    let artifact: &'static [u8] = compiled.artifact.leak();
    let module = runtime.load_named_by_user(Source::borrowed(artifact));
    let module = module.expect("there is room");
    let instance = module.instantiate(&Imports::new(&runtime), InstanceOptions::default());
    let instance = instance.expect("there is room");
    let environment = ExecutionEnvironment::new(&runtime, Stack::Bytes(16 << 10));
    let mut environment = environment.expect("there is room");
    let hoard = instance.func::<(i32,), ()>("hoard_all").expect("exported");
    let catch = instance.func::<(i32,), i32>("catch").expect("exported");
    let let_go = instance.func::<(), ()>("let_go").expect("exported");
    for _ in 0..3 {
        match hoard.call(&mut environment, (3999,)) {
            Err(CallError::Trap(trap)) => assert_eq!(trap.code(), TrapCode::OutOfMemory),
            other => panic!("{other:?}"),
        }
        let_go.call(&mut environment, ()).expect("it returns");
        assert_eq!(catch.call(&mut environment, (5,)).expect("it is caught"), 5);
        hoard.call(&mut environment, (100,)).expect("there is room");
    }
}

#[test]
fn an_exception_of_another_group_joins() {
    for world in World::all() {
        let other = world.alone(MODULE);
        let kept: Option<Exception> = world.get(&other, "catch", (21,));
        let kept = kept.expect("it was thrown");
        drop(other);
        let mut imports = world.imports();
        let thrown = kept.clone();
        let throw = move |_: &mut Caller<'_>| -> Result<(), precast_loader::HostError> {
            Err(thrown.clone().into())
        };
        imports
            .func("host", "throw", throw)
            .expect("there is memory");
        let instance = world.instance(
            r#"(module
              (import "host" "throw" (func $throw))
              (func (export "catch") (result exnref)
                (block $h (result exnref)
                  (try_table (catch_all_ref $h) (call $throw))
                  unreachable)))"#,
            &imports,
        );
        let same: Option<Exception> = world.get(&instance, "catch", ());
        assert_eq!(same, Some(kept));
    }
}

#[test]
fn exceptions_of_another_runtime_are_refused() {
    let (world, other) = (World::one(), World::one());
    let exception: Option<Exception> = other.get(&other.alone(MODULE), "catch", (1,));
    let instance = world.alone(r#"(module (func (export "take") (param exnref)))"#);
    match world.call::<_, ()>(&instance, "take", (exception,)) {
        Err(CallError::OtherRuntime) => {}
        other => panic!("{other:?}"),
    }
}
