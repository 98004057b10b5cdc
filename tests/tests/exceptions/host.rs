//! The host in between: it throws, catches, and lets pass.

use precast_loader::{
    CallError, Caller, Exception, ExecutionEnvironment, Func, HostError, Instance, Tag, TrapCode,
    Value, ValueType,
};

use super::World;

/// Calls host functions inside and outside of handlers.
const MODULE: &str = r#"(module $program
  (import "host" "tag" (tag $theirs (param i32)))
  (import "host" "f" (func $f (param i32) (result i32)))
  (tag $own (export "own") (param i64))
  (func $throw (export "throw") (param i64) (throw $own (local.get 0)))
  (func $call (export "call") (param i32) (result i32) (call $f (local.get 0)))
  (func (export "catch") (param i32) (result i32)
    (block $theirs (result i32)
      (try_table (result i32) (catch $theirs $theirs) (call $call (local.get 0)))
      return)
    (i32.add (i32.const 1000)))
  (func (export "catch_own") (param i32) (result i64)
    (block $mine (result i64)
      (try_table (catch $own $mine) (drop (call $call (local.get 0))))
      (i64.const -1)))
  (func (export "catch_all") (param i32) (result i32)
    (block $all
      (try_table (result i32) (catch_all $all) (call $call (local.get 0)))
      return)
    (i32.const -2))
  (func (export "same") (param i32) (result exnref)
    (block $all (result exnref)
      (try_table (catch_all_ref $all) (drop (call $call (local.get 0))))
      (ref.null exn)))
  (func $pass (export "pass") (param exnref i32)
    (if (local.get 1)
      (then (call $pass (local.get 0) (i32.sub (local.get 1) (i32.const 1))))
      (else (throw_ref (local.get 0))))))"#;

type Host = dyn Fn(&mut Caller<'_>, i32) -> Result<i32, HostError> + Send + Sync;

fn instance(world: &World, tag: &Tag, host: Box<Host>) -> Instance {
    let mut imports = world.imports();
    imports.tag("host", "tag", tag).expect("there is memory");
    let host = move |caller: &mut Caller<'_>, number: i32| host(caller, number);
    imports.func("host", "f", host).expect("there is memory");
    world.instance(MODULE, &imports)
}

fn tag(world: &World) -> Tag {
    Tag::new(&world.runtime, &[ValueType::I32]).expect("there is memory")
}

#[test]
fn code_catches_what_the_host_throws() {
    for world in World::all() {
        let tag = tag(&world);
        let theirs = tag.clone();
        let host = move |_: &mut Caller<'_>, number: i32| {
            if number == 0 {
                return Ok(5);
            }
            Err(Exception::new(&theirs, &[Value::I32(number)])?.into())
        };
        let instance = instance(&world, &tag, Box::new(host));
        assert_eq!(world.get::<_, i32>(&instance, "catch", (0,)), 5);
        assert_eq!(world.get::<_, i32>(&instance, "catch", (7,)), 1007);
        assert_eq!(world.get::<_, i32>(&instance, "catch_all", (7,)), -2);
        let Err(CallError::Exception(uncaught)) = world.call::<_, i32>(&instance, "call", (8,))
        else {
            panic!("nobody catches it")
        };
        assert_eq!(uncaught.exception().tag(), tag);
        assert_eq!(
            uncaught.to_string().lines().next(),
            Some("uncaught exception tag (i32 8)")
        );
        let frames = uncaught.backtrace().frames();
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].function_name(), Some("call"));
        drop(uncaught);
        assert_eq!(world.bytes(), 0);
    }
}

#[test]
fn an_exception_passes_through_the_host() {
    for world in World::all() {
        let tag = tag(&world);
        // Calls back and lets the exception go on.
        let host = |caller: &mut Caller<'_>, number: i32| {
            let throw = caller.instance().func::<(i64,), ()>("throw");
            let throw = throw.expect("it is exported");
            throw.call(caller, (i64::from(number),))?;
            Ok(0)
        };
        let instance = instance(&world, &tag, Box::new(host));
        assert_eq!(world.get::<_, i64>(&instance, "catch_own", (11,)), 11);
        assert_eq!(world.get::<_, i32>(&instance, "catch_all", (11,)), -2);
        let Err(CallError::Exception(uncaught)) = world.call::<_, i32>(&instance, "call", (12,))
        else {
            panic!("nobody catches it")
        };
        // All frames are there: below the host's and above.
        let names: Vec<_> = uncaught
            .backtrace()
            .frames()
            .iter()
            .map(|frame| frame.function_name().expect("there are names"))
            .collect();
        assert_eq!(names, ["throw", "call"]);
        assert!(
            uncaught
                .backtrace()
                .frames()
                .iter()
                .all(|frame| frame.wasm_offset().is_some())
        );
        let own = instance.tag("own").expect("it is exported");
        assert_eq!(uncaught.exception().tag(), own);
        drop(uncaught);
        assert_eq!(world.bytes(), 0);
    }
}

