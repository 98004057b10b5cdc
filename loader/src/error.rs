//! Why an artifact was not loaded: one variant for each requirement that can fail.
//!
//! Each error says what the artifact requires, what this device offers, and what to do about it.
#![forbid(unsafe_code)]

use core::fmt;

use precast_format::brief::{self, MESSAGES};
use precast_format::plain::{Decimal, HexDigits, Hexadecimal, Signed, Text};
use precast_format::relocation::RelocationKind;
use precast_format::target::{CpuFeatures, Endianness, HostAbi, Isa};

use crate::alloc::OutOfMemory;

/// Why [`Runtime::load`](crate::Runtime::load) refused an artifact.
#[must_use]
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// The bytes are not an artifact, or not a valid one. Compile the module again; if the file
    /// travelled, compare checksums.
    Malformed(precast_format::FormatError),
    /// The artifact has another format version. Compile with the compiler of this loader's release.
    FormatVersion {
        /// Major and minor version of the artifact.
        artifact: (u16, u16),
        /// Major and minor version that this loader reads.
        loader: (u16, u16),
    },
    /// The code is for another instruction set. Compile with `--target` for this device.
    Isa {
        /// Instruction set of the code.
        required: Isa,
        /// Instruction set of this device.
        device: Isa,
    },
    /// The code is bytecode, and this loader was built without the feature `pulley`. Build it with
    /// that, or compile with `--target` for this device.
    Interpreter {
        /// The bytecode.
        required: Isa,
    },
    /// The code has another byte order than this device. Compile with `--target` for this device.
    ByteOrder {
        /// Byte order of the code.
        required: Endianness,
        /// Byte order of this device.
        device: Endianness,
    },
    /// The code is for another pointer width. Compile with `--target` for this device.
    PointerWidth {
        /// Width in bits that the code needs.
        required: u32,
        /// Width in bits of this device.
        device: u32,
    },
    /// The code calls the loader by another convention. Compile with `--target` for this system.
    HostAbi {
        /// Convention of the code.
        required: HostAbi,
        /// Convention of this system.
        device: HostAbi,
    },
    /// Compiler and loader disagree about the instance context. Use a compiler and a loader of the
    /// same release.
    AbiHash {
        /// Hash that the compiler had.
        artifact: u64,
        /// Hash that this loader has.
        loader: u64,
    },
    /// The code uses instructions that this CPU does not have. Compile with a lower `--cpu`.
    CpuFeatures {
        /// The instruction set that gives the bits their names.
        isa: Isa,
        /// What the code uses and the device lacks.
        missing: CpuFeatures,
    },
    /// The artifact relies on guard pages, and this runtime has none: the device has none, the
    /// options forbid them, or the runtime lives in a pool. Compile with `--bounds-checks explicit`.
    GuardPages {
        /// Address space of each memory, in bytes, its guard included.
        reservation: u64,
    },
    /// The artifact's memories want more address space than this device can reserve. Compile with
    /// `--bounds-checks explicit`.
    AddressSpace {
        /// Address space of each memory, in bytes, its guard included.
        reservation: u64,
    },
    /// The artifact relies on a guard page at the end of the call stack, which this runtime does
    /// not provide. Compile with `--stack-checks explicit`.
    StackGuard,
    /// The artifact counts calls and time per function, and this loader was built without the feature
    /// `call-profile`. Compile without `--call-profile`.
    CallProfile,
    /// The artifact needs a facility that this loader was built without. Build the loader with the cargo
    /// feature of that name, or compile a module that does without.
    Facility {
        /// The cargo feature of the loader.
        feature: &'static str,
    },
    /// The artifact traps by hardware faults, and this runtime handles no signals. Compile with
    /// `--traps explicit` and `--bounds-checks explicit`.
    Signals,
    /// The code is neither signed by a trusted key nor vouched for.
    Untrusted(Untrusted),
    /// A relocation leaves its section or does not fit its field. The artifact is damaged.
    Relocation {
        /// Offset in the text section that the relocation patches.
        offset: u32,
        /// How it changes the text.
        kind: RelocationKind,
    },
    /// A trampoline or adapter lies inside of a function. The artifact is damaged.
    Adapter {
        /// The function type that it is for.
        type_index: u32,
    },
    /// A size in the artifact is beyond what this loader accepts.
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The size found.
        size: u64,
        /// The largest accepted.
        limit: u64,
    },
    /// A static module is not what the linker should have made of it. Link the object file that
    /// `precast compile --emit object` of this release wrote, with all of its sections.
    StaticModule(&'static str),
    /// There is not enough memory to load the artifact.
    OutOfMemory(OutOfMemory),
    /// The system refused to map or to protect code. `os_error` is the system's number.
    Code {
        /// The system's error number, zero where it has none.
        os_error: i32,
    },
    /// The file could not be read. `os_error` is the system's number.
    File {
        /// The system's error number, zero where it has none.
        os_error: i32,
    },
    /// Signal handlers could not be installed. `os_error` is the system's number.
    SignalHandlers {
        /// The system's error number, zero where it has none.
        os_error: i32,
    },
}

