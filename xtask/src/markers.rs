//! Generated parts of documents stand between two comments, `<!-- NAME:begin -->` and
//! `<!-- NAME:end -->`; everything else in the document is written by hand and stays.

use crate::Outcome;
use std::fs;
use std::path::Path;

/// Puts `text` between the markers called `name` in the document at `path`.
pub fn replace(path: &Path, name: &str, text: &str) -> Outcome {
    let shown = path.display();
    let document = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    let replaced = splice(&document, name, text)
        .ok_or_else(|| format!("{shown} has no pair of markers called {name}"))?;
    if replaced != document {
        fs::write(path, replaced).map_err(|error| format!("{shown}: {error}"))?;
    }
    Ok(())
}

/// What stands between the markers called `name` in the document at `path`, to the end of its last line.
pub fn read(path: &Path, name: &str) -> Outcome<String> {
    let shown = path.display();
    let document = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    let begin = format!("<!-- {name}:begin -->\n");
    let part = document.split_once(&begin);
    let part = part.and_then(|(_, rest)| rest.split_once(&format!("<!-- {name}:end -->")));
    part.map(|(part, _)| part.to_owned())
        .ok_or_else(|| format!("{shown} has no pair of markers called {name}"))
}

fn splice(document: &str, name: &str, text: &str) -> Option<String> {
    let begin = format!("<!-- {name}:begin -->");
    let end = format!("<!-- {name}:end -->");
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!(
        "{before}{begin}\n{}\n{end}{after}",
        text.trim_end()
    ))
}

#[cfg(test)]
mod tests {
    use super::splice;

    #[test]
    fn only_the_marked_part_changes() {
        let document = "a\n<!-- t:begin -->\nold\n<!-- t:end -->\nz\n";
        let expected = "a\n<!-- t:begin -->\nnew\n<!-- t:end -->\nz\n";
        assert_eq!(splice(document, "t", "new\n").as_deref(), Some(expected));
        assert_eq!(splice(document, "u", "new"), None);
    }
}
