//! What targets are called: triples that are known, and shorter names for them.
//!
//! Any triple of an architecture with a code generator is taken, known or not. A triple of an
//! architecture without one stands for the bytecode that its machines interpret, by the width of
//! their pointers and their byte order.

use std::str::FromStr;

use precast_format::target::Isa;
use target_lexicon::{
    Aarch64Architecture, Architecture, ArmArchitecture, Environment, PointerWidth,
    Riscv32Architecture, Triple,
};

use super::nearest;
use crate::error::{CompileError, Result};

/// A triple for which code is made, as Rust and LLVM spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownTarget {
    /// The triple.
    pub triple: &'static str,
    /// How code for it was tested.
    pub tested: Tested,
}

/// How code for a target was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tested {
    /// The specification's suite, programs and faults, on such a machine.
    Natively,
    /// The specification's suite, programs and faults, under QEMU's user emulation.
    Emulated,
    /// The specification's suite and the loader's tests, by the interpreter, on machines with pointers of
    /// this width and data of this order; with little-endian data programs and faults, too.
    Interpreted,
    /// The specification's suite, programs and the loader's tests, under Wine.
    UnderWine,
    /// With the same options, the artifact has the bytes of that for another triple.
    SameBytes(&'static str),
    /// Artifacts and objects are made and read back, and compared with those of another triple; no
    /// code of it was run.
    NotRun,
}

impl Tested {
    /// A phrase for tables.
    pub fn text(self) -> String {
        match self {
            Tested::Natively => "natively".to_owned(),
            Tested::Emulated => "under QEMU".to_owned(),
            Tested::Interpreted => "interpreted".to_owned(),
            Tested::UnderWine => "under Wine".to_owned(),
            Tested::SameBytes(other) => format!("same bytes as {other}"),
            Tested::NotRun => "not run".to_owned(),
        }
    }
}

macro_rules! known {
    ($($triple:literal $tested:expr;)*) => {
        /// Every triple that is listed.
        pub const KNOWN: &[KnownTarget] = &[$(KnownTarget { triple: $triple, tested: $tested },)*];
    };
}

known! {
    "x86_64-unknown-linux-gnu" Tested::Natively;
    "x86_64-unknown-linux-musl" Tested::SameBytes("x86_64-unknown-linux-gnu");
    "x86_64-unknown-none" Tested::SameBytes("x86_64-unknown-linux-gnu");
    "x86_64-apple-darwin" Tested::SameBytes("x86_64-unknown-linux-gnu");
    "x86_64-pc-windows-gnullvm" Tested::UnderWine;
    "x86_64-pc-windows-gnu" Tested::SameBytes("x86_64-pc-windows-gnullvm");
    "x86_64-pc-windows-msvc" Tested::SameBytes("x86_64-pc-windows-gnullvm");
    "aarch64-unknown-linux-gnu" Tested::Emulated;
    "aarch64-unknown-linux-musl" Tested::SameBytes("aarch64-unknown-linux-gnu");
    "aarch64-unknown-none" Tested::SameBytes("aarch64-unknown-linux-gnu");
    "aarch64-apple-darwin" Tested::NotRun;
    "aarch64-pc-windows-gnullvm" Tested::NotRun;
    "aarch64-pc-windows-msvc" Tested::SameBytes("aarch64-pc-windows-gnullvm");
    "riscv64gc-unknown-linux-gnu" Tested::Emulated;
    "riscv64gc-unknown-linux-musl" Tested::SameBytes("riscv64gc-unknown-linux-gnu");
    "riscv64gc-unknown-none-elf" Tested::SameBytes("riscv64gc-unknown-linux-gnu");
    "s390x-unknown-linux-gnu" Tested::Emulated;
    "s390x-unknown-linux-musl" Tested::SameBytes("s390x-unknown-linux-gnu");
    "s390x-unknown-none" Tested::SameBytes("s390x-unknown-linux-gnu");
    "pulley32-unknown-none" Tested::Interpreted;
    "pulley64-unknown-none" Tested::Interpreted;
    "pulley32be-unknown-none" Tested::NotRun;
    "pulley64be-unknown-none" Tested::Interpreted;
}

/// A shorter name, and the triple that it means. Where that has no code generator, the name stands for
/// bytecode, which is said when it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: &'static str,
    /// The triple.
    pub triple: &'static str,
}

macro_rules! aliases {
    ($($name:literal => $triple:literal;)*) => {
        /// Every shorter name.
        pub const ALIASES: &[Alias] = &[$(Alias { name: $name, triple: $triple },)*];
    };
}

