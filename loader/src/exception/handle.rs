//! Exceptions as the host holds them.

use core::fmt;
use core::ptr::NonNull;

use precast_format::types::ExternKind;

use super::object::Object;
use super::tag::{Tag, TagRecordData};
use crate::call::error::CallError;
use crate::call::value::{Slot, Value};
use crate::group::{Busy, Entered, GroupRef};
use crate::printable::Printable;
use crate::runtime::Runtime;

/// An exception: caught by the host, made by it, or referred to by an `exnref`.
///
/// A handle keeps the exception, and the instances that its tag belongs to, alive. Two are equal if
/// they are the same exception.
pub struct Exception {
    group: GroupRef,
    object: Object,
}

// SAFETY: handles are counted atomically; all else of the object is touched only while its group is
// entered.
unsafe impl Send for Exception {}
// SAFETY: as above.
unsafe impl Sync for Exception {}

impl Exception {
    /// Makes an exception with values of the tag's types.
    ///
    /// # Errors
    ///
    /// [`CallError::TagMismatch`] where the values have other types.
    pub fn new(tag: &Tag, values: &[Value]) -> Result<Exception, CallError> {
        let types = tag.types();
        let fits = types.len() == values.len()
            && types.iter().zip(values).all(|(ty, value)| value.is_a(*ty));
        if !fits {
            return Err(CallError::TagMismatch {
                expected: tag.func_type(),
            });
        }
        let group = tag.group().enter()?;
        // SAFETY: the tag belongs to a member of the group.
        let object = unsafe { group.new_exception(tag.record()) }?;
        // The handle keeps the object while values of other groups are brought here.
        let exception = Exception::of(object, &group);
        for (index, value) in values.iter().enumerate() {
            object.set_value(index, value.lower(&group)?);
        }
        Ok(exception)
    }

    /// A handle to an object of the group that is entered.
    fn of(object: Object, group: &Entered<'_>) -> Exception {
        object.add_handle();
        group.escape(object);
        Exception {
            group: group.reference(),
            object,
        }
    }

    /// The exception of the group that is entered with this address; none for null.
    pub(crate) fn lift(reference: usize, group: &Entered<'_>) -> Option<Exception> {
        // SAFETY: compiled code of the group had the reference just now, so no sweep has freed it.
        let object = unsafe { Object::at(reference) }?;
        Some(Exception::of(object, group))
    }

    /// The address of the object, for code of the group that is entered; merges the groups.
    pub(crate) fn lower(&self, group: &Entered<'_>) -> Result<usize, CallError> {
        if !self.group.runtime().is_same(group.runtime()) {
            return Err(CallError::OtherRuntime);
        }
        if !group.contains(&self.group) {
            group.merge(&self.group.enter()?)?;
        }
        Ok(self.object.address())
    }

    /// Whether this is the exception with the address.
    pub(crate) fn is_at(&self, address: usize) -> bool {
        self.object.address() == address
    }

    /// The runtime that the exception belongs to.
    pub fn runtime(&self) -> &Runtime {
        self.group.runtime()
    }

    /// The tag.
    pub fn tag(&self) -> Tag {
        Tag::from_record(self.group.clone(), self.object.tag())
    }

    /// What the exception carries, in the order of the tag's types. The instances are entered for as
    /// long as the iterator is there.
    pub fn values(&self) -> Result<ExceptionValues<'_>, Busy> {
        Ok(ExceptionValues {
            group: self.group.enter()?,
            exception: self,
            next: 0,
        })
    }
}

impl Clone for Exception {
    fn clone(&self) -> Exception {
        self.object.add_handle();
        Exception {
            group: self.group.clone(),
            object: self.object,
        }
    }
}

impl Drop for Exception {
    fn drop(&mut self) {
        if self.object.remove_handle()
            && let Ok(group) = self.group.enter()
        {
            // Leaving the group frees the exception, if nobody else refers to it.
            group.release_exception();
        }
    }
}

impl PartialEq for Exception {
    fn eq(&self, other: &Exception) -> bool {
        self.object == other.object
    }
}

impl Eq for Exception {}

impl fmt::Debug for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("exception")?;
        match self.values() {
            Ok(values) => {
                write_name(f, self.object.tag(), &values.group)?;
                f.write_str(" (")?;
                for (index, value) in values.enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{} {value}", value.value_type().name())?;
                }
            }
            // Somebody else is inside: the types are known all the same.
            Err(Busy) => {
                f.write_str(" (")?;
                for (index, value_type) in self.tag().types().iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{value_type}")?;
                }
            }
        }
        f.write_str(")")
    }
}

/// Writes the name under which an instance of the group exports or imports a tag, if there is one.
fn write_name(
    f: &mut fmt::Formatter<'_>,
    tag: NonNull<TagRecordData>,
    group: &Entered<'_>,
) -> fmt::Result {
    let written = group.find_instance(|instance| {
        let artifact = instance.module().artifact();
        let index = (0..artifact.index_space(ExternKind::Tag))
            .find(|index| instance.tag(*index) == Some(tag))?;
        let mut exports = artifact.exports().into_iter();
        let exported =
            exports.find(|export| export.kind == ExternKind::Tag && export.index == index);
        let imported = || Some(artifact.import_of(ExternKind::Tag, index)?.name);
        let name = exported.map(|export| export.name).or_else(imported)?;
        Some(write!(f, " {}", Printable(name)))
    });
    written.unwrap_or(Ok(()))
}

/// What an exception carries.
pub struct ExceptionValues<'a> {
    group: Entered<'a>,
    exception: &'a Exception,
    next: usize,
}

impl Iterator for ExceptionValues<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let object = self.exception.object;
        // SAFETY: the handle keeps the group, and so the record's owner, alive.
        let types = unsafe { TagRecordData::types(object.tag()) };
        let value_type = types.get(self.next)?;
        let slot: Slot = object.value(self.next);
        self.next += 1;
        Some(Value::lift(*value_type, &slot, &self.group))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.exception.object.value_count() as usize).saturating_sub(self.next);
        (left, Some(left))
    }
}

impl ExactSizeIterator for ExceptionValues<'_> {}

impl fmt::Debug for ExceptionValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.exception.fmt(f)
    }
}
