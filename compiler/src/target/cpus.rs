//! CPUs by LLVM's names: the features of each that make code better.
//!
//! An artifact needs what its code uses, and code uses what a CPU's name allows. So a name stands for
//! less than the machine has: for what the code generator makes something of. Features that it makes
//! nothing better of, such as half-precision arithmetic or branch targets that are marked, are allowed
//! by name, with `--cpu-features`.

use precast_format::target::Isa;

/// A CPU's name, the name that it adds to, and what it adds.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    /// LLVM's name.
    pub name: &'static str,
    /// Another CPU that has less; empty for none.
    base: &'static str,
    added: &'static [&'static str],
}

macro_rules! cpus {
    ($($name:literal $base:literal $added:expr;)*) => {
        &[$(Cpu { name: $name, base: $base, added: &$added },)*]
    };
}

const X86_64: &[Cpu] = cpus! {
    "generic" "" [];
    "x86-64" "" [];
    "x86-64-v2" "x86-64" ["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16"];
    "x86-64-v3" "x86-64-v2" ["avx", "avx2", "fma", "bmi", "bmi2", "lzcnt"];
    "x86-64-v4" "x86-64-v3" ["avx512f", "avx512vl", "avx512dq"];
    "core2" "x86-64" ["sse3", "ssse3", "cx16"];
    "penryn" "core2" ["sse4.1"];
    "atom" "core2" [];
    "nehalem" "x86-64-v2" [];
    "westmere" "x86-64-v2" [];
    "silvermont" "x86-64-v2" [];
    "goldmont" "x86-64-v2" [];
    "tremont" "x86-64-v2" [];
    "sandybridge" "x86-64-v2" ["avx"];
    "ivybridge" "sandybridge" [];
    "haswell" "x86-64-v3" [];
    "broadwell" "x86-64-v3" [];
    "skylake" "x86-64-v3" [];
    "alderlake" "x86-64-v3" ["avxvnni"];
    "raptorlake" "alderlake" [];
    "gracemont" "alderlake" [];
    "skylake-avx512" "x86-64-v4" [];
    "cascadelake" "x86-64-v4" ["avx512vnni"];
    "icelake-client" "cascadelake" ["avx512bitalg", "avx512vbmi"];
    "icelake-server" "icelake-client" [];
    "tigerlake" "icelake-client" [];
    "rocketlake" "icelake-client" [];
    "sapphirerapids" "icelake-client" ["avxvnni"];
    "btver2" "x86-64-v2" ["avx", "bmi", "lzcnt"];
    "znver1" "x86-64-v3" [];
    "znver2" "x86-64-v3" [];
    "znver3" "x86-64-v3" [];
    "znver4" "icelake-client" [];
    "znver5" "znver4" ["avxvnni"];
};

const AARCH64: &[Cpu] = cpus! {
    "generic" "" [];
    "cortex-a34" "" [];
    "cortex-a35" "" [];
    "cortex-a53" "" [];
    "cortex-a57" "" [];
    "cortex-a72" "" [];
    "cortex-a73" "" [];
    "cortex-a55" "" ["lse", "dotprod"];
    "cortex-a75" "cortex-a55" [];
    "cortex-a76" "cortex-a55" [];
    "cortex-a77" "cortex-a55" [];
    "cortex-a78" "cortex-a55" [];
    "cortex-x1" "cortex-a55" [];
    "neoverse-n1" "cortex-a55" [];
    "cortex-a510" "cortex-a55" ["i8mm"];
    "cortex-a710" "cortex-a510" [];
    "cortex-a715" "cortex-a510" [];
    "cortex-a720" "cortex-a510" [];
    "cortex-x2" "cortex-a510" [];
    "cortex-x3" "cortex-a510" [];
    "neoverse-v1" "cortex-a510" [];
    "neoverse-n2" "cortex-a510" [];
    "neoverse-v2" "cortex-a510" [];
    "a64fx" "" ["lse"];
    "apple-a12" "" ["lse"];
    "apple-a13" "cortex-a55" [];
    "apple-a14" "cortex-a55" [];
    "apple-m1" "cortex-a55" [];
    "apple-m2" "cortex-a510" [];
    "apple-m3" "cortex-a510" [];
    "apple-m4" "cortex-a510" [];
};

const RISCV64: &[Cpu] = cpus! {
    "generic" "" ["m", "a", "f", "d", "zca", "zcd"];
    "rva20u64" "generic" [];
    "rva22u64" "generic" ["zba", "zbb", "zbs"];
    "rva23u64" "rva22u64" ["v", "zvbb", "zicond", "zcb", "zfa"];
    "sifive-u54" "generic" [];
    "sifive-u74" "generic" [];
    "sifive-p450" "rva22u64" [];
    "sifive-p550" "generic" ["zba", "zbb"];
    "veyron-v1" "rva22u64" ["zbc"];
};

const S390X: &[Cpu] = cpus! {
    "generic" "" ["vector", "vector-enhancements-1", "miscellaneous-extensions-2"];
    "z14" "generic" [];
    "arch12" "z14" [];
    "z15" "z14" ["miscellaneous-extensions-3", "vector-enhancements-2"];
    "arch13" "z15" [];
    "z16" "z15" [];
    "arch14" "z15" [];
    "z17" "z16" ["miscellaneous-extensions-4", "vector-enhancements-3"];
    "arch15" "z17" [];
};

const BYTECODE: &[Cpu] = cpus! { "generic" "" []; };

/// The CPUs of an instruction set.
pub fn all(isa: Isa) -> &'static [Cpu] {
    match isa {
        Isa::X86_64 => X86_64,
        Isa::Aarch64 => AARCH64,
        Isa::Riscv64 => RISCV64,
        Isa::S390x => S390X,
        _ => BYTECODE,
    }
}

/// The features that all code for an instruction set uses: the code generator cannot do without.
pub fn always(isa: Isa) -> &'static [&'static str] {
    match isa {
        Isa::Riscv64 => &["m", "a", "f", "d"],
        Isa::S390x => &[
            "vector",
            "vector-enhancements-1",
            "miscellaneous-extensions-2",
        ],
        _ => &[],
    }
}

/// The name of the CPU that is meant where none is named.
pub fn default(isa: Isa) -> &'static str {
    match isa {
        Isa::X86_64 => "x86-64-v2",
        _ => "generic",
    }
}

/// The features of a CPU by its name; `None` where there is no such name.
pub fn features(isa: Isa, name: &str) -> Option<Vec<&'static str>> {
    let mut features = Vec::new();
    let mut next = name;
    while !next.is_empty() {
        let cpu = all(isa).iter().find(|cpu| cpu.name == next)?;
        features.extend(cpu.added);
        next = cpu.base;
    }
    Some(features)
}

#[cfg(test)]
mod tests {
    use super::*;
    use precast_format::target::CpuFeatures;

    #[test]
    fn every_cpu_has_features_that_are_recorded() {
        for isa in Isa::ALL {
            for cpu in all(*isa) {
                let features = features(*isa, cpu.name).expect("every base is in the list");
                for feature in features {
                    let known = CpuFeatures::default().with(*isa, feature);
                    assert!(known.is_some(), "{} of {}", feature, cpu.name);
                }
            }
            let base = features(*isa, default(*isa)).expect("it is in the list");
            for feature in always(*isa) {
                assert!(base.contains(feature), "{feature}");
            }
        }
    }

    #[test]
    fn names_are_told_once() {
        for isa in Isa::ALL {
            let mut names: Vec<_> = all(*isa).iter().map(|cpu| cpu.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{}", isa.name());
        }
    }
}
