//! How many bytes of arguments the `tail` convention passes on the stack.
//!
//! Stack arguments lie between the frames of caller and callee. The caller makes room for them in
//! its own frame, and Cranelift counts them there; so an ordinary call needs none of this. A tail
//! call puts the callee's arguments in the place of the caller's, and moves the frame down where
//! they need more room. That room is in no frame size: it is reckoned here, from the types.

use precast_format::target::Isa;
use wasmparser::ValType;

use crate::codegen::save_area;
use crate::module::FunctionType;

/// What the stack pointer is a multiple of at a call.
const ALIGNMENT: u32 = 16;

/// Bounds on the bytes of a type's stack arguments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct StackArguments {
    /// There are not fewer.
    pub least: u32,
    /// There are not more.
    pub most: u32,
}

impl StackArguments {
    /// For functions of the type. Known exactly where the registers of the convention are: on
    /// x86-64. Elsewhere all arguments may be on the stack, or none.
    pub fn new(isa: Isa, ty: &FunctionType, context_is_parameter: bool) -> StackArguments {
        let hidden = usize::from(context_is_parameter);
        if isa != Isa::X86_64 {
            // The context, and where the results go.
            return StackArguments {
                least: 0,
                most: save_area(isa) + on_stack(ty, 0, 0) + (2 * ALIGNMENT),
            };
        }
        // One register more is taken where results are returned in memory.
        let returns = usize::from(ty.results.len() > 1);
        StackArguments {
            least: on_stack(ty, 6 - hidden, 8),
            most: on_stack(ty, 6 - hidden - returns, 8),
        }
    }
}

/// Bytes of the parameters that do not fit in so many registers.
fn on_stack(ty: &FunctionType, mut integers: usize, mut vectors: usize) -> u32 {
    let mut bytes: u32 = 0;
    for param in &ty.params {
        let (registers, size) = match param {
            ValType::I32 | ValType::I64 | ValType::Ref(_) => (&mut integers, 8),
            ValType::F32 | ValType::F64 => (&mut vectors, 8),
            ValType::V128 => (&mut vectors, 16),
        };
        if let Some(left) = registers.checked_sub(1) {
            *registers = left;
        } else {
            bytes = bytes.next_multiple_of(size) + size;
        }
    }
    bytes.next_multiple_of(ALIGNMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(params: &[ValType], context_is_parameter: bool) -> StackArguments {
        let ty = FunctionType {
            params: params.to_vec(),
            results: Vec::new(),
        };
        StackArguments::new(Isa::X86_64, &ty, context_is_parameter)
    }

    #[test]
    fn registers_come_first() {
        let exact = |bytes| StackArguments {
            least: bytes,
            most: bytes,
        };
        assert_eq!(arguments(&[ValType::I64; 6], false), exact(0));
        assert_eq!(arguments(&[ValType::I64; 6], true), exact(16));
        assert_eq!(arguments(&[ValType::I32; 8], false), exact(16));
        assert_eq!(arguments(&[ValType::F32; 9], true), exact(16));
        let mut mixed = vec![ValType::I32; 7];
        mixed.extend([ValType::V128; 9]);
        assert_eq!(arguments(&mixed, false), exact(32));
    }
}
