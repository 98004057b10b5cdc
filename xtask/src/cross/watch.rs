//! Processes that may hang: one that says nothing for too long is ended.

use crate::Outcome;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(50);

/// A process that ended.
pub struct Ended {
    /// Standard output.
    pub output: Vec<u8>,
    /// Standard error.
    pub complaints: String,
    /// How it ended; nothing if it was ended for its silence.
    pub status: Option<ExitStatus>,
}

impl Ended {
    /// How it ended, and the end of its last words.
    pub fn says(&self) -> String {
        let status = match self.status {
            Some(status) => status.to_string(),
            None => "ended after a long silence".to_owned(),
        };
        match self.complaints.lines().last() {
            Some(line) => format!("{status}: {line}"),
            None => status,
        }
    }
}

/// Runs a command to its end. Its streams go through files that begin with this path: what it said
/// is there even if it is ended.
pub fn run(mut command: Command, silence: Duration, files: &Path) -> Outcome<Ended> {
    let (output, complaints) = (files.with_extension("out"), files.with_extension("err"));
    command
        .stdin(Stdio::null())
        .stdout(create(&output)?)
        .stderr(create(&complaints)?);
    let child = command
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let status = wait(child, silence, &output)?;
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    Ok(Ended {
        output: read(&output)?,
        complaints: String::from_utf8_lossy(&read(&complaints)?).into_owned(),
        status,
    })
}

fn create(path: &Path) -> Outcome<File> {
    let folder = path.parent().unwrap_or(path);
    let made = fs::create_dir_all(folder).and_then(|()| File::create(path));
    made.map_err(|error| format!("{}: {error}", path.display()))
}

fn wait(mut child: Child, silence: Duration, output: &Path) -> Outcome<Option<ExitStatus>> {
    let mut said = (0, Instant::now());
    loop {
        if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
            return Ok(Some(status));
        }
        let length = fs::metadata(output).map_or(0, |data| data.len());
        if length != said.0 {
            said = (length, Instant::now());
        } else if said.1.elapsed() > silence {
            let ended = child.kill().and_then(|()| child.wait());
            ended.map_err(|error| error.to_string())?;
            return Ok(None);
        }
        thread::sleep(INTERVAL);
    }
}

/// Does jobs on all processors; their results in order.
pub fn side_by_side<J: Sync, T: Send>(
    jobs: &[J],
    work: impl Fn(usize, &J) -> Outcome<T> + Sync,
) -> Outcome<Vec<T>> {
    let results: Mutex<Vec<(usize, Outcome<T>)>> = Mutex::default();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(number) else { break };
                    let result = work(number, job);
                    if let Ok(mut results) = results.lock() {
                        results.push((number, result));
                    }
                }
            });
        }
    });
    let mut results = results.into_inner().map_err(|_| "a thread panicked")?;
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
