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
        let record = artifact.get(SectionId::HandlerLists, index)?;
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
            let record = list.artifact.get(SectionId::HandlerClauses, place)?;
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
    // Programs that throw have more of these than of anything else.
    let sites = rows::<{ handler_site::SIZE }>(artifact, SectionId::Handlers);
    let lists = rows::<{ handler_list::SIZE }>(artifact, SectionId::HandlerLists);
    let clauses = rows::<{ handler_clause::SIZE }>(artifact, SectionId::HandlerClauses);
    let text_size = artifact.section(SectionId::Text).size;
    let mut previous = 0;
    for (site, index) in sites.iter().zip(0..) {
        let error = |kind| Err(artifact.error(kind, SectionId::Handlers, index));
        let site = Record::lying_in(site);
        let return_offset = site.u32(handler_site::RETURN_OFFSET);
        if site.u32(handler_site::LIST) as usize >= lists.len() {
            return error(ErrorKind::IndexOutOfRange);
        }
        if return_offset <= previous {
            return error(ErrorKind::NotAscending);
        }
        previous = return_offset;
        if return_offset > text_size {
            return error(ErrorKind::RangeOutOfBounds);
        }
    }
    let tags = artifact.index_space(ExternKind::Tag);
    let word = artifact.header().isa.pointer_width().bytes();
    let mut next = 0u32;
    for (list, index) in lists.iter().zip(0..) {
        let error = |kind| Err(artifact.error(kind, SectionId::HandlerLists, index));
        let list = Record::lying_in(list);
        let first = list.u32(handler_list::FIRST_CLAUSE);
        if first != next {
            return error(ErrorKind::NotContiguous);
        }
        // At least one clause, and all of them there.
        next = first.saturating_add(list.u32(handler_list::CLAUSE_COUNT));
        let own = clauses.get(first as usize..next as usize);
        let Some(own) = own.filter(|own| !own.is_empty()) else {
            return error(ErrorKind::RangeOutOfBounds);
        };
        if list.u32(handler_list::FRAME_OFFSET) & (word - 1) != 0 {
            return error(ErrorKind::Misaligned);
        }
        for (clause, place) in own.iter().zip(first..) {
            check_clause(Record::lying_in(clause), place + 1 == next, tags, text_size)
                .map_err(|kind| artifact.error(kind, SectionId::HandlerClauses, place))?;
        }
    }
    if next as usize != clauses.len() {
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::HandlerClauses, next));
    }
    Ok(())
}

/// The records of a section, where they lie.
fn rows<'a, const N: usize>(artifact: &Artifact<'a>, id: SectionId) -> &'a [[u8; N]] {
    artifact.section_bytes(id).as_slice().as_chunks().0
}

/// Checks a clause, of which it is said whether it is the last one of its list.
fn check_clause(
    record: Record<&[u8; handler_clause::SIZE]>,
    is_last: bool,
    tags: u32,
    text_size: u32,
) -> Result<(), ErrorKind> {
    match record.optional(handler_clause::TAG) {
        Some(tag) if tag >= tags => return Err(ErrorKind::IndexOutOfRange),
        // Nothing comes after what takes everything.
        None if !is_last => return Err(ErrorKind::NotAscending),
        _ => {}
    }
    if record.u32(handler_clause::FLAGS) & !FLAG_KEEPS != 0 {
        return Err(ErrorKind::ReservedBits);
    }
    if record.u32(handler_clause::HANDLER) >= text_size {
        return Err(ErrorKind::RangeOutOfBounds);
    }
    Ok(())
}
