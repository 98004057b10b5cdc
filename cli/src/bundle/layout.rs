//! The file of a bundle: what is appended to the runner.
//!
//! ```text
//! +---------------------------+ 0
//! | runner, an executable     |
//! +---------------------------+ a page boundary
//! | artifact, signed or not   |  mapped from here
//! +---------------------------+
//! | grants                    |  what the program gets: for each a kind, a length, and UTF-8
//! +---------------------------+
//! | trailer                   |  where the parts are
//! +---------------------------+ end of the file
//! ```
//!
//! Executables may be followed by anything: the system loads what their headers name. Numbers are
//! little-endian. The checksum is for grants and trailer, and finds files that were cut or patched; that
//! the artifact is whole its reader sees, which checks every byte that matters.

/// First bytes of the trailer.
const MAGIC: [u8; 8] = *b"\0pcbund\n";

/// Version of the trailer and the grants.
const VERSION: u32 = 1;

/// Size of the trailer: magic, version, zero, offset and size of the artifact, size of the grants,
/// checksum.
pub const TRAILER_SIZE: usize = 48;

/// Kinds of grants.
const DIRECTORY: u8 = 1;
const VARIABLE: u8 = 2;

/// What a program gets wherever it runs, in the words of the command line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grants {
    /// `HOST[::GUEST]`.
    pub directories: Vec<String>,
    /// `NAME[=VALUE]`.
    pub variables: Vec<String>,
}

/// Where the parts of a bundle are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trailer {
    /// Where the artifact begins.
    pub artifact_offset: u64,
    /// Its size in bytes.
    pub artifact_size: u64,
    /// Size of the grants in bytes, which follow the artifact.
    pub grants_size: u64,
}

/// Why a file is no bundle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoBundle {
    /// Nothing is appended.
    Bare,
    /// What is appended is not whole.
    Damaged,
    /// Another version of the command made it.
    Version,
}

impl Trailer {
    /// The trailer's bytes, with the checksum of the grants.
    pub fn to_bytes(self, grants: &[u8]) -> [u8; TRAILER_SIZE] {
        let mut bytes = [0; TRAILER_SIZE];
        let fields = [self.artifact_offset, self.artifact_size, self.grants_size];
        let fields = fields.iter().flat_map(|field| field.to_le_bytes());
        let head = MAGIC.into_iter().chain(VERSION.to_le_bytes());
        let head = head.chain([0; 4]).chain(fields);
        for (byte, value) in bytes.iter_mut().zip(head) {
            *byte = value;
        }
        let sum = checksum(&[&bytes[..40], grants]);
        bytes[40..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Reads the end of a file of this size.
    pub fn read(bytes: &[u8; TRAILER_SIZE], file_size: u64) -> Result<Trailer, NoBundle> {
        if !bytes.starts_with(&MAGIC) {
            return Err(NoBundle::Bare);
        }
        if bytes[8..12] != VERSION.to_le_bytes() || bytes[12..16] != [0; 4] {
            return Err(NoBundle::Version);
        }
        let trailer = Trailer {
            artifact_offset: number(bytes, 16),
            artifact_size: number(bytes, 24),
            grants_size: number(bytes, 32),
        };
        let end = trailer
            .artifact_offset
            .checked_add(trailer.artifact_size)
            .and_then(|end| end.checked_add(trailer.grants_size))
            .and_then(|end| end.checked_add(TRAILER_SIZE as u64));
        match end == Some(file_size) {
            true => Ok(trailer),
            false => Err(NoBundle::Damaged),
        }
    }

    /// Reads the grants.
    pub fn grants(self, trailer: &[u8; TRAILER_SIZE], grants: &[u8]) -> Result<Grants, NoBundle> {
        if checksum(&[&trailer[..40], grants]) != number(trailer, 40) {
            return Err(NoBundle::Damaged);
        }
        Grants::read(grants).ok_or(NoBundle::Damaged)
    }
}

impl Grants {
    /// The grants' bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let directories = self.directories.iter().map(|text| (DIRECTORY, text));
        let variables = self.variables.iter().map(|text| (VARIABLE, text));
        let mut bytes = Vec::new();
        for (kind, text) in directories.chain(variables) {
            bytes.push(kind);
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }

    fn read(mut bytes: &[u8]) -> Option<Grants> {
        let mut grants = Grants::default();
        while let Some((kind, rest)) = bytes.split_first() {
            let (size, rest) = rest.split_first_chunk::<8>()?;
            let size = usize::try_from(u64::from_le_bytes(*size)).ok()?;
            let (text, rest) = rest.split_at_checked(size)?;
            let text = std::str::from_utf8(text).ok()?.to_owned();
            match *kind {
                DIRECTORY => grants.directories.push(text),
                VARIABLE => grants.variables.push(text),
                _ => return None,
            }
            bytes = rest;
        }
        Some(grants)
    }
}

fn number(bytes: &[u8; TRAILER_SIZE], at: usize) -> u64 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
    field.map_or(0, |field| u64::from_le_bytes(*field))
}

/// FNV-1a: it finds accidents, not malice.
fn checksum(parts: &[&[u8]]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.iter());
    bytes.fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants() -> Grants {
        Grants {
            directories: vec![".::/here".into(), "größe".into()],
            variables: vec!["A=1".into(), "B".into(), "C=".into()],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for grants in [grants(), Grants::default()] {
            let bytes = grants.to_bytes();
            let trailer = Trailer {
                artifact_offset: 8192,
                artifact_size: 100,
                grants_size: bytes.len() as u64,
            };
            let end = trailer.to_bytes(&bytes);
            let size = 8192 + 100 + bytes.len() as u64 + TRAILER_SIZE as u64;
            assert_eq!(Trailer::read(&end, size), Ok(trailer));
            assert_eq!(trailer.grants(&end, &bytes), Ok(grants));
            assert_eq!(Trailer::read(&end, size + 1), Err(NoBundle::Damaged));
            assert_eq!(Trailer::read(&[0; TRAILER_SIZE], size), Err(NoBundle::Bare));
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let bytes = grants().to_bytes();
        let trailer = Trailer {
            artifact_offset: 4096,
            artifact_size: 5000,
            grants_size: bytes.len() as u64,
        };
        let good = trailer.to_bytes(&bytes);
        let size = 4096 + 5000 + bytes.len() as u64 + TRAILER_SIZE as u64;
        for place in 0..TRAILER_SIZE + bytes.len() {
            let (mut end, mut bytes) = (good, bytes.clone());
            match place.checked_sub(TRAILER_SIZE) {
                None => end[place] ^= 0x41,
                Some(place) => bytes[place] ^= 0x41,
            }
            let read = Trailer::read(&end, size).and_then(|it| it.grants(&end, &bytes));
            assert!(read.is_err(), "{place}");
        }
        assert_eq!(
            Grants::read(&[1, 255, 255, 255, 255, 255, 255, 255, 255]),
            None
        );
        assert_eq!(Grants::read(&[3, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
