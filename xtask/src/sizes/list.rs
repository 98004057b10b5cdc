//! What is linked: the targets, and sets of the loader's facilities.

/// A target that the program is linked for.
pub struct Target {
    /// The compiler's name of it.
    pub triple: &'static str,
    /// The program that links for it, where the compiler's choice does not do.
    pub linker: Option<&'static str>,
    /// Whether it comes with the workspace's toolchain; `core` is built from source otherwise.
    pub is_installed: bool,
    /// Whether the loader has code generators for it; bytecode otherwise.
    pub is_native: bool,
    /// Whether the promised sizes are about it.
    pub is_promised: bool,
}

/// A set of facilities of the loader.
pub struct Set {
    /// What the table calls it.
    pub name: &'static str,
    /// What it is good for.
    pub description: &'static str,
    /// The program's features.
    pub features: &'static str,
    /// Whether it is for targets that have no native code.
    pub is_bytecode: bool,
    /// The most bytes of text that are promised, in binary kilobytes of which one is a thousand and 24.
    pub most_text: Option<u64>,
    /// Whether no panic can be reached.
    pub is_without_panics: bool,
}

impl Set {
    /// Whether the set makes sense for a target.
    pub fn is_for(&self, target: &Target) -> bool {
        self.is_bytecode != target.is_native
    }
}

/// The targets, in the order of the table.
pub const TARGETS: &[Target] = &[Target {
    triple: "x86_64-unknown-linux-gnu",
    linker: None,
    is_installed: true,
    is_native: true,
    is_promised: true,
}];

/// The sets, in the order of the table.
pub const SETS: &[Set] = &[Set {
    name: "bare",
    description: "none",
    features: "program",
    is_bytecode: false,
    most_text: None,
    is_without_panics: false,
}];
