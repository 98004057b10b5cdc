//! What the processor is and can: what it says itself where any program may ask, else what the loader was
//! built for. A host that knows better says so
//! ([`RuntimeOptions::cpu_features`](crate::RuntimeOptions::cpu_features)).

use precast_format::target::{CpuFeatures, HostAbi};

use crate::sys::isa;
#[cfg(not(target_arch = "x86_64"))]
use crate::sys::isa::Feature;
#[cfg(target_arch = "x86_64")]
use crate::sys::isa::cpuid::Answers;

/// The calling convention of firmware.
pub const HOST_ABI: HostAbi = HostAbi::SystemV;

/// The CPU features that compiled code may use here.
pub fn features() -> CpuFeatures {
    let answers = Answers::ask();
    isa::features(|feature| answers.has(feature))
}

/// What the loader was built for: asking takes rights that it may not have.
#[cfg(not(target_arch = "x86_64"))]
struct Answers;

#[cfg(not(target_arch = "x86_64"))]
impl Answers {
    fn ask() -> Answers {
        Answers
    }

    /// Whether there is a feature.
    fn has(&self, feature: Feature) -> bool {
        #[cfg(target_arch = "aarch64")]
        return match feature.name {
            "lse" => cfg!(target_feature = "lse"),
            "fp16" => cfg!(target_feature = "fp16"),
            "dotprod" => cfg!(target_feature = "dotprod"),
            "pauth" => cfg!(target_feature = "paca"),
            "i8mm" => cfg!(target_feature = "i8mm"),
            "bti" => cfg!(target_feature = "bti"),
            _ => false,
        };
        #[cfg(target_arch = "riscv64")]
        return match feature.name {
            "m" => cfg!(target_feature = "m"),
            "a" => cfg!(target_feature = "a"),
            // The language does not tell; all native code for this instruction set needs both. A host on a
            // core without them has to say so.
            "f" | "d" => true,
            "zca" | "zcd" => cfg!(target_feature = "c"),
            "zba" => cfg!(target_feature = "zba"),
            "zbb" => cfg!(target_feature = "zbb"),
            "zbc" => cfg!(target_feature = "zbc"),
            "zbs" => cfg!(target_feature = "zbs"),
            _ => false,
        };
        #[cfg(not(any(target_arch = "aarch64", target_arch = "riscv64")))]
        {
            let _ = feature;
            false
        }
    }
}
