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

use crate::bytes::{Bytes, Stream};
use crate::error::{ErrorKind, FormatError};
use crate::layout::SectionId;
use crate::trap::TrapCode;

use super::Artifact;
use super::functions::Function;

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
    pub const fn traps(&self) -> TrapSites<'_> {
        TrapSites(Runs {
            artifact: self,
            ends: SectionId::TrapIndex,
            bytes: SectionId::Traps,
        })
    }

    /// The call sites of all functions.
    pub const fn call_sites(&self) -> CallSites<'_> {
        CallSites(Runs {
            artifact: self,
            ends: SectionId::CallSiteIndex,
            bytes: SectionId::CallSites,
        })
    }

    /// The bytes with this index, where a section of words says where each ends: from where those
    /// before end.
    pub(super) fn run(&self, ends: SectionId, bytes: SectionId, index: u32) -> Option<Bytes<'a>> {
        let end = self.word(ends, index)?;
        let start = match index.checked_sub(1) {
            Some(previous) => self.word(ends, previous)?,
            None => 0,
        };
        self.section_bytes(bytes)
            .range(start, end.checked_sub(start)?)
    }
}

/// One run of bytes for each function.
#[derive(Clone, Copy, Debug)]
struct Runs<'a> {
    artifact: &'a Artifact<'a>,
    ends: SectionId,
    bytes: SectionId,
}

impl<'a> Runs<'a> {
    fn cursor(&self, function: &Function) -> Cursor<'a> {
        let run = self.artifact.run(self.ends, self.bytes, function.index);
        Cursor {
            stream: Stream::new(run.unwrap_or_default()),
            has_codes: self.bytes as u8 == SectionId::Traps as u8,
            is_first: true,
            code: TrapCode::MemoryOutOfBounds,
            start: function.text_offset,
            end: function.text_end(),
            text_offset: function.text_offset,
            wasm_offset: function.wasm_offset,
        }
    }

    /// The site at this text offset, in the function that has code at another one.
    fn lookup(&self, inside: u32, text_offset: u32) -> Option<TrapSite> {
        let function = self.artifact.functions().containing(inside)?;
        let mut cursor = self.cursor(&function);
        loop {
            let site = cursor.read()?;
            if site.text_offset >= text_offset {
                return (site.text_offset == text_offset).then_some(site);
            }
        }
    }
}

/// Decodes differences.
#[derive(Clone, Debug)]
struct Cursor<'a> {
    stream: Stream<'a>,
    /// Whether the sites are those of traps.
    has_codes: bool,
    is_first: bool,
    code: TrapCode,
    start: u32,
    end: u32,
    text_offset: u32,
    wasm_offset: u32,
}

impl Cursor<'_> {
    /// The next site. That of a call has some code.
    fn read(&mut self) -> Option<TrapSite> {
        let mut difference = self.stream.unsigned()?;
        let has_code = self.has_codes && difference & 1 == 1;
        if self.has_codes {
            difference >>= 1;
        }
        // Only the first difference may be zero.
        if difference == 0 && !self.is_first {
            return None;
        }
        self.is_first = false;
        let offset = u64::from(self.text_offset).checked_add(difference)?;
        self.text_offset = u32::try_from(offset).ok()?;
        // No trap is behind the last instruction, but a call can return there.
        let end = self.end.checked_sub(u32::from(self.has_codes))?;
        if self.text_offset < self.start || self.text_offset > end {
            return None;
        }
        if has_code {
            let code = TrapCode::from_u8(self.stream.byte()?)?;
            if code == self.code {
                return None;
            }
            self.code = code;
        }
        let difference = self.stream.signed()?;
        let offset = i64::from(self.wasm_offset).checked_add(difference)?;
        self.wasm_offset = u32::try_from(offset).ok()?;
        Some(TrapSite {
            text_offset: self.text_offset,
            code: self.code,
            wasm_offset: self.wasm_offset,
        })
    }
}

impl Iterator for Cursor<'_> {
    type Item = TrapSite;

    fn next(&mut self) -> Option<TrapSite> {
        let site = self.read();
        if site.is_none() {
            self.stream = Stream::new(Bytes::default());
        }
        site
    }
}

/// The trap sites of all functions.
#[derive(Clone, Copy, Debug)]
pub struct TrapSites<'a>(Runs<'a>);

impl<'a> TrapSites<'a> {
    /// What a trap at this text offset means: its code and the file offset of the wasm instruction.
    pub fn lookup(&self, text_offset: u32) -> Option<(TrapCode, u32)> {
        let site = self.0.lookup(text_offset, text_offset)?;
        Some((site.code, site.wasm_offset))
    }

    /// The trap sites of one function.
    pub fn of(&self, function: &Function) -> FunctionTrapSites<'a> {
        FunctionTrapSites(self.0.cursor(function))
    }
}

/// Iterates over the trap sites of a function; ends where the run is malformed.
#[derive(Clone, Debug)]
pub struct FunctionTrapSites<'a>(Cursor<'a>);

impl Iterator for FunctionTrapSites<'_> {
    type Item = TrapSite;

    fn next(&mut self) -> Option<TrapSite> {
        self.0.next()
    }
}

/// The call sites of all functions.
#[derive(Clone, Copy, Debug)]
pub struct CallSites<'a>(Runs<'a>);

impl<'a> CallSites<'a> {
    /// The file offset of the wasm instruction whose call returns to this text offset.
    pub fn lookup(&self, return_offset: u32) -> Option<u32> {
        // A call that does not return can be the last instruction of its function.
        let site = self
            .0
            .lookup(return_offset.checked_sub(1)?, return_offset)?;
        Some(site.wasm_offset)
    }

    /// The call sites of one function.
    pub fn of(&self, function: &Function) -> FunctionCallSites<'a> {
        FunctionCallSites(self.0.cursor(function))
    }
}

/// Iterates over the call sites of a function; ends where the run is malformed.
#[derive(Clone, Debug)]
pub struct FunctionCallSites<'a>(Cursor<'a>);

impl Iterator for FunctionCallSites<'_> {
    type Item = CallSite;

    fn next(&mut self) -> Option<CallSite> {
        let site = self.0.next()?;
        Some(CallSite {
            text_offset: site.text_offset,
            wasm_offset: site.wasm_offset,
        })
    }
}

/// Decodes every run, and checks that runs fill their bytes.
pub(super) fn validate(artifact: &Artifact<'_>) -> Result<(), FormatError> {
    validate_runs(&artifact.traps().0)?;
    validate_runs(&artifact.call_sites().0)
}

fn validate_runs(runs: &Runs<'_>) -> Result<(), FormatError> {
    let artifact = runs.artifact;
    let mut end = 0;
    for index in 0..artifact.count(runs.ends) {
        let error = |kind| artifact.error(kind, runs.ends, index);
        let function = artifact.functions().get(index);
        let run = artifact.run(runs.ends, runs.bytes, index);
        let (Some(function), Some(_)) = (function, run) else {
            return Err(error(ErrorKind::RangeOutOfBounds));
        };
        let mut cursor = runs.cursor(&function);
        while !cursor.stream.is_empty() {
            if cursor.read().is_none() {
                return Err(error(ErrorKind::MalformedStream));
            }
        }
        end = artifact.word(runs.ends, index).unwrap_or(end);
    }
    if end != artifact.section(runs.bytes).size {
        return Err(artifact.error(ErrorKind::NotContiguous, runs.bytes, end));
    }
    Ok(())
}
