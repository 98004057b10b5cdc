//! From an artifact to a [`Model`]: what loading, instantiating and one execution environment take.
//!
//! The figures are taken from doing it, in this process: every function that the artifact imports
//! is there and traps when it is called. For a pool, regions are tried until one is enough.

use super::model::{Growth, Model, Row, Source, Stage};
use crate::Outcome;
use crate::failure::Failure;
use crate::flags::memory::{self, Allocation, LimitFlags};
use precast_format::Artifact;
use precast_format::types::{ExternKind, Limits};
use precast_loader::limits::MAX_TABLE_ELEMENTS;
use precast_loader::{
    Category, ExternType, Global, HostError, Imports, InstanceOptions, InstantiateError, Lifetime,
    LoadError, Memory, MemoryProfile, Module, PoolUsage, Runtime, RuntimeOptions, Table, Value,
};
use precast_wasi::WasiContext;

/// The steps, as reports name them.
const STEPS: [&str; 4] = ["runtime", "load", "instantiate", "environment"];

/// Sizes of pools are multiples of this.
const GRANULE: usize = 16;

/// The figures after each step.
type Steps = [MemoryProfile; STEPS.len()];

/// Plans the memory of an artifact. `name` is what reports call it.
pub fn plan(name: &str, artifact: &[u8], limits: &LimitFlags) -> Outcome<Model> {
    let view = crate::report::parse(name, artifact)?;
    // Devices keep it in flash; here it is kept until the end of the process.
    let bytes: &'static [u8] = artifact.to_vec().leak();
    let mut notes =
        vec!["the artifact's bytes are the host's, and not in these figures".to_owned()];
    let (steps, pool) = match limits.alloc {
        Allocation::System => {
            let runtime = Runtime::system().map_err(Failure::new)?;
            let steps = journey(&runtime, bytes, limits).map_err(|error| error.failure(name))?;
            (steps, None)
        }
        Allocation::Pool => {
            let (steps, pool) = enough(bytes, limits).map_err(|error| error.failure(name))?;
            (steps, Some(pool as u64))
        }
    };
    if view.start_function().is_some() {
        notes.push("the start function may allocate and grow more".to_owned());
    }
    if pool.is_some()
        && growth(&view, limits)
            .iter()
            .any(|item| item.limit > item.initial)
    {
        notes.push("the pool has no room for growth".to_owned());
    }
    Ok(Model {
        name: name.to_owned(),
        allocation: limits.alloc,
        rows: rows(&view, &steps, limits.alloc),
        stages: stages(&steps),
        growth: growth(&view, limits),
        pool,
        notes,
    })
}

/// Why a journey ended early.
enum Stopped {
    OutOfMemory,
    Load(LoadError),
    Instantiate(InstantiateError),
    Other(String),
}

impl Stopped {
    fn failure(self, name: &str) -> Failure {
        match self {
            Stopped::OutOfMemory => {
                Failure::new(format_args!("{name}: there is not enough memory"))
            }
            Stopped::Load(error) => Failure::new(format_args!("{name}: {error}")),
            Stopped::Instantiate(error) => Failure::new(format_args!("{name}: {error}")),
            Stopped::Other(message) => Failure::new(format_args!("{name}: {message}")),
        }
    }
}

impl From<LoadError> for Stopped {
    fn from(error: LoadError) -> Stopped {
        match error {
            LoadError::OutOfMemory(_) => Stopped::OutOfMemory,
            error => Stopped::Load(error),
        }
    }
}

/// Loads, instantiates, and makes an execution environment.
fn journey(runtime: &Runtime, bytes: &'static [u8], limits: &LimitFlags) -> Result<Steps, Stopped> {
    let made = runtime.memory_profile();
    let module = runtime.load_named_by_user(bytes)?;
    let loaded = runtime.memory_profile();
    let imports = imports(runtime, &module)?;
    let options: InstanceOptions = limits.instance_options();
    let instance = module.instantiate(&imports, options);
    let instance = match instance {
        Ok(instance) => instance,
        Err(InstantiateError::OutOfMemory(_)) => return Err(Stopped::OutOfMemory),
        Err(error) => return Err(Stopped::Instantiate(error)),
    };
    let instantiated = runtime.memory_profile();
    let _environment = instance.execution_environment(limits.stack());
    Ok([made, loaded, instantiated, runtime.memory_profile()])
}

