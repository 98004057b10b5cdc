//! The loader's steps, as requests for memory. Each function mirrors the one that it names.
#![forbid(unsafe_code)]

use std::collections::BTreeSet;
use std::ops::Range;
use std::vec::Vec;

use precast_format::Artifact;
use precast_format::context::PointerWidth;
use precast_format::read::{ElementMode, FuncType};
use precast_format::tunables::StackChecks;
use precast_format::types::{ExternKind, ImportType, MemoryType, TableType, ValueType};

use crate::alloc::{Category, SlabLayout};
use crate::call::stack::StackRegion;
use crate::instance::context::{ContextStorage, NATIVE_WIDTH};
use crate::instance::memory::{Memory, StorageChoice};
use crate::instance::{ArrayCounts, ArrayElements};
use crate::limits::DEFAULT_STACK;
use crate::link::requirements::has_guarded_memory;
use crate::memory::Storage;
use crate::memory::app_heap::AppHeap;
use crate::module::{ModuleTypes, is_grouped};
use crate::plan::layouts::Layouts;
use crate::plan::options::{AllocationMode, ArtifactSource, CodePlace, PlanOptions};
use crate::plan::trace::{Block, Trace};
use crate::plan::{Growth, Plan, PlanError};

/// Collects the requests of all stages.
pub(super) fn plan(artifact: &Artifact<'_>, options: &PlanOptions<'_>) -> Result<Plan, PlanError> {
    let width = artifact.header().isa.pointer_width();
    let bits = |width: PointerWidth| 8 * width.bytes();
    let layouts = Layouts::on(width).ok_or(PlanError::PointerWidth {
        required: bits(width),
        known: bits(NATIVE_WIDTH),
    })?;
    let guarded = has_guarded_memory(artifact)
        || artifact.header().tunables.stack_checks == StackChecks::Guard;
    if guarded && options.mode == AllocationMode::Pool {
        return Err(PlanError::GuardPages);
    }
    let steps = Steps {
        artifact,
        options,
        elements: layouts.array_elements(),
        layouts,
        memories: StorageChoice::new(artifact, &options.instance).map_err(PlanError::AppHeap)?,
    };
    let mut trace = Trace::new(width);
    let mut ends = Vec::new();
    steps.runtime(&mut trace)?;
    ends.push(trace.requests.len());
    steps.load(&mut trace)?;
    ends.push(trace.requests.len());
    steps.imports(&mut trace)?;
    ends.push(trace.requests.len());
    steps.instantiate(&mut trace, &steps.memories)?;
    ends.push(trace.requests.len());
    steps.environment(&mut trace, options.stack)?;
    ends.push(trace.requests.len());
    steps.threads(&mut trace)?;
    if options.stack.is_none() {
        steps.call(&mut trace)?;
    }
    for request in options.running {
        trace.allocate(request.category, request.layout)?;
    }
    ends.push(trace.requests.len());
    Ok(Plan {
        requests: trace.requests,
        ends,
        growth: steps.growth(),
    })
}

struct Steps<'a> {
    artifact: &'a Artifact<'a>,
    options: &'a PlanOptions<'a>,
    /// The sizes of the loader's structures on the device.
    layouts: Layouts,
    elements: ArrayElements,
    memories: StorageChoice,
}

