//! Tags: what kind of exception something is, and what it carries.
//!
//! A tag is its record's address. Records of tags that a module defines lie in the instance's
//! context; a tag that the host makes has its own.

use core::fmt;
use core::mem::{offset_of, size_of};
use core::ptr::NonNull;

use precast_format::context::TagRecord;

use crate::call::error::CallError;
use crate::group::{GroupRef, Linked, Member, linking};
use crate::instance::context::NATIVE_WIDTH;
use crate::runtime::Runtime;
use crate::types::{FuncType, ValueType};

/// A tag record as compiled code reads it.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct TagRecordData {
    /// The type, whose parameters are what an exception carries. It lives as long as the record.
    pub(crate) func_type: *const FuncType,
    /// The runtime's number of the type.
    pub(crate) type_id: u32,
    /// How many values an exception carries.
    pub(crate) value_count: u32,
}

const _: () = {
    assert!(size_of::<TagRecordData>() == TagRecord::size(NATIVE_WIDTH) as usize);
    assert!(
        offset_of!(TagRecordData, func_type)
            == TagRecord::FunctionType.offset(NATIVE_WIDTH) as usize
    );
    assert!(offset_of!(TagRecordData, type_id) == TagRecord::type_id_offset(NATIVE_WIDTH) as usize);
    assert!(
        offset_of!(TagRecordData, value_count)
            == TagRecord::value_count_offset(NATIVE_WIDTH) as usize
    );
};

impl TagRecordData {
    /// The record of a tag of this type, which lives as long as the record is used.
    pub(crate) fn new(func_type: &FuncType) -> TagRecordData {
        TagRecordData {
            func_type,
            type_id: func_type.id(),
            // A function type has at most 1,000 parameters.
            value_count: func_type.params().len() as u32,
        }
    }

    /// The types of what an exception carries.
    ///
    /// # Safety
    ///
    /// The record belongs to a member of a group that outlives `'a`.
    pub(crate) unsafe fn types<'a>(record: NonNull<TagRecordData>) -> &'a [ValueType] {
        // SAFETY: the caller's promise; records do not change after instantiation.
        let func_type = unsafe { record.read() }.func_type;
        // SAFETY: the type lives as long as the record.
        unsafe { &*func_type }.params()
    }
}

/// A tag that the host made.
pub(crate) struct TagObject {
    record: core::cell::Cell<TagRecordData>,
    func_type: FuncType,
}

/// A tag: exported by an instance, or made by the host to be imported. Two are equal if exceptions of
/// one are caught as exceptions of the other.
///
/// ```no_run
/// # use precast_loader::{
/// #     CallError, Caller, Exception, HostError, Imports, Runtime, Tag, Value, ValueType,
/// # };
/// # fn define(runtime: &Runtime, imports: &mut Imports) -> Result<(), CallError> {
/// let missing = Tag::new(runtime, &[ValueType::I32])?;
/// imports.tag("env", "missing", &missing)?;
/// imports.func("env", "read", move |_: &mut Caller<'_>, key: i32| {
///     if key < 0 {
///         // Code that calls the function can catch it.
///         return Err(HostError::from(Exception::new(&missing, &[Value::I32(key)])?));
///     }
///     Ok(key)
/// })?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Tag {
    group: GroupRef,
    record: NonNull<TagRecordData>,
}

// SAFETY: the record belongs to a member of the group and never changes once there is a handle.
unsafe impl Send for Tag {}
// SAFETY: as above.
unsafe impl Sync for Tag {}

impl Tag {
    /// Makes a tag whose exceptions carry values of these types.
    pub fn new(runtime: &Runtime, types: &[ValueType]) -> Result<Tag, CallError> {
        let group = GroupRef::new(runtime)?;
        let func_type = FuncType::new(runtime, types, &[])?;
        let object = TagObject {
            record: core::cell::Cell::new(TagRecordData::new(&func_type)),
            func_type,
        };
        let object = Linked::new(runtime, object)?;
        // The type has moved into its place.
        object.record.set(TagRecordData::new(&object.func_type));
        let record = NonNull::from(&object.record).cast();
        group.enter()?.adopt(Member::Tag(linking(object)?));
        Ok(Tag { group, record })
    }

    /// The tag with this record, which belongs to a member of the group.
    pub(crate) fn from_record(group: GroupRef, record: NonNull<TagRecordData>) -> Tag {
        Tag { group, record }
    }

    /// Where the record is.
    pub(crate) fn record(&self) -> NonNull<TagRecordData> {
        self.record
    }

    pub(crate) fn group(&self) -> &GroupRef {
        &self.group
    }

    /// The types of what an exception carries.
    pub fn types(&self) -> &[ValueType] {
        // SAFETY: the handle keeps the group, and so the record's owner, alive.
        unsafe { TagRecordData::types(self.record) }
    }

    /// The types of what an exception carries, as the parameters of a function.
    pub fn func_type(&self) -> FuncType {
        // SAFETY: the handle keeps the record alive; records do not change after instantiation.
        let func_type = unsafe { self.record.read() }.func_type;
        // SAFETY: the type lives as long as the record.
        unsafe { &*func_type }.clone()
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Tag) -> bool {
        self.record == other.record
    }
}

impl Eq for Tag {}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tag {}", self.func_type())
    }
}
