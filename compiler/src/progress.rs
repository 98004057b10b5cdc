//! How far a compilation is, for whoever wants to show it.

/// Receives the progress of a compilation. Called from several threads at once.
pub trait Progress: Sync {
    /// The module has this many functions with code, and their bodies have so many bytes.
    fn begin(&self, _functions: usize, _bytes: usize) {}
    /// One more function was compiled; `bytes` is the size of its body in the module. Large ones come
    /// first.
    fn function_compiled(&self, _bytes: usize) {}
}

/// Progress that nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
