//! Counting a linked program: its sections as `size` does, and its symbols by the crate and module that
//! they are of.
//!
//! A function that was inlined counts where it was inlined, and a part has no figure of its own for
//! tables without a name; the rest of the text is called just that.

use crate::Outcome;
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags, SectionKind, elf};
use std::collections::BTreeMap;

/// What a program takes.
pub struct Sizes {
    /// Bytes of code and of tables that are only read.
    pub text: u64,
    /// Bytes of variables that have a value at the start, in flash and in RAM.
    pub data: u64,
    /// Bytes of variables that are zero at the start, in RAM.
    pub bss: u64,
    /// Bytes of text per part.
    pub parts: BTreeMap<String, u64>,
    /// The functions of `core` that begin a panic.
    pub panics: Vec<String>,
    /// Symbols of text, the largest first.
    symbols: Vec<(u64, String)>,
}

/// The crates that a program can have code of, as symbols name them.
const CRATES: &[&str] = &[
    "minimal",
    "precast_loader",
    "precast_format",
    "pulley_interpreter",
    "cranelift_bitset",
    "wasmtime_internal_core",
    "libm",
    "ed25519_compact",
    "libc",
    "compiler_builtins",
    "core",
];

/// Counts a linked file.
pub fn count(file: &[u8]) -> Outcome<Sizes> {
    let file = object::File::parse(file).map_err(|error| format!("the linked file: {error}"))?;
    let mut sizes = Sizes {
        text: 0,
        data: 0,
        bss: 0,
        parts: BTreeMap::new(),
        panics: Vec::new(),
        symbols: Vec::new(),
    };
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else {
            return Err("the linked file is not of the kind that is counted".into());
        };
        let flags = sh_flags;
        if flags & u64::from(elf::SHF_ALLOC) == 0 {
            continue;
        }
        let is_written = flags & u64::from(elf::SHF_WRITE) != 0;
        let is_zero = section.kind() == SectionKind::UninitializedData;
        let size = section.size();
        match (is_written, is_zero) {
            // Padding between pages is neither in flash nor, on a device, anywhere.
            _ if section.name() == Ok(".relro_padding") => {}
            (_, true) => sizes.bss += size,
            (true, false) => sizes.data += size,
            (false, false) => sizes.text += size,
        }
    }
    let mut named = 0;
    for symbol in file.symbols() {
        let Some(section) = symbol.section_index() else {
            continue;
        };
        let section = file
            .section_by_index(section)
            .map_err(|error| format!("the linked file: {error}"))?;
        let name = symbol.name().unwrap_or_default();
        let is_text = matches!(
            section.kind(),
            SectionKind::Text | SectionKind::ReadOnlyData
        );
        if is_text && symbol.size() > 0 {
            named += symbol.size();
            *sizes.parts.entry(part(name)).or_default() += symbol.size();
            sizes.symbols.push((symbol.size(), name.to_owned()));
        }
        if name.contains("4core9panicking") {
            sizes.panics.push(name.to_owned());
        }
    }
    let rest = sizes.text.saturating_sub(named);
    sizes.parts.insert("tables without a name".into(), rest);
    sizes
        .symbols
        .sort_unstable_by(|left, right| right.cmp(left));
    sizes.panics.sort_unstable();
    Ok(sizes)
}

impl Sizes {
    /// Prints the largest symbols of text.
    pub fn print_largest(&self, count: usize) {
        for (size, name) in self.symbols.iter().take(count) {
            println!("{size:7}  {name}");
        }
    }
}

/// The crate of a symbol, with the module if the crate is the loader.
fn part(symbol: &str) -> String {
    // What frees a value belongs to the value's crate.
    let symbol = match symbol.find("13drop_in_place") {
        Some(at) => &symbol[at..],
        None => symbol,
    };
    let places = CRATES.iter().filter_map(|name| {
        let at = symbol.find(&format!("{}{name}", name.len()))?;
        Some((at, *name))
    });
    let Some((at, name)) = places.min() else {
        return "start and code that functions share".into();
    };
    if name != "precast_loader" {
        return name.into();
    }
    let after = &symbol[at + "14precast_loader".len()..];
    match identifier(after) {
        Some(module) => format!("precast_loader::{module}"),
        None => name.into(),
    }
}

/// The identifier at the beginning of the rest of a symbol: its length, then its letters.
fn identifier(text: &str) -> Option<&str> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit())?;
    let (length, rest) = text.split_at(digits);
    rest.get(..length.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn symbols_are_told_by_crate_and_module() {
        let parts = [
            (
                "_RNvNtNtCs1_14precast_loader4call5entry5leave",
                "precast_loader::call",
            ),
            ("_RNvMs_NtCs9_4core3fmtNtB4_9Formatter3pad", "core"),
            (
                "_RINvNtCs9_4core3ptr13drop_in_placeNtNtCs1_14precast_loader5group5GroupEB4_",
                "precast_loader::group",
            ),
            ("_start", "start and code that functions share"),
        ];
        for (symbol, expected) in parts {
            assert_eq!(part(symbol), expected, "{symbol}");
        }
    }
}
