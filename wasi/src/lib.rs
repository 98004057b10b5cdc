//! Placeholder head, replaced by the first commit of the crate.
