//! Artifacts built by hand, without a compiler: modules whose behaviour is all in the loader.

// Each test file uses its own part of this.
#![allow(dead_code)]

use std::mem::MaybeUninit;

use precast_format::target::{Endianness, HostAbi, Isa};
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode, Tunables};
use precast_format::types::{ConstOp, ImportType};
use precast_format::write::{
    ArtifactBuilder, DataMode, DataSegment, ElementItems, ElementMode, ElementSegment, Export,
    FuncType, Function, Global, ImagePart, Import, Table, Target,
};
use precast_loader::{
    ExternKind, GlobalType, Imports, Instance, InstanceOptions, InstantiateError, Limits,
    LoadError, MemoryType, Module, Runtime, RuntimeOptions, Source, TableType, ValueType,
    WASM_PAGE_SIZE_LOG2,
};

/// The instruction set of the machine that the tests run on.
pub const ISA: Isa = if cfg!(target_arch = "x86_64") {
    Isa::X86_64
} else if cfg!(target_arch = "aarch64") {
    Isa::Aarch64
} else if cfg!(target_arch = "riscv64") {
    Isa::Riscv64
} else if cfg!(target_arch = "s390x") {
    Isa::S390x
} else if cfg!(target_pointer_width = "32") {
    // Bytecode: there is no native code for the others.
    Isa::Pulley32
} else {
    Isa::Pulley64
};

/// The ways in which code of this machine keeps to its memories: no pages guard them from bytecode.
pub const BOUNDS_CHECKS: &[BoundsChecks] = if ISA.is_bytecode() {
    &[BoundsChecks::Explicit]
} else {
    &[BoundsChecks::Explicit, BoundsChecks::Guard]
};

/// The calling convention of the machine that the tests run on.
pub const HOST_ABI: HostAbi = if cfg!(windows) {
    HostAbi::WindowsFastcall
} else if cfg!(all(target_vendor = "apple", target_arch = "aarch64")) {
    HostAbi::AppleAarch64
} else {
    HostAbi::SystemV
};

/// Address space of a guarded memory: what 32-bit indices reach, where there is as much.
pub const RESERVATION: u64 = if cfg!(target_pointer_width = "32") {
    256 << 20
} else {
    4 << 30
};

/// This machine, with pages of 4 KiB.
pub fn target() -> Target {
    Target {
        isa: ISA,
        endianness: if cfg!(target_endian = "big") {
            Endianness::Big
        } else {
            Endianness::Little
        },
        host_abi: HOST_ABI,
        page_size_log2: 12,
    }
}

/// Nothing that needs more than a processor.
pub fn tunables() -> Tunables {
    Tunables {
        bounds_checks: BoundsChecks::Explicit,
        stack_checks: StackChecks::Explicit,
        trap_mode: TrapMode::Explicit,
        relocation_model: RelocationModel::Xip,
        call_profile: false,
        interrupt_checks: false,
        memory_reservation: RESERVATION,
        memory_guard: 32 << 20,
        stack_reserve: 16 << 10,
    }
}

/// A module without contents that every device accepts.
pub fn builder() -> ArtifactBuilder {
    ArtifactBuilder::new(target(), tunables())
}

/// A memory of so many pages.
pub fn memory_type(min: u64, max: Option<u64>) -> MemoryType {
    MemoryType {
        limits: Limits { min, max },
        is_64: false,
        shared: false,
        page_size_log2: WASM_PAGE_SIZE_LOG2,
    }
}

/// A table of so many function references.
pub fn table_type(min: u64, max: Option<u64>) -> TableType {
    TableType {
        element: ValueType::FUNCREF,
        limits: Limits { min, max },
        is_64: false,
    }
}

/// An export.
pub fn export(name: &str, kind: ExternKind, index: u32) -> Export {
    Export {
        name: name.into(),
        kind,
        index,
    }
}

/// An import from the module `env`.
pub fn import(name: &str, ty: precast_format::types::ImportType) -> Import {
    Import {
        module: "env".into(),
        name: name.into(),
        ty,
    }
}

