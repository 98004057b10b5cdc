//! The standard C API of WebAssembly, over the same loader: the functions of `include/wasm.h`.
//!
//! ```text
//!   C --> engine --> store --> references to objects --> precast-loader
//!         types, values, vectors of them: blocks and arrays that belong to C
//! ```
//!
//! The header is the standard's, and not made of this source; a test in C gives each function here the
//! type that the header declares. Two things are ours: `binary` is an artifact, because there is no
//! compiler, and the functions of `extension`, which `include/precast_wasm.h` declares.
//!
//! Many functions have no store and so no allocator of the host's. What C owns comes from the platform's
//! heap therefore: arrays from `malloc`, since C says how long they are when it deletes them, and blocks
//! from Rust's allocator, which answers in their stead. Without memory a function returns null.

#[macro_use]
mod vector;
#[macro_use]
mod reference;

mod blocks;

pub mod engine;
pub mod extension;
pub mod foreign;
pub mod frame;
pub mod function;
pub mod global;
pub mod instance;
pub mod item;
pub mod item_types;
pub mod memory;
pub mod module;
pub mod references;
pub mod store;
pub mod table;
pub mod trap;
pub mod types;
pub mod value;
pub mod vectors;
