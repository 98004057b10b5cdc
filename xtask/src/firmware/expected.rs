//! What a board has to say: the text beside the firmware, with the figures that `precast memory` gives.
//!
//! In that text, `{board}` is the board's name, `{memory NAME}` the lines about a program's memory, `{pool
//! NAME}` the size of its pool, and `*` any number.

use super::Place;
use super::board::Board;
use crate::Outcome;
use serde_json::Value;
use std::fs;
use std::process::Command;

/// The stack of calls into a program, in bytes, which the build script says, too.
pub const STACK: &str = "5120";

/// Compares what a board said with what is expected.
pub fn compare(board: &Board, place: &Place, output: &str) -> Outcome {
    let path = place.firmware.join(board.expected);
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut expected = Vec::new();
    for line in text.lines() {
        expand(line, board, place, &mut expected)?;
    }
    let mut said = output.lines();
    for line in &expected {
        let other = said.next().unwrap_or_default();
        if !matches(line, other) {
            return Err(format!("expected `{line}` instead of `{other}`"));
        }
    }
    match said.next() {
        Some(line) => Err(format!("`{line}` was not expected")),
        None => Ok(()),
    }
}

/// The lines that a line of the text stands for.
fn expand(line: &str, board: &Board, place: &Place, lines: &mut Vec<String>) -> Outcome {
    let named = |what: &str| {
        let (before, rest) = line.split_once(&format!("{{{what} "))?;
        let (name, after) = rest.split_once('}')?;
        Some((before, name, after))
    };
    if let Some((_, name, _)) = named("memory") {
        lines.extend(memory(name, &plan(name, board, place)?)?);
    } else if let Some((before, name, after)) = named("pool") {
        let pool = number(&plan(name, board, place)?, "pool_bytes")?;
        lines.push(format!("{before}{pool}{after}"));
    } else {
        lines.push(line.replace("{board}", board.title));
    }
    Ok(())
}

/// What `precast memory` says of a program.
fn plan(name: &str, board: &Board, place: &Place) -> Outcome<Value> {
    let program = place.firmware.join("programs").join(format!("{name}.wat"));
    let mut command = Command::new(&place.precast);
    command
        .args([
            "memory",
            "--json",
            "--alloc",
            "pool",
            "--target",
            board.code(),
        ])
        .args(["--stack-size", STACK])
        .arg(&program);
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}

/// The lines about a program's memory. Its code is where it lies in flash, and takes none.
fn memory(program: &str, plan: &Value) -> Outcome<Vec<String>> {
    let mut lines = Vec::new();
    let mut sum = 0;
    let lifetimes = plan["lifetimes"]
        .as_array()
        .ok_or("a plan without lifetimes")?;
    for lifetime in lifetimes {
        let categories = lifetime["categories"]
            .as_array()
            .ok_or("a plan without categories")?;
        for category in categories {
            let name = category["name"]
                .as_str()
                .ok_or("a category without a name")?;
            let bytes = number(category, "bytes")?;
            if name != "code" && bytes != 0 {
                lines.push(format!("{program}: {bytes:>6} bytes of {name}"));
                sum += bytes;
            }
        }
    }
    lines.push(format!("{program}: {sum:>6} bytes in all"));
    let pool = number(plan, "pool_bytes")?;
    lines.push(format!("{program}: {pool:>6} bytes of pool were planned"));
    Ok(lines)
}

fn number(value: &Value, name: &str) -> Outcome<u64> {
    let number = value[name].as_u64();
    number.ok_or_else(|| format!("a plan without `{name}`"))
}

/// Whether a line is what is expected, where `*` is a number with or without spaces before it.
fn matches(expected: &str, said: &str) -> bool {
    let Some((before, after)) = expected.split_once('*') else {
        return expected == said;
    };
    let Some(rest) = said.strip_prefix(before) else {
        return false;
    };
    let rest = rest.trim_start_matches(' ');
    let after_number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    after_number.len() < rest.len() && matches(after, after_number)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_is_a_number() {
        assert!(matches("in * ms", "in 12 ms"));
        assert!(matches("in * ms", "in   12 ms"));
        assert!(!matches("in * ms", "in  ms"));
        assert!(!matches("in 12 ms", "in 13 ms"));
    }
}
