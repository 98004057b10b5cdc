//! Counts of calls and time: right whatever ends a call.
#![forbid(unsafe_code)]

use std::time::Duration;

use precast_compiler::{Options, Silent, compile};
use precast_loader::{
    CallError, Caller, FunctionCalls, HostError, Imports, Instance, InstanceOptions, Module,
    Runtime, Source, Stack, TrapCode,
};
use precast_tests::configuration;

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

/// Calls an export of the type `(i32) -> (i32)`.
fn call(instance: &Instance, stack: Stack<'_>, name: &str, value: i32) -> Result<i32, CallError> {
    let function = instance.func::<(i32,), i32>(name).unwrap();
    let mut environment = instance.execution_environment(stack).unwrap();
    function.call(&mut environment, (value,))
}

/// The counts, by name.
fn counts(instance: &Instance) -> Vec<(String, FunctionCalls)> {
    let profile = instance.call_profile().unwrap().unwrap();
    let module = instance.module();
    let name = |index| match module.imported_function(index) {
        Some((from, name)) => format!("{from}.{name}"),
        None => module.function_name(index).unwrap().to_owned(),
    };
    let functions = profile.functions();
    functions.map(|it| (name(it.index), it)).collect()
}

fn calls(instance: &Instance) -> Vec<(String, u64)> {
    let counts = counts(instance).into_iter();
    counts
        .map(|(name, it)| {
            assert_eq!(it.active, 0, "calls of {name} have not ended");
            assert!(it.own <= it.total, "{name}: {it:?}");
            (name, it.calls)
        })
        .collect()
}

fn named(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    let expected = expected.iter();
    expected
        .map(|(name, calls)| ((*name).to_owned(), *calls))
        .collect()
}

fn of(instance: &Instance, function: &str) -> FunctionCalls {
    let counts = counts(instance).into_iter();
    let mut counts = counts.filter(|(name, _)| name == function);
    counts.next().unwrap().1
}

/// Runs a test under every configuration, with either context register, on the thread's stack and
/// on a region.
fn everywhere(test: impl Fn(&Runtime, &Options, fn() -> Stack<'static>)) {
    use precast_compiler::ContextRegister::{Parameter, Pinned};
    for configuration in configuration::with_bytecode() {
        for register in [Pinned, Parameter] {
            let runtime = Runtime::system().unwrap();
            let mut options = configuration.options();
            options.context_register = Some(register);
            options.call_profile = true;
            test(&runtime, &options, || Stack::Caller);
            test(&runtime, &options, || Stack::Bytes(256 << 10));
        }
    }
}

const RECURSION: &str = r#"(module
  (func $fib (export "fib") (param i32) (result i32)
    (if (i32.lt_u (local.get 0) (i32.const 2)) (then (return (local.get 0))))
    (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1)))
             (call $fib (i32.sub (local.get 0) (i32.const 2)))))
  (func $even (export "even") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
      (else (i32.const 1))))
  (func $odd (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (return_call $even (i32.sub (local.get 0) (i32.const 1))))
      (else (i32.const 0))))
  (func $unused))"#;

#[test]
fn recursion_is_counted_and_timed_once() {
    everywhere(|runtime, options, stack| {
        let module = load(runtime, RECURSION, options);
        let instance = instance(&module, &Imports::new(runtime));
        let begin = std::time::Instant::now();
        assert_eq!(call(&instance, stack(), "fib", 15).unwrap(), 610);
        let elapsed = begin.elapsed();
        assert_eq!(calls(&instance), named(&[("fib", 1973)]));
        let fib = of(&instance, "fib");
        // What calls itself only is as long in itself as in all.
        assert!(
            fib.total > Duration::ZERO && fib.total < elapsed * 2,
            "{fib:?}"
        );
        let difference = fib.total.abs_diff(fib.own);
        assert!(difference < Duration::from_micros(10), "{fib:?}");
    });
}

