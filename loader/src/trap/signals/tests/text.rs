//! A small text with an entry trampoline and functions that trap, as the compiler would make it.

use core::arch::global_asm;
use std::boxed::Box as StdBox;
use std::vec::Vec;

use precast_format::Artifact;
use precast_format::context::Field;
use precast_format::target::{Endianness, HostAbi, Isa};
use precast_format::trap::TrapCode;
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode, Tunables};
use precast_format::write::{ArtifactBuilder, FuncType, Function, Target, TrapSite};

use crate::alloc::Allocator;
use crate::code::{CodeMemory, ExecutableCode, WritableCode};
use crate::sys::thread;
use crate::trap::Activation;
use crate::trap::signals::registry::Registration;

// Functions get the context in rdi and the value array in rsi. The bytes are copied out of the
// test's own code, so nothing in here refers to anything outside.
global_asm!(
    ".pushsection .rodata",
    ".balign 16",
    "precast_test_text:",
    // trampoline(rdi context, rsi code, rdx values, rcx activation)
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
    "lea rax, [rip + 2f]",
    "mov [rcx + 16], rax",
    "mov rax, rsi",
    "mov rsi, rdx",
    "call rax",
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
    "2:",
    "mov eax, 1",
    "jmp 3b",
    // Loads from the address in the first value.
    "precast_test_load:",
    "push rbp",
    "mov rbp, rsp",
    "mov rax, [rsi]",
    // As compiled code may: callee-saved registers are the trampoline's to restore.
    "xor ebx, ebx",
    "xor r12d, r12d",
    "xor r15d, r15d",
    "precast_test_load_site:",
    "mov al, [rax]",
    "mov [rsi], al",
    "pop rbp",
    "ret",
    // Calls a function that executes an undefined instruction.
    "precast_test_undefined:",
    "push rbp",
    "mov rbp, rsp",
    "call 4f",
    "precast_test_undefined_return:",
    "pop rbp",
    "ret",
    "4:",
    "push rbp",
    "mov rbp, rsp",
    "precast_test_undefined_site:",
    "ud2",
    // Divides by zero.
    "precast_test_divide:",
    "push rbp",
    "mov rbp, rsp",
    "xor ecx, ecx",
    "xor edx, edx",
    "precast_test_divide_site:",
    "div ecx",
    "pop rbp",
    "ret",
    // Calls itself for ever.
    "precast_test_recurse:",
    "push rbp",
    "mov rbp, rsp",
    "sub rsp, 64",
    "mov [rsp], rdi",
    "call precast_test_recurse",
    "leave",
    "ret",
    // Raises the trap code in the first value.
    "precast_test_raise:",
    "push rbp",
    "mov rbp, rsp",
    "mov esi, [rsi]",
    "mov rax, [rdi - 24]",
    "call [rax]",
    "precast_test_raise_return:",
    "ud2",
    // Like load, but no trap table knows it.
    "precast_test_unknown:",
    "push rbp",
    "mov rbp, rsp",
    "mov rax, [rsi]",
    "mov al, [rax]",
    "mov [rsi], al",
    "pop rbp",
    "ret",
    // host adapter: calls the C function in the second value with the value array.
    "precast_test_leave:",
    "push rbp",
    "mov rbp, rsp",
    "mov rax, [rdi - 32]",
    "mov [rax + 24], rbp",
    "mov rax, [rsi + 16]",
    "mov rdi, rsi",
    "call rax",
    "pop rbp",
    "ret",
    "precast_test_end:",
    ".popsection",
);

unsafe extern "C" {
    static precast_test_text: u8;
    static precast_test_load: u8;
    static precast_test_load_site: u8;
    static precast_test_undefined: u8;
    static precast_test_undefined_return: u8;
    static precast_test_undefined_site: u8;
    static precast_test_divide: u8;
    static precast_test_divide_site: u8;
    static precast_test_recurse: u8;
    static precast_test_raise: u8;
    static precast_test_raise_return: u8;
    static precast_test_unknown: u8;
    static precast_test_leave: u8;
    static precast_test_end: u8;
}

/// The offset of a label.
macro_rules! offset {
    ($label:ident) => {
        (&raw const $label).addr() - (&raw const precast_test_text).addr()
    };
}

/// What can be called, and what is where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Load,
    LoadSite,
    Undefined,
    UndefinedReturn,
    UndefinedSite,
    Divide,
    DivideSite,
    Recurse,
    Raise,
    RaiseReturn,
    Unknown,
    Leave,
}

