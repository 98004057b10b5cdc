//! Why bytes are not an artifact: a small `Copy` value, with a remedy for each kind.

use core::fmt;

use crate::brief;
use crate::layout::SectionId;
use crate::plain::{Hexadecimal, Text, line};

/// The bytes are not an artifact that this version can read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub struct FormatError {
    kind: ErrorKind,
    section: Option<SectionId>,
    offset: u32,
}

impl FormatError {
    /// An error outside of the sections.
    pub const fn at(kind: ErrorKind, offset: u32) -> FormatError {
        FormatError {
            kind,
            section: None,
            offset,
        }
    }

    /// An error in a section.
    pub const fn in_section(kind: ErrorKind, section: SectionId, offset: u32) -> FormatError {
        FormatError {
            kind,
            section: Some(section),
            offset,
        }
    }

    /// What is wrong.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The section that is wrong, or `None` in header, section table and envelope.
    pub const fn section(&self) -> Option<SectionId> {
        self.section
    }

    /// Where in the file the wrong record starts.
    pub const fn offset(&self) -> u32 {
        self.offset
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, f)?;
        let offset = Hexadecimal(u64::from(self.offset));
        if !brief::MESSAGES {
            write!(f, " {offset}")
        } else if let Some(section) = self.section {
            write!(
                f,
                " (section {}, file offset {offset})",
                Text(section.name()),
            )
        } else {
            write!(f, " (file offset {offset})")
        }
    }
}

impl core::error::Error for FormatError {}

macro_rules! error_kinds {
    ($($(#[$doc:meta])* $name:ident, $message:literal;)*) => {
        /// What is wrong with the bytes, and what helps.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        #[must_use]
        pub enum ErrorKind {
            $($(#[$doc])* $name,)*
        }

        crate::brief!(ErrorKind: $($name)*);

        impl ErrorKind {
            /// The kind as a phrase without a full stop.
            pub const fn message(self) -> &'static str {
                line(concat!($($message, "\n",)*), self as usize)
            }
        }
    };
}

error_kinds! {
    /// The file does not begin with the magic number. Pass a file that `precast compile` wrote.
    NotAnArtifact, "not a Precast artifact";
    /// Another version of the format. Compile the module again with the compiler that belongs to
    /// this loader.
    UnsupportedVersion, "unsupported version of the artifact format";
    /// The file ends early. Copy or transfer it again.
    Truncated, "the artifact is truncated";
    /// Bytes after the payload that are not a signature. Transfer the file again, in binary mode.
    TrailingBytes, "bytes after the end of the artifact";
    /// A number for which this version has no meaning. Use the loader of the compiler's version.
    UnknownNumber, "unknown number";
    /// A bit or byte that has to be zero is not. Use the loader of the compiler's version.
    ReservedBits, "reserved bits are set";
    /// A CPU feature, wasm feature or libcall that this version cannot name. Use the loader of the
    /// compiler's version.
    UnknownFeature, "unknown feature";
    /// Fields of the header contradict each other. Compile the module again.
    InconsistentHeader, "the header contradicts itself";
    /// The file is in the split form: its text is elsewhere, in the program that it was linked into.
    /// Load it from there, or compile the module to an artifact.
    TextElsewhere, "the artifact's text is not in the file";
    /// The file is in the whole form, and the text is expected elsewhere. Link what `precast compile
    /// --emit object` wrote.
    TextInFile, "the artifact's text is in the file";
    /// Sections are not in ascending order, or one comes twice. Compile the module again.
    SectionOrder, "sections are out of order";
    /// A section does not start where the one before it and the alignment say. Compile the module
    /// again.
    SectionPlacement, "a section is misplaced";
    /// A section is empty, or not a whole number of records, or does not fit the section that it
    /// belongs to. Compile the module again.
    SectionSize, "a section has the wrong size";
    /// Bytes between sections are not zero. Compile the module again.
    Padding, "padding is not zero";
    /// An index is not in its index space. Compile the module again.
    IndexOutOfRange, "index out of range";
    /// A range leaves the section that it points into. Compile the module again.
    RangeOutOfBounds, "range out of bounds";
    /// A range does not begin where the one before it ends, so bytes would be shared or unused.
    /// Compile the module again.
    NotContiguous, "ranges are not contiguous";
    /// Entries are not in ascending order, or overlap. Compile the module again.
    NotAscending, "entries are not in ascending order";
    /// A name is not UTF-8. Compile the module again.
    InvalidUtf8, "a name is not UTF-8";
    /// Records refer to the same names so often that reading them would take more than linear
    /// time. Compile the module again.
    TooManyNames, "names are shared too often";
    /// Limits where the minimum exceeds the maximum or the maximum what indices can reach. Compile
    /// the module again.
    InvalidLimits, "invalid limits";
    /// A constant expression is ill-typed, too deep, or not constant. Compile the module again.
    InvalidExpression, "invalid constant expression";
    /// Two types that have to be equal are not. Compile the module again.
    TypeMismatch, "type mismatch";
    /// A function is referenced but has no function record. Compile the module again.
    MissingFunctionRecord, "a referenced function has no function record";
    /// The instance context would not stay below 2 GiB. Split the module.
    ContextTooLarge, "the instance context is too large";
    /// An address, offset or size is not a multiple of the page size or of the instruction size.
    /// Compile the module again.
    Misaligned, "misaligned";
    /// A relocation that the relocation model or the instruction set does not allow. Compile the
    /// module again.
    InvalidRelocation, "invalid relocation";
    /// A stream of variable-length integers is malformed. Compile the module again.
    MalformedStream, "malformed lookup table";
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !brief::MESSAGES {
            return brief::write(self, f);
        }
        f.write_str(self.message())
    }
}
