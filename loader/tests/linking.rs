//! Instantiation without code: what instances share, what they refuse to share, and what stays
//! when instantiation fails half-way.

mod support;

use precast_format::tunables::BoundsChecks;
use precast_format::types::{ConstOp, ImportType};
use precast_format::write::{
    ArtifactBuilder, DataMode, DataSegment, ElementItems, ElementMode, ElementSegment, FuncType,
    Global as DefinedGlobal, ImagePart, Table as DefinedTable,
};
use precast_loader::{
    CallError, Caller, ExternKind, ExternRef, Func, Global, GlobalType, Imports, InstanceOptions,
    InstantiateError, Limits, LinkError, Memory, Stack, Table, TableType, TrapCode, Value,
    ValueType,
};
use std::num::NonZeroUsize;
use support::{
    BOUNDS_CHECKS, builder, export, import, instantiate, load, memory_type, runtime, table_type,
};

const IMMUTABLE_I32: GlobalType = GlobalType {
    value: ValueType::I32,
    mutable: false,
};
const MUTABLE_I32: GlobalType = GlobalType {
    value: ValueType::I32,
    mutable: true,
};

/// A module that exports a memory, a table and a global.
fn exporter() -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.memories.push(memory_type(1, Some(2)));
    artifact.tables.push(DefinedTable {
        ty: table_type(4, Some(6)),
        init: None,
    });
    artifact.globals.push(DefinedGlobal {
        ty: MUTABLE_I32,
        init: vec![ConstOp::I32Const(7)],
    });
    artifact.exports = vec![
        export("memory", ExternKind::Memory, 0),
        export("table", ExternKind::Table, 0),
        export("global", ExternKind::Global, 0),
    ];
    artifact
}

/// A module that imports these.
fn importer() -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.imports = vec![
        import("memory", ImportType::Memory(memory_type(1, Some(2)))),
        import("table", ImportType::Table(table_type(4, Some(6)))),
        import("global", ImportType::Global(MUTABLE_I32)),
    ];
    artifact
}

fn data(offset: i32, bytes: &[u8]) -> DataSegment {
    let mode = DataMode::Active {
        memory: 0,
        offset: vec![ConstOp::I32Const(offset)],
    };
    DataSegment {
        mode,
        in_image: false,
        bytes: bytes.to_vec(),
    }
}

#[test]
fn exports_have_their_values() {
    let imports = Imports::new(&runtime());
    let instance = instantiate(&imports, &exporter()).expect("it imports nothing");
    let memory = instance.memory("memory").expect("exported");
    assert_eq!(memory.size(), Ok(1));
    assert_eq!(memory.len(), Ok(65536));
    assert_eq!(instance.table("table").expect("exported").size(), Ok(4));
    let global = instance.global("global").expect("exported");
    assert_eq!(global.get().expect("idle").i32(), Some(7));
    assert!(instance.export("nothing").is_none());
    let names: Vec<_> = instance
        .exports()
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(names, ["memory", "table", "global"]);
}

#[test]
fn instances_share_what_they_import() {
    let mut imports = Imports::new(&runtime());
    let owner = instantiate(&imports, &exporter()).expect("it imports nothing");
    imports.instance("env", &owner).expect("there is memory");
    let mut artifact = importer();
    artifact.data.push(data(10, b"shared"));
    artifact.exports = vec![export("same", ExternKind::Memory, 0)];
    let user = instantiate(&imports, &artifact).expect("everything is there");
    drop(imports);

    let memory = owner.memory("memory").expect("exported");
    drop(owner);
    let mut bytes = [0; 6];
    memory.read(10, &mut bytes).expect("in bounds");
    assert_eq!(&bytes, b"shared");
    user.memory("same")
        .expect("exported")
        .write(0, b"both")
        .expect("in bounds");
    drop(user);
    let mut bytes = [0; 4];
    memory.read(0, &mut bytes).expect("in bounds");
    assert_eq!(&bytes, b"both");
}

#[test]
fn growth_is_seen_by_all_and_ends_at_the_maximum() {
    let mut imports = Imports::new(&runtime());
    let owner = instantiate(&imports, &exporter()).expect("it imports nothing");
    imports.instance("env", &owner).expect("there is memory");
    let mut artifact = importer();
    artifact.exports = vec![export("same", ExternKind::Memory, 0)];
    let user = instantiate(&imports, &artifact).expect("everything is there");
    let memory = user.memory("same").expect("exported");
    assert_eq!(memory.grow(1), Ok(Some(1)));
    assert_eq!(owner.memory("memory").expect("exported").size(), Ok(2));
    assert_eq!(memory.grow(1), Ok(None));
    assert_eq!(memory.grow(u64::MAX), Ok(None));
    let table = owner.table("table").expect("exported");
    assert_eq!(table.grow(2, &Value::FuncRef(None)).expect("idle"), Some(4));
    assert_eq!(table.grow(1, &Value::FuncRef(None)).expect("idle"), None);
}

