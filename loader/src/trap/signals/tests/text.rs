//! A small text with an entry trampoline and functions that trap, as the compiler would make it.

use std::boxed::Box as StdBox;
use std::vec::Vec;

use precast_format::Artifact;
use precast_format::context::Field;
use precast_format::target::{Endianness, HostAbi};
use precast_format::trap::TrapCode;
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode, Tunables};
use precast_format::write::{ArtifactBuilder, FuncType, Function, Target, TrapSite};

use crate::alloc::Allocator;
use crate::code::{CodeMemory, ExecutableCode, WritableCode};
use crate::sys::thread;
use crate::trap::Activation;
use crate::trap::signals::registry::Registration;

#[cfg(target_arch = "aarch64")]
#[path = "text/aarch64.rs"]
mod code;
#[cfg(target_arch = "riscv64")]
#[path = "text/riscv64.rs"]
mod code;
#[cfg(target_arch = "x86_64")]
#[path = "text/x86_64.rs"]
mod code;

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
        isa: crate::sys::isa::ISA,
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
