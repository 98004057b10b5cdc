//! Opening: from a source to bytes that hold still, and to a checked artifact.
//!
//! ```text
//!   source --open--> OpenBytes, all of the file --settle--> ArtifactBytes, what a module needs
//! ```
//!
//! Once the code is in place, the end of the file has served its purpose, so it does not stay.

pub(crate) mod trust;

mod bytes;
pub(crate) mod file;
#[cfg(feature = "std")]
mod given;
pub(crate) mod statics;

use core::ffi::CStr;

use precast_format::layout::{self, header};
use precast_format::{Artifact, ErrorKind, bytes::Bytes};

#[cfg(feature = "std")]
use crate::alloc::Category;
use crate::alloc::Vec;
use crate::error::LoadError;
use crate::facility::Files;
use crate::open::file::{FileMapping, Part};
#[cfg(feature = "std")]
use crate::open::given::GivenBytes;
use crate::open::statics::{LinkedBytes, StaticModule};
use crate::open::trust::Proof;
use crate::runtime::Runtime;

/// Where an artifact comes from.
///
/// Paths are mapped, static bytes are used where they lie, given bytes are kept, all other bytes are
/// copied. Code is in memory of its own ([`CodeMemory`](crate::CodeMemory)), unless it can be executed
/// from the file or from where it lies. What served to bring it there is given back at the end of
/// loading, or not even copied: the text, and relocations. [`Module::artifact_usage`] has the
/// numbers.
///
/// [`Module::artifact_usage`]: crate::Module::artifact_usage
#[derive(Debug)]
pub struct Source<'a>(Kind<'a>);

