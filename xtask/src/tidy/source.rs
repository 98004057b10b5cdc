//! A source file, and its code without comments and literals, so that rules about code do not
//! stumble over prose.

/// A text file of the project.
pub struct Source {
    /// The path relative to the workspace, with forward slashes.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// The text with comments, strings and characters blanked out; empty for what is not Rust.
    pub code: String,
}

impl Source {
    /// Takes a file apart.
    pub fn new(path: &str, text: String) -> Source {
        let code = if path.ends_with(".rs") {
            code_only(&text)
        } else {
            String::new()
        };
        Source {
            path: path.to_owned(),
            text,
            code,
        }
    }

    /// Whether this is a Rust file.
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The folder of the crate that the file belongs to.
    pub fn crate_folder(&self) -> &str {
        self.path.split('/').next().unwrap_or("")
    }

    /// The numbers of the lines of code that contain `word` as a whole word.
    pub fn lines_with_word<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.code
            .lines()
            .enumerate()
            .filter(move |(_, line)| has_word(line, word))
            .map(|(number, _)| number + 1)
    }
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

/// Blanks out everything that is not code, and keeps the lines.
fn code_only(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match skipped_length(rest, out.chars().next_back()) {
            0 => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
            length => {
                let (skipped, after) = rest.split_at(length);
                out.push(' ');
                out.extend(skipped.chars().filter(|c| *c == '\n'));
                rest = after;
            }
        }
    }
    out
}

/// The length of the comment or literal at the start of `rest`, or zero where code continues.
fn skipped_length(rest: &str, before: Option<char>) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if !in_word && let Some(length) = raw_string(rest) {
        return length;
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    0
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(rest.len() - body.len() + length)
}

/// A character literal, and not a lifetime: a lifetime has no closing quote after one character.
fn character(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => quoted(rest, '\''),
        Some(_) => match characters.next() {
            Some((at, '\'')) => at + 1,
            _ => 0,
        },
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_and_literals_are_no_code() {
        let text = "let a = \"unsafe\"; // unsafe\n/* unsafe /* x */ */ r#\"unsafe \" \"# 'x' b";
        let code = code_only(text);
        assert!(!has_word(&code, "unsafe"), "{code}");
        assert_eq!(code.lines().count(), 2);
        assert!(code.ends_with(" b"));
    }

    #[test]
    fn lifetimes_are_code() {
        assert!(code_only("fn f<'a>(x: &'a str) { unsafe {} }").contains("unsafe"));
        assert!(code_only("let q = '\\''; unsafe {}").contains("unsafe"));
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("unsafe {", "unsafe"));
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
    }
}