#[test]
fn tail_calls_end_who_makes_them() {
    everywhere(|runtime, options, stack| {
        let module = load(runtime, RECURSION, options);
        let instance = instance(&module, &Imports::new(runtime));
        assert_eq!(call(&instance, stack(), "even", 100_001).unwrap(), 0);
        let expected = named(&[("even", 50_001), ("odd", 50_001)]);
        assert_eq!(calls(&instance), expected);
    });
}

const TRAPS: &str = r#"(module
  (memory 1)
  (func $divide (param i32) (result i32) (i32.div_u (i32.const 6) (local.get 0)))
  (func $middle (param i32) (result i32) (i32.add (call $divide (local.get 0)) (i32.const 1)))
  (func (export "run") (param i32) (result i32) (call $middle (local.get 0)) (drop) (i32.const 1))
  (func $deep (export "deep") (param i32) (result i32)
    (i32.add (call $deep (local.get 0)) (i32.const 1)))
  (func (export "outside") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "stop") (param i32) (result i32) (unreachable)))"#;

#[test]
fn traps_end_all_calls() {
    everywhere(|runtime, options, stack| {
        let module = load(runtime, TRAPS, options);
        let instance = instance(&module, &Imports::new(runtime));
        for _ in 0..3 {
            assert!(call(&instance, stack(), "run", 0).is_err());
            assert!(call(&instance, stack(), "run", 2).is_ok());
            assert!(call(&instance, stack(), "outside", -1).is_err());
            assert!(call(&instance, stack(), "stop", 0).is_err());
        }
        let mut expected = vec![("divide", 6), ("middle", 6), ("run", 6)];
        expected.extend([("outside", 3), ("stop", 3)]);
        assert_eq!(calls(&instance), named(&expected));
        let Err(CallError::Trap(trap)) = call(&instance, stack(), "deep", 0) else {
            panic!()
        };
        assert_eq!(trap.code(), TrapCode::StackOverflow);
        let deep = of(&instance, "deep");
        assert!(deep.calls > 100 && deep.active == 0, "{deep:?}");
        assert!(deep.own <= deep.total);
        assert!(call(&instance, stack(), "run", 2).is_ok());
    });
}

const INNER: &str = r#"(module
  (import "host" "wait" (func $wait (param i32) (result i32)))
  (func (export "work") (param i32) (result i32)
    (i32.add (call $wait (local.get 0)) (i32.const 1))))"#;

const OUTER: &str = r#"(module
  (import "inner" "work" (func $work (param i32) (result i32)))
  (import "host" "back" (func $back (param i32) (result i32)))
  (func $leaf (export "leaf") (param i32) (result i32) (i32.div_u (i32.const 100) (local.get 0)))
  (func $middle (param i32) (result i32)
    (i32.add (call $work (local.get 0)) (call $back (local.get 0))))
  (func (export "run") (param i32) (result i32)
    (i32.add (call $middle (local.get 0)) (i32.const 1))))"#;

/// Longer than a thread is likely to be kept waiting for its turn.
const WAIT: Duration = Duration::from_millis(20);

