//! The link plan: an artifact that this device can run, and how its code gets there.
//!
//! Code that was linked into the program runs there. Code that no relocation touches is mapped from a
//! file that nobody changes, or runs where it lies if that is executable. All other code is copied into memory of its own, patched while that is
//! writable, and published.
#![forbid(unsafe_code)]

use precast_format::Artifact;
use precast_format::layout::SectionId;

use crate::code::{ExecutableCode, WritableCode};
use crate::error::LoadError;
use crate::link::requirements;
use crate::open::OpenBytes;
use crate::runtime::Runtime;
use crate::sys::OsError;

/// An artifact whose requirements this device meets.
///
/// Having a value of this type means that every relocation has a place in the text, a kind of this
/// instruction set and a libcall that this loader has, and that no trampoline or adapter lies inside
/// of a function: the loader tells records of host functions from others by that.
pub(crate) struct LinkPlan<'a> {
    artifact: &'a Artifact<'a>,
}

impl<'a> LinkPlan<'a> {
    /// Compares the artifact with the device.
    pub(crate) fn new(
        runtime: &Runtime,
        artifact: &'a Artifact<'a>,
    ) -> Result<LinkPlan<'a>, LoadError> {
        requirements::check(artifact, runtime.device())?;
        for relocation in artifact.relocations() {
            let error = LoadError::Relocation {
                offset: relocation.offset,
                kind: relocation.kind,
            };
            let end = relocation
                .offset
                .checked_add(relocation.kind.width())
                .ok_or(error)?;
            let for_device = relocation
                .kind
                .isa()
                .is_none_or(|isa| isa == artifact.header().isa);
            let aligned = relocation.kind.is_aligned(relocation.offset);
            if end as usize > artifact.text().len()
                || !for_device
                || !aligned
                || relocation.libcall().is_none()
            {
                return Err(error);
            }
        }
        for ty in artifact.types() {
            let adapters = [ty.entry_trampoline, ty.host_adapter, ty.switch_adapter];
            for offset in adapters.into_iter().flatten() {
                if artifact.functions().containing(offset).is_some() {
                    return Err(LoadError::Adapter {
                        type_index: ty.index,
                    });
                }
            }
        }
        Ok(LinkPlan { artifact })
    }

    /// Brings the code where it can be executed. None is bytecode, which is used where the artifact
    /// will lie.
    pub(crate) fn publish(
        &self,
        runtime: &Runtime,
        bytes: &OpenBytes<'_>,
    ) -> Result<Option<ExecutableCode>, LoadError> {
        if let Some(text) = bytes.linked_text() {
            // The reader refuses relocations there.
            return Ok(Some(ExecutableCode::linked(runtime.allocator(), text)));
        }
        if self.artifact.header().isa.is_bytecode() {
            return match self.artifact.relocations().into_iter().next() {
                Some(first) => Err(LoadError::Relocation {
                    offset: first.offset,
                    kind: first.kind,
                }),
                None => Ok(None),
            };
        }
        if self.artifact.relocations().is_empty()
            && let Some(code) = self
                .lend(runtime, bytes)
                .or_else(|| self.map(runtime, bytes))
        {
            return Ok(Some(code));
        }
        let refused = |error: OsError| LoadError::Code { os_error: error.0 };
        let (memory, allocator) = (runtime.code_memory(), runtime.allocator());
        let mut code =
            WritableCode::copy(memory, allocator, self.artifact.text()).map_err(refused)?;
        let (isa, address) = (self.artifact.header().isa, code.address() as u64);
        for relocation in self.artifact.relocations() {
            let error = LoadError::Relocation {
                offset: relocation.offset,
                kind: relocation.kind,
            };
            let libcall = relocation.libcall().ok_or(error)?;
            let symbol = crate::libcall::table().address(libcall).addr() as u64;
            super::apply(isa, code.bytes_mut(), address, &relocation, symbol).ok_or(error)?;
        }
        code.publish().map(Some).map_err(refused)
    }

    /// The code where it lies, if that may be.
    fn lend(&self, runtime: &Runtime, bytes: &OpenBytes<'_>) -> Option<ExecutableCode> {
        let range = self.artifact.section(SectionId::Text);
        let (start, size) = (range.offset as usize, range.size as usize);
        let text = bytes.statics()?.get(start..)?.get(..size)?;
        runtime.code_memory().lent(runtime.allocator(), text)
    }

    /// The code mapped from its file, if that can be.
    fn map(&self, runtime: &Runtime, bytes: &OpenBytes<'_>) -> Option<ExecutableCode> {
        let file = bytes.file()?;
        let fits = self.artifact.header().page_size() >= runtime.device().page_size;
        if !fits || !runtime.code_memory().is_platform() {
            return None;
        }
        let range = self.artifact.section(SectionId::Text);
        let (offset, size) = (file.file_offset(range.offset), range.size as usize);
        // The reader has checked that the section is inside of the file. One on a file system that
        // is mounted without execution can still be read.
        ExecutableCode::map(runtime.allocator(), file.file(), offset, size).ok()
    }
}
