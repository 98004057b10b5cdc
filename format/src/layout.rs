//! The single source of numbers: magic, version, section ids, record sizes, field offsets.
//!
//! ```text
//! header | section table | sections, in the order of their ids | trailer (optional)
//! ```
//!
//! Everything is little-endian. A section is an array of records of one size, or bytes that
//! records of another section point into. There are no counts: a section's size divided by the
//! record's size is the count, so a count can never exceed what is there. A test holds the tables
//! of `FORMAT.md` against the lists on this page.

use crate::plain::line;

/// First bytes of an artifact.
pub const MAGIC: [u8; 8] = *b"\0precast";

/// Version of the format: readers accept this major version, up to this minor version.
pub const VERSION: (u16, u16) = (1, 0);

/// First bytes of the trailer.
pub const TRAILER_MAGIC: [u8; 8] = *b"\0signed\n";

/// The trailer's number for Ed25519.
pub const ALGORITHM_ED25519: u32 = 1;

/// Stands for "none" in a field that holds an optional index or offset.
pub const NONE: u32 = u32::MAX;

/// The largest page size that a header may name, as a power of two.
pub const MAX_PAGE_SIZE_LOG2: u8 = 24;

/// Alignment of the text in the file at least, so that code can run where the file lies: constants
/// between functions are read with the alignment of the largest value.
pub const TEXT_ALIGNMENT: u64 = 16;

/// Largest number of parameters of a function type, and of results.
pub const MAX_VALUES: u32 = 1000;

/// How often names may be shared: the lengths of all names, counted at each reference, are at most
/// this many times the size of the payload. It keeps the reader's work linear.
pub const NAME_SHARING: u64 = 16;

/// Where a field of `N` bytes is in its record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordField<const N: usize>(usize);

impl<const N: usize> RecordField<N> {
    /// Offset from the start of the record.
    pub const fn offset(self) -> usize {
        self.0
    }

    /// Writes the field into a record; a record that is too short stays as it is.
    pub fn put(self, record: &mut [u8], value: [u8; N]) {
        if let Some(place) = record.get_mut(self.0..self.0 + N) {
            place.copy_from_slice(&value);
        }
    }
}

/// The one field of a section that is an array of `u32`.
pub const WORD: RecordField<4> = RecordField(0);

/// A field, as documentation lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FieldLayout {
    /// The field's name, in upper case.
    pub name: &'static str,
    /// Offset from the start of the record.
    pub offset: usize,
    /// Size in bytes.
    pub size: usize,
}

/// A record, as documentation lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordLayout {
    /// The record's name.
    pub name: &'static str,
    /// Size in bytes.
    pub size: usize,
    /// The fields in the order of their offsets.
    pub fields: &'static [FieldLayout],
}

impl RecordLayout {
    /// Whether the fields follow each other without gap and fill the record.
    const fn is_dense(&self) -> bool {
        let mut end = 0;
        let mut index = 0;
        while index < self.fields.len() {
            if self.fields[index].offset != end {
                return false;
            }
            end += self.fields[index].size;
            index += 1;
        }
        end == self.size
    }
}

