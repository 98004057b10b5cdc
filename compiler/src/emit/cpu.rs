//! Which CPU features a text really uses.
//!
//! The header records these, not the features that the compiler was allowed to use: an artifact
//! is refused only by a device that could not run it.

use iced_x86::{CpuidFeature, Decoder, DecoderOptions, Instruction};
use precast_format::target::{CpuFeatures, Isa};

use crate::link::LinkedFunction;
use crate::target::Target;

/// The features that the code needs, of those that the target allows.
///
/// Only functions are decoded: adapters use no more than the base instruction set. Constants
/// behind a function's code decode as instructions of no meaning, which could name a feature that
/// is not used; what the target does not allow is left out, so that they can only err on the safe
/// side.
pub(crate) fn used_features(
    target: &Target,
    text: &[u8],
    functions: &[LinkedFunction],
) -> CpuFeatures {
    match target.isa() {
        Isa::X86_64 => {
            let range = |f: &LinkedFunction| f.offset as usize..(f.offset + f.size) as usize;
            let used = functions
                .iter()
                .filter_map(|function| text.get(range(function)))
                .fold(0, |used, code| used | x86_64_features(code).0);
            CpuFeatures(used & target.features().0)
        }
        // No decoder: what was allowed stands for what is used.
        _ => target.features(),
    }
}

fn x86_64_features(code: &[u8]) -> CpuFeatures {
    let mut features = CpuFeatures::default();
    let mut instruction = Instruction::default();
    let mut decoder = Decoder::new(64, code, DecoderOptions::NONE);
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        for feature in instruction.cpuid_features() {
            if let Some(added) =
                name(*feature).and_then(|name| CpuFeatures::default().with(Isa::X86_64, name))
            {
                features.0 |= added.0;
            }
        }
    }
    features
}

/// Our name for a feature beyond the base instruction set.
fn name(feature: CpuidFeature) -> Option<&'static str> {
    Some(match feature {
        CpuidFeature::SSE3 => "sse3",
        CpuidFeature::SSSE3 => "ssse3",
        CpuidFeature::SSE4_1 => "sse4.1",
        CpuidFeature::SSE4_2 => "sse4.2",
        CpuidFeature::POPCNT => "popcnt",
        CpuidFeature::CMPXCHG16B => "cx16",
        CpuidFeature::AVX => "avx",
        CpuidFeature::AVX2 => "avx2",
        CpuidFeature::FMA => "fma",
        CpuidFeature::BMI1 => "bmi",
        CpuidFeature::BMI2 => "bmi2",
        CpuidFeature::LZCNT => "lzcnt",
        CpuidFeature::AVX512F => "avx512f",
        CpuidFeature::AVX512VL => "avx512vl",
        CpuidFeature::AVX512DQ => "avx512dq",
        CpuidFeature::AVX512_BITALG => "avx512bitalg",
        CpuidFeature::AVX512_VBMI => "avx512vbmi",
        CpuidFeature::AVX512_VNNI => "avx512vnni",
        CpuidFeature::AVX_VNNI => "avxvnni",
        _ => return None,
    })
}
