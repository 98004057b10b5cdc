//! Header and section table: what the artifact is for, and where its parts are.

use crate::bytes::{Bytes, Record, Records};
use crate::envelope::HeaderRecord;
use crate::error::{ErrorKind, FormatError};
use crate::features::WasmFeatures;
use crate::layout::{self, RecordField, SectionId, header, section};
use crate::libcall::LibcallSet;
use crate::target::{CpuFeatures, Endianness, HostAbi, Isa};
use crate::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode, Tunables};

/// What the code was compiled for and what it uses.
///
/// Reading a header does not compare it with a device; that is the loader's part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
// As many bytes on 32-bit x86, whose 64-bit numbers are aligned to four, as everywhere else.
#[repr(align(8))]
pub struct Header {
    /// Version of the format: major, minor.
    pub version: (u16, u16),
    /// Instruction set of the text.
    pub isa: Isa,
    /// Byte order of data accesses.
    pub endianness: Endianness,
    /// Calling convention between code and loader.
    pub host_abi: HostAbi,
    /// Page size of the target as a power of two; zero where nothing is padded.
    pub page_size_log2: u8,
    /// Fingerprint of the context's layout; compare with [`crate::context::ABI_HASH`].
    pub abi_hash: u64,
    /// CPU features that the code uses.
    pub cpu_features: CpuFeatures,
    /// WebAssembly features that the code uses.
    pub wasm_features: WasmFeatures,
    /// Libcalls that the code uses.
    pub libcalls: LibcallSet,
    /// The strategies and sizes that the code relies on.
    pub tunables: Tunables,
}

impl Header {
    /// The target's page size in bytes; one where nothing is padded.
    pub const fn page_size(&self) -> u64 {
        1 << self.page_size_log2
    }

    /// Decodes a header that has been checked; of one that has not, the value is some value.
    #[inline]
    pub(crate) fn read(record: &HeaderRecord<'_>) -> Header {
        let isa = Isa::from_u8(record.u8(header::ISA));
        let endianness = Endianness::from_u8(record.u8(header::ENDIANNESS));
        let host_abi = HostAbi::from_u8(record.u8(header::HOST_ABI));
        let bounds_checks = BoundsChecks::from_u8(record.u8(header::BOUNDS_CHECKS));
        let stack_checks = StackChecks::from_u8(record.u8(header::STACK_CHECKS));
        let trap_mode = TrapMode::from_u8(record.u8(header::TRAP_MODE));
        let relocation_model = RelocationModel::from_u8(record.u8(header::RELOCATION_MODEL));
        Header {
            version: (record.u16(header::MAJOR), record.u16(header::MINOR)),
            isa: isa.unwrap_or(Isa::X86_64),
            endianness: endianness.unwrap_or(Endianness::Little),
            host_abi: host_abi.unwrap_or(HostAbi::SystemV),
            page_size_log2: record.u8(header::PAGE_SIZE_LOG2),
            abi_hash: record.u64(header::ABI_HASH),
            cpu_features: CpuFeatures(record.u64(header::CPU_FEATURES)),
            wasm_features: WasmFeatures(record.u64(header::WASM_FEATURES)),
            libcalls: LibcallSet(record.u64(header::LIBCALLS)),
            tunables: Tunables {
                bounds_checks: bounds_checks.unwrap_or(BoundsChecks::Explicit),
                stack_checks: stack_checks.unwrap_or(StackChecks::Explicit),
                trap_mode: trap_mode.unwrap_or(TrapMode::Explicit),
                relocation_model: relocation_model.unwrap_or(RelocationModel::Direct),
                interrupt_checks: record.u8(header::INTERRUPT_CHECKS) != 0,
                call_profile: record.u8(header::CALL_PROFILE) != 0,
                memory_reservation: record.u64(header::MEMORY_RESERVATION),
                memory_guard: record.u64(header::MEMORY_GUARD),
                stack_reserve: record.u32(header::STACK_RESERVE),
            },
        }
    }
}

