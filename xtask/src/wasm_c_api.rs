//! `cargo xtask wasm-c-api`: the example programs of the standard C API, unchanged, on this library.
//!
//! They are not part of this repository: the command takes a folder that has them. Each program opens the
//! module that is named as it is; the artifact that the compiler makes of the module stands there instead.
//! Programs check their own results and end with zero if these are right, so that is what is looked at,
//! beside the time, which has a limit.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;

use crate::{Outcome, cargo};

/// Where the examples come from.
const ORIGIN: &str = "there is no folder with examples: get a copy of the repository wasm-c-api of the \
                      WebAssembly organisation, and pass its folder `example` with --examples";

/// No program takes longer.
const LIMIT: Duration = Duration::from_secs(180);

/// Arguments of `cargo xtask wasm-c-api`.
#[derive(Args)]
pub struct ExampleArguments {
    /// The folder with the programs and their modules.
    #[arg(long, value_name = "FOLDER")]
    examples: Option<PathBuf>,
    /// The C compiler.
    #[arg(long, value_name = "COMMAND", default_value = "cc")]
    compiler: String,
    /// Builds with the checks of memory and arithmetic that the compiler has.
    #[arg(long)]
    sanitize: bool,
}

/// How an example went.
enum Ended {
    Passed,
    Failed(String),
    Skipped(&'static str),
}

/// What has been built.
struct Tools {
    precast: PathBuf,
    library: PathBuf,
    include: PathBuf,
    /// A folder for each program is made there.
    scratch: PathBuf,
}

/// Runs the command.
pub fn run(arguments: &ExampleArguments) -> Outcome {
    let Some(folder) = &arguments.examples else {
        println!("skipped: {ORIGIN}");
        return Ok(());
    };
    let programs = programs(folder)?;
    if programs.is_empty() {
        return Err(ORIGIN.into());
    }
    cargo::run(&["build", "--package", "precast-capi"])?;
    cargo::run(&["build", "--package", "precast-cli", "--bin", "precast"])?;
    let target = cargo::target_directory()?;
    let tools = Tools {
        precast: target.join("debug/precast"),
        library: target.join("debug/libprecast.a"),
        include: cargo::root()?.join("capi/include"),
        scratch: target.join("wasm-c-api"),
    };
    let mut failed = 0;
    println!("| example | result |\n|---|---|");
    for program in &programs {
        let name = program.file_stem().unwrap_or_default().to_string_lossy();
        let ended = example(&tools, arguments, program, &name).unwrap_or_else(Ended::Failed);
        match ended {
            Ended::Passed => println!("| `{name}` | passed |"),
            Ended::Skipped(reason) => println!("| `{name}` | skipped: {reason} |"),
            Ended::Failed(reason) => {
                failed += 1;
                println!("| `{name}` | failed: {reason} |");
            }
        }
    }
    match failed {
        0 => Ok(()),
        _ => Err(format!("{failed} of {} examples failed", programs.len())),
    }
}

/// The programs in C of a folder.
fn programs(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut programs: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "c"))
        .collect();
    programs.sort();
    Ok(programs)
}

/// Compiles an example and its module, and runs it.
fn example(
    tools: &Tools,
    arguments: &ExampleArguments,
    program: &Path,
    name: &str,
) -> Outcome<Ended> {
    let modules = ["wat", "wasm"].map(|extension| program.with_extension(extension));
    let Some(module) = modules.iter().find(|path| path.is_file()) else {
        return Ok(Ended::Skipped("there is no module of this name"));
    };
    let folder = tools.scratch.join(name);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut compile = Command::new(&tools.precast);
    compile
        .args(["compile", "--quiet", "--host-references"])
        .arg(module)
        .arg("-o")
        .arg(folder.join(format!("{name}.wasm")));
    if let Err(message) = succeed(compile) {
        return Ok(Ended::Failed(format!("the module: {message}")));
    }
    let executable = folder.join(name);
    let mut compile = Command::new(&arguments.compiler);
    compile
        .arg("-I")
        .arg(&tools.include)
        .arg(program)
        .arg(&tools.library);
    compile.args(["-lpthread", "-ldl", "-lm", "-g", "-o"]);
    compile.arg(&executable);
    if arguments.sanitize {
        compile.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
    }
    if let Err(message) = succeed(compile) {
        return Ok(Ended::Failed(format!("the program: {message}")));
    }
    let (output, complaints) = (folder.join("output"), folder.join("complaints"));
    let child = Command::new(&executable)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(create(&output)?)
        .stderr(create(&complaints)?)
        .spawn();
    let child = child.map_err(|error| format!("it does not start: {error}"))?;
    Ok(match wait(child)? {
        None => Ended::Failed(format!("it takes longer than {} s", LIMIT.as_secs())),
        Some(status) if status.success() => Ended::Passed,
        Some(status) => {
            let said = [last_line(&output), last_line(&complaints)].join(" ");
            Ended::Failed(format!("{status}; {}", said.trim()))
        }
    })
}

/// Waits for a process, for as long as the limit allows; none if it had to be ended.
fn wait(mut child: Child) -> Outcome<Option<std::process::ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // It may have ended by itself meanwhile.
    let _ = child.kill();
    child.wait().map_err(|error| error.to_string())?;
    Ok(None)
}

/// Runs a command to its end; the error is the first line of what it complains of.
fn succeed(mut command: Command) -> Outcome {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let complaints = String::from_utf8_lossy(&output.stderr);
    let telling = complaints.lines().find(|line| line.contains("error"));
    let line = telling.or(complaints.lines().next());
    Err(line.unwrap_or("it fails without a word").to_owned())
}

fn create(path: &Path) -> Outcome<fs::File> {
    fs::File::create(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn last_line(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    text.lines().last().unwrap_or_default().to_owned()
}
