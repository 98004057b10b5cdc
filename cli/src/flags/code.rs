//! How code is made: optimisation, checks, and the form of the artifact.

use super::size;
use super::target::TargetFlags;
use crate::Outcome;
use crate::failure::Failure;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use precast_compiler::{ContextRegister, OptLevel, Options, WasmVersion};
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode};

/// The arguments of everything that compiles.
#[derive(Args)]
pub struct CodeFlags {
    #[command(flatten)]
    target: TargetFlags,
    #[command(flatten)]
    checks: CheckFlags,
    #[command(flatten)]
    form: FormFlags,
}

#[derive(Args)]
#[command(next_help_heading = "Code")]
struct CheckFlags {
    /// What the code is optimised for.
    #[arg(short = 'O', long, value_enum, default_value_t = Level::Speed, value_name = "LEVEL")]
    opt_level: Level,
    /// Which WebAssembly is accepted.
    #[arg(long, value_enum, default_value_t = Version::Latest, value_name = "VERSION")]
    wasm: Version,
    /// How memory accesses stay in bounds. `none` is for trusted code only. The default is `guard`
    /// where the target has an operating system, else `explicit`.
    #[arg(long, value_name = "HOW", value_parser = one_of(BoundsChecks::ALL, BoundsChecks::name))]
    bounds_checks: Option<BoundsChecks>,
    /// How overflow of the call stack is noticed. `none` is for trusted code only. The default is
    /// `explicit`.
    #[arg(long, value_name = "HOW", value_parser = one_of(StackChecks::ALL, StackChecks::name))]
    stack_checks: Option<StackChecks>,
    /// The same as a number: 1 for `explicit`, 0 for `none`.
    #[arg(
        long,
        value_name = "0|1",
        conflicts_with = "stack_checks",
        hide_short_help = true
    )]
    #[arg(value_parser = stack_checks_by_number)]
    stack_bounds_checks: Option<StackChecks>,
    /// Refuse a module of which an export or the start function cannot be proved to fit in a native
    /// stack of this size; `precast stack` shows what they take.
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    max_stack: Option<u64>,
    /// Whether the pointer of the C stack in linear memory is checked, where the compiler knows the
    /// stack's bounds.
    #[arg(long, value_enum, default_value_t = Switch::On, value_name = "SWITCH")]
    aux_stack_checks: Switch,
    /// Whether code looks at the start of functions and loops whether the host wants it to stop. The
    /// default is 1 for modules with a shared memory, else 0.
    #[arg(long, value_name = "0|1", value_parser = number_as_bool)]
    interrupt_checks: Option<bool>,
    /// How traps are raised. The default is `signals` where the target has an operating system,
    /// else `explicit`.
    #[arg(long, value_name = "HOW", value_parser = one_of(TrapMode::ALL, TrapMode::name))]
    traps: Option<TrapMode>,
    /// Make every NaN that arithmetic produces the canonical one.
    #[arg(long)]
    canonical_nans: bool,
    /// Mask explicitly checked accesses against speculation (Spectre variant 1); about 30 % slower.
    #[arg(long)]
    spectre_guard: bool,
    /// Where code holds the instance context: for developers. The default is what measured best.
    #[arg(long, value_enum, value_name = "WHERE", hide_short_help = true)]
    context_register: Option<Register>,
    /// Verify the intermediate representation: for developers.
    #[arg(long, hide_short_help = true)]
    verify: bool,
}

#[derive(Args)]
#[command(next_help_heading = "Artifact")]
struct FormFlags {
    /// How code refers to the loader: patched into a private copy, or executed in place.
    #[arg(long, value_name = "HOW", value_parser = one_of(RelocationModel::ALL, RelocationModel::name))]
    relocations: Option<RelocationModel>,
    /// Execution in place; short for `--relocations xip`.
    #[arg(long, conflicts_with = "relocations")]
    xip: bool,
    /// The page size that code and memory images are aligned to; 1 packs them.
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    page_size: Option<u64>,
    /// Cut the memory to what the program needs, the bytes below `__heap_base`. The module must
    /// export `__heap_base` and `__data_end`, and contain neither `memory.grow` nor `memory.size`.
    #[arg(long)]
    shrink_memory: bool,
    /// Address space that a guarded memory reserves.
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    memory_reservation: Option<u64>,
    /// Inaccessible address space after the reservation.
    #[arg(long, value_name = "BYTES", value_parser = size::parse)]
    memory_guard: Option<u64>,
    /// Leave out what a device does not need: function names, call sites, custom sections, stack
    /// depths of functions.
    #[arg(long)]
    strip: bool,
    /// Threads to compile with; the result does not depend on it. The default is one per core.
    #[arg(short = 'j', long, value_name = "COUNT")]
    jobs: Option<usize>,
}

/// What to optimise for, on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Level {
    /// Nothing: the fastest compilation.
    None,
    /// The fastest code.
    Speed,
    /// Small and fast code.
    Size,
}

/// Something that is done or not.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Done.
    On,
    /// Not done.
    Off,
}

/// Where the context is, on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Register {
    /// A register that holds nothing else.
    Pinned,
    /// The first parameter of every function.
    Parameter,
}

