//! The instance context: the block that compiled code addresses by constant offsets.
//!
//! ```text
//!   lower addresses
//!   +---------------------------+
//!   | function records          |  one for each defined function that can be referenced
//!   | tags                      |  defined: tag record; imported: pointer to the owner's record
//!   | imported functions        |  pointer to a function record each
//!   | tables                    |  defined: base, length; imported: pointer to the owner's pair
//!   | globals                   |  defined: 16-byte slot; imported: pointer to the owner's slot
//!   | memories                  |  defined: base, length; imported: pointer to the owner's pair;
//!   |                           |  shared: pointer to the pair, also where it is defined
//!   | fixed fields              |  stack limit, callee, libcalls, activation, ...
//!   +---------------------------+ <- context pointer, 16-byte aligned; the `context register`
//!   | memory 0 (if it is ours   |
//!   | and cannot move)          |
//!   +---------------------------+
//!   higher addresses
//! ```
//!
//! All offsets are *distances below* the context pointer, so that the pointer can be the base of
//! memory 0 at the same time. The same code computes them for the compiler, for the loader and for
//! whoever wants to know how large a context is. Nothing here reads the host's pointer width.

/// The size of a pointer on the target, in bytes: 4 or 8.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PointerWidth {
    /// Four bytes.
    Bits32,
    /// Eight bytes.
    Bits64,
}

impl PointerWidth {
    /// Size in bytes.
    pub const fn bytes(self) -> u32 {
        match self {
            PointerWidth::Bits32 => 4,
            PointerWidth::Bits64 => 8,
        }
    }
}

