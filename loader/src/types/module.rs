//! The function types of one module: registered in the runtime, by the module's indices.
#![forbid(unsafe_code)]

use precast_format::Artifact;

use crate::alloc::{Category, OutOfMemory, Vec};
use crate::runtime::Runtime;
use crate::types::FuncType;

/// What the loader and compiled code look up by a module's type index.
pub(crate) struct ModuleTypes {
    /// Structurally equal types are the same.
    types: Vec<FuncType>,
    /// The runtime's numbers of the types, as compiled code reads them.
    ids: Vec<u32>,
    /// Text offsets of the entry trampolines, decoded once since every call asks.
    trampolines: Vec<Option<u32>>,
    /// Stands in for a type that a damaged module does not have.
    nameless: FuncType,
}

impl ModuleTypes {
    /// Registers the types of an artifact.
    pub(crate) fn new(
        runtime: &Runtime,
        artifact: &Artifact<'_>,
    ) -> Result<ModuleTypes, OutOfMemory> {
        let allocator = runtime.allocator();
        let count = artifact.types().len() as usize;
        let mut module = ModuleTypes {
            types: Vec::new_in(allocator, Category::Module),
            ids: Vec::new_in(allocator, Category::Module),
            trampolines: Vec::new_in(allocator, Category::Module),
            nameless: FuncType::nameless(runtime),
        };
        module.types.try_reserve_exact(count)?;
        module.ids.try_reserve_exact(count)?;
        module.trampolines.try_reserve_exact(count)?;
        let mut params = Vec::new_in(allocator, Category::Module);
        let mut results = Vec::new_in(allocator, Category::Module);
        for ty in artifact.types() {
            params.clear();
            params.try_extend(ty.params().iter())?;
            results.clear();
            results.try_extend(ty.results().iter())?;
            let func_type = FuncType::new(runtime, params.as_slice(), results.as_slice())?;
            module.ids.try_push(func_type.id())?;
            module.types.try_push(func_type)?;
            module.trampolines.try_push(ty.entry_trampoline)?;
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
        self.ids.as_slice()
    }

    /// The text offset of a type's entry trampoline, if the artifact has one.
    pub(crate) fn trampoline(&self, index: u32) -> Option<u32> {
        self.trampolines.get(index as usize).copied()?
    }
}