#[derive(Debug)]
enum Kind<'a> {
    /// A file to be mapped, by the system's name for it.
    Named(&'a CStr, Part),
    /// A file to be mapped.
    #[cfg(feature = "std")]
    File(&'a std::path::Path, Part),
    /// Bytes that stay, in flash or in the program.
    Static(&'static [u8]),
    /// Bytes to be copied.
    Copied(&'a [u8]),
    /// Bytes that the host gives away.
    #[cfg(feature = "std")]
    Given(std::vec::Vec<u8>),
    /// What a linker has put into the program.
    Linked(&'static StaticModule),
}

impl<'a> Source<'a> {
    /// What a linker has put into the program; linking is trust, so no proof is needed for it.
    pub(crate) const fn linked(module: &'static StaticModule) -> Source<'static> {
        Source(Kind::Linked(module))
    }

    /// A file by the system's name for it, which is mapped. With a signature to verify, it is read
    /// into memory.
    pub const fn named(name: &'a CStr) -> Source<'a> {
        Source(Kind::Named(name, Part::ALL))
    }

    /// A file, which is mapped. With a signature to verify, it is read into memory.
    #[cfg(feature = "std")]
    pub fn file(path: &'a (impl AsRef<std::path::Path> + ?Sized)) -> Source<'a> {
        Source(Kind::File(path.as_ref(), Part::ALL))
    }

    /// An artifact within a file, by offset and size in bytes: as [`Source::file`]. It is mapped where
    /// the offset is a multiple of the system's page size, else read into memory.
    #[cfg(feature = "std")]
    pub fn file_part(
        path: &'a (impl AsRef<std::path::Path> + ?Sized),
        offset: u64,
        size: u64,
    ) -> Source<'a> {
        let size = Some(size);
        Source(Kind::File(path.as_ref(), Part { offset, size }))
    }

    /// Bytes that are there for as long as the program. They are used where they lie.
    pub const fn borrowed(bytes: &'static [u8]) -> Source<'static> {
        Source(Kind::Static(bytes))
    }

    /// Bytes that the loader copies, but for those that only loading needs. They are checked, and
    /// code is taken from them, where they lie: they are lent until loading is over.
    pub const fn copied(bytes: &'a [u8]) -> Source<'a> {
        Source(Kind::Copied(bytes))
    }

    /// Bytes that the host gives away. Those that only loading needs are given back to the global
    /// allocator.
    #[cfg(feature = "std")]
    pub fn given(bytes: std::vec::Vec<u8>) -> Source<'static> {
        Source(Kind::Given(bytes))
    }
}

#[cfg(feature = "std")]
impl<'a> From<&'a std::path::Path> for Source<'a> {
    fn from(path: &'a std::path::Path) -> Source<'a> {
        Source(Kind::File(path, Part::ALL))
    }
}

#[cfg(feature = "std")]
impl<'a> From<&'a std::path::PathBuf> for Source<'a> {
    fn from(path: &'a std::path::PathBuf) -> Source<'a> {
        Source(Kind::File(path, Part::ALL))
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

/// All bytes of an artifact, while it is loaded. They hold still.
pub(crate) enum OpenBytes<'a> {
    /// A file's pages, read-only.
    Mapped(Files<FileMapping>),
    /// The host's, for as long as the program.
    Static(&'static [u8]),
    /// The host's, until loading is over.
    Lent(&'a [u8]),
    /// The runtime's.
    Read(Vec<u8>),
    /// The host's former own.
    #[cfg(feature = "std")]
    Given(GivenBytes),
    /// The program's, with the text apart.
    Linked(LinkedBytes),
}

impl<'a> OpenBytes<'a> {
    /// Gets hold of the bytes. If they have to hold still for a proof, a file is read.
    pub(crate) fn open(
        runtime: &Runtime,
        source: Source<'a>,
        proof: &Proof<'_>,
    ) -> Result<OpenBytes<'a>, LoadError> {
        match source.0 {
            #[cfg(feature = "std")]
            Kind::File(path, part) => {
                let path = path.as_os_str().as_encoded_bytes();
                let size = path.len().saturating_add(1);
                let mut name =
                    Vec::try_with_capacity(runtime.allocator(), Category::Artifact, size)?;
                name.try_extend_from_slice(path)?;
                name.try_push(0)?;
                // A path with a zero inside names no file.
                let name = CStr::from_bytes_with_nul(name.as_slice())
                    .map_err(|_| LoadError::File { os_error: 0 })?;
                file::open(runtime, name, part, proof.needs_stable_bytes())
            }
            Kind::Named(name, part) => file::open(runtime, name, part, proof.needs_stable_bytes()),
            Kind::Static(bytes) => Ok(OpenBytes::Static(bytes)),
            Kind::Copied(bytes) => Ok(OpenBytes::Lent(bytes)),
            #[cfg(feature = "std")]
            Kind::Given(bytes) => Ok(OpenBytes::Given(GivenBytes::new(runtime, bytes))),
            Kind::Linked(module) => module.open().map(OpenBytes::Linked),
        }
    }

    /// Checks them; another version of the format is an error of its own.
    pub(crate) fn parse(&self) -> Result<Artifact<'_>, LoadError> {
        let file = self.as_slice();
        let artifact = match self {
            OpenBytes::Linked(linked) => Artifact::parse_split(file, linked.text.len()),
            _ => Artifact::parse(file),
        };
        artifact.map_err(|error| {
            // The minor version follows the major one.
            let version = Bytes::new(file).u32(header::MAJOR.offset());
            match (error.kind(), version) {
                (ErrorKind::UnsupportedVersion, Some(version)) => LoadError::FormatVersion {
                    artifact: (version as u16, (version >> 16) as u16),
                    loader: layout::VERSION,
                },
                _ => LoadError::Malformed(error),
            }
        })
    }

    /// All of them; without the text, if that is apart.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            OpenBytes::Mapped(mapping) => mapping.as_slice(),
            OpenBytes::Static(bytes) | OpenBytes::Lent(bytes) => bytes,
            OpenBytes::Read(bytes) => bytes.as_slice(),
            #[cfg(feature = "std")]
            OpenBytes::Given(bytes) => bytes.as_slice(),
            OpenBytes::Linked(linked) => linked.metadata,
        }
    }

    /// The text in the program's own, if it is there.
    pub(crate) fn linked_text(&self) -> Option<&'static [u8]> {
        match self {
            OpenBytes::Linked(linked) => Some(linked.text),
            _ => None,
        }
    }

    /// The mapped file, if the bytes are one's.
    pub(crate) fn file(&self) -> Option<&FileMapping> {
        if let OpenBytes::Mapped(mapping) = self {
            Some(mapping)
        } else {
            None
        }
    }

    /// The bytes, if they stay where they lie for as long as the program.
    pub(crate) fn statics(&self) -> Option<&'static [u8]> {
        if let OpenBytes::Static(bytes) = self {
            Some(bytes)
        } else {
            None
        }
    }

    /// Keeps the first bytes for the module and gives back the others. Memory that cannot be given
    /// back stays: that is no reason not to load.
    pub(crate) fn settle(self, runtime: &Runtime, size: usize) -> Result<ArtifactBytes, LoadError> {
        let all = self.as_slice().len();
        let kind = match self {
            OpenBytes::Mapped(mut mapping) => {
                mapping.truncate(size);
                KeptBytes::Mapped(mapping)
            }
            OpenBytes::Static(bytes) => KeptBytes::Static(bytes.get(..size).unwrap_or(bytes)),
            OpenBytes::Lent(bytes) => {
                let bytes = bytes.get(..size).unwrap_or(bytes);
                KeptBytes::Owned(bytes::copy(runtime, bytes)?)
            }
            OpenBytes::Read(bytes) => KeptBytes::Owned(bytes::shrink(bytes, size)),
            #[cfg(feature = "std")]
            OpenBytes::Given(mut bytes) => {
                bytes.truncate(size);
                KeptBytes::Given(bytes)
            }
            OpenBytes::Linked(linked) => KeptBytes::Static(linked.metadata),
        };
        Ok(ArtifactBytes { kind, all })
    }
}

enum KeptBytes {
    /// Pages of a file, read-only.
    Mapped(Files<FileMapping>),
    /// The host's, for as long as the program.
    Static(&'static [u8]),
    /// The runtime's.
    Owned(Vec<u8>),
    /// The host's former own.
    #[cfg(feature = "std")]
    Given(GivenBytes),
}

/// The bytes of an artifact that its module needs, for as long as it lives. They do not move.
pub(crate) struct ArtifactBytes {
    kind: KeptBytes,
    /// Size of the file in bytes.
    all: usize,
}

impl ArtifactBytes {
    /// All that are left.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match &self.kind {
            KeptBytes::Mapped(mapping) => mapping.as_slice(),
            KeptBytes::Static(bytes) => bytes,
            KeptBytes::Owned(bytes) => bytes.as_slice(),
            #[cfg(feature = "std")]
            KeptBytes::Given(bytes) => bytes.as_slice(),
        }
    }

    /// The mapped file, if the bytes are one's.
    pub(crate) fn file(&self) -> Option<&FileMapping> {
        if let KeptBytes::Mapped(mapping) = &self.kind {
            Some(mapping)
        } else {
            None
        }
    }

    /// Where all bytes of the file are.
    pub(crate) fn usage(&self) -> ArtifactUsage {
        let mut usage = ArtifactUsage::default();
        let kept = match &self.kind {
            KeptBytes::Mapped(mapping) => {
                usage.mapped = mapping.as_slice().len();
                usage.mapped
            }
            KeptBytes::Static(bytes) => {
                usage.borrowed = bytes.len();
                usage.borrowed
            }
            KeptBytes::Owned(bytes) => {
                usage.owned = bytes.capacity();
                usage.owned
            }
            #[cfg(feature = "std")]
            KeptBytes::Given(bytes) => {
                usage.owned = bytes.capacity();
                usage.owned
            }
        };
        usage.released = self.all.saturating_sub(kept);
        usage
    }
}

/// Where the bytes of a loaded artifact are. They add up to the size of the file, unless the host
/// gave a buffer away that is larger and cannot be made smaller.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[non_exhaustive]
pub struct ArtifactUsage {
    /// Bytes in memory of the loader's, counted as [`Category::Artifact`](crate::Category::Artifact).
    pub owned: usize,
    /// Bytes of the host's that the module refers to.
    pub borrowed: usize,
    /// Bytes in pages of the file that the module refers to.
    pub mapped: usize,
    /// Bytes that the module does without since it is loaded: they were given back, or never taken.
    /// Of a lent artifact, so many bytes at its end are never read again.
    pub released: usize,
}