/// Checks the header of a payload, which has to be of this form.
// A frame of its own is small enough for short instructions.
#[inline(never)]
pub(super) fn check(record: &HeaderRecord<'_>, form: Form) -> Result<(), FormatError> {
    let (major, minor) = layout::VERSION;
    if record.u16(header::MAJOR) != major || record.u16(header::MINOR) > minor {
        return error(ErrorKind::UnsupportedVersion, header::MAJOR);
    }
    if record.u32(header::RESERVED_WORD) != 0 || record.u64(header::RESERVED_LONG) != 0 {
        return error(ErrorKind::ReservedBits, header::RESERVED_WORD);
    }
    form.check(record.u8(header::FORM))
        .or_else(|kind| error(kind, header::FORM))?;
    for (field, least, most) in NUMBERS {
        if !(*least..=*most).contains(&record.u8(*field)) {
            return error(ErrorKind::UnknownNumber, *field);
        }
    }
    // What several fields say together.
    let decoded = Header::read(record);
    let (isa, tunables) = (decoded.isa, &decoded.tunables);
    let space = tunables.memory_reservation;
    if u32::from(record.u8(header::POINTER_SIZE)) != isa.pointer_width().bytes() {
        return error(ErrorKind::InconsistentHeader, header::POINTER_SIZE);
    }
    if isa.endianness().unwrap_or(decoded.endianness) != decoded.endianness {
        return error(ErrorKind::InconsistentHeader, header::ENDIANNESS);
    }
    if decoded.page_size_log2 > layout::MAX_PAGE_SIZE_LOG2 {
        return error(ErrorKind::InconsistentHeader, header::PAGE_SIZE_LOG2);
    }
    if space.checked_add(tunables.memory_guard).is_none() {
        return error(ErrorKind::InconsistentHeader, header::MEMORY_RESERVATION);
    }
    if decoded.cpu_features.0 >> isa.features().len() != 0 {
        return error(ErrorKind::UnknownFeature, header::CPU_FEATURES);
    }
    if decoded.wasm_features.0 & !WasmFeatures::KNOWN.0 != 0 {
        return error(ErrorKind::UnknownFeature, header::WASM_FEATURES);
    }
    if decoded.libcalls.0 & !LibcallSet::ALL.0 != 0 {
        return error(ErrorKind::UnknownFeature, header::LIBCALLS);
    }
    // Nobody patches a text that is elsewhere.
    if form != Form::Whole && tunables.relocation_model != RelocationModel::Xip {
        return error(ErrorKind::InconsistentHeader, header::RELOCATION_MODEL);
    }
    Ok(())
}

/// The fields that are numbers of something: the least that has a meaning, and the largest.
const NUMBERS: &[(RecordField<1>, u8, u8)] = &[
    (header::ISA, 1, Isa::ALL.len() as u8),
    (header::ENDIANNESS, 1, Endianness::ALL.len() as u8),
    (header::HOST_ABI, 1, HostAbi::ALL.len() as u8),
    (header::BOUNDS_CHECKS, 1, BoundsChecks::ALL.len() as u8),
    (header::STACK_CHECKS, 1, StackChecks::ALL.len() as u8),
    (header::TRAP_MODE, 1, TrapMode::ALL.len() as u8),
    (
        header::RELOCATION_MODEL,
        1,
        RelocationModel::ALL.len() as u8,
    ),
    (header::INTERRUPT_CHECKS, 0, 1),
    (header::CALL_PROFILE, 0, 1),
];

/// What is wrong with a field of the header.
fn error<T, const N: usize>(kind: ErrorKind, field: RecordField<N>) -> Result<T, FormatError> {
    Err(FormatError::at(kind, field.offset() as u32))
}

/// Where the text's bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// In the file.
    Whole,
    /// Elsewhere.
    Split {
        /// How many they are.
        text_size: usize,
    },
}

impl Form {
    /// Compares with the header's byte.
    fn check(self, byte: u8) -> Result<(), ErrorKind> {
        match (self, byte) {
            (Form::Whole, layout::FORM_WHOLE) | (Form::Split { .. }, layout::FORM_SPLIT) => Ok(()),
            (Form::Whole, layout::FORM_SPLIT) => Err(ErrorKind::TextElsewhere),
            (Form::Split { .. }, layout::FORM_WHOLE) => Err(ErrorKind::TextInFile),
            _ => Err(ErrorKind::ReservedBits),
        }
    }
}

/// Where a section is in the file. An absent section is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SectionRange {
    /// Offset of the first byte.
    pub offset: u32,
    /// Size in bytes, without padding.
    pub size: u32,
}

/// Where each section is, checked: in ascending order, in place, padded with zeros.
///
/// A loaded module holds one of these. Placement leaves no freedom, so the ends alone say where the
/// sections start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SectionTable {
    /// Where the first section starts.
    start: u32,
    page_size_log2: u8,
    /// Where each section ends; an absent one where the one before it does.
    ends: [u32; SectionId::ALL.len()],
}

