//! `FORMAT.md` says what the code does: its tables are held against the code's lists.
//!
//! The last column of each table is prose and belongs to the page; all others belong to the code.
//! `BLESS=1` writes the tables anew, keeping the prose of rows whose name stays.

use std::collections::BTreeMap;
use std::path::Path;

use precast_format::aux_stack::{AuxStackBounds, AuxStackEvidence};
use precast_format::context::{ActivationField, ExceptionField, Field, FunctionRecord, TagRecord};
use precast_format::features::WasmFeature;
use precast_format::layout::{self, RECORDS, SectionId};
use precast_format::libcall::{Libcall, LibcallType};
use precast_format::relocation::{RelocationKind, SymbolKind};
use precast_format::static_module::FIELDS;
use precast_format::target::{Endianness, HostAbi, Isa};
use precast_format::trap::TrapCode;
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode};
use precast_format::types::{ExternKind, ValueType};

/// What a table has to say: the line that comes before it, and the cells without prose.
struct Expected {
    /// The last heading or record line before the table.
    place: String,
    /// The cells of each row, without the last column. One cell is a name in backticks.
    rows: Vec<Vec<String>>,
}

fn expected(place: &str, rows: impl IntoIterator<Item = Vec<String>>) -> Expected {
    Expected {
        place: place.into(),
        rows: rows.into_iter().collect(),
    }
}

macro_rules! row {
    ($($cell:expr),*) => { vec![$($cell.to_string()),*] };
}

fn code(name: &str) -> String {
    format!("`{name}`")
}

fn all_tables() -> Vec<Expected> {
    let mut tables: Vec<_> = RECORDS
        .iter()
        .map(|record| {
            let place = format!("Record `{}`, {} bytes:", record.name, record.size);
            let fields = record.fields.iter();
            expected(
                &place,
                fields.map(|f| row![f.offset, f.size, code(&f.name.to_ascii_lowercase())]),
            )
        })
        .collect();
    // One table for the section table's record, another for the sections.
    let sections = SectionId::ALL
        .iter()
        .map(|id| row![*id as u32, code(id.name()), id.unit()]);
    tables.push(expected("### Sections", sections));
    tables.push(expected(
        "### Instruction sets",
        Isa::ALL.iter().map(|isa| {
            let order = isa.endianness().map_or("either", Endianness::name);
            row![
                *isa as u8,
                code(isa.name()),
                isa.pointer_width().bytes(),
                order
            ]
        }),
    ));
    let orders = Endianness::ALL
        .iter()
        .map(|order| row![*order as u8, code(order.name())]);
    tables.push(expected("### Byte orders", orders));
    let abis = HostAbi::ALL
        .iter()
        .map(|abi| row![*abi as u8, code(abi.name())]);
    tables.push(expected("### Host ABIs", abis));
    let features = WasmFeature::ALL
        .iter()
        .map(|f| row![*f as u8, code(f.name())]);
    tables.push(expected("### Wasm features", features));
    let rows = BoundsChecks::ALL
        .iter()
        .map(|value| row![*value as u8, code(value.name())]);
    tables.push(expected("### Bounds checks", rows));
    let rows = StackChecks::ALL
        .iter()
        .map(|value| row![*value as u8, code(value.name())]);
    tables.push(expected("### Stack checks", rows));
    let rows = TrapMode::ALL
        .iter()
        .map(|value| row![*value as u8, code(value.name())]);
    tables.push(expected("### Trap modes", rows));
    let rows = RelocationModel::ALL
        .iter()
        .map(|value| row![*value as u8, code(value.name())]);
    tables.push(expected("### Relocation models", rows));
    let rows = AuxStackEvidence::ALL
        .iter()
        .map(|value| row![*value as u8, code(value.name())]);
    tables.push(expected("### Evidence of the stack pointer", rows));
    let rows = AuxStackBounds::ALL
        .iter()
        .map(|value| row![*value as u8, code(value.name())]);
    tables.push(expected("### Evidence of the bounds", rows));
    tables.push(expected("## Kinds, flags and modes", small_numbers()));
    let rows = ValueType::ALL
        .iter()
        .map(|ty| row![format!("{:#x}", ty.raw()), code(ty.name())]);
    tables.push(expected("## Value types", rows));
    tables.push(expected("### Operations", operations()));
    tables.push(expected(
        "### Relocation kinds",
        RelocationKind::ALL.iter().map(|kind| {
            let isa = kind.isa().map_or("every", Isa::name);
            row![
                *kind as u8,
                code(kind.name()),
                kind.width(),
                kind.alignment(),
                isa
            ]
        }),
    ));
    tables.push(expected(
        "### Trap codes",
        TrapCode::ALL
            .iter()
            .map(|trap| row![*trap as u8, code(trap.name()), trap.message()]),
    ));
    let fields = Field::ALL
        .iter()
        .map(|field| row![field.words_below(), code(field.name())]);
    tables.push(expected("### Fixed fields", fields));
    let fields = ActivationField::ALL.iter().enumerate();
    tables.push(expected(
        "### Activation",
        fields.map(|(i, f)| row![i, code(f.name())]),
    ));
    let fields = FunctionRecord::ALL.iter().enumerate();
    tables.push(expected(
        "### Function record",
        fields.map(|(i, f)| row![i, code(f.name())]),
    ));
    let fields = TagRecord::ALL.iter().enumerate();
    tables.push(expected(
        "### Tag record",
        fields.map(|(i, f)| row![i, code(f.name())]),
    ));
    let fields = ExceptionField::ALL.iter().enumerate();
    tables.push(expected(
        "### Exceptions",
        fields.map(|(i, f)| row![i, code(f.name())]),
    ));
    let fields = FIELDS
        .iter()
        .map(|field| row![field.offset_32, field.offset_64, code(field.name)]);
    tables.push(expected("### Static module", fields));
    tables.push(expected(
        "## Libcalls",
        Libcall::ALL.iter().map(|call| libcall_row(*call)),
    ));
    tables
}

