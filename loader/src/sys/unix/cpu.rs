//! What the processor is and can.

use precast_format::target::{CpuFeatures, HostAbi};

use crate::sys::isa;
#[cfg(not(target_arch = "x86_64"))]
use crate::sys::isa::Feature;
#[cfg(target_arch = "x86_64")]
use crate::sys::isa::cpuid::Answers;

/// The calling convention of this system.
pub const HOST_ABI: HostAbi = if cfg!(all(target_vendor = "apple", target_arch = "aarch64")) {
    HostAbi::AppleAarch64
} else {
    HostAbi::SystemV
};

/// The CPU features that compiled code may use here: the processor has them, and the system saves
/// the registers that they need.
pub fn features() -> CpuFeatures {
    let answers = Answers::ask();
    isa::features(|feature| answers.has(feature))
}

/// What the processor can, as the kernel tells each process.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
struct Answers {
    /// Two words of flags.
    capabilities: [u64; 2],
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
impl Answers {
    fn ask() -> Answers {
        Answers {
            capabilities: [libc::AT_HWCAP, libc::AT_HWCAP2].map(auxiliary_value),
        }
    }

    /// Whether there is a feature.
    fn has(&self, feature: Feature) -> bool {
        let [first, second] = self.capabilities;
        let all = |word: u64, flags: u64| word & flags == flags;
        match feature.name {
            "lse" => all(first, libc::HWCAP_ATOMICS),
            "fp16" => all(first, libc::HWCAP_FPHP | libc::HWCAP_ASIMDHP),
            "dotprod" => all(first, libc::HWCAP_ASIMDDP),
            "pauth" => all(first, libc::HWCAP_PACA),
            "i8mm" => second >> 13 & 1 == 1,
            "bti" => second >> 17 & 1 == 1,
            _ => false,
        }
    }
}

/// A value that the kernel passes to each process; zero where it does not know it.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
fn auxiliary_value(kind: libc::c_ulong) -> u64 {
    // SAFETY: asks for a number.
    unsafe { libc::getauxval(kind) }
}

/// What the processor can, as the kernel answers.
#[cfg(all(target_os = "linux", target_arch = "riscv64"))]
struct Answers {
    /// The flags of extensions.
    extensions: u64,
}

#[cfg(all(target_os = "linux", target_arch = "riscv64"))]
impl Answers {
    fn ask() -> Answers {
        /// The number of the system call `riscv_hwprobe`.
        const HWPROBE: libc::c_long = 258;
        /// The question for extensions.
        const EXTENSIONS: i64 = 4;
        let mut pair = [EXTENSIONS, 0];
        let none = core::ptr::null::<libc::c_void>();
        // SAFETY: one pair of question and answer, for all processors.
        let status = unsafe { libc::syscall(HWPROBE, pair.as_mut_ptr(), 1, 0, none, 0) };
        // An older kernel knows neither the call nor, perhaps, the question: then it makes it
        // negative.
        let answered = status == 0 && pair[0] == EXTENSIONS;
        let extensions = if answered { pair[1] as u64 } else { 0 };
        Answers { extensions }
    }

    /// Whether there is a feature.
    fn has(&self, feature: Feature) -> bool {
        let bit = |index: u32| self.extensions >> index & 1 == 1;
        match feature.name {
            // The base for which this loader was built.
            "m" | "a" | "f" | "d" | "zca" | "zcd" => true,
            "v" => bit(2),
            "zba" => bit(3),
            "zbb" => bit(4),
            "zbs" => bit(5),
            "zbc" => bit(7),
            "zbkb" => bit(8),
            "zvbb" => bit(17),
            "zfh" => bit(27),
            "zfhmin" => bit(28),
            "zvfh" => bit(30),
            "zfa" => bit(32),
            "zicond" => bit(35),
            "zcb" => bit(44),
            _ => false,
        }
    }
}

/// What the processor has, as it tells every program.
#[cfg(target_arch = "s390x")]
struct Answers {
    /// The facilities, the first in the most significant bit of the first word.
    facilities: [u64; 4],
    /// Whether the system saves the vector registers.
    vectors: bool,
}

#[cfg(target_arch = "s390x")]
impl Answers {
    fn ask() -> Answers {
        let mut facilities = [0u64; 4];
        let last = facilities.len() as u64 - 1;
        // SAFETY: stores at most as many words as register 0 says, and one. The instruction is part
        // of the base of the instruction set.
        unsafe {
            core::arch::asm!(
                "stfle 0({list})",
                list = in(reg_addr) facilities.as_mut_ptr(),
                inout("r0") last => _,
                options(nostack)
            );
        }
        Answers {
            facilities,
            vectors: has_vectors(),
        }
    }

