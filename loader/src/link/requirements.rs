//! Requirements: what the header asks for against what the device offers.
//!
//! One function for each requirement, so that each refusal has one place. What the code does not
//! use is not asked for.
#![forbid(unsafe_code)]

use precast_format::Artifact;
use precast_format::context::ABI_HASH;
use precast_format::features::WasmFeature;
use precast_format::libcall::{Libcall, LibcallSet};
use precast_format::read::Header;
use precast_format::tunables::{StackChecks, TrapMode};
use precast_format::types::{ExternKind, MemoryType};

use crate::error::LoadError;
use crate::facility::{
    CallProfiles, Exceptions, Linking, Rounding, Simd, Threads, TypedReferences,
};
use crate::libcall;
use crate::module::is_grouped;
use crate::runtime::Device;

/// Checks every requirement; the first that is not met is the error.
// What loading is inlined into has a large frame, which makes each access to it longer.
#[inline(never)]
pub(crate) fn check(artifact: &Artifact<'_>, device: &Device) -> Result<(), LoadError> {
    let header = artifact.header();
    check_machine(header, device)?;
    check_context(header)?;
    check_cpu(header, device)?;
    check_facilities(artifact)?;
    check_strategies(artifact, device)
}

/// Instruction set, pointer width, calling convention.
fn check_machine(header: &Header, device: &Device) -> Result<(), LoadError> {
    let width = usize::BITS;
    let required = header.isa.pointer_width().bytes() * 8;
    if header.isa.is_bytecode() {
        return check_interpreter(header, device);
    }
    if header.isa != device.isa {
        return Err(LoadError::Isa {
            required: header.isa,
            device: device.isa,
        });
    }
    if required != width {
        return Err(LoadError::PointerWidth {
            required,
            device: width,
        });
    }
    if header.host_abi != device.host_abi {
        return Err(LoadError::HostAbi {
            required: header.host_abi,
            device: device.host_abi,
        });
    }
    Ok(())
}

/// An interpreter, and pointers and a byte order that are the device's: bytecode shares memory with the
/// loader. It knows nothing of native conventions.
fn check_interpreter(header: &Header, device: &Device) -> Result<(), LoadError> {
    let Some(bytecode) = device.bytecode else {
        return Err(LoadError::Interpreter {
            required: header.isa,
        });
    };
    if header.isa != bytecode {
        return Err(LoadError::Isa {
            required: header.isa,
            device: bytecode,
        });
    }
    if header.endianness != device.endianness {
        return Err(LoadError::ByteOrder {
            required: header.endianness,
            device: device.endianness,
        });
    }
    Ok(())
}

/// The instance context's layout.
fn check_context(header: &Header) -> Result<(), LoadError> {
    if header.abi_hash == ABI_HASH {
        Ok(())
    } else {
        Err(LoadError::AbiHash {
            artifact: header.abi_hash,
            loader: ABI_HASH,
        })
    }
}

/// The instructions that the code uses.
fn check_cpu(header: &Header, device: &Device) -> Result<(), LoadError> {
    let missing = header.cpu_features.missing_from(device.cpu_features);
    if missing.is_empty() {
        Ok(())
    } else {
        Err(LoadError::CpuFeatures {
            isa: header.isa,
            missing,
        })
    }
}

