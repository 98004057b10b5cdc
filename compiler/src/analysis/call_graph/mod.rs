//! Who can call whom.
//!
//! ```text
//!   nodes      | imported functions | defined functions | dispatches |
//!   edges        function -> function                direct call
//!                function -> dispatch -> function    indirect call
//! ```
//!
//! A dispatch stands for the functions of one type that one table can hold, so that the graph stays
//! small where many calls go through one table. A call through a table that can hold functions of
//! others has no edge: its callee is not known, nor is that of a call by reference.

mod components;
mod cycle;
mod scan;
mod tables;
#[cfg(test)]
mod tests;

pub(super) use components::Components;
pub(super) use cycle::CycleFinder;
pub(crate) use scan::CallScan;

use std::collections::{BTreeMap, BTreeSet};

use self::scan::Target;
use crate::module::Module;

/// The calls of a module, as the analyses want them.
pub(crate) struct Calls {
    pub(super) graph: CallGraph,
    pub(super) components: Components,
}

impl Calls {
    /// Finds out who can call whom; nothing where a body names what is not in the module, and will turn
    /// out not to be valid.
    pub fn new(module: &Module<'_>, scan: &CallScan) -> Option<Calls> {
        if !scan.fits(module) {
            return None;
        }
        let graph = CallGraph::new(module, scan);
        let components = Components::new(&graph);
        Some(Calls { graph, components })
    }
}

/// An edge of the graph.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Edge {
    /// The node that is called.
    pub target: u32,
    /// Whether the caller's frame stays below the callee's. It is gone after a tail call; and a
    /// dispatch has none.
    pub stacks: bool,
    /// File offset of the call; zero where a dispatch goes on.
    pub offset: u32,
}

/// The graph of the calls in a module.
pub(super) struct CallGraph {
    edges: Vec<Edge>,
    /// Where the edges of each node end.
    ends: Vec<u32>,
    imported: u32,
    functions: u32,
    unknown: BTreeMap<u32, u32>,
}

impl CallGraph {
    /// Builds the graph. What the scan names [is in the module](CallScan::fits).
    pub fn new(module: &Module<'_>, scan: &CallScan) -> CallGraph {
        let tables = tables::contents(module, &scan.tables);
        let functions = module.functions.len() as u32;
        let mut dispatches: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let mut graph = CallGraph {
            edges: Vec::new(),
            ends: vec![0; module.imported_functions as usize],
            imported: module.imported_functions,
            functions,
            unknown: BTreeMap::new(),
        };
        for (caller, calls) in module.defined_functions().zip(&scan.bodies) {
            for call in calls {
                let target = match call.target {
                    Target::Function(function) => function,
                    Target::Table { table, ty } if !tables[table as usize].open => {
                        let ty = module.canonical_types[ty as usize];
                        let next = functions + dispatches.len() as u32;
                        *dispatches.entry((table, ty)).or_insert(next)
                    }
                    Target::Table { .. } | Target::Reference => {
                        graph.unknown.entry(caller).or_insert(call.offset);
                        continue;
                    }
                };
                graph.edges.push(Edge {
                    target,
                    stacks: !call.tail,
                    offset: call.offset,
                });
            }
            graph.ends.push(graph.edges.len() as u32);
        }
        // One pass over each table, however many types it is called with.
        let mut callees: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        let called: BTreeSet<u32> = dispatches.keys().map(|(table, _)| *table).collect();
        for table in called {
            for function in &tables[table as usize].functions {
                let ty = module.canonical_type_of(*function);
                callees.entry((table, ty)).or_default().push(*function);
            }
        }
        let mut in_order: Vec<_> = dispatches.into_iter().collect();
        in_order.sort_unstable_by_key(|(_, node)| *node);
        for (dispatch, _) in in_order {
            let callees = callees.get(&dispatch).into_iter().flatten();
            graph.edges.extend(callees.map(|function| Edge {
                target: *function,
                stacks: false,
                offset: 0,
            }));
            graph.ends.push(graph.edges.len() as u32);
        }
        graph
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the node is a dispatch, not a function.
    pub fn is_dispatch(&self, node: u32) -> bool {
        node >= self.functions
    }

    /// Whether the node is an imported function.
    pub fn is_imported(&self, node: u32) -> bool {
        node < self.imported
    }

    /// The calls of a node.
    pub fn edges(&self, node: u32) -> &[Edge] {
        let start = node
            .checked_sub(1)
            .map_or(0, |before| self.ends[before as usize]);
        &self.edges[start as usize..self.ends[node as usize] as usize]
    }

    /// File offset of the first call of a function whose callee is not known, if there is one.
    pub fn unknown_call(&self, function: u32) -> Option<u32> {
        self.unknown.get(&function).copied()
    }
}
