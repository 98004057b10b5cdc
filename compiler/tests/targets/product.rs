//! Every target with every choice of the options and every kind of instruction: it compiles, or the
//! refusal names what is missing and what to do. The code generator panics at what a target lacks, so
//! nothing may get there that it has no code for.

use std::panic::{AssertUnwindSafe, catch_unwind};

use precast_compiler::{
    CompileError, Compiled, ContextRegister, ErrorKind, KNOWN, OptLevel, Options, Silent, Support,
    Target, Tested, compile,
};
use precast_format::target::CpuFeatures;
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode};

use super::modules::{self, Sample};

/// Compiles; a panic or a defect is a failure of the test, with what was compiled.
fn attempt(sample: &Sample, options: &Options, what: &str) -> Result<Compiled, CompileError> {
    let wasm = wat::parse_str(sample.text).expect("valid text");
    let outcome = catch_unwind(AssertUnwindSafe(|| compile(&wasm, options, &Silent)));
    let what = format!("{}, {}, {what}", options.target.triple(), sample.name);
    let outcome = outcome.unwrap_or_else(|_| panic!("the compiler panicked: {what}"));
    if let Err(error) = &outcome {
        assert!(
            matches!(error.kind, ErrorKind::Unsupported | ErrorKind::Options),
            "{what}: {error}"
        );
    }
    outcome
}

/// A CPU feature or a reason that the refusal of a module has to name; `None` where it compiles.
fn missing(sample: &Sample, target: &Target) -> Option<&'static str> {
    let support = match sample.name {
        "SIMD" | "vectors as parameters" => target.simd(),
        "atomics" => target.threads(),
        _ => return None,
    };
    match support {
        Support::Yes => None,
        Support::WithFeature(feature) => (!target.has_feature(feature)).then_some(feature),
        Support::No(reason) => Some(reason),
    }
}

/// Compiles, and holds the outcome to what the target says of itself.
fn check(sample: &Sample, options: &Options, what: &str) {
    let outcome = attempt(sample, options, what);
    let target = &options.target;
    let guarded =
        options.bounds_checks == BoundsChecks::Guard || options.stack_checks == StackChecks::Guard;
    let interrupted = options.interrupt_checks == Some(true);
    if target.is_bytecode() && (guarded || interrupted || options.heap_spectre_guard) {
        let error = outcome.expect_err("bytecode has no such code").to_string();
        assert!(
            error.contains("use ") || missing(sample, target).is_some(),
            "{error}"
        );
        return;
    }
    let what = format!("{}, {}, {what}", target.triple(), sample.name);
    match (missing(sample, target), outcome) {
        (None, outcome) => assert!(outcome.is_ok(), "{what}: {:?}", outcome.err()),
        (Some(missing), Ok(_)) => panic!("{what}: {missing}, and yet it compiles"),
        (Some(missing), Err(error)) => {
            let message = error.to_string();
            assert!(message.contains(missing), "{what}: {message}");
            let remedy = message.contains("compile with --cpu-features +")
                || message.contains("choose another target");
            assert!(remedy, "{what}: {message}");
        }
    }
}

/// Targets whose code differs from that of the others.
fn targets() -> impl Iterator<Item = &'static str> {
    let own = |tested| !matches!(tested, Tested::SameBytes(_));
    let known = KNOWN.iter().filter(move |known| own(known.tested));
    known.map(|known| known.triple)
}

/// All bounds checks with all stack checks and all ways to trap, for all modules; what else there is
/// to choose changes from one to the next.
#[test]
fn every_combination_compiles_or_is_refused_by_name() {
    let levels = [OptLevel::None, OptLevel::Speed, OptLevel::Size];
    let registers = [ContextRegister::Pinned, ContextRegister::Parameter];
    let mut count = 0_usize;
    for name in targets() {
        for sample in modules::ALL {
            for bounds_checks in BoundsChecks::ALL {
                for stack_checks in StackChecks::ALL {
                    for trap_mode in TrapMode::ALL {
                        // No number here divides another, so that all meet all others.
                        count += 1;
                        let mut options = Options::new(Target::new(name).expect("a known name"));
                        options.bounds_checks = *bounds_checks;
                        options.stack_checks = *stack_checks;
                        options.trap_mode = *trap_mode;
                        options.relocation_model =
                            RelocationModel::ALL[count / 7 % RelocationModel::ALL.len()];
                        options.opt_level = levels[count % 3];
                        options.context_register = Some(registers[count / 5 % 2]);
                        options.heap_spectre_guard = count.is_multiple_of(11);
                        options.canonicalize_nans = count.is_multiple_of(13);
                        options.call_profile = count.is_multiple_of(17);
                        options.interrupt_checks = count.is_multiple_of(19).then_some(true);
                        options.threads = Some(1);
                        let what = format!(
                            "{bounds_checks:?} {stack_checks:?} {trap_mode:?} {:?} {:?} {:?}",
                            options.relocation_model, options.opt_level, options.context_register
                        );
                        check(sample, &options, &what);
                    }
                }
            }
        }
    }
}

#[test]
fn defaults_need_no_flags() {
    for known in KNOWN {
        for sample in modules::ALL {
            let mut options = Options::new(Target::new(known.triple).expect("a known name"));
            options.threads = Some(1);
            check(sample, &options, "defaults");
        }
    }
}

/// Modules whose code depends on what a CPU has.
const SENSITIVE: &[&str] = &["integers and memory", "floats", "SIMD", "atomics"];

#[test]
fn every_cpu_has_code() {
    for name in targets() {
        let target = Target::new(name).expect("a known name");
        let cpus: Vec<_> = target.cpus().collect();
        for (cpu, features) in cpus {
            let mut target = target.clone();
            target.set_cpu(cpu).expect("a listed CPU");
            assert_eq!(
                target.features().names(target.isa()).count(),
                features.len()
            );
            let mut options = Options::new(target);
            options.threads = Some(1);
            for sample in SENSITIVE {
                check(modules::named(sample), &options, cpu);
            }
        }
    }
}

#[test]
fn every_feature_can_be_added_and_left_out() {
    for name in ["x86_64", "aarch64", "riscv64", "s390x"] {
        let target = Target::new(name).expect("a known name");
        let isa = target.isa();
        let mut all = target.clone();
        all.change_features(&format!("+{}", isa.features().join(",+")))
            .expect("features of the list");
        let bits = isa.features().len();
        assert_eq!(all.features(), CpuFeatures((1 << bits) - 1));
        for feature in isa.features() {
            for (sign, from) in [("+", &target), ("-", &all)] {
                let mut target = from.clone();
                let change = format!("{sign}{feature}");
                if let Err(error) = target.change_features(&change) {
                    // The code generator cannot do without.
                    assert_eq!((&error.kind, sign), (&ErrorKind::Options, "-"));
                    assert!(error.message.contains("cannot be removed"), "{error}");
                    assert!(["riscv64", "s390x"].contains(&isa.name()));
                    continue;
                }
                let mut options = Options::new(target);
                options.threads = Some(1);
                for sample in SENSITIVE {
                    check(modules::named(sample), &options, &change);
                }
            }
        }
    }
}
