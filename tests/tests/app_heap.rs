//! Heaps of programs: the app heap at the end of linear memory, and the allocators that programs
//! export.
#![forbid(unsafe_code)]

use std::mem::MaybeUninit;

use precast_compiler::{Options, Silent, compile};
use precast_format::tunables::BoundsChecks;
use precast_loader::plan::{Plan, PlanError, PlanOptions, Stage};
use precast_loader::{
    AppHeapError, CallContext, CallError, Caller, Category, Extern, HeapError, HostError, Imports,
    Instance, InstanceOptions, InstantiateError, Limits, Memory, MemoryType, Runtime,
    RuntimeOptions, Source, Stack, TrapCode, WASM_PAGE_SIZE_LOG2,
};
use precast_tests::configuration::{self, Configuration};

const PAGE: usize = 65536;

/// A program without an allocator.
const PLAIN: &str = r#"(module
  (memory (export "memory") 1)
  (data (i32.const 1000) "data")
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "fill") (param i32)
    (memory.fill (i32.const 0) (local.get 0) (i32.mul (memory.size) (i32.const 65536)))))"#;

fn artifact(text: &str, change: impl FnOnce(&mut Options)) -> &'static [u8] {
    let wasm = wat::parse_str(text).unwrap();
    let mut options = configuration::ALL[3].options();
    change(&mut options);
    compile(&wasm, &options, &Silent).unwrap().artifact.leak()
}

fn try_instantiate(
    runtime: &Runtime,
    artifact: &'static [u8],
    options: InstanceOptions,
) -> Result<Instance, InstantiateError> {
    let module = runtime
        .load_named_by_user(Source::borrowed(artifact))
        .unwrap();
    module.instantiate(&Imports::new(runtime), options)
}

/// Where calls have their stack.
fn environment(instance: &Instance) -> impl CallContext + use<> {
    instance
        .execution_environment(Stack::Caller)
        .expect("it takes no memory")
}

/// An instance of a program with an app heap of so many bytes, in a runtime of its own.
fn instantiate(text: &str, heap_size: usize) -> (Instance, impl CallContext + use<>) {
    let runtime = Runtime::system().unwrap();
    let options = InstanceOptions::default().heap_size(heap_size);
    let instance = try_instantiate(&runtime, artifact(text, |_| {}), options).unwrap();
    let environment = environment(&instance);
    (instance, environment)
}

