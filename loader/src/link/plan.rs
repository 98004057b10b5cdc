//! The link plan: an artifact that this device can run, and how its code gets there.
//!
//! Code that no relocation touches, in a file that nobody changes, is mapped from the file. All
//! other code is copied into pages of its own, patched while they are writable, and published.
#![forbid(unsafe_code)]

use precast_format::Artifact;
use precast_format::layout::SectionId;

use crate::code::{ExecutableCode, WritableCode};
use crate::error::LoadError;
use crate::link::requirements;
use crate::open::ArtifactBytes;
use crate::runtime::Runtime;
use crate::sys::OsError;

/// An artifact whose requirements this device meets.
///
/// Having a value of this type means that every relocation has a place in the text, a kind of this
/// instruction set and a libcall that this loader has, and that no trampoline or adapter lies inside
/// of a function: the loader tells records of host functions from others by that.
pub(crate) struct LinkPlan<'a> {
    artifact: Artifact<'a>,
}

impl<'a> LinkPlan<'a> {
    /// Compares the artifact with the device.
    pub(crate) fn new(
        runtime: &Runtime,
        artifact: Artifact<'a>,
    ) -> Result<LinkPlan<'a>, LoadError> {
        requirements::check(&artifact, runtime.device())?;
        for relocation in artifact.relocations() {
            let error = LoadError::Relocation {
                offset: relocation.offset,
            };
            let end = relocation
                .offset
                .checked_add(relocation.kind.width())
                .ok_or(error)?;
            let for_device = relocation
                .kind
                .isa()
                .is_none_or(|isa| isa == artifact.header().isa);
            let aligned = relocation.offset % relocation.kind.alignment() == 0;
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

    /// Brings the code where it can be executed.
    pub(crate) fn publish(
        &self,
        runtime: &Runtime,
        bytes: &ArtifactBytes,
    ) -> Result<ExecutableCode, LoadError> {
        let range = self.artifact.section(SectionId::Text);
        if self.artifact.relocations().is_empty()
            && let Some(file) = bytes.file()
            && self.artifact.header().page_size() >= runtime.device().page_size
        {
            let (offset, size) = (u64::from(range.offset), range.size as usize);
            // The reader has checked that the section is inside of the file.
            if let Ok(code) = ExecutableCode::map(runtime.allocator(), file.file(), offset, size) {
                return Ok(code);
            }
            // A file system that is mounted without execution still can be read.
        }
        let refused = |error: OsError| LoadError::Code { os_error: error.0 };
        let mut code =
            WritableCode::copy(runtime.allocator(), self.artifact.text()).map_err(refused)?;
        let (isa, address) = (self.artifact.header().isa, code.address() as u64);
        for relocation in self.artifact.relocations() {
            let error = LoadError::Relocation {
                offset: relocation.offset,
            };
            let libcall = relocation.libcall().ok_or(error)?;
            let symbol = crate::libcall::table().address(libcall).addr() as u64;
            super::apply(isa, code.bytes_mut(), address, &relocation, symbol).ok_or(error)?;
        }
        code.publish().map_err(refused)
    }
}
