//! Refusing a module that may need more stack than is allowed, with the path or the reason.

use std::fmt::Write;

use precast_format::stack_depth::{DepthStep, StackBound, StackDepth, region_size};

use super::StackDepths;
use crate::error::{CompileError, Result};
use crate::module::Module;

/// How many functions of a path or cycle a message names at each end.
const NAMED: usize = 8;

/// Checks that every export and the start function fit in a stack region of so many bytes.
///
/// # Errors
///
/// When one may not: the path of the deepest, or what keeps the first from having a bound.
pub(crate) fn check_stack_limit(
    module: &Module<'_>,
    depths: &StackDepths,
    stack_reserve: u32,
    limit: u64,
) -> Result<()> {
    let report = Report { module, depths };
    let mut deepest: Option<(u64, u32)> = None;
    for bound in &depths.bounds {
        match bound.depth {
            StackDepth::Bytes { bytes, .. } => {
                let size = region_size(bytes, stack_reserve);
                if deepest.is_none_or(|(most, _)| size > most) {
                    deepest = Some((size, bound.function));
                }
            }
            StackDepth::Recursion { function } => return Err(report.cycle(bound, function)),
            StackDepth::UnknownCallee { function } => return Err(report.unknown(bound, function)),
        }
    }
    match deepest {
        Some((size, function)) if size > limit => Err(report.too_deep(function, size, limit)),
        _ => Ok(()),
    }
}

struct Report<'a> {
    module: &'a Module<'a>,
    depths: &'a StackDepths,
}

impl Report<'_> {
    fn name(&self, function: u32) -> String {
        match self.module.display_name(function) {
            Some(name) => format!("`{name}`"),
            None => format!("function {function}"),
        }
    }

    fn step(&self, function: u32) -> DepthStep {
        function
            .checked_sub(self.module.imported_functions)
            .and_then(|defined| self.depths.functions.get(defined as usize))
            .map_or(DepthStep::End, |function| function.step)
    }

    /// The functions from this one on, until the path ends or comes back.
    fn path(&self, first: u32) -> Vec<u32> {
        let mut path = vec![first];
        let mut seen = std::collections::BTreeSet::from([first]);
        let mut at = first;
        while let DepthStep::Call { callee, .. } = self.step(at) {
            path.push(callee);
            if !seen.insert(callee) {
                break;
            }
            at = callee;
        }
        path
    }

    /// The functions with arrows between them; in the middle some may be left out.
    fn arrows(&self, path: &[u32]) -> String {
        let mut text = self.name(path[0]);
        for (index, pair) in path.windows(2).enumerate() {
            let left = path.len() - 1 - index;
            if index >= NAMED && left > NAMED {
                if index == NAMED {
                    let _ = write!(text, " -> … {} more", left - NAMED);
                }
                continue;
            }
            let arrow = match self.step(pair[0]) {
                DepthStep::Call { kind, .. } if kind.is_indirect() => "-> (through a table)",
                _ => "->",
            };
            let _ = write!(text, " {arrow} {}", self.name(pair[1]));
        }
        text
    }

    fn cycle(&self, bound: &StackBound, function: u32) -> CompileError {
        let message = format!(
            "the stack of {} has no bound: it can get into the cycle {}",
            self.name(bound.function),
            self.arrows(&self.path(function))
        );
        self.at(function, message)
    }

    fn unknown(&self, bound: &StackBound, function: u32) -> CompileError {
        let message = format!(
            "the stack of {} has no bound: {} calls through a table that can hold functions of others",
            self.name(bound.function),
            self.name(function)
        );
        self.at(function, message)
    }

    fn too_deep(&self, function: u32, size: u64, limit: u64) -> CompileError {
        let message = format!(
            "{} needs a stack of {size} bytes, and {limit} are allowed; its deepest path is {}",
            self.name(function),
            self.arrows(&self.path(function))
        );
        CompileError::limit(message)
    }

    /// An error at the call that leads on from a function.
    fn at(&self, function: u32, message: String) -> CompileError {
        let error = CompileError::limit(message).in_function(function);
        match self.step(function) {
            DepthStep::Call { wasm_offset, .. } | DepthStep::Unknown { wasm_offset } => {
                error.at(wasm_offset as usize)
            }
            DepthStep::End => error,
        }
    }
}
