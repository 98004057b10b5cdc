//! The machine code. Parsing never reads it: its pages stay untouched until they are executed.

use crate::layout::SectionId;

use super::Artifact;

impl<'a> Artifact<'a> {
    /// The machine code: functions, then trampolines and adapters.
    pub fn text(&self) -> &'a [u8] {
        self.section_bytes(SectionId::Text).as_slice()
    }

    /// Where the text starts in the file: a multiple of the page size.
    pub fn text_file_offset(&self) -> u32 {
        self.section(SectionId::Text).offset
    }
}
