//! What machine an artifact is for: instruction set, pointer width, calling convention, CPU
//! features.

use crate::context::PointerWidth;
use crate::plain::line;

/// Instruction set of the text section.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[non_exhaustive]
pub enum Isa {
    /// 64-bit x86.
    X86_64 = 1,
    /// 64-bit Arm.
    Aarch64 = 2,
    /// 64-bit RISC-V.
    Riscv64 = 3,
    /// IBM z/Architecture.
    S390x = 4,
    /// Pulley bytecode with 32-bit pointers.
    Pulley32 = 5,
    /// Pulley bytecode with 64-bit pointers.
    Pulley64 = 6,
}

impl Isa {
    /// Every instruction set.
    pub const ALL: &'static [Isa] = &[
        Isa::X86_64,
        Isa::Aarch64,
        Isa::Riscv64,
        Isa::S390x,
        Isa::Pulley32,
        Isa::Pulley64,
    ];

    /// The instruction set with this number.
    pub const fn from_u8(number: u8) -> Option<Isa> {
        match number {
            1 => Some(Isa::X86_64),
            2 => Some(Isa::Aarch64),
            3 => Some(Isa::Riscv64),
            4 => Some(Isa::S390x),
            5 => Some(Isa::Pulley32),
            6 => Some(Isa::Pulley64),
            _ => None,
        }
    }

    /// The customary name, as in target triples.
    pub const fn name(self) -> &'static str {
        let names = "x86_64\naarch64\nriscv64\ns390x\npulley32\npulley64";
        line(names, self as usize - 1)
    }

    /// Whether the text is bytecode that the loader interprets, and not code that the processor runs.
    pub const fn is_bytecode(self) -> bool {
        matches!(self, Isa::Pulley32 | Isa::Pulley64)
    }

    /// Size of a pointer.
    pub const fn pointer_width(self) -> PointerWidth {
        match self {
            Isa::Pulley32 => PointerWidth::Bits32,
            _ => PointerWidth::Bits64,
        }
    }

    /// The byte order of the instruction set; `None` where it has both.
    pub const fn endianness(self) -> Option<Endianness> {
        match self {
            Isa::X86_64 | Isa::Aarch64 | Isa::Riscv64 => Some(Endianness::Little),
            Isa::S390x => Some(Endianness::Big),
            Isa::Pulley32 | Isa::Pulley64 => None,
        }
    }

    /// The CPU features that this instruction set knows, in the order of their bits in the header.
    /// The names are LLVM's.
    pub const fn features(self) -> &'static [&'static str] {
        match self {
            Isa::X86_64 => X86_64_FEATURES,
            Isa::Aarch64 => AARCH64_FEATURES,
            Isa::Riscv64 => RISCV64_FEATURES,
            Isa::S390x => S390X_FEATURES,
            Isa::Pulley32 | Isa::Pulley64 => &[],
        }
    }
}

// Numbers follow each other, so that they are places in tables.
const _: () = {
    let mut index = 0;
    while index < Isa::ALL.len() {
        assert!(Isa::ALL[index] as usize == index + 1);
        index += 1;
    }
};

const X86_64_FEATURES: &[&str] = &[
    "sse3",
    "ssse3",
    "sse4.1",
    "sse4.2",
    "popcnt",
    "cx16",
    "avx",
    "avx2",
    "fma",
    "bmi",
    "bmi2",
    "lzcnt",
    "avx512f",
    "avx512vl",
    "avx512dq",
    "avx512bitalg",
    "avx512vbmi",
    "avxvnni",
    "avx512vnni",
];
const AARCH64_FEATURES: &[&str] = &["lse", "pauth", "fp16", "bti", "dotprod", "i8mm"];
const RISCV64_FEATURES: &[&str] = &[
    "m", "a", "f", "d", "zca", "zcd", "zcb", "zba", "zbb", "zbc", "zbs", "zbkb", "zicond", "zfa",
    "zfhmin", "zfh", "v", "zvfh", "zvbb",
];
const S390X_FEATURES: &[&str] = &[
    "miscellaneous-extensions-3",
    "vector-enhancements-2",
    "miscellaneous-extensions-4",
    "vector-enhancements-3",
    "vector",
    "vector-enhancements-1",
    "miscellaneous-extensions-2",
];

/// Calling convention between compiled code and the loader.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[non_exhaustive]
pub enum HostAbi {
    /// The System V convention of the instruction set; also bare metal.
    SystemV = 1,
    /// Windows.
    WindowsFastcall = 2,
    /// Apple's variant of AAPCS64.
    AppleAarch64 = 3,
}

impl HostAbi {
    /// Every convention.
    pub const ALL: &'static [HostAbi] = &[
        HostAbi::SystemV,
        HostAbi::WindowsFastcall,
        HostAbi::AppleAarch64,
    ];

    /// The convention's name in reports.
    pub const fn name(self) -> &'static str {
        let names = "system_v\nwindows_fastcall\napple_aarch64";
        line(names, self as usize - 1)
    }

    /// The convention with this number.
    pub const fn from_u8(number: u8) -> Option<HostAbi> {
        match number {
            1 => Some(HostAbi::SystemV),
            2 => Some(HostAbi::WindowsFastcall),
            3 => Some(HostAbi::AppleAarch64),
            _ => None,
        }
    }
}

// Numbers follow each other, so that they are places in tables.
const _: () = {
    let mut index = 0;
    while index < HostAbi::ALL.len() {
        assert!(HostAbi::ALL[index] as usize == index + 1);
        index += 1;
    }
};

/// Byte order of the code's data accesses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Endianness {
    /// Least significant byte first.
    Little = 1,
    /// Most significant byte first.
    Big = 2,
}

impl Endianness {
    /// Both byte orders.
    pub const ALL: &'static [Endianness] = &[Endianness::Little, Endianness::Big];

    /// The byte order's name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Endianness::Little => "little",
            Endianness::Big => "big",
        }
    }

    /// The byte order with this number.
    pub const fn from_u8(number: u8) -> Option<Endianness> {
        match number {
            1 => Some(Endianness::Little),
            2 => Some(Endianness::Big),
            _ => None,
        }
    }
}

/// A set of CPU features of one instruction set; bit *n* is feature *n* of [`Isa::features`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct CpuFeatures(pub u64);

impl CpuFeatures {
    /// The features that are in `self` and not in `other`.
    pub const fn missing_from(self, other: CpuFeatures) -> CpuFeatures {
        CpuFeatures(self.0 & !other.0)
    }

    /// Whether no feature is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set with the named feature added, or `None` where the instruction set has no such
    /// feature.
    pub fn with(self, isa: Isa, name: &str) -> Option<CpuFeatures> {
        let bit = isa.features().iter().position(|feature| *feature == name)?;
        Some(CpuFeatures(self.0 | 1 << bit))
    }

    /// The names in the set, in the order of the bits. Unknown bits have no name.
    pub fn names(self, isa: Isa) -> impl Iterator<Item = &'static str> {
        isa.features()
            .iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 >> bit & 1 == 1)
            .map(|(_, name)| *name)
    }
}
