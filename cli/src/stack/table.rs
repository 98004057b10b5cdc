//! The report for people: what each export takes, and the deepest path function by function.

use super::model::{Defined, Model, Root, kind_name};
use super::obstacles;
use crate::flags::size::count;
use precast_format::libcall::LIBCALL_STACK;
use precast_format::stack_depth::StackDepth;
use std::fmt::Write;

// Writing to a string does not fail, so the results of `writeln!` are dropped below.

/// The whole report.
pub fn report(model: &Model, shown: Option<&Root>) -> String {
    let mut text = String::new();
    roots(&mut text, model);
    notes(&mut text, model);
    if !model.has_paths() {
        text.push_str("\nThe artifact was stripped, and does not tell paths.\n");
    } else if let Some(root) = shown.filter(|root| root.depth.is_some()) {
        path(&mut text, model, root);
    }
    obstacles(&mut text, model);
    text
}

/// The most obstacles that are listed.
const OBSTACLES: usize = 12;

fn obstacles(text: &mut String, model: &Model) {
    let all = obstacles::of(model);
    if all.is_empty() {
        return;
    }
    let defined = model.functions.iter().filter_map(|it| it.defined.as_ref());
    let bounded = |function: &&Defined| function.depth.is_some_and(|it| it.depth.is_some());
    let (total, bounded) = (defined.clone().count(), defined.filter(bounded).count());
    let (bounded, total) = (count(bounded), count(total));
    let _ = writeln!(
        text,
        "\n{bounded} of {total} functions have a bound; in the way are"
    );
    for obstacle in all.iter().take(OBSTACLES) {
        let _ = writeln!(text, "  {}", obstacle.text(model));
    }
    if let Some(more) = all.len().checked_sub(OBSTACLES).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {} more; --json has them all", count(more));
    }
}

fn bytes(number: u64) -> String {
    count(usize::try_from(number).unwrap_or(usize::MAX))
}

fn roots(text: &mut String, model: &Model) {
    if model.roots.is_empty() {
        text.push_str("no function is exported\n");
        return;
    }
    let width = model.roots.iter().map(|root| root.name().chars().count());
    let width = width.chain([6]).max().unwrap_or(6).min(40);
    let _ = writeln!(
        text,
        "{:width$} {:>11} {:>13}",
        "export", "bytes", "stack needed"
    );
    for root in &model.roots {
        let name = root.name();
        let function = |function| model.function_name(function);
        let _ = match root.depth {
            None => writeln!(text, "{name:width$} imported: its own module knows"),
            Some(StackDepth::Bytes { bytes: taken, .. }) => {
                let (taken, region) = (bytes(taken.into()), bytes(root.region.unwrap_or(0)));
                writeln!(text, "{name:width$} {taken:>11} {region:>13}")
            }
            Some(StackDepth::Recursion { function: place }) => writeln!(
                text,
                "{name:width$} no bound: {} can be called while it is active",
                function(place)
            ),
            Some(StackDepth::UnknownCallee { function: place }) => writeln!(
                text,
                "{name:width$} no bound: {} calls through a table that can hold functions of others",
                function(place)
            ),
        };
    }
}

fn notes(text: &mut String, model: &Model) {
    let bounded = |root: &Root| root.region.is_some();
    if model.roots.iter().any(bounded) {
        let _ = writeln!(
            text,
            "\nstack needed = bytes + {} unchecked below the limit + {} for libcalls + alignment",
            bytes(model.stack_reserve.into()),
            bytes(LIBCALL_STACK.into()),
        );
    }
    let leaves = |root: &Root| matches!(root.depth, Some(StackDepth::Bytes { imports: true, .. }));
    if model.roots.iter().any(leaves) {
        text.push_str(
            "imported functions count to the border: what they call back, or take in another instance,\n\
             comes on top\n",
        );
    }
}

fn path(text: &mut String, model: &Model, root: &Root) {
    let path = model.path(root);
    let heading = match root.region {
        Some(_) => "deepest path of",
        None => "in the way of a bound for",
    };
    let _ = writeln!(text, "\n{heading} {}", root.name());
    let _ = writeln!(text, "{:>9} {:>11}  function", "frame", "total");
    for place in &path {
        let name = match place.function {
            Some(function) => model.function_name(function),
            None => "(entry trampoline)",
        };
        let total = place
            .total
            .map_or("".to_owned(), |total| bytes(total.into()));
        let mut remarks: Vec<&str> = Vec::new();
        remarks.extend(place.kind.map(kind_name).filter(|name| !name.is_empty()));
        let imported = |function: u32| {
            let function = model.functions.get(function as usize);
            function.is_some_and(|function| function.defined.is_none())
        };
        if place.function.is_some_and(imported) {
            remarks.push("imported: its adapter");
        }
        if place.again {
            remarks.push("again");
        }
        let remarks = match remarks.is_empty() {
            true => String::new(),
            false => format!("  ({})", remarks.join(", ")),
        };
        let frame = bytes(place.frame.into());
        let _ = writeln!(text, "{frame:>9} {total:>11}  {name}{remarks}");
    }
    if let Some(StackDepth::UnknownCallee { .. }) = root.depth {
        let _ = writeln!(text, "{:>9} {:>11}  ?  (through a table)", "", "");
    }
}
