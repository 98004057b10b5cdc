//! `precast compile`: a module becomes an artifact, or one of the steps on the way there.

use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::flags::size;
use crate::input::{self, Purpose};
use crate::module::Module;
use crate::progress::Bar;
use crate::wast::CompiledNow;
use crate::{Outcome, output, place, report};
use clap::{Args, ValueEnum};
use precast_compiler::emit::{self, FunctionFilter};
use precast_compiler::{CompileError, Compiled, Options};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Arguments of `precast compile`.
#[derive(Args)]
pub struct CompileArguments {
    /// The module, binary or text; `-` is standard input.
    input: PathBuf,
    /// Where the result goes; `-` is standard output. The default is the input's name with another
    /// extension for artifacts, and standard output for listings.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = Emit::Artifact, value_name = "WHAT")]
    emit: Emit,
    /// For listings: only functions whose name contains this, or whose index it is.
    #[arg(long, value_name = "TEXT")]
    function: Option<String>,
    /// Let the code count the calls of each function, and the time in it, for `precast run
    /// --call-profile`. It becomes slower.
    #[arg(long)]
    call_profile: bool,
    /// Print the summary as JSON on standard output.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print no summary and no progress.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    code: CodeFlags,
}

/// What `precast compile` can write.
#[derive(Clone, Copy, ValueEnum)]
enum Emit {
    /// The artifact.
    Artifact,
    /// The code generator's intermediate representation, before optimisation.
    Clif,
    /// A disassembly of the compiled code.
    Asm,
}

/// Runs the subcommand.
pub fn run(arguments: &CompileArguments) -> Outcome {
    let destination = arguments.destination()?;
    let mut options = arguments.code.options()?;
    options.call_profile = arguments.call_profile;
    let module = Module::read(&arguments.input)?;
    let name = input::display_name(&arguments.input);
    let filter = filter(arguments.function.as_deref());
    let listing = match arguments.emit {
        Emit::Artifact => None,
        Emit::Clif => Some(emit::clif(&module.wasm, &options, &filter)),
        Emit::Asm => Some(emit::listing(&module.wasm, &options, &filter)),
    };
    if let Some(listing) = listing {
        let listing = listing.map_err(|error| failure(&error, &name, &module))?;
        output::write(&destination, listing.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let begin = Instant::now();
    let compiled = compile(&module, &name, &options, !arguments.quiet)?;
    let elapsed = begin.elapsed();
    output::write(&destination, &compiled.artifact)?;
    if arguments.json {
        print_report(&compiled, &options, elapsed)?;
    } else if !arguments.quiet {
        eprint_line(&summary(&compiled, elapsed)?);
    }
    Ok(ExitCode::SUCCESS)
}

/// Compiles a module that a subcommand came upon instead of an artifact.
pub fn on_the_way(
    name: &str,
    bytes: Vec<u8>,
    code: &CodeFlags,
    purpose: Purpose,
) -> Outcome<Vec<u8>> {
    let module = Module::new(name, bytes)?;
    let mut options = match purpose.pool {
        true => code.options_for_pool()?,
        false => code.options()?,
    };
    options.call_profile = purpose.call_profile;
    Ok(compile(&module, name, &options, true)?.artifact)
}

/// Compiles the modules of scripts as they come.
pub fn for_scripts(code: &CodeFlags) -> Outcome<CompiledNow> {
    code.options().map(CompiledNow)
}

/// Compiles a module; errors become sentences with the place in the module.
fn compile(module: &Module, name: &str, options: &Options, progress: bool) -> Outcome<Compiled> {
    let bar = Bar::new(progress);
    let compiled = precast_compiler::compile(&module.wasm, options, &bar);
    bar.finish();
    compiled.map_err(|error| failure(&error, name, module))
}

/// Which functions a listing shows, from the argument `--function`.
pub fn filter(text: Option<&str>) -> FunctionFilter {
    text.map_or(FunctionFilter::All, |text| {
        FunctionFilter::Named(text.to_owned())
    })
}

/// Shows an error of the compiler, with a caret where the module came from text.
fn failure(error: &CompileError, name: &str, module: &Module) -> Failure {
    if let (Some(source), Some(offset)) = (&module.text, error.offset)
        && let Some(place) = place::in_text(&source.text, &module.wasm, offset)
    {
        return source.failure_at(place, &error.to_string());
    }
    Failure::new(format_args!("{name}: {error}"))
}

/// Says what was made, in one line.
fn summary(compiled: &Compiled, elapsed: Duration) -> Outcome<String> {
    Ok(format!(
        "  compiled {} functions in {:.1} s · text {} · {}",
        size::count(compiled.functions),
        elapsed.as_secs_f64(),
        size::show(compiled.text_bytes as u64),
        needs(&compiled.artifact)?,
    ))
}

/// What a device must offer, in a phrase: instruction set, CPU features, strategies.
fn needs(artifact: &[u8]) -> Outcome<String> {
    let artifact = report::parse("the artifact", artifact)?;
    let header = artifact.header();
    let mut machine = vec![header.isa.name()];
    machine.extend(header.cpu_features.names(header.isa));
    Ok(format!(
        "needs: {} · {}",
        machine.join(" "),
        report::strategies(header)
    ))
}

/// Prints what a compilation made, as JSON.
fn print_report(compiled: &Compiled, options: &Options, elapsed: Duration) -> Outcome<()> {
    let artifact = report::parse("the artifact", &compiled.artifact)?;
    let printed = json!({
        "target": options.target.triple().to_string(),
        "functions": compiled.functions,
        "text_bytes": compiled.text_bytes,
        "artifact_bytes": compiled.artifact.len(),
        "seconds": elapsed.as_secs_f64(),
        "header": report::header_json(artifact.header()),
    });
    report::print_json(&printed)
}

fn eprint_line(line: &str) {
    use std::io::Write;
    // The result is written already; a summary that nobody can read is no failure.
    let _ = writeln!(std::io::stderr(), "{line}");
}

impl CompileArguments {
    fn destination(&self) -> Outcome<PathBuf> {
        let standard_input = self.input == Path::new("-");
        let destination = match (&self.output, self.emit) {
            (Some(path), _) => path.clone(),
            (None, Emit::Artifact) if standard_input => {
                return Err(Failure::usage(
                    "standard input has no name; say where to write with -o",
                ));
            }
            (None, Emit::Artifact) => self.input.with_extension("precast"),
            (None, Emit::Clif | Emit::Asm) => PathBuf::from("-"),
        };
        if self.json && destination == Path::new("-") {
            return Err(Failure::usage(
                "--json and the result cannot share standard output",
            ));
        }
        Ok(destination)
    }
}
