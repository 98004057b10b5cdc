//! Artifacts built by hand, without a compiler: modules whose behaviour is all in the loader.

// Each test file uses its own part of this.
#![allow(dead_code)]

use precast_format::target::{Endianness, HostAbi, Isa};
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode, Tunables};
use precast_format::write::{ArtifactBuilder, Export, Import, Target};
use precast_loader::{
    ExternKind, Imports, Instance, InstanceOptions, InstantiateError, Limits, LoadError,
    MemoryType, Module, Runtime, RuntimeOptions, Source, TableType, ValueType, WASM_PAGE_SIZE_LOG2,
};

/// The instruction set of the machine that the tests run on.
pub const ISA: Isa = if cfg!(target_arch = "x86_64") {
    Isa::X86_64
} else if cfg!(target_arch = "aarch64") {
    Isa::Aarch64
} else if cfg!(target_arch = "riscv64") {
    Isa::Riscv64
} else {
    Isa::S390x
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
        host_abi: HostAbi::SystemV,
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
        memory_reservation: 4 << 30,
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
    Runtime::system().expect("there is memory for a runtime")
}

/// A runtime that is told what the device offers.
pub fn runtime_with(options: RuntimeOptions) -> Runtime {
    Runtime::system_with(options).expect("there is memory for a runtime")
}

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
