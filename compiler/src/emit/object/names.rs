//! Names of functions as symbols: safe for linkers and for those who read backtraces, and unique.
//!
//! A function is `app$add`, after the name section or its export. A name that comes twice, or is none,
//! gets the function's index: `app$add.12`, `app$func.12`. Trampolines are `app$entry.3`,
//! `app$host.3` and `app$switch.3`, after the type that they are for.

use std::collections::{BTreeMap, HashSet};

use precast_format::Artifact;

use crate::link::Piece;

/// Longer names are cut.
const LONGEST_NAME: usize = 200;

/// A function, trampoline or adapter in the text.
pub(super) struct NamedCode {
    pub name: String,
    pub offset: u32,
    pub size: u32,
}

/// Everything in the text that has a name, in its order.
pub(super) fn functions(artifact: &Artifact<'_>, pieces: &[Piece], module: &str) -> Vec<NamedCode> {
    let mut named = Vec::with_capacity(pieces.len());
    let mut taken: HashSet<String> = ["text", "metadata", "data", "frames", "unwind"]
        .iter()
        .map(|what| format!("{module}${what}"))
        .collect();
    let exports: BTreeMap<u32, &str> = artifact
        .exports()
        .into_iter()
        .filter(|export| export.kind == precast_format::types::ExternKind::Function)
        .map(|export| (export.index, export.name))
        .collect();
    let imported = artifact.counts().imported_functions;
    for function in artifact.functions() {
        let index = imported + function.index;
        let exported = exports.get(&index).copied();
        let name = artifact.function_name(index).or(exported).unwrap_or("");
        named.push(NamedCode {
            name: unique(module, name, "func", index, &mut taken),
            offset: function.text_offset,
            size: function.text_size,
        });
    }
    let sizes: BTreeMap<u32, u32> = pieces.iter().map(|it| (it.offset, it.size)).collect();
    let canonical = artifact.types().into_iter();
    for ty in canonical.filter(|ty| ty.canonical == ty.index) {
        for (offset, what) in [
            (ty.entry_trampoline, "entry"),
            (ty.host_adapter, "host"),
            (ty.switch_adapter, "switch"),
        ] {
            if let Some(offset) = offset {
                named.push(NamedCode {
                    name: unique(module, "", what, ty.index, &mut taken),
                    offset,
                    size: sizes.get(&offset).copied().unwrap_or(0),
                });
            }
        }
    }
    named
}

/// A symbol that nobody else has.
fn unique(module: &str, name: &str, what: &str, index: u32, taken: &mut HashSet<String>) -> String {
    let mut symbol = match safe(name) {
        name if name.is_empty() => format!("{module}${what}.{index}"),
        name => format!("{module}${name}"),
    };
    if taken.contains(&symbol) {
        symbol = format!("{symbol}.{index}");
    }
    while !taken.insert(symbol.clone()) {
        symbol.push('.');
    }
    symbol
}

/// The name with `_` for what assemblers and linkers could take for something else.
fn safe(name: &str) -> String {
    let is_plain =
        |character: &char| character.is_ascii_alphanumeric() || "_$.".contains(*character);
    let characters = name.chars().take(LONGEST_NAME);
    characters
        .map(|character| if is_plain(&character) { character } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_symbols_that_differ() {
        let mut taken = HashSet::new();
        let mut symbol = |name, index| unique("app", name, "func", index, &mut taken);
        assert_eq!(symbol("add", 0), "app$add");
        assert_eq!(symbol("add", 1), "app$add.1");
        assert_eq!(symbol("", 2), "app$func.2");
        assert_eq!(symbol("func.2", 3), "app$func.2.3");
        assert_eq!(symbol("func.2.3", 4), "app$func.2.3.4");
        assert_eq!(symbol("a b\n", 5), "app$a_b_");
        assert_eq!(symbol("größe::<i32>", 6), "app$gr__e___i32_");
        assert_eq!(symbol("_ZN3foo3barEv", 7), "app$_ZN3foo3barEv");
        assert_eq!(symbol("add.1", 8), "app$add.1.8");
        assert_eq!(symbol(&"x".repeat(5000), 9).len(), 204);
    }
}
