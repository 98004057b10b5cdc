//! Allocators that programs export.
//!
//! Which one it is follows from names and types of exports. Whatever it returns is checked before
//! anybody uses it.
//!
//! | exports | called to allocate | called to free |
//! |---|---|---|
//! | `malloc` and `free` of C | `malloc(size)` | `free(address)` |
//! | `__new` and `__release` of AssemblyScript until 0.17 | `__new(size, 0)`, then `__retain` if it is there | `__release(address)` |
//! | `__new`, `__pin` and `__unpin` of AssemblyScript since 0.18 | `__new(size, 0)`, then `__pin` | `__unpin(address)` |
//!
//! Class 0 is a buffer of bytes in the former and an object without fields in the latter; its bytes
//! never count as references.
#![forbid(unsafe_code)]

use precast_format::Artifact;
use precast_format::types::ExternKind;

use crate::call::exec_env::CallContext;
use crate::call::typed::{WasmParams, WasmResults};
use crate::instance::Instance;
use crate::instance::heap::HeapError;
use crate::types::ValueType;

/// The class of an AssemblyScript object that is nothing but bytes.
const CLASS: u32 = 0;

/// An allocator that the module exports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ExportedAllocator {
    language: Language,
    /// Whether addresses and sizes have 64 bits.
    is_64: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Language {
    C,
    AssemblyScript {
        /// Keeps an object from being collected.
        keep: Option<&'static str>,
        release: &'static str,
    },
}

impl ExportedAllocator {
    /// The allocator that the module exports, if there is one.
    pub(crate) fn find(artifact: &Artifact<'_>) -> Option<ExportedAllocator> {
        let exports = |name, params: &[ValueType], results: &[ValueType]| {
            has_type(artifact, name, params, results)
        };
        [(ValueType::I32, false), (ValueType::I64, true)]
            .into_iter()
            .find_map(|(size, is_64)| {
                let language = if exports("malloc", &[size], &[size])
                    && exports("free", &[size], &[])
                {
                    Language::C
                } else if !exports("__new", &[size, ValueType::I32], &[size]) {
                    return None;
                } else if exports("__release", &[size], &[]) {
                    let keep = exports("__retain", &[size], &[size]).then_some("__retain");
                    let release = "__release";
                    Language::AssemblyScript { keep, release }
                } else if exports("__pin", &[size], &[size]) && exports("__unpin", &[size], &[]) {
                    let (keep, release) = (Some("__pin"), "__unpin");
                    Language::AssemblyScript { keep, release }
                } else {
                    return None;
                };
                Some(ExportedAllocator { language, is_64 })
            })
    }

    /// Has the program allocate. What it returns is not zero, and no more is known of it.
    pub(super) fn allocate(
        self,
        instance: &Instance,
        context: &mut impl CallContext,
        bytes: u64,
    ) -> Result<u64, HeapError> {
        let out_of_memory = HeapError::OutOfMemory { requested: bytes };
        // Some allocators have nothing to give for nothing.
        let size = bytes.max(1);
        let address = if self.is_64 {
            match self.language {
                Language::C => call::<_, u64>(instance, context, "malloc", (size,)),
                Language::AssemblyScript { .. } => {
                    call::<_, u64>(instance, context, "__new", (size, CLASS))
                }
            }
        } else {
            let Ok(size) = u32::try_from(size) else {
                return Err(out_of_memory);
            };
            match self.language {
                Language::C => call::<_, u32>(instance, context, "malloc", (size,)),
                Language::AssemblyScript { .. } => {
                    call::<_, u32>(instance, context, "__new", (size, CLASS))
                }
            }
            .map(u64::from)
        }?;
        if address == 0 {
            return Err(out_of_memory);
        }
        if let Language::AssemblyScript {
            keep: Some(keep), ..
        } = self.language
        {
            if self.is_64 {
                call::<_, u64>(instance, context, keep, (address,))?;
            } else {
                // It came from 32 bits.
                call::<_, u32>(instance, context, keep, (address as u32,))?;
            }
        }
        Ok(address)
    }

    /// Has the program free what it allocated.
    pub(super) fn free(
        self,
        instance: &Instance,
        context: &mut impl CallContext,
        address: u64,
    ) -> Result<(), HeapError> {
        let free = match self.language {
            Language::C => "free",
            Language::AssemblyScript { release, .. } => release,
        };
        if self.is_64 {
            return call(instance, context, free, (address,));
        }
        match u32::try_from(address) {
            Ok(address) => call(instance, context, free, (address,)),
            Err(_) => Err(HeapError::NotAnAllocation { address }),
        }
    }
}

/// Calls an export whose type is known to be right.
fn call<P: WasmParams, R: WasmResults>(
    instance: &Instance,
    context: &mut impl CallContext,
    name: &str,
    params: P,
) -> Result<R, HeapError> {
    let func = instance.func::<P, R>(name).map_err(|_| HeapError::NoHeap)?;
    Ok(func.call(context, params)?)
}

/// Whether the module exports a function under the name, with these types.
fn has_type(
    artifact: &Artifact<'_>,
    name: &str,
    params: &[ValueType],
    results: &[ValueType],
) -> bool {
    let export = artifact.exports().lookup(name);
    let function = export.filter(|export| export.kind == ExternKind::Function);
    let found = function.and_then(|export| artifact.function_type(export.index));
    found.is_some_and(|found| {
        found.params().iter().eq(params.iter().copied())
            && found.results().iter().eq(results.iter().copied())
    })
}
