//! The boards, and what each needs on this machine.

use crate::cross::sysroot::Library;
use crate::cross::toolchain;

/// The compiler of firmware in C, and the package that has it. It makes code for all boards.
pub const C_COMPILER: &str = "clang-22";

/// A board that QEMU has.
pub struct Board {
    /// The name in tables and on the command line.
    pub name: &'static str,
    /// Rust's name for its processor.
    pub triple: &'static str,
    /// How the firmware calls it.
    pub title: &'static str,
    /// The emulator with the machine.
    pub emulator: &'static [&'static str],
    /// The package that has the emulator.
    package: &'static str,
    /// What its firmware is written in.
    pub language: Language,
    /// What the firmware has to say, in a file of the example.
    pub expected: &'static str,
    /// How the firmware comes into flash.
    pub flash: Flash,
    /// Where flash begins.
    pub flash_start: u64,
    /// What memory below this, and beyond that of the flash, is not.
    pub ram_start: u64,
}

/// What a firmware is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// With the loader as a crate.
    Rust,
    /// With the loader as a static library.
    C,
}

/// How an image comes into the flash of an emulated board.
pub enum Flash {
    /// By the emulator's loader, which takes the program file.
    Program,
    /// As the first of two chips, whose file has any size.
    Firmware,
    /// As the first of two chips, whose file is as large as the chip.
    Chip(u64),
}

/// All boards.
pub const BOARDS: &[Board] = &[
    Board {
        name: "aarch64",
        triple: "aarch64-unknown-none",
        title: "aarch64 (virt)",
        emulator: &[
            "qemu-system-aarch64",
            "-machine",
            "virt,acpi=off",
            "-cpu",
            "cortex-a57",
        ],
        package: "qemu-system-arm",
        language: Language::Rust,
        expected: "expected.txt",
        flash: Flash::Firmware,
        flash_start: 0,
        ram_start: 0x4000_0000,
    },
    Board {
        name: "riscv64",
        triple: "riscv64gc-unknown-none-elf",
        title: "riscv64 (virt)",
        emulator: &["qemu-system-riscv64", "-machine", "virt", "-bios", "none"],
        package: "qemu-system-misc",
        language: Language::Rust,
        expected: "expected.txt",
        flash: Flash::Chip(32 << 20),
        flash_start: 0x2000_0000,
        ram_start: 0x8000_0000,
    },
    Board {
        name: "cortex-m4",
        triple: "thumbv7em-none-eabihf",
        title: "cortex-m4 (mps2-an386)",
        emulator: &["qemu-system-arm", "-machine", "mps2-an386"],
        package: "qemu-system-arm",
        language: Language::Rust,
        expected: "expected.txt",
        flash: Flash::Program,
        flash_start: 0,
        ram_start: 0x2000_0000,
    },
    Board {
        name: "riscv32",
        triple: "riscv32imac-unknown-none-elf",
        title: "riscv32 (virt)",
        emulator: &["qemu-system-riscv32", "-machine", "virt", "-bios", "none"],
        package: "qemu-system-misc",
        language: Language::Rust,
        expected: "expected.txt",
        flash: Flash::Chip(32 << 20),
        flash_start: 0x2000_0000,
        ram_start: 0x8000_0000,
    },
    Board {
        name: "cortex-m4-c",
        triple: "thumbv7em-none-eabihf",
        title: "cortex-m4 (mps2-an386)",
        emulator: &["qemu-system-arm", "-machine", "mps2-an386"],
        package: "qemu-system-arm",
        language: Language::C,
        expected: "c/expected.txt",
        flash: Flash::Program,
        flash_start: 0,
        ram_start: 0x2000_0000,
    },
];

impl Board {
    /// The packages that are missing.
    pub fn packages(&self) -> Vec<&'static str> {
        let mut wanted = toolchain::rust_packages().to_vec();
        if !toolchain::has("rust-lld") {
            wanted.push("rust-web-llvm");
        }
        if !toolchain::has(self.emulator[0]) {
            wanted.push(self.package);
        }
        if self.language == Language::C && !toolchain::has(C_COMPILER) {
            wanted.push(C_COMPILER);
        }
        wanted
    }

    /// What its modules are compiled for: native code where there is some.
    pub fn code(&self) -> &'static str {
        match self.triple {
            "aarch64-unknown-none" | "riscv64gc-unknown-none-elf" => self.triple,
            _ => "pulley32",
        }
    }

    /// The library for it. It is small, and linked with the firmware as one.
    pub fn library(&self) -> Library {
        Library {
            triple: self.triple,
            crates: "core,alloc",
            environment: &[
                ("RUSTFLAGS", "-Cembed-bitcode=yes"),
                ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "z"),
                ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
            ],
        }
    }
}
