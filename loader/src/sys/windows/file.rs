//! Files to map artifacts from.

use core::alloc::Layout;
use core::ffi::CStr;
use core::ptr;

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_HANDLE_EOF, ERROR_INVALID_PARAMETER, ERROR_NO_UNICODE_TRANSLATION,
    ERROR_NOT_ENOUGH_MEMORY, GENERIC_EXECUTE, GENERIC_READ, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
    GetFileSizeEx, OPEN_EXISTING, ReadFile,
};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_0, OVERLAPPED_0_0};

use super::{OsError, check, last_error};
use crate::sys::heap;

/// An open file; dropping it closes it.
#[derive(Debug)]
pub struct File(HANDLE);

// SAFETY: handles belong to the process, not to a thread.
unsafe impl Send for File {}
// SAFETY: reads tell their offsets, so that threads do not disturb each other.
unsafe impl Sync for File {}

impl File {
    /// Opens a file for reading. The path is UTF-8.
    pub fn open(path: &CStr) -> Result<File, OsError> {
        let path = WidePath::new(path)?;
        // A file that may not be executed can still be read; its code is copied then.
        open(&path, GENERIC_READ | GENERIC_EXECUTE).or_else(|_| open(&path, GENERIC_READ))
    }

    /// The size in bytes.
    pub fn size(&self) -> Result<u64, OsError> {
        let mut size = 0;
        // SAFETY: the handle is open, and there is room for the answer.
        check(unsafe { GetFileSizeEx(self.0, &raw mut size) })?;
        u64::try_from(size).map_err(|_| OsError(ERROR_INVALID_PARAMETER.cast_signed()))
    }

    /// Reads at an offset until the buffer is full or the file ends; how many bytes came.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize, OsError> {
        let invalid = OsError(ERROR_INVALID_PARAMETER.cast_signed());
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let position = offset.checked_add(done as u64).ok_or(invalid)?;
            let count = u32::try_from(rest.len()).unwrap_or(u32::MAX);
            let mut request = OVERLAPPED {
                Anonymous: OVERLAPPED_0 {
                    Anonymous: OVERLAPPED_0_0 {
                        Offset: position as u32,
                        OffsetHigh: (position >> 32) as u32,
                    },
                },
                ..OVERLAPPED::default()
            };
            let mut read = 0;
            let start = rest.as_mut_ptr();
            // SAFETY: the buffer has room for that many bytes. The handle is one that waits, so that
            // nobody uses the request afterwards.
            let result = unsafe { ReadFile(self.0, start, count, &raw mut read, &raw mut request) };
            match check(result) {
                Ok(()) if read == 0 => break,
                Ok(()) => done += read as usize,
                Err(error) if error.0 == ERROR_HANDLE_EOF.cast_signed() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// The handle, for mapping.
    pub(super) fn handle(&self) -> HANDLE {
        self.0
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is not used again.
        unsafe { CloseHandle(self.0) };
    }
}

fn open(path: &WidePath, access: u32) -> Result<File, OsError> {
    let share = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    // SAFETY: the path ends with a zero; there are no attributes and no template.
    let handle = unsafe {
        CreateFileW(
            path.start.as_ptr().cast(),
            access,
            share,
            ptr::null(),
            OPEN_EXISTING,
            FILE_ATTRIBUTE_NORMAL,
            ptr::null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE {
        Err(last_error())
    } else {
        Ok(File(handle))
    }
}

/// A path in UTF-16 with a zero at its end, for the time of one call of the system.
struct WidePath {
    start: ptr::NonNull<u8>,
    layout: Layout,
}

impl WidePath {
    fn new(path: &CStr) -> Result<WidePath, OsError> {
        let error = |code: u32| OsError(code.cast_signed());
        let path = path
            .to_str()
            .map_err(|_| error(ERROR_NO_UNICODE_TRANSLATION))?;
        // No character is longer than its UTF-8, counted in units.
        let layout = Layout::array::<u16>(path.len() + 1);
        let layout = layout.map_err(|_| error(ERROR_INVALID_PARAMETER))?;
        let start = heap::allocate(layout).ok_or(error(ERROR_NOT_ENOUGH_MEMORY))?;
        let mut unit = start.cast::<u16>();
        for code in path.encode_utf16().chain([0]) {
            // SAFETY: there is room for all units and a zero.
            unsafe { unit.write(code) };
            // SAFETY: this is the next one, or the end of the block.
            unit = unsafe { unit.add(1) };
        }
        Ok(WidePath { start, layout })
    }
}

impl Drop for WidePath {
    fn drop(&mut self) {
        // SAFETY: the block is from there, and the call is over.
        unsafe { heap::free(self.start, self.layout) }
    }
}
