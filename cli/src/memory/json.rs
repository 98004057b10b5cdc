//! Figures as JSON for programs: every category is there, whether it takes something or not.

use super::model::{Model, OfCategory, Row, Source, of_lifetime};
use precast_loader::Lifetime;
use serde_json::{Value, json};

/// What a program will take.
pub fn plan(model: &Model) -> Value {
    let stages: Vec<Value> = model
        .stages
        .iter()
        .map(|stage| json!({ "name": stage.name, "bytes": stage.bytes, "peak": stage.peak }))
        .collect();
    let growth: Vec<Value> = model
        .growth
        .iter()
        .map(|growth| {
            json!({
                "what": growth.what,
                "initial": growth.initial,
                "limit": growth.limit,
            })
        })
        .collect();
    json!({
        "artifact": model.name,
        "alloc": model.allocation.name(),
        "lifetimes": lifetimes(&model.rows, row),
        "bytes": model.total(),
        "stages": stages,
        "growth": growth,
        "pool_bytes": model.pool,
        "notes": model.notes,
    })
}

fn row(row: &Row) -> Value {
    json!({
        "name": row.category.name(),
        "bytes": row.bytes,
        "blocks": row.blocks,
        "source": match row.source {
            Source::Allocator => "allocator",
            Source::Platform => "platform",
        },
    })
}

/// Lifetimes with what is shown of their categories.
pub fn lifetimes<T: OfCategory>(items: &[T], show: impl Fn(&T) -> Value) -> Value {
    let lifetimes = Lifetime::ALL.iter().map(|lifetime| {
        let categories: Vec<Value> = of_lifetime(items, *lifetime).map(&show).collect();
        json!({ "name": lifetime.name(), "categories": categories })
    });
    Value::Array(lifetimes.collect())
}
