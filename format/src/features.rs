//! WebAssembly features by name: what the module's code uses beyond the first version of the
//! language.
//!
//! The header carries the features that the code *uses*, not those that the compiler was allowed
//! to use. A loader that lacks one of them refuses the artifact and can say its name.

use crate::plain::line;

macro_rules! wasm_features {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $text:literal;)*) => {
        /// A feature of the language that came after its first version.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum WasmFeature {
            $($(#[$doc])* $name = $bit,)*
        }

        impl WasmFeature {
            /// Every feature, in the order of its bit.
            pub const ALL: &'static [WasmFeature] = &[$(WasmFeature::$name,)*];

            /// The feature's name on the command line and in reports.
            pub const fn name(self) -> &'static str {
                line(concat!($($text, "\n",)*), self as usize)
            }
        }
    };
}

wasm_features! {
    /// `i32.extend8_s` and its relatives.
    SignExtension = 0, "sign_extension";
    /// Conversions from float to integer that do not trap.
    SaturatingFloatToInt = 1, "saturating_float_to_int";
    /// More than one result; block parameters.
    MultiValue = 2, "multi_value";
    /// `memory.copy`, `memory.fill`, `table.copy` and passive segments.
    BulkMemory = 3, "bulk_memory";
    /// References as values; more than one table.
    ReferenceTypes = 4, "reference_types";
    /// 128-bit vectors.
    Simd = 5, "simd";
    /// Vector instructions whose results may differ between machines.
    RelaxedSimd = 6, "relaxed_simd";
    /// `return_call` and its relatives.
    TailCall = 7, "tail_call";
    /// More than one memory.
    MultiMemory = 8, "multi_memory";
    /// Memories and tables with 64-bit indices.
    Memory64 = 9, "memory64";
    /// Arithmetic in constant expressions.
    ExtendedConst = 10, "extended_const";
    /// Memories whose page is not 65,536 bytes.
    CustomPageSizes = 11, "custom_page_sizes";
    /// Tags, `throw` and `try_table`.
    Exceptions = 12, "exceptions";
    /// Shared memories and atomic instructions.
    Threads = 13, "threads";
    /// Typed function references.
    FunctionReferences = 14, "function_references";
    /// Structures and arrays on a collected heap.
    Gc = 15, "gc";
    /// Sums and products of 128 bits.
    WideArithmetic = 16, "wide_arithmetic";
    /// `try`, `catch`, `delegate` and `rethrow`, which were there before `try_table`.
    LegacyExceptions = 17, "legacy_exceptions";
}

// Numbers follow each other, so that they are places in tables.
const _: () = {
    let mut index = 0;
    while index < WasmFeature::ALL.len() {
        assert!(WasmFeature::ALL[index] as usize == index);
        index += 1;
    }
};

/// A set of features; bit *n* is the feature with number *n*.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct WasmFeatures(pub u64);

impl WasmFeatures {
    /// Every feature that this version of the format has a name for.
    pub const KNOWN: WasmFeatures = WasmFeatures((1 << WasmFeature::ALL.len()) - 1);

    /// The set with the feature added.
    pub const fn with(self, feature: WasmFeature) -> WasmFeatures {
        WasmFeatures(self.0 | 1 << feature as u8)
    }

    /// Whether the feature is in the set.
    pub const fn contains(self, feature: WasmFeature) -> bool {
        self.0 >> feature as u8 & 1 == 1
    }

    /// The features that are in `self` and not in `other`.
    pub const fn missing_from(self, other: WasmFeatures) -> WasmFeatures {
        WasmFeatures(self.0 & !other.0)
    }

    /// Whether no feature is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The features in the set, in the order of their bits. Unknown bits are left out.
    pub fn iter(self) -> impl Iterator<Item = WasmFeature> {
        WasmFeature::ALL
            .iter()
            .copied()
            .filter(move |feature| self.contains(*feature))
    }
}
