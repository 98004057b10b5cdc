//! The table of targets: what came of each.

use super::counts::Counts;
use super::reasons::Reasons;
use super::scripts::Results;
use super::target::{TARGETS, Target};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What came of a target.
pub struct Row {
    /// The target.
    pub target: &'static Target,
    /// The results, or why there are none.
    pub outcome: Result<Measured, Counts>,
}

/// The results of a target.
#[derive(Default)]
pub struct Measured {
    /// Scripts of the specification, by configuration.
    pub scripts: Vec<Results>,
    /// Programs of the corpus.
    pub programs: Option<Counts>,
    /// The bundle.
    pub bundle: Option<Counts>,
    /// Tests of the loader.
    pub loader: Option<Counts>,
    /// Tests of faults.
    pub faults: Option<Counts>,
    /// Programs with modules linked into them.
    pub linked: Option<Counts>,
    /// Programs that were compiled on the target.
    pub same_bytes: Option<Counts>,
}

impl Measured {
    fn assertions(&self) -> Counts {
        let mut sum = Counts::default();
        let all = self
            .scripts
            .iter()
            .map(|results| results.assertions.clone());
        all.for_each(|counts| sum.add(counts));
        sum
    }

    /// Why assertions, programs and tests were skipped, and how often.
    fn skipped(&self) -> BTreeMap<String, usize> {
        let mut sum = self.assertions();
        let rest = [&self.programs, &self.loader, &self.faults, &self.same_bytes];
        let rest = rest.into_iter().flatten();
        rest.for_each(|counts| sum.add(counts.clone()));
        sum.skipped
    }

    /// Everything that is counted for the last line.
    fn counts(&self) -> impl Iterator<Item = &Counts> {
        let scripts = self.scripts.iter().map(|results| &results.scripts);
        let rest = [
            &self.programs,
            &self.bundle,
            &self.loader,
            &self.faults,
            &self.linked,
            &self.same_bytes,
        ];
        scripts.chain(rest.into_iter().flatten())
    }
}

impl Row {
    /// The sum for the last line.
    pub fn sum(&self) -> Counts {
        match &self.outcome {
            Err(counts) => counts.clone(),
            Ok(measured) => {
                let mut sum = Counts::default();
                measured.counts().for_each(|counts| sum.add(counts.clone()));
                sum
            }
        }
    }

    /// What failed, and what was skipped as a whole.
    pub fn complaints(&self) -> impl Iterator<Item = String> {
        let sum = self.sum();
        let reasons: Vec<String> = match &self.outcome {
            Err(counts) => counts
                .skipped
                .keys()
                .map(|reason| format!("skipped: {reason}"))
                .collect(),
            Ok(_) => Vec::new(),
        };
        sum.failed
            .into_iter()
            .map(|message| format!("failed: {message}"))
            .chain(reasons)
    }
}

const HEADER: &str = "| target | commit | scripts | assertions passed | failed | skipped | programs | bundle | loader tests | fault tests | linked programs | same bytes |\n\
                      |---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";

/// Renders the table in Markdown, and why something was skipped. Of targets that were not measured, what an
/// older text says stays.
pub fn render(rows: &[Row], older: &str, commit: &str) -> String {
    let older = older.strip_prefix(HEADER).unwrap_or_default();
    let mut reasons = Reasons::read(older);
    let mut text = HEADER.to_owned();
    for target in TARGETS {
        let begin = format!("| {} |", target.name);
        let stays = older.lines().find(|line| line.starts_with(&begin));
        let row = rows.iter().find(|row| row.target.name == target.name);
        let line = match (row.map(|row| &row.outcome), stays) {
            (Some(Ok(measured)), _) => {
                reasons.replace(target.name, &measured.skipped());
                line(&begin, commit, measured)
            }
            // What was measured before says more than that it could not be now.
            (Some(Err(counts)), Some(stays)) if counts.failures() == 0 => stays.to_owned(),
            (Some(Err(counts)), _) => {
                reasons.replace(target.name, &counts.skipped);
                let what = if counts.failures() > 0 {
                    "failed"
                } else {
                    "skipped"
                };
                format!("{begin} {commit} | {what} |{}", " |".repeat(9))
            }
            (None, Some(stays)) => stays.to_owned(),
            (None, None) => continue,
        };
        let _ = writeln!(text, "{line}");
    }
    let reasons = reasons.render();
    if !reasons.is_empty() {
        let _ = write!(text, "\n{reasons}");
    }
    text
}

fn line(begin: &str, commit: &str, measured: &Measured) -> String {
    let assertions = measured.assertions();
    let scripts: usize = measured.scripts.iter().map(|one| one.scripts.all()).sum();
    format!(
        "{begin} {commit} | {scripts} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        assertions.passed,
        assertions.failures(),
        assertions.skips(),
        share(measured.programs.as_ref()),
        share(measured.bundle.as_ref()),
        share(measured.loader.as_ref()),
        share(measured.faults.as_ref()),
        share(measured.linked.as_ref()),
        share(measured.same_bytes.as_ref()),
    )
}

/// How many passed of how many were tried.
fn share(counts: Option<&Counts>) -> String {
    match counts {
        Some(counts) => format!("{} of {}", counts.passed, counts.passed + counts.failures()),
        None => "–".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, outcome: Result<Measured, Counts>) -> Row {
        let target = TARGETS.iter().find(|target| target.name == name);
        let target = target.expect("it is in the list");
        Row { target, outcome }
    }

    #[test]
    fn rows_stay_until_they_are_measured_again() {
        let both = [
            row("s390x", Ok(Measured::default())),
            row("aarch64", Ok(Measured::default())),
        ];
        let first = render(&both, "", "1111111");
        let names: Vec<_> = first.lines().skip(2).map(|line| &line[..12]).collect();
        assert_eq!(names, ["| aarch64 | ", "| s390x | 11"]);
        let again = [
            row("aarch64", Ok(Measured::default())),
            row("s390x", Err(Counts::skipped("no emulator".into()))),
        ];
        let second = render(&again, &first, "2222222");
        assert!(second.contains("| aarch64 | 2222222 |"), "{second}");
        assert!(second.contains("| s390x | 1111111 |"), "{second}");
        let failed = [row(
            "s390x",
            Err(Counts::failed("it does not build".into())),
        )];
        let third = render(&failed, &second, "3333333");
        assert!(third.contains("| s390x | 3333333 | failed |"), "{third}");
        // A table of another form is not continued.
        assert_eq!(render(&[], "| target |\n| aarch64 |\n", ""), HEADER);
    }
}
