//! Why a module is refused: because it is invalid, or because it needs a feature that is not there.
//!
//! The validator says where it stopped, which is seldom the name of what is missing. So a module
//! that does not pass is tried again with every feature that the validator knows. Where it passes
//! then, the features that it cannot do without are named.

use wasmparser::{Validator, WasmFeatures};

use crate::error::{CompileError, ErrorKind};

/// Features that a module may turn out to need and that are refused by name, the later ones first:
/// what builds on another feature comes before it.
const REFUSED: &[(&str, WasmFeatures)] = &[
    ("custom descriptors", WasmFeatures::CUSTOM_DESCRIPTORS),
    (
        "shared-everything threads",
        WasmFeatures::SHARED_EVERYTHING_THREADS,
    ),
    ("stack switching", WasmFeatures::STACK_SWITCHING),
    ("memory control", WasmFeatures::MEMORY_CONTROL),
    ("wide arithmetic", WasmFeatures::WIDE_ARITHMETIC),
    ("garbage collection", WasmFeatures::GC),
    (
        "typed function references",
        WasmFeatures::FUNCTION_REFERENCES,
    ),
    (
        "exception handling (legacy)",
        WasmFeatures::LEGACY_EXCEPTIONS,
    ),
    ("exception handling", WasmFeatures::EXCEPTIONS),
    ("threads", WasmFeatures::THREADS),
    ("custom page sizes", WasmFeatures::CUSTOM_PAGE_SIZES),
    ("relaxed SIMD", WasmFeatures::RELAXED_SIMD),
    ("64-bit memories", WasmFeatures::MEMORY64),
    ("multiple memories", WasmFeatures::MULTI_MEMORY),
    ("tail calls", WasmFeatures::TAIL_CALL),
    (
        "extended constant expressions",
        WasmFeatures::EXTENDED_CONST,
    ),
    ("SIMD", WasmFeatures::SIMD),
    ("reference types", WasmFeatures::REFERENCE_TYPES),
    ("bulk memory operations", WasmFeatures::BULK_MEMORY),
    ("multiple results", WasmFeatures::MULTI_VALUE),
    (
        "saturating conversions",
        WasmFeatures::SATURATING_FLOAT_TO_INT,
    ),
    ("sign extension", WasmFeatures::SIGN_EXTENSION),
];

/// Turns a validation error into a refusal by name, where the module is valid with more features.
pub(super) fn explain(
    wasm: &[u8],
    features: WasmFeatures,
    error: wasmparser::BinaryReaderError,
) -> CompileError {
    let valid = |with: WasmFeatures| {
        Validator::new_with_features(with)
            .validate_all(wasm)
            .is_ok()
    };
    let mut enough = WasmFeatures::all() & !WasmFeatures::CM_ASYNC;
    if !valid(enough) {
        return error.into();
    }
    // Take away what the module does not need; what is left is a smallest set that it does.
    let mut needed = Vec::new();
    for (name, feature) in REFUSED
        .iter()
        .filter(|(_, feature)| !features.contains(*feature))
    {
        match valid(enough & !*feature) {
            true => enough &= !*feature,
            false => needed.push(*name),
        }
    }
    needed.reverse();
    let offset = error.offset() as usize;
    let message = match needed[..] {
        [] => error.message().to_owned(),
        _ => format!("the module needs {}", needed.join(", ")),
    };
    CompileError::unsupported(message).at(offset)
}

/// The same for an error in a function body: an invalid one may only need more features.
pub(crate) fn explain_body(
    wasm: &[u8],
    features: WasmFeatures,
    error: CompileError,
) -> CompileError {
    if error.kind != ErrorKind::Invalid {
        return error;
    }
    match Validator::new_with_features(features).validate_all(wasm) {
        Ok(_) => error,
        Err(first) => match explain(wasm, features, first) {
            explained if explained.kind == ErrorKind::Unsupported => explained,
            _ => error,
        },
    }
}