#[test]
fn it_is_the_same_exception_on_the_other_side() {
    for world in World::all() {
        let tag = tag(&world);
        let made = Exception::new(&tag, &[Value::I32(3)]).expect("there is memory");
        let thrown = made.clone();
        let host = move |_: &mut Caller<'_>, _: i32| Err(thrown.clone().into());
        let instance = instance(&world, &tag, Box::new(host));
        for _ in 0..3 {
            let same: Option<Exception> = world.get(&instance, "same", (1,));
            assert_eq!(same.as_ref(), Some(&made));
        }
        let pass = instance.untyped_func("pass").expect("it is exported");
        let arguments = [Value::ExnRef(Some(made.clone())), Value::I32(5)];
        match pass.call(&mut world.environment(), &arguments, &mut []) {
            Err(CallError::Exception(uncaught)) => {
                assert_eq!(uncaught.exception(), &made);
                assert_eq!(uncaught.backtrace().frames().len(), 6);
            }
            other => panic!("{other:?}"),
        }
        let arguments = [Value::ExnRef(None), Value::I32(5)];
        match pass.call(&mut world.environment(), &arguments, &mut []) {
            Err(CallError::Trap(trap)) => assert_eq!(trap.code(), TrapCode::NullReference),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_no_exception_is_not_caught() {
    for world in World::all() {
        let host = |caller: &mut Caller<'_>, number: i32| match number {
            0 => Err(HostError::Trap(TrapCode::IntegerOverflow)),
            1 => Err(HostError::Exit(7)),
            2 => Err(HostError::Message("no")),
            3 => panic!("a panic of the host"),
            _ => {
                let throw = caller.instance().func::<(), ()>("null").expect("exported");
                throw.call(caller, ())?;
                Ok(0)
            }
        };
        let mut imports = world.imports();
        imports.func("host", "f", host).expect("there is memory");
        let instance = world.instance(
            r#"(module
              (import "host" "f" (func $f (param i32) (result i32)))
              (memory 1)
              (func (export "null") (throw_ref (ref.null exn)))
              (func (export "catch_all") (param i32) (result i32)
                (block $all
                  (try_table (result i32) (catch_all $all) (call $f (local.get 0)))
                  return)
                (i32.const -2))
              (func $fault (param i32) (result i32)
                (i32.div_u (i32.load (local.get 0)) (i32.const 0)))
              (func (export "catch_fault") (param i32)
                (block $all
                  (try_table (catch_all $all) (drop (call $fault (local.get 0)))))))"#,
            &imports,
        );
        let call = |number: i32| world.call::<_, i32>(&instance, "catch_all", (number,));
        assert!(
            matches!(call(0), Err(CallError::Trap(it)) if it.code() == TrapCode::IntegerOverflow)
        );
        assert!(matches!(call(1), Err(CallError::Exit(7))));
        assert!(matches!(
            call(2),
            Err(CallError::Host(HostError::Message("no")))
        ));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(3)));
        assert!(panic.is_err());
        assert!(
            matches!(call(4), Err(CallError::Trap(it)) if it.code() == TrapCode::NullReference)
        );
        let code = world.trap(&instance, "catch_fault", (0,));
        assert_eq!(code, TrapCode::IntegerDivideByZero);
        let code = world.trap(&instance, "catch_fault", (i32::MIN,));
        assert_eq!(code, TrapCode::MemoryOutOfBounds);
    }
}

#[test]
fn an_uncaught_exception_names_the_functions_of_all_instances() {
    for world in World::all() {
        let inner = world.alone(
            r#"(module $inner
              (tag $e (export "e") (param i32 i64))
              (func $bottom (param i32) (throw $e (local.get 0) (i64.const 2)))
              (func $entry (export "entry") (param i32) (call $bottom (local.get 0))))"#,
        );
        let mut imports = world.imports();
        imports.instance("inner", &inner).expect("there is memory");
        let outer = world.instance(
            r#"(module $outer
              (import "inner" "entry" (func $entry (param i32)))
              (tag $unrelated)
              (func $middle (param i32)
                (block $h (try_table (catch $unrelated $h) (call $entry (local.get 0)))))
              (func $top (export "top") (param i32) (call $middle (local.get 0))))"#,
            &imports,
        );
        let uncaught = world.uncaught(&outer, "top", (6,));
        let frames: Vec<_> = uncaught
            .backtrace()
            .frames()
            .iter()
            .map(|frame| {
                assert!(frame.wasm_offset().is_some());
                let module = frame.module().name().expect("there are names").to_owned();
                (module, frame.function_name().expect("there are names"))
            })
            .collect();
        let frames: Vec<_> = frames
            .iter()
            .map(|(module, name)| (module.as_str(), *name))
            .collect();
        let expected = [
            ("inner", "bottom"),
            ("inner", "entry"),
            ("outer", "middle"),
            ("outer", "top"),
        ];
        assert_eq!(frames, expected);
        let text = uncaught.to_string();
        assert!(
            text.starts_with("uncaught exception e (i32 6, i64 2)\n  0: inner!bottom at 0x"),
            "{text}"
        );
    }
}

#[test]
fn values_must_have_the_tags_types() {
    let world = World::one();
    let tag = tag(&world);
    for values in [&[][..], &[Value::I64(1)], &[Value::I32(1), Value::I32(2)]] {
        let error = Exception::new(&tag, values).expect_err("they do not fit");
        assert!(matches!(error, CallError::TagMismatch { .. }), "{error}");
    }
    // A function of another group comes along.
    let funcs = Tag::new(&world.runtime, &[ValueType::FUNCREF]).expect("there is memory");
    let instance = world.alone(r#"(module (func (export "f") (result i32) (i32.const 4)))"#);
    let function = instance.untyped_func("f").expect("exported");
    let exception = Exception::new(&funcs, &[Value::FuncRef(Some(function))]);
    let exception = exception.expect("there is memory");
    drop(instance);
    let value = exception.values().expect("idle").next();
    let Some(Value::FuncRef(Some(function))) = value else {
        panic!("it carries a function")
    };
    let call = |function: &Func, environment: &mut ExecutionEnvironment<'_>| {
        let mut results = [Value::I32(0)];
        function
            .call(environment, &[], &mut results)
            .expect("it returns");
        results[0].i32()
    };
    assert_eq!(call(&function, &mut world.environment()), Some(4));
}
