//! Libcalls of bytecode: by number, with arguments in the interpreter's registers.
//!
//! One macro makes the calls from the format's list, so that no signature stands here. Integers and
//! pointers are in the first integer registers, floats in the first of theirs; results are in the first
//! register of their kind.

use core::mem::transmute;

use precast_format::for_each_libcall;
use precast_format::libcall::Libcall;
use pulley_interpreter::interp::MachineState;
use pulley_interpreter::regs::Reg;
use pulley_interpreter::{FReg, XReg};

use crate::libcall;

/// Arguments on their way out of registers, in the order of the parameters.
struct Arguments<'a> {
    state: &'a MachineState,
    integers: u8,
    floats: u8,
}

impl Arguments<'_> {
    /// The next integer register. No libcall has more parameters than there are.
    fn integer(&mut self) -> u64 {
        let register = XReg::new(self.integers).unwrap_or(XReg::x0);
        self.integers += 1;
        self.state[register].get_u64()
    }

    /// The next float register.
    fn float(&mut self) -> FReg {
        let register = FReg::new(self.floats).unwrap_or(FReg::f0);
        self.floats += 1;
        register
    }
}

/// A type of parameters or results.
trait Passed: Sized {
    fn take(arguments: &mut Arguments<'_>) -> Self;
    fn put(self, state: &mut MachineState);
}

macro_rules! integers {
    ($($name:ident)*) => {
        $(impl Passed for $name {
            fn take(arguments: &mut Arguments<'_>) -> $name {
                // The upper half of a register is undefined where the type has 32 bits.
                arguments.integer() as $name
            }

            fn put(self, state: &mut MachineState) {
                state[XReg::x0].set_u64(self as u64);
            }
        })*
    };
}

integers!(u32 u64 usize);

impl Passed for f32 {
    fn take(arguments: &mut Arguments<'_>) -> f32 {
        let register = arguments.float();
        arguments.state[register].get_f32()
    }

    fn put(self, state: &mut MachineState) {
        state[FReg::f0].set_f32(self);
    }
}

impl Passed for f64 {
    fn take(arguments: &mut Arguments<'_>) -> f64 {
        let register = arguments.float();
        arguments.state[register].get_f64()
    }

    fn put(self, state: &mut MachineState) {
        state[FReg::f0].set_f64(self);
    }
}

/// No result.
impl Passed for () {
    fn take(_: &mut Arguments<'_>) {}

    fn put(self, _: &mut MachineState) {}
}

/// Calls a libcall that returns.
///
/// # Safety
///
/// The registers hold its arguments, and compiled code may call it.
pub(super) unsafe fn call(libcall: Libcall, state: &mut MachineState) {
    let address = libcall::table().address(libcall);
    if address.is_null() {
        // Artifacts that call what this loader was built without are refused.
        return;
    }
    let mut arguments = Arguments {
        state,
        integers: 0,
        floats: 0,
    };
    let arguments = &mut arguments;
    macro_rules! calls {
        ($($(#[$doc:meta])* $variant:ident $name:ident ($($param:ident),*) -> $result:tt, $kind:ident;)*) => {
            match libcall {
                $(Libcall::$variant => {
                    calls!(@call $kind ($($param),*) -> $result)
                })*
            }
        };
        (@call instance ($($param:ident),*) -> $result:tt) => {
            calls!(@typed (Pointer $(, $param)*) -> $result)
        };
        (@call pure ($($param:ident),*) -> $result:tt) => {
            calls!(@typed ($($param),*) -> $result)
        };
        (@typed ($($param:ident),*) -> $result:tt) => {{
            type Function = unsafe extern "C" fn($(calls!(@type $param)),*) -> calls!(@type $result);
            // SAFETY: the list says what the function at this address takes and returns, and the
            // loader's table was made after it.
            let function = unsafe { transmute::<*const (), Function>(address) };
            // SAFETY: the caller's promise.
            let result = unsafe { function($(<calls!(@type $param)>::take(arguments)),*) };
            result.put(state)
        }};
        (@type I32) => { u32 };
        (@type I64) => { u64 };
        (@type Pointer) => { usize };
        (@type F32) => { f32 };
        (@type F64) => { f64 };
        (@type ()) => { () };
    }
    for_each_libcall!(calls);
}
