//! Handlers: where an exception goes from a call.
//!
//! ```text
//! return address --binary search--> site --> list: frame offset, clauses (tag, handler), ...
//! ```
//!
//! The tables are used as they lie in the file, while an exception is on its way. So the view does
//! not allocate, and everything in the tables has been checked when the artifact was parsed.

use crate::bytes::Record;
use crate::error::{ErrorKind, FormatError};
use crate::layout::{FLAG_KEEPS, SectionId, handler_clause, handler_list, handler_site};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};

/// The calls at which exceptions are caught, ascending by return address.
pub type Handlers<'a> = Collection<'a, HandlerSite<'a>>;

/// A call at which exceptions are caught.
#[derive(Clone, Copy, Debug)]
pub struct HandlerSite<'a> {
    /// Its return address in the text.
    pub return_offset: u32,
    /// Where exceptions go from it.
    pub list: HandlerList<'a>,
}

/// Where exceptions go from a call.
#[derive(Clone, Copy, Debug)]
pub struct HandlerList<'a> {
    /// Index of the list.
    pub index: u32,
    /// Distance of the stack pointer below the frame pointer, at the call and in the handlers.
    pub frame_offset: u32,
    first: u32,
    count: u32,
    artifact: &'a Artifact<'a>,
}

/// Where exceptions of a tag go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandlerClause {
    /// The tag, imports first; none for exceptions of any tag.
    pub tag: Option<u32>,
    /// Where control goes in the text.
    pub text_offset: u32,
    /// Whether the handler goes on to refer to the exception. Otherwise it takes the values out before
    /// anything else is thrown, and does not look at the exception again.
    pub keeps: bool,
}

impl<'a> HandlerList<'a> {
    /// The list with this index.
    fn at(artifact: &'a Artifact<'a>, index: u32) -> Option<HandlerList<'a>> {
        artifact.find(SectionId::HandlerLists, index).ok()?;
        let record = artifact.record(SectionId::HandlerLists, index);
        Some(HandlerList {
            index,
            frame_offset: record.u32(handler_list::FRAME_OFFSET),
            first: record.u32(handler_list::FIRST_CLAUSE),
            count: record.u32(handler_list::CLAUSE_COUNT),
            artifact,
        })
    }

    /// The clauses; the first that fits an exception takes it. One without a tag is the last.
    pub fn clauses(&self) -> impl Iterator<Item = HandlerClause> + 'a {
        let list = *self;
        (0..list.count).filter_map(move |index| {
            let place = list.first.checked_add(index)?;
            list.artifact.find(SectionId::HandlerClauses, place).ok()?;
            let record = list.artifact.record(SectionId::HandlerClauses, place);
            Some(HandlerClause {
                tag: record.optional(handler_clause::TAG),
                text_offset: record.u32(handler_clause::HANDLER),
                keeps: record.u32(handler_clause::FLAGS) & FLAG_KEEPS != 0,
            })
        })
    }
}

impl<'a> Item<'a> for HandlerSite<'a> {
    const SECTION: SectionId = SectionId::Handlers;

    fn read(artifact: &'a Artifact<'a>, record: &Record, _: u32) -> Self {
        let index = record.u32(handler_site::LIST);
        HandlerSite {
            return_offset: record.u32(handler_site::RETURN_OFFSET),
            list: HandlerList::at(artifact, index).unwrap_or(HandlerList {
                index,
                frame_offset: 0,
                first: 0,
                count: 0,
                artifact,
            }),
        }
    }
}

impl<'a> Artifact<'a> {
    /// The calls at which exceptions are caught.
    pub fn handlers(&self) -> Handlers<'_> {
        Collection::new(self)
    }
}

impl<'a> Handlers<'a> {
    /// Where exceptions go from the call that returns to this text offset; logarithmic in the number
    /// of such calls.
    pub fn lookup(&self, return_offset: u32) -> Option<HandlerList<'a>> {
        let found = self.search(|index| {
            let record = self.artifact.record(SectionId::Handlers, index);
            Some(record.u32(handler_site::RETURN_OFFSET).cmp(&return_offset))
        });
        Some(self.get(found?)?.list)
    }
}

/// Checks that sites ascend, that lists follow each other and have clauses, that tags exist, and
/// that code offsets are in the text.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    if !cfg!(feature = "exceptions") {
        // Whoever reads this refuses the artifact if there are any.
        return Ok(());
    }
    let text_size = artifact.section(SectionId::Text).size;
    let lists = artifact.count(SectionId::HandlerLists);
    let mut previous = 0;
    for (index, site) in artifact.handlers().iter().enumerate() {
        let error = |kind| Err(artifact.error(kind, SectionId::Handlers, index as u32));
        if site.list.index >= lists {
            return error(ErrorKind::IndexOutOfRange);
        }
        if site.return_offset <= previous {
            return error(ErrorKind::NotAscending);
        }
        previous = site.return_offset;
        if site.return_offset > text_size {
            return error(ErrorKind::RangeOutOfBounds);
        }
    }
    let clauses = artifact.count(SectionId::HandlerClauses);
    let word = artifact.header().isa.pointer_width().bytes();
    let mut next = 0;
    for index in 0..lists {
        let error = |kind| artifact.error(kind, SectionId::HandlerLists, index);
        let list = HandlerList::at(artifact, index);
        let list = list.ok_or_else(|| error(ErrorKind::IndexOutOfRange))?;
        if list.first != next {
            return Err(error(ErrorKind::NotContiguous));
        }
        // At least one clause, and all of them there.
        next = match next.checked_add(list.count) {
            Some(end) if list.count != 0 && end <= clauses => end,
            _ => return Err(error(ErrorKind::RangeOutOfBounds)),
        };
        if list.frame_offset & (word - 1) != 0 {
            return Err(error(ErrorKind::Misaligned));
        }
        for place in list.first..next {
            check_clause(artifact, place, place + 1 == next)
                .map_err(|kind| artifact.error(kind, SectionId::HandlerClauses, place))?;
        }
    }
    if next != clauses {
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::HandlerClauses, next));
    }
    Ok(())
}

/// Checks a clause, of which it is said whether it is the last one of its list.
fn check_clause(artifact: &Artifact<'_>, place: u32, is_last: bool) -> Result<(), ErrorKind> {
    let record = artifact.record(SectionId::HandlerClauses, place);
    match record.optional(handler_clause::TAG) {
        Some(tag) if tag >= artifact.index_space(ExternKind::Tag) => {
            return Err(ErrorKind::IndexOutOfRange);
        }
        // Nothing comes after what takes everything.
        None if !is_last => return Err(ErrorKind::NotAscending),
        _ => {}
    }
    if record.u32(handler_clause::FLAGS) & !FLAG_KEEPS != 0 {
        return Err(ErrorKind::ReservedBits);
    }
    if record.u32(handler_clause::HANDLER) >= artifact.section(SectionId::Text).size {
        return Err(ErrorKind::RangeOutOfBounds);
    }
    Ok(())
}
