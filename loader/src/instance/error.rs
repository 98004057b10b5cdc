//! Why a module was not instantiated.
#![forbid(unsafe_code)]

use core::fmt;

use precast_format::brief::{self, MESSAGES};
use precast_format::plain::Text;
use precast_format::read::Import;

use crate::alloc::OutOfMemory;
use crate::call::error::{CallError, StackError, Trap};
use crate::group::Busy;
use crate::instance::heap::AppHeapError;
use crate::module::Module;
use crate::types::ExternType;

/// An import, for messages: its names, and what it has to be.
#[derive(Clone, Debug)]
pub struct ImportName {
    module: Module,
    index: u32,
}

impl ImportName {
    pub(crate) fn new(module: &Module, index: u32) -> ImportName {
        ImportName {
            module: module.clone(),
            index,
        }
    }

    /// The module name.
    pub fn module(&self) -> &str {
        self.import().map_or("", |import| import.module)
    }

    /// The name in the module.
    pub fn name(&self) -> &str {
        self.import().map_or("", |import| import.name)
    }

    /// What the module asks for; none where the import is not one of the module's.
    pub fn expected(&self) -> Option<ExternType> {
        self.import()
            .map(|import| self.module.import_type(&import.ty))
    }

    fn import(&self) -> Option<Import<'_>> {
        self.module.artifact().imports().get(self.index)
    }
}

/// What the module asks for, at the end of a sentence.
struct Expected<'a>(&'a ImportName);

impl fmt::Display for Expected<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.expected() {
            Some(expected) => write!(f, "the module wants {expected}"),
            None => f.write_str("the module wants something else"),
        }
    }
}

impl fmt::Display for ImportName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` `{}`", Text(self.module()), Text(self.name()))
    }
}

/// An import is not there, or is not what the module asks for.
#[must_use]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LinkError {
    /// Nothing is defined under the names. Define it in the imports.
    Missing {
        /// The names.
        import: ImportName,
    },
    /// Something else is defined under the names. Define what the module asks for.
    Mismatch {
        /// The names.
        import: ImportName,
        /// What is defined, with its current size as minimum.
        found: ExternType,
    },
    /// The module's code relies on guard pages around an imported memory that has none, or fewer.
    /// Make the memory with the same bounds checks as the module.
    Unguarded {
        /// The names.
        import: ImportName,
    },
    /// What is defined belongs to an instance, or could, and this loader was built without the feature
    /// `linking`. Define a host function, or build the loader with that.
    NotBuiltIn {
        /// The names.
        import: ImportName,
    },
}

precast_format::brief!(LinkError: Missing Mismatch Unguarded NotBuiltIn);

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !MESSAGES {
            return brief::write(self, f);
        }
        match self {
            LinkError::Missing { import } => write!(
                f,
                "unknown import: {import} is not defined; {}",
                Expected(import)
            ),
            LinkError::Mismatch { import, found } => write!(
                f,
                "incompatible import type: {import} is {found}; {}",
                Expected(import)
            ),
            LinkError::Unguarded { import } => write!(
                f,
                "incompatible import: the module relies on guard pages around the memory \
                 {import}, which it does not have; use the same bounds checks for both"
            ),
            LinkError::NotBuiltIn { import } => write!(
                f,
                "the import {import} is not a host function, and this loader links nothing else; \
                 build it with the feature `linking`"
            ),
        }
    }
}

impl core::error::Error for LinkError {}

/// Why [`Module::instantiate`](crate::Module::instantiate) failed.
#[must_use]
#[derive(Debug)]
#[non_exhaustive]
pub enum InstantiateError {
    /// An import does not fit. Nothing has happened.
    Link(LinkError),
    /// A segment does not fit its memory or table, or the start function trapped. What was written
    /// into imported memories and tables before stays.
    Trap(Trap),
    /// The start function did not return for another reason than a trap.
    Start(CallError),
    /// A call of the imports' instances is in progress, on a stack that does not serve the module or
    /// what it is linked with. The instance was not made. Instantiate before the call, or make the
    /// call on another stack.
    Stack(StackError),
    /// The imports' instances are in use.
    Busy(Busy),
    /// The instance cannot have the app heap that the host asks for. Nothing has happened.
    AppHeap(AppHeapError),
    /// There is not enough memory for the instance.
    OutOfMemory(OutOfMemory),
    /// An import belongs to another runtime than the module.
    OtherRuntime,
    /// The imported function cannot be called from this instance: for a host function the importing
    /// artifact lacks the adapter, for another instance's the exporting one does. Compile both with
    /// the same release.
    NoAdapter(ImportName),
}

precast_format::brief!(InstantiateError: Link Trap Start Stack Busy AppHeap OutOfMemory OtherRuntime NoAdapter);

impl From<LinkError> for InstantiateError {
    fn from(error: LinkError) -> InstantiateError {
        InstantiateError::Link(error)
    }
}

impl From<Trap> for InstantiateError {
    fn from(trap: Trap) -> InstantiateError {
        InstantiateError::Trap(trap)
    }
}

impl From<CallError> for InstantiateError {
    fn from(error: CallError) -> InstantiateError {
        match error {
            CallError::Trap(trap) => InstantiateError::Trap(trap),
            CallError::Busy(busy) => InstantiateError::Busy(busy),
            CallError::OutOfMemory(error) => InstantiateError::OutOfMemory(error),
            error => InstantiateError::Start(error),
        }
    }
}

impl From<StackError> for InstantiateError {
    fn from(error: StackError) -> InstantiateError {
        match error {
            StackError::OutOfMemory(error) => InstantiateError::OutOfMemory(error),
            error => InstantiateError::Stack(error),
        }
    }
}

impl From<AppHeapError> for InstantiateError {
    fn from(error: AppHeapError) -> InstantiateError {
        InstantiateError::AppHeap(error)
    }
}

impl From<Busy> for InstantiateError {
    fn from(busy: Busy) -> InstantiateError {
        InstantiateError::Busy(busy)
    }
}

impl From<OutOfMemory> for InstantiateError {
    fn from(error: OutOfMemory) -> InstantiateError {
        InstantiateError::OutOfMemory(error)
    }
}

impl fmt::Display for InstantiateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InstantiateError::Link(error) => error.fmt(f),
            InstantiateError::Trap(trap) => trap.fmt(f),
            InstantiateError::Start(error) => error.fmt(f),
            _ if !MESSAGES => brief::write(self, f),
            InstantiateError::Stack(error) => write!(f, "a call is in progress: {error}"),
            InstantiateError::Busy(busy) => busy.fmt(f),
            InstantiateError::AppHeap(error) => error.fmt(f),
            InstantiateError::OutOfMemory(error) => {
                write!(f, "cannot instantiate the module: {error}")
            }
            InstantiateError::OtherRuntime => {
                f.write_str("an import belongs to another runtime than the module")
            }
            InstantiateError::NoAdapter(import) => write!(
                f,
                "there is no code by which the import {import} could be called; compile importing \
                 and exporting module again"
            ),
        }
    }
}

impl core::error::Error for InstantiateError {}
