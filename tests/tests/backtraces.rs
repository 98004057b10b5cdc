//! Call-stack dumps: every frame of every instance on the way, however the calls got there.
#![forbid(unsafe_code)]

use precast_compiler::{Options, Silent, compile};
use precast_loader::{
    Backtrace, CallError, Caller, HostError, Imports, Instance, InstanceOptions, MissingTables,
    Module, Runtime, Source, Stack, Trap, TrapCode,
};
use precast_tests::configuration;

/// The innermost module: it traps.
const INNER: &str = r#"(module $inner
  (func $fault (param i32) (result i32)
    (i32.div_u (i32.const 6) (local.get 0)))
  (func $work (export "work") (param i32) (result i32)
    (i32.add (call $fault (local.get 0)) (i32.const 1))))"#;

/// A module that calls it as what it imports.
const OUTER: &str = r#"(module $outer
  (import "inner" "work" (func $import (param i32) (result i32)))
  (func $middle (param i32) (result i32)
    (i32.add (call $import (local.get 0)) (i32.const 1)))
  (func (export "run") (param i32) (result i32)
    (i32.mul (call $middle (local.get 0)) (i32.const 2))))"#;

fn load(runtime: &Runtime, wat: &str, options: &Options) -> Module {
    let wasm = wat::parse_str(wat).unwrap();
    let artifact = compile(&wasm, options, &Silent).unwrap().artifact;
    let source = Source::borrowed(artifact.leak());
    runtime.load_named_by_user(source).unwrap()
}

fn instance(module: &Module, imports: &Imports) -> Instance {
    let options = InstanceOptions::default();
    module.instantiate(imports, options).unwrap()
}

fn trap(instance: &Instance, stack: Stack<'_>, argument: i32) -> Trap {
    let run = instance.func::<(i32,), i32>("run").unwrap();
    let mut environment = instance.execution_environment(stack).unwrap();
    match run.call(&mut environment, (argument,)) {
        Err(CallError::Trap(trap)) => trap,
        other => panic!("{other:?}"),
    }
}

/// Module, function, call to the host: as far as they have names.
fn frames(backtrace: &Backtrace) -> Vec<String> {
    let text = |frame: &precast_loader::Frame| {
        assert!(frame.wasm_offset().is_some(), "{frame}");
        let host = frame.host_call().map(|call| format!(" -> {call}"));
        format!(
            "{}.{}{}",
            frame.module_name().unwrap_or("?"),
            frame.function_name().unwrap_or("?"),
            host.unwrap_or_default()
        )
    };
    backtrace.frames().iter().map(text).collect()
}

/// Runs a test under every configuration, on the thread's stack and on a region.
fn everywhere(test: impl Fn(&Runtime, &Options, fn() -> Stack<'static>)) {
    for configuration in configuration::with_bytecode() {
        let runtime = Runtime::system().unwrap();
        test(&runtime, &configuration.options(), || Stack::Caller);
        test(&runtime, &configuration.options(), || {
            Stack::Bytes(256 << 10)
        });
    }
}

#[test]
fn linked_instances_are_all_in_it() {
    everywhere(|runtime, options, stack| {
        let inner = instance(&load(runtime, INNER, options), &Imports::new(runtime));
        let mut imports = Imports::new(runtime);
        let work = inner.export("work").unwrap();
        imports.define("inner", "work", work).unwrap();
        let outer = instance(&load(runtime, OUTER, options), &imports);
        let trap = trap(&outer, stack(), 0);
        assert_eq!(trap.code(), TrapCode::IntegerDivideByZero);
        let expected = ["inner.fault", "inner.work", "outer.middle", "outer.run"];
        assert_eq!(frames(trap.backtrace()), expected);
        assert_eq!(
            trap.to_string(),
            "wasm trap: integer divide by zero\n  0: inner!fault at 0x28\n  1: inner!work at 0x2e\n  \
             2: outer!middle at 0x35\n  3: outer!run at 0x3f"
        );
    });
}

/// The outer module imports a host function that calls the inner one, which it is not linked with.
fn apart(runtime: &Runtime, options: &Options, stack: fn() -> Stack<'static>) -> Instance {
    let inner = instance(&load(runtime, INNER, options), &Imports::new(runtime));
    let work = inner.func::<(i32,), i32>("work").unwrap();
    let mut imports = Imports::new(runtime);
    let call = move |_: &mut Caller<'_>, argument: i32| -> Result<i32, HostError> {
        if argument == 1 {
            return Err(HostError::Trap(TrapCode::Interrupted));
        }
        let mut environment = inner.execution_environment(stack()).unwrap();
        Ok(work.call(&mut environment, (argument,))?)
    };
    imports.func("inner", "work", call).unwrap();
    instance(&load(runtime, OUTER, options), &imports)
}

