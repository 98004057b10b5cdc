//! Moving an artifact: what was found when it was checked, apart from the bytes.
//!
//! ```text
//! Artifact over the whole file --outline--> Outline --over--> Artifact over its first bytes, elsewhere
//! ```
//!
//! Code is somewhere else once it can run, and relocations have been applied. Both lie at the end of
//! the file, so the rest is a prefix, which a loader can keep without the file.

use crate::bytes::Bytes;
use crate::layout::SectionId;

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
    pub const fn resident_size(&self) -> usize {
        // What is for loading comes behind it.
        self.facts.sections.end(SectionId::ImageBytes)
    }

    /// Bytes from the start of the payload that are needed where the text is used as it lies:
    /// everything but what comes behind the text for the sake of loading.
    pub const fn size_to_text(&self) -> usize {
        let end = self.facts.sections.end(SectionId::Text);
        // The text can be elsewhere.
        if end < self.payload.len() {
            end
        } else {
            self.payload.len()
        }
    }
}

const _: () = {
    let mut index = 0;
    while index < SectionId::ALL.len() {
        let id = SectionId::ALL[index];
        assert!(id.is_for_loading() == (id as usize > SectionId::ImageBytes as usize));
        index += 1;
    }
};

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
