//! Arguments and environment variables: an array of pointers, and the strings that it points to.

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::text::Strings;

impl WasiContext {
    /// Writes the arguments: pointers at `argv`, NUL-terminated strings at `argv_buf`.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if either leaves the memory.
    pub fn args_get(
        &self,
        memory: &mut GuestMemory<'_>,
        argv: u32,
        argv_buf: u32,
    ) -> Result<(), Errno> {
        self.write_strings(memory, self.state.args, argv, argv_buf)
    }

    /// Writes how many arguments there are, and how many bytes their strings take.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] for a bad pointer.
    pub fn args_sizes_get(
        &self,
        memory: &mut GuestMemory<'_>,
        argc: u32,
        argv_buf_size: u32,
    ) -> Result<(), Errno> {
        write_sizes(memory, self.state.args, argc, argv_buf_size)
    }

    /// Writes the environment: pointers at `environ`, strings `NAME=value` at `environ_buf`.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if either leaves the memory.
    pub fn environ_get(
        &self,
        memory: &mut GuestMemory<'_>,
        environ: u32,
        environ_buf: u32,
    ) -> Result<(), Errno> {
        self.write_strings(memory, self.state.environment, environ, environ_buf)
    }

    /// Writes how many variables there are, and how many bytes their strings take.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] for a bad pointer.
    pub fn environ_sizes_get(
        &self,
        memory: &mut GuestMemory<'_>,
        environc: u32,
        environ_buf_size: u32,
    ) -> Result<(), Errno> {
        write_sizes(memory, self.state.environment, environc, environ_buf_size)
    }

    fn write_strings(
        &self,
        memory: &mut GuestMemory<'_>,
        strings: Strings,
        pointers: u32,
        buffer: u32,
    ) -> Result<(), Errno> {
        memory.check_array(pointers, strings.count, 4)?;
        memory.check(buffer, strings.span.length())?;
        let bytes = self.state.text.get(strings.span);
        // Both ranges are checked: the sums below stay inside of the memory, but for the last one,
        // which may be its end.
        let mut next = buffer;
        for (index, string) in (0..strings.count).zip(bytes.split_inclusive(|byte| *byte == 0)) {
            memory.write_u32(pointers + 4 * index, next)?;
            next = next.wrapping_add(string.len() as u32);
        }
        memory.write(buffer, bytes)
    }
}

fn write_sizes(
    memory: &mut GuestMemory<'_>,
    strings: Strings,
    count_pointer: u32,
    size_pointer: u32,
) -> Result<(), Errno> {
    memory.check(count_pointer, 4)?;
    memory.check(size_pointer, 4)?;
    memory.write_u32(count_pointer, strings.count)?;
    memory.write_u32(size_pointer, strings.span.length())
}
