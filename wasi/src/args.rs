//! Arguments and environment variables: an array of pointers, and the strings that it points to.

use crate::context::WasiContext;
use crate::errno::Errno;
use crate::memory::GuestMemory;

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
        write_strings(memory, &self.state.args, argv, argv_buf)
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
        write_sizes(memory, &self.state.args, argc, argv_buf_size)
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
        write_strings(memory, &self.state.environment, environ, environ_buf)
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
        write_sizes(memory, &self.state.environment, environc, environ_buf_size)
    }
}

/// The count of the strings and their size with a NUL after each.
fn sizes(strings: &[Vec<u8>]) -> Result<(u32, u32), Errno> {
    let count = u32::try_from(strings.len()).map_err(|_| Errno::Overflow)?;
    let size = strings
        .iter()
        .map(|string| string.len() as u64 + 1)
        .sum::<u64>();
    Ok((count, u32::try_from(size).map_err(|_| Errno::Overflow)?))
}

fn write_sizes(
    memory: &mut GuestMemory<'_>,
    strings: &[Vec<u8>],
    count_pointer: u32,
    size_pointer: u32,
) -> Result<(), Errno> {
    let (count, size) = sizes(strings)?;
    memory.check(count_pointer, 4)?;
    memory.check(size_pointer, 4)?;
    memory.write_u32(count_pointer, count)?;
    memory.write_u32(size_pointer, size)
}

fn write_strings(
    memory: &mut GuestMemory<'_>,
    strings: &[Vec<u8>],
    pointers: u32,
    buffer: u32,
) -> Result<(), Errno> {
    let (count, size) = sizes(strings)?;
    memory.check_array(pointers, count, 4)?;
    memory.check(buffer, size)?;
    // Both ranges are checked: the sums below stay inside of the memory.
    let mut next = buffer;
    for (index, string) in (0..).zip(strings) {
        memory.write_u32(pointers + 4 * index, next)?;
        memory.write(next, string)?;
        next += string.len() as u32;
        memory.write(next, &[0])?;
        next = next.wrapping_add(1);
    }
    Ok(())
}
