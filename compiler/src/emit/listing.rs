//! Disassembly of an artifact, with symbols, trap codes and wasm offsets.

use std::collections::BTreeMap;
use std::fmt::Write;

use iced_x86::{Decoder, DecoderOptions, FlowControl, Formatter, GasFormatter, Instruction};
use precast_format::Artifact;
use precast_format::read::{Function, HandlerClause, HandlerList};
use precast_format::target::Isa;

use super::FunctionFilter;
use crate::error::{CompileError, Result};
use crate::options::Options;
use crate::progress::Silent;

/// Compiles a module and lists its machine code.
///
/// # Errors
///
/// As [`compile`](crate::compile) and [`disassemble`].
pub fn listing(wasm: &[u8], options: &Options, filter: &FunctionFilter) -> Result<String> {
    let compiled = crate::compile(wasm, options, &Silent)?;
    let artifact = Artifact::parse(&compiled.artifact)
        .map_err(|error| CompileError::internal(error.to_string()))?;
    disassemble(&artifact, filter)
}

/// Lists the machine code of an artifact: one line for each instruction with its offset in the
/// text; the target's name behind a call or jump; trap code and wasm offset behind what can trap;
/// where exceptions go behind a call at which they are caught.
///
/// An artifact does not say what in its text is data, so jump tables and constants are listed as if
/// they were instructions.
///
/// # Errors
///
/// When there is no disassembler for the artifact's instruction set.
pub fn disassemble(artifact: &Artifact<'_>, filter: &FunctionFilter) -> Result<String> {
    let isa = artifact.header().isa;
    if isa != Isa::X86_64 {
        return Err(CompileError::unsupported(format!(
            "there is no disassembler for {}; only x86_64 can be listed",
            isa.name()
        )));
    }
    let symbols = symbols(artifact);
    let mut listing = String::new();
    let imported = artifact.counts().imported_functions;
    for function in artifact.functions().iter() {
        let index = imported + function.index;
        let symbol = symbols
            .get(&function.text_offset)
            .map_or("", String::as_str);
        if filter.selects(index, Some(symbol)) {
            let _ = writeln!(
                listing,
                "{symbol}:  ; function {index}, {} bytes, frame {} bytes, wasm offset {:#x}",
                function.text_size, function.frame_size, function.wasm_offset
            );
            x86_64(artifact, &function, &symbols, &mut listing);
            listing.push('\n');
        }
    }
    Ok(listing)
}

/// What is at each named offset of the text.
fn symbols(artifact: &Artifact<'_>) -> BTreeMap<u32, String> {
    let mut symbols = BTreeMap::new();
    let imported = artifact.counts().imported_functions;
    for function in artifact.functions().iter() {
        let index = imported + function.index;
        let name = artifact
            .function_name(index)
            .map_or_else(|| format!("func{index}"), str::to_owned);
        symbols.insert(function.text_offset, name);
    }
    for ty in artifact.types().iter() {
        for (offset, what) in [
            (ty.entry_trampoline, "entry"),
            (ty.host_adapter, "host"),
            (ty.switch_adapter, "switch"),
        ] {
            if let Some(offset) = offset {
                symbols
                    .entry(offset)
                    .or_insert_with(|| format!("{what}_type{}", ty.canonical));
            }
        }
    }
    symbols
}

/// What a clause of a handler catches, and where its code is.
fn catch(clause: HandlerClause) -> String {
    match clause.tag {
        Some(tag) => format!("catch tag {tag}: {:x}", clause.text_offset),
        None => format!("catch all: {:x}", clause.text_offset),
    }
}

fn x86_64(
    artifact: &Artifact<'_>,
    function: &Function,
    symbols: &BTreeMap<u32, String>,
    listing: &mut String,
) {
    let (start, end) = (function.text_offset as usize, function.text_end() as usize);
    let Some(code) = artifact.text().get(start..end) else {
        return;
    };
    let traps: BTreeMap<u32, _> = artifact
        .traps()
        .of(function)
        .map(|trap| (trap.text_offset, (trap.code, trap.wasm_offset)))
        .collect();
    let calls: BTreeMap<u32, u32> = artifact
        .call_sites()
        .of(function)
        .map(|call| (call.text_offset, call.wasm_offset))
        .collect();
    let mut decoder = Decoder::with_ip(64, code, start as u64, DecoderOptions::NONE);
    let mut formatter = GasFormatter::new();
    formatter.options_mut().set_branch_leading_zeros(false);
    let mut instruction = Instruction::default();
    let mut text = String::new();
    while decoder.can_decode() {
        decoder.decode_out(&mut instruction);
        text.clear();
        formatter.format(&instruction, &mut text);
        let offset = instruction.ip() as u32;
        let mut notes = Vec::new();
        if matches!(
            instruction.flow_control(),
            FlowControl::Call | FlowControl::UnconditionalBranch
        ) {
            let target = instruction.near_branch_target() as u32;
            notes.extend(symbols.get(&target).cloned());
        }
        if let Some((code, wasm_offset)) = traps.get(&offset) {
            notes.push(format!("trap: {code}, wasm {wasm_offset:#x}"));
        }
        if let Some(wasm_offset) = calls.get(&(instruction.next_ip() as u32)) {
            notes.push(format!("wasm {wasm_offset:#x}"));
        }
        let handlers = artifact.handlers().lookup(instruction.next_ip() as u32);
        notes.extend(handlers.iter().flat_map(HandlerList::clauses).map(catch));
        let _ = match notes[..] {
            [] => writeln!(listing, "{offset:8x}  {text}"),
            _ => writeln!(listing, "{offset:8x}  {text:<40} ; {}", notes.join("; ")),
        };
    }
}
