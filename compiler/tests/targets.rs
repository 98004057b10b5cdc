//! Every target with every choice of the options and every kind of instruction: it compiles, or the
//! refusal names what is missing and what to do. The code generator panics at what a target lacks, so
//! nothing may get there that it has no code for.

#[path = "targets/modules.rs"]
mod modules;

use std::panic::{AssertUnwindSafe, catch_unwind};

use modules::Sample;
use precast_compiler::{
    CompileError, Compiled, ContextRegister, ErrorKind, OptLevel, Options, Silent, Target, compile,
};
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode};

/// Compiles; a panic is a failure of the test, with what was compiled.
fn attempt(wasm: &[u8], options: &Options, what: &str) -> Result<Compiled, CompileError> {
    let outcome = catch_unwind(AssertUnwindSafe(|| compile(wasm, options, &Silent)));
    outcome.unwrap_or_else(|_| panic!("the compiler panicked: {what}"))
}

const TARGETS: &[&str] = &[
    "x86_64",
    "aarch64",
    "riscv64",
    "s390x",
    "pulley32",
    "pulley64",
    "x86_64-unknown-none",
    "aarch64-unknown-none",
    "riscv64gc-unknown-none-elf",
    "x86_64-pc-windows-msvc",
    "aarch64-pc-windows-msvc",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

#[test]
fn explore() {
    std::panic::set_hook(Box::new(|_| {}));
    let mut seen = std::collections::BTreeMap::<String, (u32, String)>::new();
    for target in TARGETS {
        for sample in modules::ALL {
            let wasm =
                wat::parse_str(sample.text).unwrap_or_else(|e| panic!("{}: {e}", sample.name));
            for bounds in BoundsChecks::ALL {
                for stack in StackChecks::ALL {
                    for trap in TrapMode::ALL {
                        for reloc in RelocationModel::ALL {
                            for opt in [OptLevel::None, OptLevel::Speed] {
                                let mut options = Options::new(Target::new(target).unwrap());
                                options.bounds_checks = *bounds;
                                options.stack_checks = *stack;
                                options.trap_mode = *trap;
                                options.relocation_model = *reloc;
                                options.opt_level = opt;
                                options.threads = Some(1);
                                let what =
                                    format!("{bounds:?} {stack:?} {trap:?} {reloc:?} {opt:?}");
                                let r = catch_unwind(AssertUnwindSafe(|| {
                                    compile(&wasm, &options, &Silent)
                                }));
                                let text = match r {
                                    Ok(Ok(_)) => "ok".to_owned(),
                                    Ok(Err(e)) => {
                                        let mut s = e.to_string();
                                        s.truncate(300);
                                        s
                                    }
                                    Err(_) => "PANIC".to_owned(),
                                };
                                let e = seen
                                    .entry(format!("{target} / {} / {text}", sample.name))
                                    .or_insert((0, what));
                                e.0 += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    for (k, (n, w)) in seen {
        if !k.ends_with("/ ok") || n != 72 {
            println!("{n:3} {k}   [{w}]");
        }
    }
}
