//! Whether a run gave what it must.

use super::process::Ended;
use super::table::{Expected, Program, Run};
use crate::Outcome;
use std::fs;
use std::path::Path;

/// Says what is wrong with a run that ended; `golden` has its expectations, `work` what it wrote.
pub fn check(program: &Program, run: &Run, ended: &Ended, golden: &Path, work: &Path) -> Outcome {
    let complaints = String::from_utf8_lossy(&ended.complaints);
    if ended.exit != Some(run.exit) {
        let end: Vec<&str> = complaints.lines().take(6).collect();
        let exit = ended.exit;
        return Err(format!(
            "exit code {exit:?} instead of {}: {}",
            run.exit,
            end.join(" / ")
        ));
    }
    if !complaints.contains(run.complaint) {
        return Err(format!(
            "standard error has no `{}`: {complaints}",
            run.complaint
        ));
    }
    let folder = golden.join(program.inputs);
    expect(
        &run.output,
        &ended.output,
        &folder.join(format!("{}.out", run.name)),
    )?;
    for (name, expected) in run.files {
        let content = fs::read(work.join(name)).map_err(|error| format!("{name}: {error}"))?;
        expect(expected, &content, &folder.join(format!("{name}.out")))
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Compares; with `BLESS` in the environment, a golden file is written instead.
fn expect(expected: &Expected, content: &[u8], golden: &Path) -> Outcome {
    match expected {
        Expected::Golden if std::env::var_os("BLESS").is_some() => {
            fs::write(golden, content).map_err(|error| format!("{}: {error}", golden.display()))
        }
        Expected::Golden => {
            let wanted =
                fs::read(golden).map_err(|error| format!("{}: {error}", golden.display()))?;
            same(&wanted, content)
        }
        Expected::Digest(digest) => match super::digest(content) {
            Ok(found) if found == *digest => Ok(()),
            found => Err(format!("{} bytes hash to {found:?}", content.len())),
        },
        Expected::Contains(pieces) => {
            let text = String::from_utf8_lossy(content);
            let mut rest: &str = &text;
            for piece in *pieces {
                let (_, after) = rest
                    .split_once(piece)
                    .ok_or_else(|| format!("no `{piece}` in: {text}"))?;
                rest = after;
            }
            Ok(())
        }
    }
}

/// Names the first line that differs.
fn same(wanted: &[u8], found: &[u8]) -> Outcome {
    if wanted == found {
        return Ok(());
    }
    let wanted = String::from_utf8_lossy(wanted);
    let found = String::from_utf8_lossy(found);
    let mut others = found.lines();
    for (index, line) in wanted.lines().enumerate() {
        let other = others.next();
        if other != Some(line) {
            let other = other.unwrap_or("nothing");
            return Err(format!("line {}: `{other}` instead of `{line}`", index + 1));
        }
    }
    Err("there is more than there should be, or the last line ends otherwise".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_named() {
        assert_eq!(same(b"a\nb\n", b"a\nb\n"), Ok(()));
        assert!(same(b"a\nb\n", b"a\nc\n").is_err_and(|error| error.contains("line 2: `c`")));
        assert!(same(b"a\nb\n", b"a\n").is_err_and(|error| error.contains("nothing")));
        assert!(same(b"a\n", b"a\nb\n").is_err());
    }

    #[test]
    fn pieces_stand_in_order() {
        let expected = Expected::Contains(&["one", "two"]);
        assert_eq!(expect(&expected, b"one two", Path::new("")), Ok(()));
        assert!(expect(&expected, b"two one", Path::new("")).is_err());
    }
}
