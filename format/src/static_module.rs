//! The static module: what an object file's one public symbol names.
//!
//! ```text
//! precast_module_NAME --+--> metadata   an artifact in the split form, read-only
//!                       +--> text       its code, in the program's own text
//! ```
//!
//! A linker fills the two addresses in. Everything else that is known of the module stands in the
//! metadata, the data of its memories included. The layout is C's, for the pointer width of
//! the target; numbers are in the byte order of the target, since it is the program that reads them.

use crate::context::PointerWidth;
use crate::target::Endianness;

/// First bytes of a static module.
pub const MAGIC: [u8; 8] = *b"\0pclink\n";

/// Version of the structure.
pub const VERSION: u32 = 1;

/// What the name of every public symbol begins with.
pub const SYMBOL_PREFIX: &str = "precast_module_";

/// A module that is linked into the program.
///
/// Nothing of it is checked: where the addresses lead is the linker's word.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct StaticModule {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// The artifact without its text.
    pub metadata: *const u8,
    /// Its size in bytes.
    pub metadata_size: usize,
    /// The text, aligned to [`TEXT_ALIGNMENT`](crate::layout::TEXT_ALIGNMENT).
    pub text: *const u8,
    /// Its size in bytes.
    pub text_size: usize,
}

/// A field of the structure, as documentation and object files have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StaticField {
    /// The field's name.
    pub name: &'static str,
    /// Offset with 32-bit pointers.
    pub offset_32: usize,
    /// Offset with 64-bit pointers.
    pub offset_64: usize,
}

/// Where the fields are, in order.
pub const FIELDS: &[StaticField] = &[
    field("magic", 0, 0),
    field("version", 8, 8),
    field("reserved", 12, 12),
    field("metadata", 16, 16),
    field("metadata_size", 20, 24),
    field("text", 24, 32),
    field("text_size", 28, 40),
];

const fn field(name: &'static str, offset_32: usize, offset_64: usize) -> StaticField {
    StaticField {
        name,
        offset_32,
        offset_64,
    }
}

impl StaticModule {
    /// Size of the structure in bytes for pointers of this width.
    pub const fn size(width: PointerWidth) -> usize {
        match width {
            PointerWidth::Bits32 => 32,
            PointerWidth::Bits64 => 48,
        }
    }

    /// Alignment of the structure in bytes, for pointers of either width.
    pub const ALIGNMENT: usize = 8;
}

impl StaticField {
    /// The offset for pointers of this width.
    pub const fn offset(&self, width: PointerWidth) -> usize {
        match width {
            PointerWidth::Bits32 => self.offset_32,
            PointerWidth::Bits64 => self.offset_64,
        }
    }
}

/// The structure's bytes before a linker fills the two addresses in. The first
/// [`StaticModule::size`] of them count.
pub fn template(
    width: PointerWidth,
    order: Endianness,
    metadata_size: u32,
    text_size: u32,
) -> [u8; StaticModule::size(PointerWidth::Bits64)] {
    let mut bytes = [0; StaticModule::size(PointerWidth::Bits64)];
    let mut put = |name: &str, value: &[u8]| {
        let field = FIELDS.iter().find(|field| field.name == name);
        let start = field.map_or(0, |field| field.offset(width));
        let place = bytes.iter_mut().skip(start).zip(value);
        place.for_each(|(byte, value)| *byte = *value);
    };
    let word = |value: u32| match order {
        Endianness::Little => value.to_le_bytes(),
        Endianness::Big => value.to_be_bytes(),
    };
    let long = |value: u32| match order {
        Endianness::Little => u64::from(value).to_le_bytes(),
        Endianness::Big => u64::from(value).to_be_bytes(),
    };
    put("magic", &MAGIC);
    put("version", &word(VERSION));
    for (name, value) in [("metadata_size", metadata_size), ("text_size", text_size)] {
        match width {
            PointerWidth::Bits32 => put(name, &word(value)),
            PointerWidth::Bits64 => put(name, &long(value)),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    #[test]
    fn the_structure_is_laid_out_as_the_list_says() {
        let width = match size_of::<usize>() {
            4 => PointerWidth::Bits32,
            _ => PointerWidth::Bits64,
        };
        let offsets = [
            offset_of!(StaticModule, magic),
            offset_of!(StaticModule, version),
            offset_of!(StaticModule, reserved),
            offset_of!(StaticModule, metadata),
            offset_of!(StaticModule, metadata_size),
            offset_of!(StaticModule, text),
            offset_of!(StaticModule, text_size),
        ];
        assert!(FIELDS.iter().map(|field| field.offset(width)).eq(offsets));
        assert_eq!(size_of::<StaticModule>(), StaticModule::size(width));
        assert!(align_of::<StaticModule>() <= StaticModule::ALIGNMENT);
    }

    #[test]
    fn templates_have_the_target_s_width_and_byte_order() {
        let little = template(PointerWidth::Bits32, Endianness::Little, 0x102, 0x304);
        assert_eq!(little[..8], MAGIC);
        assert_eq!(little[8..16], [1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(little[16..24], [0, 0, 0, 0, 2, 1, 0, 0]);
        assert_eq!(little[24..32], [0, 0, 0, 0, 4, 3, 0, 0]);
        let big = template(PointerWidth::Bits64, Endianness::Big, 0x102, 0x304);
        assert_eq!(big[8..16], [0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(big[24..32], [0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(big[40..48], [0, 0, 0, 0, 0, 0, 3, 4]);
    }
}