precast_format::brief!(LoadError: Malformed FormatVersion Isa Interpreter ByteOrder PointerWidth HostAbi AbiHash CpuFeatures GuardPages AddressSpace StackGuard CallProfile Facility Signals Untrusted Relocation Adapter TooLarge StaticModule OutOfMemory Code File SignalHandlers);

/// Why the code of an artifact is not trusted.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untrusted {
    /// The artifact carries no signature. Sign it, or load it with `load_unverified`.
    Unsigned,
    /// The artifact is signed by a key that is not among the trusted ones.
    UnknownKey,
    /// The signature does not match the bytes. The artifact is damaged or forged.
    BadSignature,
    /// This loader was built without the feature `signatures`.
    Unsupported,
}

precast_format::brief!(Untrusted: Unsigned UnknownKey BadSignature Unsupported);

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !MESSAGES {
            return brief::write(self, f);
        }
        f.write_str(match self {
            Untrusted::Unsigned => "it carries no signature; sign it, or vouch for it yourself",
            Untrusted::UnknownKey => "it is signed by a key that is not among the trusted ones",
            Untrusted::BadSignature => "its signature does not match its bytes",
            Untrusted::Unsupported => "this loader was built without support for signatures",
        })
    }
}

/// A number in a message.
fn number(number: impl Into<u64>) -> Decimal {
    Decimal(number.into())
}

