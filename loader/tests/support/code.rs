//! Machine code for the tests of calls, written by hand: what the compiler would emit, with a
//! convention of its own inside. The context is in `r15`, the value array in `rdi`.

use precast_format::context::{ContextCounts, ContextLayout, PointerWidth};
use precast_format::libcall::{Libcall, LibcallSet};
use precast_format::trap::TrapCode;
use precast_format::tunables::TrapMode;
use precast_format::types::ImportType;
use precast_format::write::{ArtifactBuilder, CallSite, FuncType, Function, TrapSite};
use precast_loader::{ExternKind, ValueType};

use crate::support::{builder, export, import};

core::arch::global_asm!(
    ".pushsection .rodata",
    "precast_test_start:",
    // add: (i32, i32) -> i32
    "precast_test_add:",
    "push rbp",
    "mov rbp, rsp",
    "mov eax, [rdi]",
    "add eax, [rdi + 16]",
    "mov [rdi], eax",
    "pop rbp",
    "ret",
    // fault: traps by an instruction that does not exist
    "precast_test_fault:",
    "push rbp",
    "mov rbp, rsp",
    "precast_test_fault_site:",
    "ud2",
    // raise: traps by a call
    "precast_test_raise:",
    "push rbp",
    "mov rbp, rsp",
    "mov rdi, r15",
    "mov esi, {divide_by_zero}",
    "mov rax, [r15 - 24]",
    "call [rax]",
    "precast_test_raise_site:",
    "ud2",
    // host: (i32, i32) -> i32, by calling the import
    "precast_test_host:",
    "push rbp",
    "mov rbp, rsp",
    "mov rax, [r15 - 88]",
    "mov [r15 - 16], rax",
    "call [rax + 16]",
    "precast_test_host_site:",
    "pop rbp",
    "ret",
    // deep: calls itself until the stack limit
    "precast_test_deep:",
    "push rbp",
    "mov rbp, rsp",
    "cmp rsp, [r15 - 8]",
    "ja 2f",
    "mov rdi, r15",
    "mov esi, {stack_overflow}",
    "mov rax, [r15 - 24]",
    "call [rax]",
    "2:",
    "sub rsp, 1024",
    "call precast_test_deep",
    "precast_test_deep_site:",
    "ud2",
    // endless: calls itself until there is no stack
    "precast_test_endless:",
    "push rbp",
    "mov rbp, rsp",
    "sub rsp, 1024",
    "or qword ptr [rsp], 0",
    "call precast_test_endless",
    "precast_test_endless_site:",
    "ud2",
    // The entry trampoline: context, code, values, activation.
    "precast_test_entry:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "sub rsp, 8",
    "mov [rcx], rsp",
    "mov [rcx + 8], rbp",
    "lea rax, [rip + 4f]",
    "mov [rcx + 16], rax",
    "mov r15, rdi",
    "mov rdi, rdx",
    "call rsi",
    "xor eax, eax",
    "3:",
    "add rsp, 8",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    "4:",
    "mov eax, 1",
    "jmp 3b",
    // The adapter to host functions.
    "precast_test_adapter:",
    "push rbp",
    "mov rbp, rsp",
    "push [r15 - 8]",
    "push [r15 - 32]",
    "mov rcx, [r15 - 32]",
    "mov [rcx + 24], rbp",
    "mov rdx, rdi",
    "mov rsi, r15",
    "mov rax, [r15 - 16]",
    "mov rdi, [rax + 8]",
    "call [rdi]",
    "pop [r15 - 32]",
    "pop [r15 - 8]",
    "mov rcx, [r15 - 32]",
    "mov qword ptr [rcx + 24], 0",
    "test eax, eax",
    "jnz 5f",
    "pop rbp",
    "ret",
    "5:",
    "mov rdi, r15",
    "xor esi, esi",
    "mov rax, [r15 - 24]",
    "call [rax]",
    "ud2",
    "precast_test_end:",
    ".popsection",
    divide_by_zero = const TrapCode::IntegerDivideByZero as u32,
    stack_overflow = const TrapCode::StackOverflow as u32,
);

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
        code_offset: fault_site() - fault(),
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
