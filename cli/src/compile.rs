//! `precast compile`: a module becomes an artifact, an object file, or one of the steps on the way
//! there.

use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::flags::size;
use crate::input::{self, Purpose};
use crate::module::Module;
use crate::object::ObjectFlags;
use crate::progress::Bar;
use crate::wast::CompiledNow;
use crate::{Outcome, output, place, report};
use clap::{Args, ValueEnum};
use precast_compiler::emit::{self, FunctionFilter, ObjectMachine};
use precast_compiler::{CompileError, Compiled, Options};
use precast_format::Artifact;
use precast_format::read::Header;
use precast_format::static_module::SYMBOL_PREFIX;
use precast_format::target::HostAbi;
use precast_format::tunables::RelocationModel;
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
    /// Let the host hand its functions to the program without an import: in a table, a global, or as an
    /// argument. Adds an adapter for each type of functions.
    #[arg(long)]
    host_references: bool,
    /// Print the summary as JSON on standard output.
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    /// Print no summary and no progress.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    object: ObjectFlags,
    #[command(flatten)]
    code: CodeFlags,
}

/// What `precast compile` can write.
#[derive(Clone, Copy, ValueEnum)]
enum Emit {
    /// The artifact.
    Artifact,
    /// An object file to link into a program: ELF, Mach-O or COFF, as the target has it.
    Object,
    /// The code generator's intermediate representation, before optimisation.
    Clif,
    /// A disassembly of the compiled code.
    Asm,
}

/// Runs the subcommand.
pub fn run(arguments: &CompileArguments) -> Outcome {
    let mut options = arguments.code.options()?;
    let destination = arguments.destination(&options)?;
    options.call_profile = arguments.call_profile;
    options.host_references = arguments.host_references;
    let module = Module::read(&arguments.input)?;
    let name = input::display_name(&arguments.input);
    if let Some(note) = options.target.note().filter(|_| !arguments.quiet) {
        eprint_line(&format!("note: {note}"));
    }
    let filter = filter(arguments.function.as_deref());
    if matches!(arguments.emit, Emit::Object) {
        return object(arguments, &module, &name, &options);
    }
    arguments.object.check_unused()?;
    let listing = match arguments.emit {
        Emit::Artifact | Emit::Object => None,
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
        let artifact = report::parse("the artifact", &compiled.artifact)?;
        let (functions, text) = (compiled.functions, compiled.text_bytes);
        let needs = needs(artifact.header());
        eprint_line(&summary(functions, text, elapsed, &needs));
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes an object file, and what declares its symbol.
fn object(arguments: &CompileArguments, module: &Module, name: &str, options: &Options) -> Outcome {
    let destination = arguments.destination(options)?;
    if options.relocation_model == RelocationModel::Direct {
        return Err(Failure::usage(
            "code in an object file is executed in place; --relocations direct is not for it",
        ));
    }
    if options.page_size_log2.is_some_and(|log2| log2 != 0) {
        return Err(Failure::usage(
            "an object file is aligned by its linker; --page-size is not for it",
        ));
    }
    let object = arguments.object.options(&arguments.input);
    let machine = ObjectMachine::new(&options.target, &object)
        .map_err(|error| Failure::usage(error.message))?;
    let begin = Instant::now();
    let bar = Bar::new(!arguments.quiet);
    let compiled = precast_compiler::compile_object(&module.wasm, options, &object, &bar);
    bar.finish();
    let compiled = compiled.map_err(|error| failure(&error, name, module))?;
    let elapsed = begin.elapsed();
    let (functions, text) = (compiled.functions, compiled.text_bytes);
    let artifact = Artifact::parse_split(&compiled.metadata, text)
        .map_err(|error| Failure::new(format_args!("the object file: {error}")))?;
    output::write(&destination, &compiled.object)?;
    let sizes = [compiled.metadata.len(), text];
    let files = &arguments.object;
    files.write(&arguments.input, &object.name, &artifact, sizes)?;
    let symbol = format!("{SYMBOL_PREFIX}{}", object.name);
    if arguments.json {
        report::print_json(&json!({
            "target": options.target.triple().to_string(),
            "format": machine.format_name(),
            "symbol": symbol,
            "functions": functions,
            "text_bytes": text,
            "metadata_bytes": compiled.metadata.len(),
            "object_bytes": compiled.object.len(),
            "seconds": elapsed.as_secs_f64(),
            "header": report::header_json(artifact.header()),
        }))?;
    } else if !arguments.quiet {
        let (format, needs) = (machine.format_name(), needs(artifact.header()));
        let needs = format!("{format} object with {symbol} · {needs}");
        eprint_line(&summary(functions, text, elapsed, &needs));
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
fn summary(functions: usize, text_bytes: usize, elapsed: Duration, needs: &str) -> String {
    format!(
        "  compiled {} functions in {:.1} s · text {} · {needs}",
        size::count(functions),
        elapsed.as_secs_f64(),
        size::show(text_bytes as u64),
    )
}

/// What a device must offer, in a phrase: instruction set, CPU features, strategies.
fn needs(header: &Header) -> String {
    let mut machine = vec![header.isa.name()];
    machine.extend(header.cpu_features.names(header.isa));
    format!(
        "needs: {} · {}",
        machine.join(" "),
        report::strategies(header)
    )
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
    fn destination(&self, options: &Options) -> Outcome<PathBuf> {
        let standard_input = self.input == Path::new("-");
        let destination = match (&self.output, self.emit) {
            (Some(path), _) => path.clone(),
            (None, Emit::Artifact | Emit::Object) if standard_input => {
                return Err(Failure::usage(
                    "standard input has no name; say where to write with -o",
                ));
            }
            (None, Emit::Artifact) => self.input.with_extension("precast"),
            (None, Emit::Object) => {
                let windows = options.target.host_abi() == HostAbi::WindowsFastcall;
                let extension = if windows { "obj" } else { "o" };
                self.input.with_extension(extension)
            }
            (None, Emit::Clif | Emit::Asm) => PathBuf::from("-"),
        };
        let on_standard_output = usize::from(destination == Path::new("-"));
        if self.json && on_standard_output != 0 {
            return Err(Failure::usage(
                "--json and the result cannot share standard output",
            ));
        }
        let printed = on_standard_output + usize::from(self.json);
        if printed + self.object.on_standard_output() > 1 {
            return Err(Failure::usage(
                "only one of the results can have standard output",
            ));
        }
        Ok(destination)
    }
}
