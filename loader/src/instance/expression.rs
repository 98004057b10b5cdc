//! Constant expressions: initial values, offsets and items, computed at instantiation.

use precast_format::read::Expression;
use precast_format::types::{ConstOp, EXPRESSION_DEPTH};

use crate::call::value::Slot;
use crate::instance::InstanceData;

/// Computes an expression. The artifact is checked, so the stack neither overflows nor runs empty;
/// should that be wrong, values are zero.
pub(crate) fn evaluate(instance: &InstanceData, expression: &Expression<'_>) -> Slot {
    let mut stack = Stack {
        slots: [Slot::ZERO; EXPRESSION_DEPTH],
        depth: 0,
    };
    for operation in expression.operations() {
        match operation {
            ConstOp::I32Const(number) => stack.push(Slot::from_low(number.to_ne_bytes())),
            ConstOp::I64Const(number) => stack.push(Slot::from_low(number.to_ne_bytes())),
            ConstOp::F32Const(bits) => stack.push(Slot::from_low(bits.to_ne_bytes())),
            ConstOp::F64Const(bits) => stack.push(Slot::from_low(bits.to_ne_bytes())),
            ConstOp::V128Const(bytes) => stack.push(Slot::from_low(bytes)),
            ConstOp::GlobalGet(index) => stack.push(match instance.global(index) {
                // SAFETY: the slot is the instance's or an import's, and the group is entered.
                Some(slot) => unsafe { slot.read() },
                None => Slot::ZERO,
            }),
            ConstOp::RefNull(_) => stack.push(Slot::ZERO),
            ConstOp::RefFunc(index) => stack.push(Slot::from_reference(reference(instance, index))),
            ConstOp::I32Add => stack.binary_32(i32::wrapping_add),
            ConstOp::I32Sub => stack.binary_32(i32::wrapping_sub),
            ConstOp::I32Mul => stack.binary_32(i32::wrapping_mul),
            ConstOp::I64Add => stack.binary_64(i64::wrapping_add),
            ConstOp::I64Sub => stack.binary_64(i64::wrapping_sub),
            ConstOp::I64Mul => stack.binary_64(i64::wrapping_mul),
        }
    }
    stack.pop()
}

/// A reference to a function of the instance, imports first.
pub(crate) fn reference(instance: &InstanceData, index: u32) -> usize {
    instance
        .function_record(index)
        .map_or(0, |record| record.as_ptr().expose_provenance())
}

/// The offset that an expression gives: an index of 32 or 64 bits.
pub(crate) fn offset(instance: &InstanceData, expression: &Expression<'_>, is_64: bool) -> u64 {
    let slot = evaluate(instance, expression);
    if is_64 {
        u64::from_ne_bytes(slot.low())
    } else {
        u64::from(u32::from_ne_bytes(slot.low()))
    }
}

struct Stack {
    slots: [Slot; EXPRESSION_DEPTH],
    depth: usize,
}

impl Stack {
    fn push(&mut self, slot: Slot) {
        if let Some(place) = self.slots.get_mut(self.depth) {
            *place = slot;
            self.depth += 1;
        }
    }

    fn pop(&mut self) -> Slot {
        self.depth = self.depth.saturating_sub(1);
        self.slots.get(self.depth).copied().unwrap_or(Slot::ZERO)
    }

    fn binary_32(&mut self, operation: fn(i32, i32) -> i32) {
        let right = i32::from_ne_bytes(self.pop().low());
        let left = i32::from_ne_bytes(self.pop().low());
        self.push(Slot::from_low(operation(left, right).to_ne_bytes()));
    }

    fn binary_64(&mut self, operation: fn(i64, i64) -> i64) {
        let right = i64::from_ne_bytes(self.pop().low());
        let left = i64::from_ne_bytes(self.pop().low());
        self.push(Slot::from_low(operation(left, right).to_ne_bytes()));
    }
}
