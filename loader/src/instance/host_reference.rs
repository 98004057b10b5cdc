//! References to host functions that the host hands to programs without an import: in a table, a global, or as
//! an argument.
//!
//! Compiled code calls a host function through an adapter for its type, which is machine code and so comes
//! from an artifact. Importing instances have one for each type that they import. A function that nothing
//! imports borrows one: of any instance of the group whose artifact was compiled with adapters for all types
//! of its module (`--host-references`). The record that then stands for the function is the group's, and one
//! is enough for all references.
#![forbid(unsafe_code)]

use core::ptr::NonNull;

use crate::alloc::Shared;
use crate::call::error::CallError;
use crate::call::host::HostFunction;
use crate::facility::HostReferences;
use crate::group::{Entered, Linked, Member};
use crate::instance::InstanceData;
use crate::instance::record::HostRecord;

/// The address of a record for code of the group that is entered.
pub(crate) fn refer(
    function: &Shared<HostFunction>,
    group: &Entered<'_>,
) -> Result<usize, CallError> {
    if !HostReferences::IS_BUILT_IN {
        return Err(CallError::HostFunctionReference);
    }
    if let Some(record) = group.host_record(function) {
        return Ok(record.as_ptr().expose_provenance());
    }
    let record = group.find_instance(|instance| record(function, instance));
    let record = record.ok_or_else(|| CallError::HostFunctionReference)?;
    let record = Linked::new(group.runtime(), record)?;
    let address = NonNull::from(&record.record).as_ptr().expose_provenance();
    let record = HostReferences::hold(record).ok_or_else(|| CallError::HostFunctionReference)?;
    group.adopt(Member::Function(record));
    Ok(address)
}

/// A record with an instance's adapter for the function's type; none if its artifact has none.
fn record(function: &Shared<HostFunction>, instance: &InstanceData) -> Option<HostRecord> {
    let module = instance.module();
    let artifact = module.artifact();
    let mut types = artifact.types().into_iter();
    let ty = types.find(|ty| {
        ty.host_adapter.is_some() && module.func_type(ty.index) == function.func_type()
    })?;
    HostRecord::new(instance, &ty, function)
}
