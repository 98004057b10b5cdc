//! Trap sites and call sites: from a place in the text to a place in the wasm module.
//!
//! Each function has a run of sites, ascending by text offset, stored as differences. The first
//! difference is from the start of the function, in the text and in the wasm module.
//!
//! ```text
//! trap site   unsigned (text difference << 1 | code follows)  [code byte]  signed wasm difference
//! call site   unsigned text difference                                     signed wasm difference
//! ```
//!
//! A trap site without a code has the one of the site before it; the first one without has
//! `MemoryOutOfBounds`. A call site's text offset is the return address. Runs are decoded at the
//! lookup, with bounds at every step.

use crate::bytes::{Bytes, Stream, Words};
use crate::error::{ErrorKind, FormatError};
use crate::layout::SectionId;
use crate::trap::TrapCode;

use super::Artifact;
use super::functions::{Function, Functions};

/// An instruction that can trap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TrapSite {
    /// Where it is in the text.
    pub text_offset: u32,
    /// What it means if it traps.
    pub code: TrapCode,
    /// File offset of the wasm instruction.
    pub wasm_offset: u32,
}

/// A call that can appear in a backtrace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CallSite {
    /// Its return address in the text.
    pub text_offset: u32,
    /// File offset of the wasm instruction.
    pub wasm_offset: u32,
}

impl<'a> Artifact<'a> {
    /// The trap sites of all functions.
    pub fn traps(&self) -> TrapSites<'a> {
        TrapSites(Runs {
            functions: self.functions(),
            ends: self.section_words(SectionId::TrapIndex),
            bytes: self.section_bytes(SectionId::Traps),
        })
    }

    /// The call sites of all functions.
    pub fn call_sites(&self) -> CallSites<'a> {
        CallSites(Runs {
            functions: self.functions(),
            ends: self.section_words(SectionId::CallSiteIndex),
            bytes: self.section_bytes(SectionId::CallSites),
        })
    }
}

/// One run of bytes for each function.
#[derive(Clone, Copy, Debug)]
struct Runs<'a> {
    functions: Functions<'a>,
    ends: Words<'a>,
    bytes: Bytes<'a>,
}

impl<'a> Runs<'a> {
    fn run(&self, function: u32) -> Option<Bytes<'a>> {
        let end = self.ends.get(function)?;
        let start = match function.checked_sub(1) {
            Some(previous) => self.ends.get(previous)?,
            None => 0,
        };
        self.bytes.range(start, end.checked_sub(start)?)
    }

    fn cursor(&self, function: &Function) -> Cursor<'a> {
        Cursor {
            stream: Stream::new(self.run(function.index).unwrap_or_default()),
            start: function.text_offset,
            end: function.text_end(),
            text_offset: function.text_offset,
            wasm_offset: function.wasm_offset,
        }
    }
}

/// Decodes differences.
#[derive(Clone, Debug)]
struct Cursor<'a> {
    stream: Stream<'a>,
    start: u32,
    end: u32,
    text_offset: u32,
    wasm_offset: u32,
}

impl Cursor<'_> {
    /// Moves forward in the text; only the first difference may be zero.
    fn advance_text(&mut self, difference: u64, is_first: bool) -> Option<u32> {
        if difference == 0 && !is_first {
            return None;
        }
        let offset = u32::try_from(u64::from(self.text_offset).checked_add(difference)?).ok()?;
        if offset < self.start || offset > self.end {
            return None;
        }
        self.text_offset = offset;
        Some(offset)
    }

    fn advance_wasm(&mut self) -> Option<u32> {
        let difference = self.stream.signed()?;
        let offset = i64::from(self.wasm_offset).checked_add(difference)?;
        self.wasm_offset = u32::try_from(offset).ok()?;
        Some(self.wasm_offset)
    }
}

/// The trap sites of all functions.
#[derive(Clone, Copy, Debug)]
pub struct TrapSites<'a>(Runs<'a>);

impl<'a> TrapSites<'a> {
    /// What a trap at this text offset means: its code and the file offset of the wasm instruction.
    pub fn lookup(&self, text_offset: u32) -> Option<(TrapCode, u32)> {
        let function = self.0.functions.containing(text_offset)?;
        let site = self
            .of(&function)
            .find(|site| site.text_offset >= text_offset)?;
        (site.text_offset == text_offset).then_some((site.code, site.wasm_offset))
    }

    /// The trap sites of one function.
    pub fn of(&self, function: &Function) -> FunctionTrapSites<'a> {
        FunctionTrapSites {
            cursor: self.0.cursor(function),
            code: TrapCode::MemoryOutOfBounds,
            is_first: true,
        }
    }
}

/// Iterates over the trap sites of a function; ends where the run is malformed.
#[derive(Clone, Debug)]
pub struct FunctionTrapSites<'a> {
    cursor: Cursor<'a>,
    code: TrapCode,
    is_first: bool,
}