    /// Whether there is a feature.
    fn has(&self, feature: Feature) -> bool {
        let facility = |number: usize| {
            let word = self.facilities.get(number / 64);
            word.is_some_and(|word| word >> (63 - number % 64) & 1 == 1)
        };
        match feature.name {
            "miscellaneous-extensions-2" => facility(58),
            "miscellaneous-extensions-3" => facility(61),
            "miscellaneous-extensions-4" => facility(84),
            "vector" => self.vectors && facility(129),
            "vector-enhancements-1" => self.vectors && facility(135),
            "vector-enhancements-2" => self.vectors && facility(148),
            "vector-enhancements-3" => self.vectors && facility(198),
            _ => false,
        }
    }
}

/// Whether the kernel says that programs may use the vector registers.
#[cfg(all(target_os = "linux", target_arch = "s390x"))]
fn has_vectors() -> bool {
    /// `HWCAP_S390_VXRS`.
    const VECTORS: libc::c_ulong = 1 << 11;
    // SAFETY: asks for a number.
    unsafe { libc::getauxval(libc::AT_HWCAP) & VECTORS != 0 }
}

/// Nothing is known of other systems.
#[cfg(all(not(target_os = "linux"), target_arch = "s390x"))]
fn has_vectors() -> bool {
    true
}

/// What the processor can, as the kernel answers.
#[cfg(all(target_vendor = "apple", target_arch = "aarch64"))]
struct Answers;

#[cfg(all(target_vendor = "apple", target_arch = "aarch64"))]
impl Answers {
    fn ask() -> Answers {
        Answers
    }

    /// Whether there is a feature.
    fn has(&self, feature: Feature) -> bool {
        let question = match feature.name {
            "lse" => c"hw.optional.arm.FEAT_LSE",
            "fp16" => c"hw.optional.arm.FEAT_FP16",
            "dotprod" => c"hw.optional.arm.FEAT_DotProd",
            "pauth" => c"hw.optional.arm.FEAT_PAuth",
            "i8mm" => c"hw.optional.arm.FEAT_I8MM",
            "bti" => c"hw.optional.arm.FEAT_BTI",
            _ => return false,
        };
        let (mut answer, mut size) = (0i32, size_of::<i32>());
        let (room, none) = (&raw mut answer, core::ptr::null_mut());
        // SAFETY: the name ends with a zero byte, and there is room for so many bytes of an answer.
        let status =
            unsafe { libc::sysctlbyname(question.as_ptr(), room.cast(), &raw mut size, none, 0) };
        status == 0 && answer != 0
    }
}

/// Nothing beyond the base of the instruction set is known.
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "s390x",
    all(target_vendor = "apple", target_arch = "aarch64"),
    all(
        target_os = "linux",
        any(target_arch = "aarch64", target_arch = "riscv64")
    )
)))]
struct Answers;

#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "s390x",
    all(target_vendor = "apple", target_arch = "aarch64"),
    all(
        target_os = "linux",
        any(target_arch = "aarch64", target_arch = "riscv64")
    )
)))]
impl Answers {
    fn ask() -> Answers {
        Answers
    }

    fn has(&self, _: Feature) -> bool {
        false
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::sys::isa::ISA;

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
