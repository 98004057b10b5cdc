//! `cargo xtask sizes`: how many bytes of a device's flash and RAM the loader takes.
//!
//! The smallest program that embeds it (`examples/minimal`) is linked for each target and set of the
//! loader's facilities, as a device's firmware would be, and the linker's output is counted. The
//! table goes into `docs/sizes.md`. The same output shows whether a panic can be reached: if none can,
//! the linker has left the handler of panics out.

mod count;
mod link;
mod list;
mod table;

use crate::{Outcome, cargo, markers};
use clap::Args;
use count::Sizes;
use list::{SETS, Set, TARGETS, Target};
use std::fs;

/// What `cargo xtask sizes` is asked for.
#[derive(Args)]
pub struct SizesArguments {
    /// Links for this target only; the page is left alone.
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Links this set of facilities only; the page is left alone.
    #[arg(long, value_name = "NAME")]
    set: Option<String>,
    /// Shows the largest symbols of each program, so many of them.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    symbols: usize,
}

/// A program that was linked and counted.
struct Row {
    target: &'static Target,
    set: &'static Set,
    sizes: Sizes,
}

/// Links and counts, prints and records.
pub fn run(arguments: &SizesArguments) -> Outcome {
    let mut rows = Vec::new();
    let mut skipped = Vec::new();
    for target in TARGETS {
        if arguments
            .target
            .as_ref()
            .is_some_and(|name| name != target.triple)
        {
            continue;
        }
        if let Some(reason) = link::missing(target) {
            skipped.push(format!("{}: {reason}", target.triple));
            continue;
        }
        for set in SETS.iter().filter(|set| set.is_for(target)) {
            if arguments.set.as_ref().is_some_and(|name| name != set.name) {
                continue;
            }
            let program = link::link(target, set)?;
            let file =
                fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
            let sizes = count::count(&file)?;
            if arguments.symbols > 0 {
                println!("{} {}", target.triple, set.name);
                sizes.print_largest(arguments.symbols);
            }
            rows.push(Row { target, set, sizes });
        }
    }
    let text = table::render(&rows);
    print!("{text}");
    for reason in &skipped {
        println!("skipped: {reason}");
    }
    let is_all = arguments.target.is_none() && arguments.set.is_none() && skipped.is_empty();
    if is_all {
        markers::replace(&cargo::root()?.join("docs/sizes.md"), "sizes", &text)?;
    }
    held(&rows)
}

/// How panics of the interpreter's crate and of the one for signatures begin.
const KNOWN_PANICS: &[&str] = &["18panic_bounds_check", "5panic", "9panic_fmt"];

/// What a change must not break: the most text, and that no panic can be reached.
fn held(rows: &[Row]) -> Outcome {
    let mut broken = Vec::new();
    for row in rows {
        let (triple, name) = (row.target.triple, row.set.name);
        let text = row.sizes.text;
        if let Some(most) = row
            .set
            .most_text
            .filter(|most| row.target.is_held && text > *most)
        {
            broken.push(format!(
                "{triple} {name}: text is {text} bytes, {most} are the most"
            ));
        }
        let is_known = |panic: &&String| {
            let mut known = KNOWN_PANICS.iter();
            row.set.has_panics && known.any(|end| panic.ends_with(end))
        };
        let panics: Vec<&String> = row.sizes.panics.iter().filter(|it| !is_known(it)).collect();
        if !panics.is_empty() {
            broken.push(format!(
                "{triple} {name}: panics can be reached: {panics:?}"
            ));
        }
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(broken.join("\n"))
    }
}
