//! The list of programs: `bench.tsv` in the folder of the corpus.

use crate::Outcome;
use fancy_regex::Regex;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;

/// One program and what is known about its output.
pub struct Program {
    /// Its name in tables and on the command line.
    pub name: String,
    /// The module, relative to the folder.
    pub wasm: String,
    /// The native build, relative to the folder, where there is one.
    pub native: Option<String>,
    /// The arguments; paths in them are relative to the folder.
    pub args: Vec<String>,
    /// Folders that the program may see.
    pub dirs: Vec<String>,
    digest: String,
    exit: i32,
    dropped_lines: Option<Regex>,
}

/// Reads the list.
pub fn read(folder: &Path) -> Outcome<Vec<Program>> {
    let path = folder.join("bench.tsv");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    text.lines()
        .skip(1)
        .filter(|line| !line.trim().is_empty())
        .map(|line| parse(line).ok_or_else(|| format!("{}: `{line}`", path.display())))
        .collect()
}

fn parse(line: &str) -> Option<Program> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, _, wasm, native, args, dirs, digest, exit, dropped, ..] = columns[..] else {
        return None;
    };
    let present = |text: &str| (text != "-").then(|| text.to_owned());
    let words = |text: &str| match text {
        "-" => Vec::new(),
        _ => text.split_whitespace().map(str::to_owned).collect(),
    };
    Some(Program {
        name: name.to_owned(),
        wasm: wasm.to_owned(),
        native: present(native),
        args: words(args),
        dirs: words(dirs),
        digest: digest.to_owned(),
        exit: exit.parse().ok()?,
        dropped_lines: match present(dropped) {
            Some(pattern) => Some(Regex::new(&pattern).ok()?),
            None => None,
        },
    })
}

impl Program {
    /// Says what is wrong with a run's output and exit code.
    pub fn check(&self, output: &[u8], exit: Option<i32>) -> Outcome {
        if exit != Some(self.exit) {
            return Err(format!("exit code {exit:?} instead of {}", self.exit));
        }
        let mut hasher = Sha256::new();
        for line in output.split_inclusive(|byte| *byte == b'\n') {
            if !self.drops(line.strip_suffix(b"\n").unwrap_or(line)) {
                hasher.update(line);
            }
        }
        let digest = hasher
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>();
        if digest == self.digest {
            Ok(())
        } else {
            Err(format!("output hashes to {digest}"))
        }
    }

    /// Whether a line differs from run to run and is left out of the hash. What is not text stays.
    fn drops(&self, line: &[u8]) -> bool {
        match (&self.dropped_lines, std::str::from_utf8(line)) {
            (Some(pattern), Ok(line)) => pattern.is_match(line).unwrap_or(false),
            _ => false,
        }
    }
}
