//! Functions as the host holds them.

use core::fmt;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

use crate::alloc::{Category, OutOfMemory, Shared, Vec};
use crate::call::caller::Caller;
use crate::call::entry;
use crate::call::error::{CallError, HostError};
use crate::call::exec_env::CallContext;
use crate::call::host::{self, HostFunction, IntoHostFunction};
use crate::call::stack::CallStack;
use crate::call::typed::{TypedFunc, WasmParams, WasmResults};
use crate::call::value::{Slot, Value};
use crate::group::{Entered, GroupRef};
use crate::instance::host_reference;
use crate::instance::record::{FunctionRecordData, Owner};
use crate::runtime::Runtime;
use crate::types::FuncType;

/// Slots that a call has without allocating.
const INLINE_SLOTS: usize = 16;

/// A function: an export, a reference out of a table, or a host function to import.
///
/// A handle keeps the instance of the function, and whatever that is linked with, alive.
#[derive(Clone)]
pub struct Func(Kind);

#[derive(Clone)]
enum Kind {
    /// A function that the host made and nothing has imported yet.
    Host(Shared<HostFunction>),
    /// A function record of a member of the group.
    Record(GroupRef, NonNull<FunctionRecordData>),
}

// SAFETY: a host function is `Send` and `Sync`; a record is only read while its group is entered,
// or in parts that never change after instantiation.
unsafe impl Send for Func {}
// SAFETY: as above.
unsafe impl Sync for Func {}

impl Func {
    /// A host function from a typed closure.
    pub fn new<M>(
        runtime: &Runtime,
        closure: impl IntoHostFunction<M>,
    ) -> Result<Func, OutOfMemory> {
        Ok(Func(Kind::Host(closure.into_host_function(runtime)?.0)))
    }

