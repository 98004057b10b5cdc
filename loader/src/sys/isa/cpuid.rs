//! What an x86-64 processor says about itself, and what of it the system lets programs use.

/// What the processor says about itself. Each question is asked once: on a virtual machine the
/// hypervisor answers, and takes its time.
pub(in crate::sys) struct Answers {
    /// `ecx` of leaf 1.
    basic: u32,
    /// `ebx` and `ecx` of leaf 7, and `eax` of its first subleaf.
    extended: (u32, u32),
    extended_more: u32,
    /// `ecx` of leaf 0x80000001, which every 64-bit processor has.
    vendor: u32,
    /// The registers that the system saves: 1 and 2 are XMM and YMM, 5 to 7 are the mask registers
    /// and the two halves of ZMM.
    saved: u32,
}

impl Answers {
    /// Asks.
    pub(in crate::sys) fn ask() -> Answers {
        use core::arch::x86_64::{__cpuid, __cpuid_count};
        let basic = __cpuid(1).ecx;
        let (mut extended, mut extended_more) = ((0, 0), 0);
        if __cpuid(0).eax >= 7 {
            let answer = __cpuid_count(7, 0);
            extended = (answer.ebx, answer.ecx);
            if answer.eax >= 1 {
                extended_more = __cpuid_count(7, 1).eax;
            }
        }
        let vendor = __cpuid(0x8000_0001).ecx;
        let saved = if basic >> 27 & 1 == 1 {
            saved_registers()
        } else {
            0
        };
        Answers {
            basic,
            extended,
            extended_more,
            vendor,
            saved,
        }
    }

    /// Whether there is a feature, by LLVM's name of it.
    pub(in crate::sys) fn has(&self, name: &str) -> bool {
        let bit = |register: u32, index: u32| register >> index & 1 == 1;
        let ymm = self.saved & 0b110 == 0b110;
        let zmm = self.saved & 0b1110_0110 == 0b1110_0110;
        let avx512 = zmm && bit(self.extended.0, 16);
        match name {
            "sse3" => bit(self.basic, 0),
            "ssse3" => bit(self.basic, 9),
            "sse4.1" => bit(self.basic, 19),
            "sse4.2" => bit(self.basic, 20),
            "popcnt" => bit(self.basic, 23),
            "cx16" => bit(self.basic, 13),
            "avx" => ymm && bit(self.basic, 28),
            "avx2" => ymm && bit(self.extended.0, 5),
            "fma" => ymm && bit(self.basic, 12),
            "bmi" => bit(self.extended.0, 3),
            "bmi2" => bit(self.extended.0, 8),
            "lzcnt" => bit(self.vendor, 5),
            "avx512f" => avx512,
            "avx512vl" => avx512 && bit(self.extended.0, 31),
            "avx512dq" => avx512 && bit(self.extended.0, 17),
            "avx512bitalg" => avx512 && bit(self.extended.1, 12),
            "avx512vbmi" => avx512 && bit(self.extended.1, 1),
            "avxvnni" => ymm && bit(self.extended_more, 4),
            "avx512vnni" => avx512 && bit(self.extended.1, 11),
            _ => false,
        }
    }
}

/// The extended control register 0. Only where `cpuid` says that the system has enabled it.
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