impl SectionTable {
    /// Reads the section table. Placement leaves no freedom: an artifact with given sections has
    /// one form, so nothing can hide between them.
    pub(crate) fn read(
        header: &HeaderRecord<'_>,
        payload: Bytes<'_>,
        form: Form,
    ) -> Result<SectionTable, FormatError> {
        let page_size_log2 = header.u8(header::PAGE_SIZE_LOG2);
        let count = header.u32(header::SECTION_COUNT);
        let table_offset = header::SIZE as u32;
        // More sections than ids cannot be in order, so the product stays small.
        if count as usize > SectionId::ALL.len() {
            return Err(FormatError::at(ErrorKind::SectionOrder, table_offset));
        }
        let table_size = count * section::SIZE as u32;
        let Some(table) = payload.range(table_offset, table_size) else {
            return Err(FormatError::at(ErrorKind::Truncated, 0));
        };
        let start = table_offset + table_size;
        let mut sections = SectionTable {
            start,
            page_size_log2,
            ends: [start; SectionId::ALL.len()],
        };
        let mut before = (None, start);
        for index in 0..count {
            let record = Records::new(table, table_size, section::SIZE).get(index);
            before = sections
                .add(payload, &record, before, form, index + 1 == count)
                .map_err(|kind| {
                    FormatError::at(kind, table_offset + index * section::SIZE as u32)
                })?;
        }
        let (last, end) = before;
        let payload_end = last.map_or(u64::from(end), |last: SectionId| {
            last.payload_end(u64::from(end), 1 << page_size_log2)
        });
        if payload_end != payload.len() as u64 {
            return error(ErrorKind::SectionPlacement, header::PAYLOAD_SIZE);
        }
        check_padding(payload, end, payload_end as u32)
            .map_err(|kind| FormatError::at(kind, end))?;
        Ok(sections)
    }

    /// Adds the section of a record: gets the section before it in the file and where that ends, and
    /// gives back the same for the next. Of a text that is elsewhere, nothing is in the file.
    // A frame of its own is small enough for short instructions.
    #[inline(never)]
    fn add(
        &mut self,
        payload: Bytes<'_>,
        record: &Record,
        before: (Option<SectionId>, u32),
        form: Form,
        is_last: bool,
    ) -> Result<(Option<SectionId>, u32), ErrorKind> {
        let (previous, end_before) = before;
        let id = SectionId::from_u32(record.u32(section::ID));
        let id = id.ok_or(ErrorKind::UnknownNumber)?;
        if previous.is_some_and(|previous| id <= previous) {
            return Err(ErrorKind::SectionOrder);
        }
        let range = SectionRange {
            offset: record.u32(section::OFFSET),
            size: record.u32(section::SIZE_IN_BYTES),
        };
        let rest = range.size.checked_rem(id.unit() as u32);
        let end = range.offset.checked_add(range.size);
        let (Some(end), Some(0), true) = (end, rest, range.size != 0) else {
            return Err(ErrorKind::SectionSize);
        };
        // Ids are 1, 2, 3, ...; the sections after this one are absent so far.
        for slot in self.ends.iter_mut().skip(id as usize - 1) {
            *slot = end;
        }
        if range.offset < end_before || self.range(id) != range {
            return Err(ErrorKind::SectionPlacement);
        }
        if form != Form::Whole && id == SectionId::Text {
            // Nothing comes after it.
            return if is_last {
                Ok(before)
            } else {
                Err(ErrorKind::SectionOrder)
            };
        }
        if end as usize > payload.len() {
            return Err(ErrorKind::Truncated);
        }
        check_padding(payload, end_before, range.offset)?;
        Ok((Some(id), end))
    }

    /// Where the section ends in the file, or the one before it where it is absent.
    pub(crate) const fn end(&self, id: SectionId) -> usize {
        // Ids are 1, 2, 3, ...
        self.ends[id as usize - 1] as usize
    }

    /// Where the section before this one ends.
    const fn end_before(&self, id: SectionId) -> usize {
        match id as usize {
            0 | 1 => self.start as usize,
            id => self.ends[id - 2] as usize,
        }
    }

    /// Where the section is.
    pub(crate) const fn range(&self, id: SectionId) -> SectionRange {
        let (before, end) = (self.end_before(id), self.end(id));
        if before == end {
            return SectionRange { offset: 0, size: 0 };
        }
        let text = SectionId::Text;
        let behind_text = id as usize > text as usize
            && before == self.end(text)
            && before != self.end_before(text);
        let previous = if behind_text { Some(text) } else { None };
        // It starts in the file, and not after its end.
        let offset = id.place(previous, before as u64, 1 << self.page_size_log2) as u32;
        SectionRange {
            offset,
            size: (end as u32).saturating_sub(offset),
        }
    }
}

/// Checks that the bytes between two sections are zero.
fn check_padding(payload: Bytes<'_>, start: u32, end: u32) -> Result<(), ErrorKind> {
    let padding = payload.range(start, end.saturating_sub(start));
    let padding = padding.unwrap_or_default().as_slice();
    // All of them at once, since that is what processors are quick at.
    if padding.iter().fold(0, |all, byte| all | byte) != 0 {
        return Err(ErrorKind::Padding);
    }
    Ok(())
}