    /// A host function from a closure over [`Value`]s, for types that are known at run time only.
    ///
    /// The closure must fill the results with values of the right types; they start as zeros.
    pub fn untyped<F>(
        runtime: &Runtime,
        func_type: FuncType,
        closure: F,
    ) -> Result<Func, OutOfMemory>
    where
        F: Fn(&mut Caller<'_>, &[Value], &mut [Value]) -> Result<(), HostError>
            + Send
            + Sync
            + 'static,
    {
        Ok(Func(Kind::Host(host::untyped(
            runtime, func_type, closure,
        )?)))
    }

    /// A function of the group that is entered, from the address of its record; `None` for null.
    pub(crate) fn lift(reference: usize, group: &Entered<'_>) -> Option<Func> {
        let record = NonNull::new(core::ptr::with_exposed_provenance_mut(reference))?;
        Some(Func(Kind::Record(group.reference(), record)))
    }

    /// The function of a record of the group.
    pub(crate) fn from_record(group: GroupRef, record: NonNull<FunctionRecordData>) -> Func {
        Func(Kind::Record(group, record))
    }

    /// The record, unless the function is a host's that nothing has imported yet.
    pub(crate) fn record(&self) -> Option<NonNull<FunctionRecordData>> {
        if let Kind::Record(_, record) = &self.0 {
            Some(*record)
        } else {
            None
        }
    }

    /// The record, if code of other instances can call what it stands for.
    pub(crate) fn importable_record(&self) -> Option<NonNull<FunctionRecordData>> {
        let record = self.record()?;
        // SAFETY: the handle keeps the record alive; records do not change after instantiation.
        let data = unsafe { record.read() };
        (data.foreign != 0).then_some(record)
    }

    /// The address of the record, for code of the group that is entered; merges the groups.
    pub(crate) fn lower(&self, group: &Entered<'_>) -> Result<usize, CallError> {
        let (own, record) = match &self.0 {
            Kind::Host(function) => return host_reference::refer(function, group),
            Kind::Record(own, record) => (own, record),
        };
        if !own.runtime().is_same(group.runtime()) {
            return Err(CallError::OtherRuntime);
        }
        if !group.contains(own) {
            group.merge(&own.enter()?)?;
        }
        Ok(record.as_ptr().expose_provenance())
    }

    /// What tells it from other functions: where a host function is, wherever it was imported, or else
    /// the record.
    pub(crate) fn address(&self) -> usize {
        let host: *const HostFunction = match &self.0 {
            Kind::Host(function) => &raw const **function,
            // SAFETY: the handle keeps the record and its owner alive.
            Kind::Record(_, record) => match unsafe { Owner::of(*record) } {
                Owner::Host(host) => &raw const *host.function,
                Owner::Instance(..) => return record.addr().get(),
            },
        };
        host.addr()
    }

    /// The host function behind the handle, if nothing has imported it yet.
    pub(crate) fn as_host_function(&self) -> Option<&Shared<HostFunction>> {
        if let Kind::Host(function) = &self.0 {
            Some(function)
        } else {
            None
        }
    }

    /// The group of the function's instance.
    pub(crate) fn group(&self) -> Option<&GroupRef> {
        if let Kind::Record(group, _) = &self.0 {
            Some(group)
        } else {
            None
        }
    }

    /// The function's type.
    pub fn func_type(&self) -> FuncType {
        self.borrowed_type().clone()
    }

    /// The function's type, kept by the handle.
    pub(crate) fn borrowed_type(&self) -> &FuncType {
        match &self.0 {
            Kind::Host(function) => function.func_type(),
            // SAFETY: the handle keeps the record and its owner alive.
            Kind::Record(_, record) => match unsafe { Owner::of(*record) } {
                Owner::Instance(instance, local_type) => instance.module().func_type(local_type),
                Owner::Host(host) => host.function.func_type(),
            },
        }
    }

    /// The function with its Rust types, or `None` where its type is another one.
    pub fn typed<P: WasmParams, R: WasmResults>(&self) -> Option<TypedFunc<P, R>> {
        TypedFunc::new(self.clone())
    }

    /// Calls the function with as many parameters and results as its type has.
    pub fn call(
        &self,
        context: &mut impl CallContext,
        params: &[Value],
        results: &mut [Value],
    ) -> Result<(), CallError> {
        let func_type = self.borrowed_type();
        let types = func_type.params();
        let fits = types.len() == params.len()
            && func_type.results().len() == results.len()
            && types.iter().zip(params).all(|(ty, value)| value.is_a(*ty));
        if !fits {
            return Err(CallError::Mismatch {
                expected: func_type.clone(),
            });
        }
        self.call_slots(
            context.call_stack(),
            func_type.slots(),
            |slots, group| {
                for (slot, value) in slots.iter_mut().zip(params) {
                    *slot = value.lower(group)?;
                }
                Ok(())
            },
            |slots, group| {
                for ((slot, ty), value) in slots.iter().zip(func_type.results()).zip(results) {
                    *value = Value::lift(*ty, slot, group);
                }
                Ok(())
            },
        )
    }

    /// Calls the function: `lower` fills the parameters, `lift` reads the results.
    pub(crate) fn call_slots<T>(
        &self,
        stack: CallStack,
        count: usize,
        lower: impl FnOnce(&mut [Slot], &Entered<'_>) -> Result<(), CallError>,
        lift: impl FnOnce(&[Slot], &Entered<'_>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let Kind::Record(group, record) = &self.0 else {
            return Err(CallError::HostFunctionReference);
        };
        let group = group.enter()?;
        let mut inline = [const { MaybeUninit::<Slot>::uninit() }; INLINE_SLOTS];
        // Made only where it is needed: an array counts a reference to its allocator.
        let mut heap;
        let slots = match inline.get_mut(..count) {
            Some(slots) => {
                for slot in slots.iter_mut() {
                    slot.write(Slot::ZERO);
                }
                // SAFETY: all of these were written.
                unsafe { slots.assume_init_mut() }
            }
            None => {
                heap = Vec::new_in(group.runtime().allocator(), Category::Arguments);
                heap.try_resize(count, Slot::ZERO)?;
                heap.as_mut_slice()
            }
        };
        lower(slots, &group)?;
        // SAFETY: the record belongs to a member of the group, which is entered, and the typed or
        // untyped caller has compared the types and asked for enough slots.
        unsafe { entry::call(*record, slots, &stack, &group)? };
        lift(slots, &group)
    }
}

impl fmt::Debug for Func {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "func {}", self.func_type())
    }
}
