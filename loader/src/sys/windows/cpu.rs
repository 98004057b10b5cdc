//! What the processor is and can.

use precast_format::target::{CpuFeatures, HostAbi};

use crate::sys::isa;
#[cfg(not(target_arch = "x86_64"))]
use crate::sys::isa::Feature;
#[cfg(target_arch = "x86_64")]
use crate::sys::isa::cpuid::Answers;

/// The calling convention of this system.
pub const HOST_ABI: HostAbi = HostAbi::WindowsFastcall;

/// The CPU features that compiled code may use here: the processor has them, and the system saves
/// the registers that they need.
pub fn features() -> CpuFeatures {
    let answers = Answers::ask();
    isa::features(|feature| answers.has(feature))
}

/// What the system says about the processor.
#[cfg(target_arch = "aarch64")]
struct Answers;

#[cfg(target_arch = "aarch64")]
impl Answers {
    fn ask() -> Answers {
        Answers
    }

    /// Whether there is a feature.
    fn has(&self, feature: Feature) -> bool {
        use windows_sys::Win32::System::Threading::{
            IsProcessorFeaturePresent, PF_ARM_V81_ATOMIC_INSTRUCTIONS_AVAILABLE,
            PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE,
        };
        let feature = match feature.name {
            "lse" => PF_ARM_V81_ATOMIC_INSTRUCTIONS_AVAILABLE,
            "dotprod" => PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE,
            _ => return false,
        };
        // SAFETY: asks for an answer.
        unsafe { IsProcessorFeaturePresent(feature) != 0 }
    }
}
