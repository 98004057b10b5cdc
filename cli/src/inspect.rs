//! `precast inspect`: what an artifact contains and what it needs.

use crate::failure::Failure;
use crate::flags::size;
use crate::input::{self, Input};
use crate::{Outcome, output, report};
use clap::Args;
use precast_format::Artifact;
use precast_format::aux_stack::AuxStack;
use precast_format::envelope::{Envelope, Signature};
use precast_format::layout::SectionId;
use precast_format::tunables::BoundsChecks;
use precast_format::types::ExternKind;
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `precast inspect`.
#[derive(Args)]
pub struct InspectArguments {
    /// The artifact; `-` is standard input.
    artifact: PathBuf,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(arguments: &InspectArguments) -> Outcome {
    let path: &Path = &arguments.artifact;
    let bytes = match input::read(path)? {
        Input::Artifact(bytes) => bytes,
        Input::Module(_) => {
            return Err(Failure::at(
                path,
                "this is a module; `precast compile` makes an artifact",
            ));
        }
    };
    let artifact = report::parse(&input::display_name(path), &bytes)?;
    if arguments.json {
        report::print_json(&json(&artifact, &bytes))?;
    } else {
        output::print(&text(&artifact, &bytes))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(artifact: &Artifact<'_>, file: &[u8]) -> String {
    let mut text = String::new();
    header(&mut text, artifact, file);
    imports(&mut text, artifact);
    exports(&mut text, artifact);
    memories(&mut text, artifact);
    sections(&mut text, artifact);
    text
}

// Writing to a string does not fail, so the results of `writeln!` are dropped below.

fn header(text: &mut String, artifact: &Artifact<'_>, file: &[u8]) {
    let header = artifact.header();
    let tunables = &header.tunables;
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<14} {value}");
    };
    if let Some(name) = artifact.module_name() {
        line("module", name.to_owned());
    }
    line(
        "format",
        format!("version {}.{}", header.version.0, header.version.1),
    );
    line("size", size::show(file.len() as u64));
    line(
        "target",
        format!("{}, {:?}", header.isa.name(), header.host_abi),
    );
    line("CPU features", list(header.cpu_features.names(header.isa)));
    line(
        "wasm features",
        list(header.wasm_features.iter().map(|feature| feature.name())),
    );
    line(
        "libcalls",
        list(header.libcalls.iter().map(|libcall| libcall.name())),
    );
    line("checks", report::strategies(header));
    line("relocations", tunables.relocation_model.name().to_owned());
    line("page size", size::show(header.page_size()));
    if tunables.bounds_checks == BoundsChecks::Guard {
        let (reserved, guard) = (tunables.memory_reservation, tunables.memory_guard);
        line(
            "address space",
            format!("{reserved:#x} + {guard:#x} per memory"),
        );
    }
    line("ABI hash", format!("{:016x}", header.abi_hash));
    line(
        "functions",
        size::count(artifact.functions().len() as usize),
    );
    if let Some(stack) = artifact.aux_stack() {
        line("C stack", aux_stack(&stack));
    }
    if let Some(function) = artifact.start_function() {
        line("start", name_of_function(artifact, function));
    }
    line(
        "signature",
        match signature(file) {
            Some(signature) => format!("Ed25519, key {}", hexadecimal(&signature.public_key)),
            None => "none".to_owned(),
        },
    );
}

/// The signature of a file that was parsed, not verified.
fn signature(file: &[u8]) -> Option<Signature> {
    Envelope::split(file).ok()?.signature
}

/// The auxiliary stack: its pointer, its place, whether it is checked, and what told so.
fn aux_stack(stack: &AuxStack) -> String {
    let pointer = format!("global {} ({})", stack.global, stack.evidence.name());
    let Some(bytes) = stack.size() else {
        return format!("{pointer}, bounds unknown, not checked");
    };
    let (limit, base, place) = (stack.limit, stack.base, stack.bounds.name());
    let checked = if stack.checked {
        "checked"
    } else {
        "not checked"
    };
    let size = size::show(bytes);
    format!("{pointer}, {size} from {base:#x} down to {limit:#x} ({place}), {checked}")
}

fn aux_stack_json(stack: &AuxStack) -> serde_json::Value {
    json!({
        "global": stack.global,
        "evidence": stack.evidence.name(),
        "bounds": stack.bounds.name(),
        "base": stack.base,
        "limit": stack.size().map(|_| stack.limit),
        "size": stack.size(),
        "direction": "down",
        "checked": stack.checked,
    })
}

fn imports(text: &mut String, artifact: &Artifact<'_>) {
    if !artifact.imports().is_empty() {
        text.push_str("\nimports\n");
    }
    for import in artifact.imports().iter() {
        let ty = report::import_type(artifact, &import.ty);
        let _ = writeln!(text, "  {}.{} {ty}", import.module, import.name);
    }
}

fn exports(text: &mut String, artifact: &Artifact<'_>) {
    if !artifact.exports().is_empty() {
        text.push_str("\nexports\n");
    }
    for export in artifact.exports().iter() {
        let ty = export_type(artifact, export.kind, export.index);
        let _ = writeln!(text, "  {} {ty}", export.name);
    }
}

fn memories(text: &mut String, artifact: &Artifact<'_>) {
    if artifact.memories().is_empty() {
        return;
    }
    text.push_str("\nmemories\n");
    for memory in artifact.memories().iter() {
        let least = size::show(memory.ty.min_bytes());
        let _ = writeln!(
            text,
            "  {} at least {least}",
            report::memory_type(&memory.ty)
        );
    }
}

fn sections(text: &mut String, artifact: &Artifact<'_>) {
    text.push_str("\nsections           offset       size\n");
    for id in SectionId::ALL {
        let range = artifact.section(*id);
        if range.size > 0 {
            let _ = writeln!(
                text,
                "  {:<16} {:>6x} {:>10}",
                id.name(),
                range.offset,
                range.size
            );
        }
    }
}

fn json(artifact: &Artifact<'_>, file: &[u8]) -> serde_json::Value {
    let imports: Vec<_> = artifact
        .imports()
        .iter()
        .map(|import| {
            let ty = report::import_type(artifact, &import.ty);
            json!({ "module": import.module, "name": import.name, "type": ty })
        })
        .collect();
    let exports: Vec<_> = artifact
        .exports()
        .iter()
        .map(|export| {
            let ty = export_type(artifact, export.kind, export.index);
            json!({ "name": export.name, "type": ty })
        })
        .collect();
    let sections: Vec<_> = SectionId::ALL
        .iter()
        .map(|id| (id, artifact.section(*id)))
        .filter(|(_, range)| range.size > 0)
        .map(|(id, range)| json!({ "name": id.name(), "offset": range.offset, "size": range.size }))
        .collect();
    json!({
        "module": artifact.module_name(),
        "size": file.len(),
        "header": report::header_json(artifact.header()),
        "aux_stack": artifact.aux_stack().as_ref().map(aux_stack_json),
        "functions": artifact.functions().len(),
        "start": artifact.start_function(),
        "signed_by": signature(file).map(|signature| hexadecimal(&signature.public_key)),
        "imports": imports,
        "exports": exports,
        "sections": sections,
    })
}

fn export_type(artifact: &Artifact<'_>, kind: ExternKind, index: u32) -> String {
    let shown = match kind {
        ExternKind::Function => artifact.function_type(index).map(report::function_type),
        ExternKind::Table => artifact.table_type(index).map(|ty| report::table_type(&ty)),
        ExternKind::Memory => artifact
            .memory_type(index)
            .map(|ty| report::memory_type(&ty)),
        ExternKind::Global => artifact
            .global_type(index)
            .map(|ty| report::global_type(&ty)),
        ExternKind::Tag => artifact.tag_type(index).map(report::tag_type),
    };
    shown.unwrap_or_else(|| format!("({})", kind.name()))
}

fn name_of_function(artifact: &Artifact<'_>, index: u32) -> String {
    match artifact.function_name(index) {
        Some(name) => format!("function {index} ({name})"),
        None => format!("function {index}"),
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(" ")
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
