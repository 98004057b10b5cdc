//! The worst case of the native stack: how deep each function can go.
//!
//! ```text
//!   caller's frame
//!   -------------------  <- the caller's stack pointer: depths count from here
//!   return address        \
//!   saved frame pointer    |
//!   saved registers        |  frame size, as Cranelift tells it
//!   spilled values, slots  |
//!   arguments of callees  /
//!   -------------------  <- the function's stack pointer
//!   the deepest callee
//! ```
//!
//! The depth of a function is its frame and the largest depth of its callees. Frames hold the room
//! for the arguments and memory results of ordinary calls, so nothing lies between two frames. Where
//! a function has tail calls, its arguments and its callees' share one place, which is as large as
//! the largest of them; so such functions are measured from the top of that place, and a tail call's
//! callee reaches as deep as the callee measured from there. Hence calls in a cycle of tail calls
//! take no more than the largest of their frames.
//!
//! Whether stack arguments are reckoned exactly depends on the target (see `stack_arguments`);
//! where they are not, the sum lies above the truth. A function with a large frame is checked by
//! a stub before it, or probes its pages; what these ask for beyond the frame is added, so that a
//! stack of the reported size passes the check. On targets that keep frame pointer and return address elsewhere,
//! counting two words for them is too much, never too little.
//!
//! Not in the sum: libcalls, which run in the loader's margin; and what imported functions do
//! beyond the adapter through which they are called.
//!
//! Where calls can be made from within themselves there is no depth. Then each function's step leads
//! to the reason: into a cycle, or to the call whose callee is not known.

use std::collections::BTreeSet;
use std::collections::VecDeque;

use precast_format::stack_depth::{CallKind, DepthStep, FunctionDepth, StackBound, StackDepth};
use wasmparser::ExternalKind;

use super::call_graph::{CallGraph, Calls, Components, CycleFinder, Edge};
use super::stack_frames::{Frame, StackFrames};
use crate::error::{CompileError, Result};
use crate::translate::Environment;

/// The depths of a module's functions.
pub(crate) struct StackDepths {
    /// Of the functions that the host can call by name, ascending; and of the start function.
    pub bounds: Vec<StackBound>,
    /// Of each defined function.
    pub functions: Vec<FunctionDepth>,
}

impl StackDepths {
    /// Reckons the depths, when all bodies have proved valid.
    ///
    /// # Errors
    ///
    /// When the calls are not known, which is a defect.
    pub fn new(environment: &Environment<'_>, frames: &StackFrames) -> Result<StackDepths> {
        let module = environment.module;
        let Some(Calls { graph, components }) = &environment.calls else {
            return Err(CompileError::internal("valid bodies with invalid calls"));
        };
        let mut analysis = Analysis {
            graph,
            components,
            cycles: CycleFinder::new(graph, components),
            frames: &frames.functions,
            nodes: vec![Node::default(); graph.len()],
        };
        for component in components.iter() {
            analysis.visit(component);
        }
        let exported = module.exports.iter();
        let exported = exported.filter(|export| export.kind == ExternalKind::Func);
        let roots: BTreeSet<u32> = exported
            .map(|export| export.index)
            .chain(module.start)
            .filter(|function| !module.is_imported_function(*function))
            .collect();
        Ok(StackDepths {
            bounds: roots
                .into_iter()
                .map(|function| {
                    let entry = frames.entries[module.canonical_type_of(function) as usize];
                    analysis.bound(function, entry)
                })
                .collect(),
            functions: module
                .defined_functions()
                .map(|function| FunctionDepth {
                    depth: analysis.nodes[function as usize].depth().map(stored),
                    step: analysis.step(function),
                })
                .collect(),
        })
    }
}

/// A depth as the artifact holds it.
fn stored(depth: u64) -> u32 {
    depth.min(u64::from(u32::MAX - 1)) as u32
}

/// Why there is no bound.
#[derive(Clone, Copy)]
enum Reason {
    Recursion(u32),
    Unknown(u32),
}

/// What is known of a node.
#[derive(Clone, Copy, Default)]
struct Node {
    reason: Option<Reason>,
    /// From the caller's stack pointer.
    depth: u64,
    /// From the top of the place for arguments.
    reach: u64,
    /// The edges that lead on, for a call and for a tail call of the node.
    next: Option<Edge>,
    next_in_tail: Option<Edge>,
    /// A reachable import.
    import: Option<u32>,
}

