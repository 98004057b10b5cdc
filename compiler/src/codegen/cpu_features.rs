//! Which CPU features machine code really uses.
//!
//! The header records these, not the features that the compiler was allowed to use: an artifact
//! is refused only by a device that could not run it. Everything that can be executed counts,
//! trampolines and adapters included: where AVX is allowed, they move floats with it.

use cranelift_codegen::isa::TargetIsa;
use iced_x86::{CpuidFeature, Decoder, DecoderOptions, Instruction};
use precast_format::target::{CpuFeatures, Isa};
use target_lexicon::Architecture;

/// How the features of code are found.
#[derive(Clone, Copy)]
pub(super) enum Decoding {
    /// Not at all: there is no decoder for the instruction set.
    None,
    /// By decoding what has bytes with which instructions of a feature begin.
    Legacy,
    /// By decoding everything: instructions with a VEX or EVEX prefix are allowed, and bytes like
    /// these are everywhere.
    All,
}

impl Decoding {
    /// For code of this target.
    pub fn new(isa: &dyn TargetIsa) -> Decoding {
        if isa.triple().architecture != Architecture::X86_64 {
            return Decoding::None;
        }
        let vex = isa.isa_flags().iter().any(|flag| {
            let is_vex = ["avx", "bmi", "fma"]
                .iter()
                .any(|it| flag.name.contains(it));
            is_vex && flag.as_bool() == Some(true)
        });
        match vex {
            true => Decoding::All,
            false => Decoding::Legacy,
        }
    }

    /// The features that the code of one function needs.
    ///
    /// `blocks` are the offsets at which basic blocks start. Decoding starts anew at each, because a
    /// jump table may lie between two blocks. A table and the constants at the end decode as
    /// instructions of no meaning: they may name a feature too many, and hide none.
    pub fn used_features(self, code: &[u8], blocks: &[u32]) -> CpuFeatures {
        let mut features = CpuFeatures::default();
        match self {
            Decoding::None => return features,
            Decoding::Legacy if !may_use_features(code) => return features,
            Decoding::Legacy | Decoding::All => {}
        }
        let starts = blocks.iter().map(|start| *start as usize);
        let ends = starts.clone().chain([code.len()]);
        for block in [0]
            .into_iter()
            .chain(starts)
            .zip(ends)
            .filter_map(|(start, end)| code.get(start..end))
        {
            features.0 |= x86_64_features(block).0;
        }
        features
    }
}

/// Whether legacy code has bytes with which instructions of a feature begin. Most functions have
/// none, and looking for bytes takes a tenth of the time of decoding.
///
/// What is not in the base instruction set has one of these opcodes after the byte 0F: the maps 38
/// and 3A; POPCNT, TZCNT and LZCNT; CMPXCHG16B; and SSE3's moves and arithmetic on pairs.
fn may_use_features(code: &[u8]) -> bool {
    code.windows(2).any(|pair| {
        pair[0] == 0x0f
            && matches!(
                pair[1],
                0x12 | 0x16 | 0x38 | 0x3a | 0x7c | 0x7d | 0xb8 | 0xbc | 0xbd | 0xc7 | 0xd0 | 0xf0
            )
    })
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
