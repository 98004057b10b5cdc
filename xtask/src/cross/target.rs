//! The targets, and what each needs on this machine: packages, a linker, an emulator.

use super::windows;

/// What code is made for, and where it is run.
pub struct Target {
    /// The name in tables and on the command line.
    pub name: &'static str,
    /// What `precast compile --target` calls it.
    pub code: &'static str,
    /// The machine that runs it.
    pub machine: Option<&'static Machine>,
    /// What is said to the compiler beside the target: features that the machine has and the default
    /// of its kind has not.
    pub flags: &'static [&'static str],
    /// Whether the code is that of an interpreter, which is not patched, and for which no page
    /// guards a memory.
    pub bytecode: bool,
}

/// Another machine than this one.
pub struct Machine {
    /// Rust's name for it.
    pub triple: &'static str,
    /// What the names of the cross compiler begin with, and its folder in `/usr`.
    pub tools: &'static str,
    /// The emulator; without one the machine understands its instructions.
    pub emulator: Option<&'static str>,
    /// What the emulator is told of the processor.
    pub processor: &'static [&'static str],
    /// The packages of compiler and C library.
    pub packages: &'static [&'static str],
}

const AARCH64: Machine = Machine {
    triple: "aarch64-unknown-linux-gnu",
    tools: "aarch64-linux-gnu",
    emulator: Some("qemu-aarch64-static"),
    processor: &[],
    packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
};

const RISCV64: Machine = Machine {
    triple: "riscv64gc-unknown-linux-gnu",
    tools: "riscv64-linux-gnu",
    emulator: Some("qemu-riscv64-static"),
    processor: &["-cpu", "rv64,v=true"],
    packages: &["gcc-riscv64-linux-gnu", "libc6-dev-riscv64-cross"],
};

const S390X: Machine = Machine {
    triple: "s390x-unknown-linux-gnu",
    tools: "s390x-linux-gnu",
    emulator: Some("qemu-s390x-static"),
    processor: &[],
    packages: &["gcc-s390x-linux-gnu", "libc6-dev-s390x-cross"],
};

const I686: Machine = Machine {
    triple: "i686-unknown-linux-gnu",
    tools: "i686-linux-gnu",
    emulator: None,
    processor: &[],
    packages: &["gcc-i686-linux-gnu", "libc6-dev-i386-cross"],
};

const ARMV7: Machine = Machine {
    triple: "armv7-unknown-linux-gnueabihf",
    tools: "arm-linux-gnueabihf",
    emulator: Some("qemu-arm-static"),
    processor: &[],
    packages: &["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"],
};

/// Every target, the reference first.
pub const TARGETS: &[Target] = &[
    native("x86_64", "x86_64-unknown-linux-gnu", None),
    native("aarch64", AARCH64.triple, Some(&AARCH64)),
    Target {
        // Without vectors there is no SIMD.
        flags: &["--cpu-features", "+v"],
        ..native("riscv64", RISCV64.triple, Some(&RISCV64))
    },
    native("s390x", S390X.triple, Some(&S390X)),
    native(
        "x86_64-windows",
        "x86_64-pc-windows-msvc",
        Some(&windows::MACHINE),
    ),
    pulley("pulley64", "pulley64", None),
    pulley("pulley64be", "pulley64be", Some(&S390X)),
    pulley("pulley32-i686", "pulley32", Some(&I686)),
    pulley("pulley32-armv7", "pulley32", Some(&ARMV7)),
];

const fn native(
    name: &'static str,
    code: &'static str,
    machine: Option<&'static Machine>,
) -> Target {
    Target {
        name,
        code,
        machine,
        flags: &[],
        bytecode: false,
    }
}

const fn pulley(
    name: &'static str,
    code: &'static str,
    machine: Option<&'static Machine>,
) -> Target {
    Target {
        name,
        code,
        machine,
        flags: &[],
        bytecode: true,
    }
}

impl Target {
    /// Whether it is Windows.
    pub fn is_windows(&self) -> bool {
        self.machine.is_some_and(windows::is)
    }

    /// Whether `--small` has the target. The tests of every change run natively, and run bytecode, as it
    /// is, and s390x shows what byte order does; of the machines with 32-bit pointers the one that needs
    /// no emulator is enough for them; and Wine is too much to install each time.
    pub fn is_for_every_change(&self) -> bool {
        let is_elsewhere = [
            "x86_64",
            "x86_64-windows",
            "pulley64",
            "pulley64be",
            "pulley32-armv7",
        ];
        !is_elsewhere.contains(&self.name)
    }

    /// Whether there is a code generator for the machine.
    pub fn has_native_code(&self) -> bool {
        let narrow = [I686.triple, ARMV7.triple];
        !self
            .machine
            .is_some_and(|machine| narrow.contains(&machine.triple))
    }

    /// Whether code for the target has such a configuration.
    pub fn has(&self, configuration: &str) -> bool {
        configuration.starts_with("bytecode") == self.bytecode
    }
}
