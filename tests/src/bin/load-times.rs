//! Loads and instantiates an artifact a few times, for `cargo xtask scale`. Prints the least
//! nanoseconds that loading and instantiating took, and the bytes that are resident while an
//! instance is there: all of them, and those that belong to no file.
//!
//! Imported functions are defined, and do nothing; other imports are not.
#![forbid(unsafe_code)]

use precast_loader::{ExternType, Imports, InstanceOptions, Runtime, Source};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

/// More than this is not spent on one artifact.
const PATIENCE: Duration = Duration::from_millis(500);

/// Nor is it loaded more often.
const TIMES: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("an artifact is needed")?;
    let begin = Instant::now();
    let (mut loading, mut instantiating) = (Duration::MAX, Duration::MAX);
    let mut resident = (0, 0);
    for time in 0..TIMES {
        if time > 0 && begin.elapsed() > PATIENCE {
            break;
        }
        let runtime = Runtime::system()?;
        let start = Instant::now();
        let module = runtime.load_named_by_user(Source::file(Path::new(&path)))?;
        loading = loading.min(start.elapsed());
        let mut imports = Imports::for_module(&module)?;
        for (from, name, ty) in module.imports() {
            if let ExternType::Function(ty) = ty {
                imports.func_untyped(from, name, ty, |_, _, _| Ok(()))?;
            }
        }
        let start = Instant::now();
        let instance = module.instantiate(&imports, InstanceOptions::default())?;
        instantiating = instantiating.min(start.elapsed());
        resident = rollup();
        drop(instance);
    }
    let (all, anonymous) = resident;
    println!(
        "{} {} {all} {anonymous}",
        loading.as_nanos(),
        instantiating.as_nanos()
    );
    Ok(())
}

/// Resident bytes of this process: all, and those that belong to no file; zero where the system does
/// not tell.
fn rollup() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        kilobytes.and_then(|it| it.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    (field("Rss:"), field("Anonymous:"))
}
