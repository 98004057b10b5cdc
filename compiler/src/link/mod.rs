//! From compiled functions to one text with everything in it resolved, except for the libcalls of
//! the `direct` relocation model.

mod layout;
mod text;

pub(crate) use text::{Linked, LinkedFunction, Piece, link};

#[cfg(test)]
mod tests;
