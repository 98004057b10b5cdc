//! Functions of the host as references that nothing imports; imports by their place; and which handles are to
//! the same thing.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use precast_compiler::{Silent, compile};
use precast_loader::{
    CallError, Caller, Category, ExecutionEnvironment, Extern, ExternKind, Func, HostError,
    Imports, Instance, InstanceOptions, InstantiateError, Module, Runtime, Source, Stack, Table,
    TrapCode, Value,
};
use precast_tests::configuration::{self, Configuration};

/// Calls what the host puts into its table, passes it on, and traps.
const CALLER: &str = r#"(module
  (type $unary (func (param i32) (result i32)))
  (table $table (export "table") 4 funcref)
  (global (export "global") (mut funcref) (ref.null func))
  (func (export "call") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 0) (local.get 1)))
  (func (export "pass") (param funcref) (result funcref) (local.get 0))
  (func (export "trap") unreachable))"#;

/// A runtime, and how modules are compiled for it.
struct World {
    runtime: Runtime,
    configuration: &'static Configuration,
}

impl World {
    fn all() -> impl Iterator<Item = World> {
        configuration::with_bytecode().map(|configuration| World {
            runtime: Runtime::system().expect("there is memory"),
            configuration,
        })
    }

    fn module(&self, text: &str, host_references: bool) -> Module {
        let wasm = wat::parse_str(text).expect("the module is well formed");
        let mut options = self.configuration.options();
        options.host_references = host_references;
        let compiled = compile(&wasm, &options, &Silent).expect("it compiles");
        let source = Source::copied(&compiled.artifact);
        let module = self.runtime.load_named_by_user(source);
        module.expect("the device accepts it")
    }

    fn instance(&self, text: &str, host_references: bool) -> Instance {
        let imports = Imports::new(&self.runtime);
        let module = self.module(text, host_references);
        let instance = module.instantiate(&imports, InstanceOptions::default());
        instance.expect("nothing is imported")
    }

    fn call(&self, function: &Func, params: &[Value]) -> Result<Value, CallError> {
        let stack = ExecutionEnvironment::new(&self.runtime, Stack::Caller);
        let mut results = [Value::I32(0)];
        let count = function.func_type().results().len();
        let results = &mut results[..count];
        function.call(&mut stack.expect("there is memory"), params, results)?;
        Ok(results.first().cloned().unwrap_or(Value::I32(0)))
    }

    /// A function that adds, and counts how many closures like it are there.
    fn adder(&self, number: i32, alive: &Arc<AtomicUsize>) -> Func {
        struct Alive(Arc<AtomicUsize>);
        impl Drop for Alive {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        alive.fetch_add(1, Ordering::Relaxed);
        let alive = Alive(alive.clone());
        let add = move |_: &mut Caller<'_>, given: i32| {
            let _ = &alive;
            Ok::<i32, HostError>(given + number)
        };
        Func::new(&self.runtime, add).expect("there is memory")
    }
}

fn func(instance: &Instance, name: &str) -> Func {
    let export = instance.export(name).and_then(Extern::into_func);
    export.expect("it is exported")
}

fn table(instance: &Instance) -> Table {
    let export = instance.export("table").and_then(Extern::into_table);
    export.expect("it is exported")
}

fn reference(func: &Func) -> Value {
    Value::FuncRef(Some(func.clone()))
}

fn identity(func: &Func) -> usize {
    Extern::from(func.clone()).identity()
}

