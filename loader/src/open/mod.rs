//! Opening: from a source to bytes that hold still, and to a checked artifact.

pub(crate) mod trust;

mod bytes;
pub(crate) mod file;
mod statics;

use core::ffi::CStr;

use precast_format::layout::{self, header};
use precast_format::{Artifact, ErrorKind, bytes::Bytes, bytes::Record};

#[cfg(feature = "std")]
use crate::alloc::Category;
use crate::alloc::Vec;
use crate::error::LoadError;
use crate::open::file::FileMapping;
use crate::open::trust::Proof;
use crate::runtime::Runtime;

/// Where an artifact comes from.
///
/// Paths are mapped, static bytes are used where they lie, all other bytes are copied; code is
/// always in pages of its own, unless it can be executed from the mapping of a file.
#[derive(Debug)]
pub struct Source<'a>(Kind<'a>);

#[derive(Debug)]
enum Kind<'a> {
    /// A file to be mapped, by the system's name for it.
    Named(&'a CStr),
    /// A file to be mapped.
    #[cfg(feature = "std")]
    File(&'a std::path::Path),
    /// Bytes that stay, in flash or in the program.
    Static(&'static [u8]),
    /// Bytes to be copied.
    Copied(&'a [u8]),
    /// Bytes that the host gives away.
    #[cfg(feature = "std")]
    Given(std::vec::Vec<u8>),
}

impl<'a> Source<'a> {
    /// A file by the system's name for it, which is mapped. With a signature to verify, it is
    /// copied.
    pub const fn named(name: &'a CStr) -> Source<'a> {
        Source(Kind::Named(name))
    }

    /// A file, which is mapped. With a signature to verify, it is copied.
    #[cfg(feature = "std")]
    pub fn file(path: &'a (impl AsRef<std::path::Path> + ?Sized)) -> Source<'a> {
        Source(Kind::File(path.as_ref()))
    }

    /// Bytes that are there for as long as the program. They are used where they lie.
    pub const fn borrowed(bytes: &'static [u8]) -> Source<'static> {
        Source(Kind::Static(bytes))
    }

    /// Bytes that the loader copies.
    pub const fn copied(bytes: &'a [u8]) -> Source<'a> {
        Source(Kind::Copied(bytes))
    }

    /// Bytes that the host gives away.
    #[cfg(feature = "std")]
    pub fn given(bytes: std::vec::Vec<u8>) -> Source<'static> {
        Source(Kind::Given(bytes))
    }
}

#[cfg(feature = "std")]
impl<'a> From<&'a std::path::Path> for Source<'a> {
    fn from(path: &'a std::path::Path) -> Source<'a> {
        Source(Kind::File(path))
    }
}

#[cfg(feature = "std")]
impl<'a> From<&'a std::path::PathBuf> for Source<'a> {
    fn from(path: &'a std::path::PathBuf) -> Source<'a> {
        Source(Kind::File(path))
    }
}

#[cfg(feature = "std")]
impl From<std::vec::Vec<u8>> for Source<'static> {
    fn from(bytes: std::vec::Vec<u8>) -> Source<'static> {
        Source(Kind::Given(bytes))
    }
}

impl From<&'static [u8]> for Source<'static> {
    fn from(bytes: &'static [u8]) -> Source<'static> {
        Source(Kind::Static(bytes))
    }
}

impl<const N: usize> From<&'static [u8; N]> for Source<'static> {
    fn from(bytes: &'static [u8; N]) -> Source<'static> {
        Source(Kind::Static(bytes))
    }
}

/// The bytes of an artifact, for as long as its module lives. They do not move.
pub(crate) enum ArtifactBytes {
    /// A file's pages, read-only.
    Mapped(FileMapping),
    /// The host's, for as long as the program.
    Static(&'static [u8]),
    /// The runtime's.
    Copied(Vec<u8>),
    /// The host's former own.
    #[cfg(feature = "std")]
    Given(std::vec::Vec<u8>),
}

impl ArtifactBytes {
    /// Gets hold of the bytes. If they have to hold still for a proof, a file is copied.
    pub(crate) fn open(
        runtime: &Runtime,
        source: Source<'_>,
        proof: &Proof<'_>,
    ) -> Result<ArtifactBytes, LoadError> {
        match source.0 {
            #[cfg(feature = "std")]
            Kind::File(path) => {
                let mut name = Vec::new_in(runtime.allocator(), Category::Artifact);
                name.try_extend_from_slice(path.as_os_str().as_encoded_bytes())?;
                name.try_push(0)?;
                // A path with a zero inside names no file.
                let name = CStr::from_bytes_with_nul(name.as_slice())
                    .map_err(|_| LoadError::File { os_error: 0 })?;
                file::open(runtime, name, proof.needs_stable_bytes())
            }
            Kind::Named(name) => file::open(runtime, name, proof.needs_stable_bytes()),
            Kind::Static(bytes) => Ok(statics::open(bytes)),
            Kind::Copied(bytes) => bytes::copy(runtime, bytes),
            #[cfg(feature = "std")]
            Kind::Given(bytes) => Ok(ArtifactBytes::Given(bytes)),
        }
    }

    /// All of them.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            ArtifactBytes::Mapped(mapping) => mapping.as_slice(),
            ArtifactBytes::Static(bytes) => bytes,
            ArtifactBytes::Copied(bytes) => bytes.as_slice(),
            #[cfg(feature = "std")]
            ArtifactBytes::Given(bytes) => bytes.as_slice(),
        }
    }

    /// The mapped file, if the bytes are one's.
    pub(crate) fn file(&self) -> Option<&FileMapping> {
        if let ArtifactBytes::Mapped(mapping) = self {
            Some(mapping)
        } else {
            None
        }
    }
}

/// Checks a file; another version of the format is an error of its own.
pub(crate) fn parse(file: &[u8]) -> Result<Artifact<'_>, LoadError> {
    Artifact::parse(file).map_err(|error| {
        let record = Record::at(Bytes::new(file), 0, header::SIZE);
        match (error.kind(), record) {
            (ErrorKind::UnsupportedVersion, Some(record)) => LoadError::FormatVersion {
                artifact: (record.u16(header::MAJOR), record.u16(header::MINOR)),
                loader: layout::VERSION,
            },
            _ => LoadError::Malformed(error),
        }
    })
}
