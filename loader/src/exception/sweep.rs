//! The sweep: which exceptions nobody refers to.
//!
//! References are in globals, tables and segments of the group, in handles of the host, in the values
//! of exceptions that are referred to, and on the stacks of the calls in progress. On these it is not
//! known which word is one: every word that is the address of an exception counts.

use super::object::Object;
use super::registry::{LEAST_THRESHOLD, Registry};
use super::tag::TagRecordData;
use super::{roots, stacks};
use crate::group::Member;

/// How many words are worth looking at for one exception that may have become garbage.
const WORDS_PER_EXCEPTION: usize = 16;

/// Frees the exceptions that nothing refers to. With the stack pointer of a call in progress, its
/// stacks are looked at as well; without one there must be no call.
pub(crate) fn sweep<'a>(
    registry: &mut Registry,
    members: impl Iterator<Item = &'a Member>,
    stack_pointer: Option<usize>,
) {
    registry.free_spent();
    let mut marker = Marker { registry, first: 0 };
    let (mut stack, mut others) = (0, 0);
    if let Some(stack_pointer) = stack_pointer {
        match stacks::visit(stack_pointer, |word| marker.mark(word)) {
            Some(words) => stack = words,
            // Everything may be in use. It is tried again when as much has piled up once more.
            None => marker.mark_all(),
        }
    }
    for member in members {
        roots::visit(member, &mut |reference| {
            others += 1;
            marker.mark(reference);
        });
    }
    marker.mark_handles();
    marker.trace();
    registry.free_unmarked();
    registry.pressure = 0;
    registry.roots = others;
    registry.threshold = LEAST_THRESHOLD
        .max(2 * registry.count())
        .max((stack + others) / WORDS_PER_EXCEPTION);
}

impl Registry {
    /// Whether so much may have become garbage that a sweep during a call is worth its while.
    pub(crate) fn wants_sweep(&self) -> bool {
        self.pressure >= self.threshold
    }

    /// Whether a sweep after a call is worth its while. It is a small one as a rule, and frees what
    /// would otherwise wait for the next exception.
    pub(crate) fn wants_sweep_at_rest(&mut self) -> bool {
        self.free_spent();
        self.pressure += 1;
        let work = self.roots + self.count();
        self.pressure.saturating_mul(4 * WORDS_PER_EXCEPTION) >= work
    }
}

/// What a sweep has found so far.
struct Marker<'a> {
    registry: &'a Registry,
    /// The first object whose values have not been looked at, or zero.
    first: usize,
}

impl Marker<'_> {
    /// Marks the object at an address, if there is one.
    fn mark(&mut self, address: usize) {
        if let Some(object) = self.registry.find(address) {
            self.mark_object(object);
        }
    }

    fn mark_object(&mut self, object: Object) {
        if object.mark() {
            object.set_next_to_trace(self.first);
            self.first = object.address();
        }
    }

    /// Marks what the host has handles to.
    fn mark_handles(&mut self) {
        let registry = self.registry;
        registry.for_each(|object| {
            if object.has_handles() {
                self.mark_object(object);
            }
        });
    }

    fn mark_all(&mut self) {
        let registry = self.registry;
        registry.for_each(|object| self.mark_object(object));
    }

    /// Marks what marked objects carry. A chain through the objects, not a recursion: exceptions
    /// that carry each other can be many.
    fn trace(&mut self) {
        // SAFETY: the chain holds objects of the registry.
        while let Some(object) = unsafe { Object::at(self.first) } {
            self.first = object.next_to_trace();
            object.set_next_to_trace(0);
            // SAFETY: the tag belongs to a member of the group, which is entered.
            let types = unsafe { TagRecordData::types(object.tag()) };
            for (index, value_type) in types.iter().enumerate() {
                if value_type.is_exception() {
                    self.mark(object.value(index).reference());
                }
            }
        }
    }
}
