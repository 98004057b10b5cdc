//! What an exception costs that is caught ten frames up: a program that throws a million, against the
//! same program that returns from the same calls. Whole processes, so that the difference is the
//! exceptions' alone.

use super::measure::{self, Usage};
use super::report::Table;
use super::runtimes::Runtime;
use crate::{Outcome, cargo};
use std::fs;
use std::path::Path;

/// How many exceptions the program throws.
const THROWS: u32 = 1_000_000;

/// The program's variants: a name, and what is replaced by what.
const VARIANTS: [(&str, &[(&str, &str)]); 3] = [
    ("returned", &[("(call $throw", "(call $return")]),
    ("caught", &[]),
    (
        "caught by reference",
        &[("(call $catch ", "(call $catch_ref ")],
    ),
];

/// Measures the runtimes that compile ahead of time, and renders the table.
pub fn measure(runtimes: &[Runtime], scratch: &Path, runs: usize) -> Outcome<String> {
    let program = cargo::root()?.join("xtask/src/bench/throw.wat");
    let text = fs::read_to_string(&program).map_err(|error| error.to_string())?;
    let mut commands = Vec::new();
    for (variant, (_, changes)) in VARIANTS.iter().enumerate() {
        let mut text = text.clone();
        for (old, new) in changes.iter() {
            text = text.replace(old, new);
        }
        let wasm = scratch.join(format!("throw-{variant}.wat"));
        fs::write(&wasm, text).map_err(|error| format!("{}: {error}", wasm.display()))?;
        for (index, runtime) in runtimes.iter().enumerate() {
            let out = scratch.join(format!("throw-{variant}.{}", runtime.name));
            if let Some(command) = runtime.compile(&wasm, &out) {
                measure::compile(command)?;
                commands.push((index, variant, wasm.clone(), out));
            }
        }
    }
    let mut usages = vec![vec![Vec::new(); VARIANTS.len()]; runtimes.len()];
    for _ in 0..runs {
        for (index, variant, wasm, out) in &commands {
            let command = runtimes[*index].run(wasm, out, &[], &[]);
            let (usage, _) = measure::run(command, scratch, scratch)?;
            if usage.exit != Some(0) {
                return Err(format!("{} failed", runtimes[*index].name));
            }
            usages[*index][*variant].push(usage);
        }
    }
    Ok(render(runtimes, &usages))
}

/// Renders the table.
fn render(runtimes: &[Runtime], usages: &[Vec<Vec<Usage>>]) -> String {
    let mut table = Table::new();
    let heads = [
        "ns of CPU time",
        "call and return",
        "throw, catch",
        "throw, catch_ref",
    ];
    table.row(heads.map(String::from));
    for (runtime, usages) in runtimes.iter().zip(usages) {
        let each = |variant: usize| Usage::median(&usages[variant]).cpu.as_nanos() as f64;
        let throws = f64::from(THROWS);
        let above = |variant: usize| format!("{:.0}", (each(variant) - each(0)) / throws);
        let calls = format!("{:.0}", each(0) / throws);
        table.row([runtime.name.clone(), calls, above(1), above(2)]);
    }
    format!(
        "A million exceptions, each caught ten frames up, less what the calls take; medians.\n\n{}",
        table.render()
    )
}
