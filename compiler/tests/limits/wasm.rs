//! Modules as bytes, made without a tree of anything, so that size costs no depth here either.

/// A binary module under construction: sections in the order in which they are added.
pub struct Wasm(Vec<u8>);

/// The type `() -> ()`.
pub const NOTHING: &[u8] = &[0x60, 0, 0];
/// The type `(i32) -> i32`.
pub const I32_TO_I32: &[u8] = &[0x60, 1, 0x7f, 1, 0x7f];
/// The instruction that ends a body or a block.
pub const END: u8 = 0x0b;
/// `local.get 0`, `br_if 0`.
pub const BR_IF: &[u8] = &[0x20, 0, 0x0d, 0];
/// `local.get 0`.
pub const GET: &[u8] = &[0x20, 0];

/// An unsigned integer in LEB128.
pub fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// A body with these groups of locals: how many, and their type.
pub fn body(locals: &[(usize, u8)], code: &[u8]) -> Vec<u8> {
    let mut bytes = leb(locals.len());
    for (count, ty) in locals {
        bytes.extend(leb(*count));
        bytes.push(*ty);
    }
    bytes.extend_from_slice(code);
    bytes.push(END);
    let mut sized = leb(bytes.len());
    sized.extend(bytes);
    sized
}

impl Wasm {
    /// The empty module.
    pub fn new() -> Wasm {
        Wasm(b"\0asm\x01\0\0\0".to_vec())
    }

    /// Adds a section of so many items.
    pub fn section(mut self, id: u8, count: usize, items: &[u8]) -> Wasm {
        let count = leb(count);
        self.0.push(id);
        self.0.extend(leb(count.len() + items.len()));
        self.0.extend(count);
        self.0.extend_from_slice(items);
        self
    }

    /// Adds a section of so many equal items.
    pub fn repeated(self, id: u8, count: usize, item: &[u8]) -> Wasm {
        self.section(id, count, &item.repeat(count))
    }

    /// The bytes.
    pub fn finish(self) -> Vec<u8> {
        self.0
    }

    /// A module with one exported function `f` of a type.
    pub fn function(ty: &[u8], locals: &[(usize, u8)], code: &[u8]) -> Vec<u8> {
        Wasm::new()
            .section(1, 1, ty)
            .section(3, 1, &[0])
            .section(7, 1, &[1, b'f', 0, 0])
            .section(10, 1, &body(locals, code))
            .finish()
    }
}
