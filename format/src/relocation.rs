//! Relocations: what the loader patches into the text.
//!
//! The compiler resolves calls inside the module itself, so what is left are references to the
//! loader's helpers, and only in the `direct` relocation model. Each kind says how many bytes it
//! writes, so that the reader can check the place before anything is written.

use crate::plain::line;
use crate::target::Isa;

macro_rules! relocation_kinds {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $width:literal, $alignment:literal, $text:literal, $isa:expr;)*) => {
        /// How a relocation changes the text. In the formulas, *S* is the symbol's address, *A*
        /// the addend and *P* the address of the place.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum RelocationKind {
            $($(#[$doc])* $name = $number,)*
        }

        impl RelocationKind {
            /// Every kind, in the order of its number.
            pub const ALL: &'static [RelocationKind] = &[$(RelocationKind::$name,)*];

            /// The kind with this number.
            pub const fn from_u8(number: u8) -> Option<RelocationKind> {
                match number {
                    $($number => Some(RelocationKind::$name),)*
                    _ => None,
                }
            }

            /// The kind's name, as `FORMAT.md` lists it.
            pub const fn name(self) -> &'static str {
                line(concat!($($text, "\n",)*), self.index())
            }

            /// How many bytes of text it touches.
            pub const fn width(self) -> u32 {
                const WIDTHS: [u8; RelocationKind::ALL.len()] = [$($width,)*];
                WIDTHS[self.index()] as u32
            }

            /// What its offset is a multiple of.
            pub const fn alignment(self) -> u32 {
                const ALIGNMENTS: [u8; RelocationKind::ALL.len()] = [$($alignment,)*];
                ALIGNMENTS[self.index()] as u32
            }

            /// Whether it can be at this offset.
            pub const fn is_aligned(self, offset: u32) -> bool {
                // Alignments are powers of two.
                offset & (self.alignment() - 1) == 0
            }

            /// The instruction set that it is for; `None` means every one.
            pub const fn isa(self) -> Option<Isa> {
                const ISAS: [Option<Isa>; RelocationKind::ALL.len()] = [$($isa,)*];
                ISAS[self.index()]
            }

            /// The place in the list of all.
            const fn index(self) -> usize {
                // Numbers are 1, 2, 3, ...
                self as usize - 1
            }
        }
    };
}

relocation_kinds! {
    /// *S + A* as eight bytes in the byte order of the code.
    Abs8 = 1, 8, 1, "abs8", None;
    /// *S + A* as four bytes in the byte order of the code; must fit.
    Abs4 = 2, 4, 1, "abs4", None;
    /// *S + A - P* as four bytes; must fit.
    X86PcRelative4 = 3, 4, 1, "x86_pc_relative4", Some(Isa::X86_64);
    /// *S + A - P* in the 26-bit word offset of `b` or `bl`; must fit.
    Aarch64Call26 = 4, 4, 4, "aarch64_call26", Some(Isa::Aarch64);
    /// *S + A - P* in the pair `auipc`, `jalr`; must fit and be even.
    Riscv64Call = 5, 8, 2, "riscv64_call", Some(Isa::Riscv64);
    /// *(S + A - P) / 2* as four bytes; must fit and be even.
    S390xPcRelative32Half = 6, 4, 2, "s390x_pc_relative32_half", Some(Isa::S390x);
}

// Numbers follow each other, so that they are places in tables.
const _: () = {
    let mut index = 0;
    while index < RelocationKind::ALL.len() {
        assert!(RelocationKind::ALL[index] as usize == index + 1);
        index += 1;
    }
};

/// What a relocation refers to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
#[non_exhaustive]
pub enum SymbolKind {
    /// A libcall; the symbol is its index.
    Libcall = 1,
}

impl SymbolKind {
    /// Every kind, in the order of its number.
    pub const ALL: &'static [SymbolKind] = &[SymbolKind::Libcall];

    /// The kind with this number.
    pub const fn from_u8(number: u8) -> Option<SymbolKind> {
        match number {
            1 => Some(SymbolKind::Libcall),
            _ => None,
        }
    }

    /// The kind's name, as `FORMAT.md` lists it.
    pub const fn name(self) -> &'static str {
        match self {
            SymbolKind::Libcall => "libcall",
        }
    }
}