#[test]
fn missing_and_mismatched_imports_are_named() {
    let runtime = runtime();
    let mut imports = Imports::new(&runtime);
    let error = instantiate(&imports, &importer()).expect_err("nothing is defined");
    let InstantiateError::Link(LinkError::Missing { import, .. }) = &error else {
        panic!("{error:?}")
    };
    assert_eq!((import.module(), import.name()), ("env", "memory"));
    assert!(error.to_string().contains("`env` `memory`"), "{error}");

    let small = Memory::new(&runtime, memory_type(0, Some(2))).expect("there is memory");
    imports
        .memory("env", "memory", &small)
        .expect("there is memory");
    let error = instantiate(&imports, &importer()).expect_err("the memory is too small");
    let sentence = error.to_string();
    assert!(
        sentence.contains("memory 0 2") && sentence.contains("memory 1 2"),
        "{sentence}"
    );
    // It is its size now that counts, not the one that it was made with.
    small.grow(1).expect("idle").expect("below its maximum");
    let error = instantiate(&imports, &importer()).expect_err("there is no table yet");
    let InstantiateError::Link(LinkError::Missing { import, .. }) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(import.name(), "table");
}

#[test]
fn limits_and_mutability_have_to_match() {
    let runtime = runtime();
    let global = |ty| Global::new(&runtime, ty, Value::I32(0)).expect("there is memory");
    let cases: [(ImportType, precast_loader::Extern, bool); 7] = [
        (
            ImportType::Global(IMMUTABLE_I32),
            global(IMMUTABLE_I32).into(),
            true,
        ),
        (
            ImportType::Global(IMMUTABLE_I32),
            global(MUTABLE_I32).into(),
            false,
        ),
        (
            ImportType::Global(MUTABLE_I32),
            global(IMMUTABLE_I32).into(),
            false,
        ),
        (
            ImportType::Memory(memory_type(1, None)),
            Memory::new(&runtime, memory_type(1, Some(9)))
                .expect("there is memory")
                .into(),
            true,
        ),
        (
            ImportType::Memory(memory_type(1, Some(8))),
            Memory::new(&runtime, memory_type(1, Some(9)))
                .expect("there is memory")
                .into(),
            false,
        ),
        (
            ImportType::Memory(memory_type(1, Some(8))),
            Memory::new(&runtime, memory_type(1, None))
                .expect("there is memory")
                .into(),
            false,
        ),
        (
            ImportType::Memory(memory_type(1, None)),
            global(MUTABLE_I32).into(),
            false,
        ),
    ];
    for (wanted, found, fits) in cases {
        let mut imports = Imports::new(&runtime);
        imports.define("env", "it", found).expect("there is memory");
        let mut artifact = builder();
        artifact.imports.push(import("it", wanted));
        assert_eq!(instantiate(&imports, &artifact).is_ok(), fits, "{wanted:?}");
    }
}

#[test]
#[cfg_attr(target_pointer_width = "32", ignore = "bytecode has no guard pages")]
fn a_guarded_module_wants_a_guarded_memory() {
    let runtime = runtime();
    let mut imports = Imports::new(&runtime);
    let plain = instantiate(&imports, &exporter()).expect("it imports nothing");
    imports.instance("env", &plain).expect("there is memory");
    let mut artifact = importer();
    artifact.tunables.bounds_checks = BoundsChecks::Guard;
    let error = instantiate(&imports, &artifact).expect_err("the memory has no guard pages");
    assert!(
        matches!(error, InstantiateError::Link(LinkError::Unguarded { .. })),
        "{error:?}"
    );
    let guarded = Memory::new(&runtime, memory_type(1, Some(2))).expect("there is memory");
    imports
        .memory("env", "memory", &guarded)
        .expect("there is memory");
    instantiate(&imports, &artifact).expect("memories of the host have guard pages");
}

