//! Where exceptions are caught, for the artifact: the lists of handlers, each written once.

use std::collections::HashMap;

use precast_format::write::{ArtifactBuilder, HandlerClause, HandlerList, HandlerSite};

use crate::link::Linked;

/// Adds the handlers of the text. Calls next to each other have the same list, as a rule.
pub(super) fn add_handlers(artifact: &mut ArtifactBuilder, linked: &Linked) {
    let mut lists = HashMap::new();
    for site in &linked.handlers {
        let clause = |(clause, text_offset): &(crate::abi::Clause, u32)| HandlerClause {
            tag: clause.tag,
            text_offset: *text_offset,
            keeps: clause.keeps,
        };
        let list = HandlerList {
            frame_offset: site.frame_offset,
            clauses: site.clauses.iter().map(clause).collect(),
        };
        let next = artifact.handler_lists.len() as u32;
        let index = *lists.entry(list).or_insert_with_key(|list| {
            artifact.handler_lists.push(list.clone());
            next
        });
        artifact.handlers.push(HandlerSite {
            return_offset: site.return_offset,
            list: index,
        });
    }
}
