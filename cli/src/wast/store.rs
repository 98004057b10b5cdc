//! Compiles the modules of many scripts and stores what came of them.

use super::code::Code;
use super::script::compile_script;
use crate::Outcome;
use crate::failure::Failure;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Stores the modules of all scripts in the folder, which is made. The scripts are shared out among
/// the processors: most modules are too small for more than one.
pub fn all(scripts: &[PathBuf], code: &dyn Code, folder: &Path) -> Outcome<()> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::at(folder, error))?;
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(script) = scripts.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(script, code, folder)?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| {
            let gone = || Err(Failure::new("a thread that compiled has panicked"));
            worker.join().unwrap_or_else(|_| gone())
        })
    })
}

fn one(script: &Path, code: &dyn Code, folder: &Path) -> Outcome<()> {
    let text = super::read(script)?;
    let name = script.display().to_string();
    let stored = compile_script(&name, &text, code).map_err(Failure::rendered)?;
    stored
        .write(folder, &text)
        .map_err(|error| Failure::at(script, error))
}
