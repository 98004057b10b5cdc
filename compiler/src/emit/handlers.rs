//! Where exceptions are caught, for the artifact: the lists of handlers, each written once.

use std::collections::HashMap;

use precast_format::write::{ArtifactBuilder, HandlerClause, HandlerList, HandlerSite};

use crate::link::Linked;

/// Adds the handlers of the text. Calls next to each other have the same list, as a rule.
pub(super) fn add_handlers(artifact: &mut ArtifactBuilder, linked: &Linked) {
    let mut numbers = HashMap::new();
    let handlers = linked.handlers.lists.iter();
    let handlers = handlers.map(|list| {
        let clause = |(clause, text_offset): &(crate::abi::Clause, u32)| HandlerClause {
            tag: clause.tag,
            text_offset: *text_offset,
            keeps: clause.keeps,
        };
        let next = artifact.handler_lists.len() as u32;
        *numbers.entry(list).or_insert_with(|| {
            artifact.handler_lists.push(HandlerList {
                frame_offset: list.frame_offset,
                clauses: list.clauses.iter().map(clause).collect(),
            });
            next
        })
    });
    let numbers: Vec<u32> = handlers.collect();
    let sites = linked.handlers.sites.iter();
    artifact.handlers = sites
        .map(|(return_offset, list)| HandlerSite {
            return_offset: *return_offset,
            list: numbers[*list as usize],
        })
        .collect();
}
