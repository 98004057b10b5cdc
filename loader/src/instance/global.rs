//! Globals as the host holds them.

use core::fmt;
use core::ptr::NonNull;

use crate::call::error::CallError;
use crate::call::value::{Slot, Value};
use crate::group::{Busy, Entered, GroupRef, Linked, Member, linking};
use crate::runtime::Runtime;
use crate::types::GlobalType;

/// A global that the host made.
pub(crate) struct GlobalObject {
    slot: core::cell::UnsafeCell<Slot>,
    global_type: GlobalType,
}

impl GlobalObject {
    /// The type.
    pub(crate) fn global_type(&self) -> GlobalType {
        self.global_type
    }

    /// The value, while the group is entered.
    pub(crate) fn read(&self) -> Slot {
        // SAFETY: whoever is inside of the group is this thread, and nobody writes now.
        unsafe { *self.slot.get() }
    }
}

/// A global: exported by an instance, or made by the host to be imported.
#[derive(Clone)]
pub struct Global {
    group: GroupRef,
    slot: NonNull<Slot>,
    global_type: GlobalType,
}

// SAFETY: the slot belongs to a member of the group and is only touched while that is entered.
unsafe impl Send for Global {}
// SAFETY: as above.
unsafe impl Sync for Global {}

impl Global {
    /// Makes a global with an initial value of its type.
    pub fn new(
        runtime: &Runtime,
        global_type: GlobalType,
        value: Value,
    ) -> Result<Global, CallError> {
        if !value.is_a(global_type.value) {
            return Err(CallError::GlobalMismatch {
                expected: global_type,
            });
        }
        let group = GroupRef::new(runtime)?;
        let slot = {
            let entered = group.enter()?;
            let object = GlobalObject {
                slot: core::cell::UnsafeCell::new(value.lower(&entered)?),
                global_type,
            };
            let object = Linked::new(runtime, object)?;
            let slot = NonNull::from(&object.slot).cast();
            entered.adopt(Member::Global(linking(object)?));
            slot
        };
        Ok(Global {
            group,
            slot,
            global_type,
        })
    }

    /// The global in a slot of a member of the group.
    pub(crate) fn from_slot(
        group: GroupRef,
        slot: NonNull<Slot>,
        global_type: GlobalType,
    ) -> Global {
        Global {
            group,
            slot,
            global_type,
        }
    }

    /// The global's type.
    pub fn global_type(&self) -> GlobalType {
        self.global_type
    }

    /// The value.
    pub fn get(&self) -> Result<Value, Busy> {
        let group = self.group.enter()?;
        Ok(Value::lift(
            self.global_type.value,
            &self.read(&group),
            &group,
        ))
    }

    /// Changes the value of a mutable global.
    pub fn set(&self, value: Value) -> Result<(), CallError> {
        if !value.is_a(self.global_type.value) || !self.global_type.mutable {
            return Err(CallError::GlobalMismatch {
                expected: self.global_type,
            });
        }
        let group = self.group.enter()?;
        let slot = value.lower(&group)?;
        // SAFETY: the handle keeps the slot alive, and its group is entered.
        unsafe { self.slot.write(slot) };
        Ok(())
    }

    pub(crate) fn group(&self) -> &GroupRef {
        &self.group
    }

    /// Where the value is.
    pub(crate) fn slot(&self) -> NonNull<Slot> {
        self.slot
    }

    /// Reads the value while the group is entered.
    fn read(&self, _: &Entered<'_>) -> Slot {
        // SAFETY: the handle keeps the slot alive, and its group is entered.
        unsafe { self.slot.read() }
    }
}

impl fmt::Debug for Global {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "global {:?}", self.global_type)
    }
}
