//! Writing results: whole files or none, and standard output that survives a closed pipe.

use crate::Outcome;
use crate::failure::Failure;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Prints text to standard output.
pub fn print(text: &str) -> Outcome<()> {
    print_bytes(text.as_bytes())
}

/// Prints bytes to standard output.
pub fn print_bytes(bytes: &[u8]) -> Outcome<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::reader_gone()),
        Err(error) => Err(Failure::new(format_args!("standard output: {error}"))),
    }
}

/// Writes a whole file, or standard output where the path is `-`.
///
/// The bytes go to a temporary file beside the destination, which takes its name once everything
/// is on the disk: an interruption or a full disk leaves what was there before.
pub fn write(path: &Path, bytes: &[u8]) -> Outcome<()> {
    if path == Path::new("-") {
        return print_bytes(bytes);
    }
    let result = match fs::metadata(path) {
        // A device or a pipe cannot be replaced, only written to.
        Ok(data) if !data.is_file() && !data.is_dir() => OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(bytes)),
        _ => replace(path, bytes),
    };
    result.map_err(|error| Failure::at(path, error))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link keeps pointing where it points; the file behind it is replaced.
    let destination = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut temporary = Temporary::beside(&destination)?;
    temporary.file.write_all(bytes)?;
    temporary.file.sync_all()?;
    fs::rename(&temporary.path, &destination)?;
    temporary.kept = true;
    Ok(())
}

/// A file that is removed again unless it was kept.
struct Temporary {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Temporary {
    fn beside(destination: &Path) -> io::Result<Temporary> {
        let name = destination.file_name().ok_or(ErrorKind::InvalidFilename)?;
        let mut temporary_name = std::ffi::OsString::from(".");
        temporary_name.push(name);
        temporary_name.push(format!(".{}.tmp", std::process::id()));
        let path = destination.with_file_name(temporary_name);
        // Nobody else uses this process's number, so what has the name is left from long ago.
        let file = File::create(&path)?;
        Ok(Temporary {
            path,
            file,
            kept: false,
        })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_file(&self.path);
        }
    }
}
