//! Code that was compiled before, and is looked up by the bytes of the module.
//!
//! A folder holds what was compiled with the same options, for each script one file: a sequence of
//! records, each with the key of a module, what came of it, and bytes. The file is called by the key
//! of the script's text. What the compiler refused is stored with its words, because scripts assert
//! it and skip for it. Nothing here is trusted more than an artifact that is named on the command
//! line.
//!
//! ```text
//! record:  key (16 bytes) | kind (1 byte) | length (4 bytes) | bytes
//! ```

use super::code::Code;
use super::machine::Problem;
use super::modules::ScriptModule;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Names a module or a script by its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of these bytes: their FNV-1a hash with 128 bits, which every machine reckons alike.
    /// Nobody picks modules so that two have the same.
    pub fn of(bytes: &[u8]) -> Key {
        const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
        const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
        let hash = bytes.iter().fold(BASIS, |hash, byte| {
            (hash ^ u128::from(*byte)).wrapping_mul(PRIME)
        });
        Key(hash.to_le_bytes())
    }

    /// The file for a script with this key.
    fn file(self, folder: &Path) -> PathBuf {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        folder.join(format!("{digits}.modules"))
    }
}

/// What a record says about a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Artifact = 0,
    Unsupported = 1,
    Invalid = 2,
    Failed = 3,
    /// A module that is valid, but was not in an earlier version; the bytes are the reason.
    MadeValid = 4,
}

impl Kind {
    fn of(number: u8) -> Option<Kind> {
        use Kind::{Artifact, Failed, Invalid, MadeValid, Unsupported};
        [Artifact, Unsupported, Invalid, Failed, MadeValid]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

/// What came of the modules of one script.
#[derive(Debug, Default)]
pub struct Stored {
    modules: HashMap<Key, (Kind, Vec<u8>)>,
    made_valid: HashMap<Key, String>,
}

impl Stored {
    /// Asks for each module once, and for those that a script calls invalid also for the reason.
    pub fn ask<'m>(code: &dyn Code, modules: impl Iterator<Item = &'m ScriptModule>) -> Stored {
        let mut stored = Stored::default();
        for module in modules {
            let key = Key::of(&module.wasm);
            let (kind, _) =
                stored
                    .modules
                    .entry(key)
                    .or_insert_with(|| match code.artifact(&module.wasm) {
                        Ok(artifact) => (Kind::Artifact, artifact),
                        Err(Problem::Unsupported(reason)) => {
                            (Kind::Unsupported, reason.into_bytes())
                        }
                        Err(Problem::Invalid(message)) => (Kind::Invalid, message.into_bytes()),
                        Err(problem) => (Kind::Failed, problem.to_string().into_bytes()),
                    });
            if module.called_invalid
                && *kind == Kind::Artifact
                && let Some(reason) = code.reason_of_earlier(&module.wasm)
            {
                stored.made_valid.insert(key, reason);
            }
        }
        stored
    }

    /// What is stored in the folder for a script.
    ///
    /// # Errors
    ///
    /// When nothing is, or it is damaged.
    pub fn read(folder: &Path, script: &str) -> Result<Stored, String> {
        let path = Key::of(script.as_bytes()).file(folder);
        let bytes = std::fs::read(&path).map_err(|error| {
            format!("no modules are stored for it: {}: {error}", path.display())
        })?;
        Stored::parse(&bytes).ok_or_else(|| format!("{} is damaged", path.display()))
    }

    /// Stores this in the folder.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path, script: &str) -> Result<(), String> {
        let path = Key::of(script.as_bytes()).file(folder);
        std::fs::write(&path, self.bytes()).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn bytes(&self) -> Vec<u8> {
        let made_valid =
            |(key, reason): (_, &String)| (key, (Kind::MadeValid, reason.clone().into_bytes()));
        let mut records: Vec<(Key, (Kind, Vec<u8>))> = Vec::new();
        records.extend(
            self.modules
                .iter()
                .map(|(key, record)| (*key, record.clone())),
        );
        records.extend(
            self.made_valid
                .iter()
                .map(|(key, reason)| made_valid((*key, reason))),
        );
        records.sort_by_key(|(key, (kind, _))| (key.0, *kind as u8));
        let mut bytes = Vec::new();
        for (key, (kind, content)) in records {
            bytes.extend(key.0);
            bytes.push(kind as u8);
            bytes.extend((content.len() as u32).to_le_bytes());
            bytes.extend(content);
        }
        bytes
    }

    fn parse(mut bytes: &[u8]) -> Option<Stored> {
        let mut stored = Stored::default();
        while !bytes.is_empty() {
            let key = Key(*bytes.split_off(..16)?.as_array()?);
            let kind = Kind::of(*bytes.split_off_first()?)?;
            let length = u32::from_le_bytes(*bytes.split_off(..4)?.as_array()?);
            let content = bytes.split_off(..usize::try_from(length).ok()?)?.to_vec();
            if kind == Kind::MadeValid {
                stored
                    .made_valid
                    .insert(key, String::from_utf8(content).ok()?);
            } else {
                stored.modules.insert(key, (kind, content));
            }
        }
        Some(stored)
    }
}

impl Code for Stored {
    fn artifact(&self, wasm: &[u8]) -> Result<Vec<u8>, Problem> {
        let Some((kind, content)) = self.modules.get(&Key::of(wasm)) else {
            return Err(Problem::Failed("the module was not compiled before".into()));
        };
        let words = || String::from_utf8_lossy(content).into_owned();
        match kind {
            Kind::Artifact => Ok(content.clone()),
            Kind::Unsupported => Err(Problem::Unsupported(words())),
            Kind::Invalid => Err(Problem::Invalid(words())),
            Kind::Failed | Kind::MadeValid => Err(Problem::Failed(words())),
        }
    }

    fn reason_of_earlier(&self, wasm: &[u8]) -> Option<String> {
        self.made_valid.get(&Key::of(wasm)).cloned()
    }
}
