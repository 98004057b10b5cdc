//! What an x86-64 processor says about itself, and what of it the system lets programs use.

use precast_format::target::Isa;

use super::Feature;

/// What the processor says about itself. Each question is asked once: on a virtual machine the
/// hypervisor answers, and takes its time.
pub(in crate::sys) struct Answers {
    words: [u32; 5],
    /// The registers that the system saves: 1 and 2 are XMM and YMM, 5 to 7 are the mask registers
    /// and the two halves of ZMM.
    saved: u8,
}

/// `ecx` of leaf 1.
const BASIC: u8 = 0;
/// `ebx` of leaf 7.
const EXTENDED: u8 = 1;
/// `ecx` of leaf 7.
const EXTENDED_MORE: u8 = 2;
/// `eax` of the first subleaf of leaf 7.
const EXTENDED_NEXT: u8 = 3;
/// `ecx` of leaf 0x80000001, which every 64-bit processor has.
const VENDOR: u8 = 4;

/// The registers of a feature: none that the system would have to save.
const BASE: u8 = 0;
/// Those of AVX.
const YMM: u8 = 0b110;
/// Those of AVX-512.
const ZMM: u8 = 0b1110_0110;

/// Each feature by LLVM's name: the word that tells of it, the bit there, and its registers.
const FEATURES: [(&str, u8, u8, u8); 19] = [
    ("sse3", BASIC, 0, BASE),
    ("ssse3", BASIC, 9, BASE),
    ("fma", BASIC, 12, YMM),
    ("cx16", BASIC, 13, BASE),
    ("sse4.1", BASIC, 19, BASE),
    ("sse4.2", BASIC, 20, BASE),
    ("popcnt", BASIC, 23, BASE),
    ("avx", BASIC, 28, YMM),
    ("bmi", EXTENDED, 3, BASE),
    ("avx2", EXTENDED, 5, YMM),
    ("bmi2", EXTENDED, 8, BASE),
    ("avx512f", EXTENDED, 16, ZMM),
    ("avx512dq", EXTENDED, 17, ZMM),
    ("avx512vl", EXTENDED, 31, ZMM),
    ("avx512vbmi", EXTENDED_MORE, 1, ZMM),
    ("avx512vnni", EXTENDED_MORE, 11, ZMM),
    ("avx512bitalg", EXTENDED_MORE, 12, ZMM),
    ("avxvnni", EXTENDED_NEXT, 4, YMM),
    ("lzcnt", VENDOR, 5, BASE),
];

/// The same in the order of the features' bits, without the names.
const PLACES: [(u8, u8, u8); FEATURES.len()] = places();

const fn places() -> [(u8, u8, u8); FEATURES.len()] {
    let names = Isa::X86_64.features();
    assert!(names.len() == FEATURES.len());
    let mut places = [(0, 0, 0); FEATURES.len()];
    let mut bit = 0;
    while bit < names.len() {
        let mut index = 0;
        while !is_same(FEATURES[index].0.as_bytes(), names[bit].as_bytes()) {
            index += 1;
        }
        let (_, word, place, registers) = FEATURES[index];
        places[bit] = (word, place, registers);
        bit += 1;
    }
    places
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

impl Answers {
    /// Asks.
    pub(in crate::sys) fn ask() -> Answers {
        use core::arch::x86_64::{__cpuid, __cpuid_count};
        let basic = __cpuid(1).ecx;
        let vendor = __cpuid(0x8000_0001).ecx;
        let mut words = [basic, 0, 0, 0, vendor];
        if __cpuid(0).eax >= 7 {
            let answer = __cpuid_count(7, 0);
            let next = if answer.eax >= 1 {
                __cpuid_count(7, 1).eax
            } else {
                0
            };
            words = [basic, answer.ebx, answer.ecx, next, vendor];
        }
        let mut saved = if basic >> 27 & 1 == 1 {
            saved_registers()
        } else {
            0
        };
        // All of AVX-512 has its foundation.
        if words[1] >> 16 & 1 == 0 {
            saved &= YMM;
        }
        Answers { words, saved }
    }

    /// Whether there is a feature.
    pub(in crate::sys) fn has(&self, feature: Feature) -> bool {
        let Some((word, bit, registers)) = PLACES.get(feature.bit) else {
            return false;
        };
        let word = self.words.get(usize::from(*word)).copied().unwrap_or(0);
        word >> bit & 1 == 1 && self.saved & registers == *registers
    }
}

/// The low byte of the extended control register 0. Only where `cpuid` says that the system has enabled it.
fn saved_registers() -> u8 {
    let low: u32;
    // SAFETY: the caller has seen the bit that says that the instruction is there.
    unsafe {
        core::arch::asm!(
            "xgetbv",
            in("ecx") 0,
            out("eax") low,
            out("edx") _,
            options(nomem, nostack, preserves_flags)
        );
    }
    low as u8
}