#[test]
fn globals_are_computed_in_order() {
    let mut imports = Imports::new(&runtime());
    let base = Global::new(imports.runtime(), IMMUTABLE_I32, Value::I32(40));
    imports
        .global("env", "base", &base.expect("there is memory"))
        .expect("there is memory");
    let mut artifact = builder();
    artifact
        .imports
        .push(import("base", ImportType::Global(IMMUTABLE_I32)));
    artifact.globals = vec![
        DefinedGlobal {
            ty: IMMUTABLE_I32,
            init: vec![ConstOp::GlobalGet(0), ConstOp::I32Const(2), ConstOp::I32Add],
        },
        DefinedGlobal {
            ty: IMMUTABLE_I32,
            init: vec![
                ConstOp::GlobalGet(1),
                ConstOp::I32Const(3),
                ConstOp::I32Mul,
                ConstOp::I32Const(-1),
                ConstOp::I32Sub,
            ],
        },
    ];
    artifact.exports = vec![export("last", ExternKind::Global, 2)];
    let instance = instantiate(&imports, &artifact).expect("the global is there");
    let last = instance.global("last").expect("exported");
    assert_eq!(last.get().expect("idle").i32(), Some(127));
    let error = last.set(Value::I32(1)).expect_err("it is immutable");
    assert!(matches!(error, CallError::GlobalMismatch { .. }));
}

#[test]
fn what_a_failed_instantiation_wrote_stays() {
    let mut imports = Imports::new(&runtime());
    let owner = instantiate(&imports, &exporter()).expect("it imports nothing");
    imports.instance("env", &owner).expect("there is memory");
    let mut artifact = importer();
    artifact.data = vec![
        data(0, b"kept"),
        data(65533, b"too long"),
        data(8, b"never"),
    ];
    let error = instantiate(&imports, &artifact).expect_err("the second segment does not fit");
    let InstantiateError::Trap(trap) = error else {
        panic!("{error:?}")
    };
    assert_eq!(trap.code(), TrapCode::MemoryOutOfBounds);
    let mut bytes = [0; 16];
    let memory = owner.memory("memory").expect("exported");
    memory.read(0, &mut bytes).expect("in bounds");
    assert_eq!(&bytes, b"kept\0\0\0\0\0\0\0\0\0\0\0\0");
    memory.read(65533, &mut bytes[..3]).expect("in bounds");
    assert_eq!(&bytes[..3], b"\0\0\0");
}

#[test]
fn elements_beyond_the_table_trap() {
    let imports = Imports::new(&runtime());
    let mut artifact = exporter();
    artifact.elements.push(ElementSegment {
        mode: ElementMode::Active {
            table: 0,
            offset: vec![ConstOp::I32Const(3)],
        },
        element: ValueType::FUNCREF,
        items: ElementItems::Functions(vec![None, None]),
    });
    let error = instantiate(&imports, &artifact).expect_err("the segment does not fit");
    let InstantiateError::Trap(trap) = error else {
        panic!("{error:?}")
    };
    assert_eq!(trap.code(), TrapCode::TableOutOfBounds);
}

#[test]
fn images_are_in_place_from_bytes_and_from_files() {
    for checks in BOUNDS_CHECKS {
        images_are_in_place(*checks);
    }
}

fn images_are_in_place(checks: BoundsChecks) {
    let mut artifact = exporter();
    artifact.tunables.bounds_checks = checks;
    let page = |address, text: &[u8]| ImagePart {
        memory: 0,
        address,
        bytes: text.to_vec(),
    };
    artifact.image = vec![page(0, b"first"), page(8192, b"third")];
    let bytes = artifact.write().expect("the artifact is well formed");
    let path = std::env::temp_dir().join(format!("precast-image-{}", std::process::id()));
    std::fs::write(&path, &bytes).expect("the folder is writable");
    let runtime = runtime();
    // SAFETY: the artifact has no code.
    let mapped = unsafe { runtime.load_unverified(path.as_path()) }.expect("well formed");
    let copied = support::load_bytes(&runtime, &bytes).expect("well formed");
    std::fs::remove_file(&path).expect("the file is ours");
    for module in [mapped, copied] {
        let imports = Imports::new(&runtime);
        let make = || {
            let instance = module.instantiate(&imports, InstanceOptions::default());
            instance
                .expect("it imports nothing")
                .memory("memory")
                .expect("exported")
        };
        let (one, two) = (make(), make());
        one.write(0, b"1").expect("in bounds");
        let mut bytes = [0; 6];
        two.read(0, &mut bytes).expect("in bounds");
        assert_eq!(&bytes, b"first\0");
        two.read(8192, &mut bytes).expect("in bounds");
        assert_eq!(&bytes, b"third\0");
        one.read(0, &mut bytes).expect("in bounds");
        assert_eq!(&bytes, b"1irst\0");
    }
}

