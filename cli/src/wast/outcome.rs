//! What came of a script: assertions passed, failed and skipped, with the reasons.

use super::stack::StackFigures;
use std::collections::BTreeMap;
use std::fmt::Write;

/// An assertion that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The line of the script, counted from one.
    pub line: usize,
    /// What was expected and what happened.
    pub message: String,
}

/// The results of one script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Assertions that held.
    pub passed: usize,
    /// Assertions, and modules and calls between them, that failed.
    pub failed: Vec<Failed>,
    /// Assertions about modules that need an unsupported feature, by the compiler's reason.
    pub skipped: BTreeMap<String, usize>,
    /// What calls used of stacks that had a bound.
    pub stack: StackFigures,
}

impl Report {
    /// How many assertions were skipped.
    pub fn skipped_count(&self) -> usize {
        self.skipped.values().sum()
    }

    /// Adds the results of another script or thread.
    pub fn add(&mut self, other: Report) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
        self.stack.add(other.stack);
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
    }

    pub(super) fn fail(&mut self, line: usize, message: String) {
        self.failed.push(Failed { line, message });
    }

    pub(super) fn skip(&mut self, reason: &str) {
        *self.skipped.entry(reason.to_owned()).or_default() += 1;
    }

    /// The results in sentences: a line for each failure, then a sum.
    pub fn text(&self, name: &str) -> String {
        let mut text = String::new();
        for failed in &self.failed {
            let _ = writeln!(text, "{name}:{}: {}", failed.line, failed.message);
        }
        let (failed, skipped) = (self.failed.len(), self.skipped_count());
        let _ = write!(
            text,
            "{name}: {} passed, {failed} failed, {skipped} skipped",
            self.passed
        );
        for (at, (reason, count)) in self.skipped.iter().enumerate() {
            let before = if at == 0 { " (" } else { "; " };
            let _ = write!(text, "{before}{count}: {reason}");
        }
        text.push_str(if self.skipped.is_empty() { "\n" } else { ")\n" });
        text
    }

    pub(super) fn json(&self, name: &str) -> serde_json::Value {
        let failed: Vec<_> = self
            .failed
            .iter()
            .map(|failed| serde_json::json!({ "line": failed.line, "message": failed.message }))
            .collect();
        serde_json::json!({
            "script": name,
            "passed": self.passed,
            "failed": failed,
            "skipped": self.skipped,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_add_up() {
        let mut one = Report {
            passed: 2,
            ..Report::default()
        };
        one.skip("threads");
        let mut two = Report::default();
        two.skip("threads");
        two.fail(7, "expected 1, got 2".into());
        one.add(two);
        assert_eq!(one.skipped_count(), 2);
        assert_eq!(
            one.text("a.wast"),
            "a.wast:7: expected 1, got 2\na.wast: 2 passed, 1 failed, 2 skipped (2: threads)\n"
        );
    }
}