impl From<OutOfMemory> for LoadError {
    fn from(error: OutOfMemory) -> LoadError {
        LoadError::OutOfMemory(error)
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !MESSAGES {
            return match self {
                LoadError::Malformed(error) => error.fmt(f),
                _ => brief::write(self, f),
            };
        }
        match *self {
            LoadError::Malformed(error) => write!(f, "the artifact is malformed: {error}"),
            LoadError::FormatVersion { artifact, loader } => write!(
                f,
                "the artifact has format version {}.{} and this loader reads {}.{}; compile it \
                 again with the compiler of this release",
                number(artifact.0),
                number(artifact.1),
                number(loader.0),
                number(loader.1)
            ),
            LoadError::Isa { required, device } => write!(
                f,
                "the artifact is for {} and this device is {}; compile it with --target for this \
                 device",
                Text(required.name()),
                Text(device.name())
            ),
            LoadError::Interpreter { required } => write!(
                f,
                "the artifact is bytecode ({}) and this loader has no interpreter; build it with \
                 the feature `pulley`, or compile the module with --target for this device",
                Text(required.name())
            ),
            LoadError::ByteOrder { required, device } => write!(
                f,
                "the artifact's byte order is {} and that of this device is {}; compile it with \
                 --target for this device",
                Text(required.name()),
                Text(device.name())
            ),
            LoadError::PointerWidth { required, device } => write!(
                f,
                "the artifact is for {}-bit pointers and this device has {}-bit \
                 pointers; compile it with --target for this device",
                number(required),
                number(device)
            ),
            LoadError::HostAbi { required, device } => write!(
                f,
                "the artifact calls the loader by the convention {required:?} and this system has \
                 {device:?}; compile it with --target for this system"
            ),
            LoadError::AbiHash { artifact, loader } => write!(
                f,
                "the artifact was compiled for another instance context (hash {}, \
                 this loader has {}); use a compiler and a loader of the same release",
                HexDigits(artifact, 16),
                HexDigits(loader, 16)
            ),
            LoadError::CpuFeatures { isa, missing } => {
                f.write_str("the artifact uses CPU features that this device lacks:")?;
                let mut known = CpuFeatures(0);
                for name in missing.names(isa) {
                    f.write_str(" ")?;
                    f.write_str(name)?;
                    known = known.with(isa, name).unwrap_or(known);
                }
                let unknown = missing.missing_from(known);
                if !unknown.is_empty() {
                    write!(f, " (unknown bits {})", Hexadecimal(unknown.0))?;
                }
                f.write_str("; compile it with a lower --cpu")
            }
            LoadError::GuardPages { reservation } => write!(
                f,
                "the artifact was compiled with guard pages ({} bytes of address space \
                 per memory) and this runtime offers none; compile it with --bounds-checks explicit",
                number(reservation)
            ),
            LoadError::AddressSpace { reservation } => write!(
                f,
                "the artifact needs {} bytes of address space per memory, more than \
                 this device can reserve; compile it with --bounds-checks explicit",
                number(reservation)
            ),
            LoadError::StackGuard => f.write_str(
                "the artifact relies on a guard page at the end of the call stack, which this \
                 runtime does not provide; compile it with --stack-checks explicit",
            ),
            LoadError::CallProfile => f.write_str(
                "the artifact counts calls, for which this loader has no facility; compile it \
                 without --call-profile",
            ),
            LoadError::Facility { feature } => write!(
                f,
                "the artifact needs what this loader was built without; build the loader with the \
                 feature `{}`",
                Text(feature)
            ),
            LoadError::Signals => f.write_str(
                "the artifact traps by hardware faults and this runtime handles no signals; \
                 compile it with --traps explicit and --bounds-checks explicit",
            ),
            LoadError::Untrusted(reason) => write!(f, "the artifact is not trusted: {reason}"),
            LoadError::Relocation { offset, kind } => write!(
                f,
                "the relocation {} at text offset {} does not fit; the artifact is damaged",
                Text(kind.name()),
                Hexadecimal(u64::from(offset))
            ),
            LoadError::Adapter { type_index } => write!(
                f,
                "an adapter of function type {} lies inside of a function; the artifact \
                 is damaged",
                number(type_index)
            ),
            LoadError::TooLarge { what, size, limit } => write!(
                f,
                "the artifact has {} of {}, and this loader accepts at most {}",
                Text(what),
                number(size),
                number(limit)
            ),
            LoadError::StaticModule(what) => write!(
                f,
                "the static module {}; link the object file of a compiler of this release",
                Text(what)
            ),
            LoadError::OutOfMemory(error) => write!(f, "cannot load the artifact: {error}"),
            LoadError::Code { os_error } => {
                write!(
                    f,
                    "the system refused to map executable code (error {})",
                    Signed(i64::from(os_error))
                )
            }
            LoadError::File { os_error } => {
                let error = Signed(i64::from(os_error));
                write!(f, "the file could not be read (error {error})")
            }
            LoadError::SignalHandlers { os_error } => {
                write!(
                    f,
                    "signal handlers could not be installed (error {})",
                    Signed(i64::from(os_error))
                )
            }
        }
    }
}

impl core::error::Error for LoadError {}
