//! What a run took, as `precast run --memory-profile` tells it and `precast memory --profile` reads
//! it again.

use super::json::lifetimes;
use super::model::{self, Usage};
use crate::failure::Failure;
use crate::flags::memory::{Destination, MemoryFlags};
use crate::{Outcome, output};
use precast_loader::{
    AppHeapUsage, AuxStackUsage, ExecutionEnvironment, Instance, Lifetime, MemoryFigures,
    PoolUsage, Runtime, TableFigures,
};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

/// What a program ran in.
type Run<'a> = (&'a Instance, &'a ExecutionEnvironment<'a>);

/// The figures of one run.
pub struct Profile {
    /// What each category takes at the end and took at most, in the order of the categories.
    pub categories: Vec<Usage>,
    /// The pool, if the program lived in one.
    pub pool: Option<PoolUsage>,
    /// The program's memories.
    pub memories: Vec<MemoryFigures>,
    /// The program's tables.
    pub tables: Vec<TableFigures>,
    /// The heap that the loader kept for the program.
    pub app_heap: Option<AppHeapUsage>,
    /// The stack in linear memory.
    pub aux_stack: Option<AuxStackUsage>,
    /// The most bytes that calls used of a native stack of their own, where that was measured.
    pub native_stack: Option<usize>,
}

impl Profile {
    /// The figures of a runtime, and of an instance if there is one.
    pub fn new(runtime: &Runtime, run: Option<Run<'_>>) -> Profile {
        let memory = runtime.memory_profile();
        let categories = Lifetime::ALL.iter().flat_map(|lifetime| {
            let categories = memory.categories(*lifetime);
            categories.map(|(category, usage)| Usage {
                category,
                current: usage.current as u64,
                peak: usage.peak as u64,
                blocks: usage.blocks as u64,
            })
        });
        let mut profile = Profile {
            categories: categories.collect(),
            pool: memory.pool(),
            memories: Vec::new(),
            tables: Vec::new(),
            app_heap: None,
            aux_stack: None,
            native_stack: run.and_then(|(_, environment)| environment.stack_high_water()),
        };
        // Nobody else is inside once the call has returned.
        if let Some(Ok(figures)) = run.map(|(instance, _)| instance.memory_profile()) {
            profile.memories = figures.memories().collect();
            profile.tables = figures.tables().collect();
            profile.app_heap = figures.app_heap;
            profile.aux_stack = figures.aux_stack;
        }
        profile
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let memories: Vec<Value> = self.memories.iter().map(memory_json).collect();
        let tables: Vec<Value> = self.tables.iter().map(table_json).collect();
        json!({
            "lifetimes": lifetimes(&self.categories, usage_json),
            "memories": memories,
            "tables": tables,
            "pool": self.pool.map(|pool| json!({
                "capacity": pool.capacity,
                "free": pool.free,
                "largest_free": pool.largest_free,
                "peak": pool.peak,
            })),
            "app_heap": self.app_heap.map(|heap| json!({
                "size": heap.size,
                "current": heap.used,
                "peak": heap.peak,
                "blocks": heap.blocks,
            })),
            "aux_stack": self.aux_stack.map(|stack| json!({
                "size": stack.size,
                "current": stack.current,
                "peak": stack.high_water,
            })),
            "native_stack": self.native_stack.map(|peak| json!({ "peak": peak })),
        })
    }
}

fn usage_json(usage: &Usage) -> Value {
    json!({
        "name": usage.category.name(),
        "current": usage.current,
        "peak": usage.peak,
        "blocks": usage.blocks,
    })
}

fn memory_json(memory: &MemoryFigures) -> Value {
    json!({
        "index": memory.index,
        "imported": memory.imported,
        "declared_min": memory.declared_min,
        "declared_max": memory.declared_max,
        "length": memory.length,
        "committed": memory.committed,
        "resident": memory.resident,
    })
}

fn table_json(table: &TableFigures) -> Value {
    json!({
        "index": table.index,
        "imported": table.imported,
        "elements": table.elements,
        "max_elements": table.max_elements,
        "bytes": table.bytes,
    })
}

/// The categories of a profile that was written before.
pub fn read(path: &Path) -> Outcome<Vec<Usage>> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::at(path, error))?;
    let value = serde_json::from_str(&text).ok();
    value.as_ref().and_then(usages).ok_or_else(|| {
        Failure::at(
            path,
            "not a profile; `precast run --memory-profile-json FILE` writes one",
        )
    })
}

fn usages(profile: &Value) -> Option<Vec<Usage>> {
    let mut usages = Vec::new();
    for lifetime in profile.get("lifetimes")?.as_array()? {
        for category in lifetime.get("categories")?.as_array()? {
            let number = |name: &str| category.get(name)?.as_u64();
            let name = category.get("name")?.as_str()?;
            usages.push(Usage {
                category: model::category(name)?,
                current: number("current")?,
                peak: number("peak")?,
                blocks: number("blocks")?,
            });
        }
    }
    Some(usages)
}

/// Tells what a run took, where the command line asks for it.
pub fn report(flags: &MemoryFlags, runtime: &Runtime, run: Option<Run<'_>>) -> Outcome<()> {
    if flags.table().is_none() && flags.json().is_none() {
        return Ok(());
    }
    let profile = Profile::new(runtime, run);
    if let Some(path) = flags.json() {
        output::write(path, format!("{:#}\n", profile.json()).as_bytes())?;
    }
    let text = || super::table::profile(&profile);
    match flags.table() {
        None => Ok(()),
        Some(Destination::File(path)) => output::write(path, text().as_bytes()),
        Some(Destination::StandardError) => {
            // The program has run; a table that nobody can read is no failure.
            let _ = std::io::stderr().lock().write_all(text().as_bytes());
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_can_be_read_again() {
        let runtime = Runtime::system().unwrap();
        let profile = Profile::new(&runtime, None);
        let again = usages(&profile.json()).unwrap();
        assert_eq!(again, profile.categories);
        assert!(again.iter().any(|usage| usage.current > 0));
        assert!(usages(&json!({ "lifetimes": 3 })).is_none());
        let strange = json!({ "lifetimes": [{ "categories": [{ "name": "magic" }] }] });
        assert!(usages(&strange).is_none());
    }
}
