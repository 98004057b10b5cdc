//! Function types and the places of their trampolines and adapters.

use crate::bytes::{Record, Words};
use crate::error::{ErrorKind, FormatError};
use crate::layout::{self, SectionId, function_type};
use crate::types::ValueType;

use super::Artifact;
use super::collection::{Collection, Item};

/// The function types of a module.
pub type FuncTypes<'a> = Collection<'a, FuncType<'a>>;

/// A function type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FuncType<'a> {
    /// Its index.
    pub index: u32,
    /// The index of the first type that is equal: in its structure, at the same place of an equal
    /// recursion group; at most `index`.
    pub canonical: u32,
    /// How many types of its recursion group follow it.
    pub following: u32,
    /// Text offset of the entry trampoline, if functions of this type are called by the host.
    pub entry_trampoline: Option<u32>,
    /// Text offset of the host adapter, if host functions of this type are called.
    pub host_adapter: Option<u32>,
    /// Text offset of the switch adapter, if functions of this type are called from elsewhere.
    pub switch_adapter: Option<u32>,
    params: ValueTypes<'a>,
    results: ValueTypes<'a>,
}

impl<'a> FuncType<'a> {
    /// The parameter types.
    pub const fn params(&self) -> ValueTypes<'a> {
        self.params
    }

    /// The result types.
    pub const fn results(&self) -> ValueTypes<'a> {
        self.results
    }

    /// Whether parameters and results are the same as another type's.
    pub fn is_same_signature(&self, other: &FuncType<'_>) -> bool {
        self.params.words.iter().eq(other.params.words.iter())
            && self.results.words.iter().eq(other.results.words.iter())
    }
}

impl<'a> Item<'a> for FuncType<'a> {
    type Pools = Words<'a>;

    const SECTION: SectionId = SectionId::Types;

    fn read(record: Record<'a>, index: u32, pools: &Words<'a>) -> Result<Self, ErrorKind> {
        let form = record.u32(function_type::FORM);
        let following = form >> layout::FORM_FOLLOWING_SHIFT;
        if form & !(u32::MAX << layout::FORM_FOLLOWING_SHIFT) != layout::FORM_FUNCTION {
            return Err(ErrorKind::UnknownNumber);
        }
        let params = record.u32(function_type::PARAM_COUNT);
        let results = record.u32(function_type::RESULT_COUNT);
        if params > layout::MAX_VALUES || results > layout::MAX_VALUES {
            return Err(ErrorKind::InvalidLimits);
        }
        let first = record.u32(function_type::FIRST_VALUE);
        let list = |start, count| {
            let words = pools
                .range(start, count)
                .ok_or(ErrorKind::RangeOutOfBounds)?;
            Ok(ValueTypes { words })
        };
        Ok(FuncType {
            index,
            canonical: record.u32(function_type::CANONICAL),
            following,
            entry_trampoline: record.optional(function_type::ENTRY_TRAMPOLINE),
            host_adapter: record.optional(function_type::HOST_ADAPTER),
            switch_adapter: record.optional(function_type::SWITCH_ADAPTER),
            params: list(first, params)?,
            results: list(first.saturating_add(params), results)?,
        })
    }
}

/// A list of value types; also an iterator's source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ValueTypes<'a> {
    words: Words<'a>,
}

impl<'a> ValueTypes<'a> {
    /// How many there are.
    pub const fn len(&self) -> u32 {
        self.words.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The one with this index.
    pub fn get(&self, index: u32) -> Option<ValueType> {
        ValueType::from_raw(self.words.get(index)?)
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = ValueType> + Clone + 'a {
        // Parsing has checked each word, so none is left out.
        self.words.iter().filter_map(ValueType::from_raw)
    }
}

/// Checks that a reference to functions of one type names a type, and the first of those that are
/// equal: then equal numbers are equal types.
pub(super) fn check_value_type(artifact: &Artifact<'_>, ty: ValueType) -> Result<(), ErrorKind> {
    match ty.function_type() {
        Some(index) if artifact.types().read(index)?.canonical != index => {
            Err(ErrorKind::TypeMismatch)
        }
        _ => Ok(()),
    }
}

/// Checks that the lists follow each other, that groups are whole, that canonical types are what they claim, and that
/// code offsets are in the text.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let values = artifact.section_words(SectionId::ValueTypes);
    for (index, raw) in values.iter().enumerate() {
        if ValueType::from_raw(raw).is_none() {
            let kind = ErrorKind::UnknownNumber;
            return Err(artifact.error(kind, SectionId::ValueTypes, index as u32));
        }
    }
    let types = artifact.types();
    // Where the group of the type that is looked at begins, and where it ends.
    let (mut start, mut end) = (0, 0);
    let text_size = artifact.section(SectionId::Text).size;
    let mut next_value = 0u32;
    types.check_each(artifact, |ty| {
        let first = types
            .first_value(ty.index)
            .ok_or(ErrorKind::IndexOutOfRange)?;
        if first != next_value {
            return Err(ErrorKind::NotContiguous);
        }
        next_value = first + ty.params.len() + ty.results.len();
        if ty.index == end {
            start = end;
            end = ty.index.saturating_add(1).saturating_add(ty.following);
        }
        if end > types.len() || end - 1 - ty.index != ty.following {
            return Err(ErrorKind::IndexOutOfRange);
        }
        for value in ty.params.iter().chain(ty.results.iter()) {
            // A group refers to itself and to what is before it.
            if value.function_type().is_some_and(|other| other >= end) {
                return Err(ErrorKind::IndexOutOfRange);
            }
            check_value_type(artifact, value)?;
        }
        // Types before this one have been checked, so a chain of canonical types has one link.
        let canonical = if ty.canonical == ty.index {
            ty
        } else if ty.canonical < ty.index {
            types.read(ty.canonical)?
        } else {
            return Err(ErrorKind::IndexOutOfRange);
        };
        let same = canonical.canonical == ty.canonical
            && canonical.following == ty.following
            && canonical.is_same_signature(&ty);
        // A group is equal to another one as a whole.
        let place = ty.index - start;
        let whole = match (place, ty.canonical.checked_sub(1)) {
            (0, None) => true,
            (0, Some(before)) => types.read(before)?.following == 0,
            _ => {
                let first = types.read(start)?;
                ty.canonical.checked_sub(first.canonical) == Some(place)
            }
        };
        if !same || !whole {
            return Err(ErrorKind::TypeMismatch);
        }
        let offsets = [ty.entry_trampoline, ty.host_adapter, ty.switch_adapter];
        if offsets.iter().flatten().any(|offset| *offset >= text_size) {
            return Err(ErrorKind::RangeOutOfBounds);
        }
        Ok(())
    })?;
    if next_value != values.len() {
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::ValueTypes, next_value));
    }
    Ok(())
}

impl<'a> FuncTypes<'a> {
    /// Where a type's values start.
    fn first_value(&self, index: u32) -> Option<u32> {
        Some(self.record(index)?.u32(function_type::FIRST_VALUE))
    }
}
