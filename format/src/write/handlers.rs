//! Tags, and where exceptions are caught.

use alloc::vec::Vec;

use crate::layout::{FLAG_KEEPS, handler_clause, handler_list, handler_site, tag};

use super::WriteError;
use super::builder::ArtifactBuilder;
use super::pools::{Record, size};

/// The three tables of handlers.
#[derive(Default)]
pub(super) struct HandlerTables {
    pub(super) sites: Vec<u8>,
    pub(super) lists: Vec<u8>,
    pub(super) clauses: Vec<u8>,
}

pub(super) fn write_tags(builder: &ArtifactBuilder, section: &mut Vec<u8>) {
    for entry in &builder.tags {
        Record::<{ tag::SIZE }>::new()
            .u32(tag::TYPE, entry.type_index)
            .push_to(section);
    }
}

pub(super) fn encode(builder: &ArtifactBuilder) -> Result<HandlerTables, WriteError> {
    let mut tables = HandlerTables::default();
    for site in &builder.handlers {
        Record::<{ handler_site::SIZE }>::new()
            .u32(handler_site::RETURN_OFFSET, site.return_offset)
            .u32(handler_site::LIST, site.list)
            .push_to(&mut tables.sites);
    }
    for list in &builder.handler_lists {
        let first = tables.clauses.len() / handler_clause::SIZE;
        Record::<{ handler_list::SIZE }>::new()
            .u32(handler_list::FRAME_OFFSET, list.frame_offset)
            .u32(handler_list::FIRST_CLAUSE, size(first)?)
            .u32(handler_list::CLAUSE_COUNT, size(list.clauses.len())?)
            .push_to(&mut tables.lists);
        for clause in &list.clauses {
            Record::<{ handler_clause::SIZE }>::new()
                .optional(handler_clause::TAG, clause.tag)
                .u32(handler_clause::HANDLER, clause.text_offset)
                .u32(
                    handler_clause::FLAGS,
                    if clause.keeps { FLAG_KEEPS } else { 0 },
                )
                .push_to(&mut tables.clauses);
        }
    }
    Ok(tables)
}