/// A runtime with what this machine offers.
pub fn runtime() -> Runtime {
    runtime_with(RuntimeOptions::default())
}

/// A runtime that is told what the device offers. It lives in a pool where the loader was built without
/// the system's heap.
pub fn runtime_with(options: RuntimeOptions) -> Runtime {
    let runtime = match Runtime::system() {
        Ok(_) => Runtime::system_with(options),
        Err(_) => {
            let pool = vec![MaybeUninit::uninit(); POOL].leak();
            Runtime::with_pool(pool, options.platform_mappings(true))
        }
    };
    runtime.expect("there is memory for a runtime")
}

/// Bytes of a pool that is enough for a test.
const POOL: usize = 16 << 20;

/// Loads bytes that these tests have made.
pub fn load_bytes(runtime: &Runtime, bytes: &[u8]) -> Result<Module, LoadError> {
    // SAFETY: artifacts of these tests have no code, or code that the tests wrote.
    unsafe { runtime.load_unverified(Source::copied(bytes)) }
}

/// Writes and loads.
pub fn load(runtime: &Runtime, builder: &ArtifactBuilder) -> Result<Module, LoadError> {
    load_bytes(
        runtime,
        &builder.write().expect("the artifact is well formed"),
    )
}

/// Writes, loads and instantiates.
pub fn instantiate(
    imports: &Imports,
    builder: &ArtifactBuilder,
) -> Result<Instance, InstantiateError> {
    let module = load(imports.runtime(), builder).expect("the device accepts the artifact");
    module.instantiate(imports, InstanceOptions::default())
}

/// An artifact with some of everything.
pub fn rich() -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.module_name = Some("rich".into());
    artifact.types = vec![
        FuncType::default(),
        FuncType {
            params: vec![ValueType::I32, ValueType::F64],
            results: vec![ValueType::V128],
            canonical: 1,
            following: 0,
            entry_trampoline: Some(32),
            host_adapter: Some(36),
            switch_adapter: Some(40),
        },
    ];
    artifact.imports = vec![
        import("func", ImportType::Function(1)),
        import("memory", ImportType::Memory(memory_type(1, Some(3)))),
    ];
    artifact.functions = vec![Function {
        type_index: 1,
        text_offset: 0,
        text_size: 16,
        frame_size: 16,
        record: Some(0),
        wasm_offset: 100,
        traps: Vec::new(),
        call_sites: Vec::new(),
    }];
    artifact.text = vec![0xcc; 64];
    artifact.tables = vec![Table {
        ty: table_type(4, Some(8)),
        init: None,
    }];
    artifact.memories = vec![memory_type(1, Some(2))];
    artifact.globals = vec![Global {
        ty: GlobalType {
            value: ValueType::I64,
            mutable: true,
        },
        init: vec![ConstOp::I64Const(5), ConstOp::I64Const(6), ConstOp::I64Mul],
    }];
    artifact.elements = vec![ElementSegment {
        mode: ElementMode::Active {
            table: 0,
            offset: vec![ConstOp::I32Const(1)],
        },
        element: ValueType::FUNCREF,
        items: ElementItems::Functions(vec![Some(1), None, Some(0)]),
    }];
    artifact.data = vec![
        DataSegment {
            mode: DataMode::Active {
                memory: 1,
                offset: vec![ConstOp::I32Const(5000)],
            },
            in_image: false,
            bytes: b"active".to_vec(),
        },
        DataSegment {
            mode: DataMode::Passive,
            in_image: false,
            bytes: b"passive".to_vec(),
        },
    ];
    artifact.image = vec![ImagePart {
        memory: 1,
        address: 0,
        bytes: b"image".to_vec(),
    }];
    artifact.exports = vec![
        export("memory", ExternKind::Memory, 1),
        export("table", ExternKind::Table, 0),
        export("global", ExternKind::Global, 0),
        export("func", ExternKind::Function, 1),
    ];
    artifact.function_names = vec![None, Some("defined".into())];
    artifact
}