fn small_numbers() -> Vec<Vec<String>> {
    let mut rows: Vec<_> = ExternKind::ALL
        .iter()
        .map(|kind| row!["import, export", *kind as u8, code(kind.name())])
        .collect();
    let constants = [
        ("form", layout::FORM_WHOLE.into(), "whole"),
        ("form", layout::FORM_SPLIT.into(), "split"),
        ("limits flag", layout::FLAG_HAS_MAX, "has_max"),
        ("limits flag", layout::FLAG_SHARED, "shared"),
        ("limits flag", layout::FLAG_64, "64"),
        ("global flag", layout::FLAG_MUTABLE, "mutable"),
        ("data flag", layout::FLAG_IN_IMAGE, "in_image"),
        ("handler flag", layout::FLAG_KEEPS, "keeps"),
        ("segment mode", layout::MODE_PASSIVE, "passive"),
        ("segment mode", layout::MODE_ACTIVE, "active"),
        ("segment mode", layout::MODE_DECLARED, "declared"),
        ("item kind", layout::ITEMS_FUNCTIONS, "functions"),
        ("item kind", layout::ITEMS_EXPRESSIONS, "expressions"),
        ("stack bound", layout::BOUND_BYTES.into(), "bytes"),
        (
            "stack bound",
            layout::BOUND_BYTES_TO_IMPORT.into(),
            "bytes_to_import",
        ),
        ("stack bound", layout::BOUND_RECURSION.into(), "recursion"),
        (
            "stack bound",
            layout::BOUND_UNKNOWN_CALLEE.into(),
            "unknown_callee",
        ),
        ("step", layout::STEP_END.into(), "end"),
        ("step", layout::STEP_CALL.into(), "call"),
        ("step", layout::STEP_INDIRECT.into(), "indirect"),
        ("step", layout::STEP_TAIL.into(), "tail"),
        ("step", layout::STEP_INDIRECT_TAIL.into(), "indirect_tail"),
        ("step", layout::STEP_UNKNOWN.into(), "unknown"),
    ];
    rows.extend(
        constants
            .iter()
            .map(|(of, number, name)| row![of, number, code(name)]),
    );
    let symbols = SymbolKind::ALL.iter();
    rows.extend(symbols.map(|kind| row!["symbol kind", *kind as u8, code(kind.name())]));
    rows
}

fn operations() -> Vec<Vec<String>> {
    use precast_format::layout::opcode::*;
    let operations = [
        (GLOBAL_GET, "global.get"),
        (I32_CONST, "i32.const"),
        (I64_CONST, "i64.const"),
        (F32_CONST, "f32.const"),
        (F64_CONST, "f64.const"),
        (I32_ADD, "i32.add"),
        (I32_SUB, "i32.sub"),
        (I32_MUL, "i32.mul"),
        (I64_ADD, "i64.add"),
        (I64_SUB, "i64.sub"),
        (I64_MUL, "i64.mul"),
        (REF_NULL, "ref.null"),
        (REF_FUNC, "ref.func"),
        (V128_CONST, "v128.const"),
    ];
    operations
        .iter()
        .map(|(opcode, name)| row![format!("{opcode:#x}"), code(name)])
        .collect()
}

