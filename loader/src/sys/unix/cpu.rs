//! What the processor is and can.

use precast_format::target::{CpuFeatures, HostAbi, Isa};

/// The instruction set that this loader was built for.
#[cfg(target_arch = "x86_64")]
pub const ISA: Isa = Isa::X86_64;
/// The instruction set that this loader was built for.
#[cfg(target_arch = "aarch64")]
pub const ISA: Isa = Isa::Aarch64;
/// The instruction set that this loader was built for.
#[cfg(target_arch = "riscv64")]
pub const ISA: Isa = Isa::Riscv64;
/// The instruction set that this loader was built for.
#[cfg(target_arch = "s390x")]
pub const ISA: Isa = Isa::S390x;

/// The calling convention of this system.
pub const HOST_ABI: HostAbi = if cfg!(all(target_vendor = "apple", target_arch = "aarch64")) {
    HostAbi::AppleAarch64
} else {
    HostAbi::SystemV
};

/// The CPU features that compiled code may use here: the processor has them, and the system saves
/// the registers that they need.
pub fn features() -> CpuFeatures {
    let mut features = CpuFeatures(0);
    for (bit, name) in ISA.features().iter().enumerate() {
        if has(name) {
            features.0 |= 1 << bit;
        }
    }
    features
}

/// Bit tests on the answers of `cpuid`, by LLVM's name of the feature.
#[cfg(target_arch = "x86_64")]
fn has(name: &str) -> bool {
    use core::arch::x86_64::{__cpuid, __cpuid_count, CpuidResult};

    const NOTHING: CpuidResult = CpuidResult {
        eax: 0,
        ebx: 0,
        ecx: 0,
        edx: 0,
    };
    let basic = __cpuid(0).eax;
    let extended = __cpuid(0x8000_0000).eax;
    let leaf1 = if basic >= 1 { __cpuid(1) } else { NOTHING };
    let leaf7 = if basic >= 7 {
        __cpuid_count(7, 0)
    } else {
        NOTHING
    };
    let leaf7_1 = if basic >= 7 && leaf7.eax >= 1 {
        __cpuid_count(7, 1)
    } else {
        NOTHING
    };
    let leaf_extended = if extended >= 0x8000_0001 {
        __cpuid(0x8000_0001)
    } else {
        NOTHING
    };
    let bit = |register: u32, index: u32| register >> index & 1 == 1;

    // The system says in XCR0 which registers it saves: 1 and 2 are XMM and YMM, 5 to 7 are the
    // mask registers and the two halves of ZMM.
    let saved = if bit(leaf1.ecx, 27) {
        saved_registers()
    } else {
        0
    };
    let ymm = saved & 0b110 == 0b110;
    let zmm = saved & 0b1110_0110 == 0b1110_0110;
    let avx512 = zmm && bit(leaf7.ebx, 16);
    match name {
        "sse3" => bit(leaf1.ecx, 0),
        "ssse3" => bit(leaf1.ecx, 9),
        "sse4.1" => bit(leaf1.ecx, 19),
        "sse4.2" => bit(leaf1.ecx, 20),
        "popcnt" => bit(leaf1.ecx, 23),
        "cx16" => bit(leaf1.ecx, 13),
        "avx" => ymm && bit(leaf1.ecx, 28),
        "avx2" => ymm && bit(leaf7.ebx, 5),
        "fma" => ymm && bit(leaf1.ecx, 12),
        "bmi" => bit(leaf7.ebx, 3),
        "bmi2" => bit(leaf7.ebx, 8),
        "lzcnt" => bit(leaf_extended.ecx, 5),
        "avx512f" => avx512,
        "avx512vl" => avx512 && bit(leaf7.ebx, 31),
        "avx512dq" => avx512 && bit(leaf7.ebx, 17),
        "avx512bitalg" => avx512 && bit(leaf7.ecx, 12),
        "avx512vbmi" => avx512 && bit(leaf7.ecx, 1),
        "avxvnni" => ymm && bit(leaf7_1.eax, 4),
        "avx512vnni" => avx512 && bit(leaf7.ecx, 11),
        _ => false,
    }
}

/// The extended control register 0. Only where `cpuid` says that the system has enabled it.
#[cfg(target_arch = "x86_64")]
fn saved_registers() -> u32 {
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
    low
}

/// Nothing beyond the base of the instruction set is known yet.
#[cfg(not(target_arch = "x86_64"))]
fn has(_: &str) -> bool {
    false
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    fn features_are_those_that_the_standard_library_finds() {
        let expected = [
            ("sse3", std::is_x86_feature_detected!("sse3")),
            ("ssse3", std::is_x86_feature_detected!("ssse3")),
            ("sse4.1", std::is_x86_feature_detected!("sse4.1")),
            ("sse4.2", std::is_x86_feature_detected!("sse4.2")),
            ("popcnt", std::is_x86_feature_detected!("popcnt")),
            ("cx16", std::is_x86_feature_detected!("cmpxchg16b")),
            ("avx", std::is_x86_feature_detected!("avx")),
            ("avx2", std::is_x86_feature_detected!("avx2")),
            ("fma", std::is_x86_feature_detected!("fma")),
            ("bmi", std::is_x86_feature_detected!("bmi1")),
            ("bmi2", std::is_x86_feature_detected!("bmi2")),
            ("lzcnt", std::is_x86_feature_detected!("lzcnt")),
            ("avx512f", std::is_x86_feature_detected!("avx512f")),
            ("avx512vl", std::is_x86_feature_detected!("avx512vl")),
            ("avx512dq", std::is_x86_feature_detected!("avx512dq")),
            (
                "avx512bitalg",
                std::is_x86_feature_detected!("avx512bitalg"),
            ),
            ("avx512vbmi", std::is_x86_feature_detected!("avx512vbmi")),
            ("avxvnni", std::is_x86_feature_detected!("avxvnni")),
            ("avx512vnni", std::is_x86_feature_detected!("avx512vnni")),
        ];
        assert!(
            expected
                .iter()
                .map(|(name, _)| *name)
                .eq(ISA.features().iter().copied())
        );
        for (name, found) in expected {
            let only = CpuFeatures(0).with(ISA, name).unwrap();
            assert_eq!(features().0 & only.0 != 0, found, "{name}");
        }
    }
}
