//! Calls and time per function, as `precast run --call-profile` tells them.

use crate::failure::Failure;
use crate::flags::memory::Destination;
use crate::flags::profile::{CallFormat, CallProfileFlags};
use crate::{Outcome, output};
use precast_loader::{CallObserver, CallProfile, Instance, InstanceOptions, Module, Printable};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
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

/// What instances that are gone counted: those of the program's threads.
static GONE: Mutex<Sum> = Mutex::new(Sum {
    rows: Vec::new(),
    paths: BTreeMap::new(),
    paths_are_missing: false,
});

/// The figures of several instances of one module.
#[derive(Default)]
struct Sum {
    /// By function index; functions that were not called have a row, too.
    rows: Vec<Row>,
    /// Nanoseconds at the end of each path.
    paths: BTreeMap<String, u128>,
    paths_are_missing: bool,
}

/// The options of an instance whose counts are wanted.
pub fn instance_options(flags: &CallProfileFlags, options: InstanceOptions) -> InstanceOptions {
    if flags.destination().is_none() {
        return options;
    }
    let tell = |_: usize, profile: &CallProfile<'_>| gone().add(profile);
    options
        .call_paths(flags.call_paths())
        .call_observer(CallObserver::new(0, tell))
}

fn gone() -> MutexGuard<'static, Sum> {
    GONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells what an instance counted and those of the same module that are gone, where the command line
/// asks for it.
pub fn report(flags: &CallProfileFlags, instance: &Instance) -> Outcome<()> {
    let Some(destination) = flags.destination() else {
        return Ok(());
    };
    let mut sum = std::mem::take(&mut *gone());
    // Nobody else is inside once the calls have returned.
    if let Ok(Some(profile)) = instance.call_profile() {
        sum.add(&profile);
    }
    if sum.paths_are_missing {
        note(
            "there were more paths of calls than are told apart; the rest counts for their callers",
        );
    }
    let module = instance.module();
    let text = match flags.format() {
        CallFormat::Table => table(module, &sum.sorted()),
        CallFormat::Json => format!("{:#}\n", json(module, &sum.sorted())),
        CallFormat::Folded => {
            let lines = sum.paths.iter();
            lines
                .map(|(path, time)| format!("{path} {time}\n"))
                .collect()
        }
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

impl Sum {
    /// Adds the figures of an instance.
    fn add(&mut self, profile: &CallProfile<'_>) {
        for function in profile.functions() {
            let place = function.index as usize;
            if self.rows.len() <= place {
                self.rows.resize(place + 1, Row::default());
            }
            let row = &mut self.rows[place];
            row.index = function.index;
            row.calls += function.calls;
            row.active += function.active;
            row.total += function.total;
            row.own += function.own;
        }
        self.paths_are_missing |= profile.paths_are_missing();
        for path in profile.paths().filter(|path| !path.own().is_zero()) {
            let mut names: Vec<String> = path
                .functions()
                // The separator must not be in a name.
                .map(|index| name(profile.module(), index).replace(';', ":"))
                .collect();
            names.reverse();
            *self.paths.entry(names.join(";")).or_default() += path.own().as_nanos();
        }
    }

    /// The functions that were called, those that took most time first.
    fn sorted(self) -> Vec<Row> {
        let mut rows = self.rows;
        rows.retain(|row| row.calls != 0);
        rows.sort_by(|one, other| {
            let key = |row: &Row| (row.own, row.calls, row.total);
            let order = key(other).cmp(&key(one));
            order.then(one.index.cmp(&other.index))
        });
        rows
    }
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
