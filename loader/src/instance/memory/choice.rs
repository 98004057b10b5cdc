//! Where the memories of an instance are: what the code relies on, and what the host allows.
#![forbid(unsafe_code)]

use precast_format::Artifact;
use precast_format::tunables::BoundsChecks;

use crate::facility::{AppHeaps, GuardPages};
use crate::instance::InstanceOptions;
use crate::instance::heap::{AppHeapError, HeapPlan};
use crate::instance::memory::{AnyMemory, ClampedLimit, GrowthObserver};
use crate::memory::Storage;
use crate::types::MemoryType;

/// How the memories of an instance are stored: what the code relies on, and what the host allows.
#[derive(Clone, Copy)]
pub(crate) struct StorageChoice {
    bounds_checks: BoundsChecks,
    reservation: u64,
    guard: u64,
    imported_memories: u32,
    first_is_guarded: bool,
    max_pages: Option<u64>,
    fixed: bool,
    observer: Option<GrowthObserver>,
    heap: Option<AppHeaps<HeapPlan>>,
}

impl StorageChoice {
    /// The plan for an instance of the artifact's module.
    pub(crate) fn new(
        artifact: &Artifact<'_>,
        options: &InstanceOptions,
    ) -> Result<StorageChoice, AppHeapError> {
        let tunables = &artifact.header().tunables;
        let mut plan = StorageChoice {
            bounds_checks: tunables.bounds_checks,
            reservation: tunables.memory_reservation,
            guard: tunables.memory_guard,
            imported_memories: artifact.counts().imported_memories,
            first_is_guarded: false,
            max_pages: options.max_memory_pages,
            fixed: options.fixed_memory,
            observer: options.growth_observer,
            heap: None,
        };
        plan.first_is_guarded = artifact
            .memories()
            .get(0)
            .is_some_and(|memory| plan.is_guarded(&memory.ty) && !memory.ty.shared);
        plan.heap = HeapPlan::new(artifact, options.heap_size, |ty| plan.limited(ty))?;
        Ok(plan)
    }

    /// Whether code relies on guard pages around a memory of this type.
    fn is_guarded(&self, memory_type: &MemoryType) -> bool {
        GuardPages::IS_BUILT_IN && self.bounds_checks.guards(memory_type)
    }

    /// Whether a defined memory begins at the context pointer. A shared one outlives contexts.
    pub(crate) fn holds_context(&self, defined: u32) -> bool {
        defined == 0 && self.imported_memories == 0 && self.first_is_guarded
    }

    /// The type of a defined memory with the maximum that the host allows.
    fn limited(&self, mut memory_type: MemoryType) -> MemoryType {
        if let Some(requested) = self.max_pages {
            let reachable = memory_type.reachable_pages();
            let largest = memory_type.limits.max.unwrap_or(reachable);
            memory_type.limits.max = Some(requested.min(largest).max(memory_type.limits.min));
        }
        memory_type
    }

    /// The type of a defined memory of the instance: with the maximum that the host allows, and
    /// with the pages of the app heap.
    pub(crate) fn enlarged(&self, defined: u32, memory_type: MemoryType) -> MemoryType {
        let mut memory_type = self.limited(memory_type);
        if let (Some(heap), 0) = (&self.heap, self.index(defined)) {
            memory_type.limits.min = memory_type.limits.min.saturating_add(heap.pages);
        }
        memory_type
    }

    /// Where the app heap is, in memory 0.
    pub(crate) fn heap(&self) -> Option<&HeapPlan> {
        match &self.heap {
            Some(heap) => Some(heap),
            None => None,
        }
    }

    /// What became of the host's wish for a defined memory, if it was not heeded. The type is the
    /// limited one.
    pub(super) fn clamped(&self, defined: u32, memory_type: &MemoryType) -> Option<ClampedLimit> {
        let (requested, applied) = (self.max_pages?, memory_type.limits.max?);
        (requested != applied).then_some(ClampedLimit {
            memory: self.index(defined),
            requested,
            applied,
        })
    }

    /// Who is told why a memory did not grow.
    pub(super) fn observer(&self) -> Option<GrowthObserver> {
        self.observer
    }

    /// The index of a defined memory among all memories.
    pub(super) fn index(&self, defined: u32) -> u32 {
        self.imported_memories.saturating_add(defined)
    }

    /// Where the bytes of a memory of this type are. `below` bytes under the base are writable.
    pub(crate) fn storage(&self, memory_type: &MemoryType, below: u32) -> Storage {
        if self.is_guarded(memory_type) {
            Storage::Guard {
                reservation: self.reservation,
                guard: self.guard,
                below,
            }
        } else if self.fixed || memory_type.shared {
            // A shared memory must stay where other threads look for it.
            Storage::Fixed {
                capacity: memory_type.max_bytes(),
            }
        } else {
            Storage::Explicit
        }
    }

    /// Whether code relies on what an imported memory does not have.
    pub(crate) fn accepts(&self, memory: AnyMemory<'_>) -> bool {
        !self.is_guarded(&memory.memory_type())
            || memory.reserved() >= self.reservation.saturating_add(self.guard)
    }
}