/// The facilities that are there by choice of whoever built this loader.
fn check_facilities(artifact: &Artifact<'_>) -> Result<(), LoadError> {
    let header = artifact.header();
    let refuse = |feature| Err(LoadError::Facility { feature });
    let uses = |feature| header.wasm_features.contains(feature);
    if !Simd::IS_BUILT_IN && uses(WasmFeature::Simd) {
        return refuse(Simd::FEATURE);
    }
    if !Exceptions::IS_BUILT_IN
        && (uses(WasmFeature::Exceptions)
            || uses(WasmFeature::LegacyExceptions)
            || artifact.index_space(ExternKind::Tag) > 0)
    {
        return refuse(Exceptions::FEATURE);
    }
    if !Threads::IS_BUILT_IN && has_memory(artifact, |memory| memory.shared) {
        return refuse(Threads::FEATURE);
    }
    if !TypedReferences::IS_BUILT_IN && artifact.types().into_iter().any(|ty| is_grouped(&ty)) {
        return refuse(TypedReferences::FEATURE);
    }
    let lacks = |libcalls: LibcallSet, is_built_in: bool| {
        !is_built_in && header.libcalls.0 & libcalls.0 != 0
    };
    // Adapters between instances have handlers that pass on what comes through them. Where nothing throws,
    // nothing comes.
    let passed_on = LibcallSet(0).with(Libcall::Rethrow);
    let thrown = LibcallSet(libcall::of_exceptions().0 & !passed_on.0);
    if lacks(thrown, Exceptions::IS_BUILT_IN) {
        return refuse(Exceptions::FEATURE);
    }
    if lacks(libcall::of_threads(), Threads::IS_BUILT_IN) {
        return refuse(Threads::FEATURE);
    }
    if lacks(libcall::of_rounding(), Rounding::IS_BUILT_IN) {
        return refuse(Rounding::FEATURE);
    }
    if !Linking::IS_BUILT_IN
        && artifact.imports().len() > artifact.imported_count(ExternKind::Function)
    {
        return refuse(Linking::FEATURE);
    }
    Ok(())
}

/// How accesses, stack and traps are checked.
fn check_strategies(artifact: &Artifact<'_>, device: &Device) -> Result<(), LoadError> {
    let tunables = &artifact.header().tunables;
    let reservation = tunables
        .memory_reservation
        .saturating_add(tunables.memory_guard);
    let is_bytecode = artifact.header().isa.is_bytecode();
    if has_guarded_memory(artifact) {
        if is_bytecode || !device.guard_pages {
            return Err(LoadError::GuardPages { reservation });
        }
        if usize::try_from(reservation).is_err() || reservation > isize::MAX as u64 {
            return Err(LoadError::AddressSpace { reservation });
        }
    }
    if relies_on_faults(artifact) && !device.signals {
        return Err(LoadError::Signals);
    }
    let of_profile = libcall::of_profile();
    let counts_calls = tunables.call_profile || artifact.header().libcalls.0 & of_profile.0 != 0;
    if counts_calls && !CallProfiles::IS_BUILT_IN {
        return Err(LoadError::CallProfile);
    }
    let guards_stack = device.guard_pages && device.signals && !is_bytecode;
    if tunables.stack_checks == StackChecks::Guard && !guards_stack {
        return Err(LoadError::StackGuard);
    }
    Ok(())
}

/// Whether hardware faults in the code are traps: all that can be, those at guard pages of memories,
/// or those at the end of the stack. Those of bytecode are the interpreter's business.
pub(crate) fn relies_on_faults(artifact: &Artifact<'_>) -> bool {
    let tunables = &artifact.header().tunables;
    !artifact.header().isa.is_bytecode()
        && (tunables.trap_mode == TrapMode::Signals
            || tunables.stack_checks == StackChecks::Guard
            || has_guarded_memory(artifact))
}

/// Whether the code relies on guard pages around any memory; some memories are compared in code
/// whatever the strategy is.
pub(crate) fn has_guarded_memory(artifact: &Artifact<'_>) -> bool {
    let bounds_checks = artifact.header().tunables.bounds_checks;
    has_memory(artifact, |memory| bounds_checks.guards(memory))
}

/// Whether there is such a memory, imported or defined.
fn has_memory(artifact: &Artifact<'_>, is_such: impl Fn(&MemoryType) -> bool) -> bool {
    (0..artifact.index_space(ExternKind::Memory))
        .filter_map(|index| artifact.memory_type(index))
        .any(|memory| is_such(&memory))
}
