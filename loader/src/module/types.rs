//! The function types of one module: registered in the runtime, by the module's indices.

use core::alloc::Layout;

use precast_format::Artifact;
use precast_format::layout::NONE;
use precast_format::read;

use crate::alloc::{Array, Category, OutOfMemory, Slab, SlabLayout};
use crate::facility::TypedReferences;
use crate::runtime::Runtime;
use crate::types::{FuncType, GroupStructure, OWN, ValueType};

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
    /// What the arrays of so many types take, by the layout of a type.
    #[inline(always)]
    pub(crate) const fn arrays(func_type: Layout, count: usize) -> SlabLayout {
        SlabLayout::new()
            .elements(func_type, count)
            .array::<u32>(count)
            .array::<u32>(count)
    }

    /// Registers the types of an artifact.
    pub(crate) fn new(
        runtime: &Runtime,
        artifact: &Artifact<'_>,
    ) -> Result<ModuleTypes, OutOfMemory> {
        let count = artifact.types().len() as usize;
        let layout = ModuleTypes::arrays(Layout::new::<FuncType>(), count);
        let mut slab = Slab::new(runtime.allocator(), Category::Module, layout)?;
        // SAFETY: the array goes into the same value as the slab, whose fields are dropped first.
        let types = unsafe { slab.take(count) };
        // SAFETY: as above.
        let ids = unsafe { slab.take(count) };
        // SAFETY: as above.
        let trampolines = unsafe { slab.take(count) };
        let mut module = ModuleTypes {
            types,
            ids,
            trampolines,
            nameless: FuncType::nameless(),
            _slab: slab,
        };
        let (mut start, mut end) = (0, 0);
        for ty in artifact.types() {
            if ty.index == end {
                start = end;
                end = ty.index.saturating_add(ty.following).saturating_add(1);
            }
            let func_type = match ty.canonical == ty.index {
                true if TypedReferences::IS_BUILT_IN && ty.index > start => {
                    module.get(start).in_group((ty.index - start) as usize)
                }
                true => Some(module.register(runtime, artifact, ty, end)?),
                false => None,
            };
            let func_type = func_type.unwrap_or_else(|| module.get(ty.canonical).clone());
            // There is room for as many as the artifact has.
            module.ids.push(func_type.id());
            module.types.push(func_type);
            module.trampolines.push(ty.entry_trampoline.unwrap_or(NONE));
        }
        Ok(module)
    }

    /// Registers the first type of a group that ends before `end`, and with it the others.
    fn register(
        &self,
        runtime: &Runtime,
        artifact: &Artifact<'_>,
        first: read::FuncType<'_>,
        end: u32,
    ) -> Result<FuncType, OutOfMemory> {
        if !TypedReferences::IS_BUILT_IN || !is_grouped(&first) {
            let (params, results) = (first.params().len(), first.results().len());
            let value_type = |index| value_of(&first, index);
            return FuncType::with(runtime, params as usize, results as usize, &value_type);
        }
        let types = artifact.types();
        let member = |place: usize| types.get(first.index + place as u32).unwrap_or(first);
        let outside = |ty: ValueType| ty.function_type().filter(|index| *index < first.index);
        let structure = GroupStructure {
            count: end.saturating_sub(first.index) as usize,
            counts: &|place| {
                let ty = member(place);
                (ty.params().len() as usize, ty.results().len() as usize)
            },
            value_type: &|place, index| {
                let ty = value_of(&member(place), index);
                match ty.function_type() {
                    Some(own) if own >= first.index => {
                        ty.with_function_type(OWN + (own - first.index))
                    }
                    _ => self.value_type(ty),
                }
            },
            entry: &|place, index| {
                let earlier = outside(value_of(&member(place), index))?;
                self.get(earlier).entry()
            },
        };
        FuncType::group(runtime, structure)
    }

    /// A type of the artifact as the runtime has it: where it refers to a type, by its number.
    pub(crate) fn value_type(&self, ty: ValueType) -> ValueType {
        match ty.function_type() {
            Some(index) if TypedReferences::IS_BUILT_IN => {
                self.get(index).reference(ty.is_nullable())
            }
            _ => ty,
        }
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

/// Whether parameters and results alone do not make the type.
pub(crate) fn is_grouped(ty: &read::FuncType<'_>) -> bool {
    let mut values = ty.params().iter().chain(ty.results().iter());
    ty.following > 0 || values.any(|value| value.function_type().is_some())
}

/// A parameter or result, parameters first.
fn value_of(ty: &read::FuncType<'_>, index: usize) -> ValueType {
    let (params, results) = (ty.params(), ty.results());
    let index = index as u32;
    let result = || results.get(index.wrapping_sub(params.len()));
    // Both lists were counted before.
    let found = params.get(index).or_else(result);
    found.unwrap_or(ValueType::I32)
}
