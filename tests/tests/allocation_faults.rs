//! Every request for memory may be refused: whatever was under way then ends with an error, takes
//! back what it took, and works the next time.
//!
//! Each step of a program's life runs with its first request refused, then with the second, until
//! one run needs no more requests; once with that request alone refused and once with all that
//! follow. What lives beside the step, a library that shares its memory and table, goes on living.

#[path = "../../loader/tests/support/faulty.rs"]
mod faulty;

use std::cell::RefCell;
use std::fmt::Display;

use faulty::{Faulty, Snapshot, WAYS};
use precast_compiler::{Silent, compile};
use precast_loader::{
    CallError, Caller, Exception, ExecutionEnvironment, FuncType, Global, GlobalType, HostError,
    Imports, Instance, InstanceOptions, Limits, Memory, MemoryType, Module, Runtime,
    RuntimeOptions, Source, Stack, Table, TableType, Tag, TrapCode, Value, ValueType,
};
use precast_tests::configuration::{self, Configuration};
use precast_wasi::{Output, OutputBuffer, WasiContext};

/// What the program shares with others.
const LIBRARY: &str = r#"(module $library
  (table (export "table") 6 20 funcref)
  (memory (export "memory") 1 4)
  (global (export "global") (mut i32) (i32.const 7))
  (func $self (export "self") (param i32) (result i32) (local.get 0))
  (elem (i32.const 0) func $self))"#;

/// A program with some of everything.
const PROGRAM: &str = r#"(module $program
  (import "host" "typed" (func $typed (param i32) (result i32)))
  (import "host" "untyped" (func $untyped (param i32 i64) (result i64)))
  (import "library" "self" (func $self (param i32) (result i32)))
  (import "library" "table" (table $shared 4 20 funcref))
  (import "library" "memory" (memory $library 1 4))
  (import "library" "global" (global $global (mut i32)))
  (memory $memory (export "memory") 1 3)
  (table $table (export "table") 4 300 funcref)
  (table $exceptions 30 exnref)
  (tag $tag (export "tag") (param i32 i64))
  (global $own (mut i64) (i64.const 5))
  (data (memory $memory) (i32.const 100) "active")
  (data (memory $library) (i32.const 5000) "shared")
  (data $passive "passive")
  (elem (table $table) (i32.const 0) func $typed $self)
  (elem (table $shared) (i32.const 1) func $self $deep)
  (elem $items func $typed $many)
  (elem $more funcref (ref.func $deep) (ref.null func))
  (start $start)
  (func $start
    (memory.init $memory $passive (i32.const 0) (i32.const 0) (i32.const 7))
    (table.init $table $items (i32.const 2) (i32.const 0) (i32.const 2))
    (drop (call $typed (i32.const 1))))
  (func $many (export "many")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.sub (local.get 17) (local.get 0)))
  (func (export "typed") (param i32) (result i32) (call $typed (local.get 0)))
  (func (export "untyped") (param i32 i64) (result i64)
    (call $untyped (local.get 0) (local.get 1)))
  (func (export "grow") (param i32) (result i32) (memory.grow $memory (local.get 0)))
  (func (export "grow_shared") (param i32) (result i32) (memory.grow $library (local.get 0)))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow $table (ref.null func) (local.get 0)))
  (func $throw (export "throw") (param i32) (throw $tag (local.get 0) (i64.const 2)))
  (func $catch (param i32) (result exnref)
    (block $h (result i32 i64 exnref)
      (try_table (catch_ref $tag $h) (call $throw (local.get 0)))
      unreachable)
    (return (call $third)))
  (func $third (param i32 i64 exnref) (result exnref) (local.get 2))
  (func (export "catch") (param i32)
    (loop $more
      (table.set $exceptions (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))
        (call $catch (local.get 0)))
      (br_if $more (local.get 0))))
  (func (export "let_go") (table.fill $exceptions (i32.const 0) (ref.null exn) (i32.const 30)))
  (func $deep (export "deep") (param i32)
    (if (local.get 0)
      (then (call $deep (i32.sub (local.get 0) (i32.const 1))))
      (else unreachable))))"#;

/// A program for WASI that prints a line.
const COMMAND: &str = r#"(module $command
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\20\00\00\00\06\00\00\00")
  (data (i32.const 32) "hello\n")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
    (call $proc_exit (i32.const 3))))"#;

/// The artifacts of one configuration.
struct Artifacts {
    library: Vec<u8>,
    program: Vec<u8>,
    command: Vec<u8>,
}

