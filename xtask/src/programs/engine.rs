//! How Precast and wasmtime are called. Both take the same options for folders and variables.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that compiles and runs modules.
pub struct Engine {
    /// Its name in tables.
    pub name: &'static str,
    command: PathBuf,
    compile: Vec<String>,
    run: &'static [&'static str],
    /// What stands between the file and the program's arguments.
    separator: &'static [&'static str],
}

impl Engine {
    /// The `precast` command that was just built, with options for compiling.
    pub fn precast(command: PathBuf, options: &str) -> Engine {
        let words = ["compile", "--quiet"].into_iter();
        let words = words.chain(options.split_whitespace());
        Engine {
            name: "precast",
            command,
            compile: words.map(String::from).collect(),
            run: &["run"],
            separator: &["--"],
        }
    }

    /// wasmtime, which has exceptions only when it is told so.
    pub fn wasmtime(command: PathBuf) -> Engine {
        Engine {
            name: "wasmtime",
            command,
            compile: ["compile", "-W", "exceptions=y"].map(String::from).into(),
            run: &["run", "--allow-precompiled", "-W", "exceptions=y"],
            separator: &[],
        }
    }

    /// The command that compiles a module.
    pub fn compile(&self, module: &Path, artifact: &Path) -> Command {
        let mut command = Command::new(&self.command);
        command.args(&self.compile).arg(module);
        command.arg("-o").arg(artifact);
        command
    }

    /// The command that runs what was compiled, with folders under names for the program.
    pub fn run(
        &self,
        artifact: &Path,
        folders: &[(PathBuf, String)],
        arguments: &[&str],
    ) -> Command {
        let mut command = Command::new(&self.command);
        command.args(self.run);
        for (folder, name) in folders {
            command.arg("--dir");
            command.arg(format!("{}::{name}", folder.display()));
        }
        command.args(["--env", "GREETING=hello"]).arg(artifact);
        command.args(self.separator).args(arguments);
        command
    }
}
