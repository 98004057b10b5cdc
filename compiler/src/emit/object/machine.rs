//! The machine of an object file: its format, its architecture, and the flags without which linkers
//! refuse it.

use object::{Architecture, BinaryFormat, Endianness};
use precast_format::target::Isa;
use target_lexicon::{
    Architecture as Machine, BinaryFormat as Format, OperatingSystem, PointerWidth,
    Riscv32Architecture, Riscv64Architecture, Triple,
};

use crate::error::{CompileError, Result};
use crate::target::Target;

/// What can be chosen of an object file.
#[derive(Clone, Debug, Default)]
pub struct ObjectOptions {
    /// The module's name in symbols: letters, digits and `_`, no digit first.
    pub name: String,
    /// The triple of the machine that the object file is for, where the code is bytecode.
    pub machine: Option<String>,
}

/// What an object file is for.
#[derive(Clone, Debug)]
pub struct ObjectMachine {
    pub(super) format: BinaryFormat,
    pub(super) architecture: Architecture,
    pub(super) endianness: Endianness,
    /// The flags of an ELF header.
    pub(super) elf_flags: u32,
    /// Whether the code is data to the machine.
    pub(super) is_bytecode: bool,
    /// Whether programs lie where the linker puts them: nobody fills in addresses later.
    pub(super) is_fixed: bool,
}

impl ObjectMachine {
    /// The machine for code of this target.
    ///
    /// # Errors
    ///
    /// When there is no object file for it, the name is none for a symbol, or the machine does not fit
    /// the bytecode.
    pub fn new(target: &Target, options: &ObjectOptions) -> Result<ObjectMachine> {
        check_name(&options.name)?;
        let is_bytecode = matches!(target.isa(), Isa::Pulley32 | Isa::Pulley64);
        let named = target.machine().map(ToString::to_string);
        match (options.machine.as_ref().or(named.as_ref()), is_bytecode) {
            (None, false) => ObjectMachine::of(target.triple(), false),
            (Some(name), true) => {
                let triple: Triple = name.parse().map_err(|error| {
                    CompileError::options(format!(
                        "object target `{name}` is not a target triple: {error}"
                    ))
                })?;
                let machine = ObjectMachine::of(&triple, true)?;
                let width = match triple.pointer_width() {
                    Ok(PointerWidth::U32) => 4,
                    Ok(PointerWidth::U64) => 8,
                    _ => 0,
                };
                let isa = target.isa();
                let little = machine.endianness == Endianness::Little;
                if width != isa.pointer_width().bytes() || !little {
                    return Err(CompileError::options(format!(
                        "object target `{name}` does not fit the bytecode of {}, which has {}-bit \
                         pointers and little-endian data",
                        isa.name(),
                        8 * isa.pointer_width().bytes()
                    )));
                }
                Ok(machine)
            }
            (None, true) => Err(CompileError::options(format!(
                "{} is bytecode, and an object file is for a machine; name it with --object-target, \
                 for example thumbv7em-none-eabihf or riscv32imac-unknown-none-elf",
                target.isa().name()
            ))),
            (Some(_), false) => Err(CompileError::options(
                "--object-target is for bytecode; native code is for the machine of --target",
            )),
        }
    }

    fn of(triple: &Triple, is_bytecode: bool) -> Result<ObjectMachine> {
        let unsupported = |what: &str| {
            CompileError::options(format!("there is no object file for `{triple}`: {what}"))
        };
        let format = match triple.binary_format {
            Format::Elf | Format::Unknown => BinaryFormat::Elf,
            Format::Macho => BinaryFormat::MachO,
            Format::Coff => BinaryFormat::Coff,
            _ => return Err(unsupported("its format is not ELF, Mach-O or COFF")),
        };
        let architecture = match triple.architecture {
            Machine::X86_64 | Machine::X86_64h => Architecture::X86_64,
            Machine::Aarch64(_) => Architecture::Aarch64,
            Machine::Riscv64(_) => Architecture::Riscv64,
            Machine::S390x => Architecture::S390x,
            Machine::Arm(_) if is_bytecode => Architecture::Arm,
            Machine::Riscv32(_) if is_bytecode => Architecture::Riscv32,
            Machine::X86_32(_) if is_bytecode => Architecture::I386,
            Machine::XTensa if is_bytecode => Architecture::Xtensa,
            _ => return Err(unsupported("its architecture is not known")),
        };
        let bare = matches!(
            triple.operating_system,
            OperatingSystem::None_ | OperatingSystem::Unknown
        );
        Ok(ObjectMachine {
            format,
            architecture,
            endianness: match triple.architecture {
                Machine::S390x => Endianness::Big,
                _ => Endianness::Little,
            },
            elf_flags: elf_flags(triple),
            is_bytecode,
            // Scripts for microcontrollers put what they do not know into memory; read-only data they
            // know.
            is_fixed: bare && triple.pointer_width() == Ok(PointerWidth::U32),
        })
    }

    /// Whether the object file has tables by which stacks are walked, made by Cranelift. Those of
    /// Windows are ours.
    pub fn has_frame_tables(&self) -> bool {
        !self.is_bytecode && self.format != BinaryFormat::Coff
    }

    /// The name of the format.
    pub fn format_name(&self) -> &'static str {
        match self.format {
            BinaryFormat::MachO => "Mach-O",
            BinaryFormat::Coff => "COFF",
            _ => "ELF",
        }
    }
}

/// Flags by which linkers compare how objects pass floating-point numbers. Ours pass none to others, and
/// have to look like those that they are linked with.
fn elf_flags(triple: &Triple) -> u32 {
    use object::elf;
    match triple.architecture {
        Machine::Riscv64(Riscv64Architecture::Riscv64gc) => {
            elf::EF_RISCV_RVC | elf::EF_RISCV_FLOAT_ABI_DOUBLE
        }
        Machine::Riscv32(Riscv32Architecture::Riscv32gc) => {
            elf::EF_RISCV_RVC | elf::EF_RISCV_FLOAT_ABI_DOUBLE
        }
        Machine::Riscv32(
            Riscv32Architecture::Riscv32imac
            | Riscv32Architecture::Riscv32imc
            | Riscv32Architecture::Riscv32imafc,
        )
        | Machine::Riscv64(Riscv64Architecture::Riscv64imac) => elf::EF_RISCV_RVC,
        // What follows the base procedure call standard only can be linked with either variant.
        Machine::Arm(_) => elf::EF_ARM_EABI_VER5,
        _ => 0,
    }
}

/// Symbols are names of C.
fn check_name(name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = name
        .bytes()
        .next()
        .is_some_and(|byte| !byte.is_ascii_digit());
    if begins && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(CompileError::options(format!(
        "`{name}` is no name for a symbol: letters, digits and `_` make one, without a digit first"
    )))
}