impl Artifacts {
    fn new(configuration: &Configuration) -> Artifacts {
        let artifact = |text| {
            let wasm = wat::parse_str(text).expect("the module is well formed");
            let compiled = compile(&wasm, &configuration.options(), &Silent);
            compiled.expect("it compiles").artifact
        };
        Artifacts {
            library: artifact(LIBRARY),
            program: artifact(PROGRAM),
            command: artifact(COMMAND),
        }
    }
}

fn text(error: impl Display) -> String {
    error.to_string()
}

fn load(runtime: &Runtime, artifact: &[u8]) -> Result<Module, String> {
    runtime
        .load_named_by_user(Source::copied(artifact))
        .map_err(text)
}

/// The host's side of the program.
fn define_host(imports: &mut Imports) -> Result<(), String> {
    let added = 1;
    let typed = move |_: &mut Caller<'_>, value: i32| match value {
        i32::MIN => Err(HostError::Message("not this number")),
        _ => Ok(value + added),
    };
    imports.func("host", "typed", typed).map_err(text)?;
    let types = ([ValueType::I32, ValueType::I64], [ValueType::I64]);
    let func_type = FuncType::new(imports.runtime(), &types.0, &types.1).map_err(text)?;
    let untyped = |_: &mut Caller<'_>, params: &[Value], results: &mut [Value]| {
        if let (Some(Value::I64(value)), [result]) = (params.get(1), results) {
            *result = Value::I64(value + 1);
        }
        Ok(())
    };
    imports
        .func_untyped("host", "untyped", func_type, untyped)
        .map_err(text)
}

/// What there is before a step begins.
struct World {
    runtime: Runtime,
    artifacts: &'static Artifacts,
    library: Instance,
    program: Module,
    imports: RefCell<Imports>,
    /// There for the steps that need one.
    instance: Option<Instance>,
}

impl World {
    fn new(faulty: &'static Faulty, artifacts: &'static Artifacts, with_instance: bool) -> World {
        let runtime = faulty
            .runtime(RuntimeOptions::default())
            .expect("there is room");
        let library = load(&runtime, &artifacts.library).expect("there is room");
        let library = library.instantiate(&Imports::new(&runtime), InstanceOptions::default());
        let library = library.expect("there is room");
        let program = load(&runtime, &artifacts.program).expect("there is room");
        let mut imports = Imports::new(&runtime);
        define_host(&mut imports).expect("there is room");
        imports
            .instance("library", &library)
            .expect("there is room");
        let instance = with_instance.then(|| {
            let instance = program.instantiate(&imports, InstanceOptions::default());
            instance.expect("there is room")
        });
        World {
            runtime,
            artifacts,
            library,
            program,
            imports: RefCell::new(imports),
            instance,
        }
    }

    fn instance(&self) -> &Instance {
        self.instance.as_ref().expect("the step asked for one")
    }

    fn environment(&self) -> ExecutionEnvironment<'static> {
        ExecutionEnvironment::new(&self.runtime, Stack::Caller).expect("it takes no memory")
    }

    /// Calls an export that grows something by so much and says how large it was.
    fn grow(&self, name: &str, by: i32, before: i32) -> Result<(), String> {
        let grow = self.instance().func::<(i32,), i32>(name).map_err(text)?;
        let result = grow.call(&mut self.environment(), (by,)).map_err(text)?;
        if result == -1 {
            return Err("no memory to grow".into());
        }
        assert_eq!(result, before);
        Ok(())
    }
}

/// Something that needs memory.
type Step = fn(&World) -> Result<(), String>;