#[test]
fn references_of_the_host_come_back() {
    let runtime = runtime();
    let limits = Limits { min: 2, max: None };
    let ty = TableType {
        element: ValueType::EXTERNREF,
        limits,
        is_64: false,
    };
    let reference = ExternRef::new(NonZeroUsize::new(77).expect("not zero"));
    let table = Table::new(&runtime, ty, Value::ExternRef(None)).expect("there is memory");
    table
        .set(1, &Value::ExternRef(Some(reference)))
        .expect("in bounds");
    assert!(matches!(table.get(0), Ok(Some(Value::ExternRef(None)))));
    assert!(matches!(table.get(1), Ok(Some(Value::ExternRef(Some(it)))) if it == reference));
    assert!(matches!(table.get(2), Ok(None)));
    let error = table
        .set(2, &Value::ExternRef(None))
        .expect_err("beyond the end");
    assert!(matches!(error, CallError::OutOfBounds));
    let error = table
        .set(0, &Value::FuncRef(None))
        .expect_err("another type");
    assert!(matches!(error, CallError::TableMismatch { .. }));
}

#[test]
fn a_host_function_alone_is_no_reference() {
    let runtime = runtime();
    let table = Table::new(&runtime, table_type(1, None), Value::FuncRef(None));
    let table = table.expect("there is memory");
    let func = Func::new(&runtime, |_: &mut Caller<'_>| {}).expect("there is memory");
    let error = table
        .set(0, &Value::FuncRef(Some(func)))
        .expect_err("no code can call it");
    assert!(matches!(error, CallError::HostFunctionReference));
    assert!(error.to_string().contains("import it"), "{error}");
}

#[test]
fn an_import_without_adapter_is_refused() {
    let mut imports = Imports::new(&runtime());
    imports
        .func("env", "f", |_: &mut Caller<'_>| {})
        .expect("there is memory");
    let mut artifact = builder();
    artifact.types.push(FuncType::default());
    artifact.imports.push(import("f", ImportType::Function(0)));
    let error = instantiate(&imports, &artifact).expect_err("no code can call it");
    assert!(matches!(error, InstantiateError::NoAdapter(_)), "{error:?}");
}

#[test]
fn runtimes_do_not_mix() {
    let (ours, theirs) = (runtime(), runtime());
    let imports = Imports::new(&theirs);
    let module = load(&ours, &exporter()).expect("the device accepts it");
    let error = module
        .instantiate(&imports, InstanceOptions::default())
        .map(drop);
    assert!(matches!(error, Err(InstantiateError::OtherRuntime)));
    let mut imports = Imports::new(&ours);
    let memory = Memory::new(&theirs, memory_type(1, Some(2))).expect("there is memory");
    imports
        .memory("env", "memory", &memory)
        .expect("there is memory");
    let error = instantiate(&imports, &importer()).map(drop);
    assert!(matches!(error, Err(InstantiateError::OtherRuntime)));
}

#[test]
fn the_host_may_lower_the_maximum() {
    let runtime = runtime();
    let imports = Imports::new(&runtime);
    let module = load(&runtime, &exporter()).expect("the device accepts it");
    for (limit, size) in [
        (1, Ok(None)),
        (2, Ok(Some(1))),
        (0, Ok(None)),
        (99, Ok(Some(1))),
    ] {
        let options = InstanceOptions::default().max_memory_pages(limit);
        let instance = module
            .instantiate(&imports, options)
            .expect("it imports nothing");
        assert_eq!(
            instance.memory("memory").expect("exported").grow(1),
            size,
            "{limit}"
        );
    }
}

#[test]
fn a_borrowed_memory_keeps_everybody_out() {
    let imports = Imports::new(&runtime());
    let instance = instantiate(&imports, &exporter()).expect("it imports nothing");
    let memory = instance.memory("memory").expect("exported");
    let mut slice = memory.borrow_mut().expect("idle");
    slice[3] = 9;
    assert!(memory.size().is_err());
    assert!(instance.global("global").expect("exported").get().is_err());
    assert!(memory.borrow_mut().is_err());
    drop(slice);
    let mut byte = [0];
    memory.read(3, &mut byte).expect("idle again");
    assert_eq!(byte, [9]);
}

#[test]
fn another_thread_waits_outside() {
    let imports = Imports::new(&runtime());
    let instance = instantiate(&imports, &exporter()).expect("it imports nothing");
    let memory = instance.memory("memory").expect("exported");
    let slice = memory.borrow_mut().expect("idle");
    std::thread::scope(|scope| {
        let other = scope.spawn(|| memory.size());
        assert!(other.join().expect("no panic").is_err());
    });
    drop(slice);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| memory.size());
        assert_eq!(other.join().expect("no panic"), Ok(1));
    });
    let _ = instance
        .execution_environment(Stack::Caller)
        .expect("it needs no memory");
}

#[test]
fn tables_have_a_limit_together() {
    let imports = Imports::new(&runtime());
    let mut artifact = builder();
    let table = DefinedTable {
        ty: table_type(4_000_000, None),
        init: None,
    };
    artifact.tables = vec![table; 3];
    let error = instantiate(&imports, &artifact).map(drop);
    assert!(matches!(error, Err(InstantiateError::OutOfMemory(_))));
}
