//! What firmware sizes its arrays with: the constants that a C header and a Rust file have in
//! common.
//!
//! The same artifact and options give the same text, wherever it is made: there is no date and no
//! path in it but those of the command line.

use super::model::Model;
use precast_loader::{Category, Lifetime};
use std::path::Path;

/// A number with a name.
pub struct Constant {
    /// The end of the name, in capitals.
    pub name: &'static str,
    /// What it is, a sentence.
    pub meaning: &'static str,
    /// Bytes.
    pub bytes: u64,
}

/// The constants of a plan.
pub fn of(model: &Model) -> Vec<Constant> {
    let lifetime = |name, meaning, lifetime| Constant {
        name,
        meaning,
        bytes: model.lifetime_bytes(lifetime),
    };
    let mut constants = vec![
        lifetime(
            "RUNTIME_BYTES",
            "What lives as long as the runtime.",
            Lifetime::Runtime,
        ),
        lifetime(
            "MODULE_BYTES",
            "What lives as long as the module.",
            Lifetime::Module,
        ),
        lifetime(
            "INSTANCE_BYTES",
            "What lives as long as the instance, linear memory included.",
            Lifetime::Instance,
        ),
        lifetime(
            "EXECUTION_BYTES",
            "What lives as long as the execution environment.",
            Lifetime::Execution,
        ),
        Constant {
            name: "LINEAR_MEMORY_BYTES",
            meaning: "Linear memory, before it grows.",
            bytes: model.category_bytes(Category::LinearMemory),
        },
    ];
    if let Some(bytes) = model.pool {
        let pool = Constant {
            name: "POOL_BYTES",
            meaning: "A pool of this size is enough, as long as nothing grows.",
            bytes,
        };
        constants.insert(0, pool);
    }
    constants
}

/// A name for C, in capitals, from the name of a file: what C does not allow becomes `_`.
pub fn identifier(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => character.to_ascii_uppercase(),
            _ => '_',
        })
        .collect();
    match name.trim_matches('_') {
        "" => "APP".to_owned(),
        _ => name,
    }
}

/// The command line of this process as one line of text, whatever was in it.
pub fn command_line() -> String {
    let words = std::env::args_os().skip(1);
    let words = words.map(|word| quoted(&word.to_string_lossy()));
    std::iter::once("precast".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// A word as a shell would want it, with nothing in it that ends a line or a comment.
pub fn quoted(word: &str) -> String {
    let is_plain =
        |character: char| character.is_alphanumeric() || "-_=+.,:/@%".contains(character);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let escaped = word.escape_debug().to_string();
    format!("'{}'", escaped.replace("*/", "* /"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_names_of_constants() {
        for (file, name) in [
            ("app.precast", "APP"),
            ("dir/my-app 2.wasm", "MY_APP_2"),
            ("größe.wat", "GR__E"),
            ("7seg.precast", "7SEG"),
            ("-", "APP"),
        ] {
            assert_eq!(identifier(Path::new(file)), name, "{file}");
        }
    }

    #[test]
    fn words_stay_on_their_line_and_in_their_comment() {
        assert_eq!(quoted("--plot=a.svg"), "--plot=a.svg");
        assert_eq!(quoted("two words"), "'two words'");
        assert_eq!(quoted("a\nb*/c"), "'a\\nb* /c'");
        assert_eq!(quoted(""), "''");
    }
}
