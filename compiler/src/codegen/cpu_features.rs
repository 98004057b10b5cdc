//! Which CPU features machine code really uses.
//!
//! The header records these, not the features that the compiler was allowed to use: an artifact
//! is refused only by a device that could not run it. Everything that can be executed counts,
//! trampolines and adapters included: where AVX is allowed, they move floats with it.

use cranelift_codegen::isa::TargetIsa;
use iced_x86::{CpuidFeature, Decoder, DecoderOptions, Instruction};
use precast_format::target::{CpuFeatures, Isa};
use target_lexicon::Architecture;

/// The features that the code of one function needs; none on other instruction sets than x86-64,
/// for which there is no decoder.
///
/// `blocks` are the offsets at which basic blocks start. Decoding starts anew at each, because a
/// jump table may lie between two blocks. A table and the constants at the end decode as
/// instructions of no meaning: they may name a feature too many, and hide none.
pub(super) fn used_features(isa: &dyn TargetIsa, code: &[u8], blocks: &[u32]) -> CpuFeatures {
    let mut features = CpuFeatures::default();
    if isa.triple().architecture != Architecture::X86_64 {
        return features;
    }
    let starts = [0]
        .into_iter()
        .chain(blocks.iter().map(|start| *start as usize));
    let ends = blocks
        .iter()
        .map(|start| *start as usize)
        .chain([code.len()]);
    for block in starts
        .zip(ends)
        .filter_map(|(start, end)| code.get(start..end))
    {
        features.0 |= x86_64_features(block).0;
    }
    features
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
