//! References to functions of one type, across modules and through the host; and which types of
//! recursion groups are the same there.
#![forbid(unsafe_code)]

use precast_compiler::{Silent, compile};
use precast_loader::{
    CallError, Category, ExecutionEnvironment, Func, FuncType, Global, GlobalType, Imports,
    Instance, InstanceOptions, InstantiateError, Limits, LinkError, Runtime, Source, Stack, Table,
    TableType, TrapCode, Value, ValueType,
};
use precast_tests::configuration::{self, Configuration};

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

    fn try_instance(&self, text: &str, imports: &Imports) -> Result<Instance, InstantiateError> {
        let wasm = wat::parse_str(text).expect("the module is well formed");
        let compiled = compile(&wasm, &self.configuration.options(), &Silent);
        let artifact = compiled.expect("it compiles").artifact;
        let module = self.runtime.load_named_by_user(Source::copied(&artifact));
        let module = module.expect("the device accepts it");
        module.instantiate(imports, InstanceOptions::default())
    }

    fn instance(&self, text: &str, imports: &Imports) -> Instance {
        self.try_instance(text, imports)
            .expect("the imports are there")
    }

    fn call(&self, function: &Func, params: &[Value]) -> Result<Value, CallError> {
        let stack = ExecutionEnvironment::new(&self.runtime, Stack::Caller);
        let mut results = [Value::I32(0)];
        function.call(&mut stack.expect("there is memory"), params, &mut results)?;
        let [result] = results;
        Ok(result)
    }
}

/// Exports a function that calls what it is given, and functions of two types to give it.
const CALLER: &str = r#"(module
  (rec (type $unary (func (param i32) (result i32))) (type $other (func)))
  (func (export "call") (param (ref null $unary)) (result i32)
    (call_ref $unary (i32.const 20) (local.get 0)))
  (func (export "call_last") (param (ref null $unary)) (result i32)
    (return_call_ref $unary (i32.const 30) (local.get 0)))
  (func (export "not_null") (param (ref null $unary)) (result (ref $unary))
    (ref.as_non_null (local.get 0)))
  (func (export "double") (type $unary) (i32.mul (local.get 0) (i32.const 2)))
  (type $plain (func (param i32) (result i32)))
  (func (export "plain") (type $plain) (local.get 0)))"#;

fn func(instance: &Instance, name: &str) -> Func {
    instance.untyped_func(name).expect("it is exported")
}

#[test]
fn references_are_called_and_checked_where_the_host_passes_them() {
    for world in World::all() {
        let instance = world.instance(CALLER, &Imports::new(&world.runtime));
        let given = |name: &str| [Value::FuncRef(Some(func(&instance, name)))];
        let call = func(&instance, "call");
        let result = world.call(&call, &given("double"));
        assert_eq!(result.expect("of the type").i32(), Some(40));
        let result = world.call(&func(&instance, "call_last"), &given("double"));
        assert_eq!(result.expect("of the type").i32(), Some(60));
        // Of the same structure, in no group.
        let refused = world.call(&call, &given("plain"));
        assert!(matches!(refused, Err(CallError::Mismatch { .. })));
        let null = [Value::FuncRef(None)];
        for (name, code) in [
            ("call", TrapCode::NullFunctionReference),
            ("call_last", TrapCode::NullFunctionReference),
            ("not_null", TrapCode::NullReference),
        ] {
            let trapped = world.call(&func(&instance, name), &null);
            assert!(matches!(trapped, Err(CallError::Trap(trap)) if trap.code() == code));
        }
    }
}

#[test]
fn equal_groups_link_and_others_do_not() {
    let cases = [
        (
            "(rec (type $t (func (param i32) (result i32))) (type (func)))",
            true,
        ),
        ("(type $t (func (param i32) (result i32)))", false),
        (
            "(rec (type (func)) (type $t (func (param i32) (result i32))))",
            false,
        ),
        (
            "(rec (type $t (func (param i32) (result i32))) (type (func (param i32))))",
            false,
        ),
        (
            "(rec (type $t (func (param i32) (result i32))) (type (func)) (type (func)))",
            false,
        ),
    ];
    for world in World::all() {
        let exporter = world.instance(CALLER, &Imports::new(&world.runtime));
        let mut imports = Imports::new(&world.runtime);
        let double = exporter.export("double").expect("it is exported");
        imports.define("m", "f", double).expect("there is memory");
        for (types, links) in cases {
            let text = format!(
                r#"(module {types} (import "m" "f" (func $f (type $t))) (elem declare func $f)
                  (func (export "run") (result i32)
                    (call_ref $t (i32.const 4) (ref.func $f))))"#
            );
            match world.try_instance(&text, &imports) {
                Ok(instance) => {
                    assert!(links, "{types}");
                    let result = world.call(&func(&instance, "run"), &[]);
                    assert_eq!(result.expect("it returns").i32(), Some(8));
                }
                Err(InstantiateError::Link(LinkError::Mismatch { .. })) => {
                    assert!(!links, "{types}");
                }
                Err(error) => panic!("{types}: {error}"),
            }
        }
    }
}

