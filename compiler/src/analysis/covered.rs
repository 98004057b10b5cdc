//! Functions that do not look for stack, because all that can happen in them fits below the limit.
//!
//! ```text
//!   checked -> checked -> covered -> covered -> covered (a leaf)
//!                         <----- the reserve ----------------->
//! ```
//!
//! A function is covered if it cannot be part of a cycle, if every function that it can call is known
//! and covered, and if these calls are not deep. Whoever calls it is at the limit at worst; what it
//! and its callees take then lies in the reserve, whose size is known when all frames are
//! (`codegen/stack_cover.rs`). A function that calls nothing is covered by this rule.
//!
//! Tail calls are left out: their arguments make frames that others see.

use precast_format::tunables::StackChecks;

use super::call_graph::{CallGraph, Calls};
use crate::error::Result;
use crate::module::Module;

/// How many calls deep a covered function may go. Deeper ones take more stack than is worth
/// reserving for every call.
const MOST_CALLS: u8 = 4;

/// Which functions are covered.
#[derive(Default)]
pub(crate) struct CoveredFunctions {
    /// By function index.
    covered: Vec<bool>,
    /// Nodes of the call graph that are covered, callees before callers.
    nodes: Vec<u32>,
}

impl CoveredFunctions {
    /// Finds them; there are none where nothing is compared with a limit, or where a body will turn
    /// out not to be valid.
    pub fn new(
        module: &Module<'_>,
        calls: Option<&Calls>,
        checks: StackChecks,
    ) -> CoveredFunctions {
        let Some(Calls { graph, components }) = calls else {
            return CoveredFunctions::default();
        };
        if checks != StackChecks::Explicit {
            return CoveredFunctions::default();
        }
        let mut found = CoveredFunctions {
            covered: vec![false; module.functions.len()],
            nodes: Vec::new(),
        };
        // Calls below each node; `None` for what is not covered.
        let mut heights: Vec<Option<u8>> = vec![None; graph.len()];
        for component in components.iter() {
            let [node] = *component else { continue };
            let Some(height) = height(graph, node, &heights) else {
                continue;
            };
            heights[node as usize] = Some(height);
            found.nodes.push(node);
            if !graph.is_dispatch(node) {
                found.covered[node as usize] = true;
            }
        }
        found
    }

    /// Whether a function is covered.
    pub fn contains(&self, function: u32) -> bool {
        self.covered
            .get(function as usize)
            .is_some_and(|covered| *covered)
    }

    /// Goes from callees to callers: `take` is told of each covered function how much its callees take
    /// at most, and says how much it takes with them.
    ///
    /// # Errors
    ///
    /// Those of `take`.
    pub fn add_up(
        &self,
        calls: &Calls,
        mut take: impl FnMut(u32, u32) -> Result<u32>,
    ) -> Result<()> {
        // What a call of each node takes; of a dispatch what the largest of its functions does. They
        // are looked at once for all callers, who may be many.
        let mut taken = vec![0; calls.graph.len()];
        for node in &self.nodes {
            let below = calls.graph.edges(*node).iter();
            let below = below.map(|edge| taken[edge.target as usize]);
            let below = below.max().unwrap_or(0);
            taken[*node as usize] = match calls.graph.is_dispatch(*node) {
                true => below,
                false => take(*node, below)?,
            };
        }
        Ok(())
    }
}

/// How many calls deep a node goes, if it is covered.
fn height(graph: &CallGraph, node: u32, heights: &[Option<u8>]) -> Option<u8> {
    if graph.is_imported(node) || graph.unknown_call(node).is_some() {
        return None;
    }
    let mut height = 0;
    for edge in graph.edges(node) {
        if edge.target == node || !(edge.stacks || graph.is_dispatch(node)) {
            return None;
        }
        let below = heights[edge.target as usize]?;
        // A dispatch has no frame.
        let own = u8::from(!graph.is_dispatch(node));
        height = height.max(below + own);
    }
    (height <= MOST_CALLS).then_some(height)
}
