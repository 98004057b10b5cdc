//! The older form of catching: `try` with `catch`, `catch_all` or `delegate` behind its body, and
//! `rethrow`.
//!
//! What a `try` catches has to be known before its body is translated. So the function is read once
//! at its first `try`, for the clauses of all of them in their order. Nothing is validated then; the
//! translation that follows finds what is wrong.

use cranelift_codegen::ir::Value;
use wasmparser::{BlockType, FunctionBody, Operator};

use super::FunctionTranslator;
use super::control::FrameKind;
use super::exception::Landings;
use crate::abi::Clause;
use crate::error::Result;

/// What a `try` says behind its body.
#[derive(Default)]
struct TryShape {
    clauses: Vec<Clause>,
    /// The label whose handlers are the body's.
    delegate: Option<u32>,
}

/// The `try`s of a function, in their order.
#[derive(Default)]
pub(super) struct LegacyTries {
    shapes: Option<Vec<TryShape>>,
    /// The next one that the translation comes to.
    next: usize,
}

/// A `try` whose end has not been seen.
pub(super) struct LegacyTry {
    landings: Landings,
    /// Which clause comes next.
    next_clause: usize,
    /// What the clause that is being translated has caught, if anything can get there.
    exception: Option<Value>,
}

impl LegacyTries {
    /// The next `try` of the function.
    fn next(&mut self, body: &FunctionBody<'_>) -> Result<TryShape> {
        let index = self.next;
        self.next += 1;
        if self.shapes.is_none() {
            self.shapes = Some(scan(body)?);
        }
        let shapes = self.shapes.iter_mut().flatten();
        let shape = shapes.skip(index).map(std::mem::take).next();
        Ok(shape.unwrap_or_default())
    }

    /// Passes over a `try` that is not translated.
    pub(super) fn skip(&mut self) {
        self.next += 1;
    }
}

/// Reads a body for its `try`s.
fn scan(body: &FunctionBody<'_>) -> Result<Vec<TryShape>> {
    let mut shapes: Vec<TryShape> = Vec::new();
    // Which `try` each open frame is; the function's own frame is none.
    let mut frames: Vec<Option<usize>> = vec![None];
    let mut reader = body.get_operators_reader()?;
    while !reader.eof() {
        let operator = reader.read()?;
        let catch = |tag| Clause { tag, keeps: false };
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. } => frames.push(None),
            Operator::Try { .. } => {
                frames.push(Some(shapes.len()));
                shapes.push(TryShape::default());
            }
            Operator::Catch { tag_index } => {
                if let Some(shape) = shape_at(&mut shapes, &frames, 0) {
                    shape.clauses.push(catch(Some(tag_index)));
                }
            }
            Operator::CatchAll => {
                if let Some(shape) = shape_at(&mut shapes, &frames, 0) {
                    shape.clauses.push(catch(None));
                }
            }
            Operator::Rethrow { relative_depth } => {
                // It lies in the last clause so far of that frame.
                let shape = shape_at(&mut shapes, &frames, relative_depth);
                if let Some(clause) = shape.and_then(|shape| shape.clauses.last_mut()) {
                    clause.keeps = true;
                }
            }
            Operator::Delegate { relative_depth } => {
                if let Some(shape) = shape_at(&mut shapes, &frames, 0) {
                    shape.delegate = Some(relative_depth);
                }
                frames.pop();
            }
            Operator::End => {
                frames.pop();
            }
            _ => {}
        }
    }
    Ok(shapes)
}

/// The `try` of the frame at a depth, if it is one.
fn shape_at<'a>(
    shapes: &'a mut [TryShape],
    frames: &[Option<usize>],
    depth: u32,
) -> Option<&'a mut TryShape> {
    let index = frames.len().checked_sub(1)?.checked_sub(depth as usize)?;
    shapes.get_mut((*frames.get(index)?)?)
}

impl FunctionTranslator<'_, '_> {
    pub(super) fn begin_try(&mut self, ty: BlockType) -> Result<()> {
        let shape = self.legacy_tries.next(self.body)?;
        let (landings, inside) = self.add_handlers(shape.clauses);
        let handlers = match shape.delegate {
            None => inside,
            // What the labelled frame's code has; the function's own frame has none. The label does
            // not count this frame.
            Some(depth) => {
                let frames = self.control.len().checked_sub(1);
                let label = frames.and_then(|top| top.checked_sub(depth as usize));
                label.map_or_else(Default::default, |label| self.control[label].handlers)
            }
        };
        let kind = FrameKind::LegacyTry(LegacyTry {
            landings,
            next_clause: 0,
            exception: None,
        });
        self.begin_protected(ty, kind, handlers);
        Ok(())
    }

    /// `catch` of a tag, or `catch_all`: the clause before it, or the body, ends.
    pub(super) fn begin_catch(&mut self, tag: Option<u32>) {
        let top = self.control.len() - 1;
        if !self.control[top].entered() {
            return;
        }
        if self.reachable {
            self.leave_frame(top);
        }
        // Nothing that a clause throws comes to the clauses of its own try.
        let outer = self.control[top - 1].handlers;
        let height = self.control[top].height();
        self.stack.truncate(height);
        let frame = &mut self.control[top];
        frame.handlers = outer;
        let FrameKind::LegacyTry(frame) = frame.kind_mut() else {
            return;
        };
        let landing = frame.landings.get(frame.next_clause);
        frame.next_clause += 1;
        self.reachable = false;
        let exception = landing.and_then(|landing| self.land(landing, tag));
        if let FrameKind::LegacyTry(frame) = self.control[top].kind_mut() {
            frame.exception = exception;
        }
    }

    /// Throws again what the clause at this depth has caught.
    pub(super) fn rethrow(&mut self, depth: u32) {
        let index = self.control.len() - 1 - depth as usize;
        if let FrameKind::LegacyTry(frame) = self.control[index].kind_mut()
            && let Some(exception) = frame.exception
        {
            self.throw_exception(exception);
        }
    }
}
