//! Function names: for backtraces and listings.
//!
//! The names follow each other in `name_bytes`; `function_names` holds where each ends. Names are
//! decoded at the lookup, so that a module's names cost nothing until something is printed.

use core::str;

use crate::error::{ErrorKind, FormatError};
use crate::layout::SectionId;

use super::Artifact;

impl<'a> Artifact<'a> {
    /// The name of a function, imports first, from the module's name section.
    pub fn function_name(&self, index: u32) -> Option<&'a str> {
        let name = self.function_name_bytes(index)?;
        str::from_utf8(name).ok().filter(|name| !name.is_empty())
    }

    fn function_name_bytes(&self, index: u32) -> Option<&'a [u8]> {
        let name = self.run(SectionId::FunctionNames, SectionId::NameBytes, index);
        Some(name?.as_slice())
    }
}

/// Checks each name, and that names fill their bytes.
pub(super) fn validate(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let ends = artifact.section_words(SectionId::FunctionNames);
    for index in 0..ends.len() {
        let error = |kind| artifact.error(kind, SectionId::FunctionNames, index);
        let name = artifact
            .function_name_bytes(index)
            .ok_or_else(|| error(ErrorKind::RangeOutOfBounds))?;
        str::from_utf8(name).map_err(|_| error(ErrorKind::InvalidUtf8))?;
    }
    let end = ends
        .len()
        .checked_sub(1)
        .and_then(|last| ends.get(last))
        .unwrap_or(0);
    if end != artifact.section(SectionId::NameBytes).size {
        return Err(artifact.error(ErrorKind::NotContiguous, SectionId::NameBytes, end));
    }
    Ok(())
}
