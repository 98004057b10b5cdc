//! Arguments that a caller puts below its frame.
//!
//! Elsewhere the caller's frame has the room for them, and Cranelift counts it there. On s390x the `tail`
//! convention has them in the callee's frame: the caller moves the stack pointer down for each call,
//! and stores the back chain there at once. What the frame size does not tell is reckoned here, from the
//! convention.

use cranelift_codegen::ir::{AbiParam, Function, Signature, Type};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use precast_format::target::Isa;
use target_lexicon::Architecture;

/// The area below the arguments in which the callee saves registers, in bytes: the convention of s390x.
const SAVE_AREA: u32 = 160;

/// What lies between arguments and the callee's frame, in bytes.
pub(crate) const fn save_area(isa: Isa) -> u32 {
    match isa {
        Isa::S390x => SAVE_AREA,
        _ => 0,
    }
}

/// The bytes that the function moves the stack pointer down by at most, for one of its calls.
pub(super) fn below_frame(isa: &dyn TargetIsa, function: &Function) -> u32 {
    if isa.triple().architecture != Architecture::S390x {
        return 0;
    }
    let signatures = function.dfg.signatures.values();
    let tail = signatures.filter(|signature| signature.call_conv == CallConv::Tail);
    tail.map(below_frame_for).max().unwrap_or(0)
}

fn below_frame_for(signature: &Signature) -> u32 {
    let mut registers = Registers::new();
    // The address for results that registers do not hold.
    if Registers::new().bytes_beyond(&signature.returns) > 0 {
        registers.integers -= 1;
    }
    match registers.bytes_beyond(&signature.params) {
        0 => 0,
        bytes => SAVE_AREA + bytes,
    }
}

/// The registers of the convention that are still free.
struct Registers {
    integers: u32,
    floats: u32,
    vectors: u32,
}

impl Registers {
    fn new() -> Registers {
        Registers {
            integers: 6,
            floats: 4,
            vectors: 8,
        }
    }

    /// Gives values to registers; the bytes of those that are left.
    fn bytes_beyond(&mut self, values: &[AbiParam]) -> u32 {
        let mut bytes = 0;
        for value in values {
            let (registers, size) = self.of(value.value_type);
            match registers.checked_sub(1) {
                Some(left) => *registers = left,
                None => bytes += size,
            }
        }
        bytes
    }

    fn of(&mut self, ty: Type) -> (&mut u32, u32) {
        if ty.is_vector() {
            (&mut self.vectors, 16)
        } else if ty.is_float() {
            (&mut self.floats, 8)
        } else {
            (&mut self.integers, 8)
        }
    }
}
