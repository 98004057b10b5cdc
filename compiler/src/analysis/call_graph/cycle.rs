//! The cycle that is named where calls have no bound: the shortest of a component.
//!
//! A cycle of direct calls is recursion that the program's author wrote, so those come first. One
//! that an indirect call closes may be none: the table can hold the function, and perhaps never
//! does when that call is made. A cycle of tail calls takes no stack and does not count.

use std::collections::VecDeque;

use super::{CallGraph, Components, Edge};

/// How many edges a search follows at most before it is content with what it has: components of
/// tens of thousands of functions have more cycles than anybody wants to compare.
const PATIENCE: usize = 5_000_000;

/// Marks a node that no path has reached.
const NONE: u32 = u32::MAX;

/// A step on the way: who calls, and by which edge.
pub(in super::super) type Step = (u32, Edge);

/// Finds cycles in one component after the other.
pub(in super::super) struct CycleFinder<'a> {
    graph: &'a CallGraph,
    components: &'a Components,
    /// For each node who reached it, by which of its edges, and after how many steps.
    reached: Vec<(u32, u32, u32)>,
    touched: Vec<u32>,
}

impl<'a> CycleFinder<'a> {
    /// A finder for a graph with these components.
    pub fn new(graph: &'a CallGraph, components: &'a Components) -> CycleFinder<'a> {
        CycleFinder {
            graph,
            components,
            reached: vec![(NONE, NONE, NONE); graph.len()],
            touched: Vec::new(),
        }
    }

    /// The edges of a cycle in which some caller's frame stays, if the component has one.
    pub fn find(&mut self, component: &[u32]) -> Option<Vec<Step>> {
        self.shortest(component, false)
            .or_else(|| self.shortest(component, true))
    }

    /// The shortest cycle, with or without dispatches.
    fn shortest(&mut self, component: &[u32], dispatches: bool) -> Option<Vec<Step>> {
        let mut calls: Vec<Step> = Vec::new();
        for node in component {
            let inside = self.graph.edges(*node).iter().filter(|edge| {
                edge.stacks
                    && self.components.share(*node, edge.target)
                    && (dispatches || !self.graph.is_dispatch(edge.target))
            });
            calls.extend(inside.map(|edge| (*node, *edge)));
        }
        // One search serves all callers of a function.
        calls.sort_by_key(|(caller, edge)| (*caller != edge.target, edge.target, *caller));
        let mut patience = PATIENCE;
        let mut best: Option<Vec<Step>> = None;
        let same = |first: &Step, second: &Step| {
            let is_of_itself = |call: &Step| call.0 == call.1.target;
            first.1.target == second.1.target && is_of_itself(first) == is_of_itself(second)
        };
        for same in calls.chunk_by(same) {
            if patience == 0 && (best.is_some() || !dispatches) {
                break;
            }
            let limit = best.as_ref().map_or(usize::MAX, Vec::len);
            if let Some(cycle) = self.back_to_caller(same, limit, dispatches, &mut patience) {
                best = Some(cycle);
            }
            if best.as_ref().is_some_and(|cycle| cycle.len() == 1) {
                break;
            }
        }
        best
    }

    /// A search in breadth from a function back to one of its callers: the shortest cycle of fewer
    /// steps than the limit that begins with one of these calls, which have the same target.
    fn back_to_caller(
        &mut self,
        calls: &[Step],
        limit: usize,
        dispatches: bool,
        patience: &mut usize,
    ) -> Option<Vec<Step>> {
        for node in self.touched.drain(..) {
            self.reached[node as usize] = (NONE, NONE, NONE);
        }
        let first = calls.first()?.1.target;
        self.reach(first, (first, NONE, 0));
        let mut queue = VecDeque::from([first]);
        while let Some(node) = queue.pop_front() {
            let steps = self.reached[node as usize].2;
            if steps as usize + 1 >= limit {
                return None;
            }
            // Callers ascend.
            let place = calls.partition_point(|(caller, _)| *caller < node);
            if let Some(call) = calls.get(place).filter(|(caller, _)| *caller == node) {
                return Some(self.walk(*call));
            }
            for (index, edge) in self.graph.edges(node).iter().enumerate() {
                *patience = patience.saturating_sub(1);
                let new = self.reached[edge.target as usize].0 == NONE;
                let allowed = dispatches || !self.graph.is_dispatch(edge.target);
                if new && allowed && self.components.share(node, edge.target) {
                    self.reach(edge.target, (node, index as u32, steps + 1));
                    queue.push_back(edge.target);
                }
            }
        }
        None
    }

    fn reach(&mut self, node: u32, how: (u32, u32, u32)) {
        self.reached[node as usize] = how;
        self.touched.push(node);
    }

    /// The cycle that a call closes, beginning with its callee.
    fn walk(&self, call: Step) -> Vec<Step> {
        let mut cycle = vec![call];
        let mut node = call.0;
        while node != call.1.target {
            let (from, edge, _) = self.reached[node as usize];
            cycle.push((from, self.graph.edges(from)[edge as usize]));
            node = from;
        }
        cycle.reverse();
        cycle
    }
}