fn refusal(text: &str, options: InstanceOptions) -> AppHeapError {
    let runtime = Runtime::system().unwrap();
    match try_instantiate(&runtime, artifact(text, |_| {}), options) {
        Err(InstantiateError::AppHeap(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// How many bytes the books of a heap take: two bits for each 16 bytes, in groups of 64.
fn books(heap_bytes: usize) -> usize {
    heap_bytes.div_ceil(1024) * 16
}

fn each_configuration(run: impl Fn(&Configuration)) {
    for configuration in &configuration::ALL {
        run(configuration);
    }
}

#[test]
fn the_heap_is_at_the_end_of_the_initial_memory() {
    each_configuration(|configuration| {
        let bytes = artifact(PLAIN, |options| *options = configuration.options());
        let runtime = Runtime::system().unwrap();
        let options = InstanceOptions::default().heap_size(PAGE + 1);
        let instance = try_instantiate(&runtime, bytes, options).unwrap();
        let mut env = environment(&instance);
        let size = instance.func::<(), i32>("size").unwrap();
        let grow = instance.func::<(i32,), i32>("grow").unwrap();
        let load = instance.func::<(i32,), i32>("load").unwrap();
        assert_eq!(size.call(&mut env, ()).unwrap(), 3);
        let books_are = runtime.usage(Category::AppHeap);
        assert_eq!(books_are.current, books(2 * PAGE));
        assert_eq!(books_are.blocks, 1);
        let usage = instance.app_heap().unwrap().unwrap();
        assert_eq!((usage.address, usage.size), (PAGE as u64, 2 * PAGE));
        assert_eq!(usage.largest_free, 2 * PAGE);

        let text = instance.module_dup_data(&mut env, b"hello").unwrap();
        assert_eq!(text, PAGE as u64);
        let letter = load.call(&mut env, (text as i32 + 1,)).unwrap();
        assert_eq!(letter, i32::from(b'e'));
        assert_eq!(load.call(&mut env, (1003,)).unwrap(), i32::from(b'a'));
        // What the program grows is behind the heap, which stays as large as it is.
        assert_eq!(grow.call(&mut env, (1,)).unwrap(), 3);
        assert_eq!(load.call(&mut env, (4 * PAGE as i32 - 1,)).unwrap(), 0);
        let rest = instance.module_malloc(&mut env, 2 * PAGE as u64 - 16);
        assert_eq!(rest.unwrap(), PAGE as u64 + 16);
        let error = instance.module_malloc(&mut env, 1).unwrap_err();
        assert!(matches!(error, HeapError::OutOfMemory { requested: 1 }));
        instance.module_free(&mut env, text).unwrap();
        assert_eq!(instance.module_malloc(&mut env, 0).unwrap(), text);
        drop(instance);
    });
}

#[test]
fn the_program_cannot_disturb_the_books() {
    each_configuration(|configuration| {
        let bytes = artifact(PLAIN, |options| *options = configuration.options());
        let runtime = Runtime::system().unwrap();
        let options = InstanceOptions::default().heap_size(PAGE);
        let instance = try_instantiate(&runtime, bytes, options).unwrap();
        let mut env = environment(&instance);
        let fill = instance.func::<(i32,), ()>("fill").unwrap();
        let mut blocks = Vec::new();
        for byte in [0, 255, 0x5a, 1, 0x80, 16] {
            let before = instance.app_heap().unwrap();
            fill.call(&mut env, (byte,)).unwrap();
            assert_eq!(instance.app_heap().unwrap(), before);
            blocks.push(instance.module_malloc(&mut env, 100).unwrap());
            blocks.push(instance.module_malloc(&mut env, 3).unwrap());
        }
        let distance = |pair: &[u64]| pair[1] - pair[0];
        assert!(blocks.windows(2).all(|pair| distance(pair) >= 16));
        let usage = instance.app_heap().unwrap().unwrap();
        assert_eq!((usage.used, usage.blocks), (6 * 128, 12));
        for block in blocks {
            fill.call(&mut env, (255,)).unwrap();
            instance.module_free(&mut env, block).unwrap();
        }
        let usage = instance.app_heap().unwrap().unwrap();
        assert_eq!((usage.used, usage.peak, usage.blocks), (0, 6 * 128, 0));
        assert_eq!(usage.largest_free, PAGE);
    });
}

#[test]
fn only_blocks_can_be_freed() {
    let (instance, mut env) = instantiate(PLAIN, PAGE);
    let block = instance.module_malloc(&mut env, 40).unwrap();
    assert_eq!(instance.app_heap_size_of(block), Ok(Some(48)));
    let others = [0, 1, block - 16, block + 8, block + 16, block + 48];
    for address in others.into_iter().chain([2 * PAGE as u64, u64::MAX]) {
        let error = instance.module_free(&mut env, address).unwrap_err();
        assert!(matches!(error, HeapError::NotAnAllocation { address: found } if found == address));
        assert_eq!(instance.app_heap_size_of(address), Ok(None));
    }
    instance.module_free(&mut env, block).unwrap();
    let twice = instance.module_free(&mut env, block);
    assert!(matches!(twice, Err(HeapError::NotAnAllocation { .. })));
}

#[test]
fn allocations_change_their_size() {
    let (instance, mut env) = instantiate(PLAIN, PAGE);
    let env = &mut env;
    let memory = instance.main_memory().unwrap();
    let first = instance.module_dup_data(env, b"0123456789abcdef").unwrap();
    let larger = instance.module_realloc(env, first, 16, 1000).unwrap();
    assert_ne!(first, larger);
    let smaller = instance.module_realloc(env, larger, 1000, 4).unwrap();
    let mut bytes = [0; 4];
    memory.read(smaller, &mut bytes).unwrap();
    assert_eq!(&bytes, b"0123");
    assert_eq!(instance.app_heap().unwrap().unwrap().blocks, 1);

    // What cannot be is said, and changes nothing.
    for (address, old_bytes) in [(0, 1), (larger, 16), (smaller, 5000), (1 << 40, 1)] {
        let error = instance.module_realloc(env, address, old_bytes, 8);
        let is_refused = matches!(error, Err(HeapError::NotAnAllocation { .. }));
        assert!(is_refused, "{address}: {error:?}");
    }
    let error = instance.module_realloc(env, smaller, 4, 1 << 30);
    assert!(matches!(error, Err(HeapError::OutOfMemory { .. })));
    memory.read(smaller, &mut bytes).unwrap();
    assert_eq!(&bytes, b"0123");
    instance.module_free(env, smaller).unwrap();
    assert_eq!(instance.app_heap().unwrap().unwrap().blocks, 0);
}

#[test]
fn without_a_heap_there_is_advice() {
    let (instance, mut env) = instantiate(PLAIN, 0);
    let usage = instance.app_heap();
    assert_eq!(usage, Ok(None));
    let error = instance.module_malloc(&mut env, 1).unwrap_err();
    assert!(error.to_string().contains("heap size"), "{error}");
    assert!(error.to_string().contains("export malloc"), "{error}");
    for error in [
        instance.module_free(&mut env, 1).unwrap_err(),
        instance.module_dup_data(&mut env, b"x").unwrap_err(),
    ] {
        assert!(matches!(error, HeapError::NoHeap));
    }
    let usage = instance.module().runtime().usage(Category::AppHeap);
    assert_eq!((usage.peak, usage.current), (0, 0));
}

#[test]
fn a_heap_that_does_not_fit_is_refused_with_the_numbers() {
    let options = InstanceOptions::default().heap_size(100_000);
    let limited = "(module (memory 1 2))";
    let lowered = options.max_memory_pages(2);
    for (text, options) in [(limited, options), (PLAIN, lowered)] {
        let error = refusal(text, options);
        let AppHeapError::LimitReached {
            heap_size: 100_000,
            pages: 1,
            heap_pages: 2,
            page_size: 65536,
            limit: 2,
            ..
        } = error
        else {
            panic!("{error:?}");
        };
        assert!(error.to_string().contains("100000 bytes"), "{error}");
    }
    let fits = options.max_memory_pages(3);
    let runtime = Runtime::system().unwrap();
    assert!(try_instantiate(&runtime, artifact(PLAIN, |_| {}), fits).is_ok());
    assert_eq!(refusal("(module)", options), AppHeapError::NoMemory);
    // A cut memory cannot grow, not even by this.
    let cut = r#"(module (memory 1)
      (global (export "__data_end") i32 (i32.const 1040))
      (global (export "__heap_base") i32 (i32.const 2048)))"#;
    let bytes = artifact(cut, |options| options.shrink_memory = true);
    match try_instantiate(&runtime, bytes, options) {
        Err(InstantiateError::AppHeap(AppHeapError::LimitReached { limit: 2048, .. })) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(runtime.usage(Category::LinearMemory).current, 0);
    // A huge one is no fault either.
    let huge = InstanceOptions::default().heap_size(usize::MAX);
    assert!(matches!(
        refusal(PLAIN, huge),
        AppHeapError::LimitReached { .. }
    ));
    let wide = artifact("(module (memory i64 1))", |_| {});
    let many = InstanceOptions::default().heap_size(1 << 60);
    assert!(matches!(
        try_instantiate(&runtime, wide, many),
        Err(InstantiateError::OutOfMemory(_) | InstantiateError::AppHeap(_))
    ));
}

#[test]
fn an_imported_memory_has_no_heap_of_ours() {
    let importer = artifact(r#"(module (import "env" "memory" (memory 1)))"#, |_| {});
    let runtime = Runtime::system().unwrap();
    let memory_type = MemoryType {
        limits: Limits { min: 1, max: None },
        is_64: false,
        shared: false,
        page_size_log2: WASM_PAGE_SIZE_LOG2,
    };
    let memory = Memory::new(&runtime, memory_type).unwrap();
    let mut imports = Imports::new(&runtime);
    imports
        .define("env", "memory", Extern::Memory(memory))
        .unwrap();
    let module = runtime
        .load_named_by_user(Source::borrowed(importer))
        .unwrap();
    let error = module.instantiate(&imports, InstanceOptions::default().heap_size(16));
    assert!(matches!(
        error,
        Err(InstantiateError::AppHeap(AppHeapError::NoMemory))
    ));
    assert!(
        module
            .instantiate(&imports, InstanceOptions::default())
            .is_ok()
    );
}

#[test]
fn other_memories_have_heaps_too() {
    let wide = r#"(module (memory (export "memory") i64 2)
      (func (export "load") (param i64) (result i32) (i32.load8_u (local.get 0))))"#;
    for checks in [BoundsChecks::Guard, BoundsChecks::Explicit] {
        let bytes = artifact(wide, |options| options.bounds_checks = checks);
        let runtime = Runtime::system().unwrap();
        let options = InstanceOptions::default().heap_size(1);
        let instance = try_instantiate(&runtime, bytes, options).unwrap();
        let mut env = environment(&instance);
        let address = instance.module_dup_data(&mut env, b"wide").unwrap();
        assert_eq!(address, 2 * PAGE as u64);
        let load = instance.func::<(u64,), i32>("load").unwrap();
        assert_eq!(
            load.call(&mut env, (address + 3,)).unwrap(),
            i32::from(b'e')
        );
    }
    // Pages of one byte: the heap is as large as was asked for, in granules.
    let bytes = r#"(module (memory (export "memory") 100 (pagesize 1))
      (func (export "size") (result i32) (memory.size)))"#;
    let (instance, mut env) = instantiate(bytes, 100);
    let size = instance.func::<(), i32>("size").unwrap();
    assert_eq!(size.call(&mut env, ()).unwrap(), 112 + 112);
    let usage = instance.app_heap().unwrap().unwrap();
    assert_eq!((usage.address, usage.size), (112, 112));
    assert_eq!(instance.module_malloc(&mut env, 112).unwrap(), 112);
    let runtime = instance.module().runtime().clone();
    assert_eq!(runtime.usage(Category::LinearMemory).current, 224);
    assert_eq!(runtime.usage(Category::AppHeap).current, 16);
    // A memory that has nothing else: no block begins at zero, which means none to programs.
    let (instance, mut env) = instantiate("(module (memory 0))", 1);
    assert_eq!(instance.module_malloc(&mut env, 16).unwrap(), 16);
    let usage = instance.app_heap().unwrap().unwrap();
    assert_eq!((usage.used, usage.largest_free), (16, PAGE - 32));
}

#[test]
fn segments_do_not_reach_into_the_heap() {
    let outside = artifact(
        r#"(module (memory 1) (data (i32.const 65533) "four"))"#,
        |_| {},
    );
    let runtime = Runtime::system().unwrap();
    for heap_size in [0, PAGE] {
        let options = InstanceOptions::default().heap_size(heap_size);
        match try_instantiate(&runtime, outside, options) {
            Err(InstantiateError::Trap(trap)) => {
                assert_eq!(trap.code(), TrapCode::MemoryOutOfBounds);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn in_a_pool_everything_is_in_the_pool_and_given_back() {
    let bytes = artifact(PLAIN, |_| {});
    let pool = vec![MaybeUninit::<u8>::uninit(); 300 << 10].leak();
    let runtime = Runtime::with_pool(pool, RuntimeOptions::default()).unwrap();
    let module = runtime.load_named_by_user(Source::borrowed(bytes)).unwrap();
    let imports = Imports::new(&runtime);
    let free = runtime.pool_usage().unwrap().free;
    for _ in 0..3 {
        let options = InstanceOptions::default().heap_size(2 * PAGE);
        let instance = module.instantiate(&imports, options).unwrap();
        let taken = free - runtime.pool_usage().unwrap().free;
        assert!(taken >= 3 * PAGE + books(2 * PAGE), "{taken}");
        assert_eq!(runtime.usage(Category::LinearMemory).current, 3 * PAGE);
        assert_eq!(runtime.usage(Category::AppHeap).current, books(2 * PAGE));
        let mut env = environment(&instance);
        let before = runtime.pool_usage().unwrap().free;
        let block = instance.module_malloc(&mut env, 1000).unwrap();
        instance.module_dup_data(&mut env, b"data").unwrap();
        instance.module_free(&mut env, block).unwrap();
        assert_eq!(runtime.pool_usage().unwrap().free, before);
        // One that does not fit leaves nothing behind.
        let large = InstanceOptions::default().heap_size(3 * PAGE);
        assert!(matches!(
            module.instantiate(&imports, large),
            Err(InstantiateError::OutOfMemory(_))
        ));
        drop((env, instance));
        assert_eq!(runtime.pool_usage().unwrap().free, free);
        assert_eq!(runtime.usage(Category::AppHeap).current, 0);
    }
}

/// A program whose allocator is as simple as can be: it counts what it hands out and gets back.
fn allocator(size: &str, malloc: &str, free: &str) -> String {
    format!(
        r#"(module
          (memory (export "memory") {memory} 1 4)
          (global $next (mut {size}) ({size}.const 1024))
          (global $freed (export "freed") (mut {size}) ({size}.const 0))
          (global $kept (export "kept") (mut {size}) ({size}.const 0))
          (func $malloc (param $size {size}) (result {size})
            (global.get $next)
            (global.set $next ({size}.add (global.get $next) (local.get $size))))
          (func (export "__new") (param $size {size}) (param i32) (result {size})
            (if (local.get 1) (then (unreachable)))
            (call $malloc (local.get $size)))
          (func $keep (param {size}) (result {size})
            (global.set $kept (local.get 0)) (local.get 0))
          (func $free (param {size}) (global.set $freed (local.get 0)))
          {malloc} {free})"#,
        memory = if size == "i64" { "i64" } else { "" },
    )
}

fn global(instance: &Instance, name: &str) -> u64 {
    let value = instance.global(name).unwrap().get().unwrap();
    let narrow = value.i32().map(|value| u64::from(value as u32));
    narrow.or(value.i64().map(|value| value as u64)).unwrap()
}

#[test]
fn exported_allocators_are_used() {
    let c = (
        r#"(export "malloc" (func $malloc))"#,
        r#"(export "free" (func $free))"#,
    );
    let releases = ("", r#"(export "__release" (func $free))"#);
    let retains = (
        r#"(export "__retain" (func $keep))"#,
        r#"(export "__release" (func $free))"#,
    );
    let pins = (
        r#"(export "__pin" (func $keep))"#,
        r#"(export "__unpin" (func $free))"#,
    );
    for size in ["i32", "i64"] {
        for ((malloc, free), keeps) in
            [(c, false), (releases, false), (retains, true), (pins, true)]
        {
            // What the host asks for is not made where the program has its own.
            let (instance, mut env) = instantiate(&allocator(size, malloc, free), 1 << 30);
            let memory = instance.memory("memory").unwrap();
            assert_eq!(memory.size(), Ok(1));
            assert_eq!(instance.app_heap(), Ok(None));
            assert_eq!(instance.module_malloc(&mut env, 100).unwrap(), 1024);
            assert_eq!(global(&instance, "kept"), if keeps { 1024 } else { 0 });
            let text = instance.module_dup_data(&mut env, b"text\0").unwrap();
            assert_eq!(text, 1124);
            assert_eq!(memory.string_length(text), Ok(4));
            instance.module_free(&mut env, text).unwrap();
            assert_eq!(global(&instance, "freed"), text);
            // Nothing is asked for as one byte.
            assert_eq!(instance.module_malloc(&mut env, 0).unwrap(), 1129);
            assert_eq!(instance.module_malloc(&mut env, 1).unwrap(), 1130);
            for wrong in [0, PAGE as u64, 1 << 33] {
                let error = instance.module_free(&mut env, wrong).unwrap_err();
                assert!(
                    matches!(error, HeapError::NotAnAllocation { .. }),
                    "{error}"
                );
            }
            assert_eq!(global(&instance, "freed"), text);
            // The allocator says yes to what does not fit.
            let error = instance.module_malloc(&mut env, PAGE as u64).unwrap_err();
            assert!(
                matches!(error, HeapError::BadAddress { address: 1131, .. }),
                "{error}"
            );
            if size == "i32" {
                let error = instance.module_malloc(&mut env, 1 << 32).unwrap_err();
                assert!(matches!(error, HeapError::OutOfMemory { .. }), "{error}");
            }
        }
    }
}

#[test]
fn exports_of_other_types_are_no_allocator() {
    for (malloc, free) in [
        (r#"(export "malloc" (func $malloc))"#, ""),
        ("", r#"(export "free" (func $free))"#),
        (
            r#"(export "malloc" (func $free))"#,
            r#"(export "free" (func $free))"#,
        ),
        (
            r#"(export "malloc" (global $next))"#,
            r#"(export "free" (func $free))"#,
        ),
        ("", r#"(export "__release" (func $malloc))"#),
        ("", r#"(export "__unpin" (func $free))"#),
    ] {
        let (instance, mut env) = instantiate(&allocator("i32", malloc, free), PAGE);
        assert!(instance.app_heap().unwrap().is_some());
        assert_eq!(instance.module_malloc(&mut env, 1).unwrap(), PAGE as u64);
    }
}

#[test]
fn broken_allocators_are_errors() {
    let program = |result: &str| {
        format!(
            r#"(module (memory 1)
              (func (export "malloc") (param i32) (result i32) {result})
              (func (export "free") (param i32) (unreachable)))"#
        )
    };
    let (instance, mut env) = instantiate(&program("(i32.const 0)"), 0);
    let error = instance.module_malloc(&mut env, 7).unwrap_err();
    assert!(matches!(error, HeapError::OutOfMemory { requested: 7 }));
    for address in [65530, 65536, -1] {
        let (instance, mut env) = instantiate(&program(&format!("(i32.const {address})")), 0);
        let error = instance.module_dup_data(&mut env, b"1234567").unwrap_err();
        assert!(matches!(error, HeapError::BadAddress { requested: 7, .. }));
    }
    let (instance, mut env) = instantiate(&program("(i32.const 65529)"), 0);
    assert_eq!(instance.module_malloc(&mut env, 7).unwrap(), 65529);
    let error = instance.module_free(&mut env, 65529).unwrap_err();
    assert!(matches!(error, HeapError::Call(CallError::Trap(_))));
    let (instance, mut env) = instantiate(&program("(unreachable)"), 0);
    let error = instance.module_malloc(&mut env, 7).unwrap_err();
    assert!(matches!(error, HeapError::Call(CallError::Trap(_))));
}

/// A program that asks the host for a copy of its string.
fn caller(exports: &str) -> &'static [u8] {
    artifact(
        &format!(
            r#"(module
              (import "env" "copy" (func $copy (param i32) (result i32)))
              (memory (export "memory") 1)
              (data (i32.const 16) "string")
              (data (i32.const 65530) "no end")
              (func (export "copy") (param i32) (result i32) (call $copy (local.get 0)))
              {exports})"#
        ),
        |_| {},
    )
}

fn copy(caller: &mut Caller<'_>, address: u32) -> Result<u32, HostError> {
    let address = u64::from(address);
    let text = caller.memory_mut()?.string(address)?.to_vec();
    assert_eq!(caller.string_length(address)?, text.len() as u64);
    caller.check_range(address, text.len() as u64 + 1)?;
    let native = caller.native_address(address, 1)?;
    assert_eq!(caller.address_of(native.as_ptr())?, Some(address));
    let wasted = caller.module_malloc(1000)?;
    let copy = caller.module_dup_data(&text)?;
    caller.module_free(wasted)?;
    Ok(copy as u32)
}

#[test]
fn host_functions_allocate_for_their_caller() {
    let exported = r#"(global $next (mut i32) (i32.const 2048))
      (func (export "malloc") (param i32) (result i32)
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get 0))))
      (func (export "free") (param i32))"#;
    let broken = r#"(func (export "malloc") (param i32) (result i32) (unreachable))
      (func (export "free") (param i32))"#;
    for (exports, expected) in [("", PAGE as u32 + 1008), (exported, 3048), (broken, 0)] {
        let runtime = Runtime::system().unwrap();
        let module = runtime
            .load_named_by_user(Source::borrowed(caller(exports)))
            .unwrap();
        let mut imports = Imports::new(&runtime);
        imports.func("env", "copy", copy).unwrap();
        let options = InstanceOptions::default().heap_size(PAGE);
        let instance = module.instantiate(&imports, options).unwrap();
        let mut env = environment(&instance);
        let function = instance.func::<(u32,), u32>("copy").unwrap();
        let result = function.call(&mut env, (16,));
        if expected == 0 {
            // A trap in the allocator is a trap of the host function's call.
            assert!(matches!(result, Err(CallError::Trap(_))), "{result:?}");
            continue;
        }
        assert_eq!(result.unwrap(), expected);
        let mut found = [0; 6];
        let memory = instance.memory("memory").unwrap();
        memory.read(u64::from(expected), &mut found).unwrap();
        assert_eq!(&found, b"string");
        if exports.is_empty() {
            let usage = instance.app_heap().unwrap().unwrap();
            assert_eq!((usage.used, usage.peak), (16, 1024));
        } else {
            let error = function.call(&mut env, (65530,)).unwrap_err();
            assert!(error.to_string().contains("does not end"), "{error}");
        }
    }
}

/// A pool of so many bytes that begins at a multiple of 16.
fn pool(bytes: usize) -> &'static mut [MaybeUninit<u8>] {
    let region = vec![MaybeUninit::<u8>::uninit(); bytes + 16].leak();
    let start = region.as_ptr().align_offset(16);
    &mut region[start..][..bytes]
}

#[test]
fn heaps_are_planned_to_the_granule() {
    let small = "(module (memory 100 (pagesize 1)))";
    let own = allocator(
        "i32",
        r#"(export "malloc" (func $malloc))"#,
        r#"(export "free" (func $free))"#,
    );
    for (text, books_are) in [(PLAIN, books(PAGE)), (small, books(5008)), (&own, 0)] {
        for fixed in [false, true] {
            let bytes = artifact(text, |_| {});
            let mut options = PlanOptions::default();
            options.instance = options.instance.heap_size(5000);
            options.instance = options.instance.fixed_memory(fixed).max_memory_pages(9000);
            if text != small {
                options.instance = options.instance.max_memory_pages(3);
            }
            let plan = Plan::new(bytes, &options).unwrap();
            let planned = |category| plan.usage(Stage::Instantiated, category).current;
            assert_eq!(planned(Category::AppHeap), books_are);
            let size = plan.pool_bytes().unwrap();
            let lives = |size| {
                let runtime = Runtime::with_pool(pool(size), RuntimeOptions::default()).unwrap();
                let module = runtime.load_named_by_user(Source::borrowed(bytes)).unwrap();
                let imports = Imports::for_module(&module).unwrap();
                let instance = module.instantiate(&imports, options.instance)?;
                drop(environment(&instance));
                for category in [Category::AppHeap, Category::LinearMemory] {
                    assert_eq!(runtime.usage(category).current, planned(category));
                }
                Ok(())
            };
            lives(size).unwrap();
            assert!(matches!(
                lives(size - 16),
                Err(InstantiateError::OutOfMemory(_))
            ));
        }
    }
    let mut options = PlanOptions::default();
    options.instance = options.instance.heap_size(PAGE).max_memory_pages(1);
    let error = Plan::new(artifact(PLAIN, |_| {}), &options).unwrap_err();
    assert!(matches!(
        error,
        PlanError::AppHeap(AppHeapError::LimitReached { .. })
    ));
}
