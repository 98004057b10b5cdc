//! `precast bundle`: one executable of a program and the loader; and what that does when it starts.
//!
//! The bundle is a runner, an executable that knows the loader and WASI and nothing else, with the artifact
//! appended. It needs neither Precast nor any other file. All of its arguments are the program's.

mod layout;

use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::flags::program::Program;
use crate::flags::size;
use crate::input::{self, Purpose};
use crate::{Outcome, output, report, run};
use clap::Args;
use layout::{Grants, NoBundle, TRAILER_SIZE, Trailer};
use precast_loader::{Runtime, Source};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where the artifact begins is a multiple of this at least: the smallest page.
const SMALLEST_PAGE: u64 = 4096;

/// The name of the runner, beside this command.
const RUNNER: &str = "precast-runner";

/// Arguments of `precast bundle`.
#[derive(Args)]
pub struct BundleArguments {
    /// The artifact, or a module, binary or text, which is compiled first; `-` is standard input.
    input: PathBuf,
    /// The executable; by default the input's name without its extension.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The runner that the executable begins with: `precast-runner`, built for the target. The default is
    /// the one beside this command, which is for this machine.
    #[arg(long, value_name = "FILE")]
    stub: Option<PathBuf>,
    /// A folder that the program may use where it runs, optionally under another name. By default there
    /// is none.
    #[arg(long = "dir", value_name = "HOST[::GUEST]")]
    directories: Vec<String>,
    /// An environment variable for the program; without a value, that of the process that runs it. By
    /// default there is none.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    variables: Vec<String>,
    /// Print no summary.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    code: CodeFlags,
}

/// Runs the subcommand.
pub fn run(arguments: &BundleArguments) -> Outcome {
    let destination = arguments.destination()?;
    let stub_path = arguments.stub()?;
    let artifact = input::artifact(&arguments.input, &arguments.code, Purpose::default())?;
    let name = input::display_name(&arguments.input);
    let parsed = report::parse(&name, &artifact)?;
    if arguments.stub.is_none() {
        check_machine(&parsed)?;
    }
    let stub = fs::read(&stub_path).map_err(|error| Failure::at(&stub_path, error))?;
    check_stub(&stub_path, &stub)?;
    let page_size = parsed.header().page_size().max(SMALLEST_PAGE);
    let bundle = assemble(stub, &artifact, page_size, &arguments.grants());
    let bytes = bundle.len();
    output::write(&destination, &bundle)?;
    // What may be executed stays so.
    fs::metadata(&stub_path)
        .and_then(|stub| fs::set_permissions(&destination, stub.permissions()))
        .map_err(|error| Failure::at(&destination, error))?;
    if !arguments.quiet {
        let (all, part) = (size::show(bytes as u64), size::show(artifact.len() as u64));
        let line = format!(
            "  bundled {} · {all}, {part} of it the artifact",
            destination.display()
        );
        use io::Write;
        // The result is written already; a summary that nobody can read is no failure.
        let _ = writeln!(io::stderr(), "{line}");
    }
    Ok(ExitCode::SUCCESS)
}

impl BundleArguments {
    fn destination(&self) -> Outcome<PathBuf> {
        if let Some(path) = &self.output {
            return match path == Path::new("-") {
                true => Err(Failure::usage(
                    "a bundle is an executable file; name it with -o",
                )),
                false => Ok(path.clone()),
            };
        }
        let path = self.input.with_extension("");
        if path == self.input {
            return Err(Failure::usage(format_args!(
                "{} has no extension to leave out; say where to write with -o",
                input::display_name(&self.input)
            )));
        }
        Ok(path)
    }

    /// The file of the runner.
    fn stub(&self) -> Outcome<PathBuf> {
        if let Some(path) = &self.stub {
            return Ok(path.clone());
        }
        let here = std::env::current_exe().map_err(|error| {
            Failure::new(format_args!(
                "this command's own file is not known: {error}"
            ))
        })?;
        let name = format!("{RUNNER}{}", std::env::consts::EXE_SUFFIX);
        let path = here.with_file_name(name);
        match path.is_file() {
            true => Ok(path),
            false => Err(Failure::new(format_args!(
                "there is no {}; name a runner with --stub, or build it with \
                 `cargo build --release -p precast-cli`",
                path.display()
            ))),
        }
    }

