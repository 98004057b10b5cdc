//! The tables of `docs/sizes.md`.

use super::Row;
use std::collections::BTreeSet;
use std::fmt::Write;

/// All tables.
pub fn render(rows: &[Row]) -> String {
    let mut text = String::from(
        "| target | facilities | text | data | bss | panics |\n|---|---|---:|---:|---:|---:|\n",
    );
    for row in rows {
        let sizes = &row.sizes;
        let line = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            row.target.triple,
            row.set.name,
            grouped(sizes.text),
            grouped(sizes.data),
            grouped(sizes.bss),
            sizes.panics.len(),
        );
        line.expect("a string takes all");
    }
    text.push('\n');
    text.push_str(&parts(rows));
    text
}

/// Bytes of text per part, one column for each program with nothing but backtraces.
fn parts(rows: &[Row]) -> String {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.set.has_parts).collect();
    let names: BTreeSet<&String> = rows.iter().flat_map(|row| row.sizes.parts.keys()).collect();
    let mut text = String::from("| part of the text |");
    for row in &rows {
        let architecture = row.target.triple.split('-').next().unwrap_or_default();
        let _ = write!(text, " {architecture} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---:|".repeat(rows.len()));
    text.push('\n');
    for name in names {
        let _ = write!(text, "| {name} |");
        for row in &rows {
            let size = row.sizes.parts.get(name).copied().unwrap_or_default();
            let _ = write!(text, " {} |", grouped(size));
        }
        text.push('\n');
    }
    text
}

/// A number with commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
