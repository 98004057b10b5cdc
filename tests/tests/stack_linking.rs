//! Code that relies on a guard page does not come to a call that is in progress on a stack without
//! one, however it gets linked to it.
#![forbid(unsafe_code)]

use std::mem::MaybeUninit;
use std::sync::{Arc, Mutex};

use precast_compiler::{Options, Silent, compile};
use precast_format::tunables::StackChecks;
use precast_loader::{
    CallError, Caller, Extern, HostError, Imports, Instance, InstanceOptions, InstantiateError,
    Module, Runtime, Source, Stack, StackError, TrapCode, Value,
};
use precast_tests::configuration;

/// Calls the host, which links, and then whatever is in the table.
const CALLER: &str = r#"(module
  (import "host" "link" (func $link (result i32)))
  (table (export "table") 1 funcref)
  (func (export "run") (result i32)
    (if (result i32) (call $link)
      (then (call_indirect (result i32) (i32.const 0)))
      (else (i32.const 7)))))"#;

/// Puts a function without end into the table that it imports.
const IMPORTING: &str = r#"(module
  (import "caller" "table" (table 1 funcref))
  (elem (i32.const 0) func $endless)
  (func $endless (result i32) (i32.add (call $endless) (i32.const 1))))"#;

/// Exports such a function.
const EXPORTING: &str = r#"(module
  (func $endless (export "endless") (result i32) (i32.add (call $endless) (i32.const 1))))"#;

fn load(runtime: &Runtime, wat: &str, options: &Options) -> Module {
    let wasm = wat::parse_str(wat).unwrap();
    let artifact = compile(&wasm, options, &Silent).unwrap().artifact;
    runtime
        .load_named_by_user(Source::borrowed(artifact.leak()))
        .unwrap()
}

/// How the host links: nothing says that it was refused.
type Link = fn(&Module, &mut Caller<'_>) -> Option<StackError>;

fn by_import(module: &Module, caller: &mut Caller<'_>) -> Option<StackError> {
    let mut imports = Imports::new(caller.runtime());
    let table = caller.export("table").unwrap();
    imports.define("caller", "table", table).unwrap();
    match module.instantiate(&imports, InstanceOptions::default()) {
        Ok(_) => None,
        Err(InstantiateError::Stack(error)) => Some(error),
        Err(error) => panic!("{error}"),
    }
}

fn by_reference(module: &Module, caller: &mut Caller<'_>) -> Option<StackError> {
    // On its own it is linked with nothing.
    let imports = Imports::new(caller.runtime());
    let instance = module
        .instantiate(&imports, InstanceOptions::default())
        .unwrap();
    let Some(Extern::Func(endless)) = instance.export("endless") else {
        panic!("the module exports it");
    };
    let Some(Extern::Table(table)) = caller.export("table") else {
        panic!("the module exports it");
    };
    match table.set(0, &Value::FuncRef(Some(endless))) {
        Ok(()) => None,
        Err(CallError::Stack(error)) => Some(error),
        Err(error) => panic!("{error}"),
    }
}

/// A caller whose host function links it with an instance of the module.
fn caller(module: &Module, link: Link) -> (Instance, Arc<Mutex<Option<StackError>>>) {
    let runtime = module.runtime();
    let seen = Arc::new(Mutex::new(None));
    let mut imports = Imports::new(runtime);
    let (module, refused) = (module.clone(), seen.clone());
    let link = move |caller: &mut Caller<'_>| -> Result<i32, HostError> {
        let refusal = link(&module, caller);
        *refused.lock().unwrap() = refusal;
        Ok(i32::from(refusal.is_none()))
    };
    imports.func("host", "link", link).unwrap();
    // The caller needs neither signals nor guard pages.
    let caller = load(runtime, CALLER, &configuration::ALL[3].options());
    let caller = caller.instantiate(&imports, InstanceOptions::default());
    (caller.unwrap(), seen)
}

#[test]
fn code_that_needs_a_guard_page_does_not_join_a_call_without_one() {
    let mut options = configuration::ALL[1].options();
    options.stack_checks = StackChecks::Guard;
    for (wat, link) in [
        (IMPORTING, by_import as Link),
        (EXPORTING, by_reference as Link),
    ] {
        let runtime = Runtime::system().unwrap();
        let module = load(&runtime, wat, &options);
        let (instance, refusal) = caller(&module, link);
        let run = instance.func::<(), i32>("run").unwrap();
        let mut region = vec![MaybeUninit::uninit(); 32 << 10];
        for _ in 0..2 {
            let mut environment = runtime
                .execution_environment(Stack::Region(&mut region))
                .unwrap();
            assert_eq!(run.call(&mut environment, ()).unwrap(), 7);
            assert_eq!(*refusal.lock().unwrap(), Some(StackError::NoGuard));
        }
        // Where there is a guard page it joins, and its overflow is a trap. The thread is a new one,
        // so that nothing but the linking prepares it for signals.
        for stack in [|| Stack::Bytes(32 << 10), || Stack::Caller] {
            let (instance, refusal) = caller(&module, link);
            let run = instance.func::<(), i32>("run").unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut environment = runtime.execution_environment(stack()).unwrap();
                    for _ in 0..2 {
                        let Err(CallError::Trap(trap)) = run.call(&mut environment, ()) else {
                            panic!("it has no end");
                        };
                        assert_eq!(trap.code(), TrapCode::StackOverflow);
                    }
                });
            });
            assert_eq!(*refusal.lock().unwrap(), None);
            // From now on the whole group needs one.
            let mut environment = runtime
                .execution_environment(Stack::Region(&mut region))
                .unwrap();
            let error = run.call(&mut environment, ()).unwrap_err();
            assert!(
                matches!(error, CallError::Stack(StackError::NoGuard)),
                "{error}"
            );
        }
    }
}

#[test]
fn code_with_explicit_checks_joins_any_call() {
    for configuration in configuration::ALL {
        for (wat, link) in [
            (IMPORTING, by_import as Link),
            (EXPORTING, by_reference as Link),
        ] {
            let runtime = Runtime::system().unwrap();
            let module = load(&runtime, wat, &configuration.options());
            let (instance, refusal) = caller(&module, link);
            let run = instance.func::<(), i32>("run").unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut region = vec![MaybeUninit::uninit(); 32 << 10];
                    let mut environment = runtime
                        .execution_environment(Stack::Region(&mut region))
                        .unwrap();
                    let Err(CallError::Trap(trap)) = run.call(&mut environment, ()) else {
                        panic!("it has no end");
                    };
                    assert_eq!(trap.code(), TrapCode::StackOverflow);
                });
            });
            assert_eq!(*refusal.lock().unwrap(), None);
        }
    }
}