#[test]
fn code_calls_host_functions_that_nothing_imports() {
    for world in World::all() {
        let alive = Arc::new(AtomicUsize::new(0));
        let instance = world.instance(CALLER, true);
        let (table, call) = (table(&instance), func(&instance, "call"));
        let add = world.adder(5, &alive);
        table.set(1, &reference(&add)).expect("there is an adapter");
        let sum = world.call(&call, &[Value::I32(2), Value::I32(1)]);
        assert_eq!(sum.expect("it returns").i32(), Some(7));

        // The same again takes no more memory, and is the same when it comes back.
        let before = world.runtime.usage(Category::Instance).current;
        for index in 0..4 {
            table
                .set(index, &reference(&add))
                .expect("there is an adapter");
        }
        let passed = world.call(&func(&instance, "pass"), &[reference(&add)]);
        let Ok(Value::FuncRef(Some(passed))) = passed else {
            panic!("{passed:?}");
        };
        assert_eq!(identity(&passed), identity(&add));
        assert_ne!(identity(&passed), identity(&call));
        let after = world.runtime.usage(Category::Instance).current;
        assert_eq!(before, after);
        let global = instance.export("global").and_then(Extern::into_global);
        let global = global.expect("it is exported");
        global.set(reference(&add)).expect("there is an adapter");

        // It lives as long as the instance.
        drop((add, passed));
        let sum = world.call(&call, &[Value::I32(3), Value::I32(3)]);
        assert_eq!(sum.expect("it returns").i32(), Some(8));
        assert_eq!(alive.load(Ordering::Relaxed), 1);
        drop((instance, table, call, global));
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn other_instances_of_the_group_call_them_too() {
    const USER: &str = r#"(module
      (type $unary (func (param i32) (result i32)))
      (import "a" "table" (table 4 funcref))
      (func (export "call") (param i32 i32) (result i32)
        (call_indirect (type $unary) (local.get 0) (local.get 1))))"#;
    for world in World::all() {
        let alive = Arc::new(AtomicUsize::new(0));
        let owner = world.instance(CALLER, true);
        let mut imports = Imports::new(&world.runtime);
        imports.instance("a", &owner).expect("there is memory");
        let user = world.module(USER, false);
        let user = user.instantiate(&imports, InstanceOptions::default());
        let user = user.expect("the table is there");
        let add = world.adder(1, &alive);
        table(&owner)
            .set(2, &reference(&add))
            .expect("there is an adapter");
        let sum = world.call(&func(&user, "call"), &[Value::I32(40), Value::I32(2)]);
        assert_eq!(sum.expect("it returns").i32(), Some(41));
    }
}

#[test]
fn without_an_adapter_there_is_no_reference() {
    for world in World::all() {
        let alive = Arc::new(AtomicUsize::new(0));
        let add = world.adder(1, &alive);
        let without = world.instance(CALLER, false);
        let refused = table(&without).set(1, &reference(&add));
        assert!(
            matches!(refused, Err(CallError::HostFunctionReference)),
            "{refused:?}"
        );
        // Of a type that the module does not have.
        let with = world.instance(CALLER, true);
        let other = Func::new(&world.runtime, |_: &mut Caller<'_>, _: f64| ());
        let refused = table(&with).set(1, &reference(&other.expect("there is memory")));
        assert!(
            matches!(refused, Err(CallError::HostFunctionReference)),
            "{refused:?}"
        );
        // The type of the call is still looked at.
        let trap = Func::new(&world.runtime, |_: &mut Caller<'_>| ()).expect("there is memory");
        table(&with)
            .set(1, &reference(&trap))
            .expect("there is an adapter");
        let stopped = world.call(&func(&with, "call"), &[Value::I32(1), Value::I32(1)]);
        assert!(
            matches!(&stopped, Err(CallError::Trap(trap)) if trap.code() == TrapCode::IndirectCallTypeMismatch),
            "{stopped:?}"
        );
    }
}

#[test]
fn imports_are_found_by_their_place() {
    const TWICE: &str = r#"(module
      (import "host" "same" (func $first (param i32) (result i32)))
      (import "host" "same" (func $second (result i32)))
      (export "again" (func $first))
      (func (export "sum") (result i32) (i32.add (call $first (i32.const 1)) (call $second))))"#;
    for world in World::all() {
        let alive = Arc::new(AtomicUsize::new(0));
        let first = world.adder(10, &alive);
        let second = Func::new(&world.runtime, |_: &mut Caller<'_>| 100).expect("there is memory");
        let module = world.module(TWICE, false);
        let instantiate = |items: Vec<Func>| {
            let items = items.into_iter().map(Extern::from);
            let imports = Imports::by_place(&world.runtime, items).expect("there is memory");
            module.instantiate(&imports, InstanceOptions::default())
        };
        let instance = instantiate(vec![first.clone(), second.clone()]).expect("they fit");
        let sum = world.call(&func(&instance, "sum"), &[]);
        assert_eq!(sum.expect("it returns").i32(), Some(111));
        assert_eq!(identity(&func(&instance, "again")), identity(&first));
        let wrong = instantiate(vec![second, first.clone()]);
        assert!(matches!(wrong, Err(InstantiateError::Link(_))), "{wrong:?}");
        let few = instantiate(vec![first]);
        assert!(matches!(few, Err(InstantiateError::Link(_))), "{few:?}");
    }
}

#[test]
fn handles_to_the_same_thing_have_one_identity() {
    for world in World::all() {
        let module = world.module(CALLER, false);
        let imports = Imports::new(&world.runtime);
        let make = || {
            let instance = module.instantiate(&imports, InstanceOptions::default());
            instance.expect("nothing is imported")
        };
        let (first, second) = (make(), make());
        assert_eq!(first.identity(), first.clone().identity());
        assert_ne!(first.identity(), second.identity());
        let mut identities = Vec::new();
        for instance in [&first, &second] {
            for (name, item) in instance.exports() {
                let again = instance.export(name).expect("it is exported");
                assert_eq!(item.identity(), again.identity());
                identities.push(item.identity());
            }
        }
        let count = identities.len();
        identities.sort_unstable();
        identities.dedup();
        assert_eq!(identities.len(), count);

        let declared: Vec<_> = module
            .exports()
            .map(|(name, ty)| (name, ty.kind()))
            .collect();
        assert_eq!(declared.len(), first.exports().count());
        assert_eq!(declared.first(), Some(&("table", ExternKind::Table)));
        assert_eq!(declared.last(), Some(&("trap", ExternKind::Function)));

        // A frame knows its instance, where that is clear.
        let frames = |instance: &Instance| {
            let stopped = world.call(&func(instance, "trap"), &[]);
            let Err(CallError::Trap(trap)) = stopped else {
                panic!("{stopped:?}");
            };
            let frame = trap.backtrace().frames().first();
            frame.expect("it has one").instance_identity()
        };
        assert_eq!(frames(&first), Some(first.identity()));
        let passed = world.call(&func(&second, "pass"), &[reference(&func(&first, "trap"))]);
        passed.expect("it returns");
        assert_eq!(frames(&first), None);
    }
}
