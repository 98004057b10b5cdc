//! The compiler options that every test of the specification passes under.
#![forbid(unsafe_code)]

use precast_cli::wast::Stacks;
use precast_compiler::{OptLevel, Options, Target};
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode};

/// A way to compile and load.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Configuration {
    /// The name in tables.
    pub name: &'static str,
    bounds_checks: BoundsChecks,
    relocation_model: RelocationModel,
    /// The target, if not this machine.
    target: Option<&'static str>,
    trap_mode: TrapMode,
    opt_level: OptLevel,
    /// On which stacks scripts run.
    pub stacks: Stacks,
}

/// Both bounds strategies with both relocation models. The rest varies along, so that explicit
/// traps, unoptimised code and stacks that are just enough meet the whole specification too.
pub const ALL: [Configuration; 4] = [
    Configuration {
        name: "guard, direct",
        bounds_checks: BoundsChecks::Guard,
        relocation_model: RelocationModel::Direct,
        target: None,
        trap_mode: TrapMode::Signals,
        opt_level: OptLevel::None,
        stacks: Stacks::Bounded,
    },
    Configuration {
        name: "guard, xip",
        bounds_checks: BoundsChecks::Guard,
        relocation_model: RelocationModel::Xip,
        target: None,
        trap_mode: TrapMode::Signals,
        opt_level: OptLevel::Speed,
        stacks: Stacks::Caller,
    },
    Configuration {
        name: "explicit, direct",
        bounds_checks: BoundsChecks::Explicit,
        relocation_model: RelocationModel::Direct,
        target: None,
        trap_mode: TrapMode::Signals,
        opt_level: OptLevel::Speed,
        stacks: Stacks::Caller,
    },
    Configuration {
        name: "explicit, xip",
        bounds_checks: BoundsChecks::Explicit,
        relocation_model: RelocationModel::Xip,
        target: None,
        trap_mode: TrapMode::Explicit,
        opt_level: OptLevel::Speed,
        stacks: Stacks::Bounded,
    },
];

/// Whether there is code that this machine itself runs.
pub const HAS_NATIVE_CODE: bool = cfg!(target_pointer_width = "64");

/// Fast code that runs where it lies: the machine's, or else bytecode.
pub const FAST: Configuration = if HAS_NATIVE_CODE { ALL[1] } else { BYTECODE };

/// Code that needs no signals and no guard pages: the machine's, or else bytecode.
pub const EXPLICIT: Configuration = if HAS_NATIVE_CODE {
    ALL[3]
} else {
    BYTECODE_EXPLICIT
};

/// Bytecode, which the loader interprets. Its traps need no signals, and its memories are compared.
pub const BYTECODE: Configuration = Configuration {
    name: "bytecode",
    bounds_checks: BoundsChecks::Explicit,
    relocation_model: RelocationModel::Xip,
    target: Some(
        match (size_of::<usize>() == 4, cfg!(target_endian = "big")) {
            (true, false) => "pulley32",
            (false, false) => "pulley64",
            (true, true) => "pulley32be",
            (false, true) => "pulley64be",
        },
    ),
    trap_mode: TrapMode::Signals,
    opt_level: OptLevel::Speed,
    stacks: Stacks::Caller,
};

/// Bytecode with all that differs: every trap is a call, nothing is optimised, and stacks are just
/// enough.
pub const BYTECODE_EXPLICIT: Configuration = Configuration {
    name: "bytecode, explicit traps",
    trap_mode: TrapMode::Explicit,
    opt_level: OptLevel::None,
    stacks: Stacks::Bounded,
    ..BYTECODE
};

/// All configurations that this machine has, bytecode included.
pub fn with_bytecode() -> impl Iterator<Item = &'static Configuration> {
    let native = ALL.iter().filter(|_| HAS_NATIVE_CODE);
    native.chain([&BYTECODE, &BYTECODE_EXPLICIT])
}

/// What makes frames as large as the compiler takes them.
#[derive(Clone, Copy, Debug)]
pub struct LargestFrames {
    /// Parameters of a function. The specification's limit for embedders is 1,000.
    pub parameters: usize,
    /// Vectors that are kept over a call.
    pub vectors: usize,
}

impl LargestFrames {
    /// Those under these options: some are refused where pages are all that guards the stack. On RISC-V
    /// these are large frames, on s390x calls with many arguments.
    pub fn new(options: &Options) -> LargestFrames {
        let is_guarded = options.stack_checks == StackChecks::Guard;
        let (parameters, vectors) = match is_guarded {
            true if cfg!(target_arch = "riscv64") => (250, 450),
            true if cfg!(target_arch = "s390x") => (200, 4400),
            _ => (1000, 4400),
        };
        LargestFrames {
            parameters,
            vectors,
        }
    }
}

impl Configuration {
    /// The same as flags of `precast wast`, for code that is made for another machine.
    pub fn flags(&self) -> Vec<&'static str> {
        let opt_level = match self.opt_level {
            OptLevel::None => "none",
            OptLevel::Speed => "speed",
            OptLevel::Size => "size",
        };
        vec![
            "--bounds-checks",
            self.bounds_checks.name(),
            "--relocations",
            self.relocation_model.name(),
            "--traps",
            self.trap_mode.name(),
            "--opt-level",
            opt_level,
            "--jobs",
            "1",
        ]
    }

    /// The compiler's options. Scripts have small modules, so one thread is enough.
    pub fn options(&self) -> Options {
        let target = self.target.map_or_else(Target::host, Target::new);
        let mut target = target.expect("tests run on a machine that code can be made for");
        // Without vectors there is no SIMD, which some tests are about.
        if cfg!(target_arch = "riscv64") && self.target.is_none() {
            let changed = target.change_features("+v");
            changed.expect("it is a feature of the instruction set");
        }
        let mut options = Options::new(target);
        options.bounds_checks = self.bounds_checks;
        options.relocation_model = self.relocation_model;
        options.trap_mode = self.trap_mode;
        options.opt_level = self.opt_level;
        options.threads = Some(1);
        options
    }
}