#[test]
fn instances_and_activations_share_one_account_of_time() {
    everywhere(|runtime, options, stack| {
        let mut imports = Imports::new(runtime);
        let wait = |_: &mut Caller<'_>, value: i32| {
            std::thread::sleep(WAIT);
            value
        };
        imports.func("host", "wait", wait).unwrap();
        // Waits by itself, too, and calls the instance again.
        let back = |caller: &mut Caller<'_>, value: i32| -> Result<i32, HostError> {
            std::thread::sleep(WAIT);
            let Some(precast_loader::Extern::Func(leaf)) = caller.export("leaf") else {
                panic!("it is exported")
            };
            let leaf = leaf.typed::<(i32,), i32>().unwrap();
            Ok(leaf.call(caller, (value - 5,))?)
        };
        imports.func("host", "back", back).unwrap();
        let inner = instance(&load(runtime, INNER, options), &imports);
        let work = inner.export("work").unwrap();
        imports.define("inner", "work", work).unwrap();
        let outer = instance(&load(runtime, OUTER, options), &imports);
        // 5 makes the inner activation trap, with the outer ones below it.
        assert!(matches!(
            call(&outer, stack(), "run", 5),
            Err(CallError::Trap(_))
        ));
        assert_eq!(call(&outer, stack(), "run", 15).unwrap(), 16 + 10 + 1);
        let expected = [
            ("inner.work", 2),
            ("host.back", 2),
            ("leaf", 2),
            ("middle", 2),
            ("run", 2),
        ];
        assert_eq!(calls(&outer), named(&expected));
        assert_eq!(calls(&inner), named(&[("host.wait", 2), ("work", 2)]));
        // Who waits has the time, and who calls who waits has it in all, not in itself.
        for (instance, function) in [(&inner, "host.wait"), (&outer, "host.back")] {
            assert!(of(instance, function).own >= 2 * WAIT);
        }
        for (instance, function) in [(&inner, "work"), (&outer, "middle"), (&outer, "run")] {
            let it = of(instance, function);
            assert!(it.total >= 2 * WAIT && it.own < WAIT, "{function}: {it:?}");
        }
        let work = of(&outer, "inner.work");
        assert!(work.total >= 2 * WAIT && work.own < WAIT, "{work:?}");
        assert!(of(&outer, "run").total >= 4 * WAIT);
        assert!(of(&outer, "leaf").total < WAIT);
    });
}

#[test]
fn a_host_function_sees_what_has_not_ended() {
    everywhere(|runtime, options, stack| {
        let slot = std::sync::Arc::new(std::sync::Mutex::new(None::<Instance>));
        let shared = slot.clone();
        let mut imports = Imports::new(runtime);
        let wait = move |_: &mut Caller<'_>, value: i32| {
            let instance = shared.lock().unwrap().take().unwrap();
            let work = of(&instance, "work");
            assert_eq!((work.calls, work.active), (1, 1));
            assert_eq!(work.total, Duration::ZERO);
            value
        };
        imports.func("host", "wait", wait).unwrap();
        let inner = instance(&load(runtime, INNER, options), &imports);
        *slot.lock().unwrap() = Some(inner.clone());
        assert_eq!(call(&inner, stack(), "work", 3).unwrap(), 4);
        assert_eq!(of(&inner, "work").active, 0);
    });
}

const THROWS: &str = r#"(module
  (import "host" "wait" (func $wait (param i32) (result i32)))
  (tag $t (export "t") (param i32))
  (func $throw (param i32) (throw $t (local.get 0)))
  (func $between (export "between") (param i32) (result i32)
    (drop (call $wait (local.get 0)))
    (call $throw (local.get 0)) (i32.const 0))
  (func $after (param i32) (result i32) (i32.add (call $wait (local.get 0)) (i32.const 1)))
  (func (export "catch") (param i32) (result i32)
    (call $after
      (block $label (result i32)
        (try_table (result i32) (catch $t $label) (call $between (local.get 0)))))))"#;

const CATCHES: &str = r#"(module
  (import "inner" "between" (func $between (param i32) (result i32)))
  (import "inner" "t" (tag $t (param i32)))
  (import "host" "back" (func $back (param i32) (result i32)))
  (func $leaf (export "leaf") (param i32) (result i32) (call $between (local.get 0)))
  (func $ignore (param i32) (result i32)
    (block $label (result i32)
      (try_table (result i32) (catch $t $label) (call $between (local.get 0)))))
  (func $through (param i32) (result i32)
    (block $label (result i32)
      (try_table (result i32) (catch $t $label) (call $back (local.get 0)))))
  (func (export "run") (param i32) (result i32)
    (i32.add (call $ignore (local.get 0)) (call $through (local.get 0)))))"#;

