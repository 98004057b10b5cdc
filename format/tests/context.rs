//! The instance context of one module, in numbers.
//!
//! Compiled code has these offsets in its instructions. Whoever changes them raises the layout
//! revision in `context.rs`, so that loaders refuse artifacts of the other layout.

use precast_format::context::{
    ContextCounts, ContextLayout, ExceptionField, Field, FunctionRecord, PointerWidth, TagRecord,
};

const COUNTS: ContextCounts = ContextCounts {
    imported_memories: 1,
    defined_memories: 2,
    imported_globals: 3,
    defined_globals: 2,
    imported_tables: 1,
    defined_tables: 1,
    imported_functions: 2,
    function_records: 3,
    imported_tags: 2,
    defined_tags: 2,
};

/// Offsets in the order of the drawing, from the context pointer downwards.
fn offsets(width: PointerWidth) -> Vec<i32> {
    let layout = ContextLayout::new(width, COUNTS).unwrap();
    vec![
        Field::StackLimit.offset(width),
        Field::Interrupt.offset(width),
        layout.defined_memory(1),
        layout.defined_memory(0),
        layout.imported_memory(0),
        layout.imported_global(2),
        layout.imported_global(0),
        layout.defined_global(1),
        layout.defined_global(0),
        layout.defined_table(0),
        layout.imported_table(0),
        layout.imported_function(1),
        layout.imported_function(0),
        layout.imported_tag(1),
        layout.imported_tag(0),
        layout.defined_tag(1),
        layout.defined_tag(0),
        layout.function_record(2),
        layout.function_record(0),
        -(layout.size() as i32),
    ]
}

#[test]
fn offsets_are_these() {
    assert_eq!(
        offsets(PointerWidth::Bits64),
        [
            -8, -72, -88, -104, -112, -120, -136, -160, -176, -192, -200, -208, -216, -224, -232,
            -248, -264, -296, -360, -368,
        ]
    );
    assert_eq!(
        offsets(PointerWidth::Bits32),
        [
            -4, -36, -44, -52, -56, -60, -68, -96, -112, -120, -124, -128, -132, -136, -140, -152,
            -164, -184, -224, -224,
        ]
    );
}

#[test]
fn nothing_overlaps() {
    for width in [PointerWidth::Bits32, PointerWidth::Bits64] {
        let offsets = offsets(width);
        assert!(
            offsets.is_sorted_by(|above, below| above >= below),
            "{offsets:?}"
        );
        let layout = ContextLayout::new(width, COUNTS).unwrap();
        assert!(layout.size().is_multiple_of(16));
        // Vectors in globals are aligned, since the context pointer is.
        assert_eq!(layout.defined_global(0) % 16, 0);
        let word = width.bytes() as i32;
        let record = FunctionRecord::size(width) as i32;
        let tag = TagRecord::size(width) as i32;
        assert!(layout.function_record(2) + record <= layout.defined_tag(0));
        assert!(layout.defined_tag(1) + tag <= layout.imported_tag(0));
        assert!(layout.imported_tag(1) + word <= layout.imported_function(0));
        assert!(layout.imported_function(1) + word <= layout.imported_table(0));
        assert!(layout.defined_table(0) + 2 * word <= layout.defined_global(0));
        assert!(layout.defined_global(1) + 16 <= layout.imported_global(0));
        assert!(layout.imported_global(2) + word <= layout.imported_memory(0));
        assert!(layout.defined_memory(1) + 2 * word <= Field::Interrupt.offset(width));
    }
}

#[test]
fn an_exception_has_its_values_behind_four_words() {
    let offset = ExceptionField::payload_offset;
    assert_eq!(
        (offset(PointerWidth::Bits32), offset(PointerWidth::Bits64)),
        (16, 32)
    );
}

#[test]
fn a_context_stays_below_two_gibibytes() {
    let counts = ContextCounts {
        defined_globals: u32::MAX,
        ..COUNTS
    };
    assert_eq!(ContextLayout::new(PointerWidth::Bits32, counts), None);
    let counts = ContextCounts {
        defined_globals: 1 << 27,
        ..COUNTS
    };
    assert_eq!(ContextLayout::new(PointerWidth::Bits64, counts), None);
    let counts = ContextCounts {
        defined_globals: 1 << 26,
        ..COUNTS
    };
    assert!(ContextLayout::new(PointerWidth::Bits64, counts).is_some());
}
