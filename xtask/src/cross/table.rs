//! The table of targets, and why something was skipped.

use super::counts::Counts;
use super::scripts::Results;
use super::target::Target;
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

    /// Everything that is counted for the last line.
    fn counts(&self) -> impl Iterator<Item = &Counts> {
        let scripts = self.scripts.iter().map(|results| &results.scripts);
        let rest = [
            &self.programs,
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

/// Renders the table in Markdown, and below it the reasons.
pub fn render(rows: &[Row]) -> String {
    let mut text = String::from(
        "| target | scripts | assertions passed | failed | skipped | programs | loader tests | fault tests | linked programs | same bytes |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in rows {
        let name = row.target.name;
        let line = match &row.outcome {
            Err(counts) if counts.failures() > 0 => format!("| {name} | failed | | | | | | | | |"),
            Err(_) => format!("| {name} | skipped | | | | | | | | |"),
            Ok(measured) => line(name, measured),
        };
        let _ = writeln!(text, "{line}");
    }
    let mut reasons: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for row in rows {
        reasons.entry(why(row)).or_default().push(row.target.name);
    }
    for (why, targets) in reasons {
        if !why.is_empty() {
            let _ = writeln!(text, "\nSkipped on {}: {why}.", targets.join(", "));
        }
    }
    text
}

fn line(name: &str, measured: &Measured) -> String {
    let assertions = measured.assertions();
    let scripts: usize = measured.scripts.iter().map(|one| one.scripts.all()).sum();
    format!(
        "| {name} | {scripts} | {} | {} | {} | {} | {} | {} | {} | {} |",
        assertions.passed,
        assertions.failures(),
        assertions.skips(),
        share(measured.programs.as_ref()),
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

/// Why a target, or assertions and tests of it, were skipped.
fn why(row: &Row) -> String {
    let skipped = match &row.outcome {
        Err(counts) => counts.skipped.keys().cloned().collect(),
        Ok(measured) => {
            let one = |(reason, count): (&String, &usize)| format!("{count}: {reason}");
            let mut tests = Counts::default();
            for counts in [&measured.loader, &measured.faults].into_iter().flatten() {
                tests.add(counts.clone());
            }
            let both = [measured.assertions().skipped, tests.skipped];
            both.iter().flatten().map(one).collect::<Vec<_>>()
        }
    };
    skipped.join("; ")
}
