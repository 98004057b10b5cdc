//! The short way to run an artifact.
//!
//! The tables of all subcommands and their arguments take longer to build than a small program to
//! run, and their pages stay resident. So the plainest form of `precast run`, an artifact with
//! folders, variables and arguments, is recognised here. Everything else, above all whatever is
//! wrong, is left to the full parser: this one has no opinion and no messages.

use crate::flags::program::Program;
use crate::input;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// The program that the process's arguments name, if they have the plain form and the input is an
/// artifact.
pub fn program(arguments: impl IntoIterator<Item = OsString>) -> Option<Program> {
    let program = parse(arguments)?;
    input::is_artifact_file(&program.input).then_some(program)
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Option<Program> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != "run" {
        return None;
    }
    let mut program = Program::default();
    let mut input = None;
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            program.arguments = arguments.collect();
            break;
        }
        if let Some((name, value)) = option(&argument) {
            let value = value.map_or_else(|| arguments.next()?.into_string().ok(), Some)?;
            match name {
                "--dir" => program.directories.push(value),
                "--env" => program.variables.push(value),
                "--invoke" => program.invoke = Some(value),
                _ => return None,
            }
        } else if input.is_none() {
            input = Some(PathBuf::from(argument));
        } else {
            return None;
        }
    }
    program.input = input?;
    Some(program)
}

/// Splits `--name=value` and `--name`; what begins with no hyphen is no option.
fn option(argument: &OsStr) -> Option<(&str, Option<String>)> {
    let text = argument.to_str()?;
    if !text.starts_with('-') {
        return None;
    }
    Some(match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Option<Program> {
        parse(text.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_plain_form_is_recognised() {
        let program = words("precast run --dir a::b x.precast --env=N=V -- -q --dir").unwrap();
        assert_eq!(program.input, PathBuf::from("x.precast"));
        assert_eq!(program.directories, ["a::b"]);
        assert_eq!(program.variables, ["N=V"]);
        assert_eq!(program.arguments, ["-q", "--dir"]);
    }

    #[test]
    fn everything_else_is_left_alone() {
        for text in [
            "precast",
            "precast run",
            "precast run -h",
            "precast run x y",
            "precast wast x",
        ] {
            assert!(words(text).is_none(), "{text}");
        }
        assert!(words("precast run x --opt-level none").is_none());
        assert!(words("precast run x --memory-profile").is_none());
        assert!(words("precast run x --alloc=pool --pool-size 1M").is_none());
        assert!(words("precast run x --dir").is_none());
    }
}