    fn grants(&self) -> Grants {
        Grants {
            directories: self.directories.clone(),
            variables: self.variables.clone(),
        }
    }
}

/// The runner beside this command is for this machine.
fn check_machine(artifact: &precast_format::Artifact<'_>) -> Outcome<()> {
    let runtime = Runtime::system().map_err(Failure::new)?;
    let (header, device) = (artifact.header(), runtime.device());
    if header.isa == device.isa && header.host_abi == device.host_abi {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "the code is for {} and the runner beside this command is for {}; name one for the target \
         with --stub",
        header.isa.name(),
        device.isa.name()
    )))
}

/// A stub that is a bundle would run the program that it holds.
fn check_stub(path: &Path, stub: &[u8]) -> Outcome<()> {
    let Some(end) = stub.last_chunk::<TRAILER_SIZE>() else {
        return Err(Failure::at(path, "this is no runner"));
    };
    match Trailer::read(end, stub.len() as u64) {
        Err(NoBundle::Bare) => Ok(()),
        _ => Err(Failure::at(path, "this is a bundle already, not a runner")),
    }
}

/// Puts the parts together.
fn assemble(stub: Vec<u8>, artifact: &[u8], page_size: u64, grants: &Grants) -> Vec<u8> {
    let mut bundle = stub;
    let offset = (bundle.len() as u64).next_multiple_of(page_size);
    bundle.resize(offset as usize, 0);
    bundle.extend_from_slice(artifact);
    let grants = grants.to_bytes();
    bundle.extend_from_slice(&grants);
    let trailer = Trailer {
        artifact_offset: offset,
        artifact_size: artifact.len() as u64,
        grants_size: grants.len() as u64,
    };
    bundle.extend_from_slice(&trailer.to_bytes(&grants));
    bundle
}

/// Runs the program that is appended to this process's executable.
pub fn run_bundled() -> Outcome {
    let mut arguments = std::env::args_os();
    let name = PathBuf::from(arguments.next().unwrap_or_default());
    let path = own_file()?;
    let (trailer, grants) = read(&path).map_err(|error| match error {
        ReadError::Io(error) => Failure::at(&name, error),
        ReadError::NoBundle(NoBundle::Bare) => Failure::at(
            &name,
            "this runner holds no program; `precast bundle` makes an executable with one",
        ),
        ReadError::NoBundle(NoBundle::Damaged) => Failure::at(
            &name,
            "the program in this executable is damaged; bundle or copy it again",
        ),
        ReadError::NoBundle(NoBundle::Version) => Failure::at(
            &name,
            "the program was appended by another version of precast; bundle it again",
        ),
    })?;
    let program = Program {
        input: name,
        directories: grants.directories,
        variables: grants.variables,
        arguments: arguments.collect(),
        ..Program::default()
    };
    let source = Source::file_part(&path, trailer.artifact_offset, trailer.artifact_size);
    run::run_source(&program, source)
}

/// The file that this process was started from; on Linux by a name that stays when the file moves. On other
/// systems a file of that name would be somebody's: under Wine it is Wine.
fn own_file() -> Outcome<PathBuf> {
    let link = Path::new("/proc/self/exe");
    if std::env::consts::OS == "linux" && link.exists() {
        return Ok(link.to_path_buf());
    }
    std::env::current_exe()
        .map_err(|error| Failure::new(format_args!("this executable is not to be found: {error}")))
}

enum ReadError {
    Io(io::Error),
    NoBundle(NoBundle),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

impl From<NoBundle> for ReadError {
    fn from(error: NoBundle) -> ReadError {
        ReadError::NoBundle(error)
    }
}

/// Reads what is at the end of a bundle.
fn read(path: &Path) -> Result<(Trailer, Grants), ReadError> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let Some(start) = size.checked_sub(TRAILER_SIZE as u64) else {
        return Err(NoBundle::Bare.into());
    };
    file.seek(SeekFrom::Start(start))?;
    let mut end = [0; TRAILER_SIZE];
    file.read_exact(&mut end)?;
    let trailer = Trailer::read(&end, size)?;
    file.seek(SeekFrom::Start(start - trailer.grants_size))?;
    let mut grants = Vec::new();
    file.take(trailer.grants_size).read_to_end(&mut grants)?;
    let grants = trailer.grants(&end, &grants)?;
    Ok((trailer, grants))
}
