//! Waiting that can be ended: for programs of several threads, which all end when one does.
//!
//! ```text
//!   poll( what the guest waits for , alarm )  ->  ready: the call is made    |
//!                                             ->  alarm: Errno::Interrupted
//! ```
//!
//! A context has no alarm until somebody wants one: system calls then wait as they do in any
//! program. With an alarm, a call that may wait is made when it does not have to. Another thread can
//! be faster between the two; so whoever finds a descriptor ready looks once more, and makes the
//! call, while it has the [turn](Descriptor::turn). Nobody waits while they have it.
//!
//! What cannot be ended is an object of the host program's that waits, and a wait that the system
//! makes although it has called a descriptor ready: when another process takes the input first, or
//! when a person stops the output of a terminal.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::context::WasiContext;
use crate::descriptor::{Descriptor, lock};
use crate::errno::Errno;
use crate::sys::{self, Bell, BorrowedFd, PollFd, PollFlags};
use crate::types::{FileType, fdflags};

/// As long as it rings, nobody waits.
pub(crate) struct Alarm {
    bell: Bell,
    rings: AtomicBool,
}

impl Alarm {
    fn new() -> io::Result<Alarm> {
        Ok(Alarm {
            bell: Bell::new()?,
            rings: AtomicBool::new(false),
        })
    }

    /// Ends all waiting, until [`Alarm::stop`].
    fn ring(&self) {
        if !self.rings.swap(true, Ordering::AcqRel) {
            self.bell.ring();
        }
    }

    /// Lets calls wait again.
    fn stop(&self) {
        if self.rings.swap(false, Ordering::AcqRel) {
            self.bell.silence();
        }
    }

    /// What to wait for beside everything else.
    pub fn polled(&self) -> PollFd<'_> {
        self.bell.polled()
    }

    /// Waits until the descriptor is ready, or for nothing: a signal ends the waiting, too.
    ///
    /// # Errors
    ///
    /// [`Errno::Interrupted`] when the alarm rings.
    fn wait(&self, fd: BorrowedFd<'_>, interest: PollFlags) -> Result<(), Errno> {
        let mut polled = [PollFd::from_borrowed_fd(fd, interest), self.polled()];
        sys::wait(&mut polled, None)?;
        if polled[1].revents().is_empty() {
            Ok(())
        } else {
            Err(Errno::Interrupted)
        }
    }

    /// Waits for so long.
    ///
    /// # Errors
    ///
    /// [`Errno::Interrupted`] when the alarm rings.
    pub fn pause(&self, time: Duration) -> Result<(), Errno> {
        let mut polled = [self.polled()];
        sys::wait(&mut polled, Some(time))?;
        if polled[0].revents().is_empty() {
            Ok(())
        } else {
            Err(Errno::Interrupted)
        }
    }
}

impl WasiContext {
    /// Makes the waiting of calls something that [`WasiContext::interrupt`] can end, for calls that
    /// begin from now on: to read what is not there yet, to write to what is full, to accept, to
    /// poll, to sleep. Such a call then takes one or two system calls more. Takes two descriptors of
    /// the process; without effect the second time.
    ///
    /// # Errors
    ///
    /// What the system says: the process has too many descriptors.
    pub fn make_interruptible(&self) -> io::Result<()> {
        if self.state.alarm.get().is_none() {
            let alarm = Alarm::new()?;
            // Another thread may have been faster; its alarm is as good.
            let _ = self.state.alarm.set(alarm);
        }
        Ok(())
    }

    /// Ends the waiting of all calls through this context with [`Errno::Interrupted`], of those that
    /// wait and of those to come. Without effect where [`WasiContext::make_interruptible`] was not
    /// called. An object of the host program's that waits goes on.
    pub fn interrupt(&self) {
        if let Some(alarm) = self.alarm() {
            alarm.ring();
        }
    }

    /// Lets calls wait again.
    pub fn clear_interrupt(&self) {
        if let Some(alarm) = self.alarm() {
            alarm.stop();
        }
    }

    /// What ends waiting, if anything can.
    pub(crate) fn alarm(&self) -> Option<&Alarm> {
        self.state.alarm.get()
    }
}

impl Descriptor {
    /// Makes a system call that waits until this descriptor of the host is ready, and ends the
    /// waiting when the alarm rings. The call should move no more than [`sys::PIECE`] bytes into
    /// what may be full.
    pub fn when_ready<T>(
        &self,
        alarm: Option<&Alarm>,
        fd: BorrowedFd<'_>,
        interest: PollFlags,
        mut call: impl FnMut() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let Some(alarm) = alarm.filter(|_| self.waits(fd)) else {
            return call();
        };
        loop {
            alarm.wait(fd, interest)?;
            let _turn = lock(&self.turn);
            if sys::is_ready(fd, interest)? {
                match call() {
                    // There was less room than it seemed.
                    Err(Errno::Again) => {}
                    result => return result,
                }
            }
        }
    }

    /// Writes to a descriptor of the host with `call`, so that an alarm ends the waiting.
    pub fn write_when_ready(
        &self,
        alarm: Option<&Alarm>,
        fd: BorrowedFd<'_>,
        buffers: &[IoSlice<'_>],
        call: impl Fn(&[IoSlice<'_>]) -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        let lengths = buffers.iter().map(|buffer| buffer.len());
        let total = lengths.fold(0, usize::saturating_add);
        if alarm.is_none() || total <= sys::PIECE || !self.waits(fd) {
            return self.when_ready(alarm, fd, PollFlags::OUT, || call(buffers));
        }
        let mut written = 0;
        for buffer in buffers {
            let mut rest = &buffer[..];
            while !rest.is_empty() {
                let piece = [IoSlice::new(&rest[..rest.len().min(sys::PIECE)])];
                match self.when_ready(alarm, fd, PollFlags::OUT, || call(&piece)) {
                    Ok(count @ 1..) => {
                        written += count;
                        rest = rest.get(count..).unwrap_or_default();
                    }
                    Err(error) if written == 0 => return Err(error),
                    // What is written is written; the next call tells the error.
                    _ => return Ok(written),
                }
            }
        }
        Ok(written)
    }

    /// Whether calls on this descriptor of the host may wait for somebody else.
    fn waits(&self, fd: BorrowedFd<'_>) -> bool {
        if self.flags() & fdflags::NONBLOCK != 0 {
            return false;
        }
        // What is open stays what it is; to find out twice does no harm.
        let waits = self.waits.get_or_init(|| {
            let stat = sys::stat(fd);
            !stat.is_ok_and(|stat| {
                matches!(
                    stat.file_type,
                    FileType::RegularFile | FileType::Directory | FileType::BlockDevice
                )
            })
        });
        *waits
    }
}
