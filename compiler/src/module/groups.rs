//! Recursion groups: which function types are the same.
//!
//! Types are equal that are at the same place of equal groups. Groups are equal whose types are, one
//! by one, where a reference into the group is told by its place in it, and one to an earlier type
//! by the first that is equal to that.

use std::collections::HashMap;

use wasmparser::{
    CompositeInnerType, GlobalType, HeapType, RecGroup, RefType, TableType, UnpackedIndex, ValType,
};

use super::collection::{check_reference, refused};
use super::{FunctionType, Module};
use crate::error::{CompileError, Result};

/// The groups that came so far: what each looks like, and where the first that does begins.
#[derive(Default)]
pub(super) struct Groups {
    first: HashMap<Vec<FunctionType>, u32>,
}

impl Groups {
    /// Adds the types of a group to the module, the references in them by canonical index.
    ///
    /// # Errors
    ///
    /// When the group has other types than those of functions.
    pub(super) fn add(&mut self, module: &mut Module<'_>, group: RecGroup) -> Result<()> {
        let start = module.types.len() as u32;
        let mut key = Vec::new();
        for sub_type in group.into_types() {
            let CompositeInnerType::Func(ty) = &sub_type.composite_type.inner else {
                return Err(refused());
            };
            if !sub_type.is_final
                || !sub_type.supertype_idxs.is_empty()
                || sub_type.composite_type.shared
                || sub_type.composite_type.descriptor_idx.is_some()
                || sub_type.composite_type.describes_idx.is_some()
            {
                return Err(refused());
            }
            let values = |types: &[ValType]| {
                let places = types.iter().map(|ty| module.place_in(start, *ty));
                places.collect::<Result<Vec<_>>>()
            };
            key.push(FunctionType {
                params: values(ty.params())?,
                results: values(ty.results())?,
            });
        }
        let count = key.len() as u32;
        let canonical = *self.first.entry(key.clone()).or_insert(start);
        for (place, mut ty) in (0..).zip(key) {
            for value in ty.params.iter_mut().chain(&mut ty.results) {
                if let Some((reference, UnpackedIndex::RecGroup(place))) = concrete(*value) {
                    let index = UnpackedIndex::Module(canonical + place);
                    *value = with_index(reference, index)?.into();
                }
            }
            module.types.push(ty);
            module.canonical_types.push(canonical + place);
            module.following_types.push(count - 1 - place);
        }
        Ok(())
    }
}

/// The reference and what it names, if the type is a reference to functions of one type.
fn concrete(ty: ValType) -> Option<(RefType, UnpackedIndex)> {
    match ty {
        ValType::Ref(reference) => match reference.heap_type() {
            HeapType::Concrete(index) => Some((reference, index)),
            _ => None,
        },
        _ => None,
    }
}

/// The same reference to another type.
fn with_index(reference: RefType, index: UnpackedIndex) -> Result<RefType> {
    RefType::new(reference.is_nullable(), HeapType::Concrete(index))
        .ok_or_else(|| CompileError::limit("the module has too many types"))
}

impl Module<'_> {
    /// A type in a group that begins at `start`: one that it refers to by place or canonical index.
    fn place_in(&self, start: u32, ty: ValType) -> Result<ValType> {
        match concrete(ty) {
            Some((reference, UnpackedIndex::Module(index))) if index >= start => {
                let place = UnpackedIndex::RecGroup(index - start);
                Ok(with_index(reference, place)?.into())
            }
            _ => self.canonical_value(ty),
        }
    }

    /// The type with the canonical index of what it refers to.
    fn canonical_value(&self, ty: ValType) -> Result<ValType> {
        match ty {
            ValType::Ref(ty) => Ok(self.canonical_reference(ty)?.into()),
            ty => Ok(ty),
        }
    }

    /// The type of references with the canonical index of what it refers to.
    ///
    /// # Errors
    ///
    /// When it is one to objects of a collected heap.
    pub(super) fn canonical_reference(&self, ty: RefType) -> Result<RefType> {
        check_reference(ty)?;
        match concrete(ty.into()) {
            Some((reference, UnpackedIndex::Module(index))) => {
                let canonical = self.canonical_types.get(index as usize);
                let canonical = canonical.ok_or_else(|| CompileError::internal("a type index"))?;
                with_index(reference, UnpackedIndex::Module(*canonical))
            }
            _ => Ok(ty),
        }
    }

    /// A table's type, its element type as above.
    pub(super) fn table_type(&self, mut ty: TableType) -> Result<TableType> {
        ty.element_type = self.canonical_reference(ty.element_type)?;
        Ok(ty)
    }

    /// A global's type, its value type as above.
    pub(super) fn global_type(&self, mut ty: GlobalType) -> Result<GlobalType> {
        ty.content_type = self.canonical_value(ty.content_type)?;
        Ok(ty)
    }
}
