//! How each runtime compiles and runs a program: command templates, and where wasmtime comes from.

use crate::Outcome;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version that Precast is compared with: it has the same Cranelift.
const WASMTIME_VERSION: &str = "48.0.8";

/// A runtime as two command templates; see [`expand`] for what is replaced in them.
pub struct Runtime {
    /// Its name in tables.
    pub name: String,
    compile: Option<Vec<String>>,
    run: Vec<String>,
}

impl Runtime {
    /// The `precast` command that was just built.
    pub fn precast(command: &Path, options: &[&str]) -> Runtime {
        let command = command.display().to_string();
        let mut compile = vec![command.clone(), "compile".into(), "--quiet".into()];
        compile.extend(options.iter().map(|option| option.to_string()));
        compile.extend(["{wasm}", "-o", "{out}"].map(String::from));
        let run = [&command, "run", "{dirs}", "{out}", "--", "{args}"].map(String::from);
        Runtime {
            name: "precast".into(),
            compile: Some(compile),
            run: run.into(),
        }
    }

    /// wasmtime with its defaults.
    pub fn wasmtime(command: &Path) -> Runtime {
        let command = command.display().to_string();
        let compile = [&command, "compile", "{wasm}", "-o", "{out}"].map(String::from);
        let run = [
            &command,
            "run",
            "--allow-precompiled",
            "{dirs}",
            "{out}",
            "{args}",
        ]
        .map(String::from);
        Runtime {
            name: "wasmtime".into(),
            compile: Some(compile.into()),
            run: run.into(),
        }
    }

    /// `name=run template` or `name=compile template => run template`.
    pub fn from_template(text: &str) -> Outcome<Runtime> {
        let (name, templates) = text
            .split_once('=')
            .ok_or_else(|| format!("`{text}` is not of the form name=template"))?;
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let (compile, run) = match templates.split_once("=>") {
            Some((compile, run)) => (Some(words(compile)), words(run)),
            None => (None, words(templates)),
        };
        let empty = run.is_empty() || compile.as_ref().is_some_and(Vec::is_empty);
        if empty || name.is_empty() {
            return Err(format!("`{text}` names no command"));
        }
        Ok(Runtime {
            name: name.to_owned(),
            compile,
            run,
        })
    }

    /// The command that compiles `wasm` to `out`, where the runtime compiles ahead of time.
    pub fn compile(&self, wasm: &Path, out: &Path) -> Option<Command> {
        self.compile
            .as_ref()
            .map(|template| expand(template, wasm, out, &[], &[]))
    }

    /// The command that runs the program.
    pub fn run(&self, wasm: &Path, out: &Path, dirs: &[String], args: &[String]) -> Command {
        expand(&self.run, wasm, out, dirs, args)
    }
}

/// Replaces `{wasm}` and `{out}` inside of words, and the words `{dirs}` and `{args}` by as many
/// words as there are.
fn expand(
    template: &[String],
    wasm: &Path,
    out: &Path,
    dirs: &[String],
    args: &[String],
) -> Command {
    let mut words: Vec<String> = Vec::new();
    for word in template {
        match word.as_str() {
            "{dirs}" => words.extend(
                dirs.iter()
                    .flat_map(|dir| ["--dir".to_owned(), dir.clone()]),
            ),
            "{args}" => words.extend(args.iter().cloned()),
            word => words.push(
                word.replace("{wasm}", &wasm.display().to_string())
                    .replace("{out}", &out.display().to_string()),
            ),
        }
    }
    let mut words = words.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command
}

/// wasmtime of the right version: on the path, in the cache folder, or installed there now.
pub fn find_wasmtime() -> Outcome<PathBuf> {
    let folder = cache_folder()?.join("wasmtime-48");
    let cached = folder.join("bin").join("wasmtime");
    for candidate in [PathBuf::from("wasmtime"), cached.clone()] {
        if has_version(&candidate) {
            return Ok(candidate);
        }
    }
    eprintln!(
        "installing wasmtime {WASMTIME_VERSION} into {}",
        folder.display()
    );
    let root = folder.display().to_string();
    crate::cargo::run(&[
        "install",
        "wasmtime-cli",
        "--version",
        WASMTIME_VERSION,
        "--locked",
        "--root",
        &root,
    ])?;
    if has_version(&cached) {
        Ok(cached)
    } else {
        Err("the installed wasmtime does not run".into())
    }
}

/// The folder of the user's cache that is ours.
pub fn cache_folder() -> Outcome<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(home);
    Ok(cache
        .ok_or("neither XDG_CACHE_HOME nor HOME is set")?
        .join("precast"))
}

fn has_version(command: &Path) -> bool {
    let Ok(output) = Command::new(command).arg("--version").output() else {
        return false;
    };
    let major = WASMTIME_VERSION
        .split('.')
        .next()
        .unwrap_or(WASMTIME_VERSION);
    String::from_utf8_lossy(&output.stdout).starts_with(&format!("wasmtime {major}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_expand_to_words() {
        let runtime =
            Runtime::from_template("x=aot -o {out} {wasm} => x {dirs} {out} {args}").unwrap();
        assert_eq!(runtime.name, "x");
        let (wasm, out) = (Path::new("a.wasm"), Path::new("a.out"));
        let command = runtime.run(wasm, out, &["d".into()], &["1".into(), "2".into()]);
        assert_eq!(format!("{command:?}"), r#""x" "--dir" "d" "a.out" "1" "2""#);
        let command = runtime.compile(wasm, out).unwrap();
        assert_eq!(format!("{command:?}"), r#""aot" "-o" "a.out" "a.wasm""#);
        assert!(Runtime::from_template("nothing").is_err());
    }
}
