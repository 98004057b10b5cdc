//! Looking for room on a stack that ends with a guard page.
//!
//! Faults of compiled code at the guard page are traps; those of the loader's helpers are not. So
//! code touches the page in their place, as far below as they may go.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{self, Block, Function, InstBuilder, MemFlagsData, SourceLoc, types};
use precast_format::libcall::LIBCALL_STACK;
use precast_format::trap::TrapCode;

/// Emits the accesses at a function's entry. The first shows that the frame itself is there: a
/// frame that was taken and not written may have passed the guard page, which is no smaller than
/// the distance to the second.
pub(crate) fn probe_stack(function: &mut Function, entry: Block, pointer: ir::Type) {
    let first = function.layout.first_inst(entry);
    let location = first.map_or(SourceLoc::default(), |inst| function.srcloc(inst));
    let mut cursor = FuncCursor::new(function)
        .at_first_insertion_point(entry)
        .with_srcloc(location);
    let code = ir::TrapCode::unwrap_user(TrapCode::StackOverflow as u8);
    let flags = MemFlagsData::new().with_trap_code(Some(code));
    let stack = cursor.ins().get_stack_pointer(pointer);
    cursor.ins().load(types::I8, flags, stack, 0);
    cursor
        .ins()
        .load(types::I8, flags, stack, -(LIBCALL_STACK as i32));
}
