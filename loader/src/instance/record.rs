//! Function records: what function references point to.
//!
//! Records of defined functions lie in the instance context. The loader makes one more for each
//! imported host function, with what it needs to call it on its own account.

use core::mem::{offset_of, size_of};
use core::ptr::NonNull;

use precast_format::context::FunctionRecord;
use precast_format::read;

use crate::alloc::Shared;
use crate::call::host::HostFunction;
use crate::instance::InstanceData;
use crate::instance::context::NATIVE_WIDTH;

/// A function record as compiled code reads it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct FunctionRecordData {
    /// Address of the code for callers with the same context.
    pub(crate) code: usize,
    /// The context that the code runs in, or the host function.
    pub(crate) context: usize,
    /// Address of the code for all other callers.
    pub(crate) foreign: usize,
    /// The runtime's number of the type.
    pub(crate) type_id: u32,
    /// The module's canonical type index.
    pub(crate) local_type: u32,
}

const _: () = {
    assert!(size_of::<FunctionRecordData>() == FunctionRecord::size(NATIVE_WIDTH) as usize);
    assert!(
        offset_of!(FunctionRecordData, code) == FunctionRecord::Code.offset(NATIVE_WIDTH) as usize
    );
    assert!(
        offset_of!(FunctionRecordData, context)
            == FunctionRecord::Context.offset(NATIVE_WIDTH) as usize
    );
    assert!(
        offset_of!(FunctionRecordData, foreign)
            == FunctionRecord::Foreign.offset(NATIVE_WIDTH) as usize
    );
    assert!(
        offset_of!(FunctionRecordData, type_id)
            == FunctionRecord::type_id_offset(NATIVE_WIDTH) as usize
    );
    assert!(
        offset_of!(FunctionRecordData, local_type)
            == FunctionRecord::local_type_offset(NATIVE_WIDTH) as usize
    );
};

/// The record by which code calls a host function: an imported one, or one that a reference is to. `code` equals `foreign`: the host adapter, which no
/// defined function has in both places.
#[repr(C)]
pub(crate) struct HostRecord {
    pub(crate) record: FunctionRecordData,
    /// The instance that imports it, or whose adapter it has.
    pub(crate) owner: NonNull<InstanceData>,
    /// The function.
    pub(crate) function: Shared<HostFunction>,
}

impl HostRecord {
    /// The record through which an instance calls a host function of a type; none where its artifact has no
    /// adapter to host functions of the type.
    pub(crate) fn new(
        instance: &InstanceData,
        ty: &read::FuncType<'_>,
        function: &Shared<HostFunction>,
    ) -> Option<HostRecord> {
        let module = instance.module();
        let code = module.code_address(ty.host_adapter?);
        let record = FunctionRecordData {
            code,
            context: core::ptr::from_ref(&**function).expose_provenance(),
            foreign: code,
            type_id: module.types().id(ty.index),
            local_type: ty.canonical,
        };
        Some(HostRecord {
            record,
            owner: NonNull::from(instance),
            function: function.clone(),
        })
    }
}

/// Whose record it is.
pub(crate) enum Owner<'a> {
    /// A defined function of an instance, with its canonical type index.
    Instance(&'a InstanceData, u32),
    /// A host function that an instance imports.
    Host(&'a HostRecord),
}

impl<'a> Owner<'a> {
    /// Looks at a record.
    ///
    /// # Safety
    ///
    /// The record belongs to an instance that outlives `'a`.
    pub(crate) unsafe fn of(record: NonNull<FunctionRecordData>) -> Owner<'a> {
        // SAFETY: the caller's promise; records do not change after instantiation.
        let data = unsafe { record.read() };
        if data.code == data.foreign {
            // SAFETY: only the records inside of host records have equal addresses: the code of a
            // defined function lies in that function, and the link plan has seen that no adapter
            // does.
            return Owner::Host(unsafe { record.cast::<HostRecord>().as_ref() });
        }
        let context = core::ptr::with_exposed_provenance_mut(data.context);
        // SAFETY: the record of a defined function holds its instance's context pointer.
        let context = unsafe { NonNull::new_unchecked(context) };
        // SAFETY: as above; the instance outlives `'a`.
        Owner::Instance(
            unsafe { InstanceData::from_context(context) },
            data.local_type,
        )
    }
}
