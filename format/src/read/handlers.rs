//! Handlers: where an exception goes from a call.
//!
//! ```text
//! return address --binary search--> site --> list: frame offset, clauses (tag, handler), ...
//! ```
//!
//! The tables are used as they lie in the file, while an exception is on its way. So the view does
//! not allocate, and everything in the tables has been checked when the artifact was parsed.

use crate::bytes::{Record, Records};
use crate::error::{ErrorKind, FormatError};
use crate::layout::{FLAG_KEEPS, SectionId, handler_clause, handler_list, handler_site};
use crate::types::ExternKind;

use super::Artifact;
use super::collection::{Collection, Item};

/// The calls at which exceptions are caught, ascending by return address.
pub type Handlers<'a> = Collection<'a, HandlerSite<'a>>;

/// What the sites refer to: lists, then clauses.
#[derive(Clone, Copy, Debug)]
pub struct HandlerPools<'a> {
    lists: Records<'a>,
    clauses: Records<'a>,
}

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
    clauses: Records<'a>,
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
    /// The clauses; the first that fits an exception takes it. One without a tag is the last.
    pub fn clauses(&self) -> impl Iterator<Item = HandlerClause> + 'a {
        let (first, clauses) = (self.first, self.clauses);
        (0..self.count).filter_map(move |index| {
            let record = clauses.get(first.checked_add(index)?)?;
            Some(HandlerClause {
                tag: record.optional(handler_clause::TAG),
                text_offset: record.u32(handler_clause::HANDLER),
                keeps: record.u32(handler_clause::FLAGS) & FLAG_KEEPS != 0,
            })
        })
    }
}

impl<'a> HandlerPools<'a> {
    fn list(&self, index: u32) -> Result<HandlerList<'a>, ErrorKind> {
        let record = self.lists.get(index).ok_or(ErrorKind::IndexOutOfRange)?;
        Ok(HandlerList {
            index,
            frame_offset: record.u32(handler_list::FRAME_OFFSET),
            first: record.u32(handler_list::FIRST_CLAUSE),
            count: record.u32(handler_list::CLAUSE_COUNT),
            clauses: self.clauses,
        })
    }
}

impl<'a> Item<'a> for HandlerSite<'a> {
    type Pools = HandlerPools<'a>;

    const SECTION: SectionId = SectionId::Handlers;

    fn read(record: Record<'a>, _: u32, pools: &HandlerPools<'a>) -> Result<Self, ErrorKind> {
        Ok(HandlerSite {
            return_offset: record.u32(handler_site::RETURN_OFFSET),
            list: pools.list(record.u32(handler_site::LIST))?,
        })
    }
}

impl<'a> Artifact<'a> {
    /// The calls at which exceptions are caught.
    pub fn handlers(&self) -> Handlers<'a> {
        let records = |id: SectionId| Records::new(self.section_bytes(id), id.unit());
        let pools = HandlerPools {
            lists: records(SectionId::HandlerLists),
            clauses: records(SectionId::HandlerClauses),
        };
        Collection::new(self, pools)
    }
}

impl<'a> Handlers<'a> {
    /// Where exceptions go from the call that returns to this text offset; logarithmic in the number
    /// of such calls.
    pub fn lookup(&self, return_offset: u32) -> Option<HandlerList<'a>> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let offset = self.record(middle)?.u32(handler_site::RETURN_OFFSET);
            match offset.cmp(&return_offset) {
                core::cmp::Ordering::Equal => return Some(self.get(middle)?.list),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// Checks that sites ascend, that lists follow each other and have clauses, that tags exist, and
/// that code offsets are in the text.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    if !cfg!(feature = "exceptions") {
        // Whoever reads this refuses the artifact if there are any.
        return Ok(());
    }
    let handlers = artifact.handlers();
    let text_size = artifact.section(SectionId::Text).size;
    let mut previous = 0;
    handlers.check_each(artifact, |site| {
        if site.return_offset <= previous {
            return Err(ErrorKind::NotAscending);
        }
        previous = site.return_offset;
        if site.return_offset > text_size {
            return Err(ErrorKind::RangeOutOfBounds);
        }
        Ok(())
    })?;
    let tags = artifact.index_space(ExternKind::Tag);
    let word = artifact.header().isa.pointer_width().bytes();
    let pools = &handlers.pools;
    let mut next = 0;
    for index in 0..pools.lists.len() {
        let error = |kind| artifact.error(kind, SectionId::HandlerLists, index);
        let list = pools.list(index).map_err(error)?;
        if list.first != next {
            return Err(error(ErrorKind::NotContiguous));
        }
        // At least one clause, and all of them there.
        next = match next.checked_add(list.count) {
            Some(end) if list.count != 0 && end <= pools.clauses.len() => end,
            _ => return Err(error(ErrorKind::RangeOutOfBounds)),
        };
        if !list.frame_offset.is_multiple_of(word) {
            return Err(error(ErrorKind::Misaligned));
        }
        for (clause, place) in list.clauses().zip(list.first..) {
            let error = |kind| artifact.error(kind, SectionId::HandlerClauses, place);
            match clause.tag {
                Some(tag) if tag >= tags => return Err(error(ErrorKind::IndexOutOfRange)),
                // Nothing comes after what takes everything.
                None if place + 1 != next => return Err(error(ErrorKind::NotAscending)),
                _ => {}
            }
            let flags = pools.clauses.get(place);
            let flags = flags.map_or(0, |record| record.u32(handler_clause::FLAGS));
            if flags & !FLAG_KEEPS != 0 {
                return Err(error(ErrorKind::ReservedBits));
            }
            if clause.text_offset >= text_size {
                return Err(error(ErrorKind::RangeOutOfBounds));
            }
        }
    }
    if next != pools.clauses.len() {
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::HandlerClauses, next));
    }
    Ok(())
}
