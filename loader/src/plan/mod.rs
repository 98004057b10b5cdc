//! How much memory an artifact will take, exactly, before anything is loaded.
//!
//! ```text
//!   artifact, options --> Plan: the requests that the loader will make, in their order
//!                           |--> bytes per category and stage
//!                           '--> the size of the pool that is enough
//! ```
//!
//! The loader's objects are few and have layouts that depend on the artifact's counts alone. The
//! functions that compute these layouts are the loader's own, so that the plan and the loader
//! cannot disagree about a size; that they agree about the order is tested, for every program and
//! module of the test suites, by comparing the plan with what a custom allocator was asked for.
//!
//! The plan is for a fresh runtime that loads one module and makes one instance of it:
//! `Runtime` -> `load` -> [`Imports::for_module`](crate::Imports::for_module), one definition for each
//! import in the module's order -> `instantiate` -> `execution_environment`.
//!
//! It runs where the compiler runs, not on the device: it needs the standard library.
#![forbid(unsafe_code)]

mod layouts;
mod options;
mod replay;
mod steps;
mod trace;

use core::fmt;
use std::vec::Vec;

use precast_format::{Artifact, FormatError};

use crate::alloc::{Category, Lifetime, Usage};
use crate::instance::heap::AppHeapError;

pub use options::{
    AllocationMode, ArtifactSource, CodePlace, HostRequest, PlanOptions, ThreadPlan,
};
pub use trace::Request;

/// Why there is no plan.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum PlanError {
    /// The bytes are not a valid artifact.
    Malformed(FormatError),
    /// The artifact is for a machine whose pointers have another width; the sizes of the loader's
    /// structures there are not known here.
    PointerWidth {
        /// Width in bits that the code needs.
        required: u32,
        /// Width in bits of this machine.
        known: u32,
    },
    /// The artifact's memories rely on guard pages, which a pool does not have. Compile it with
    /// explicit bounds checks.
    GuardPages,
    /// The limits leave no number of bytes for this.
    TooLarge(Category),
    /// The instance cannot have the app heap that the options ask for.
    AppHeap(AppHeapError),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::Malformed(error) => write!(f, "this is not a valid artifact: {error}"),
            PlanError::PointerWidth { required, known } => write!(
                f,
                "the artifact is for {required}-bit pointers, and the sizes are known for {known}"
            ),
            PlanError::GuardPages => f.write_str(
                "the artifact relies on guard pages, which a pool does not have: \
                 compile it with --bounds-checks explicit",
            ),
            PlanError::TooLarge(category) => write!(f, "{category} is larger than any memory"),
            PlanError::AppHeap(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PlanError {}

/// How far the host has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Stage {
    /// There is a runtime.
    Runtime,
    /// The artifact is loaded.
    Loaded,
    /// What the module imports is defined.
    Imports,
    /// The module is instantiated; the start function has not run.
    Instantiated,
    /// There is an execution environment.
    Environment,
    /// The program runs, and the host has taken what it takes at most.
    Running,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: &'static [Stage] = &[
        Stage::Runtime,
        Stage::Loaded,
        Stage::Imports,
        Stage::Instantiated,
        Stage::Environment,
        Stage::Running,
    ];

    /// What a report calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Runtime => "runtime",
            Stage::Loaded => "module loaded",
            Stage::Imports => "imports defined",
            Stage::Instantiated => "instantiated",
            Stage::Environment => "execution environment",
            Stage::Running => "program running",
        }
    }
}

/// Something that can grow while the program runs, beyond what is planned for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Growth {
    /// What grows: [`Category::LinearMemory`], [`Category::Tables`] or [`Category::Exceptions`].
    pub category: Category,
    /// The index among the module's memories or tables, imports first; zero for exceptions.
    pub index: u32,
    /// Bytes that are planned.
    pub planned: u64,
    /// Bytes that it may come to; `None` where nothing but the machine ends it.
    pub bound: Option<u64>,
}

/// The requests for memory that an artifact will cause.
#[derive(Debug)]
pub struct Plan {
    requests: Vec<Request>,
    /// Where the requests of each stage end.
    ends: Vec<usize>,
    growth: Vec<Growth>,
}

impl Plan {
    /// Plans for an artifact.
    pub fn new(artifact: &[u8], options: &PlanOptions<'_>) -> Result<Plan, PlanError> {
        let parsed = Artifact::parse(artifact).map_err(PlanError::Malformed)?;
        steps::plan(&parsed, options)
    }

    /// All requests, in order.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The requests up to the end of a stage.
    pub fn requests_until(&self, stage: Stage) -> &[Request] {
        let end = self.ends.get(stage as usize).copied().unwrap_or(0);
        self.requests.get(..end).unwrap_or(&self.requests)
    }

    /// What a category takes at the end of a stage, and at most until then.
    pub fn usage(&self, stage: Stage, category: Category) -> Usage {
        let usage = replay::usage(self.requests_until(stage));
        usage.get(category as usize).copied().unwrap_or_default()
    }

    /// Bytes of all categories of a lifetime at the end.
    pub fn bytes(&self, lifetime: Lifetime) -> usize {
        let usage = replay::usage(&self.requests);
        let categories = Category::ALL.iter().zip(usage);
        let of_lifetime = categories.filter(|(category, _)| category.lifetime() == lifetime);
        of_lifetime.map(|(_, usage)| usage.current).sum()
    }

    /// What can grow.
    pub fn growth(&self) -> &[Growth] {
        &self.growth
    }

    /// The size of the smallest pool, in bytes and a multiple of 16, from which all requests can be
    /// served; one that is 16 bytes smaller is not enough. It starts at a multiple of 16. `None`
    /// where no pool can be so large.
    pub fn pool_bytes(&self) -> Option<usize> {
        replay::pool_bytes(&self.requests)
    }
}