fn libcall_row(libcall: Libcall) -> Vec<String> {
    let name = |ty: &LibcallType| format!("{ty:?}").to_ascii_lowercase();
    let params = libcall
        .params()
        .iter()
        .map(name)
        .collect::<Vec<_>>()
        .join(", ");
    let result = libcall.result().as_ref().map_or("-".into(), name);
    let context = if libcall.takes_context() { "yes" } else { "no" };
    row![libcall as u8, code(libcall.name()), params, result, context]
}

/// The page with its tables made anew, and the places of those that were found.
fn regenerate(page: &str, tables: &BTreeMap<String, Expected>) -> (String, Vec<String>) {
    let (mut output, mut found, mut place) = (String::new(), Vec::new(), String::new());
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        output.push_str(line);
        output.push('\n');
        if line.starts_with('#') || line.starts_with("Record `") {
            place = line.into();
        }
        let Some(table) = tables.get(&place).filter(|_| line.starts_with("|---")) else {
            continue;
        };
        found.push(place.clone());
        let mut prose = BTreeMap::new();
        while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
            let cells: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            if let Some(name) = cells.iter().find(|cell| cell.starts_with('`')) {
                prose.insert(name.to_string(), cells.last().unwrap_or(&"").to_string());
            }
        }
        for row in &table.rows {
            let name = row.iter().find(|cell| cell.starts_with('`')).unwrap();
            let prose = prose.get(name).map_or("", |prose| prose.as_str());
            output.push_str(&format!("| {} | {prose} |\n", row.join(" | ")));
        }
    }
    (output, found)
}

/// The features of each instruction set, side by side; this table has no prose.
fn cpu_features() -> Vec<String> {
    let isas = [Isa::X86_64, Isa::Aarch64, Isa::Riscv64, Isa::S390x];
    let rows = isas
        .iter()
        .map(|isa| isa.features().len())
        .max()
        .unwrap_or(0);
    (0..rows)
        .map(|bit| {
            let cell = |isa: &Isa| {
                isa.features()
                    .get(bit)
                    .map_or("-".into(), |name| code(name))
            };
            format!(
                "| {bit} | {} |",
                isas.iter().map(cell).collect::<Vec<_>>().join(" | ")
            )
        })
        .collect()
}

/// Replaces the rows of the table of CPU features.
fn regenerate_cpu_features(page: &str) -> String {
    let (mut output, mut inside) = (Vec::new(), false);
    for line in page.lines() {
        if line.starts_with('#') {
            inside = line == "### CPU features";
        }
        if !inside || !line.starts_with('|') || line.starts_with("| bit") {
            output.push(line.to_string());
        } else if line.starts_with("|---") {
            output.push(line.to_string());
            output.extend(cpu_features());
        }
    }
    output.join("\n") + "\n"
}

#[test]
fn tables_agree_with_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("FORMAT.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let tables: BTreeMap<_, _> = all_tables()
        .into_iter()
        .map(|table| (table.place.clone(), table))
        .collect();
    let (new, found) = regenerate(&page, &tables);
    let new = regenerate_cpu_features(&new);
    for place in tables.keys() {
        assert!(
            found.contains(place),
            "FORMAT.md has no table under `{place}`"
        );
    }
    assert!(page.contains("### CPU features"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &new).unwrap();
        return;
    }
    for (number, (is, should)) in page.lines().zip(new.lines()).enumerate() {
        assert_eq!(
            is,
            should,
            "FORMAT.md, line {} (BLESS=1 rewrites tables)",
            number + 1
        );
    }
    assert_eq!(page, new);
}

#[test]
fn every_row_has_prose() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("FORMAT.md");
    let page = std::fs::read_to_string(path).unwrap();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        assert!(!line.ends_with("|  |"), "{line}");
    }
}

#[test]
fn sizes_and_limits_that_prose_names() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("FORMAT.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (major, minor) = layout::VERSION;
    for sentence in [
        format!("major {major}, minor {minor}"),
        format!("at most {} times the payload size", layout::NAME_SHARING),
        format!("`page_size_log2` is at most {}", layout::MAX_PAGE_SIZE_LOG2),
        format!(
            "stack of at most {} values",
            precast_format::types::EXPRESSION_DEPTH
        ),
    ] {
        let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            page.contains(&sentence),
            "FORMAT.md does not say: {sentence}"
        );
    }
    assert_eq!(layout::MAX_VALUES, 1_000);
    assert_eq!(&layout::MAGIC, b"\0precast");
    assert_eq!(&layout::TRAILER_MAGIC, b"\0signed\n");
    assert_eq!(layout::ALGORITHM_ED25519, 1);
    assert_eq!(layout::NONE, 0xffff_ffff);
}
