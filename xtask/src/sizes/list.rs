//! What is linked: the targets, and sets of the loader's facilities.

/// A target that the program is linked for.
pub struct Target {
    /// The compiler's name of it.
    pub triple: &'static str,
    /// The program that links for it, where the compiler's choice does not do.
    pub linker: Option<&'static str>,
    /// Whether it comes with the workspace's toolchain; the library is built from source otherwise.
    pub is_installed: bool,
    /// Whether there is an operating system.
    pub has_system: bool,
    /// Whether the loader has code generators for it; bytecode otherwise.
    pub is_native: bool,
    /// Whether the most text of a set is about it.
    pub is_held: bool,
}

/// Whether a set needs an operating system.
#[derive(PartialEq, Eq)]
pub enum System {
    /// It does.
    Needed,
    /// It does not.
    Any,
}

/// A set of facilities of the loader.
pub struct Set {
    /// What the table calls it.
    pub name: &'static str,
    /// The program's features.
    pub features: &'static str,
    /// Whether it needs an operating system.
    pub system: System,
    /// Whether a crate that is not ours brings panics along; docs/sizes.md says which.
    pub has_panics: bool,
    /// Whether it is for targets that have no native code.
    pub is_bytecode: bool,
    /// Whether the parts of its text are shown.
    pub has_parts: bool,
    /// The most bytes of text that are allowed.
    pub most_text: Option<u64>,
}

impl Set {
    /// Whether the set makes sense for a target.
    pub fn is_for(&self, target: &Target) -> bool {
        self.is_bytecode != target.is_native && (self.system == System::Any || target.has_system)
    }
}

/// The targets, in the order of the table.
pub const TARGETS: &[Target] = &[
    Target {
        triple: "x86_64-unknown-linux-gnu",
        linker: None,
        is_installed: true,
        has_system: true,
        is_native: true,
        is_held: true,
    },
    Target {
        triple: "aarch64-unknown-none",
        linker: None,
        is_installed: false,
        has_system: false,
        is_native: true,
        is_held: false,
    },
    Target {
        triple: "riscv64gc-unknown-none-elf",
        linker: None,
        is_installed: false,
        has_system: false,
        is_native: true,
        is_held: false,
    },
    Target {
        triple: "thumbv7em-none-eabihf",
        linker: None,
        is_installed: false,
        has_system: false,
        is_native: false,
        is_held: false,
    },
    Target {
        triple: "riscv32imac-unknown-none-elf",
        linker: None,
        is_installed: false,
        has_system: false,
        is_native: false,
        is_held: false,
    },
];

/// The most text that a change may leave with traps, backtraces and validation of untrusted files. To be
/// lowered with each change that makes the loader smaller.
const MOST_TEXT: u64 = 60 << 10;

/// The same with WASI as devices have it.
const MOST_TEXT_WITH_WASI: u64 = 76 << 10;

/// The sets, in the order of the table.
pub const SETS: &[Set] = &[
    Set {
        name: "bare",
        features: "program",
        system: System::Any,
        has_panics: false,
        is_bytecode: false,
        has_parts: false,
        most_text: None,
    },
    Set {
        name: "backtraces",
        features: "program,backtraces",
        system: System::Any,
        has_panics: false,
        is_bytecode: false,
        has_parts: true,
        most_text: Some(MOST_TEXT),
    },
    Set {
        name: "backtraces, messages",
        features: "program,backtraces,messages",
        system: System::Any,
        has_panics: false,
        is_bytecode: false,
        has_parts: false,
        most_text: None,
    },
    Set {
        name: "backtraces, linking",
        features: "program,backtraces,linking",
        system: System::Any,
        has_panics: false,
        is_bytecode: false,
        has_parts: false,
        most_text: None,
    },
    Set {
        name: "backtraces, WASI of devices",
        features: "program,backtraces,wasi",
        system: System::Any,
        has_panics: false,
        is_bytecode: false,
        has_parts: false,
        most_text: Some(MOST_TEXT_WITH_WASI),
    },
    Set {
        name: "backtraces, signatures",
        features: "program,backtraces,small-signatures",
        system: System::Any,
        has_panics: true,
        is_bytecode: false,
        has_parts: false,
        most_text: None,
    },
    Set {
        name: "backtraces, guard pages, signals",
        features: "program,backtraces,guard-pages,signals",
        system: System::Needed,
        has_panics: false,
        is_bytecode: false,
        has_parts: false,
        most_text: None,
    },
    Set {
        name: "all but std",
        features: "program,accounting,app-heap,backtraces,call-profile,custom-allocators,exceptions,files,guard-pages,host-references,linking,messages,rounding,signals,small-signatures,simd,system-heap,threads,typed-references",
        system: System::Needed,
        has_panics: true,
        is_bytecode: false,
        has_parts: false,
        most_text: None,
    },
    Set {
        name: "interpreter",
        features: "program,pulley",
        system: System::Any,
        has_panics: true,
        is_bytecode: true,
        has_parts: false,
        most_text: None,
    },
    Set {
        name: "interpreter, backtraces",
        features: "program,backtraces,pulley",
        system: System::Any,
        has_panics: true,
        is_bytecode: true,
        has_parts: true,
        most_text: None,
    },
];
