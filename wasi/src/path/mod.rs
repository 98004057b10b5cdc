//! Functions on paths. Every path is resolved beneath the directory that the descriptor stands for:
//! cap-std refuses absolute paths, `..` and links that lead out of it, with [`Errno::NotPermitted`].

mod attributes;
mod links;
mod names;
mod open;

pub(crate) use attributes::file_stat;