impl Steps<'_> {
    /// `Runtime::with_allocator`.
    fn runtime(&self, trace: &mut Trace) -> Result<(), PlanError> {
        trace.allocate(Category::Runtime, self.layouts.allocator)?;
        if self.options.separate_linear_memory {
            trace.allocate(Category::Runtime, self.layouts.allocator_beside)?;
        }
        trace.allocate(Category::Runtime, self.layouts.runtime)?;
        Ok(())
    }

    /// `Module::load`. The copy of a file's name is left out: it is gone before anything else comes.
    fn load(&self, trace: &mut Trace) -> Result<(), PlanError> {
        let is_bytecode = self.is_bytecode();
        if let Some(bytes) = self.code_bytes().filter(|_| !is_bytecode) {
            trace.map(Category::Code, bytes)?;
        }
        if self.options.source == ArtifactSource::Copied {
            let kept = match is_bytecode {
                true => self.artifact.size_to_text(),
                false => self.artifact.resident_size(),
            };
            trace.bytes(Category::Artifact, kept)?;
        }
        self.types(trace)?;
        trace.allocate(Category::Module, self.layouts.module)?;
        Ok(())
    }

    /// Whether the text is used where the artifact lies.
    fn is_bytecode(&self) -> bool {
        self.artifact.header().isa.is_bytecode()
    }

    /// What a call of bytecode from the host takes that has no stack of its own, for as long as it
    /// runs.
    fn call(&self, trace: &mut Trace) -> Result<Option<Block>, PlanError> {
        if !self.is_bytecode() || self.options.provided_stack {
            return Ok(None);
        }
        let layout = StackRegion::layout(DEFAULT_STACK);
        let layout = layout.ok_or(PlanError::TooLarge(Category::CallStack))?;
        trace.allocate(Category::CallStack, layout)
    }

    /// `LinkPlan::publish`: what the code takes beside the artifact.
    fn code_bytes(&self) -> Option<usize> {
        let size = self.artifact.text().len();
        let untouched = self.artifact.relocations().is_empty();
        match (self.options.code, self.options.source) {
            (CodePlace::InPlace, ArtifactSource::Borrowed) if untouched => None,
            (CodePlace::Host, _) => Some(size.max(1)),
            _ => crate::sys::map::round_to_pages(size.max(1)),
        }
    }

    /// `ModuleTypes::new`.
    fn types(&self, trace: &mut Trace) -> Result<(), PlanError> {
        let types = self.artifact.types();
        let arrays = ModuleTypes::arrays(self.layouts.func_type, types.len() as usize);
        trace.slab(Category::Module, arrays)?;
        let mut end = 0;
        for ty in types {
            let first = ty.index == end;
            if first {
                end = ty.index.saturating_add(ty.following).saturating_add(1);
            }
            if ty.canonical == ty.index {
                if first && is_grouped(&ty) {
                    self.group(trace, ty.index..end)?;
                }
                let count = ty.params().len() as usize + ty.results().len() as usize;
                let values = SlabLayout::new().array::<ValueType>(count);
                trace.behind(Category::Types, self.layouts.type_entry, values.layout())?;
            }
        }
        Ok(())
    }

    /// `Group::new`.
    fn group(&self, trace: &mut Trace, group: Range<u32>) -> Result<(), PlanError> {
        let members = group.clone().filter_map(|ty| self.artifact.types().get(ty));
        let outside = |ty: FuncType<'_>| {
            let (params, results) = (ty.params(), ty.results());
            let values = params.iter().chain(results.iter());
            let named = values.filter_map(|value| value.function_type());
            named.filter(|other| *other < group.start).count()
        };
        let outside = members.map(outside).sum();
        let reference = self.layouts.type_reference;
        trace.array(Category::Types, reference, group.len())?;
        trace.array(Category::Types, reference, outside)?;
        trace.allocate(Category::Types, self.layouts.type_group)?;
        Ok(())
    }

    /// `Imports::for_module`, and a definition for each import.
    fn imports(&self, trace: &mut Trace) -> Result<(), PlanError> {
        for request in self.options.host {
            trace.allocate(request.category, request.layout)?;
        }
        let imports = self.artifact.imports();
        let definition = self.layouts.definition;
        trace.array(Category::HostFunctions, definition, imports.len() as usize)?;
        let mut defined = BTreeSet::new();
        for import in imports {
            // One definition serves all imports of its name.
            if !defined.insert((import.module, import.name)) {
                continue;
            }
            match import.ty {
                ImportType::Function(_) => {
                    let capture = (self.options.captures)(import.module, import.name);
                    let function = self.layouts.host_function;
                    trace.behind(Category::HostFunctions, function, Some(capture))?;
                }
                ImportType::Memory(memory) => self.host_memory(trace, &memory)?,
                ImportType::Table(table) => self.host_table(trace, &table)?,
                ImportType::Global(_) => {
                    trace.allocate(Category::Instance, self.layouts.group)?;
                    trace.allocate(Category::Instance, self.layouts.global)?;
                }
                ImportType::Tag(_) => {
                    trace.allocate(Category::Instance, self.layouts.group)?;
                    trace.allocate(Category::Instance, self.layouts.tag)?;
                }
            }
            trace.bytes(
                Category::HostFunctions,
                import.module.len() + import.name.len(),
            )?;
        }
        Ok(())
    }

    /// `Memory::new`.
    fn host_memory(&self, trace: &mut Trace, memory: &MemoryType) -> Result<(), PlanError> {
        let memory = &self.host_memory_type(memory);
        let guard_pages = self.options.mode == AllocationMode::System;
        let width = self.artifact.header().isa.pointer_width();
        let storage = Memory::storage(memory, guard_pages, width);
        if memory.shared {
            self.linear_memory(trace, memory, storage)?;
            trace.allocate(Category::Instance, self.layouts.shared_memory)?;
            return Ok(());
        }
        trace.allocate(Category::Instance, self.layouts.group)?;
        self.linear_memory(trace, memory, storage)?;
        trace.allocate(Category::Instance, self.layouts.memory)?;
        Ok(())
    }

    /// The type of a memory that the host makes: a shared one is allocated whole, and so made no
    /// larger than it may become.
    fn host_memory_type(&self, wanted: &MemoryType) -> MemoryType {
        let mut memory = *wanted;
        if let (true, Some(pages)) = (wanted.shared, self.options.instance.max_memory_pages) {
            let max = wanted.limits.max.unwrap_or(u64::MAX);
            memory.limits.max = Some(max.min(pages).max(wanted.limits.min));
        }
        memory
    }

    /// `Table::new`.
    fn host_table(&self, trace: &mut Trace, table: &TableType) -> Result<(), PlanError> {
        trace.allocate(Category::Instance, self.layouts.group)?;
        self.table(trace, table)?;
        trace.allocate(Category::Instance, self.layouts.table)?;
        Ok(())
    }

    /// `LinearMemory::new`.
    fn linear_memory(
        &self,
        trace: &mut Trace,
        memory: &MemoryType,
        storage: Storage,
    ) -> Result<(), PlanError> {
        let too_large = PlanError::TooLarge(Category::LinearMemory);
        let length = crate::memory::initial_bytes(memory).ok_or(too_large)?;
        match storage {
            Storage::Guard { below, .. } => {
                let bytes = crate::memory::committed_bytes(length, below as usize);
                trace.map(Category::LinearMemory, bytes.ok_or(too_large)?)?;
            }
            Storage::Explicit => {
                self.explicit_memory(trace, length)?;
            }
            Storage::Fixed { capacity } => {
                let capacity = usize::try_from(capacity).map_err(|_| too_large)?;
                self.explicit_memory(trace, capacity.max(length))?;
            }
        }
        Ok(())
    }

    /// `ExplicitMemory::new`.
    fn explicit_memory(&self, trace: &mut Trace, capacity: usize) -> Result<(), PlanError> {
        let layout = crate::memory::explicit_layout(capacity);
        let layout = layout.map_err(|_| PlanError::TooLarge(Category::LinearMemory))?;
        if self.options.separate_linear_memory {
            trace.map(Category::LinearMemory, layout.size())?;
        } else {
            trace.allocate(Category::LinearMemory, layout)?;
        }
        Ok(())
    }

    /// `TableObject::new`.
    fn table(&self, trace: &mut Trace, table: &TableType) -> Result<(), PlanError> {
        let too_large = PlanError::TooLarge(Category::Tables);
        let count = usize::try_from(table.limits.min).map_err(|_| too_large)?;
        trace.array(Category::Tables, self.layouts.word, count)?;
        Ok(())
    }

    /// `create::instantiate`.
    fn instantiate(&self, trace: &mut Trace, memories: &StorageChoice) -> Result<(), PlanError> {
        let artifact = self.artifact;
        let imports = artifact.imports();
        let resolved = trace.array(
            Category::Instance,
            self.layouts.word,
            imports.len() as usize,
        )?;
        let functions = artifact.imported_count(ExternKind::Function);
        // Host functions and shared memories have no group; what else is imported brings one along.
        let shared = imports.into_iter();
        let shared =
            shared.filter(|import| matches!(import.ty, ImportType::Memory(ty) if ty.shared));
        if functions as usize + shared.count() == imports.len() as usize {
            trace.allocate(Category::Instance, self.layouts.group)?;
        }
        let options = &self.options.instance;
        let heap = memories.heap();
        let counts = ArrayCounts::new(artifact, functions as usize, heap, options);
        trace.slab(Category::Instance, counts.layout(&self.elements))?;
        trace.allocate(Category::Instance, self.layouts.instance)?;
        let context = artifact.context_layout().size();
        for memory in artifact.memories() {
            let below = if memories.holds_context(memory.index) {
                context
            } else {
                0
            };
            let memory_type = memories.enlarged(memory.index, memory.ty);
            let storage = memories.storage(&memory_type, below);
            self.linear_memory(trace, &memory_type, storage)?;
            if memory.ty.shared {
                trace.allocate(Category::Instance, self.layouts.shared_memory)?;
            }
        }
        if let Some(heap) = memories.heap() {
            let layout = AppHeap::layout(heap.bytes);
            let layout = layout.ok_or(PlanError::TooLarge(Category::AppHeap))?;
            trace.allocate(Category::AppHeap, layout)?;
        }
        if !memories.holds_context(0) {
            let layout = ContextStorage::layout(artifact.context_layout()).layout();
            let layout = layout.ok_or(PlanError::TooLarge(Category::Context))?;
            trace.allocate(Category::Context, layout)?;
        }
        for table in artifact.tables() {
            self.table(trace, &table.ty)?;
        }
        for segment in artifact.elements() {
            if let ElementMode::Passive = segment.mode {
                let count = segment.items.len() as usize;
                trace.array(Category::Tables, self.layouts.word, count)?;
            }
        }
        if self.options.threads.is_some() {
            trace.allocate(Category::Instance, self.layouts.interrupter)?;
        }
        let start = artifact.start_function();
        if start.is_some_and(|start| artifact.defined_function(start).is_some()) {
            let call = self.call(trace)?;
            trace.free(call);
        }
        trace.free(resolved);
        Ok(())
    }

    /// What each thread takes: an instance and an execution environment.
    fn threads(&self, trace: &mut Trace) -> Result<(), PlanError> {
        let Some(threads) = &self.options.threads else {
            return Ok(());
        };
        let memories = StorageChoice::new(self.artifact, &threads.instance);
        let memories = memories.map_err(PlanError::AppHeap)?;
        for _ in 0..threads.count {
            self.instantiate(trace, &memories)?;
            self.environment(trace, threads.stack)?;
        }
        Ok(())
    }

    /// `Instance::execution_environment`.
    fn environment(&self, trace: &mut Trace, stack: Option<usize>) -> Result<(), PlanError> {
        let Some(bytes) = stack else {
            return Ok(());
        };
        let error = PlanError::TooLarge(Category::CallStack);
        match self.options.mode {
            AllocationMode::Pool => {
                let layout = StackRegion::layout(bytes).ok_or(error)?;
                trace.allocate(Category::CallStack, layout)?;
            }
            AllocationMode::System => {
                let bytes = StackRegion::mapped_bytes(bytes).ok_or(error)?;
                trace.map(Category::CallStack, bytes)?;
            }
        }
        Ok(())
    }

    /// What the program can make larger.
    fn growth(&self) -> Vec<Growth> {
        let counts = self.artifact.counts();
        let mut growth = Vec::new();
        let imports = self.artifact.imports().into_iter();
        let memories = imports.filter_map(|import| match import.ty {
            ImportType::Memory(memory) => Some(memory),
            _ => None,
        });
        // The instance's own; others that it imports are the host's to bound.
        for (index, memory) in (0..).zip(memories).filter(|(_, memory)| memory.shared) {
            let memory = self.host_memory_type(&memory);
            let is_whole = self.options.mode == AllocationMode::Pool;
            let planned = memory.limits.min << memory.page_size_log2;
            let bound = memory.max_bytes();
            if bound > planned && !is_whole {
                growth.push(Growth {
                    category: Category::LinearMemory,
                    index,
                    planned,
                    bound: Some(bound),
                });
            }
        }
        for memory in self.artifact.memories() {
            let memory_type = self.memories.enlarged(memory.index, memory.ty);
            let bytes = |pages: u64| pages.saturating_mul(1 << memory_type.page_size_log2);
            let planned = match self.memories.storage(&memory_type, 0) {
                Storage::Fixed { capacity } => capacity,
                _ => bytes(memory_type.limits.min),
            };
            let bound = memory_type.max_bytes();
            if bound > planned {
                growth.push(Growth {
                    category: Category::LinearMemory,
                    index: counts.imported_memories + memory.index,
                    planned,
                    bound: memory_type.limits.max.map(bytes),
                });
            }
        }
        for table in self.artifact.tables() {
            let limits = table.ty.limits;
            let bytes = |count: u64| count.saturating_mul(self.layouts.word.size() as u64);
            if limits.max != Some(limits.min) {
                growth.push(Growth {
                    category: Category::Tables,
                    index: counts.imported_tables + table.index,
                    planned: bytes(limits.min),
                    bound: limits.max.map(bytes),
                });
            }
        }
        // They are there while they are thrown or referred to.
        if self.artifact.index_space(ExternKind::Tag) != 0 {
            growth.push(Growth {
                category: Category::Exceptions,
                index: 0,
                planned: 0,
                bound: None,
            });
        }
        growth
    }
}
