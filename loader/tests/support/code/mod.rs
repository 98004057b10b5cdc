//! Machine code for the tests of calls, written by hand: what the compiler would emit, with a
//! convention of its own inside. Each instruction set has a register for the context and one for the
//! value array, and all have the same functions.
//!
//! The code lies among the constants of the test, in a section that ELF files have, and is copied
//! from there to artifacts.

use precast_format::context::{
    ActivationField, ContextCounts, ContextLayout, Field, FunctionRecord, PointerWidth, VALUE_SIZE,
};
use precast_format::libcall::{Libcall, LibcallSet};
use precast_format::trap::TrapCode;
use precast_format::tunables::TrapMode;
use precast_format::types::ImportType;
use precast_format::write::{ArtifactBuilder, CallSite, FuncType, Function, TrapSite};
use precast_loader::{ExternKind, ValueType};

use crate::support::{builder, export, import};

/// Begins a function, or names a place in one: a label that other files of the program can see.
macro_rules! place {
    ($name:literal) => {
        concat!(
            ".globl precast_test_",
            $name,
            "\n.hidden precast_test_",
            $name,
            "\nprecast_test_",
            $name,
            ":"
        )
    };
}

#[cfg(target_arch = "aarch64")]
#[path = "aarch64.rs"]
mod native;
#[cfg(target_arch = "riscv64")]
#[path = "riscv64.rs"]
mod native;
#[cfg(target_arch = "s390x")]
#[path = "s390x.rs"]
mod native;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64.rs"]
mod native;

/// The code has these numbers in it: fields of a context, of an activation and of a function record.
const _: () = {
    let width = PointerWidth::Bits64;
    assert!(Field::StackLimit.offset(width) == -8);
    assert!(Field::Callee.offset(width) == -16);
    assert!(Field::Libcalls.offset(width) == -24);
    assert!(Field::Activation.offset(width) == -32);
    assert!(ActivationField::EntryStackPointer.offset(width) == 0);
    assert!(ActivationField::EntryFramePointer.offset(width) == 8);
    assert!(ActivationField::HandlerAddress.offset(width) == 16);
    assert!(ActivationField::ExitFramePointer.offset(width) == 24);
    assert!(FunctionRecord::Context.offset(width) == 8);
    assert!(FunctionRecord::Foreign.offset(width) == 16);
    assert!(Libcall::Raise as u32 == 0);
    assert!(VALUE_SIZE == 16);
};

macro_rules! labels {
    ($($name:ident = $symbol:literal;)*) => {
        $(
            /// The offset of the label in the code.
            pub fn $name() -> u32 {
                unsafe extern "C" {
                    #[link_name = $symbol]
                    static LABEL: u8;
                }
                ((&raw const LABEL).addr() - start().addr()) as u32
            }
        )*
    };
}

labels! {
    add = "precast_test_add";
    fault = "precast_test_fault";
    fault_site = "precast_test_fault_site";
    raise = "precast_test_raise";
    raise_site = "precast_test_raise_site";
    host = "precast_test_host";
    host_site = "precast_test_host_site";
    deep = "precast_test_deep";
    deep_site = "precast_test_deep_site";
    endless = "precast_test_endless";
    endless_site = "precast_test_endless_site";
    entry = "precast_test_entry";
    adapter = "precast_test_adapter";
    end = "precast_test_end";
}

fn start() -> *const u8 {
    unsafe extern "C" {
        #[link_name = "precast_test_start"]
        static LABEL: u8;
    }
    &raw const LABEL
}

/// The code.
fn text() -> Vec<u8> {
    // SAFETY: the assembler has put that many bytes between the two labels.
    unsafe { std::slice::from_raw_parts(start(), end() as usize) }.to_vec()
}

/// A function of the test, with the one place where it can stop.
fn function(number: u32, text_offset: u32, text_end: u32, type_index: u32) -> Function {
    Function {
        type_index,
        text_offset,
        text_size: text_end - text_offset,
        frame_size: 16,
        record: Some(number),
        wasm_offset: 1000 * (number + 1),
        traps: Vec::new(),
        call_sites: Vec::new(),
    }
}

/// A module that imports `env` `f`: (i32, i32) -> i32 and exports `add`, `fault`, `raise`, `host`,
/// `deep` and `endless`.
pub fn module() -> ArtifactBuilder {
    let mut artifact = builder();
    artifact.tunables.trap_mode = TrapMode::Signals;
    artifact.libcalls = LibcallSet::default().with(Libcall::Raise);
    artifact.module_name = Some("tested".into());
    artifact.types = vec![
        FuncType {
            params: vec![ValueType::I32, ValueType::I32],
            results: vec![ValueType::I32],
            canonical: 0,
            following: 0,
            entry_trampoline: Some(entry()),
            host_adapter: Some(adapter()),
            switch_adapter: None,
        },
        FuncType {
            canonical: 1,
            entry_trampoline: Some(entry()),
            ..FuncType::default()
        },
    ];
    artifact.imports = vec![import("f", ImportType::Function(0))];
    let mut functions = [
        function(0, add(), fault(), 0),
        function(1, fault(), raise(), 1),
        function(2, raise(), host(), 1),
        function(3, host(), deep(), 0),
        function(4, deep(), endless(), 1),
        function(5, endless(), entry(), 1),
    ];
    functions[1].traps = vec![TrapSite {
        code_offset: fault_site() - fault() + native::TRAPPING_BYTE,
        code: TrapCode::Unreachable,
        wasm_offset: 2007,
    }];
    let call = |function: &mut Function, site: u32| {
        let code_offset = site - function.text_offset;
        let wasm_offset = function.wasm_offset + 7;
        function.call_sites = vec![CallSite {
            code_offset,
            wasm_offset,
        }];
    };
    call(&mut functions[2], raise_site());
    call(&mut functions[3], host_site());
    call(&mut functions[4], deep_site());
    call(&mut functions[5], endless_site());
    artifact.functions = functions.to_vec();
    artifact.text = text();
    let names = ["add", "fault", "raise", "host", "deep", "endless"];
    artifact.exports = names
        .iter()
        .zip(1..)
        .map(|(name, index)| export(name, ExternKind::Function, index))
        .collect();
    artifact.function_names = std::iter::once(None)
        .chain(names.map(|name| Some(name.to_owned())))
        .collect();
    let counts = ContextCounts {
        imported_functions: 1,
        function_records: 6,
        ..ContextCounts::default()
    };
    let layout = ContextLayout::new(PointerWidth::Bits64, counts).expect("it is small");
    assert_eq!(
        layout.imported_function(0),
        -88,
        "the code has this number in it"
    );
    artifact
}
