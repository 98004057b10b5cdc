//! Random bytes, of the quality that keys need.

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::GuestMemory;

impl WasiContext {
    /// Fills a buffer with random bytes from the system.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if the buffer leaves the memory, [`Errno::Io`] if the system has no source.
    pub fn random_get(
        &self,
        memory: &mut GuestMemory<'_>,
        buffer: u32,
        length: u32,
    ) -> Result<(), Errno> {
        memory.produce(buffer, length, |bytes| {
            getrandom::fill(bytes).map_err(|_| Errno::Io)
        })
    }
}