impl FunctionTrapSites<'_> {
    fn read(&mut self) -> Option<TrapSite> {
        let head = self.cursor.stream.unsigned()?;
        let text_offset = self.cursor.advance_text(head >> 1, self.is_first)?;
        self.is_first = false;
        if text_offset == self.cursor.end {
            return None;
        }
        if head & 1 == 1 {
            let code = TrapCode::from_u8(self.cursor.stream.byte()?)?;
            if code == self.code {
                return None;
            }
            self.code = code;
        }
        Some(TrapSite {
            text_offset,
            code: self.code,
            wasm_offset: self.cursor.advance_wasm()?,
        })
    }
}

impl Iterator for FunctionTrapSites<'_> {
    type Item = TrapSite;

    fn next(&mut self) -> Option<TrapSite> {
        let site = self.read();
        if site.is_none() {
            self.cursor.stream = Stream::new(Bytes::default());
        }
        site
    }
}

/// The call sites of all functions.
#[derive(Clone, Copy, Debug)]
pub struct CallSites<'a>(Runs<'a>);

impl<'a> CallSites<'a> {
    /// The file offset of the wasm instruction whose call returns to this text offset.
    pub fn lookup(&self, return_offset: u32) -> Option<u32> {
        // A call that does not return can be the last instruction of its function.
        let function = self.0.functions.containing(return_offset.checked_sub(1)?)?;
        let site = self
            .of(&function)
            .find(|site| site.text_offset >= return_offset)?;
        (site.text_offset == return_offset).then_some(site.wasm_offset)
    }

    /// The call sites of one function.
    pub fn of(&self, function: &Function) -> FunctionCallSites<'a> {
        FunctionCallSites {
            cursor: self.0.cursor(function),
            is_first: true,
        }
    }
}

/// Iterates over the call sites of a function; ends where the run is malformed.
#[derive(Clone, Debug)]
pub struct FunctionCallSites<'a> {
    cursor: Cursor<'a>,
    is_first: bool,
}

impl FunctionCallSites<'_> {
    fn read(&mut self) -> Option<CallSite> {
        let difference = self.cursor.stream.unsigned()?;
        let text_offset = self.cursor.advance_text(difference, self.is_first)?;
        self.is_first = false;
        Some(CallSite {
            text_offset,
            wasm_offset: self.cursor.advance_wasm()?,
        })
    }
}

impl Iterator for FunctionCallSites<'_> {
    type Item = CallSite;

    fn next(&mut self) -> Option<CallSite> {
        let site = self.read();
        if site.is_none() {
            self.cursor.stream = Stream::new(Bytes::default());
        }
        site
    }
}

/// Checks that each table is there whole or not at all.
pub(super) fn check(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let tables = [
        (SectionId::TrapIndex, SectionId::Traps),
        (SectionId::CallSiteIndex, SectionId::CallSites),
    ];
    for (index, bytes) in tables {
        let ends = artifact.section_words(index).len();
        if ends != 0 && ends != artifact.functions().len() {
            return Err(artifact.error(ErrorKind::SectionSize, index, 0));
        }
        if (ends == 0) != (artifact.section(bytes).size == 0) {
            return Err(artifact.error(ErrorKind::SectionSize, bytes, 0));
        }
    }
    Ok(())
}

/// Decodes every run, and checks that runs fill their bytes.
pub(super) fn validate(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    let (traps, calls) = (artifact.traps(), artifact.call_sites());
    validate_runs(
        artifact,
        &traps.0,
        [SectionId::TrapIndex, SectionId::Traps],
        |function| {
            let mut sites = traps.of(function);
            while !sites.cursor.stream.is_empty() {
                sites.read()?;
            }
            Some(())
        },
    )?;
    let sections = [SectionId::CallSiteIndex, SectionId::CallSites];
    validate_runs(artifact, &calls.0, sections, |function| {
        let mut sites = calls.of(function);
        while !sites.cursor.stream.is_empty() {
            sites.read()?;
        }
        Some(())
    })
}

fn validate_runs(
    artifact: &Artifact<'_>,
    runs: &Runs<'_>,
    [index, bytes]: [SectionId; 2],
    decode: impl Fn(&Function) -> Option<()>,
) -> Result<(), FormatError> {
    let mut end = 0;
    if !runs.ends.is_empty() {
        for function in runs.functions.iter() {
            let error = |kind| artifact.error(kind, index, function.index);
            runs.run(function.index)
                .ok_or(error(ErrorKind::RangeOutOfBounds))?;
            decode(&function).ok_or(error(ErrorKind::MalformedStream))?;
            end = runs.ends.get(function.index).unwrap_or(end);
        }
    }
    if end != runs.bytes.len() as u32 {
        return Err(artifact.error(ErrorKind::NotContiguous, bytes, end));
    }
    Ok(())
}
