//! Static modules: artifacts that a linker has put into the program.
//!
//! ```text
//!   object file --linker--> StaticModule { metadata, text } --checked--> Module
//! ```
//!
//! A value cannot be made by safe code. Whoever declares the symbol of an object file writes `unsafe`,
//! which is the statement that the compiler's object file is behind it; so the addresses are believed,
//! and all that can be wrong with what they lead to is checked as for any other bytes.

use core::fmt;
use core::slice;

use precast_format::layout::TEXT_ALIGNMENT;
use precast_format::static_module::{self, StaticModule as Structure};

use crate::error::LoadError;

/// A module that is linked into the program: what the symbol `precast_module_NAME` of an object file
/// names.
///
/// ```no_run
/// use precast_loader::{Module, Runtime, StaticModule};
///
/// unsafe extern "C" {
///     // SAFETY: `precast compile --emit object --symbol app` made the object file.
///     safe static precast_module_app: StaticModule;
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = Runtime::system()?;
/// let module = Module::from_static(&runtime, &precast_module_app)?;
/// # let _ = module;
/// # Ok(())
/// # }
/// ```
#[repr(transparent)]
pub struct StaticModule(Structure);

// SAFETY: the addresses are those of constants.
unsafe impl Send for StaticModule {}
// SAFETY: as above.
unsafe impl Sync for StaticModule {}

/// The parts of a static module.
pub(crate) struct LinkedBytes {
    /// An artifact in the split form.
    pub(crate) metadata: &'static [u8],
    /// Its text, which is executable.
    pub(crate) text: &'static [u8],
}

impl StaticModule {
    /// A static module made by hand, from an artifact in the split form.
    ///
    /// # Safety
    ///
    /// The text is executable and not writable for as long as the program runs, instruction fetches see
    /// it, and it is what the Precast compiler made of a WebAssembly module.
    pub const unsafe fn new(metadata: &'static [u8], text: &'static [u8]) -> StaticModule {
        StaticModule(Structure {
            magic: static_module::MAGIC,
            version: static_module::VERSION,
            reserved: 0,
            metadata: metadata.as_ptr(),
            metadata_size: metadata.len(),
            text: text.as_ptr(),
            text_size: text.len(),
        })
    }

    /// The parts, if the structure is what this loader knows.
    pub(crate) fn open(&'static self) -> Result<LinkedBytes, LoadError> {
        let structure = &self.0;
        if structure.magic != static_module::MAGIC {
            return Err(LoadError::StaticModule("has another magic number"));
        }
        if structure.version != static_module::VERSION || structure.reserved != 0 {
            return Err(LoadError::StaticModule("has another version"));
        }
        let sizes = [structure.metadata_size, structure.text_size];
        let limit = u64::from(u32::MAX).min(isize::MAX as u64);
        if let Some(size) = sizes.into_iter().find(|size| *size as u64 > limit) {
            return Err(LoadError::TooLarge {
                what: "a part",
                size: size as u64,
                limit,
            });
        }
        if structure.metadata.is_null() || structure.text.is_null() {
            return Err(LoadError::StaticModule("has no addresses"));
        }
        let alignment = TEXT_ALIGNMENT as usize;
        if structure.text_size != 0 && !structure.text.addr().is_multiple_of(alignment) {
            return Err(LoadError::StaticModule("has a text that is not aligned"));
        }
        // SAFETY: so many bytes are there and do not change: `new` took them from a slice, or the linker
        // put them there, as whoever declared the symbol has promised.
        let metadata =
            unsafe { slice::from_raw_parts(structure.metadata, structure.metadata_size) };
        // SAFETY: as above.
        let text = unsafe { slice::from_raw_parts(structure.text, structure.text_size) };
        Ok(LinkedBytes { metadata, text })
    }
}

impl fmt::Debug for StaticModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let structure = &self.0;
        write!(
            f,
            "static module, {} bytes and text of {} bytes at {:p}",
            structure.metadata_size, structure.text_size, structure.text
        )
    }
}