impl Place {
    pub fn offset(self) -> usize {
        match self {
            Place::Load => offset!(precast_test_load),
            Place::LoadSite => offset!(precast_test_load_site),
            Place::Undefined => offset!(precast_test_undefined),
            Place::UndefinedReturn => offset!(precast_test_undefined_return),
            Place::UndefinedSite => offset!(precast_test_undefined_site),
            Place::Divide => offset!(precast_test_divide),
            Place::DivideSite => offset!(precast_test_divide_site),
            Place::Recurse => offset!(precast_test_recurse),
            Place::Raise => offset!(precast_test_raise),
            Place::RaiseReturn => offset!(precast_test_raise_return),
            Place::Unknown => offset!(precast_test_unknown),
            Place::Leave => offset!(precast_test_leave),
        }
    }
}

fn artifact(text: &[u8]) -> Artifact<'static> {
    let site = |place: Place, code| TrapSite {
        code_offset: place.offset() as u32,
        code,
        wasm_offset: 0,
    };
    let traps = std::vec![
        site(Place::LoadSite, TrapCode::MemoryOutOfBounds),
        site(Place::UndefinedSite, TrapCode::Unreachable),
        site(Place::DivideSite, TrapCode::IntegerDivideByZero),
    ];
    let target = Target {
        isa: Isa::X86_64,
        endianness: Endianness::Little,
        host_abi: HostAbi::SystemV,
        page_size_log2: 0,
    };
    let tunables = Tunables {
        bounds_checks: BoundsChecks::Guard,
        stack_checks: StackChecks::Guard,
        trap_mode: TrapMode::Signals,
        relocation_model: RelocationModel::Xip,
        call_profile: false,
        interrupt_checks: false,
        memory_reservation: 1 << 32,
        memory_guard: 1 << 25,
        stack_reserve: 0,
    };
    let mut builder = ArtifactBuilder::new(target, tunables);
    builder.types = std::vec![FuncType::default()];
    builder.text = text.to_vec();
    builder.functions = std::vec![Function {
        text_size: text.len() as u32,
        traps,
        ..Function::default()
    }];
    let bytes: &'static [u8] = Vec::leak(builder.write().unwrap());
    Artifact::parse(bytes).unwrap()
}

/// The text, loaded and registered.
pub struct Text {
    _registration: Registration,
    code: ExecutableCode,
}

/// Two 16-byte values.
pub type Values = [u128; 2];

impl Text {
    pub fn load() -> Text {
        let size = offset!(precast_test_end);
        // SAFETY: the labels enclose the bytes.
        let text = unsafe { core::slice::from_raw_parts(&raw const precast_test_text, size) };
        let allocator = Allocator::system().unwrap();
        let code = WritableCode::copy(&CodeMemory::platform(), &allocator, text)
            .unwrap()
            .publish()
            .unwrap();
        let artifact = std::boxed::Box::leak(std::boxed::Box::new(artifact(text)));
        // SAFETY: the artifact is that of the code and lives for ever; both are in one value.
        let registration = unsafe { Registration::new(code.range(), artifact) }.unwrap();
        Text {
            _registration: registration,
            code,
        }
    }

    pub fn address(&self, place: Place) -> usize {
        self.code.range().start + place.offset()
    }

    /// Calls a function through the trampoline; the activation afterwards, and the status.
    pub fn call(&self, place: Place, values: &mut Values) -> (StdBox<Activation>, u32) {
        type Trampoline =
            unsafe extern "C" fn(*mut u8, *const u8, *mut Values, *mut Activation) -> u32;
        let (lowest, highest) = thread::stack_bounds().unwrap();
        let mut activation = StdBox::new(Activation::new(
            thread::current_activation(),
            lowest,
            highest,
        ));
        let pointer = &raw mut *activation;
        let mut context = [0usize; 8];
        let words = context.len();
        let mut set = |field: Field, value| context[words - field.words_below() as usize] = value;
        set(Field::Activation, pointer.expose_provenance());
        set(
            Field::Libcalls,
            crate::libcall::table().as_ptr().expose_provenance(),
        );
        let context = context.as_mut_ptr().wrapping_add(words).cast();
        let trampoline = self.code.address(0).unwrap();
        // SAFETY: the text begins with a trampoline.
        let trampoline = unsafe { core::mem::transmute::<*const u8, Trampoline>(trampoline) };
        let code = core::ptr::with_exposed_provenance(self.address(place));
        thread::set_current_activation(pointer);
        // SAFETY: the code is a function of the text.
        let status = unsafe { trampoline(context, code, values, pointer) };
        thread::set_current_activation(activation.previous);
        (activation, status)
    }
}