macro_rules! records {
    ($($(#[$doc:meta])* $record:ident: $size:literal {
        $($(#[$field_doc:meta])* $field:ident = $offset:literal, $field_size:literal;)*
    })*) => {
        $(
            $(#[$doc])*
            pub mod $record {
                use super::{FieldLayout, RecordField, RecordLayout};

                /// Size of the record in bytes.
                pub const SIZE: usize = $size;
                $($(#[$field_doc])* pub const $field: RecordField<$field_size> = RecordField($offset);)*

                /// The record, as documentation lists it.
                pub const LAYOUT: RecordLayout = RecordLayout {
                    name: stringify!($record),
                    size: SIZE,
                    fields: &[$(FieldLayout {
                        name: stringify!($field),
                        offset: $offset,
                        size: $field_size,
                    },)*],
                };

                const _: () = assert!(LAYOUT.is_dense());
            }
        )*

        /// Every record of the format.
        pub const RECORDS: &[RecordLayout] = &[$($record::LAYOUT,)*];
    };
}

records! {
    /// The start of the file.
    header: 96 {
        /// A zero byte and the letters `precast`.
        MAGIC = 0, 8;
        /// Major version of the format.
        MAJOR = 8, 2;
        /// Minor version of the format.
        MINOR = 10, 2;
        /// Size of the payload: everything but the trailer.
        PAYLOAD_SIZE = 12, 4;
        /// How many records the section table has.
        SECTION_COUNT = 16, 4;
        /// Instruction set.
        ISA = 20, 1;
        /// Size of a pointer in bytes.
        POINTER_SIZE = 21, 1;
        /// Byte order of data accesses.
        ENDIANNESS = 22, 1;
        /// Calling convention between code and loader.
        HOST_ABI = 23, 1;
        /// Page size as a power of two; zero means that nothing is padded.
        PAGE_SIZE_LOG2 = 24, 1;
        /// Bounds-check strategy.
        BOUNDS_CHECKS = 25, 1;
        /// Stack-check mode.
        STACK_CHECKS = 26, 1;
        /// Trap mode.
        TRAP_MODE = 27, 1;
        /// Relocation model.
        RELOCATION_MODEL = 28, 1;
        /// Whether code looks for interruptions: 0 or 1.
        INTERRUPT_CHECKS = 29, 1;
        /// Where the text is: 0 in the file, 1 elsewhere.
        FORM = 30, 1;
        /// Whether code counts calls and time per function: 0 or 1.
        CALL_PROFILE = 31, 1;
        /// Room below the stack limit that code without checks may use.
        STACK_RESERVE = 32, 4;
        /// Zero.
        RESERVED_WORD = 36, 4;
        /// Fingerprint of the context's layout.
        ABI_HASH = 40, 8;
        /// CPU features that the code uses.
        CPU_FEATURES = 48, 8;
        /// WebAssembly features that the code uses.
        WASM_FEATURES = 56, 8;
        /// Libcalls that the code uses.
        LIBCALLS = 64, 8;
        /// Address space of a guarded memory.
        MEMORY_RESERVATION = 72, 8;
        /// Inaccessible bytes after it.
        MEMORY_GUARD = 80, 8;
        /// Zero.
        RESERVED_LONG = 88, 8;
    }

    /// One entry of the section table.
    section: 12 {
        /// The section's id.
        ID = 0, 4;
        /// Where it starts in the file.
        OFFSET = 4, 4;
        /// Size in bytes, without padding.
        SIZE_IN_BYTES = 8, 4;
    }

    /// The end of a signed file.
    trailer: 112 {
        /// A zero byte, the letters `signed` and a line feed.
        MAGIC = 0, 8;
        /// Signature algorithm.
        ALGORITHM = 8, 4;
        /// Zero.
        RESERVED = 12, 4;
        /// Who signed.
        PUBLIC_KEY = 16, 32;
        /// Signature over the payload.
        SIGNATURE = 48, 64;
    }

    /// What the module is as a whole.
    module: 12 {
        /// Function to call at the end of instantiation, or none.
        START_FUNCTION = 0, 4;
        /// The module's name in the strings; empty means none.
        NAME_OFFSET = 4, 4;
        /// Its length in bytes.
        NAME_SIZE = 8, 4;
    }

    /// A function type.
    function_type: 32 {
        /// What kind of type: 0x60, a function.
        FORM = 0, 4;
        /// Index of the first type that is structurally equal.
        CANONICAL = 4, 4;
        /// Index of the first parameter in the value types; the results follow.
        FIRST_VALUE = 8, 4;
        /// Number of parameters.
        PARAM_COUNT = 12, 4;
        /// Number of results.
        RESULT_COUNT = 16, 4;
        /// Text offset of the entry trampoline, or none.
        ENTRY_TRAMPOLINE = 20, 4;
        /// Text offset of the host adapter, or none.
        HOST_ADAPTER = 24, 4;
        /// Text offset of the switch adapter, or none.
        SWITCH_ADAPTER = 28, 4;
    }

    /// An import.
    import: 40 {
        /// Module name in the strings.
        MODULE_OFFSET = 0, 4;
        /// Its length in bytes.
        MODULE_SIZE = 4, 4;
        /// Name in the strings.
        NAME_OFFSET = 8, 4;
        /// Its length in bytes.
        NAME_SIZE = 12, 4;
        /// What is imported.
        KIND = 16, 1;
        /// Flags of the table, memory or global type.
        FLAGS = 17, 1;
        /// Page size of a memory as a power of two.
        PAGE_SIZE_LOG2 = 18, 1;
        /// Zero.
        RESERVED = 19, 1;
        /// Type index of a function or tag, element type of a table, value type of a global.
        TYPE = 20, 4;
        /// Minimum of a table or memory.
        MIN = 24, 8;
        /// Maximum, if the flags say so.
        MAX = 32, 8;
    }

    /// An export.
    export: 16 {
        /// Name in the strings.
        NAME_OFFSET = 0, 4;
        /// Its length in bytes.
        NAME_SIZE = 4, 4;
        /// What is exported.
        KIND = 8, 4;
        /// Its index, imports first.
        INDEX = 12, 4;
    }

    /// A defined function.
    function: 24 {
        /// Its type.
        TYPE = 0, 4;
        /// Where its code starts in the text.
        TEXT_OFFSET = 4, 4;
        /// Size of its code.
        TEXT_SIZE = 8, 4;
        /// Size of its stack frame in bytes.
        FRAME_SIZE = 12, 4;
        /// Number of its function record in the context, or none.
        RECORD = 16, 4;
        /// File offset of its body in the wasm module.
        WASM_OFFSET = 20, 4;
    }

    /// A defined table.
    table: 32 {
        /// Element type.
        ELEMENT = 0, 4;
        /// Flags.
        FLAGS = 4, 4;
        /// Initial size in elements.
        MIN = 8, 8;
        /// Largest size, if the flags say so.
        MAX = 16, 8;
        /// Expression for the initial value of the elements, or none for null.
        INIT = 24, 4;
        /// Zero.
        RESERVED = 28, 4;
    }

    /// A defined memory.
    memory: 24 {
        /// Flags.
        FLAGS = 0, 4;
        /// Page size as a power of two.
        PAGE_SIZE_LOG2 = 4, 4;
        /// Initial size in pages.
        MIN = 8, 8;
        /// Largest size, if the flags say so.
        MAX = 16, 8;
    }

    /// A defined global.
    global: 12 {
        /// Type of the value.
        TYPE = 0, 4;
        /// Flags.
        FLAGS = 4, 4;
        /// Expression for the initial value.
        INIT = 8, 4;
    }

    /// A tag that the module defines.
    tag: 4 {
        /// Its type; without results.
        TYPE = 0, 4;
    }

    /// A constant expression.
    expression: 8 {
        /// Index of its first operation.
        FIRST_OPERATION = 0, 4;
        /// How many operations it has.
        OPERATION_COUNT = 4, 4;
    }

    /// An operation of a constant expression.
    operation: 20 {
        /// The instruction's opcode in the binary format; a prefix byte comes first.
        OPCODE = 0, 4;
        /// The constant or index, zero-extended.
        VALUE = 4, 16;
    }

    /// An element segment.
    element: 28 {
        /// Passive, active or declared.
        MODE = 0, 4;
        /// Type of the items.
        ELEMENT = 4, 4;
        /// Table of an active segment, else zero.
        TABLE = 8, 4;
        /// Expression for the offset of an active segment, else none.
        OFFSET = 12, 4;
        /// Whether the items are functions or expressions.
        ITEM_KIND = 16, 4;
        /// Index of the first item.
        FIRST_ITEM = 20, 4;
        /// How many items it has.
        ITEM_COUNT = 24, 4;
    }

    /// A data segment.
    data_segment: 24 {
        /// Passive or active.
        MODE = 0, 4;
        /// Memory of an active segment, else zero.
        MEMORY = 4, 4;
        /// Expression for the offset of an active segment, else none.
        OFFSET = 8, 4;
        /// Flags.
        FLAGS = 12, 4;
        /// Where the bytes start in the data bytes.
        FIRST_BYTE = 16, 4;
        /// How many bytes are stored.
        BYTE_COUNT = 20, 4;
    }

    /// A part of the initial contents of a memory.
    image: 24 {
        /// The memory, imports first.
        MEMORY = 0, 4;
        /// Zero.
        RESERVED = 4, 4;
        /// Where the part goes in the memory.
        ADDRESS = 8, 8;
        /// Where its bytes start in the image bytes.
        FIRST_BYTE = 16, 4;
        /// How many bytes it has.
        BYTE_COUNT = 20, 4;
    }

    /// A relocation.
    relocation: 20 {
        /// The place in the text.
        OFFSET = 0, 4;
        /// What to compute and how to store it.
        KIND = 4, 1;
        /// What the symbol is.
        SYMBOL_KIND = 5, 1;
        /// Zero.
        RESERVED = 6, 2;
        /// Which one.
        SYMBOL = 8, 4;
        /// Added to the symbol's address; signed.
        ADDEND = 12, 8;
    }

    /// A custom section of the module.
    custom: 16 {
        /// Name in the strings.
        NAME_OFFSET = 0, 4;
        /// Its length in bytes.
        NAME_SIZE = 4, 4;
        /// Where the contents start in the custom bytes.
        FIRST_BYTE = 8, 4;
        /// How many bytes it has.
        BYTE_COUNT = 12, 4;
    }

    /// The auxiliary stack.
    aux_stack: 24 {
        /// The global that is its pointer, imports first.
        GLOBAL = 0, 4;
        /// What told the compiler so.
        EVIDENCE = 4, 1;
        /// What told the compiler where the stack is.
        BOUNDS = 5, 1;
        /// One if code checks each new value of the pointer, else zero.
        CHECKED = 6, 1;
        /// Zero.
        RESERVED = 7, 1;
        /// Lowest valid value of the pointer.
        LIMIT = 8, 8;
        /// Highest valid value: the initial one.
        BASE = 16, 8;
    }

    /// The bound of the stack that a call from the host takes.
    stack_bound: 8 {
        /// The function, imports first.
        FUNCTION = 0, 3;
        /// Whether there is a bound, and why not.
        KIND = 3, 1;
        /// The bound in bytes, or the function that the kind speaks of.
        VALUE = 4, 4;
    }

    /// A call at which exceptions are caught.
    handler_site: 8 {
        /// Its return address in the text.
        RETURN_OFFSET = 0, 4;
        /// Index of its list of handlers.
        LIST = 4, 4;
    }

    /// Where exceptions go from some calls.
    handler_list: 12 {
        /// Distance of the stack pointer below the frame pointer, at the call and in the handlers.
        FRAME_OFFSET = 0, 4;
        /// Index of the first clause.
        FIRST_CLAUSE = 4, 4;
        /// How many clauses it has.
        CLAUSE_COUNT = 8, 4;
    }

    /// Where exceptions of a tag go.
    handler_clause: 12 {
        /// The tag, imports first; none for exceptions of any tag.
        TAG = 0, 4;
        /// Where control goes in the text.
        HANDLER = 4, 4;
        /// Flags.
        FLAGS = 8, 4;
    }

    /// How deep a function can go.
    function_depth: 12 {
        /// Bytes below its caller's stack pointer; none where there is no bound.
        DEPTH = 0, 4;
        /// The function that the step leads to, or none.
        CALLEE = 4, 3;
        /// How the path goes on.
        STEP = 7, 1;
        /// File offset of the call in the wasm module; zero where there is no call.
        WASM_OFFSET = 8, 4;
    }
}

macro_rules! sections {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $text:literal, $unit:expr;)*) => {
        /// A section of the artifact. Sections are in the file in the order of their ids.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum SectionId {
            $($(#[$doc])* $name = $id,)*
        }

        impl SectionId {
            /// Every section, in the order of the ids.
            pub const ALL: &'static [SectionId] = &[$(SectionId::$name,)*];

            /// The section with this id.
            pub const fn from_u32(id: u32) -> Option<SectionId> {
                match id {
                    $($id => Some(SectionId::$name),)*
                    _ => None,
                }
            }

            /// The section's name, as `FORMAT.md` and `precast inspect` show it.
            pub const fn name(self) -> &'static str {
                // Ids are 1, 2, 3, ...
                line(concat!($($text, "\n",)*), self as usize - 1)
            }

            /// Its size is a multiple of this: the size of its records.
            pub const fn unit(self) -> usize {
                // Ids are 1, 2, 3, ...
                const UNITS: [u8; SectionId::ALL.len()] = [$($unit as u8,)*];
                UNITS[self as usize - 1] as usize
            }
        }
    };
}

sections! {
    /// One `module` record.
    Module = 1, "module", module::SIZE;
    /// `function_type` records.
    Types = 2, "types", function_type::SIZE;
    /// Value types (`u32`) of the function types: parameters, then results, type after type.
    ValueTypes = 3, "value_types", 4;
    /// `import` records, in the module's order.
    Imports = 4, "imports", import::SIZE;
    /// Import numbers (`u32`) by kind, ascending within a kind: the index spaces.
    ImportOrder = 5, "import_order", 4;
    /// `export` records, in the module's order.
    Exports = 6, "exports", export::SIZE;
    /// Export numbers (`u32`) by name.
    ExportOrder = 7, "export_order", 4;
    /// `function` records, in the order of text offsets.
    Functions = 8, "functions", function::SIZE;
    /// `table` records.
    Tables = 9, "tables", table::SIZE;
    /// `memory` records.
    Memories = 10, "memories", memory::SIZE;
    /// `global` records.
    Globals = 11, "globals", global::SIZE;
    /// `expression` records, in the order of their use.
    Expressions = 12, "expressions", expression::SIZE;
    /// `operation` records of the expressions.
    Operations = 13, "operations", operation::SIZE;
    /// `element` records.
    Elements = 14, "elements", element::SIZE;
    /// Items (`u32`) of the element segments: function or expression indices.
    ElementItems = 15, "element_items", 4;
    /// `data_segment` records.
    Data = 16, "data", data_segment::SIZE;
    /// `image` records.
    Image = 17, "image", image::SIZE;
    /// At most one `aux_stack` record.
    AuxStack = 18, "aux_stack", aux_stack::SIZE;
    /// UTF-8 that records point into.
    Strings = 19, "strings", 1;
    /// Bytes of the data segments.
    DataBytes = 20, "data_bytes", 1;
    /// Where each defined function's trap sites end in `traps` (`u32`).
    TrapIndex = 21, "trap_index", 4;
    /// Trap sites: variable-length differences.
    Traps = 22, "traps", 1;
    /// Where each defined function's call sites end in `call_sites` (`u32`).
    CallSiteIndex = 23, "call_site_index", 4;
    /// Call sites: variable-length differences.
    CallSites = 24, "call_sites", 1;
    /// Where each function's name ends in `name_bytes` (`u32`), imports first.
    FunctionNames = 25, "function_names", 4;
    /// UTF-8 of the function names.
    NameBytes = 26, "name_bytes", 1;
    /// `custom` records.
    Custom = 27, "custom", custom::SIZE;
    /// Contents of the custom sections.
    CustomBytes = 28, "custom_bytes", 1;
    /// `stack_bound` records of exported functions and the start function, ascending by function.
    StackBounds = 29, "stack_bounds", stack_bound::SIZE;
    /// `tag` records.
    Tags = 30, "tags", tag::SIZE;
    /// `handler_site` records, ascending by return address.
    Handlers = 31, "handlers", handler_site::SIZE;
    /// `handler_list` records.
    HandlerLists = 32, "handler_lists", handler_list::SIZE;
    /// `handler_clause` records of the lists, innermost first.
    HandlerClauses = 33, "handler_clauses", handler_clause::SIZE;
    /// Initial contents of memories. On a page boundary.
    ImageBytes = 34, "image_bytes", 1;
    /// The machine code. On a page boundary, and so is what follows it.
    Text = 35, "text", 1;
    /// `relocation` records, in the order of their offsets.
    Relocations = 36, "relocations", relocation::SIZE;
    /// `function_depth` records of all defined functions, or none.
    FunctionDepths = 37, "function_depths", function_depth::SIZE;
}

// Numbers follow each other, so that they are places in tables.
const _: () = {
    let mut index = 0;
    while index < SectionId::ALL.len() {
        assert!(SectionId::ALL[index] as usize == index + 1);
        index += 1;
    }
};

impl SectionId {
    /// Whether the section serves to bring the code in place, or reports about the file, and nothing
    /// after that. Such sections come last, so that the rest of a file is a prefix of it.
    pub const fn is_for_loading(self) -> bool {
        matches!(
            self,
            SectionId::Text | SectionId::Relocations | SectionId::FunctionDepths
        )
    }

    /// Where the section starts, given where the one before it ended. The text shares no page with
    /// other sections, so that nothing but code becomes executable; images are mapped.
    pub const fn place(self, previous: Option<SectionId>, end: u64, page_size: u64) -> u64 {
        if matches!(self, SectionId::Text) {
            align(align(end, page_size), TEXT_ALIGNMENT)
        } else if matches!(self, SectionId::ImageBytes) || matches!(previous, Some(SectionId::Text))
        {
            align(end, page_size)
        } else {
            end
        }
    }

    /// Where the payload ends, given the last section and its end.
    pub const fn payload_end(self, end: u64, page_size: u64) -> u64 {
        if matches!(self, SectionId::Text) {
            align(end, page_size)
        } else {
            end
        }
    }
}

/// The next multiple of a power of two. Offsets are far below what a `u64` holds.
const fn align(offset: u64, alignment: u64) -> u64 {
    let mask = alignment.wrapping_sub(1);
    offset.wrapping_add(mask) & !mask
}

/// Form of the file: whole, with the text in it.
pub const FORM_WHOLE: u8 = 0;
/// Form of the file: split; the bytes of the text are elsewhere.
pub const FORM_SPLIT: u8 = 1;

/// The form of a function type, from the binary format.
pub const FORM_FUNCTION: u32 = 0x60;
/// How far up the form has the number of types that follow in the same recursion group.
pub const FORM_FOLLOWING_SHIFT: u32 = 8;

/// Table, memory: the maximum is given. From the binary format.
pub const FLAG_HAS_MAX: u32 = 1;
/// Memory: shared between threads. From the binary format.
pub const FLAG_SHARED: u32 = 2;
/// Table, memory: indices are 64 bits wide. From the binary format.
pub const FLAG_64: u32 = 4;
/// Global: the value can change. From the binary format.
pub const FLAG_MUTABLE: u32 = 1;
/// Data segment: the memory image holds its bytes; nothing is copied.
pub const FLAG_IN_IMAGE: u32 = 1;

/// Handler: it goes on to refer to the exception; otherwise it takes the values out at once.
pub const FLAG_KEEPS: u32 = 1;

/// Segment mode: copied by instructions.
pub const MODE_PASSIVE: u32 = 0;
/// Segment mode: copied at instantiation.
pub const MODE_ACTIVE: u32 = 1;
/// Element segment mode: only declares that its functions are referenced.
pub const MODE_DECLARED: u32 = 2;

/// Element items are function indices, [`NONE`] for null.
pub const ITEMS_FUNCTIONS: u32 = 0;
/// Element items are expression indices.
pub const ITEMS_EXPRESSIONS: u32 = 1;

/// Stack bound: bytes; no imported function is called.
pub const BOUND_BYTES: u8 = 0;
/// Stack bound: bytes up to the border of the module; imported functions can be called.
pub const BOUND_BYTES_TO_IMPORT: u8 = 1;
/// Stack bound: none; the value is a function that can be called while it is active.
pub const BOUND_RECURSION: u8 = 2;
/// Stack bound: none; the value is a function that calls what is not known.
pub const BOUND_UNKNOWN_CALLEE: u8 = 3;

/// Stands for "none" in a function index of three bytes.
pub const NONE_24: u32 = 0xff_ffff;

/// Step of a path: it ends.
pub const STEP_END: u8 = 0;
/// Step of a path: a call.
pub const STEP_CALL: u8 = 1;
/// Step of a path: a call through a table.
pub const STEP_INDIRECT: u8 = 2;
/// Step of a path: a tail call.
pub const STEP_TAIL: u8 = 3;
/// Step of a path: a tail call through a table.
pub const STEP_INDIRECT_TAIL: u8 = 4;
/// Step of a path: a call of what is not known.
pub const STEP_UNKNOWN: u8 = 5;

/// Opcodes of constant expressions, from the binary format; a prefix byte comes first.
pub mod opcode {
    /// `global.get`.
    pub const GLOBAL_GET: u32 = 0x23;
    /// `i32.const`.
    pub const I32_CONST: u32 = 0x41;
    /// `i64.const`.
    pub const I64_CONST: u32 = 0x42;
    /// `f32.const`.
    pub const F32_CONST: u32 = 0x43;
    /// `f64.const`.
    pub const F64_CONST: u32 = 0x44;
    /// `i32.add`.
    pub const I32_ADD: u32 = 0x6a;
    /// `i32.sub`.
    pub const I32_SUB: u32 = 0x6b;
    /// `i32.mul`.
    pub const I32_MUL: u32 = 0x6c;
    /// `i64.add`.
    pub const I64_ADD: u32 = 0x7c;
    /// `i64.sub`.
    pub const I64_SUB: u32 = 0x7d;
    /// `i64.mul`.
    pub const I64_MUL: u32 = 0x7e;
    /// `ref.null`.
    pub const REF_NULL: u32 = 0xd0;
    /// `ref.func`.
    pub const REF_FUNC: u32 = 0xd2;
    /// `v128.const`.
    pub const V128_CONST: u32 = 0xfd0c;
}
