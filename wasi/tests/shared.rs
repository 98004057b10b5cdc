//! All that guests do, done once more by guests whose memory several threads could share: bytes are
//! copied in and out, and nothing else is different.

#[path = "directories.rs"]
mod directories;
#[path = "faults.rs"]
mod faults;
#[path = "files.rs"]
mod files;
#[path = "paths.rs"]
mod paths;
#[path = "polling.rs"]
mod polling;
#[path = "process.rs"]
mod process;
#[path = "rights.rs"]
mod rights;
