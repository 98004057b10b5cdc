//! The progress bar of long compilations: functions done of functions to do, on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use precast_compiler::Progress;
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A compilation that is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that appears when somebody watches and the compilation takes its time.
pub struct Bar {
    begin: Instant,
    watched: bool,
    functions: OnceLock<ProgressBar>,
}

impl Bar {
    /// A bar that is shown if standard error is a terminal, unless it is unwanted.
    pub fn new(wanted: bool) -> Bar {
        let watched = wanted && std::io::stderr().is_terminal();
        Bar {
            begin: Instant::now(),
            watched,
            functions: OnceLock::new(),
        }
    }

    /// Takes the bar off the terminal.
    pub fn finish(&self) {
        if let Some(bar) = self.functions.get() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn begin(&self, functions: usize) {
        if self.watched {
            self.functions.get_or_init(|| {
                let hidden = ProgressDrawTarget::hidden();
                let bar = ProgressBar::with_draw_target(Some(functions as u64), hidden);
                let style =
                    ProgressStyle::with_template("  compiling {wide_bar} {pos}/{len} functions");
                bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
            });
        }
    }

    fn function_compiled(&self, _bytes: usize) {
        let Some(bar) = self.functions.get() else {
            return;
        };
        if bar.is_hidden() && self.begin.elapsed() > PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.inc(1);
    }
}
