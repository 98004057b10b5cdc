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
