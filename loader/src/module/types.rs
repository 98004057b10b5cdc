//! The function types of one module: registered in the runtime, by the module's indices.

use precast_format::Artifact;
use precast_format::layout::NONE;

use crate::alloc::{Array, Category, OutOfMemory, Slab, SlabLayout};
use crate::runtime::Runtime;
use crate::types::FuncType;

/// What the loader and compiled code look up by a module's type index.
pub(crate) struct ModuleTypes {
    /// Structurally equal types are the same.
    types: Array<FuncType>,
    /// The runtime's numbers of the types, as compiled code reads them.
    ids: Array<u32>,
    /// Text offsets of the entry trampolines, decoded once since every call asks.
    trampolines: Array<u32>,
    /// Stands in for a type that a damaged module does not have.
    nameless: FuncType,
    /// What the arrays are in; dropped after them.
    _slab: Slab,
}

impl ModuleTypes {
    /// What the arrays of so many types take.
    pub(crate) const fn layout(count: usize) -> SlabLayout {
        SlabLayout::new()
            .array::<FuncType>(count)
            .array::<u32>(count)
            .array::<u32>(count)
    }

    /// Registers the types of an artifact.
    pub(crate) fn new(
        runtime: &Runtime,
        artifact: &Artifact<'_>,
    ) -> Result<ModuleTypes, OutOfMemory> {
        let count = artifact.types().len() as usize;
        let layout = ModuleTypes::layout(count);
        let mut slab = Slab::new(runtime.allocator(), Category::Module, layout)?;
        // SAFETY: the array goes into the same value as the slab, whose fields are dropped first.
        let types = unsafe { slab.take(count) }?;
        // SAFETY: as above.
        let ids = unsafe { slab.take(count) }?;
        // SAFETY: as above.
        let trampolines = unsafe { slab.take(count) }?;
        let mut module = ModuleTypes {
            types,
            ids,
            trampolines,
            nameless: FuncType::nameless(),
            _slab: slab,
        };
        for ty in artifact.types() {
            let (params, results) = (ty.params(), ty.results());
            let func_type = FuncType::with(
                runtime,
                params.len() as usize,
                results.len() as usize,
                &|index| {
                    let index = index as u32;
                    let result = || results.get(index.wrapping_sub(params.len()));
                    // Both lists were counted before.
                    let found = params.get(index).or_else(result);
                    found.unwrap_or(crate::types::ValueType::I32)
                },
            )?;
            // There is room for as many as the artifact has.
            module.ids.push(func_type.id());
            module.types.push(func_type);
            module.trampolines.push(ty.entry_trampoline.unwrap_or(NONE));
        }
        Ok(module)
    }

    /// The type with an index that the artifact uses.
    pub(crate) fn get(&self, index: u32) -> &FuncType {
        // The reader has checked every index.
        self.types.get(index as usize).unwrap_or(&self.nameless)
    }

    /// The runtime's number of a type.
    pub(crate) fn id(&self, index: u32) -> u32 {
        self.ids.get(index as usize).copied().unwrap_or(u32::MAX)
    }

    /// The runtime's numbers of all types.
    pub(crate) fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// The text offset of a type's entry trampoline, if the artifact has one.
    pub(crate) fn trampoline(&self, index: u32) -> Option<u32> {
        let offset = self.trampolines.get(index as usize).copied()?;
        (offset != NONE).then_some(offset)
    }
}
