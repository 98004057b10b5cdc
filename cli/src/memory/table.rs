//! Figures as text for people: one line per category, a sum per lifetime.

use super::model::{self, Growth, Model, OfCategory, Source};
use super::profile::Profile;
use crate::flags::memory::Allocation;
use crate::flags::size;
use precast_loader::Lifetime;
use std::fmt::Write;

/// Width of the column of lifetimes, and of what stands in its place.
const FIRST: usize = 12;

/// Width of the column of categories.
const SECOND: usize = 22;

/// Width of a number.
const NUMBER: usize = 14;

// Writing to a string does not fail, so the results of `writeln!` are dropped below.

/// What a program will take.
pub fn plan(model: &Model) -> String {
    let mut text = String::new();
    head(&mut text, ["lifetime", "category"], &["blocks", "bytes"]);
    let cells = |row: &model::Row| {
        let remark = match (model.allocation, row.source) {
            (Allocation::Pool, Source::Platform) => "  not in the pool",
            _ => "",
        };
        (row.bytes > 0).then_some(([row.blocks, row.bytes], remark))
    };
    lifetimes(&mut text, &model.rows, cells);
    head(&mut text, ["", "after"], &["bytes", "peak"]);
    for stage in &model.stages {
        let cells = [stage.bytes, stage.peak].map(number);
        line(&mut text, ["", stage.name], &cells, "");
    }
    text.push('\n');
    for item in &model.growth {
        let _ = writeln!(text, "{:<FIRST$}{}", item.what, growth(item));
    }
    if let Some(bytes) = model.pool {
        let bytes = number(bytes);
        let _ = writeln!(text, "{:<FIRST$}{bytes} bytes are enough", "pool");
    }
    for note in &model.notes {
        let _ = writeln!(text, "{:<FIRST$}{note}", "note");
    }
    // A program may have nothing that grows.
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn growth(growth: &Growth) -> String {
    let initial = number(growth.initial);
    match growth.limit {
        Some(limit) => format!("{initial} bytes, grows to {}", number(limit)),
        None => format!("{initial} bytes, grows without a limit of its own"),
    }
}

/// What a run took.
pub fn profile(profile: &Profile) -> String {
    let mut text = String::new();
    head(
        &mut text,
        ["lifetime", "category"],
        &["blocks", "bytes", "peak"],
    );
    let cells = |usage: &model::Usage| {
        let cells = [usage.blocks, usage.current, usage.peak];
        (usage.peak > 0).then_some((cells, ""))
    };
    lifetimes(&mut text, &profile.categories, cells);
    let mut figures = |name: &str, figures: String| {
        let _ = writeln!(text, "{name:<FIRST$}{figures}");
    };
    for memory in &profile.memories {
        let min = number(memory.declared_min);
        let declared = match memory.declared_max {
            Some(max) if max > memory.declared_min => format!("{min} to {}", number(max)),
            Some(_) => min,
            None => format!("{min} or more"),
        };
        let committed = number(memory.committed as u64);
        let resident = match memory.resident {
            Some(bytes) => format!(", resident {}", number(bytes as u64)),
            None => String::new(),
        };
        figures(
            &format!("memory {}", memory.index),
            format!("declared {declared}, committed {committed}{resident} bytes"),
        );
    }
    for table in &profile.tables {
        let (elements, bytes) = (number(table.elements as u64), number(table.bytes as u64));
        figures(
            &format!("table {}", table.index),
            format!("{elements} elements, {bytes} bytes"),
        );
    }
    if let Some(heap) = profile.app_heap {
        figures("app heap", of(heap.peak, heap.size, heap.used));
    }
    if let Some(stack) = profile.aux_stack {
        let size = number(stack.size);
        let used = match stack.high_water {
            Some(peak) => format!("at most {} of {size} bytes", number(peak)),
            None => format!("{size} bytes, not measured"),
        };
        figures("C stack", used);
    }
    if let Some(bytes) = profile.native_stack {
        figures("stack", format!("at most {} bytes", size::count(bytes)));
    }
    if let Some(pool) = profile.pool {
        let current = pool.capacity - pool.free;
        figures("pool", of(pool.peak, pool.capacity, current));
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// How far something was filled, and how far it is now.
fn of(peak: usize, size: usize, current: usize) -> String {
    let [peak, size, current] = [peak, size, current].map(size::count);
    format!("at most {peak} of {size} bytes, {current} at the end")
}

/// The lines of all lifetimes that take something, and of their sum.
fn lifetimes<const N: usize, T: OfCategory>(
    text: &mut String,
    items: &[T],
    cells: impl Fn(&T) -> Option<([u64; N], &'static str)>,
) {
    let mut total = [0; N];
    for lifetime in Lifetime::ALL {
        let mut name = lifetime.name();
        let (mut sum, mut lines) = ([0; N], 0);
        for item in model::of_lifetime(items, *lifetime) {
            let Some((numbers, remark)) = cells(item) else {
                continue;
            };
            add(&mut sum, numbers);
            lines += 1;
            let category = item.category().name();
            line(text, [name, category], &numbers.map(number), remark);
            // The name stands in the first line.
            name = "";
        }
        if lines > 1 {
            line(text, ["", "  in all"], &sum.map(number), "");
        }
        add(&mut total, sum);
    }
    line(text, ["sum", ""], &total.map(number), "");
    text.push('\n');
}

fn add<const N: usize>(sum: &mut [u64; N], numbers: [u64; N]) {
    for (sum, number) in sum.iter_mut().zip(numbers) {
        *sum = sum.saturating_add(number);
    }
}

fn head(text: &mut String, names: [&str; 2], columns: &[&str]) {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    line(text, names, &columns, "");
}

fn line(text: &mut String, [first, second]: [&str; 2], cells: &[String], remark: &str) {
    let mut line = format!("{first:<FIRST$}{second:<SECOND$}");
    for cell in cells {
        let _ = write!(line, "{cell:>NUMBER$}");
    }
    line.push_str(remark);
    let _ = writeln!(text, "{}", line.trim_end());
}

/// A number with its thousands apart.
fn number(number: u64) -> String {
    size::count(usize::try_from(number).unwrap_or(usize::MAX))
}
