//! Calls and time per function, as `precast run --call-profile` tells them.

use crate::failure::Failure;
use crate::flags::memory::Destination;
use crate::flags::profile::{CallFormat, CallProfileFlags};
use crate::{Outcome, output};
use precast_loader::{Instance, Module, Printable};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// What was counted of a function, over all instances of the module.
#[derive(Clone, Default)]
struct Row {
    index: u32,
    calls: u64,
    active: u64,
    total: Duration,
    own: Duration,
}

/// Refuses a program that cannot tell what the command line asks for.
pub fn check(flags: &CallProfileFlags, module: &Module) -> Outcome<()> {
    if flags.destination().is_some() && !module.counts_calls() {
        return Err(Failure::new(
            "the artifact does not count calls; compile it with --call-profile",
        ));
    }
    Ok(())
}

/// Tells what was counted, where the command line asks for it. The instances are of one module: the
/// program's own, and those of its threads.
pub fn report(flags: &CallProfileFlags, instances: &[&Instance]) -> Outcome<()> {
    let Some(destination) = flags.destination() else {
        return Ok(());
    };
    let Some(first) = instances.first() else {
        return Ok(());
    };
    let rows = rows(instances);
    let module = first.module();
    let text = match flags.format() {
        CallFormat::Table => table(module, &rows),
        CallFormat::Json => format!("{:#}\n", json(module, &rows)),
        CallFormat::Folded => folded(instances),
    };
    match destination {
        Destination::File(path) => output::write(path, text.as_bytes()),
        Destination::StandardError => {
            // The program has run; a table that nobody can read is no failure.
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
            Ok(())
        }
    }
}

/// The functions that were called, those that took most time first.
fn rows(instances: &[&Instance]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for instance in instances {
        // Nobody else is inside once the calls have returned.
        let Ok(Some(profile)) = instance.call_profile() else {
            continue;
        };
        for function in profile.functions() {
            let place = function.index as usize;
            if rows.len() <= place {
                rows.resize(place + 1, Row::default());
            }
            let row = &mut rows[place];
            row.index = function.index;
            row.calls += function.calls;
            row.active += function.active;
            row.total += function.total;
            row.own += function.own;
        }
    }
    rows.retain(|row| row.calls != 0);
    rows.sort_by(|one, other| {
        let key = |row: &Row| (row.own, row.calls, row.total);
        let order = key(other).cmp(&key(one));
        order.then(one.index.cmp(&other.index))
    });
    rows
}

/// The name of a function; an import's with the module that it is from.
fn name(module: &Module, index: u32) -> String {
    if let Some((from, name)) = module.imported_function(index) {
        return format!("{}.{}", Printable(from), Printable(name));
    }
    match module.function_name(index) {
        Some(name) => Printable(name).to_string(),
        None => format!("function {index}"),
    }
}

/// Paths of calls, the outermost function first, with the time at their end.
fn folded(instances: &[&Instance]) -> String {
    let mut paths: BTreeMap<String, u128> = BTreeMap::new();
    for instance in instances {
        let Ok(Some(profile)) = instance.call_profile() else {
            continue;
        };
        if profile.paths_are_missing() {
            note(
                "there were more paths of calls than are told apart; the rest counts for their callers",
            );
        }
        let module = instance.module();
        for path in profile.paths().filter(|path| !path.own().is_zero()) {
            let mut names: Vec<String> = path
                .functions()
                // The separator must not be in a name.
                .map(|index| name(module, index).replace(';', ":"))
                .collect();
            names.reverse();
            *paths.entry(names.join(";")).or_default() += path.own().as_nanos();
        }
    }
    let lines = paths.iter();
    lines
        .map(|(path, time)| format!("{path} {time}\n"))
        .collect()
}

/// Tells the user something on standard error; where nobody listens, that is no failure.
fn note(message: &str) {
    let _ = writeln!(std::io::stderr(), "note: {message}");
}

/// A table for people.
fn table(module: &Module, rows: &[Row]) -> String {
    let own: Duration = rows.iter().map(|row| row.own).sum();
    let calls: u64 = rows.iter().map(|row| row.calls).sum();
    let mut text = format!(
        "{:>12}  {:>12}  {:>6}  {:>12}  function\n",
        "calls", "self", "", "total"
    );
    // Writing to a string does not fail.
    for row in rows {
        let share = row.own.as_secs_f64() / own.as_secs_f64().max(f64::MIN_POSITIVE) * 100.0;
        let _ = writeln!(
            text,
            "{:>12}  {:>12}  {share:>5.1}%  {:>12}  {}{}",
            row.calls,
            time(row.own),
            time(row.total),
            name(module, row.index),
            if row.active == 0 { "" } else { " (not ended)" },
        );
    }
    let _ = writeln!(text, "{calls:>12}  {:>12}  {:>22}all", time(own), "");
    text
}

/// A time with three digits or a little more.
fn time(time: Duration) -> String {
    match time.as_nanos() {
        nanoseconds @ ..10_000 => format!("{nanoseconds} ns"),
        10_000..10_000_000 => format!("{:.1} us", time.as_secs_f64() * 1e6),
        10_000_000..10_000_000_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.2} s", time.as_secs_f64()),
    }
}

fn json(module: &Module, rows: &[Row]) -> Value {
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let import = module.imported_function(row.index);
            json!({
                "index": row.index,
                "name": import.map(|(_, name)| name).or(module.function_name(row.index)),
                "imported_from": import.map(|(from, _)| from),
                "calls": row.calls,
                "active": row.active,
                "self_nanoseconds": row.own.as_nanos() as u64,
                "total_nanoseconds": row.total.as_nanos() as u64,
            })
        })
        .collect();
    json!({ "module": module.name(), "functions": rows })
}
