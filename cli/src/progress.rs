//! The progress bar of long compilations: bytes and functions done, and how fast; on a terminal only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use precast_compiler::Progress;
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A compilation that is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// A bar that appears when somebody watches and the compilation takes its time.
pub struct Bar {
    begin: Instant,
    watched: bool,
    functions: AtomicUsize,
    /// The number of functions, and the bar, which counts bytes of bodies: a large function takes
    /// longer than a small one.
    shown: OnceLock<(usize, ProgressBar)>,
}

impl Bar {
    /// A bar that is shown if standard error is a terminal, unless it is unwanted.
    pub fn new(wanted: bool) -> Bar {
        let watched = wanted && std::io::stderr().is_terminal();
        Bar {
            begin: Instant::now(),
            watched,
            functions: AtomicUsize::new(0),
            shown: OnceLock::new(),
        }
    }

    /// Takes the bar off the terminal.
    pub fn finish(&self) {
        if let Some((_, bar)) = self.shown.get() {
            bar.finish_and_clear();
        }
    }
}

impl Progress for Bar {
    fn begin(&self, functions: usize, bytes: usize) {
        if self.watched {
            self.shown.get_or_init(|| {
                let hidden = ProgressDrawTarget::hidden();
                let bar = ProgressBar::with_draw_target(Some(bytes as u64), hidden);
                let style = ProgressStyle::with_template(
                    "  compiling {wide_bar} {decimal_bytes} of {decimal_total_bytes}, \
                     {decimal_bytes_per_sec}, {msg} functions",
                );
                let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
                (functions, bar.with_style(style))
            });
        }
    }

    fn function_compiled(&self, bytes: usize) {
        let Some((functions, bar)) = self.shown.get() else {
            return;
        };
        let done = self.functions.fetch_add(1, Ordering::Relaxed) + 1;
        if bar.is_hidden() && self.begin.elapsed() > PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.inc(bytes as u64);
        if !bar.is_hidden() {
            bar.set_message(format!("{done} of {functions}"));
        }
    }
}