#[test]
fn exceptions_end_the_calls_that_they_leave() {
    everywhere(|runtime, options, stack| {
        let mut imports = Imports::new(runtime);
        let wait = |_: &mut Caller<'_>, value: i32| {
            std::thread::sleep(WAIT);
            value
        };
        imports.func("host", "wait", wait).unwrap();
        let back = |caller: &mut Caller<'_>, value: i32| -> Result<i32, HostError> {
            let Some(precast_loader::Extern::Func(leaf)) = caller.export("leaf") else {
                panic!("it is exported")
            };
            let leaf = leaf.typed::<(i32,), i32>().unwrap();
            Ok(leaf.call(caller, (value,))?)
        };
        imports.func("host", "back", back).unwrap();
        let inner = instance(&load(runtime, THROWS, options), &imports);
        assert_eq!(call(&inner, stack(), "catch", 3).unwrap(), 4);
        assert!(call(&inner, stack(), "between", 3).is_err());
        let expected = [
            ("host.wait", 3),
            ("throw", 2),
            ("between", 2),
            ("after", 1),
            ("catch", 1),
        ];
        assert_eq!(calls(&inner), named(&expected));
        // The catching function goes on waiting, in a call that is not the thrown-through one's.
        assert!(of(&inner, "after").total >= WAIT);
        assert!(of(&inner, "throw").total < WAIT);
        for name in ["between", "t"] {
            let item = inner.export(name).unwrap();
            imports.define("inner", name, item).unwrap();
        }
        let outer = instance(&load(runtime, CATCHES, options), &imports);
        assert_eq!(call(&outer, stack(), "run", 3).unwrap(), 6);
        let expected = [
            ("inner.between", 2),
            ("host.back", 1),
            ("leaf", 1),
            ("ignore", 1),
            ("through", 1),
            ("run", 1),
        ];
        assert_eq!(calls(&outer), named(&expected));
        assert_eq!(of(&inner, "throw").calls, 4);
        assert_eq!(of(&inner, "between").active, 0);
        for function in ["run", "through", "ignore", "leaf"] {
            let it = of(&outer, function);
            assert!(it.total >= WAIT && it.own < WAIT, "{function}: {it:?}");
        }
    });
}

/// The paths, outermost function first.
fn paths(instance: &Instance) -> Vec<String> {
    let profile = instance.call_profile().unwrap().unwrap();
    let module = instance.module();
    let name = |index| match module.imported_function(index) {
        Some((from, name)) => format!("{from}.{name}"),
        None => module.function_name(index).unwrap().to_owned(),
    };
    let own: Duration = profile.functions().map(|it| it.own).sum();
    let on_paths: Duration = profile.paths().map(|it| it.own()).sum();
    // Each figure is rounded.
    assert!(
        own.abs_diff(on_paths) < Duration::from_micros(1),
        "{own:?} {on_paths:?}"
    );
    let paths = profile.paths().map(|path| {
        let mut names: Vec<String> = path.functions().map(name).collect();
        names.reverse();
        names.join(";")
    });
    let mut paths: Vec<String> = paths.collect();
    paths.sort();
    paths
}

#[test]
fn paths_fold_recursion() {
    const MUTUAL: &str = r#"(module
      (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
      (func $even (export "even") (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.add (call $odd (i32.sub (local.get 0) (i32.const 1))) (i32.const 0)))
          (else (call $leaf (i32.const 0)))))
      (func $odd (param i32) (result i32)
        (i32.add (call $even (i32.sub (local.get 0) (i32.const 1))) (call $leaf (i32.const 0)))))"#;
    everywhere(|runtime, options, stack| {
        let module = load(runtime, MUTUAL, options);
        let imports = Imports::new(runtime);
        for (room, expected) in [
            (100, &["even", "even;leaf", "even;odd", "even;odd;leaf"][..]),
            (4, &["even", "even;leaf", "even;odd"]),
            (1, &[""]),
            (0, &[]),
        ] {
            let options = InstanceOptions::default().call_paths(room);
            let instance = module.instantiate(&imports, options).unwrap();
            assert_eq!(call(&instance, stack(), "even", 40).unwrap(), 21);
            let profile = instance.call_profile().unwrap().unwrap();
            assert_eq!(profile.paths_are_missing(), (1..100).contains(&room));
            drop(profile);
            if room > 0 {
                assert_eq!(paths(&instance), expected);
            }
        }
    });
}

