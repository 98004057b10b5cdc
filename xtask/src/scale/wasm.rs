//! Writes modules byte by byte: only what the generated series need, so that no crate is needed.

/// A module under construction: sections in the order in which they are added.
pub struct Wasm(Vec<u8>);

/// Opcodes and types of the binary format.
pub mod code {
    /// The type `i32`.
    pub const I32: u8 = 0x7f;
    /// The type `i64`.
    pub const I64: u8 = 0x7e;
    /// The type `funcref`.
    pub const FUNCREF: u8 = 0x70;
    /// The type of a block without parameters and results.
    pub const EMPTY: u8 = 0x40;
    pub const UNREACHABLE: u8 = 0x00;
    pub const BLOCK: u8 = 0x02;
    pub const IF: u8 = 0x04;
    pub const BR_IF: u8 = 0x0d;
    pub const BR_TABLE: u8 = 0x0e;
    pub const END: u8 = 0x0b;
    pub const RETURN: u8 = 0x0f;
    pub const CALL: u8 = 0x10;
    pub const CALL_INDIRECT: u8 = 0x11;
    pub const DROP: u8 = 0x1a;
    pub const LOCAL_GET: u8 = 0x20;
    pub const LOCAL_SET: u8 = 0x21;
    pub const GLOBAL_SET: u8 = 0x24;
    pub const I32_LOAD: u8 = 0x28;
    pub const I32_STORE: u8 = 0x36;
    pub const I32_CONST: u8 = 0x41;
    pub const I64_CONST: u8 = 0x42;
    pub const I32_EQZ: u8 = 0x45;
    pub const I32_NE: u8 = 0x47;
    pub const I32_ADD: u8 = 0x6a;
    pub const I32_SUB: u8 = 0x6b;
    pub const I32_MUL: u8 = 0x6c;
    pub const I32_XOR: u8 = 0x73;
    pub const I64_XOR: u8 = 0x85;
    /// The prefix of vector instructions.
    pub const VECTOR: u8 = 0xfd;
    pub const V128_CONST: u8 = 0x0c;
    pub const V128_XOR: u8 = 0x51;
    pub const I32X4_EXTRACT_LANE: u8 = 0x1b;
}

/// Appends an unsigned number.
pub fn unsigned(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Appends a signed number.
pub fn signed(bytes: &mut Vec<u8>, mut value: i64) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        let is_last = (value == 0 && low & 0x40 == 0) || (value == -1 && low & 0x40 != 0);
        if is_last {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

/// Appends a name with its length.
pub fn name(bytes: &mut Vec<u8>, name: &str) {
    unsigned(bytes, name.len() as u64);
    bytes.extend_from_slice(name.as_bytes());
}

/// Appends a constant of type `i32`.
pub fn constant(bytes: &mut Vec<u8>, value: i32) {
    bytes.push(code::I32_CONST);
    signed(bytes, value.into());
}

/// Appends a constant expression of type `i32`.
pub fn offset(bytes: &mut Vec<u8>, value: i32) {
    constant(bytes, value);
    bytes.push(code::END);
}

/// Appends an instruction with one unsigned operand.
pub fn op(bytes: &mut Vec<u8>, opcode: u8, operand: u64) {
    bytes.push(opcode);
    unsigned(bytes, operand);
}

/// Appends an access to memory 0 with the alignment of an `i32`.
pub fn access(bytes: &mut Vec<u8>, opcode: u8, offset: u64) {
    bytes.extend([opcode, 2]);
    unsigned(bytes, offset);
}

impl Wasm {
    /// A module without sections.
    pub fn new() -> Wasm {
        Wasm(b"\0asm\x01\0\0\0".to_vec())
    }

    /// Adds a section of `count` items; `item` appends one.
    pub fn items(&mut self, id: u8, count: u64, mut item: impl FnMut(&mut Vec<u8>, u64)) {
        let mut section = Vec::new();
        unsigned(&mut section, count);
        (0..count).for_each(|index| item(&mut section, index));
        self.section(id, &section);
    }

    /// Adds the types of a module: `() -> ()` and `(i32) -> i32`, then `more`.
    pub fn types(&mut self, more: u64, mut ty: impl FnMut(&mut Vec<u8>, u64)) {
        self.items(1, 2 + more, |bytes, index| {
            bytes.push(0x60);
            match index {
                0 => bytes.extend([0, 0]),
                1 => bytes.extend([1, code::I32, 1, code::I32]),
                _ => ty(bytes, index - 2),
            }
        });
    }

    /// Adds one memory of so many pages.
    pub fn memory(&mut self, pages: u64) {
        self.items(5, 1, |bytes, _| {
            bytes.push(0);
            unsigned(bytes, pages);
        });
    }

    /// Adds one table of functions.
    pub fn table(&mut self, length: u64) {
        self.items(4, 1, |bytes, _| {
            bytes.extend([code::FUNCREF, 0]);
            unsigned(bytes, length);
        });
    }

    /// Exports the function with this index as `_start`.
    pub fn start(&mut self, function: u64) {
        self.items(7, 1, |bytes, _| {
            name(bytes, "_start");
            op(bytes, 0, function);
        });
    }

    /// Adds the bodies. `body` appends declarations of locals, and instructions without the end.
    pub fn bodies(&mut self, count: u64, mut body: impl FnMut(&mut Vec<u8>, u64)) {
        let mut bytes = Vec::new();
        self.items(10, count, |section, index| {
            bytes.clear();
            body(&mut bytes, index);
            bytes.push(code::END);
            unsigned(section, bytes.len() as u64);
            section.extend_from_slice(&bytes);
        });
    }

    /// Adds the names of functions.
    pub fn names(&mut self, count: u64, text: impl Fn(u64) -> String) {
        let mut map = Vec::new();
        unsigned(&mut map, count);
        for index in 0..count {
            unsigned(&mut map, index);
            name(&mut map, &text(index));
        }
        let mut section = Vec::new();
        name(&mut section, "name");
        section.push(1);
        unsigned(&mut section, map.len() as u64);
        section.extend_from_slice(&map);
        self.section(0, &section);
    }

    /// The module.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    fn section(&mut self, id: u8, bytes: &[u8]) {
        self.0.push(id);
        unsigned(&mut self.0, bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}