/// Everything that the module imports: WASI as `precast run` has it, and traps for all else.
fn imports(runtime: &Runtime, module: &Module) -> Result<Imports, Stopped> {
    let other = |error: &dyn std::fmt::Display| Stopped::Other(error.to_string());
    let mut imports = Imports::new(runtime);
    let context = WasiContext::builder().build();
    context
        .map_err(|error| other(&error))?
        .define_for(&mut imports, module)
        .map_err(|_| Stopped::OutOfMemory)?;
    for (from, name, ty) in module.imports() {
        if imports.get(from, name).is_some() {
            continue;
        }
        let defined = match ty {
            ExternType::Function(ty) => imports.func_untyped(from, name, ty, |_, _, _| {
                Err(HostError::from(std::fmt::Error))
            }),
            ExternType::Table(ty) => {
                let null = Value::default_for(ty.element);
                let table = Table::new(runtime, ty, null).map_err(|_| Stopped::OutOfMemory)?;
                imports.table(from, name, &table)
            }
            ExternType::Memory(ty) => {
                let memory = Memory::new(runtime, ty).map_err(|_| Stopped::OutOfMemory)?;
                imports.memory(from, name, &memory)
            }
            ExternType::Global(ty) => {
                let value = Value::default_for(ty.value);
                let global = Global::new(runtime, ty, value).map_err(|_| Stopped::OutOfMemory)?;
                imports.global(from, name, &global)
            }
        };
        defined.map_err(|_| Stopped::OutOfMemory)?;
    }
    Ok(imports)
}

/// The size of a pool in which the journey succeeds, and its figures there.
///
/// Regions are never given back, so few are tried: one that is surely enough, then one of the size
/// that was used of it, and slightly larger ones for what the order of blocks adds.
fn enough(bytes: &'static [u8], limits: &LimitFlags) -> Result<(Steps, usize), Stopped> {
    let mut size = 1 << 16;
    let steps = loop {
        match within(size, bytes, limits) {
            Err(Stopped::OutOfMemory) => size = size.checked_mul(4).ok_or(Stopped::OutOfMemory)?,
            outcome => break outcome?,
        }
    };
    let Some(used) = steps.last().and_then(MemoryProfile::pool) else {
        return Err(Stopped::OutOfMemory);
    };
    let PoolUsage { capacity, peak, .. } = used;
    size = (peak + (size - capacity)).next_multiple_of(GRANULE);
    let mut more = GRANULE;
    loop {
        match within(size, bytes, limits) {
            Err(Stopped::OutOfMemory) => size += more,
            outcome => return Ok((outcome?, size)),
        }
        more *= 2;
    }
}

/// The journey in a pool of so many bytes.
fn within(size: usize, bytes: &'static [u8], limits: &LimitFlags) -> Result<Steps, Stopped> {
    let region = memory::region(size).ok_or(Stopped::Other(format!(
        "the system has no {size} bytes to try"
    )))?;
    let runtime = Runtime::with_pool(region, RuntimeOptions::default());
    journey(&runtime.map_err(|_| Stopped::OutOfMemory)?, bytes, limits)
}

/// What each category takes after the last step.
fn rows(artifact: &Artifact<'_>, steps: &Steps, allocation: Allocation) -> Vec<Row> {
    let guarded = allocation == Allocation::System
        && artifact
            .memories()
            .iter()
            .any(|memory| artifact.header().tunables.bounds_checks.guards(&memory.ty));
    let Some(last) = steps.last() else {
        return Vec::new();
    };
    let rows = Lifetime::ALL.iter().flat_map(|lifetime| {
        last.categories(*lifetime).map(|(category, usage)| Row {
            category,
            bytes: usage.current as u64,
            blocks: usage.blocks as u64,
            source: match category {
                Category::Code => Source::Platform,
                Category::LinearMemory if guarded => Source::Platform,
                _ => Source::Allocator,
            },
        })
    });
    rows.collect()
}

fn stages(steps: &Steps) -> Vec<Stage> {
    let sum = |profile: &MemoryProfile| {
        let usages = Lifetime::ALL
            .iter()
            .map(|lifetime| profile.lifetime(*lifetime));
        usages.fold((0, 0), |(bytes, peak), usage| {
            (bytes + usage.current as u64, peak + usage.peak as u64)
        })
    };
    let stages = STEPS.into_iter().zip(steps).map(|(name, profile)| {
        let (bytes, peak) = sum(profile);
        Stage { name, bytes, peak }
    });
    stages.collect()
}

/// The memories and tables that the artifact defines, and how large they may become.
fn growth(artifact: &Artifact<'_>, limits: &LimitFlags) -> Vec<Growth> {
    let imported = artifact.imported_count(ExternKind::Memory);
    let memories = artifact.memories().iter().map(|memory| {
        let mut ty = memory.ty;
        if let Some(pages) = limits.max_memory_pages {
            let largest = ty.limits.max.unwrap_or(ty.reachable_pages());
            ty.limits.max = Some(pages.min(largest).max(ty.limits.min));
        }
        Growth {
            what: format!("memory {}", imported + memory.index),
            initial: ty.min_bytes(),
            limit: ty.max_bytes(),
            declared: ty.limits.max.is_some(),
        }
    });
    let imported = artifact.imported_count(ExternKind::Table);
    let width = u64::from(artifact.header().isa.pointer_width().bytes());
    let tables = artifact.tables().iter().map(|table| {
        let Limits { min, max } = table.ty.limits;
        let most = max
            .unwrap_or(MAX_TABLE_ELEMENTS)
            .clamp(min, MAX_TABLE_ELEMENTS.max(min));
        Growth {
            what: format!("table {}", imported + table.index),
            initial: min.saturating_mul(width),
            limit: most.saturating_mul(width),
            declared: max.is_some(),
        }
    });
    memories.chain(tables).collect()
}
