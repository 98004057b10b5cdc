//! Tables for traps and backtraces are checked on request, and lookups in damaged ones are safe.

mod support;

use precast_format::Artifact;
use precast_format::error::ErrorKind;
use precast_format::layout::SectionId;

use support::{rich, walk};

/// The error of `validate_diagnostics` after a byte of a section was changed.
fn damaged(section: SectionId, place: usize, value: u8) -> Option<(ErrorKind, SectionId)> {
    let mut bytes = rich(0).write().unwrap();
    let range = Artifact::parse(&bytes).unwrap().section(section);
    bytes[range.offset as usize + place] = value;
    let artifact = Artifact::parse(&bytes).unwrap();
    walk(&artifact);
    let error = artifact.validate_diagnostics().err()?;
    Some((error.kind(), error.section().unwrap()))
}

#[test]
fn trap_sites() {
    let malformed = Some((ErrorKind::MalformedStream, SectionId::TrapIndex));
    // The first function has the sites 0, +7 with a new code, +32: bytes 0..7.
    assert_eq!(damaged(SectionId::Traps, 0, 0), None);
    // A code that is the one before, one that does not exist, a site beyond the end, no advance.
    assert_eq!(damaged(SectionId::Traps, 3, 2), malformed);
    assert_eq!(damaged(SectionId::Traps, 3, 99), malformed);
    assert_eq!(damaged(SectionId::Traps, 0, 20), malformed);
    assert_eq!(damaged(SectionId::Traps, 2, 1), malformed);
    // A run that ends inside a number or before it begins.
    assert_eq!(damaged(SectionId::TrapIndex, 0, 1), malformed);
    let outside = Some((ErrorKind::RangeOutOfBounds, SectionId::TrapIndex));
    assert_eq!(damaged(SectionId::TrapIndex, 4, 0), outside);
    assert_eq!(damaged(SectionId::TrapIndex, 11, 1), outside);
}

#[test]
fn call_sites() {
    let malformed = Some((ErrorKind::MalformedStream, SectionId::CallSiteIndex));
    assert_eq!(damaged(SectionId::CallSites, 0, 39), malformed);
    // A longer form of a short number.
    assert_eq!(damaged(SectionId::CallSites, 0, 0x80), malformed);
    assert_eq!(damaged(SectionId::CallSites, 2, 0), malformed);
}

#[test]
fn names() {
    let error = damaged(SectionId::NameBytes, 0, 0xff);
    assert_eq!(
        error,
        Some((ErrorKind::InvalidUtf8, SectionId::FunctionNames))
    );
    let error = damaged(SectionId::FunctionNames, 4, 0);
    assert_eq!(
        error,
        Some((ErrorKind::RangeOutOfBounds, SectionId::FunctionNames))
    );
    let error = damaged(SectionId::FunctionNames, 12, 8);
    assert_eq!(
        error,
        Some((ErrorKind::NotContiguous, SectionId::NameBytes))
    );
}

#[test]
fn function_depths() {
    let section = SectionId::FunctionDepths;
    let unknown = Some((ErrorKind::UnknownNumber, section));
    // A callee that is not there, a step without meaning, and an end that names a callee.
    let beyond = damaged(section, 4, 5);
    assert_eq!(beyond, Some((ErrorKind::IndexOutOfRange, section)));
    assert_eq!(damaged(section, 7, 6), unknown);
    assert_eq!(damaged(section, 7, 0), unknown);
    assert_eq!(damaged(section, 2 * 12 + 4, 0), unknown);
}
