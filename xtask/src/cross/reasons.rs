//! Why assertions, programs and tests were skipped: a table below that of the targets, which like that one
//! grows target by target.

use super::target::TARGETS;
use std::collections::BTreeMap;
use std::fmt::Write;

const HEADER: &str = "| skipped because |";

/// How often something was skipped, by reason and target.
#[derive(Default)]
pub struct Reasons(BTreeMap<String, BTreeMap<&'static str, usize>>);

impl Reasons {
    /// Reads what [`Reasons::render`] wrote, wherever it is in a text; a text without it has no reasons.
    pub fn read(text: &str) -> Reasons {
        let mut reasons = Reasons::default();
        let mut lines = text.lines().skip_while(|line| !line.starts_with(HEADER));
        let names: Vec<&str> = lines.next().map(cells).into_iter().flatten().collect();
        for line in lines.skip(1) {
            let mut cells = cells(line);
            let Some(reason) = cells.next() else { continue };
            for (name, count) in names.iter().skip(1).zip(cells) {
                let target = TARGETS.iter().find(|target| target.name == *name);
                if let (Some(target), Ok(count)) = (target, count.parse()) {
                    reasons.set(target.name, reason, count);
                }
            }
        }
        reasons
    }

    /// Puts a target's new reasons in the place of its old ones.
    pub fn replace(&mut self, target: &'static str, skipped: &BTreeMap<String, usize>) {
        for counts in self.0.values_mut() {
            counts.remove(target);
        }
        self.0.retain(|_, counts| !counts.is_empty());
        for (reason, count) in skipped {
            self.set(target, reason, *count);
        }
    }

    fn set(&mut self, target: &'static str, reason: &str, count: usize) {
        let counts = self.0.entry(reason.to_owned()).or_default();
        counts.insert(target, count);
    }

    /// A table in Markdown, with a column for each target of which something was skipped; nothing if
    /// nothing was.
    pub fn render(&self) -> String {
        let has_some = |name| self.0.values().any(|counts| counts.contains_key(name));
        let names = TARGETS.iter().map(|target| target.name);
        let names: Vec<&str> = names.filter(|name| has_some(*name)).collect();
        if names.is_empty() {
            return String::new();
        }
        let columns = "--:|".repeat(names.len());
        let mut text = format!("{HEADER} {} |\n|---|{columns}\n", names.join(" | "));
        for (reason, counts) in &self.0 {
            let count = |name| counts.get(name).map_or(String::new(), usize::to_string);
            let counts: Vec<String> = names.iter().map(count).collect();
            let _ = writeln!(text, "| {reason} | {} |", counts.join(" | "));
        }
        text
    }
}

/// The cells of a table's line.
fn cells(line: &str) -> impl Iterator<Item = &str> {
    let line = line.strip_prefix('|').unwrap_or_default();
    let line = line.strip_suffix('|').unwrap_or_default();
    line.split('|').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::Reasons;
    use std::collections::BTreeMap;

    fn skipped(reasons: &[(&str, usize)]) -> BTreeMap<String, usize> {
        let owned = |(reason, count): &(&str, usize)| ((*reason).to_owned(), *count);
        reasons.iter().map(owned).collect()
    }

    #[test]
    fn reasons_are_read_as_they_are_written() {
        let mut reasons = Reasons::default();
        assert_eq!(reasons.render(), "");
        reasons.replace("s390x", &skipped(&[("b", 3)]));
        reasons.replace("aarch64", &skipped(&[("a: c", 1), ("b", 2)]));
        let text = reasons.render();
        let lines = "| skipped because | aarch64 | s390x |\n|---|--:|--:|\n\
                     | a: c | 1 |  |\n| b | 2 | 3 |\n";
        assert_eq!(text, lines);
        assert_eq!(Reasons::read(&format!("| x |\n\n{text}")).render(), lines);
    }

    #[test]
    fn a_target_s_reasons_replace_its_old_ones_and_no_others() {
        let mut reasons = Reasons::default();
        reasons.replace("aarch64", &skipped(&[("a", 1), ("b", 2)]));
        reasons.replace("s390x", &skipped(&[("b", 3)]));
        reasons.replace("aarch64", &skipped(&[("c", 4)]));
        let expected = "| skipped because | aarch64 | s390x |\n|---|--:|--:|\n\
                        | b |  | 3 |\n| c | 4 |  |\n";
        assert_eq!(reasons.render(), expected);
    }
}
