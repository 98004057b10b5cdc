//! The stack reserve: how far below the stack limit code goes without asking.
//!
//! The loader sets the limit of a context so many bytes above the lowest address that compiled code
//! may use (the floor of the activation). This file says how many they are, and is the one place
//! for the arithmetic. What may happen while the stack pointer is at the limit:
//!
//! ```text
//!   a checked function is called       its frame F, taken before the compare
//!   a covered function is called       its frame and those of its callees F; none compares
//!   a large function is called         the frame F of the stub in front of it; the stub leaves
//!                                      room for the body's frame above the limit
//!   any of these makes tail calls      T more: its callee's arguments are placed above its frame
//!   the host enters                    the trampoline's frame E, then one of the above
//!   a host function is called          the adapter's frame H
//!   another instance is called         the frame S of the callee's adapter, which compares with
//!                                      the callee's limit before it goes on
//!
//!   reserve = max(E + F + T, H, S), rounded up
//! ```
//!
//! Where the stack ends with a guard page, code goes down to it. A fault of the trampoline would
//! come before it has written where a trap resumes, so its frame is the reserve: what is entered has
//! the room for it.
//!
//! Frames include return addresses. `S` belongs to another artifact, so it is bounded by the type
//! of the function ([`switch_adapter_bound`]); every artifact's own adapters keep to that bound.
//! Libcalls and the entry of host functions are called from all of these places; they run in the
//! loader's margin below the floor.

use precast_format::context::VALUE_SIZE;
use precast_format::features::WasmFeature;
use precast_format::target::Isa;
use precast_format::tunables::StackChecks;
use wasmparser::ValType;

use super::outgoing_arguments::save_area;
use crate::error::{CompileError, Result};
use crate::module::{FunctionType, ImportType};
use crate::translate::Environment;

/// What the stack pointer is a multiple of at a call; the reserve is rounded up to it.
const ALIGNMENT: u32 = 16;

/// What an adapter needs whatever the function's type is: all registers that its caller wants back,
/// since exceptions do not restore them, and spilled values.
fn adapter_base(isa: Isa) -> u32 {
    match isa {
        // The convention has an area for registers in each frame, and more registers to save.
        Isa::S390x => 384,
        _ => 256,
    }
}

/// The largest frames of each kind, in bytes; zero where there is none.
#[derive(Clone, Copy, Default)]
pub(crate) struct LargestFrames {
    /// Of functions that are checked inside of their frame or not at all, and of stubs.
    pub function: u32,
    /// Of entry trampolines.
    pub entry: u32,
    /// Of adapters to host functions.
    pub host: u32,
}

/// The reserve in bytes; zero where nothing is checked.
pub(crate) fn stack_reserve(environment: &Environment<'_>, frames: &LargestFrames) -> u32 {
    match environment.options.stack_checks {
        StackChecks::Explicit => {}
        StackChecks::Guard => return frames.entry.next_multiple_of(ALIGNMENT),
        StackChecks::None => return 0,
    }
    let module = environment.module;
    let isa = environment.options.target.isa();
    let (mut switch, mut tail) = (0, 0);
    let all = !module.tables.is_empty();
    let mut imported = vec![all; module.types.len()];
    for import in &module.imports {
        if let ImportType::Function(ty) = import.ty {
            imported[ty as usize] = true;
        }
    }
    for (ty, imported) in module.types.iter().zip(imported) {
        if imported {
            switch = switch_adapter_bound(isa, ty).max(switch);
        }
        // Each argument takes a value's size at most, the context and the place for results too.
        let arguments = save_area(isa) + (ty.params.len() as u32 + 2) * VALUE_SIZE;
        tail = arguments.max(tail);
    }
    if !environment.usage.features().contains(WasmFeature::TailCall) {
        tail = 0;
    }
    let entered = frames.entry + frames.function + tail;
    entered
        .max(frames.host)
        .max(switch)
        .next_multiple_of(ALIGNMENT)
}

/// The largest frame that the adapter may have through which other instances call a function of
/// this type: each value is passed on, and results are kept while the context is restored.
fn switch_adapter_bound(isa: Isa, ty: &FunctionType) -> u32 {
    let sum = |types: &[ValType]| -> u32 { types.iter().map(|ty| kept_value(isa, *ty)).sum() };
    let outgoing = match isa {
        // Arguments are below the frame, and its size has them.
        Isa::S390x => save_area(isa) + sum(&ty.params),
        _ => 0,
    };
    adapter_base(isa) + outgoing + sum(&ty.params) + 2 * sum(&ty.results)
}

/// What a value takes that is kept across a call, in bytes.
fn kept_value(isa: Isa, ty: ValType) -> u32 {
    match (isa, ty) {
        // The code generator takes the bits of a vector register for its bytes.
        (Isa::Riscv64, ValType::V128) => 8 * VALUE_SIZE,
        _ => VALUE_SIZE,
    }
}

/// Refuses an adapter that other artifacts have not reckoned with.
///
/// # Errors
///
/// When the bound is wrong, which is a defect.
pub(super) fn check_switch_adapter(isa: Isa, ty: &FunctionType, frame_size: u32) -> Result<()> {
    if frame_size > switch_adapter_bound(isa, ty) {
        return Err(CompileError::internal(format!(
            "an adapter has a frame of {frame_size} bytes, and its type allows {}",
            switch_adapter_bound(isa, ty)
        )));
    }
    Ok(())
}
