//! Moving an artifact: what was found when it was checked, apart from the bytes.
//!
//! ```text
//! Artifact over the whole file --outline--> Outline --over--> Artifact over its first bytes, elsewhere
//! ```
//!
//! Code is somewhere else once it can run, and relocations have been applied. Both lie at the end of
//! the file, so the rest is a prefix, which a loader can keep without the file.

use crate::bytes::Bytes;
use crate::layout::{SectionId, header, section};

use super::{Artifact, Facts};

/// What a check has found out about an artifact, without its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Outline {
    payload_size: usize,
    resident_size: usize,
    facts: Facts,
}

impl Artifact<'_> {
    /// What is known of the artifact, for the time in which its bytes move.
    pub fn outline(&self) -> Outline {
        Outline {
            payload_size: self.payload.len(),
            resident_size: self.resident_size(),
            facts: self.facts,
        }
    }

    /// Bytes from the start of the payload that are needed once the code is in place: everything but
    /// text and relocations, and the padding before them.
    pub fn resident_size(&self) -> usize {
        let ranges = || SectionId::ALL.iter().map(|id| (id, self.section(*id)));
        let present = ranges().filter(|(_, range)| range.size != 0).count();
        let table = header::SIZE.saturating_add(present.saturating_mul(section::SIZE));
        ranges()
            .filter(|(id, range)| !id.is_for_loading() && range.size != 0)
            .map(|(_, range)| (range.offset as usize).saturating_add(range.size as usize))
            .fold(table, usize::max)
            .min(self.payload.len())
    }
}

impl Artifact<'_> {
    /// Bytes from the start of the payload that are needed where the text is used as it lies:
    /// everything but what comes behind the text for the sake of loading.
    pub fn size_to_text(&self) -> usize {
        let text = self.section(SectionId::Text);
        let end = (text.offset as usize).saturating_add(text.size as usize);
        end.max(self.resident_size()).min(self.payload.len())
    }
}

impl Outline {
    /// As [`Artifact::resident_size`].
    pub const fn resident_size(&self) -> usize {
        self.resident_size
    }

    /// The artifact over the bytes that it was checked over, or their beginning, wherever they are
    /// now. Sections that are not there any more are empty. `None` where the bytes are fewer than
    /// [`Outline::resident_size`], or evidently others.
    ///
    /// What [`Artifact`] promises, the caller answers for: nothing is checked again.
    pub fn over(self, file: &[u8]) -> Option<Artifact<'_>> {
        if file.len() < self.resident_size {
            return None;
        }
        let size = file.len().min(self.payload_size);
        let payload = Bytes::new(file.get(..size)?);
        Some(Artifact {
            payload,
            facts: self.facts,
        })
    }
}
