//! The machine: registers of one activation, and what becomes of it at each stop.

use core::ptr::{self, NonNull};

use precast_format::libcall::{HOST_ENTRY_NUMBER, Libcall};
use precast_format::trap::TrapCode;
use pulley_interpreter::XReg;
use pulley_interpreter::interp::{DoneReason, TrapKind, Vm};
use pulley_interpreter::regs::Reg;

use super::calls;
use crate::call::entry;
use crate::call::host::{self, HostFunction};
use crate::call::value::Slot;
use crate::exception::tag::TagRecordData;
use crate::facility::Exceptions;
use crate::libcall::exception::new_exception;
use crate::libcall::is_offered;
use crate::trap::unwind::throw::{Site, thrown, thrown_again};
use crate::trap::unwind::{self, Continuation};
use crate::trap::{Activation, Pending, TrapInfo};

/// The registers that calls keep: 16 up to the last that has no other purpose.
const KEPT: core::ops::Range<u8> = 16..XReg::SPECIAL_START;

/// What stack pointers are multiples of where a call begins.
const ALIGNMENT: usize = 16;

/// Calls an entry trampoline of bytecode; what it returns.
///
/// # Safety
///
/// 1. The trampoline is one of an artifact's for this machine's bytecode, and may be called with the
///    arguments: a context, code, values and the current activation.
/// 2. Below `top`, which is a multiple of 16, is room for a call, and nothing that is still used.
// Its registers are no part of the frame of a call that is refused.
#[inline(never)]
pub(crate) unsafe fn enter(
    trampoline: NonNull<u8>,
    context: *mut u8,
    code: *const u8,
    values: *mut Slot,
    activation: *mut Activation,
    top: usize,
) -> u32 {
    // Nothing is allocated for a stack of no size. Should that fail, the call ends as if stopped.
    let Ok(vm) = Vm::with_stack(0) else {
        return 1;
    };
    let mut machine = Machine { vm, activation };
    machine.set(XReg::x0, context.expose_provenance());
    machine.set(XReg::x1, code.expose_provenance());
    machine.set(XReg::x2, values.expose_provenance());
    machine.set(XReg::x3, activation.expose_provenance());
    machine.set(XReg::sp, top);
    // SAFETY: 1 and 2.
    unsafe { machine.run(trampoline) };
    machine.vm.state()[XReg::x0].get_u32()
}

struct Machine {
    vm: Vm,
    activation: *mut Activation,
}

impl Machine {
    /// Runs until the trampoline returns.
    ///
    /// # Safety
    ///
    /// That of [`enter`], with the arguments in registers.
    unsafe fn run(&mut self, trampoline: NonNull<u8>) {
        let mut pc = trampoline;
        loop {
            // SAFETY: the caller's promise; wherever a stop is followed by something else than the
            // next instruction, it is what the code's own tables say.
            let next = match unsafe { self.vm.call_run(pc) } {
                DoneReason::ReturnToHost(()) => return,
                DoneReason::CallIndirectHost { id, resume } => {
                    pc = resume;
                    // SAFETY: the code called, and the arguments are in registers.
                    unsafe { self.call(id, resume.addr().get()) }
                }
                // SAFETY: the code stopped at that instruction.
                DoneReason::Trap { pc, kind } => Some(unsafe { self.trap(pc.addr().get(), kind) }),
            };
            if let Some(next) = next {
                self.set(XReg::sp, next.stack_pointer);
                let frame = ptr::with_exposed_provenance_mut(next.frame_pointer);
                // SAFETY: the code goes on with this frame.
                unsafe { self.vm.set_fp(frame) };
                if let Some(exception) = next.exception {
                    self.set(XReg::x0, exception);
                }
                let Some(address) = NonNull::new(ptr::with_exposed_provenance_mut(next.pc)) else {
                    return;
                };
                pc = address;
            }
        }
    }

    /// What the code asks the loader for. Where it goes on, if not behind the call.
    ///
    /// # Safety
    ///
    /// Code called with this number, and with the arguments of what it stands for.
    unsafe fn call(&mut self, number: u8, return_address: usize) -> Option<Continuation> {
        if number == HOST_ENTRY_NUMBER {
            // SAFETY: the arguments are those of a host entry.
            unsafe { self.call_host() };
            return None;
        }
        let libcall = Libcall::from_index(u32::from(number));
        let Some(libcall) = libcall.filter(|libcall| is_offered(*libcall)) else {
            // The artifact has the context's layout, and with it this list; what is not offered has been
            // refused. The program stops.
            // SAFETY: the code stopped at that place.
            return Some(unsafe { self.trap(return_address, None) });
        };
        let context = ptr::with_exposed_provenance_mut::<u8>(self.get(XReg::x0));
        let argument = self.get(XReg::x1);
        let site = self.site(return_address);
        let stop = |code: u32| {
            let (pc, frame) = (site.pc, site.frame_pointer);
            // SAFETY: the caller's promise: the context is the running instance's.
            Some(unsafe { unwind::raised(context, code, pc, frame, site.stack_pointer) })
        };
        match (libcall, NonNull::new(context)) {
            (Libcall::Raise, _) => stop(argument as u32),
            (Libcall::Throw, Some(context)) if Exceptions::IS_BUILT_IN => {
                // SAFETY: the caller's promise: this is an exception of the instance's group.
                Some(unsafe { thrown(context, argument, &site) })
            }
            (Libcall::Rethrow, Some(context)) if Exceptions::IS_BUILT_IN => {
                // SAFETY: as above.
                Some(unsafe { thrown_again(context, argument, &site) })
            }
            (Libcall::ExceptionNew, Some(context)) if Exceptions::IS_BUILT_IN => {
                self.leave();
                let tag = NonNull::new(ptr::with_exposed_provenance_mut::<TagRecordData>(argument));
                // SAFETY: the caller's promise: this is a tag's record.
                let made = tag.and_then(|tag| unsafe { new_exception(context, tag) });
                match made {
                    Some(address) => {
                        self.set(XReg::x0, address);
                        None
                    }
                    None => stop(TrapCode::StackOverflow as u32),
                }
            }
            _ => {
                // SAFETY: the caller's promise.
                unsafe { calls::call(libcall, self.vm.state_mut()) };
                None
            }
        }
    }

