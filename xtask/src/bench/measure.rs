//! One process at a time: CPU time and peak memory as the kernel counts them, and the output.

use crate::Outcome;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4;

/// What one process used.
#[derive(Clone, Copy, Default)]
pub struct Usage {
    /// From start to exit.
    pub wall: Duration,
    /// User and system time of all threads.
    pub cpu: Duration,
    /// Most bytes resident at once.
    pub peak: u64,
    /// The exit code, unless a signal ended the process.
    pub exit: Option<i32>,
}

impl Usage {
    /// The median of each figure; zero where nothing was measured.
    pub fn median(usages: &[Usage]) -> Usage {
        let peaks: Vec<Duration> = usages
            .iter()
            .map(|usage| Duration::from_nanos(usage.peak))
            .collect();
        Usage {
            wall: median(&usages.iter().map(|usage| usage.wall).collect::<Vec<_>>()),
            cpu: median(&usages.iter().map(|usage| usage.cpu).collect::<Vec<_>>()),
            peak: median(&peaks).as_nanos() as u64,
            exit: Some(0),
        }
    }
}

/// The middle one, or the mean of the middle two.
pub fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    match times.len() {
        0 => Duration::ZERO,
        count if count % 2 == 1 => times[count / 2],
        count => (times[count / 2 - 1] + times[count / 2]) / 2,
    }
}

/// Runs a compiler; its standard output is not wanted, its complaints are.
pub fn compile(mut command: Command) -> Outcome<Usage> {
    let usage = wait(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped()),
    )?;
    if usage.0.exit == Some(0) {
        Ok(usage.0)
    } else {
        Err(format!(
            "{command:?} failed: {}",
            String::from_utf8_lossy(&usage.1)
        ))
    }
}

/// Runs a program in `folder`. Its output goes to a file first, so that no reader competes with
/// it for the processor.
pub fn run(mut command: Command, folder: &Path, scratch: &Path) -> Outcome<(Usage, Vec<u8>)> {
    let path = scratch.join("output.tmp");
    let file = File::create(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(Stdio::null());
    let (usage, _) = wait(&mut command)?;
    let output = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok((usage, output))
}

fn wait(command: &mut Command) -> Outcome<(Usage, Vec<u8>)> {
    let start = Instant::now();
    let mut child = command
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let mut complaints = Vec::new();
    if let Some(mut stderr) = child.stderr.take() {
        std::io::Read::read_to_end(&mut stderr, &mut complaints).map_err(|e| e.to_string())?;
    }
    let used = child.wait4().map_err(|error| error.to_string())?;
    let usage = Usage {
        wall: start.elapsed(),
        cpu: used.rusage.utime + used.rusage.stime,
        peak: used.rusage.maxrss,
        exit: used.status.code(),
    };
    Ok((usage, complaints))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        let times = [9, 1, 5].map(Duration::from_secs);
        assert_eq!(median(&times), Duration::from_secs(5));
        assert_eq!(median(&times[..2]), Duration::from_secs(5));
        assert_eq!(median(&[]), Duration::ZERO);
    }
}
