//! Targets for people: a table of all, or a page on one.

use super::model::Row;
use precast_compiler::{ALIASES, Support, Target};
use precast_format::target::Isa;
use precast_format::tunables::TrapMode;
use std::fmt::Write;

// Writing to a string does not fail, so the results of `writeln!` are dropped below.

/// The columns of the table.
const HEAD: [&str; 8] = [
    "target", "code", "bounds", "traps", "page", "SIMD", "threads", "object",
];

/// All targets and all shorter names.
pub fn all(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut lines = vec![HEAD.map(str::to_owned).to_vec()];
    lines.extend(rows.iter().map(line));
    columns(&mut text, &lines);
    let _ = writeln!(text, "\nhow it was tested");
    columns(
        &mut text,
        &rows
            .iter()
            .map(|row| vec![format!("  {}", row.triple), row.tested()])
            .collect::<Vec<_>>(),
    );
    for (head, bytecode) in [
        ("\nshorter names", false),
        ("\nmachines that interpret bytecode", true),
    ] {
        let _ = writeln!(text, "{head}");
        let lines = ALIASES.iter().filter_map(|alias| {
            let target = Target::new(alias.name).ok()?;
            let mut line = vec![format!("  {}", alias.name), alias.triple.to_owned()];
            if target.machine().is_some() {
                line.push(target.triple().to_string());
            }
            (target.machine().is_some() == bytecode).then_some(line)
        });
        columns(&mut text, &lines.collect::<Vec<_>>());
    }
    text.push_str(
        "\nOther triples of these architectures are taken as well; other machines with 32-bit or\n\
         64-bit pointers mean bytecode. `precast targets NAME` lists CPUs, CPU features and defaults.\n",
    );
    text
}

fn line(row: &Row) -> Vec<String> {
    let target = row.target();
    let code = match target.is_bytecode() {
        true => format!("{} bytecode", target.isa().name()),
        false => format!("{}, {}", target.isa().name(), target.host_abi().name()),
    };
    vec![
        row.triple.clone(),
        code,
        row.options.bounds_checks.name().to_owned(),
        row.options.trap_mode.name().to_owned(),
        row.page(),
        by_default(target, target.simd()),
        by_default(target, target.threads()),
        target.object_format().to_owned(),
    ]
}

/// What is there with the default CPU.
fn by_default(target: &Target, support: Support) -> String {
    match support {
        Support::WithFeature(feature) if target.has_feature(feature) => "yes".to_owned(),
        other => other.text(),
    }
}

/// One target with its CPUs and features.
pub fn one(row: &Row) -> String {
    let (target, options) = (row.target(), &row.options);
    let mut text = format!("{}\n", row.triple);
    let aliases: Vec<_> = row.aliases().collect();
    let mut facts = Vec::new();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            facts.push(vec![format!("  {name}"), value]);
        }
    };
    fact("also", aliases.join(", "));
    fact("note", target.note().unwrap_or_default());
    fact("tested", row.tested());
    fact(
        "code",
        format!(
            "{}, {}-bit pointers, {}-endian data, calls of the host by {}",
            target.isa().name(),
            8 * target.isa().pointer_width().bytes(),
            target.endianness().name(),
            target.host_abi().name(),
        ),
    );
    fact(
        "defaults",
        format!(
            "cpu {}, {} bounds checks, {} stack checks, traps by {}, {} relocations, page {}",
            target.default_cpu(),
            options.bounds_checks.name(),
            options.stack_checks.name(),
            match options.trap_mode {
                TrapMode::Signals if target.is_bytecode() => "its instructions",
                TrapMode::Signals => "signals",
                TrapMode::Explicit => "calls",
            },
            options.relocation_model.name(),
            row.page(),
        ),
    );
    for (name, support) in [
        ("SIMD", target.simd()),
        ("threads", target.threads()),
        ("exceptions", Support::Yes),
        ("guard pages", target.guard_pages()),
    ] {
        let value = match support {
            Support::No(reason) => format!("no: {} {reason}", target.isa().name()),
            Support::WithFeature(feature) if target.has_feature(feature) => {
                format!("yes, with +{feature} as by default")
            }
            other => other.text(),
        };
        fact(name, value);
    }
    fact("object", target.object_format().to_owned());
    columns(&mut text, &facts);
    if target.is_bytecode() {
        return text;
    }
    let _ = writeln!(text, "\nCPU features (--cpu-features)");
    paragraph(&mut text, target.isa());
    let _ = writeln!(
        text,
        "\nCPUs (--cpu), and the features that code for each uses"
    );
    let cpus = row.cpus().into_iter();
    let cpus = cpus.map(|(name, features)| vec![format!("  {name}"), features.join(" ")]);
    columns(&mut text, &cpus.collect::<Vec<_>>());
    text
}

/// The features of an instruction set, in lines.
fn paragraph(text: &mut String, isa: Isa) {
    let mut line = String::from(" ");
    for feature in isa.features() {
        if line.len() + feature.len() > 96 {
            let _ = writeln!(text, "{line}");
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(feature);
    }
    let _ = writeln!(text, "{line}");
}

/// Lines whose cells stand below each other.
fn columns(text: &mut String, lines: &[Vec<String>]) {
    let count = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(String::len).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    for line in lines {
        let mut row = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(row, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", row.trim_end());
    }
}
