//! Modules: an artifact that has been checked, mapped and linked, ready to be instantiated.
//!
//! A [`Module`] is the last of a chain of types, each made from the one before it alone:
//! bytes -> [`Artifact`] (well formed) -> [`LinkPlan`] (fits this device; every relocation in
//! range) -> writable code -> executable code -> module.

use core::fmt;

use precast_format::types::ImportType;
use precast_format::Artifact;

use crate::alloc::{Category, Shared, Vec};
use crate::code::ExecutableCode;
use crate::error::LoadError;
use crate::instance::create;
use crate::instance::error::InstantiateError;
use crate::instance::import::Imports;
use crate::instance::{Instance, InstanceOptions};
use crate::link::plan::LinkPlan;
use crate::open::ArtifactBytes;
use crate::open::Source;
use crate::open::trust::Proof;
use crate::runtime::Runtime;
use crate::types::{ExternType, FuncType};

/// A loaded module. Clones are handles to the same one.
#[derive(Clone)]
pub struct Module(Shared<Inner>);

/// The fields are dropped in this order; the artifact borrows from the bytes.
struct Inner {
    /// The types by index; structurally equal ones are the same.
    types: Vec<FuncType>,
    /// The runtime's numbers of the types, as compiled code reads them.
    type_ids: Vec<u32>,
    code: ExecutableCode,
    /// Borrows from `bytes`; never handed out with this lifetime.
    artifact: Artifact<'static>,
    /// Keeps what `artifact` borrows from.
    bytes: ArtifactBytes,
    runtime: Runtime,
}

impl Module {
    /// Goes the whole way from a source to a module.
    pub(crate) fn load(
        runtime: &Runtime,
        source: Source<'_>,
        proof: Proof<'_>,
    ) -> Result<Module, LoadError> {
        let bytes = ArtifactBytes::open(runtime, source, &proof)?;
        // SAFETY: `bytes` does not move or change what it refers to, and it goes into the same
        // value as the artifact, whose fields are dropped before it.
        let file: &'static [u8] = unsafe { &*core::ptr::from_ref(bytes.as_slice()) };
        proof.check(file)?;
        let artifact = crate::open::parse(file)?;
        let plan = LinkPlan::new(runtime, artifact)?;
        let code = plan.publish(runtime, &bytes)?;
        let allocator = runtime.allocator();
        let mut types = Vec::new_in(allocator, Category::Module);
        let mut type_ids = Vec::new_in(allocator, Category::Module);
        let mut params = Vec::new_in(allocator, Category::Module);
        let mut results = Vec::new_in(allocator, Category::Module);
        types.try_reserve(artifact.types().len() as usize)?;
        type_ids.try_reserve(artifact.types().len() as usize)?;
        for func_type in artifact.types() {
            params.clear();
            results.clear();
            for value_type in func_type.params().iter() {
                params.try_push(value_type)?;
            }
            for value_type in func_type.results().iter() {
                results.try_push(value_type)?;
            }
            let func_type = FuncType::new(runtime, params.as_slice(), results.as_slice())?;
            type_ids.try_push(func_type.id())?;
            types.try_push(func_type)?;
        }
        let inner = Inner { types, type_ids, code, artifact, bytes, runtime: runtime.clone() };
        Ok(Module(Shared::new(allocator, Category::Module, inner)?))
    }

    /// Makes an instance, with everything that the module imports.
    pub fn instantiate(
        &self,
        imports: &Imports,
        options: InstanceOptions,
    ) -> Result<Instance, InstantiateError> {
        create::instantiate(self, imports, &options)
    }

    /// The module's name from its name section.
    pub fn name(&self) -> Option<&str> {
        self.artifact().module_name()
    }

    /// The runtime that loaded the module.
    pub fn runtime(&self) -> &Runtime {
        &self.0.runtime
    }

    /// The artifact.
    pub fn artifact(&self) -> &Artifact<'_> {
        // The lifetime shrinks to that of the borrow.
        &self.0.artifact
    }

    /// What the module imports: module name, name, type, in the module's order.
    pub fn imports(&self) -> impl Iterator<Item = (&str, &str, ExternType)> {
        self.artifact()
            .imports()
            .into_iter()
            .map(|import| (import.module, import.name, self.import_type(&import.ty)))
    }

    /// The type of an import.
    pub(crate) fn import_type(&self, import: &ImportType) -> ExternType {
        match *import {
            ImportType::Function(index) => ExternType::Function(self.func_type(index)),
            ImportType::Table(table) => ExternType::Table(table),
            ImportType::Memory(memory) => ExternType::Memory(memory),
            ImportType::Global(global) => ExternType::Global(global),
        }
    }
}
