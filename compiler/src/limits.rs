//! What the compiler refuses because it is too large, and what it compiles in a plainer way.
//!
//! Every size in a module is chosen by whoever wrote it. The validator bounds most of them
//! (locals, parameters, bytes of a body, items of an index space); what is left are the shapes of
//! a function that cost the code generator more than their length: its optimiser and its register
//! allocator are quadratic in the depth of blocks and loops and in the number of values that live
//! at the same time. Nothing that people write by hand or with a compiler comes near the limits.
//!
//! ```text
//!   depth of blocks    0 ....... PLAIN_NESTING ............ MAX_NESTING .......
//!                        as the options say | no optimisation,    | refused
//!                                           | one-pass allocation |
//! ```
//!
//! The translation itself keeps its stacks on the heap and recurses nowhere. Functions are compiled
//! on threads whose stacks have a size of their own, so the caller's stack does not matter.

use crate::error::{CompileError, Result};

/// Stack of a compiling thread, in bytes. All that the tests compile, at the limits and below, fits
/// in 192 KiB.
pub(crate) const THREAD_STACK_BYTES: usize = 8 << 20;

/// Blocks, loops and ifs inside of each other, beyond which a function is refused. At the limit the
/// code generator takes two seconds (loops with branches, 45 KB of wasm) or less; the time grows
/// with the square.
pub(crate) const MAX_NESTING: usize = 10_000;

/// Locals of a function without its parameters: the validator's limit, which the JavaScript
/// embedding of WebAssembly has, too.
pub(crate) const MAX_LOCALS: u32 = 50_000;

/// Blocks inside of each other, beyond which a function is compiled plainly.
const PLAIN_NESTING: usize = 1_000;

/// Loops inside of each other, beyond which a function is compiled plainly.
const PLAIN_LOOPS: usize = 100;

/// Values on the operand stack, beyond which a function is compiled plainly.
const PLAIN_OPERANDS: usize = 2_000;

/// Clauses of handlers, counted at each call that they hold for, beyond which a function is refused.
const MAX_HANDLERS: usize = 1 << 20;

/// Entries of a branch table that is one jump table; a larger one becomes a tree of such.
pub(crate) const BRANCH_TABLE_ENTRIES: usize = 1_024;

/// Locals times blocks, beyond which locals are on the stack: what the code generator's frontend keeps
/// for that is 4 bytes for each, and up to twice that for a while.
pub(crate) const MOST_VARIABLE_CELLS: u64 = 1 << 26;

/// How deep a function goes, as far as it was translated.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Shape {
    /// Blocks, loops and ifs inside of each other.
    nesting: usize,
    /// Loops inside of each other, now.
    open_loops: usize,
    /// Loops inside of each other, at most.
    loops: usize,
    /// Values on the operand stack.
    operands: usize,
    /// Locals that are declared.
    locals: u32,
    /// Whether they are on the stack.
    locals_on_stack: bool,
    /// Clauses of handlers, at all calls together.
    handlers: usize,
}

impl Shape {
    /// Notes that so many locals are declared.
    ///
    /// # Errors
    ///
    /// When there are more than the compiler takes.
    pub fn note_locals(&mut self, count: u32) -> Result<()> {
        self.locals = self.locals.saturating_add(count);
        if self.locals > MAX_LOCALS {
            return Err(CompileError::limit(format!(
                "more than {MAX_LOCALS} locals"
            )));
        }
        Ok(())
    }

    /// Notes that locals are on the stack: there are many blocks, and accesses everywhere.
    pub fn note_locals_on_stack(&mut self) {
        self.locals_on_stack = true;
    }

    /// Notes how much is open.
    ///
    /// # Errors
    ///
    /// When that is more than the compiler takes.
    pub fn note_nesting(&mut self, depth: usize) -> Result<()> {
        self.nesting = self.nesting.max(depth);
        if depth > MAX_NESTING {
            return Err(CompileError::limit(format!(
                "more than {MAX_NESTING} blocks inside of each other"
            )));
        }
        Ok(())
    }

    /// Notes that a loop begins.
    pub fn enter_loop(&mut self) {
        self.open_loops += 1;
        self.loops = self.loops.max(self.open_loops);
    }

    /// Notes that a loop ends.
    pub fn leave_loop(&mut self) {
        self.open_loops = self.open_loops.saturating_sub(1);
    }

    /// Notes how many operands there are.
    pub fn note_operands(&mut self, count: usize) {
        self.operands = self.operands.max(count);
    }

    /// Notes that so many clauses hold for a call, or are made into a list.
    pub fn note_handlers(&mut self, count: usize) {
        self.handlers = self.handlers.saturating_add(count);
    }

    /// Looks whether the clauses are too many.
    ///
    /// # Errors
    ///
    /// When they are more than the compiler takes.
    pub fn check_handlers(&self) -> Result<()> {
        if self.handlers > MAX_HANDLERS {
            return Err(CompileError::limit(format!(
                "more than {MAX_HANDLERS} clauses of exception handlers at calls"
            )));
        }
        Ok(())
    }

    /// Whether the function is compiled without optimisation and with one-pass allocation.
    pub fn is_plain(&self) -> bool {
        self.nesting > PLAIN_NESTING
            || self.loops > PLAIN_LOOPS
            || self.operands > PLAIN_OPERANDS
            || self.locals_on_stack
    }
}