#[test]
fn host_functions_in_between_are_marked() {
    everywhere(|runtime, options, stack| {
        let outer = apart(runtime, options, stack);
        let trap = trap(&outer, stack(), 0);
        let expected = [
            "inner.fault",
            "inner.work",
            "outer.middle -> host function inner.work",
            "outer.run",
        ];
        assert_eq!(frames(trap.backtrace()), expected);
        assert_eq!(
            trap.to_string(),
            "wasm trap: integer divide by zero\n  0: inner!fault at 0x28\n  1: inner!work at 0x2e\n     \
             host function inner.work\n  2: outer!middle at 0x35\n  3: outer!run at 0x3f"
        );
    });
}

#[test]
fn a_host_function_that_traps_is_the_innermost() {
    everywhere(|runtime, options, stack| {
        let outer = apart(runtime, options, stack);
        let trap = trap(&outer, stack(), 1);
        assert_eq!(trap.code(), TrapCode::Interrupted);
        let expected = ["outer.middle -> host function inner.work", "outer.run"];
        assert_eq!(frames(trap.backtrace()), expected);
    });
}

#[test]
fn modules_without_names_are_numbered() {
    everywhere(|runtime, options, stack| {
        let inner = INNER.replace("$inner", "");
        let inner = instance(&load(runtime, &inner, options), &Imports::new(runtime));
        let mut imports = Imports::new(runtime);
        let work = inner.export("work").unwrap();
        imports.define("inner", "work", work).unwrap();
        let outer = OUTER.replace("$outer", "");
        let outer = instance(&load(runtime, &outer, options), &imports);
        let text = trap(&outer, stack(), 0).to_string();
        for line in ["0: <module 1>!fault at", "2: <module 2>!middle at"] {
            assert!(text.contains(line), "{text}");
        }
    });
}

#[test]
fn stripped_artifacts_say_so() {
    everywhere(|runtime, options, stack| {
        let mut options = options.clone();
        options.names = false;
        options.call_sites = false;
        let inner = instance(&load(runtime, INNER, &options), &Imports::new(runtime));
        let mut imports = Imports::new(runtime);
        let work = inner.export("work").unwrap();
        imports.define("inner", "work", work).unwrap();
        let outer = instance(&load(runtime, OUTER, &options), &imports);
        let trap = trap(&outer, stack(), 0);
        let missing = MissingTables {
            function_names: true,
            call_sites: true,
        };
        assert_eq!(trap.backtrace().missing_tables(), missing);
        let text = trap.to_string();
        assert!(text.contains("!function 0 at 0x28"), "{text}");
        assert!(text.contains("!function 1 in the body at 0x"), "{text}");
        let end = "\n  (stripped: no function names, no offsets of calls)";
        assert!(text.ends_with(end), "{text}");
    });
}

#[test]
fn the_rest_of_a_deep_stack_is_mentioned() {
    const DEEP: &str = r#"(module
      (func $deep (export "run") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (unreachable)))
        (i32.add (call $deep (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))))"#;
    everywhere(|runtime, options, stack| {
        let deep = instance(&load(runtime, DEEP, options), &Imports::new(runtime));
        let short = trap(&deep, stack(), 9);
        assert_eq!(short.backtrace().frames().len(), 10);
        assert!(!short.backtrace().is_truncated());
        let long = trap(&deep, stack(), 900);
        assert!(long.backtrace().is_truncated());
        let end = "\n  ... more frames follow; the innermost 64 are kept";
        assert!(long.to_string().ends_with(end), "{long}");
    });
}

/// Calls its import for ever, which calls it.
const ENDLESS: &str = r#"(module
  (import "host" "again" (func $again (param i32) (result i32)))
  (func $endless (export "run") (param i32) (result i32)
    (i32.add (call $again (i32.const 0)) (i32.const 1))))"#;

#[test]
fn calls_that_cannot_begin_have_callers() {
    everywhere(|runtime, options, stack| {
        let mut imports = Imports::new(runtime);
        let again = |caller: &mut Caller<'_>, argument: i32| -> Result<i32, HostError> {
            let Some(precast_loader::Extern::Func(run)) = caller.export("run") else {
                panic!("it is exported")
            };
            let run = run.typed::<(i32,), i32>().unwrap();
            Ok(run.call(caller, (argument,))?)
        };
        imports.func("host", "again", again).unwrap();
        let endless = instance(&load(runtime, ENDLESS, options), &imports);
        let trap = trap(&endless, stack(), 0);
        assert_eq!(trap.code(), TrapCode::StackOverflow);
        let frames = frames(trap.backtrace());
        assert!(frames.len() > 10, "{trap}");
        let in_host = "?.endless -> host function host.again";
        assert!(
            frames.iter().skip(1).all(|frame| frame == in_host),
            "{trap}"
        );
    });
}
