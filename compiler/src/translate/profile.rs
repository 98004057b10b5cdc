//! Counting calls: code that tells the loader when a call begins and when it ends.
//!
//! ```text
//!   function:   profile_enter(frame, function)
//!               ...
//!                 profile_enter(frame of the import, import)
//!                 call of the import
//!                 profile_leave(frame of the import)
//!               ...
//!               profile_leave(frame)
//!               return, or tail call
//! ```
//!
//! The frames are in the function's stack frame and linked by the loader, which counts and looks at the
//! clock. Ends that code does not reach, by traps and exceptions, are the loader's business: it sees
//! them first. A tail call ends the function that makes it. A function of another instance or of the
//! host counts as an import only where it is called as one: through a table it counts as part of its
//! caller, and for itself in its own instance.
//!
//! Without the option nothing here emits anything.

use cranelift_codegen::ir::{InstBuilder, StackSlot, StackSlotData, StackSlotKind, types};
use precast_format::context::PROFILE_FRAME_SIZE;
use precast_format::libcall::Libcall;

use super::FunctionTranslator;
use crate::abi;

/// Alignment of a profile frame, as a power of two.
const ALIGN_LOG2: u8 = 3;

/// What a function keeps on its stack to count calls.
#[derive(Default)]
pub(super) struct ProfileFrames {
    /// Of the function itself; there if calls are counted.
    own: Option<StackSlot>,
    /// Of the import that it calls; there once it has called one.
    import: Option<StackSlot>,
}

impl FunctionTranslator<'_, '_> {
    /// Begins the function's own call.
    pub(super) fn enter_profile(&mut self, function: u32) {
        if self.environment.options.call_profile {
            let slot = self.profile_slot();
            self.profile.own = Some(slot);
            self.profile_enter(slot, function);
        }
    }

    /// Ends it, before a return or a tail call.
    pub(super) fn leave_profile(&mut self) {
        if let Some(slot) = self.profile.own {
            self.profile_leave(slot);
        }
    }

    /// Begins the call of an import.
    pub(super) fn enter_import(&mut self, function: u32) {
        if self.profile.own.is_none() {
            return;
        }
        let slot = match self.profile.import {
            Some(slot) => slot,
            None => self.profile_slot(),
        };
        self.profile.import = Some(slot);
        self.profile_enter(slot, function);
    }

    /// Ends the call of an import, if one is in progress: after it, and where an exception from it
    /// lands.
    pub(super) fn leave_import(&mut self) {
        if let Some(slot) = self.profile.import {
            self.profile_leave(slot);
        }
    }

    fn profile_slot(&mut self) -> StackSlot {
        let kind = StackSlotKind::ExplicitSlot;
        let data = StackSlotData::new(kind, PROFILE_FRAME_SIZE, ALIGN_LOG2);
        self.builder.create_sized_stack_slot(data)
    }

    fn profile_enter(&mut self, slot: StackSlot, function: u32) {
        let function = self.builder.ins().iconst(types::I32, i64::from(function));
        let frame = self.builder.ins().stack_addr(self.abi.pointer, slot, 0);
        self.call_profile_libcall(Libcall::ProfileEnter, &[frame, function]);
    }

    fn profile_leave(&mut self, slot: StackSlot) {
        let frame = self.builder.ins().stack_addr(self.abi.pointer, slot, 0);
        self.call_profile_libcall(Libcall::ProfileLeave, &[frame]);
    }

    fn call_profile_libcall(
        &mut self,
        libcall: Libcall,
        arguments: &[cranelift_codegen::ir::Value],
    ) {
        self.makes_libcalls();
        abi::call_libcall(
            &mut self.builder,
            self.abi,
            &mut self.context,
            libcall,
            arguments,
        );
    }
}
