//! The figures as JSON for programs: every export, with its path.

use super::model::{Model, Place, Root};
use super::obstacles;
use precast_format::libcall::LIBCALL_STACK;
use precast_format::stack_depth::{CallKind, StackDepth};
use serde_json::{Value, json};

/// The whole report.
pub fn report(model: &Model) -> Value {
    let roots: Vec<Value> = model.roots.iter().map(|it| root(model, it)).collect();
    let obstacles: Vec<Value> = obstacles::of(model)
        .iter()
        .map(|obstacle| {
            let functions: Vec<u32> = obstacle.functions.iter().map(|(index, _)| *index).collect();
            json!({
                "text": obstacle.text(model),
                "functions": functions,
                "leading_functions": obstacle.leading,
            })
        })
        .collect();
    json!({
        "artifact": model.name,
        "stack_reserve": model.stack_reserve,
        "libcall_margin": LIBCALL_STACK,
        "exports": roots,
        "obstacles": obstacles,
    })
}

fn root(model: &Model, root: &Root) -> Value {
    let named =
        |function: u32| json!({ "function": function, "name": model.function_name(function) });
    let (bytes, imports, reason) = match root.depth {
        None => (None, None, Some(json!({ "kind": "imported" }))),
        Some(StackDepth::Bytes { bytes, imports }) => (Some(bytes), Some(imports), None),
        Some(StackDepth::Recursion { function }) => {
            (None, None, Some(reason("recursion", named(function))))
        }
        Some(StackDepth::UnknownCallee { function }) => {
            (None, None, Some(reason("unknown_callee", named(function))))
        }
    };
    let path: Vec<Value> = model.path(root).iter().map(|it| place(model, it)).collect();
    json!({
        "export": root.export,
        "start": root.export.is_none(),
        "function": root.function,
        "bytes": bytes,
        "stack_needed": root.region,
        "imports": imports,
        "no_bound": reason,
        "path": path,
    })
}

fn reason(kind: &str, place: Value) -> Value {
    json!({ "kind": kind, "place": place })
}

fn place(model: &Model, place: &Place) -> Value {
    json!({
        "function": place.function,
        "name": place.function.map(|function| model.function_name(function)),
        "frame": place.frame,
        "total": place.total,
        "indirect": place.kind.is_some_and(CallKind::is_indirect),
        "tail": place.kind.is_some_and(CallKind::is_tail),
        "again": place.again,
    })
}
