//! The split form: the same artifact with its text elsewhere, and what is refused of it.

mod support;

use precast_format::envelope::Signature;
use precast_format::error::ErrorKind;
use precast_format::layout::{self, SectionId, header, section};
use precast_format::tunables::RelocationModel;
use precast_format::write::{ArtifactBuilder, SplitArtifact, WriteError};
use precast_format::{Artifact, FormatError};

use support::rich;

/// The artifact with everything that the split form can have.
fn builder(page_size_log2: u8) -> ArtifactBuilder {
    let mut builder = rich(page_size_log2);
    builder.tunables.relocation_model = RelocationModel::Xip;
    builder.relocations = Vec::new();
    builder
}

fn split(page_size_log2: u8) -> SplitArtifact {
    builder(page_size_log2).into_split().unwrap()
}

fn kind(result: Result<Artifact<'_>, FormatError>) -> ErrorKind {
    match result {
        Err(error) => error.kind(),
        Ok(_) => panic!("it is accepted"),
    }
}

#[test]
fn nothing_but_the_text_is_elsewhere() {
    for page_size_log2 in [0, 6, 12] {
        let mut whole = builder(page_size_log2);
        whole.function_depths = Vec::new();
        let bytes = whole.write().unwrap();
        let whole = Artifact::parse(&bytes).unwrap();
        let SplitArtifact { metadata, text } = split(page_size_log2);
        let apart = Artifact::parse_split(&metadata, text.len()).unwrap();
        assert_eq!(whole.text(), text);
        assert!(apart.text().is_empty() && apart.relocations().is_empty());
        assert_eq!(apart.resident_size(), metadata.len());
        assert_eq!(apart.resident_size(), whole.resident_size());
        for id in SectionId::ALL {
            assert_eq!(apart.section(*id), whole.section(*id), "{}", id.name());
        }
        // The header says how large the payload is and which form it has; everything else is the same.
        let differing = (0..metadata.len()).filter(|at| metadata[*at] != bytes[*at]);
        let size = header::PAYLOAD_SIZE.offset();
        let allowed = |at: usize| (size..size + 4).contains(&at) || at == header::FORM.offset();
        assert!(differing.clone().all(allowed), "{differing:?}");
        assert!(apart.validate_diagnostics().is_ok());
        // It can move, as every artifact can.
        let moved = metadata.clone();
        let kept = apart.outline().over(&moved).unwrap();
        assert_eq!(
            kept.section(SectionId::Text),
            whole.section(SectionId::Text)
        );
        assert!(kept.exports().lookup("run").is_some());
    }
}

#[test]
fn an_artifact_without_code_has_a_split_form() {
    let empty = builder(0);
    let mut empty = ArtifactBuilder::new(empty.target, empty.tunables);
    empty.module_name = Some("empty".into());
    let split = empty.into_split().unwrap();
    let artifact = Artifact::parse_split(&split.metadata, 0).unwrap();
    assert_eq!(artifact.module_name(), Some("empty"));
    assert_eq!(
        kind(Artifact::parse_split(&split.metadata, 1)),
        ErrorKind::SectionSize
    );
}

#[test]
fn the_forms_are_not_confused() {
    let SplitArtifact { metadata, text } = split(0);
    assert_eq!(kind(Artifact::parse(&metadata)), ErrorKind::TextElsewhere);
    let whole = builder(0).write().unwrap();
    assert_eq!(
        kind(Artifact::parse_split(&whole, text.len())),
        ErrorKind::TextInFile
    );
    // A file that claims to have its text, and has not.
    let mut claiming = metadata.clone();
    claiming[header::FORM.offset()] = layout::FORM_WHOLE;
    assert_eq!(kind(Artifact::parse(&claiming)), ErrorKind::Truncated);
    // One that claims not to have it, and has.
    let mut denying = whole;
    denying[header::FORM.offset()] = layout::FORM_SPLIT;
    let refused = kind(Artifact::parse_split(&denying, text.len()));
    assert_eq!(refused, ErrorKind::SectionOrder);
}

#[test]
fn the_size_of_the_text_has_to_agree() {
    let SplitArtifact { metadata, text } = split(0);
    for size in [0, 1, text.len() - 1, text.len() + 1, usize::MAX] {
        let refused = kind(Artifact::parse_split(&metadata, size));
        assert_eq!(refused, ErrorKind::SectionSize);
    }
    // A larger text, of which the table knows: nothing points behind the old end.
    let records = (metadata.len() - header::SIZE) / section::SIZE;
    let text_record = (0..records)
        .map(|index| header::SIZE + index * section::SIZE)
        .find(|at| metadata[*at..*at + 4] == (SectionId::Text as u32).to_le_bytes())
        .unwrap();
    let at = text_record + section::SIZE_IN_BYTES.offset();
    let with = |size: u32| {
        let mut changed = metadata.clone();
        changed[at..at + 4].copy_from_slice(&size.to_le_bytes());
        changed
    };
    let larger = text.len() as u32 + 16;
    assert!(Artifact::parse_split(&with(larger), larger as usize).is_ok());
    // A smaller one does not hold its functions.
    let smaller = with(16);
    assert!(Artifact::parse_split(&smaller, 16).is_err());
    // The end of the largest does not fit.
    let endless = with(u32::MAX);
    let refused = kind(Artifact::parse_split(&endless, u32::MAX as usize));
    assert_eq!(refused, ErrorKind::SectionSize);
    assert_eq!(
        kind(Artifact::parse_split(&with(0), 0)),
        ErrorKind::SectionSize
    );
}

#[test]
fn a_signature_or_a_relocation_is_refused() {
    let SplitArtifact { metadata, text } = split(0);
    let mut signed = metadata.clone();
    let signature = Signature {
        public_key: [3; 32],
        signature: [9; 64],
    };
    signed.extend_from_slice(&signature.to_trailer());
    let refused = kind(Artifact::parse_split(&signed, text.len()));
    assert_eq!(refused, ErrorKind::TrailingBytes);
    for builder in [rich(0), {
        let mut builder = rich(0);
        builder.relocations = Vec::new();
        builder
    }] {
        match builder.into_split() {
            Err(WriteError::Rejected(error)) => {
                assert_eq!(error.kind(), ErrorKind::InconsistentHeader);
            }
            other => panic!("not refused: {other:?}"),
        }
    }
}

#[test]
fn any_bytes_are_an_error_or_an_artifact() {
    for page_size_log2 in [0, 6] {
        let SplitArtifact { metadata, text } = split(page_size_log2);
        let walk = |bytes: &[u8], size: usize| {
            if let Ok(artifact) = Artifact::parse_split(bytes, size) {
                assert_eq!(artifact.section(SectionId::Text).size as usize, size);
                for function in artifact.functions() {
                    assert!(function.text_end() as usize <= size);
                }
                let outline = artifact.outline();
                assert!(outline.over(bytes).is_some());
                let _ = artifact.validate_diagnostics();
            }
        };
        for length in 0..metadata.len() {
            let cut = &metadata[..length];
            assert!(Artifact::parse_split(cut, text.len()).is_err(), "{length}");
        }
        let mut bytes = metadata.clone();
        for place in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff, metadata[place] ^ 1] {
                bytes[place] = value;
                walk(&bytes, text.len());
            }
            bytes[place] = metadata[place];
        }
    }
}
