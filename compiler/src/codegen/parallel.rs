//! All functions of a module on several threads.
//!
//! Threads take the largest bodies first, so that none of them is left for the end, and put results
//! where they belong. The outcome does not depend on the number of threads; neither does the error,
//! which is that of the first function of the module that fails.

use std::cmp::Reverse;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cranelift_codegen::isa::TargetIsa;

use super::function::{CodeContext, CompiledFunction, compile_clif, compile_in_place};
use super::stack_stub;
use crate::error::{CompileError, Result};
use crate::limits::THREAD_STACK_BYTES;
use crate::module::Body;
use crate::progress::Progress;
use crate::translate::{Environment, Scratch, translate};

/// The target as Cranelift sees it, for functions of ordinary depth and for the others.
#[derive(Clone, Copy)]
pub(crate) struct Isas<'a> {
    /// With the settings that the options ask for.
    pub chosen: &'a dyn TargetIsa,
    /// With settings under which depth costs little.
    pub plain: &'a dyn TargetIsa,
}

/// A body is large if it is this part of all of them,
const LARGE_PART: usize = 256;

/// and has as many bytes as this.
const LARGE_BYTES: usize = 16 << 10;

/// What one thread has compiled, by index, and the error of the first body that failed.
type Outcome = (
    Vec<(usize, CompiledFunction)>,
    Option<(usize, CompileError)>,
);

/// Compiles every function body; the result is in the order of the bodies.
///
/// # Errors
///
/// The error of the first function that fails, or when no thread can be started.
pub(crate) fn compile_functions(
    environment: &Environment<'_>,
    isas: Isas<'_>,
    bodies: Vec<Body<'_>>,
    progress: &dyn Progress,
) -> Result<Vec<CompiledFunction>> {
    let count = bodies.len();
    let threads = environment.options.thread_count().clamp(1, count.max(1));
    let queue = Mutex::new(in_order_of_work(bodies).into_iter());
    // Bodies behind the first that failed need no work any more; those before it may fail, too.
    let first_failure = AtomicUsize::new(usize::MAX);
    let work = || -> Outcome {
        let mut scratch = Scratch::default();
        let mut context = CodeContext::new(isas.chosen);
        let (mut done, mut failed) = (Vec::new(), None);
        loop {
            let next = queue.lock().map_or(None, |mut queue| queue.next());
            let Some((index, body)) = next else {
                return (done, failed);
            };
            if index > first_failure.load(Ordering::Relaxed) {
                continue;
            }
            let size = body.size();
            match compile_function(environment, isas, body, &mut scratch, &mut context) {
                Ok(function) => done.push((index, function)),
                Err(error) => {
                    first_failure.fetch_min(index, Ordering::Relaxed);
                    failed = Some((index, error));
                    // They hold a function that is not finished.
                    scratch = Scratch::default();
                    context = CodeContext::new(isas.chosen);
                }
            }
            if size >= LARGE_BYTES {
                // What it took would stay, and be cleared again for each small function.
                scratch = Scratch::default();
                context = CodeContext::new(isas.chosen);
            }
            progress.function_compiled(size);
        }
    };
    let outcomes = thread::scope(|scope| {
        let start = || {
            thread::Builder::new()
                .name("precast-compile".to_owned())
                .stack_size(THREAD_STACK_BYTES)
                .spawn_scoped(scope, work)
        };
        let workers: Vec<_> = (0..threads).map(|_| start()).collect();
        workers
            .into_iter()
            .map(|worker| match worker {
                Ok(worker) => worker
                    .join()
                    .map_err(|_| CompileError::internal("the code generator panicked")),
                Err(error) => Err(CompileError::limit(format!(
                    "no thread can be started: {error}"
                ))),
            })
            .collect::<Result<Vec<_>>>()
    })?;
    let mut compiled: Vec<Option<CompiledFunction>> = (0..count).map(|_| None).collect();
    let mut failure: Option<(usize, CompileError)> = None;
    for (done, failed) in outcomes {
        for (index, function) in done {
            compiled[index] = Some(function);
        }
        if let Some((index, error)) = failed
            && failure.as_ref().is_none_or(|(first, _)| index < *first)
        {
            failure = Some((index, error));
        }
    }
    if let Some((_, error)) = failure {
        return Err(error);
    }
    compiled
        .into_iter()
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| CompileError::internal("a function was not compiled"))
}

/// The bodies with their places: large ones first, the others as they stand in the module.
fn in_order_of_work(bodies: Vec<Body<'_>>) -> Vec<(usize, Body<'_>)> {
    let mut bodies: Vec<_> = bodies.into_iter().enumerate().collect();
    let total: usize = bodies.iter().map(|(_, body)| body.size()).sum();
    let large = (total / LARGE_PART).max(LARGE_BYTES);
    bodies.sort_by_key(|(_, body)| match body.size() {
        size if size >= large => Reverse(size),
        _ => Reverse(0),
    });
    bodies
}

fn compile_function(
    environment: &Environment<'_>,
    isas: Isas<'_>,
    body: Body<'_>,
    scratch: &mut Scratch,
    context: &mut CodeContext,
) -> Result<CompiledFunction> {
    let function = body.function;
    let wasm_offset = body.body.range().start as u32;
    let shape = translate(environment, body, scratch, &mut context.inner.func)?;
    let isa = match shape.is_plain() {
        true => isas.plain,
        false => isas.chosen,
    };
    let compiled = compile_in_place(isa, context)
        .map_err(|error| error.in_function(function).at(wasm_offset as usize))?;
    let frame_size = compiled.frame_size;
    let mut compiled = CompiledFunction {
        chunks: vec![compiled.chunk],
        frame_size,
        unchecked_size: frame_size,
        demand: 0,
        wasm_offset,
    };
    // What covered functions need is known when all functions are compiled.
    if !environment.covered.contains(function)
        && stack_stub::is_needed(environment.options, frame_size)
    {
        let stub = stack_stub::build(environment, function, frame_size);
        compiled.put_stub(compile_clif(isa, context, stub)?, frame_size);
    }
    Ok(compiled)
}
