//! What looking for stack costs: each program with `--stack-checks explicit` and with `none`.
//!
//! Times of both are taken in turns. Where valgrind is there, instructions are counted beside them:
//! they do not depend on what else the machine does.

use super::corpus::Program;
use super::measure::{self, median};
use super::report::Table;
use super::runtimes::Runtime;
use crate::Outcome;
use std::path::Path;
use std::process::{Command, Stdio};

/// Both ways to compile, the one that is judged first.
const WAYS: [&str; 2] = ["explicit", "none"];

/// The ratios of one program, explicit to none.
struct Row {
    name: String,
    time: f64,
    instructions: Option<f64>,
}

/// Measures all programs and renders the table.
pub fn measure(
    programs: &[Program],
    folder: &Path,
    precast: &Path,
    scratch: &Path,
    runs: usize,
) -> Outcome<String> {
    let counts = has_valgrind();
    let rows = programs
        .iter()
        .map(|program| {
            eprintln!("{}", program.name);
            row(program, folder, precast, scratch, runs, counts)
        })
        .collect::<Outcome<Vec<Row>>>()?;
    Ok(render(&rows))
}

fn row(
    program: &Program,
    folder: &Path,
    precast: &Path,
    scratch: &Path,
    runs: usize,
    counts: bool,
) -> Outcome<Row> {
    let wasm = folder.join(&program.wasm);
    let mut runtimes = Vec::new();
    for way in WAYS {
        let runtime = Runtime::precast(precast, &["--stack-checks", way]);
        let out = scratch.join(format!("{}.stack-checks-{way}", program.name));
        if let Some(command) = runtime.compile(&wasm, &out) {
            measure::compile(command)?;
        }
        runtimes.push((runtime, out));
    }
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        for ((runtime, out), times) in runtimes.iter().zip(&mut times) {
            let command = runtime.run(&wasm, out, &program.dirs, &program.args);
            let (usage, output) = measure::run(command, folder, scratch)?;
            program.check(&output, usage.exit)?;
            times.push(usage.cpu);
        }
    }
    let mut instructions = Vec::new();
    for (runtime, out) in runtimes.iter().filter(|_| counts) {
        let command = runtime.run(&wasm, out, &program.dirs, &program.args);
        instructions.push(count(&command, folder)?);
    }
    let [explicit, none] = times.map(|times| median(&times).as_secs_f64());
    Ok(Row {
        name: program.name.clone(),
        time: explicit / none,
        instructions: match instructions[..] {
            [explicit, none] => Some(explicit as f64 / none as f64),
            _ => None,
        },
    })
}

fn has_valgrind() -> bool {
    let mut command = Command::new("valgrind");
    let version = command.arg("--version").stdout(Stdio::null()).status();
    let found = version.is_ok_and(|status| status.success());
    if !found {
        eprintln!("valgrind is not there: no instructions are counted");
    }
    found
}

/// How many instructions a command executes.
fn count(command: &Command, folder: &Path) -> Outcome<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=cachegrind", "--cache-sim=no"])
        .arg("--cachegrind-out-file=/dev/null")
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let output = valgrind.output().map_err(|error| error.to_string())?;
    let report = String::from_utf8_lossy(&output.stderr);
    let line = report.lines().rev().find(|line| line.contains("refs:"));
    let digits: String = line
        .and_then(|line| line.rsplit_once("refs:"))
        .map_or("", |(_, number)| number)
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    digits
        .parse()
        .map_err(|_| format!("valgrind counts nothing: {report}"))
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.row(["explicit to none", "time", "instructions"].map(String::from));
    let figure = |ratio: Option<f64>| ratio.map_or("–".into(), |ratio| format!("{ratio:.4}"));
    for row in rows {
        table.row([
            row.name.clone(),
            figure(Some(row.time)),
            figure(row.instructions),
        ]);
    }
    let instructions: Option<Vec<f64>> = rows.iter().map(|row| row.instructions).collect();
    table.row([
        "geometric mean".into(),
        figure(mean(rows.iter().map(|row| row.time))),
        figure(instructions.and_then(|ratios| mean(ratios.into_iter()))),
    ]);
    table.render()
}

/// The geometric mean.
fn mean(ratios: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = ratios.len();
    (count > 0).then(|| (ratios.map(f64::ln).sum::<f64>() / count as f64).exp())
}
