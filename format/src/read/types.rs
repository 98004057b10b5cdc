//! Function types and the places of their trampolines and adapters.

use crate::bytes::Record;
use crate::error::ErrorKind;
use crate::layout::{self, SectionId, function_type};
use crate::types::{ExternKind, ValueType};

use super::Artifact;
use super::collection::{Collection, Item};
use super::validate::Checker;

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
        self.params == other.params && self.results == other.results
    }
}

impl<'a> Item<'a> for FuncType<'a> {
    const SECTION: SectionId = SectionId::Types;

    fn read(artifact: &'a Artifact<'a>, record: &Record, index: u32) -> Self {
        let list = |first, count| ValueTypes {
            artifact,
            first,
            count,
        };
        let first = record.u32(function_type::FIRST_VALUE);
        let params = record.u32(function_type::PARAM_COUNT);
        let results = record.u32(function_type::RESULT_COUNT);
        FuncType {
            index,
            canonical: record.u32(function_type::CANONICAL),
            following: record.u32(function_type::FORM) >> layout::FORM_FOLLOWING_SHIFT,
            entry_trampoline: record.optional(function_type::ENTRY_TRAMPOLINE),
            host_adapter: record.optional(function_type::HOST_ADAPTER),
            switch_adapter: record.optional(function_type::SWITCH_ADAPTER),
            params: list(first, params),
            results: list(first.saturating_add(params), results),
        }
    }
}

/// A list of value types; also an iterator's source.
#[derive(Clone, Copy, Debug)]
pub struct ValueTypes<'a> {
    artifact: &'a Artifact<'a>,
    first: u32,
    count: u32,
}

impl<'a> ValueTypes<'a> {
    /// How many there are.
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The one with this index.
    pub fn get(&self, index: u32) -> Option<ValueType> {
        if index >= self.count {
            return None;
        }
        let place = self.first.checked_add(index)?;
        let word = self.artifact.word(SectionId::ValueTypes, place);
        word.map(ValueType::from_checked)
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = ValueType> + Clone + 'a {
        let list = *self;
        (0..list.count).map_while(move |index| list.get(index))
    }
}

impl PartialEq for ValueTypes<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for ValueTypes<'_> {}

/// The record of the type of a function, imports first; some bytes where there is no such function.
pub(super) fn of_function(artifact: &Artifact<'_>, function: u32) -> Record {
    let ty = artifact.declaration(ExternKind::Function, function).ty;
    artifact.record(SectionId::Types, ty)
}

/// The value type that a number stands for. A reference to functions of one type names the first of
/// those that are equal: then equal numbers are equal types.
pub(super) fn check_value_type(artifact: &Artifact<'_>, raw: u32) -> Result<ValueType, ErrorKind> {
    let ty = ValueType::from_raw(raw).ok_or(ErrorKind::UnknownNumber)?;
    if let Some(index) = ty.function_type() {
        artifact.find(SectionId::Types, index)?;
        let record = artifact.record(SectionId::Types, index);
        if record.u32(function_type::CANONICAL) != index {
            return Err(ErrorKind::TypeMismatch);
        }
    }
    Ok(ty)
}

/// Checks that the lists follow each other, that groups are whole, and that canonical types are what
/// they claim.
// A frame of its own is small enough for short instructions.
#[inline(never)]
pub(super) fn check(
    checker: &mut Checker<'_>,
    record: &Record,
    index: u32,
) -> Result<(), ErrorKind> {
    let artifact = checker.artifact;
    let params = record.u32(function_type::PARAM_COUNT);
    let results = record.u32(function_type::RESULT_COUNT);
    if params > layout::MAX_VALUES || results > layout::MAX_VALUES {
        return Err(ErrorKind::InvalidLimits);
    }
    let first = record.u32(function_type::FIRST_VALUE);
    checker.run(SectionId::ValueTypes, first, params + results)?;
    // The counter is where the group of this type begins.
    let form = record.u32(function_type::FORM);
    let end = u64::from(index) + 1 + u64::from(form >> layout::FORM_FOLLOWING_SHIFT);
    if u64::from(index) == checker.end {
        checker.counter = index;
        checker.end = end;
    }
    if checker.end != end || end > u64::from(checker.count(SectionId::Types)) {
        return Err(ErrorKind::IndexOutOfRange);
    }
    let canonical = record.u32(function_type::CANONICAL);
    if canonical > index {
        return Err(ErrorKind::IndexOutOfRange);
    }
    // Types before this one have been checked, so a chain of canonical types has one link.
    let equal = artifact.record(SectionId::Types, canonical);
    let same = [
        function_type::CANONICAL,
        function_type::FORM,
        function_type::PARAM_COUNT,
        function_type::RESULT_COUNT,
    ];
    let mut same = same
        .iter()
        .all(|field| equal.u32(*field) == record.u32(*field));
    for place in 0..params + results {
        let value = |record: &Record| {
            let first = record.u32(function_type::FIRST_VALUE);
            artifact.word(SectionId::ValueTypes, first.saturating_add(place))
        };
        let own = value(record);
        same &= value(&equal) == own;
        let own = check_value_type(artifact, own.unwrap_or_default())?;
        // A group refers to itself and to what is before it.
        let other = own.function_type();
        if other.is_some_and(|other| u64::from(other) >= end) {
            return Err(ErrorKind::IndexOutOfRange);
        }
    }
    // A group is equal to another one as a whole.
    let place = index - checker.counter;
    let whole = if place != 0 {
        let start = artifact.record(SectionId::Types, checker.counter);
        canonical.checked_sub(start.u32(function_type::CANONICAL)) == Some(place)
    } else if canonical != 0 {
        let before = artifact.record(SectionId::Types, canonical - 1);
        before.u32(function_type::FORM) >> layout::FORM_FOLLOWING_SHIFT == 0
    } else {
        true
    };
    if same && whole {
        Ok(())
    } else {
        Err(ErrorKind::TypeMismatch)
    }
}
