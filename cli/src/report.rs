//! What reports have in common: an artifact's needs in a phrase, types as text, JSON.

use crate::failure::Failure;
use crate::{Outcome, output};
use precast_format::Artifact;
use precast_format::read::{FuncType, Header};
use precast_format::tunables::{BoundsChecks, StackChecks, TrapMode};
use precast_format::types::{GlobalType, ImportType, Limits, MemoryType, TableType};
use serde_json::{Value, json};

/// Reads an artifact, or says what is wrong with it.
pub fn parse<'a>(name: &str, bytes: &'a [u8]) -> Outcome<Artifact<'a>> {
    let failed = |error| Failure::new(format_args!("{name}: {error}"));
    let artifact = Artifact::parse(bytes).map_err(failed)?;
    artifact.validate_diagnostics().map_err(failed)?;
    Ok(artifact)
}

/// How the code checks bounds and stack, and raises traps.
pub fn strategies(header: &Header) -> String {
    let bounds = match header.tunables.bounds_checks {
        BoundsChecks::Guard => "guard pages",
        BoundsChecks::Explicit => "explicit bounds",
        BoundsChecks::None => "NO bounds checks",
    };
    let stack = match header.tunables.stack_checks {
        StackChecks::Explicit => "explicit stack",
        StackChecks::Guard => "stack guard page",
        StackChecks::None => "NO stack checks",
    };
    let traps = match header.tunables.trap_mode {
        // The interpreter knows of a trap without one.
        TrapMode::Signals if !header.isa.is_bytecode() => "signals",
        TrapMode::Signals | TrapMode::Explicit => "no signals",
    };
    let calls = match header.tunables.call_profile {
        true => ", counts calls",
        false => "",
    };
    let interrupts = match header.tunables.interrupt_checks {
        true => ", can be interrupted",
        false => "",
    };
    format!("{bounds}, {stack}, {traps}{calls}{interrupts}")
}

/// A function type as the text format writes it.
pub fn function_type(ty: FuncType<'_>) -> String {
    signature("func", ty)
}

/// The type of a tag as the text format writes it.
pub fn tag_type(ty: FuncType<'_>) -> String {
    signature("tag", ty)
}

fn signature(word: &str, ty: FuncType<'_>) -> String {
    let list = |word: &str, types: Vec<String>| match types.len() {
        0 => String::new(),
        _ => format!(" ({word} {})", types.join(" ")),
    };
    let params = ty.params().iter().map(|ty| ty.to_string()).collect();
    let results = ty.results().iter().map(|ty| ty.to_string()).collect();
    format!(
        "({word}{}{})",
        list("param", params),
        list("result", results)
    )
}

/// A table type as the text format writes it.
pub fn table_type(ty: &TableType) -> String {
    let index = if ty.is_64 { " i64" } else { "" };
    format!("(table{index}{} {})", limits(&ty.limits), ty.element)
}

/// A memory type as the text format writes it.
pub fn memory_type(ty: &MemoryType) -> String {
    let index = if ty.is_64 { " i64" } else { "" };
    let shared = if ty.shared { " shared" } else { "" };
    let page = match ty.page_size_log2 {
        precast_format::types::WASM_PAGE_SIZE_LOG2 => String::new(),
        log2 => format!(" (pagesize {})", 1u64 << log2),
    };
    format!("(memory{index}{}{shared}{page})", limits(&ty.limits))
}

/// A global type as the text format writes it.
pub fn global_type(ty: &GlobalType) -> String {
    match ty.mutable {
        true => format!("(global (mut {}))", ty.value),
        false => format!("(global {})", ty.value),
    }
}

/// The type of an import.
pub fn import_type(artifact: &Artifact<'_>, ty: &ImportType) -> String {
    match ty {
        ImportType::Function(index) => artifact
            .types()
            .get(*index)
            .map_or_else(|| "(func)".to_owned(), function_type),
        ImportType::Table(ty) => table_type(ty),
        ImportType::Memory(ty) => memory_type(ty),
        ImportType::Global(ty) => global_type(ty),
        ImportType::Tag(index) => artifact
            .types()
            .get(*index)
            .map_or_else(|| "(tag)".to_owned(), tag_type),
    }
}

fn limits(limits: &Limits) -> String {
    match limits.max {
        Some(max) => format!(" {} {max}", limits.min),
        None => format!(" {}", limits.min),
    }
}

/// The header as JSON.
pub fn header_json(header: &Header) -> Value {
    json!({
        "format_version": format!("{}.{}", header.version.0, header.version.1),
        "isa": header.isa.name(),
        "host_abi": format!("{:?}", header.host_abi),
        "page_size": header.page_size(),
        "abi_hash": format!("{:016x}", header.abi_hash),
        "cpu_features": header.cpu_features.names(header.isa).collect::<Vec<_>>(),
        "wasm_features": header.wasm_features.iter().map(|f| f.name()).collect::<Vec<_>>(),
        "libcalls": header.libcalls.iter().map(|libcall| libcall.name()).collect::<Vec<_>>(),
        "bounds_checks": header.tunables.bounds_checks.name(),
        "stack_checks": header.tunables.stack_checks.name(),
        "traps": header.tunables.trap_mode.name(),
        "relocations": header.tunables.relocation_model.name(),
        "call_profile": header.tunables.call_profile,
        "interrupt_checks": header.tunables.interrupt_checks,
        "memory_reservation": header.tunables.memory_reservation,
        "memory_guard": header.tunables.memory_guard,
        "stack_reserve": header.tunables.stack_reserve,
    })
}

/// Prints JSON and a line feed.
pub fn print_json(value: &Value) -> Outcome<()> {
    output::print(&format!("{value:#}\n"))
}