macro_rules! fixed_fields {
    ($($(#[$doc:meta])* $name:ident = $words:literal;)*) => {
        /// A pointer-sized field at a constant distance below the context pointer.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum Field {
            $($(#[$doc])* $name,)*
        }

        impl Field {
            /// Every fixed field, nearest to the context pointer first.
            pub const ALL: &'static [Field] = &[$(Field::$name,)*];

            /// Distance below the context pointer, in pointers.
            pub const fn words_below(self) -> u32 {
                match self { $(Field::$name => $words,)* }
            }

            /// The field's name, for listings and for the ABI hash.
            pub const fn name(self) -> &'static str {
                match self { $(Field::$name => stringify!($name),)* }
            }
        }
    };
}

fixed_fields! {
    /// Lowest stack address that a frame may reach; compared in prologues.
    StackLimit = 1;
    /// The function record being called, written by the caller before a call that may leave the
    /// instance and read first thing by an adapter.
    Callee = 2;
    /// Table of libcall addresses, indexed by `Libcall`.
    Libcalls = 3;
    /// The innermost activation: see [`ActivationField`].
    Activation = 4;
    /// Runtime type ids (`u32`), indexed by the module's type index.
    TypeIds = 5;
    /// The loader's own data for this instance; opaque to compiled code.
    Instance = 6;
    /// Lowest valid value of the auxiliary stack pointer.
    AuxStackLimit = 7;
    /// Highest valid value of the auxiliary stack pointer.
    AuxStackBase = 8;
    /// Not zero when the program is to stop; code that looks here traps then.
    Interrupt = 9;
}

/// How many pointers the fixed fields take.
pub const FIXED_WORDS: u32 = 9;

impl Field {
    /// Byte offset from the context pointer; negative.
    pub const fn offset(self, width: PointerWidth) -> i32 {
        -((self.words_below() * width.bytes()) as i32)
    }
}

macro_rules! word_record {
    ($(#[$record_doc:meta])* $record:ident { $($(#[$doc:meta])* $name:ident = $index:literal;)* }) => {
        $(#[$record_doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $record {
            $($(#[$doc])* $name,)*
        }

        impl $record {
            /// Every field, in the order of its offset.
            pub const ALL: &'static [$record] = &[$($record::$name,)*];

            /// Byte offset from the start of the record.
            pub const fn offset(self, width: PointerWidth) -> i32 {
                (match self { $($record::$name => $index,)* }) * width.bytes() as i32
            }

            /// The field's name, for listings and for the ABI hash.
            pub const fn name(self) -> &'static str {
                match self { $($record::$name => stringify!($name),)* }
            }
        }
    };
}

word_record! {
    /// One call of the host into compiled code. The entry trampoline fills the first three fields,
    /// adapters to the host the next, the loader the last. It lives in the loader's frame for the
    /// call.
    ActivationField {
        /// Stack pointer of the entry trampoline.
        EntryStackPointer = 0;
        /// Frame pointer of the entry trampoline.
        EntryFramePointer = 1;
        /// Where a trap resumes: the trampoline's handler.
        HandlerAddress = 2;
        /// Frame pointer of the adapter through which the wasm code last left to the host, or zero.
        ExitFramePointer = 3;
        /// Lowest stack address that compiled code may use. The stack limit of a context lies above
        /// it by the stack reserve of the context's module.
        StackFloor = 4;
    }
}

word_record! {
    /// What a function reference points to. After these three pointers come two `u32`: the
    /// runtime type id and the module's canonical type index.
    FunctionRecord {
        /// Code to call when the caller's context is the record's context.
        Code = 0;
        /// The context that the code runs in; for a host function, its host object, whose first
        /// word is a [host entry](crate::context).
        Context = 1;
        /// Code to call from any other context, with `Field::Callee` set to this record.
        Foreign = 2;
    }
}

impl FunctionRecord {
    /// Offset of the runtime type id (`u32`), in bytes.
    pub const fn type_id_offset(width: PointerWidth) -> i32 {
        3 * width.bytes() as i32
    }

    /// Offset of the module's canonical type index (`u32`), in bytes.
    pub const fn local_type_offset(width: PointerWidth) -> i32 {
        Self::type_id_offset(width) + 4
    }

    /// Size of a record in bytes: a multiple of the pointer size.
    pub const fn size(width: PointerWidth) -> u32 {
        3 * width.bytes() + 8
    }
}

word_record! {
    /// What a tag is: exceptions have the same tag if their records have the same address. After the
    /// pointer come two `u32`: the runtime type id and the number of values that an exception
    /// carries.
    TagRecord {
        /// The loader's own data about the type; opaque to compiled code.
        FunctionType = 0;
    }
}

impl TagRecord {
    /// Offset of the runtime type id (`u32`), in bytes.
    pub const fn type_id_offset(width: PointerWidth) -> i32 {
        width.bytes() as i32
    }

    /// Offset of the number of values (`u32`), in bytes.
    pub const fn value_count_offset(width: PointerWidth) -> i32 {
        Self::type_id_offset(width) + 4
    }

    /// Size of a record in bytes: a multiple of the pointer size.
    pub const fn size(width: PointerWidth) -> u32 {
        width.bytes() + 8
    }
}

word_record! {
    /// What a reference to an exception points to, 16-byte aligned. The values that it carries
    /// follow, in slots of [`VALUE_SIZE`] bytes.
    ExceptionField {
        /// The address of the tag's record.
        Tag = 0;
        /// The loader's own; opaque to compiled code.
        First = 1;
        /// The loader's own; opaque to compiled code.
        Second = 2;
        /// The loader's own; opaque to compiled code.
        Third = 3;
    }
}

impl ExceptionField {
    /// Offset of the values in an exception, in bytes.
    pub const fn payload_offset(width: PointerWidth) -> i32 {
        (ExceptionField::ALL.len() as u32 * width.bytes()).next_multiple_of(VALUE_SIZE) as i32
    }
}

/// Size of one parameter or result in the array through which host and compiled code exchange
/// values, in bytes. Also its alignment. A slot begins with the value in the code's byte order;
/// vectors have their lanes in ascending order, each little-endian, whatever the code's order is.
pub const VALUE_SIZE: u32 = 16;

/// Size of what a call takes in the stack frame of code that counts calls, in bytes; aligned as a
/// 64-bit number.
pub const PROFILE_FRAME_SIZE: u32 = 40;

/// Size of the slot of a defined global, in bytes. Also its alignment.
pub const GLOBAL_SIZE: u32 = 16;

/// What a module has, as far as the context's size depends on it.
///
/// Index spaces put imports first, as in WebAssembly.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct ContextCounts {
    /// Imported memories.
    pub imported_memories: u32,
    /// Memories that the module defines.
    pub defined_memories: u32,
    /// Imported globals.
    pub imported_globals: u32,
    /// Globals that the module defines.
    pub defined_globals: u32,
    /// Imported tables.
    pub imported_tables: u32,
    /// Tables that the module defines.
    pub defined_tables: u32,
    /// Imported functions.
    pub imported_functions: u32,
    /// Defined functions that have a function record.
    pub function_records: u32,
    /// Imported tags.
    pub imported_tags: u32,
    /// Tags that the module defines.
    pub defined_tags: u32,
}

/// Where everything is in the context of one module, for one pointer width.
///
/// Having a value of this type means that the whole block is smaller than 2 GiB, so that every
/// offset fits in an `i32` displacement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContextLayout {
    width: PointerWidth,
    pub(crate) counts: ContextCounts,
    memories: u32,
    globals: u32,
    imported_globals: u32,
    tables: u32,
    functions: u32,
    records: u32,
    size: u32,
}

impl ContextLayout {
    /// A layout of nothing, for the time before a module's is known.
    pub(crate) const EMPTY: ContextLayout = ContextLayout {
        width: PointerWidth::Bits64,
        counts: ContextCounts {
            imported_memories: 0,
            defined_memories: 0,
            imported_globals: 0,
            defined_globals: 0,
            imported_tables: 0,
            defined_tables: 0,
            imported_functions: 0,
            function_records: 0,
            imported_tags: 0,
            defined_tags: 0,
        },
        memories: 0,
        globals: 0,
        imported_globals: 0,
        tables: 0,
        functions: 0,
        records: 0,
        size: 0,
    };

    /// Computes the layout, or `None` where the block would not stay below 2 GiB.
    pub fn new(width: PointerWidth, counts: ContextCounts) -> Option<ContextLayout> {
        let mut layout = ContextLayout::EMPTY;
        layout.counts = counts;
        layout.compute(width).then_some(layout)
    }

    /// Computes the layout for the counts that are there. Says whether the block stays below 2 GiB.
    pub(crate) fn compute(&mut self, width: PointerWidth) -> bool {
        let counts = &self.counts;
        let word = u64::from(width.bytes());
        let fixed = u64::from(FIXED_WORDS) * word;
        let memories = fixed
            + (u64::from(counts.imported_memories) + 2 * u64::from(counts.defined_memories)) * word;
        let imported_globals = memories + u64::from(counts.imported_globals) * word;
        let globals = imported_globals.next_multiple_of(u64::from(GLOBAL_SIZE))
            + u64::from(counts.defined_globals) * u64::from(GLOBAL_SIZE);
        let tables = globals
            + (u64::from(counts.imported_tables) + 2 * u64::from(counts.defined_tables)) * word;
        let functions = tables + u64::from(counts.imported_functions) * word;
        let tags = functions
            + u64::from(counts.imported_tags) * word
            + u64::from(counts.defined_tags) * u64::from(TagRecord::size(width));
        let records =
            tags + u64::from(counts.function_records) * u64::from(FunctionRecord::size(width));
        let size = records.next_multiple_of(16);
        // Each sum is at most `size`.
        *self = ContextLayout {
            width,
            counts: self.counts,
            memories: memories as u32,
            globals: globals as u32,
            imported_globals: imported_globals as u32,
            tables: tables as u32,
            functions: functions as u32,
            records: records as u32,
            size: size as u32,
        };
        size < 1 << 31
    }

    /// Size of the block below the context pointer, in bytes; a multiple of 16.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// The pointer width that the layout was made for.
    pub const fn width(&self) -> PointerWidth {
        self.width
    }

    /// The counts that the layout was made for.
    pub const fn counts(&self) -> &ContextCounts {
        &self.counts
    }

    const fn word(&self) -> u32 {
        self.width.bytes()
    }

    /// Offset of an imported memory's pointer to its owner's pair (base, length in bytes).
    /// `index` counts all memories.
    pub const fn imported_memory(&self, index: u32) -> i32 {
        -((self.memories - index * self.word()) as i32)
    }

    /// Offset of a defined memory's pair: the base, then the length in bytes one pointer above. Of a
    /// shared memory, a pointer to the pair is there instead: all that use the memory have one.
    /// `index` counts the defined memories only.
    pub const fn defined_memory(&self, index: u32) -> i32 {
        let imported = self.counts.imported_memories * self.word();
        -((self.memories - imported - 2 * index * self.word()) as i32)
    }

    /// Offset of an imported global's pointer to its owner's slot. `index` counts all globals.
    pub const fn imported_global(&self, index: u32) -> i32 {
        -((self.imported_globals - index * self.word()) as i32)
    }

    /// Offset of a defined global's slot. `index` counts the defined globals only.
    pub const fn defined_global(&self, index: u32) -> i32 {
        -((self.globals - index * GLOBAL_SIZE) as i32)
    }

    /// Offset of an imported table's pointer to its owner's pair (base, length in elements).
    /// `index` counts all tables.
    pub const fn imported_table(&self, index: u32) -> i32 {
        -((self.tables - index * self.word()) as i32)
    }

    /// Offset of a defined table's pair: the base, then the length in elements one pointer above.
    /// `index` counts the defined tables only.
    pub const fn defined_table(&self, index: u32) -> i32 {
        let imported = self.counts.imported_tables * self.word();
        -((self.tables - imported - 2 * index * self.word()) as i32)
    }

    /// Offset of the pointer to an imported function's record.
    pub const fn imported_function(&self, index: u32) -> i32 {
        -((self.functions - index * self.word()) as i32)
    }

    /// Offset of an imported tag's pointer to its owner's record. `index` counts all tags.
    pub const fn imported_tag(&self, index: u32) -> i32 {
        let end = self.functions + self.counts.imported_tags * self.word();
        -((end - index * self.word()) as i32)
    }

    /// Offset of a defined tag's record. `index` counts the defined tags only.
    pub const fn defined_tag(&self, index: u32) -> i32 {
        let end = self.functions + self.counts.imported_tags * self.word();
        let size = TagRecord::size(self.width);
        -((end + (self.counts.defined_tags - index) * size) as i32)
    }

    /// Offset of the function record with this number.
    pub const fn function_record(&self, number: u32) -> i32 {
        -((self.records - number * FunctionRecord::size(self.width)) as i32)
    }
}

/// Grows when [`ContextLayout`] puts something elsewhere. A test holds the offsets of one module
/// against numbers, so that nobody forgets it.
const LAYOUT_REVISION: u32 = 2;

/// A fingerprint of everything on this page that compiled code relies on.
///
/// The artifact's header carries the value that the compiler had; a loader with another one
/// refuses the artifact. FNV-1a over the names and numbers, so that it is computed at compile time.
pub const ABI_HASH: u64 = abi_hash();

const fn abi_hash() -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut index = 0;
    while index < Field::ALL.len() {
        hash = mix_str(hash, Field::ALL[index].name());
        hash = mix_number(hash, Field::ALL[index].words_below());
        index += 1;
    }
    index = 0;
    while index < ActivationField::ALL.len() {
        hash = mix_str(hash, ActivationField::ALL[index].name());
        index += 1;
    }
    index = 0;
    while index < FunctionRecord::ALL.len() {
        hash = mix_str(hash, FunctionRecord::ALL[index].name());
        index += 1;
    }
    index = 0;
    while index < TagRecord::ALL.len() {
        hash = mix_str(hash, TagRecord::ALL[index].name());
        index += 1;
    }
    index = 0;
    while index < ExceptionField::ALL.len() {
        hash = mix_str(hash, ExceptionField::ALL[index].name());
        index += 1;
    }
    index = 0;
    while index < crate::libcall::Libcall::COUNT {
        let libcall = crate::libcall::Libcall::ALL[index];
        hash = mix_str(hash, libcall.name());
        let params = libcall.params();
        let mut param = 0;
        while param < params.len() {
            hash = mix_number(hash, params[param] as u32);
            param += 1;
        }
        let result = match libcall.result() {
            Some(result) => result as u32 + 1,
            None => 0,
        };
        hash = mix_number(hash, result);
        hash = mix_number(hash, libcall.takes_context() as u32);
        index += 1;
    }
    hash = mix_number(hash, LAYOUT_REVISION);
    hash = mix_number(hash, VALUE_SIZE);
    hash = mix_number(hash, PROFILE_FRAME_SIZE);
    mix_number(hash, GLOBAL_SIZE)
}

const fn mix_str(mut hash: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        index += 1;
    }
    mix_number(hash, bytes.len() as u32)
}

const fn mix_number(hash: u64, number: u32) -> u64 {
    (hash ^ number as u64).wrapping_mul(0x0000_0100_0000_01b3)
}