/// The steps: a name, whether the program is instantiated before, and what is done.
const STEPS: &[(&str, bool, Step)] = &[
    ("load", false, |world| {
        load(&world.runtime, &world.artifacts.program).map(drop)
    }),
    ("define", false, |world| {
        let mut imports = Imports::new(&world.runtime);
        define_host(&mut imports)?;
        imports.instance("library", &world.library).map_err(text)
    }),
    ("define one more", false, |world| {
        let closure = |_: &mut Caller<'_>, _: i64, _: f32, _: u128| 1u64;
        let mut imports = world.imports.borrow_mut();
        imports.func("host", "more", closure).map_err(text)
    }),
    ("replace", false, |world| {
        let closure = |_: &mut Caller<'_>, value: i32| value;
        let mut imports = world.imports.borrow_mut();
        imports.func("host", "typed", closure).map_err(text)
    }),
    ("instantiate", false, |world| {
        let imports = world.imports.borrow();
        let instance = world
            .program
            .instantiate(&imports, InstanceOptions::default());
        instance.map(drop).map_err(text)
    }),
    ("instantiate with what the host made", false, |world| {
        let memory = MemoryType {
            limits: Limits {
                min: 1,
                max: Some(4),
            },
            is_64: false,
            shared: false,
            page_size_log2: 16,
        };
        let memory = Memory::new(&world.runtime, memory).map_err(text)?;
        let global = GlobalType {
            value: ValueType::I32,
            mutable: true,
        };
        let global = Global::new(&world.runtime, global, Value::I32(4)).map_err(text)?;
        let table = TableType {
            element: ValueType::FUNCREF,
            limits: Limits {
                min: 5,
                max: Some(20),
            },
            is_64: false,
        };
        let table = Table::new(&world.runtime, table, Value::FuncRef(None)).map_err(text)?;
        let mut imports = Imports::new(&world.runtime);
        define_host(&mut imports)?;
        let library = load(&world.runtime, &world.artifacts.library)?;
        let library = library.instantiate(&imports, InstanceOptions::default());
        let library = library.map_err(text)?;
        let function = library.untyped_func("self").map_err(text)?;
        imports.define("library", "self", function).map_err(text)?;
        imports.memory("library", "memory", &memory).map_err(text)?;
        imports.table("library", "table", &table).map_err(text)?;
        imports.global("library", "global", &global).map_err(text)?;
        let options = InstanceOptions::default().fixed_memory(true);
        world
            .program
            .instantiate(&imports, options)
            .map(drop)
            .map_err(text)
    }),
    ("call", true, |world| {
        let mut environment = world.environment();
        let typed = world
            .instance()
            .func::<(i32,), i32>("typed")
            .map_err(text)?;
        assert_eq!(typed.call(&mut environment, (41,)).map_err(text)?, 42);
        assert!(typed.call(&mut environment, (i32::MIN,)).is_err());
        Ok(())
    }),
    ("call with many parameters", true, |world| {
        let many = world.instance().untyped_func("many").map_err(text)?;
        let params: [Value; 18] = std::array::from_fn(|index| Value::I32(index as i32 + 1));
        let mut results = [Value::I32(0)];
        many.call(&mut world.environment(), &params, &mut results)
            .map_err(text)?;
        assert!(matches!(results, [Value::I32(17)]));
        Ok(())
    }),
    ("call the host by values", true, |world| {
        let untyped = world
            .instance()
            .func::<(i32, i64), i64>("untyped")
            .map_err(text)?;
        let result = untyped
            .call(&mut world.environment(), (1, 41))
            .map_err(text)?;
        assert_eq!(result, 42);
        Ok(())
    }),
    ("trap", true, |world| {
        let deep = world.instance().func::<(i32,), ()>("deep").map_err(text)?;
        match deep.call(&mut world.environment(), (20,)) {
            Err(CallError::Trap(trap)) => {
                let backtrace = trap.backtrace();
                assert!(backtrace.frames().len() == 21 || backtrace.is_truncated());
                Ok(())
            }
            Err(error) => Err(text(error)),
            Ok(()) => panic!("there was no trap"),
        }
    }),
    ("throw and catch", true, |world| {
        let catch = world.instance().func::<(i32,), ()>("catch").map_err(text)?;
        let result = catch.call(&mut world.environment(), (30,));
        let let_go = world.instance().func::<(), ()>("let_go").map_err(text)?;
        let_go.call(&mut world.environment(), ()).map_err(text)?;
        match result {
            Err(CallError::Trap(trap)) if trap.code() == TrapCode::OutOfMemory => {
                Err("no memory for an exception".into())
            }
            other => other.map_err(text),
        }
    }),
    ("throw out of the call", true, |world| {
        let throw = world.instance().func::<(i32,), ()>("throw").map_err(text)?;
        match throw.call(&mut world.environment(), (5,)) {
            Err(CallError::Exception(uncaught)) => {
                let values = uncaught.exception().values().map_err(text)?;
                assert_eq!(values.count(), 2);
                Ok(())
            }
            Err(CallError::Trap(trap)) if trap.code() == TrapCode::OutOfMemory => {
                Err("no memory for an exception".into())
            }
            Err(error) => Err(text(error)),
            Ok(()) => panic!("nothing was thrown"),
        }
    }),
    ("make an exception", true, |world| {
        let tag = world.instance().tag("tag").expect("it is exported");
        let values = [Value::I32(1), Value::I64(2)];
        let exception = Exception::new(&tag, &values).map_err(text)?;
        let tag = Tag::new(&world.runtime, &[ValueType::EXNREF]).map_err(text)?;
        let outer = [Value::ExnRef(Some(exception))];
        Exception::new(&tag, &outer).map(drop).map_err(text)
    }),
    ("grow", true, |world| world.grow("grow", 1, 1)),
    ("grow a memory of another instance", true, |world| {
        world.grow("grow_shared", 2, 1)
    }),
    ("grow a table", true, |world| {
        world.grow("grow_table", 200, 4)
    }),
    ("grow from outside", true, |world| {
        let memory = world.instance().memory("memory").expect("it is exported");
        let grown = memory.grow(2).map_err(text)?;
        grown.map(drop).ok_or("no memory to grow".into())
    }),
    ("grow a table from outside", true, |world| {
        let table = world.library.table("table").expect("it is exported");
        let grown = table.grow(14, &Value::FuncRef(None)).map_err(text)?;
        grown.map(drop).ok_or("no memory to grow".into())
    }),
    ("refer to another instance", true, |world| {
        let other = load(&world.runtime, &world.artifacts.library)?;
        let other = other.instantiate(&Imports::new(&world.runtime), InstanceOptions::default());
        let function = other.map_err(text)?.untyped_func("self").map_err(text)?;
        let table = world.library.table("table").expect("it is exported");
        table.set(5, &Value::FuncRef(Some(function))).map_err(text)
    }),
    ("run a command", false, |world| {
        let command = load(&world.runtime, &world.artifacts.command)?;
        let output = OutputBuffer::new(100);
        let context = WasiContext::builder()
            .arg("hello")
            .stdout(Output::Buffer(output.clone()));
        let context = context.build(&world.runtime).map_err(text)?;
        let mut imports = Imports::new(&world.runtime);
        context.define_for(&mut imports, &command).map_err(text)?;
        let instance = command
            .instantiate(&imports, InstanceOptions::default())
            .map_err(text)?;
        let start = instance.func::<(), ()>("_start").map_err(text)?;
        match start.call(&mut world.environment(), ()) {
            Err(CallError::Exit(3)) => {}
            Err(error) => return Err(text(error)),
            Ok(()) => panic!("it exits"),
        }
        assert_eq!(output.contents(), b"hello\n");
        Ok(())
    }),
];