#[test]
fn paths_go_through_other_instances() {
    everywhere(|runtime, options, stack| {
        let mut imports = Imports::new(runtime);
        let wait = |_: &mut Caller<'_>, value: i32| value;
        imports.func("host", "wait", wait).unwrap();
        let back = |caller: &mut Caller<'_>, value: i32| -> Result<i32, HostError> {
            let Some(precast_loader::Extern::Func(leaf)) = caller.export("leaf") else {
                panic!("it is exported")
            };
            let leaf = leaf.typed::<(i32,), i32>().unwrap();
            Ok(leaf.call(caller, (value,))?)
        };
        imports.func("host", "back", back).unwrap();
        let paths_wanted = InstanceOptions::default().call_paths(50);
        let inner = load(runtime, INNER, options);
        let inner = inner.instantiate(&imports, paths_wanted).unwrap();
        let work = inner.export("work").unwrap();
        imports.define("inner", "work", work).unwrap();
        let outer = load(runtime, OUTER, options);
        let outer = outer.instantiate(&imports, paths_wanted).unwrap();
        call(&outer, stack(), "run", 15).unwrap();
        let expected = [
            "run",
            "run;middle",
            "run;middle;host.back",
            "run;middle;host.back;leaf",
            "run;middle;inner.work",
        ];
        assert_eq!(paths(&outer), expected);
        assert_eq!(paths(&inner), ["work", "work;host.wait"]);
    });
}

/// The counts that instances left behind: user, function, calls.
static LEFT: std::sync::Mutex<Vec<(usize, u32, u64)>> = std::sync::Mutex::new(Vec::new());

#[test]
fn the_counts_of_an_instance_outlive_it() {
    let runtime = Runtime::system().unwrap();
    let mut options = configuration::ALL[0].options();
    options.call_profile = true;
    let module = load(&runtime, RECURSION, &options);
    let tell = |user: usize, profile: &precast_loader::CallProfile<'_>| {
        let counts = profile.functions().map(|it| (user, it.index, it.calls));
        LEFT.lock().unwrap().extend(counts);
    };
    let threads = [5, 10].map(|value: i32| {
        let module = module.clone();
        std::thread::spawn(move || {
            let observer = precast_loader::CallObserver::new(value as usize, tell);
            let options = InstanceOptions::default().call_observer(observer);
            let imports = Imports::new(module.runtime());
            let instance = module.instantiate(&imports, options).unwrap();
            call(&instance, Stack::Caller, "fib", value).unwrap();
        })
    });
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let mut left = LEFT.lock().unwrap().clone();
    left.sort_unstable();
    assert_eq!(left, [(5, 0, 15), (10, 0, 177)]);
}

#[test]
fn other_artifacts_count_nothing() {
    let runtime = Runtime::system().unwrap();
    let options = configuration::ALL[0].options();
    let module = load(&runtime, RECURSION, &options);
    let instance = instance(&module, &Imports::new(&runtime));
    assert!(!module.counts_calls());
    assert!(instance.call_profile().unwrap().is_none());
    assert_eq!(call(&instance, Stack::Caller, "fib", 9).unwrap(), 34);
}

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// Runs the command in a folder; gives its exit code and what it says on standard error.
fn precast(folder: &std::path::Path, arguments: &[&str]) -> (i32, String) {
    let mut command = std::process::Command::new(PRECAST);
    let output = command
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), text)
}

