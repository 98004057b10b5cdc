//! From an artifact to a [`Model`]: what loading, instantiating and one execution environment take.
//!
//! The loader's planner knows every request; here it is told what the host is like, and its answer
//! is summed up. The host is as `precast run` is where the program imports WASI, and has functions
//! that capture nothing for all other imports.

use super::model::{Growth, Model, Row, Source, Stage};
use crate::Outcome;
use crate::failure::Failure;
use crate::flags::memory::{Allocation, LimitFlags};
use crate::flags::program::Program;
use precast_format::types::ExternKind;
use precast_loader::plan::{
    self, AllocationMode, HostRequest, Plan, PlanOptions, Request, ThreadPlan,
};
use precast_loader::{Category, Lifetime, PointerWidth};
use precast_wasi::{THREAD_SPAWN, THREADS, ThreadStack, Threads, WasiContext, WasiContextBuilder};
use std::alloc::Layout;

/// Plans the memory of an artifact, which is run as the command line says. `name` is what reports
/// call it.
pub fn plan(name: &str, artifact: &[u8], program: &Program, limits: &LimitFlags) -> Outcome<Model> {
    let view = crate::report::parse(name, artifact)?;
    let mut imports = view.imports().iter();
    let wasi = imports.any(|import| is_wasi(import.module));
    let of_wasi = |layout| HostRequest {
        category: Category::Wasi,
        layout,
    };
    let mut imports = view.imports().iter();
    let threads = imports.any(|import| (import.module, import.name) == (THREADS, THREAD_SPAWN));
    let (mut host, mut running) = (Vec::new(), Vec::new());
    // Where sizes are not known, the loader's planner says so.
    let width = view.header().isa.pointer_width();
    if wasi {
        let context = program.wasi_context(limits.open_files())?;
        host.extend(
            context
                .requests_on(width)
                .into_iter()
                .flatten()
                .map(of_wasi),
        );
        let open_files = limits.open_files().unwrap_or(0);
        if let Some(file) = WasiContextBuilder::descriptor_request_on(width) {
            running.resize(open_files, of_wasi(file));
        }
    }
    let mut options = PlanOptions::default();
    if threads {
        let thread_options = limits.thread_options();
        host.extend(
            Threads::requests_on(&thread_options, width)
                .into_iter()
                .flatten()
                .map(|layout| HostRequest {
                    category: Category::Threads,
                    layout,
                }),
        );
        options.threads = Some(ThreadPlan {
            count: limits.max_threads.unwrap_or(0),
            instance: thread_options.instance,
            stack: match thread_options.stack {
                ThreadStack::Runtime(bytes) => Some(bytes),
                ThreadStack::Own(_) => None,
            },
        });
    }
    options.mode = match limits.alloc {
        Allocation::System => AllocationMode::System,
        Allocation::Pool => AllocationMode::Pool,
    };
    options.instance = limits.instance_options();
    let captures = |module: &str, name: &str| captures(module, name, width);
    options.captures = &captures;
    options.host = &host;
    options.running = &running;
    options.stack = limits.own_stack();
    let failed = |error: &dyn std::fmt::Display| Failure::new(format_args!("{name}: {error}"));
    let plan = Plan::new(artifact, &options).map_err(|error| failed(&error))?;
    let pool = match limits.alloc {
        Allocation::System => None,
        Allocation::Pool => {
            let bytes = plan.pool_bytes();
            Some(bytes.ok_or_else(|| failed(&"no pool can be large enough"))? as u64)
        }
    };
    let growth: Vec<Growth> = plan.growth().iter().map(growth).collect();
    let mut notes = vec!["the artifact's bytes are the host's, and are not counted".to_owned()];
    if wasi && limits.open_files.is_none() {
        notes.push("files that the program opens come on top; --open-files bounds them".to_owned());
    }
    if threads && limits.max_threads.is_none() {
        notes.push(
            "threads that the program starts come on top; --max-threads bounds them".to_owned(),
        );
    }
    let mut imports = view.imports().iter();
    let of_ours = |module: &str| is_wasi(module) || module == THREADS;
    if imports.any(|import| import.ty.kind() == ExternKind::Function && !of_ours(import.module)) {
        notes.push("host functions are taken to capture nothing".to_owned());
    }
    if view.start_function().is_some() {
        notes.push("what the start function grows is not counted".to_owned());
    }
    if pool.is_some() && !growth.is_empty() {
        notes.push("the pool has no room for growth".to_owned());
    }
    Ok(Model {
        name: name.to_owned(),
        allocation: limits.alloc,
        rows: rows(&plan),
        stages: stages(&plan),
        growth,
        pool,
        notes,
    })
}

/// Whether a module name is one under which WASI is imported.
pub fn is_wasi(module: &str) -> bool {
    module.starts_with("wasi_")
}

/// What the host function with these names captures, where pointers have this width.
fn captures(module: &str, name: &str, width: PointerWidth) -> Layout {
    let captured = if is_wasi(module) {
        WasiContext::capture_on(width)
    } else if (module, name) == (THREADS, THREAD_SPAWN) {
        Threads::capture_on(width)
    } else {
        None
    };
    captured.unwrap_or(Layout::new::<()>())
}

/// What each category takes after the last stage, by lifetime.
fn rows(plan: &Plan) -> Vec<Row> {
    let is_mapped = |wanted: Category| {
        let mut requests = plan.requests().iter();
        requests
            .any(|request| matches!(request, Request::Map { category, .. } if *category == wanted))
    };
    let categories = Lifetime::ALL.iter().flat_map(|lifetime| {
        let all = Category::ALL.iter().copied();
        all.filter(move |category| category.lifetime() == *lifetime)
    });
    let rows = categories.map(|category| {
        let usage = plan.usage(plan::Stage::Running, category);
        Row {
            category,
            bytes: usage.current as u64,
            blocks: usage.blocks as u64,
            source: if is_mapped(category) {
                Source::Platform
            } else {
                Source::Allocator
            },
        }
    });
    rows.collect()
}

/// What is in use after each stage, and at most until then.
fn stages(plan: &Plan) -> Vec<Stage> {
    let (mut bytes, mut peak, mut done) = (0, 0, 0);
    let mut sizes = Vec::new();
    let mut stages = Vec::new();
    for stage in plan::Stage::ALL {
        let requests = plan.requests_until(*stage);
        for request in requests.get(done..).unwrap_or_default() {
            let (taken, given_back) = match request {
                Request::Allocate { layout, .. } => {
                    // Blocks are numbered in the order in which they are allocated.
                    sizes.push(layout.size() as u64);
                    (layout.size() as u64, 0)
                }
                Request::Reallocate { block, layout } => {
                    let new = layout.size() as u64;
                    let old = sizes.get_mut(*block);
                    (new, old.map_or(0, |size| std::mem::replace(size, new)))
                }
                Request::Free { block } => {
                    let size = sizes.get_mut(*block);
                    (0, size.map_or(0, std::mem::take))
                }
                Request::Map { bytes, .. } => (*bytes as u64, 0),
                _ => (0, 0),
            };
            bytes = (bytes + taken).saturating_sub(given_back);
            peak = bytes.max(peak);
        }
        done = requests.len();
        stages.push(Stage {
            name: stage.name(),
            bytes,
            peak,
        });
    }
    stages
}

fn growth(growth: &plan::Growth) -> Growth {
    let what = match growth.category {
        Category::LinearMemory => format!("memory {}", growth.index),
        Category::Tables => format!("table {}", growth.index),
        other => other.name().to_owned(),
    };
    Growth {
        what,
        initial: growth.planned,
        limit: growth.bound,
    }
}