    /// Calls a host function: object, the caller's context, values.
    ///
    /// # Safety
    ///
    /// The arguments are in registers.
    unsafe fn call_host(&mut self) {
        self.leave();
        let object = ptr::with_exposed_provenance::<HostFunction>(self.get(XReg::x0));
        let context = NonNull::new(ptr::with_exposed_provenance_mut::<u8>(self.get(XReg::x1)));
        let values = ptr::with_exposed_provenance_mut::<Slot>(self.get(XReg::x2));
        let status = match context {
            // SAFETY: the caller's promise.
            Some(context) => unsafe { host::call_entry(object, context, values) },
            None => 1,
        };
        self.vm.state_mut()[XReg::x0].set_u32(status);
    }

    /// Notes how far the region is used, before host code runs that may call again, or that looks for
    /// references on the stack: registers are written there, for that it finds them.
    fn leave(&mut self) {
        let registers = KEPT.filter_map(XReg::new);
        let size = KEPT.len() * size_of::<usize>();
        let start = self.get(XReg::sp).wrapping_sub(size) & !(ALIGNMENT - 1);
        for (index, register) in registers.enumerate() {
            let place = ptr::with_exposed_provenance_mut::<usize>(start);
            let place = place.wrapping_add(index);
            // SAFETY: the stack below the code's frames is free, and there is as much of it as a
            // libcall of native code may use.
            unsafe { place.write(self.get(register)) };
        }
        // SAFETY: the activation is that of the call in progress; nobody else looks at it now.
        unsafe { (*self.activation).region_stack_pointer = start };
    }

    /// Notes that the code trapped at an instruction, and where the activation goes on.
    ///
    /// # Safety
    ///
    /// The code stopped there.
    unsafe fn trap(&mut self, pc: usize, kind: Option<TrapKind>) -> Continuation {
        let site = self.site(pc);
        // SAFETY: the host's frame looks at it through the same pointer, and only afterwards.
        let activation = unsafe { &mut *self.activation };
        let code = match kind {
            // Conversions trap for two reasons, of which the table has one.
            Some(TrapKind::IntegerOverflow) => TrapCode::IntegerOverflow,
            Some(TrapKind::BadConversionToInteger) => TrapCode::InvalidConversionToInteger,
            Some(TrapKind::DivideByZero) => TrapCode::IntegerDivideByZero,
            Some(TrapKind::StackOverflow) => TrapCode::StackOverflow,
            Some(TrapKind::MemoryOutOfBounds) => TrapCode::MemoryOutOfBounds,
            Some(TrapKind::DisabledOpcode) | None => {
                trap_at(activation, pc).unwrap_or(TrapCode::Unreachable)
            }
        };
        activation.pending = Pending::Trap(TrapInfo {
            code,
            pc,
            frame_pointer: site.frame_pointer,
            fault_address: None,
        });
        // SAFETY: the caller's promise.
        unsafe { unwind::end(activation, pc, true, site.frame_pointer, site.stack_pointer) }
    }

    /// Where the code stands.
    fn site(&self, pc: usize) -> Site {
        Site {
            pc,
            frame_pointer: self.vm.fp().expose_provenance(),
            stack_pointer: self.get(XReg::sp),
        }
    }

    fn get(&self, register: XReg) -> usize {
        // Registers have 64 bits; addresses are in the lower ones.
        self.vm.state()[register].get_u64() as usize
    }

    fn set(&mut self, register: XReg, value: usize) {
        self.vm.state_mut()[register].set_u64(value as u64);
    }
}

/// The trap of an instruction, by the table of the module that it belongs to.
fn trap_at(activation: &Activation, pc: usize) -> Option<TrapCode> {
    entry::group_of(activation)?.find_instance(|instance| {
        let module = instance.module();
        let offset = u32::try_from(pc.checked_sub(module.text().start)?).ok()?;
        let (code, _) = module.artifact().traps().lookup(offset)?;
        Some(code)
    })
}