#[test]
fn the_host_has_tables_globals_and_functions_of_such_types() {
    let text = r#"(module
      (type $unary (func (param i32) (result i32)))
      (import "h" "choose" (func $choose (param (ref $unary)) (result (ref $unary))))
      (import "h" "table" (table $table 1 (ref null $unary)))
      (import "h" "global" (global $global (ref $unary)))
      (func $half (export "half") (type $unary) (i32.div_s (local.get 0) (i32.const 2)))
      (func (export "nothing"))
      (table 2 (ref $unary) (ref.func $half))
      (func (export "chosen") (result i32)
        (call_ref $unary (i32.const 8) (call $choose (ref.func $half))))
      (func (export "from_table") (result i32)
        (call_ref $unary (i32.const 10) (table.get $table (i32.const 0))))
      (func (export "from_global") (result i32)
        (call_ref $unary (i32.const 5) (global.get $global))))"#;
    let given = r#"(module (func (export "same") (param i32) (result i32) (local.get 0)))"#;
    for world in World::all() {
        let runtime = &world.runtime;
        let same = func(&world.instance(given, &Imports::new(runtime)), "same");
        let unary = FuncType::new(runtime, &[ValueType::I32], &[ValueType::I32]);
        let unary = unary.expect("there is memory");
        let (reference, or_null) = (unary.reference(false), unary.reference(true));
        let choose = FuncType::new(runtime, &[reference], &[reference]);
        let chosen = std::sync::Arc::new(std::sync::Mutex::new(Value::FuncRef(None)));
        let choice = chosen.clone();
        let choose = Func::untyped(
            runtime,
            choose.expect("memory"),
            move |_, params, results| {
                assert!(matches!(params, [Value::FuncRef(Some(_))]));
                results[0] = choice.lock().expect("nobody panicked").clone();
                Ok(())
            },
        );
        let table = TableType {
            element: or_null,
            limits: Limits { min: 1, max: None },
            is_64: false,
        };
        let table = Table::new(runtime, table, Value::FuncRef(None)).expect("of the type");
        let global = GlobalType {
            value: reference,
            mutable: false,
        };
        assert!(Global::new(runtime, global, Value::FuncRef(None)).is_err());
        let global = Global::new(runtime, global, Value::FuncRef(Some(same.clone())));
        let mut imports = Imports::new(runtime);
        imports
            .define("h", "choose", choose.expect("memory"))
            .expect("memory");
        imports.define("h", "table", table.clone()).expect("memory");
        imports
            .define("h", "global", global.expect("of the type"))
            .expect("memory");
        let instance = world.instance(text, &imports);
        let run = |name: &str| world.call(&func(&instance, name), &[]);

        assert!(run("chosen").is_err(), "null is not one of the type");
        *chosen.lock().expect("nobody panicked") = Value::FuncRef(Some(func(&instance, "nothing")));
        assert!(run("chosen").is_err(), "another type");
        *chosen.lock().expect("nobody panicked") = Value::FuncRef(Some(func(&instance, "half")));
        assert_eq!(run("chosen").expect("of the type").i32(), Some(4));
        *chosen.lock().expect("nobody panicked") = Value::FuncRef(None);

        assert!(run("from_table").is_err());
        let other = Value::FuncRef(Some(func(&instance, "nothing")));
        assert!(table.set(0, &other).is_err());
        let half = Value::FuncRef(Some(func(&instance, "half")));
        table.set(0, &half).expect("of the type");
        assert_eq!(run("from_table").expect("it is there").i32(), Some(5));
        assert_eq!(run("from_global").expect("it is there").i32(), Some(5));
    }
}

#[test]
fn types_go_with_their_modules() {
    for world in World::all() {
        let before = world.runtime.usage(Category::Types).current;
        drop(world.instance(CALLER, &Imports::new(&world.runtime)));
        assert_eq!(world.runtime.usage(Category::Types).current, before);
    }
}