/// Versions of WebAssembly, on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Version {
    /// WebAssembly 1.0.
    #[value(name = "1")]
    V1,
    /// WebAssembly 1.0 with bulk memory operations, shared memories and atomic instructions: what the
    /// proposal for threads was written for.
    #[value(hide = true)]
    Threads,
    /// WebAssembly 2.0.
    #[value(name = "2")]
    V2,
    /// All that is implemented.
    Latest,
}

impl CodeFlags {
    /// The compiler's options for a module that is to live in a pool: accesses to memory are
    /// compared, unless the command line says otherwise.
    pub fn options_for_pool(&self) -> Outcome<Options> {
        let mut options = self.options()?;
        if self.checks.bounds_checks.is_none() {
            options.bounds_checks = BoundsChecks::Explicit;
        }
        Ok(options)
    }

    /// The compiler's options.
    pub fn options(&self) -> Outcome<Options> {
        let (checks, form) = (&self.checks, &self.form);
        let mut options = Options::new(self.target.target()?);
        options.opt_level = match checks.opt_level {
            Level::None => OptLevel::None,
            Level::Speed => OptLevel::Speed,
            Level::Size => OptLevel::Size,
        };
        options.wasm = match checks.wasm {
            Version::V1 => WasmVersion::V1,
            Version::Threads => WasmVersion::Threads,
            Version::V2 => WasmVersion::V2,
            Version::Latest => WasmVersion::Latest,
        };
        set(&mut options.bounds_checks, checks.bounds_checks);
        set(&mut options.stack_checks, checks.stack_checks);
        set(&mut options.stack_checks, checks.stack_bounds_checks);
        options.max_stack = checks.max_stack;
        options.aux_stack_checks = checks.aux_stack_checks == Switch::On;
        options.interrupt_checks = checks.interrupt_checks;
        set(&mut options.trap_mode, checks.traps);
        set(&mut options.relocation_model, form.relocations);
        if form.xip {
            options.relocation_model = RelocationModel::Xip;
        }
        options.shrink_memory = form.shrink_memory;
        set(&mut options.memory_reservation, form.memory_reservation);
        set(&mut options.memory_guard, form.memory_guard);
        if let Some(bytes) = form.page_size {
            if !bytes.is_power_of_two() {
                return Err(Failure::usage("--page-size is not a power of two"));
            }
            options.page_size_log2 = Some(bytes.trailing_zeros() as u8);
        }
        options.canonicalize_nans = checks.canonical_nans;
        options.heap_spectre_guard = checks.spectre_guard;
        options.context_register = checks.context_register.map(|register| match register {
            Register::Pinned => ContextRegister::Pinned,
            Register::Parameter => ContextRegister::Parameter,
        });
        options.verify |= checks.verify;
        options.threads = form.jobs;
        if form.strip {
            options.names = false;
            options.call_sites = false;
            options.function_depths = false;
            options.custom_sections = false;
        }
        Ok(options)
    }
}

fn set<T>(field: &mut T, chosen: Option<T>) {
    if let Some(value) = chosen {
        *field = value;
    }
}

/// The values of flags that are a number.
fn number_as_bool(text: &str) -> Result<bool, &'static str> {
    match text {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err("the value is 1 or 0"),
    }
}

/// The values of `--stack-bounds-checks`.
fn stack_checks_by_number(text: &str) -> Result<StackChecks, &'static str> {
    match text {
        "1" => Ok(StackChecks::Explicit),
        "0" => Ok(StackChecks::None),
        _ => Err("the value is 1 or 0"),
    }
}

/// A parser for the values of an enumeration, by their names.
fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|value| name(*value))).try_map(move |text| {
        all.iter()
            .copied()
            .find(|value| name(*value) == text)
            .ok_or("no such value")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// A command with nothing but these arguments.
    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        code: CodeFlags,
    }

    fn stack_checks(arguments: &[&str]) -> Option<StackChecks> {
        let line = ["precast"].iter().chain(arguments);
        let line = Line::try_parse_from(line).ok()?;
        Some(line.code.options().ok()?.stack_checks)
    }

    #[test]
    fn interrupt_checks_are_the_compiler_s_choice_or_a_number() {
        let interrupt_checks = |arguments: &[&str]| {
            let line = ["precast"].iter().chain(arguments);
            let line = Line::try_parse_from(line).ok()?;
            Some(line.code.options().ok()?.interrupt_checks)
        };
        assert_eq!(interrupt_checks(&[]), Some(None));
        assert_eq!(
            interrupt_checks(&["--interrupt-checks=0"]),
            Some(Some(false))
        );
        assert_eq!(
            interrupt_checks(&["--interrupt-checks", "1"]),
            Some(Some(true))
        );
        assert_eq!(interrupt_checks(&["--interrupt-checks=2"]), None);
    }

    #[test]
    fn stack_checks_have_names_and_numbers() {
        for (arguments, checks) in [
            (&[][..], Some(StackChecks::Explicit)),
            (&["--stack-checks", "explicit"], Some(StackChecks::Explicit)),
            (&["--stack-checks=guard"], Some(StackChecks::Guard)),
            (&["--stack-checks=none"], Some(StackChecks::None)),
            (&["--stack-bounds-checks=1"], Some(StackChecks::Explicit)),
            (&["--stack-bounds-checks", "0"], Some(StackChecks::None)),
            (&["--stack-bounds-checks=2"], None),
            (&["--stack-checks=none", "--stack-bounds-checks=1"], None),
        ] {
            assert_eq!(stack_checks(arguments), checks, "{arguments:?}");
        }
    }
}
