//! Waiting for any of several things.
//!
//! The system can wait for sockets and, by other means, for what threads tell each other, but not for
//! both; so a wait for both looks at the sockets every few milliseconds. Files, pipes and terminals
//! count as ready.

use std::ops::BitOr;
use std::os::windows::io::{AsSocket, BorrowedSocket};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::BorrowedFd;
use crate::errno::Errno;

/// How often sockets are looked at while something else is waited for, too.
const INTERVAL: Duration = Duration::from_millis(5);

/// What is waited for, or has happened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PollFlags(u8);

impl PollFlags {
    /// Reading would not wait.
    pub const IN: PollFlags = PollFlags(1);
    /// Writing would not wait.
    pub const OUT: PollFlags = PollFlags(2);
    /// The other end is gone.
    pub const HUP: PollFlags = PollFlags(4);
    /// Something is wrong.
    pub const ERR: PollFlags = PollFlags(8);
    /// Nothing is open.
    pub const NVAL: PollFlags = PollFlags(16);

    pub const fn empty() -> PollFlags {
        PollFlags(0)
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub const fn contains(self, other: PollFlags) -> bool {
        self.0 & other.0 == other.0
    }

    pub const fn intersects(self, other: PollFlags) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for PollFlags {
    type Output = PollFlags;

    fn bitor(self, other: PollFlags) -> PollFlags {
        PollFlags(self.0 | other.0)
    }
}

enum Source<'a> {
    Host(BorrowedFd<'a>),
    Bell(&'a Bell),
}

/// Something to wait for.
pub(crate) struct PollFd<'a> {
    source: Source<'a>,
    interest: PollFlags,
    happened: PollFlags,
}

impl<'a> PollFd<'a> {
    pub fn from_borrowed_fd(fd: BorrowedFd<'a>, interest: PollFlags) -> PollFd<'a> {
        PollFd {
            source: Source::Host(fd),
            interest,
            happened: PollFlags::empty(),
        }
    }

    /// What has happened.
    pub fn revents(&self) -> PollFlags {
        self.happened
    }

    /// Looks without waiting; whether anything has happened.
    fn look(&mut self) -> Result<bool, Errno> {
        self.happened = match &self.source {
            Source::Bell(bell) if *bell.state() => PollFlags::IN,
            Source::Bell(_) => PollFlags::empty(),
            Source::Host(BorrowedFd::Closed) if !self.interest.is_empty() => PollFlags::NVAL,
            Source::Host(BorrowedFd::Listener(listener)) => {
                look_at(listener.as_socket(), self.interest)?
            }
            Source::Host(BorrowedFd::Connection(connection)) => {
                look_at(connection.as_socket(), self.interest)?
            }
            Source::Host(_) => self.interest,
        };
        Ok(!self.happened.is_empty())
    }
}

/// What has happened to a socket.
fn look_at(socket: BorrowedSocket<'_>, interest: PollFlags) -> Result<PollFlags, Errno> {
    use rustix::event::{PollFd as Polled, PollFlags as Flags, Timespec, poll};
    const PAIRS: [(PollFlags, Flags); 5] = [
        (PollFlags::IN, Flags::IN),
        (PollFlags::OUT, Flags::OUT),
        (PollFlags::HUP, Flags::HUP),
        (PollFlags::ERR, Flags::ERR),
        (PollFlags::NVAL, Flags::NVAL),
    ];
    let mut wanted = Flags::empty();
    // Only the first two can be asked for.
    for (ours, theirs) in &PAIRS[..2] {
        wanted.set(*theirs, interest.contains(*ours));
    }
    let mut polled = [Polled::from_borrowed_fd(socket, wanted)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut polled, Some(&at_once)).map_err(|error| Errno::from(std::io::Error::from(error)))?;
    let found = polled[0].revents();
    Ok(PAIRS
        .into_iter()
        .filter(|(_, theirs)| found.intersects(*theirs))
        .fold(PollFlags::empty(), |all, (ours, _)| all | ours))
}

/// Whether a call would return at once.
pub(crate) fn is_ready(fd: BorrowedFd<'_>, interest: PollFlags) -> Result<bool, Errno> {
    PollFd::from_borrowed_fd(fd, interest).look()
}

/// Waits for any of them, or for the time to pass. It may end early.
pub(crate) fn wait(polled: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<(), Errno> {
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let mut any = false;
        for one in &mut *polled {
            any |= one.look()?;
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if any || left == Some(Duration::ZERO) {
            return Ok(());
        }
        let bell = polled.iter().find_map(|one| match one.source {
            Source::Bell(bell) => Some(bell),
            Source::Host(_) => None,
        });
        let looks_again = polled
            .iter()
            .any(|one| matches!(one.source, Source::Host(_)) && !one.interest.is_empty());
        let pause = match left {
            Some(left) if looks_again => Some(left.min(INTERVAL)),
            None if looks_again => Some(INTERVAL),
            left => left,
        };
        match (bell, pause) {
            (Some(bell), pause) => bell.wait(pause),
            (None, Some(pause)) => std::thread::sleep(pause),
            // Nothing will ever happen; nobody asks for that.
            (None, None) => return Ok(()),
        }
    }
}

/// What one thread rings and others wait for.
pub(crate) struct Bell {
    rings: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    /// A bell that does not ring. Never fails here.
    pub fn new() -> std::io::Result<Bell> {
        Ok(Bell {
            rings: Mutex::new(false),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, bool> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings until it is silenced.
    pub fn ring(&self) {
        *self.state() = true;
        self.changed.notify_all();
    }

    /// Stops.
    pub fn silence(&self) {
        *self.state() = false;
    }

    /// What to wait for.
    pub fn polled(&self) -> PollFd<'_> {
        PollFd {
            source: Source::Bell(self),
            interest: PollFlags::IN,
            happened: PollFlags::empty(),
        }
    }

    /// Waits until it rings, or so long, or for nothing.
    fn wait(&self, pause: Option<Duration>) {
        let rings = self.state();
        if *rings {
            return;
        }
        match pause {
            Some(pause) => drop(self.changed.wait_timeout(rings, pause)),
            None => drop(self.changed.wait(rings)),
        }
    }
}