impl Node {
    fn depth(&self) -> Option<u64> {
        self.reason.is_none().then_some(self.depth)
    }
}

struct Analysis<'a> {
    graph: &'a CallGraph,
    components: &'a Components,
    cycles: CycleFinder<'a>,
    frames: &'a [Frame],
    nodes: Vec<Node>,
}

impl Analysis<'_> {
    /// Reckons the nodes of a component; their callees outside of it are known.
    fn visit(&mut self, component: &[u32]) {
        if self.find_reason(component) {
            return;
        }
        // Dispatches come after functions.
        let border = component.partition_point(|node| !self.is_dispatch(*node));
        let (functions, dispatches) = component.split_at(border);
        let deepest = functions
            .iter()
            .map(|node| (self.own_reach(*node), *node))
            .max_by_key(|((reach, _), node)| (*reach, std::cmp::Reverse(*node)));
        let Some(((reach, next), deepest)) = deepest else {
            return dispatches.iter().for_each(|node| self.dispatch(*node));
        };
        let import = component.iter().find_map(|node| self.import_of(*node));
        for &node in functions {
            let arguments = self.frames[node as usize].arguments;
            // Without tail calls the place for arguments is the caller's, and its size cancels out.
            let above = match self.tail_arguments(node) {
                Some(_) => arguments.least,
                None => arguments.most,
            };
            let state = &mut self.nodes[node as usize];
            state.reach = reach;
            state.depth = reach.saturating_sub(u64::from(above));
            state.import = import;
        }
        let state = &mut self.nodes[deepest as usize];
        (state.next, state.next_in_tail) = (next, next);
        for &node in dispatches {
            self.dispatch(node);
        }
        self.lead_to(component, &[deepest]);
    }

    fn is_dispatch(&self, node: u32) -> bool {
        self.graph.is_dispatch(node)
    }

    /// The largest place for arguments that the tail calls of a function need.
    fn tail_arguments(&self, node: u32) -> Option<u32> {
        let tail = self.graph.edges(node).iter().filter(|edge| !edge.stacks);
        tail.map(|edge| match self.is_dispatch(edge.target) {
            true => {
                let callees = self.graph.edges(edge.target).iter();
                let arguments = callees.map(|edge| self.most_arguments(edge.target));
                arguments.max().unwrap_or(0)
            }
            false => self.most_arguments(edge.target),
        })
        .max()
    }

    fn most_arguments(&self, function: u32) -> u32 {
        self.frames[function as usize].arguments.most
    }

    /// How far a function goes without calls inside of its component, and by which call.
    fn own_reach(&self, node: u32) -> (u64, Option<Edge>) {
        let frame = self.frames[node as usize];
        let arguments = frame
            .arguments
            .most
            .max(self.tail_arguments(node).unwrap_or(0));
        let base = u64::from(arguments) + u64::from(frame.bytes);
        let mut deepest = (base + u64::from(frame.checked), None);
        for edge in self.graph.edges(node) {
            if self.components.share(node, edge.target) {
                continue;
            }
            let callee = &self.nodes[edge.target as usize];
            let reach = match edge.stacks {
                true => base + callee.depth,
                false => callee.reach,
            };
            if reach > deepest.0 || (reach == deepest.0 && deepest.1.is_none()) {
                deepest = (reach, Some(*edge));
            }
        }
        deepest
    }

    /// A dispatch goes as deep as the deepest of its functions.
    fn dispatch(&mut self, node: u32) {
        let mut state = Node::default();
        for edge in self.graph.edges(node) {
            let callee = &self.nodes[edge.target as usize];
            if callee.depth >= state.depth {
                (state.depth, state.next) = (callee.depth, Some(*edge));
            }
            if callee.reach >= state.reach {
                (state.reach, state.next_in_tail) = (callee.reach, Some(*edge));
            }
            state.import = state.import.or(self.import_of(edge.target));
        }
        self.nodes[node as usize] = state;
    }

    /// An import that the node is or calls.
    fn import_of(&self, node: u32) -> Option<u32> {
        let is_imported = self.graph.is_imported(node);
        is_imported.then_some(node).or_else(|| {
            let mut edges = self.graph.edges(node).iter();
            edges.find_map(|edge| self.nodes[edge.target as usize].import)
        })
    }

    /// Finds out whether a component has no bound; then its nodes lead to the reason.
    fn find_reason(&mut self, component: &[u32]) -> bool {
        if let Some(cycle) = self.cycles.find(component) {
            let on_cycle: Vec<u32> = cycle.iter().map(|(node, _)| *node).collect();
            let function = on_cycle.iter().find(|node| !self.is_dispatch(**node));
            let reason = Reason::Recursion(function.copied().unwrap_or(component[0]));
            self.set_reason(component, reason);
            for (node, edge) in cycle {
                let state = &mut self.nodes[node as usize];
                (state.next, state.next_in_tail) = (Some(edge), Some(edge));
            }
            self.lead_to(component, &on_cycle);
            return true;
        }
        let unknown = |node: &&u32| self.graph.unknown_call(**node).is_some();
        if let Some(&node) = component.iter().find(unknown) {
            self.set_reason(component, Reason::Unknown(node));
            self.lead_to(component, &[node]);
            return true;
        }
        for &node in component {
            for edge in self.graph.edges(node) {
                if let Some(reason) = self.nodes[edge.target as usize].reason {
                    self.set_reason(component, reason);
                    let state = &mut self.nodes[node as usize];
                    (state.next, state.next_in_tail) = (Some(*edge), Some(*edge));
                    self.lead_to(component, &[node]);
                    return true;
                }
            }
        }
        false
    }

    fn set_reason(&mut self, component: &[u32], reason: Reason) {
        for node in component {
            self.nodes[*node as usize].reason = Some(reason);
        }
    }

    /// Lets all nodes of a component lead to some of them, by the fewest steps.
    fn lead_to(&mut self, component: &[u32], goals: &[u32]) {
        if component.len() == goals.len() {
            return;
        }
        let mut callers: Vec<(u32, u32, Edge)> = Vec::new();
        for &node in component {
            let edges = self.graph.edges(node).iter();
            let inside = edges.filter(|edge| self.components.share(node, edge.target));
            callers.extend(inside.map(|edge| (edge.target, node, *edge)));
        }
        callers.sort_by_key(|(target, caller, _)| (*target, *caller));
        let mut seen: BTreeSet<u32> = goals.iter().copied().collect();
        let mut queue: VecDeque<u32> = goals.iter().copied().collect();
        while let Some(node) = queue.pop_front() {
            let start = callers.partition_point(|(target, ..)| *target < node);
            for (target, caller, edge) in &callers[start..] {
                if *target != node {
                    break;
                }
                if seen.insert(*caller) {
                    let state = &mut self.nodes[*caller as usize];
                    (state.next, state.next_in_tail) = (Some(*edge), Some(*edge));
                    queue.push_back(*caller);
                }
            }
        }
    }

    /// The step of a function; a dispatch on the way is the kind of the call.
    fn step(&self, function: u32) -> DepthStep {
        let state = &self.nodes[function as usize];
        if let (Some(Reason::Unknown(of)), Some(offset)) =
            (state.reason, self.graph.unknown_call(function))
            && of == function
        {
            return DepthStep::Unknown {
                wasm_offset: offset,
            };
        }
        let Some(edge) = state.next else {
            return DepthStep::End;
        };
        let called = &self.nodes[edge.target as usize];
        let on = match (self.is_dispatch(edge.target), edge.stacks) {
            (false, _) => Some(edge),
            (true, true) => called.next,
            (true, false) => called.next_in_tail,
        };
        let Some(on) = on else {
            // Nothing in the table has the type: the call traps.
            return DepthStep::End;
        };
        DepthStep::Call {
            callee: on.target,
            kind: match (self.is_dispatch(edge.target), edge.stacks) {
                (false, true) => CallKind::Direct,
                (false, false) => CallKind::Tail,
                (true, true) => CallKind::Indirect,
                (true, false) => CallKind::IndirectTail,
            },
            wasm_offset: edge.offset,
        }
    }

    /// What a call of the function by the host can take.
    fn bound(&self, function: u32, entry: Frame) -> StackBound {
        let state = &self.nodes[function as usize];
        StackBound {
            function,
            depth: match state.reason {
                None => StackDepth::Bytes {
                    bytes: stored(u64::from(entry.bytes) + state.depth.max(entry.checked.into())),
                    imports: state.import.is_some(),
                },
                Some(Reason::Recursion(function)) => StackDepth::Recursion { function },
                Some(Reason::Unknown(function)) => StackDepth::UnknownCallee { function },
            },
        }
    }
}