/// Runs a step with each of its requests refused; how many requests it has.
fn refuse_each(faulty: &'static Faulty, artifacts: &'static Artifacts, step: usize) -> usize {
    let (name, with_instance, run) = STEPS[step];
    let empty = faulty.free();
    let mut count = 0;
    for fault in WAYS {
        for number in 0.. {
            let world = World::new(faulty, artifacts, with_instance);
            let before = Snapshot::of(&world.runtime, faulty);
            faulty.arm(fault(number));
            let result = run(&world);
            let (requests, refused) = faulty.disarm();
            if let Err(message) = &result {
                assert!(message.contains("no memory"), "{name}: {message}");
                assert!(refused > 0, "{name}: {message}");
                let different = before.difference(&Snapshot::of(&world.runtime, faulty));
                assert!(
                    different.is_empty(),
                    "{name}, {:?}, after {message}: {different:#?}",
                    fault(number)
                );
                run(&world).unwrap_or_else(|error| panic!("{name}, again: {error}"));
            }
            drop(world);
            assert_eq!(faulty.free(), empty, "{name}, {:?}", fault(number));
            if refused == 0 {
                result.expect("nothing was refused");
                count = requests;
                break;
            }
        }
    }
    count
}

fn refuse_everything(configuration: &Configuration) {
    let faulty = Faulty::new(4 << 20);
    let artifacts: &'static Artifacts = Box::leak(Box::new(Artifacts::new(configuration)));
    for (index, (name, _, _)) in STEPS.iter().enumerate() {
        let requests = refuse_each(faulty, artifacts, index);
        println!("{}: {name}: {requests} requests", configuration.name);
    }
}

#[test]
fn every_request_may_be_refused_under_guard() {
    refuse_everything(&configuration::ALL[0]);
}

#[test]
fn every_request_may_be_refused_under_explicit_checks() {
    refuse_everything(&configuration::ALL[3]);
}

#[test]
fn a_runtime_may_be_refused() {
    let faulty = Faulty::new(1 << 20);
    let empty = faulty.free();
    for number in 0.. {
        faulty.arm(faulty::Fault::Only(number));
        let runtime = faulty.runtime(RuntimeOptions::default());
        let (_, refused) = faulty.disarm();
        assert_eq!(runtime.is_err(), refused > 0);
        drop(runtime);
        assert_eq!(faulty.free(), empty);
        if refused == 0 {
            assert!(number > 1);
            break;
        }
    }
}