#[test]
fn the_command_tells_counts_however_a_program_ends() {
    const PROGRAM: &str = r#"(module $app
      (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (@name "a;b\0a") (drop (call $yield)))
      (func $work (call 2) (call 2))
      (func (export "_start") (call $work) (call $work) (call $exit (i32.const 7)))
      (func (export "trap") (call $work) (unreachable)))"#;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("call-profile");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("app.wat"), PROGRAM).unwrap();

    let (code, _) = precast(&folder, &["compile", "app.wat", "--call-profile"]);
    assert_eq!(code, 0);
    let json = ["run", "app.precast", "--call-profile=calls.json"];
    let json = [&json[..], &["--call-profile-format", "json"]].concat();
    assert_eq!(precast(&folder, &json).0, 7);
    let text = std::fs::read_to_string(folder.join("calls.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["module"], "app");
    let mut functions: Vec<(String, u64)> = Vec::new();
    let mut own: Vec<u64> = Vec::new();
    for function in value["functions"].as_array().unwrap() {
        assert_eq!(function["active"], 0);
        own.push(function["self_nanoseconds"].as_u64().unwrap());
        assert!(function["total_nanoseconds"].as_u64() >= own.last().copied());
        let name = function["name"].as_str().unwrap().to_owned();
        functions.push((name, function["calls"].as_u64().unwrap()));
    }
    assert!(own.is_sorted_by(|one, other| one >= other), "{own:?}");
    functions.sort();
    let expected = [
        ("_start", 1),
        ("a;b\n", 4),
        ("proc_exit", 1),
        ("sched_yield", 4),
        ("work", 2),
    ];
    assert_eq!(functions, named(&expected));

    // A trap, a module that is compiled for it, and the table.
    let table = ["run", "app.wat", "--call-profile", "--invoke", "trap"];
    let (code, text) = precast(&folder, &table);
    assert_eq!(code, 134);
    let has_line = |count: &str, name: &str| {
        let mut lines = text.lines();
        lines.any(|line| line.trim_start().starts_with(count) && line.ends_with(name))
    };
    assert!(
        has_line("2 ", "  a;b\\n") && has_line("1 ", "  trap"),
        "{text}"
    );
    assert!(
        has_line("2 ", "  wasi_snapshot_preview1.sched_yield"),
        "{text}"
    );

    let folded = ["run", "app.precast", "--call-profile=folded"];
    let folded = [&folded[..], &["--call-profile-format", "folded"]].concat();
    assert_eq!(precast(&folder, &folded).0, 7);
    let text = std::fs::read_to_string(folder.join("folded")).unwrap();
    let path = r"_start;work;a:b\n;wasi_snapshot_preview1.sched_yield";
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(path));
    let time: u64 = line.unwrap().trim().parse().unwrap();
    assert!(time > 0, "{text}");

    let (code, _) = precast(&folder, &["compile", "app.wat", "-o", "plain.precast"]);
    assert_eq!(code, 0);
    let (code, text) = precast(&folder, &["run", "plain.precast", "--call-profile"]);
    assert_eq!(code, 1);
    let refusal = "error: the artifact does not count calls; compile it with --call-profile\n";
    assert_eq!(text, refusal);
}

#[test]
fn the_command_adds_up_threads() {
    const PROGRAM: &str = r#"(module
      (import "env" "memory" (memory 1 2 shared))
      (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
      (export "memory" (memory 0))
      (func $work (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))
      (func (export "wasi_thread_start") (param i32 i32)
        (call $work) (call $work)
        (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
        (drop (memory.atomic.notify (i32.const 8) (i32.const 9))))
      (func (export "_start") (local $done i32)
        (drop (call $spawn (i32.const 0)))
        (drop (call $spawn (i32.const 0)))
        (drop (call $spawn (i32.const 0)))
        (call $work)
        (loop $wait
          (local.set $done (i32.atomic.load (i32.const 8)))
          (if (i32.lt_u (local.get $done) (i32.const 3))
            (then
              (drop (memory.atomic.wait32 (i32.const 8) (local.get $done) (i64.const -1)))
              (br $wait))))))"#;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("call-profile-threads");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("app.wat"), PROGRAM).unwrap();
    let json = ["run", "app.wat", "--call-profile=calls.json"];
    let json = [&json[..], &["--call-profile-format", "json"]].concat();
    let (code, text) = precast(&folder, &json);
    assert_eq!(code, 0, "{text}");
    let text = std::fs::read_to_string(folder.join("calls.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let functions = value["functions"].as_array().unwrap().iter();
    let mut functions: Vec<(String, u64)> = functions
        .map(|function| {
            let name = function["name"].as_str().unwrap().to_owned();
            (name, function["calls"].as_u64().unwrap())
        })
        .collect();
    functions.sort();
    let expected = [
        ("_start", 1),
        ("thread-spawn", 3),
        ("wasi_thread_start", 3),
        ("work", 7),
    ];
    assert_eq!(functions, named(&expected));
}