aliases! {
    "x86_64" => "x86_64-unknown-linux-gnu";
    "amd64" => "x86_64-unknown-linux-gnu";
    "aarch64" => "aarch64-unknown-linux-gnu";
    "arm64" => "aarch64-unknown-linux-gnu";
    "riscv64" => "riscv64gc-unknown-linux-gnu";
    "riscv64gc" => "riscv64gc-unknown-linux-gnu";
    "s390x" => "s390x-unknown-linux-gnu";
    "riscv64-unknown-linux-gnu" => "riscv64gc-unknown-linux-gnu";
    "riscv64-unknown-none" => "riscv64gc-unknown-none-elf";
    "pulley32" => "pulley32-unknown-none";
    "pulley64" => "pulley64-unknown-none";
    "pulley32be" => "pulley32be-unknown-none";
    "pulley64be" => "pulley64be-unknown-none";
    "thumbv7m" => "thumbv7m-none-eabi";
    "thumbv7em" => "thumbv7em-none-eabihf";
    "thumbv8m.base" => "thumbv8m.base-none-eabi";
    "thumbv8m.main" => "thumbv8m.main-none-eabihf";
    "arm" => "arm-unknown-linux-gnueabi";
    "armv7" => "armv7-unknown-linux-gnueabihf";
    "armv7r" => "armv7r-none-eabihf";
    "riscv32" => "riscv32imac-unknown-none-elf";
    "riscv32imac" => "riscv32imac-unknown-none-elf";
    "riscv32gc" => "riscv32gc-unknown-linux-gnu";
    "i686" => "i686-unknown-linux-gnu";
    "i586" => "i586-unknown-linux-gnu";
    "xtensa" => "xtensa-esp32-none-elf";
    "xtensa-esp32" => "xtensa-esp32-none-elf";
    "xtensa-esp32s3" => "xtensa-esp32s3-none-elf";
    "mips" => "mips-unknown-linux-gnu";
    "mipsel" => "mipsel-unknown-linux-gnu";
    "powerpc" => "powerpc-unknown-linux-gnu";
    "powerpc64" => "powerpc64-unknown-linux-gnu";
    "powerpc64le" => "powerpc64le-unknown-linux-gnu";
    "loongarch64" => "loongarch64-unknown-linux-gnu";
    "sparc64" => "sparc64-unknown-linux-gnu";
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// What code is made for.
    pub triple: Triple,
    /// Its instruction set.
    pub isa: Isa,
    /// The machine that interprets the code, where one was named.
    pub machine: Option<Triple>,
}

/// What a name stands for.
///
/// # Errors
///
/// When it is no name and no triple, or nothing of ours runs on such machines.
pub(super) fn find(name: &str) -> Result<Meaning> {
    let alias = ALIASES.iter().find(|alias| alias.name == name);
    let triple = Triple::from_str(alias.map_or(name, |alias| alias.triple));
    let triple = triple.ok().filter(|triple| {
        // A vendor or a system of the caller's own is fine; an architecture is not.
        triple.architecture != Architecture::Unknown
    });
    match triple {
        Some(triple) => of(triple),
        None => Err(unknown(name)),
    }
}

/// What is made for the machines of a triple.
///
/// # Errors
///
/// When nothing of ours runs on them.
pub(super) fn of(triple: Triple) -> Result<Meaning> {
    let refused = |reason: &str| {
        Err(CompileError::options(format!(
            "no code can be made for `{triple}`: {reason}; `precast targets` lists what there is"
        )))
    };
    let narrow = matches!(
        triple.environment,
        Environment::Gnux32 | Environment::GnuIlp32
    );
    let isa = match triple.architecture {
        Architecture::X86_64 | Architecture::X86_64h | Architecture::Aarch64(_) if narrow => {
            return refused("its pointers have 32 bits, and code has 64");
        }
        Architecture::Aarch64(Aarch64Architecture::Aarch64be) => {
            return refused("its data is big-endian, and code for aarch64 is not");
        }
        Architecture::X86_64 | Architecture::X86_64h => Isa::X86_64,
        Architecture::Aarch64(_) => Isa::Aarch64,
        Architecture::Riscv64(_) => Isa::Riscv64,
        Architecture::S390x => Isa::S390x,
        Architecture::Pulley32 | Architecture::Pulley32be => Isa::Pulley32,
        Architecture::Pulley64 | Architecture::Pulley64be => Isa::Pulley64,
        Architecture::Wasm32 | Architecture::Wasm64 => {
            return refused("that is what is compiled, and not what it is compiled for");
        }
        Architecture::Arm(ArmArchitecture::Thumbv6m | ArmArchitecture::Thumbv4t)
        | Architecture::Riscv32(
            Riscv32Architecture::Riscv32i
            | Riscv32Architecture::Riscv32im
            | Riscv32Architecture::Riscv32imc,
        ) => {
            return refused(
                "the interpreter of bytecode needs compare-and-swap, and this machine has none",
            );
        }
        Architecture::Nvptx64
        | Architecture::AmdGcn
        | Architecture::Bpfeb
        | Architecture::Bpfel
        | Architecture::Asmjs => return refused("the loader does not run there"),
        _ => return interpreted(triple),
    };
    Ok(Meaning {
        triple,
        isa,
        machine: None,
    })
}

/// The bytecode for machines without a code generator.
fn interpreted(machine: Triple) -> Result<Meaning> {
    let big = machine.endianness() == Ok(target_lexicon::Endianness::Big);
    let (name, isa) = match (machine.pointer_width(), big) {
        (Ok(PointerWidth::U32), false) => ("pulley32-unknown-none", Isa::Pulley32),
        (Ok(PointerWidth::U32), true) => ("pulley32be-unknown-none", Isa::Pulley32),
        (Ok(PointerWidth::U64), false) => ("pulley64-unknown-none", Isa::Pulley64),
        (Ok(PointerWidth::U64), true) => ("pulley64be-unknown-none", Isa::Pulley64),
        _ => {
            return Err(CompileError::options(format!(
                "no code can be made for `{machine}`: its pointers have neither 32 nor 64 bits; \
                 `precast targets` lists what there is"
            )));
        }
    };
    let triple = Triple::from_str(name)
        .map_err(|error| CompileError::internal(format!("`{name}`: {error}")))?;
    Ok(Meaning {
        triple,
        isa,
        machine: Some(machine),
    })
}

fn unknown(name: &str) -> CompileError {
    let names = ALIASES.iter().map(|alias| alias.name);
    let triples = KNOWN.iter().map(|known| known.triple);
    let means = ALIASES.iter().map(|alias| alias.triple);
    let suggestion = nearest::suggestion(name, names.chain(triples).chain(means));
    CompileError::options(format!(
        "target `{name}` is not known{suggestion}; `precast targets` lists what there is"
    ))
}
