//! `poll_oneoff`: waiting for descriptors and clocks together.
//!
//! A subscription that cannot be waited for is an event with an error, at once; the others are
//! reported as usual. Regular files and streams of the host program are always ready.
//!
//! What is waited for is a list in the runtime's memory, unless it is short.

use std::cell::Cell;
use std::time::Duration;

use precast_loader::alloc::Shared;

use crate::clock::{MONOTONIC, REALTIME};
use crate::context::WasiContext;
use crate::descriptor::{Descriptor, Object};
use crate::errno::Errno;
use crate::list::List;
use crate::memory::GuestMemory;
use crate::rights::Rights;
use crate::sys::{self, PollFd, PollFlags};
use crate::types::polling::{
    ABSOLUTE_TIME, CLOCK, DESCRIPTOR, EVENT_SIZE, FD_READ, FD_WRITE, HANGUP, TAG,
};
use crate::types::{Abi, FileType};

/// How many subscriptions one call takes. The system's own call has such a bound, too.
const MAX_SUBSCRIPTIONS: u32 = 65_536;

struct Subscription {
    userdata: u64,
    event_type: u8,
    wait: Wait,
    /// What has happened, if anything has.
    event: Cell<Option<Event>>,
}

impl Subscription {
    /// Fills places of a list until they are used.
    fn none() -> Subscription {
        Subscription {
            userdata: 0,
            event_type: CLOCK,
            wait: Wait::Over(Event::NONE),
            event: Cell::new(None),
        }
    }
}

/// What is waited for.
enum Wait {
    /// A clock, until it shows this time.
    Clock { clock: u32, deadline: u64 },
    /// A descriptor of the host, at this place of the list that is polled.
    Descriptor {
        descriptor: Shared<Descriptor>,
        index: usize,
    },
    /// Nothing: the event has happened.
    Over(Event),
}

#[derive(Clone, Copy)]
struct Event {
    error: u16,
    bytes: u64,
    flags: u16,
}

impl Event {
    /// No error, and nothing to say.
    const NONE: Event = Event {
        error: 0,
        bytes: 0,
        flags: 0,
    };
}

impl WasiContext {
    /// Waits until at least one of the subscriptions has happened; writes the events and their number.
    ///
    /// # Errors
    ///
    /// [`Errno::Invalid`] if there is no subscription, or one of an unknown type, [`Errno::Fault`]
    /// for a bad pointer, [`Errno::NoMemory`] if there are many and no memory for them,
    /// [`Errno::Interrupted`] by [`WasiContext::interrupt`].
    pub fn poll_oneoff(
        &self,
        memory: &mut GuestMemory<'_>,
        abi: Abi,
        subscriptions: u32,
        events: u32,
        count: u32,
        happened: u32,
    ) -> Result<(), Errno> {
        if count == 0 || count > MAX_SUBSCRIPTIONS {
            return Err(Errno::Invalid);
        }
        memory.check_array(subscriptions, count, abi.subscription().size)?;
        memory.check_array(events, count, EVENT_SIZE)?;
        memory.check(happened, 4)?;

        // The guest may want its events where the subscriptions are: these are read first.
        let room = count as usize;
        let mut pending = List::with_room(self.allocator(), room, Subscription::none)?;
        let mut polled = 0;
        for index in 0..count {
            let pointer = subscriptions + index * abi.subscription().size;
            pending.push(self.subscription(memory, abi, pointer, &mut polled)?);
        }
        self.wait(&pending, polled)?;

        let mut pointer = events;
        let mut written = 0;
        for subscription in pending.iter() {
            let Some(event) = subscription.event.get() else {
                continue;
            };
            let mut record = [0; EVENT_SIZE as usize];
            record[..8].copy_from_slice(&subscription.userdata.to_le_bytes());
            record[8..10].copy_from_slice(&event.error.to_le_bytes());
            record[10] = subscription.event_type;
            record[16..24].copy_from_slice(&event.bytes.to_le_bytes());
            record[24..26].copy_from_slice(&event.flags.to_le_bytes());
            memory.write(pointer, &record)?;
            pointer = pointer.wrapping_add(EVENT_SIZE);
            written += 1;
        }
        memory.write_u32(happened, written)
    }

    /// Reads one subscription. Those that have to be polled are counted in `polled`.
    fn subscription(
        &self,
        memory: &GuestMemory<'_>,
        abi: Abi,
        pointer: u32,
        polled: &mut usize,
    ) -> Result<Subscription, Errno> {
        let userdata = memory.read_u64(pointer)?;
        let event_type = memory.read_u8(pointer + TAG)?;
        let wait = match event_type {
            CLOCK => {
                let layout = abi.subscription();
                let clock = memory.read_u32(pointer + layout.clock)?;
                let timeout = memory.read_u64(pointer + layout.timeout)?;
                let flags = memory.read_u16(pointer + layout.flags)?;
                self.clock_wait(clock, timeout, flags)
            }
            FD_READ | FD_WRITE => {
                let fd = memory.read_u32(pointer + DESCRIPTOR)?;
                self.descriptor_wait(fd, event_type, polled)
            }
            _ => return Err(Errno::Invalid),
        };
        let wait = wait.unwrap_or_else(|error| {
            Wait::Over(Event {
                error: error.number(),
                ..Event::NONE
            })
        });
        Ok(Subscription {
            userdata,
            event_type,
            wait,
            event: Cell::new(None),
        })
    }

    fn clock_wait(&self, clock: u32, timeout: u64, flags: u16) -> Result<Wait, Errno> {
        if flags & !ABSOLUTE_TIME != 0 || !matches!(clock, REALTIME | MONOTONIC) {
            return Err(Errno::Invalid);
        }
        if flags & ABSOLUTE_TIME != 0 {
            return Ok(Wait::Clock {
                clock,
                deadline: timeout,
            });
        }
        // A duration stays what it is when somebody sets the time of day.
        let deadline = self.clock_now(MONOTONIC)?.saturating_add(timeout);
        Ok(Wait::Clock {
            clock: MONOTONIC,
            deadline,
        })
    }

    fn descriptor_wait(&self, fd: u32, event_type: u8, polled: &mut usize) -> Result<Wait, Errno> {
        let descriptor = self.descriptor(fd)?;
        let access = if event_type == FD_READ {
            Rights::FD_READ
        } else {
            Rights::FD_WRITE
        };
        descriptor.require(access)?;
        descriptor.require(Rights::POLL_FD_READWRITE)?;
        let Some(host) = descriptor.host() else {
            return Ok(Wait::Over(Event {
                bytes: 1,
                ..Event::NONE
            }));
        };
        match &descriptor.object {
            Object::Directory(_) => return Err(Errno::BadDescriptor),
            Object::Stream(_) | Object::File(_) => {
                let stat = sys::stat(host)?;
                if stat.file_type == FileType::RegularFile {
                    let bytes = if event_type == FD_READ {
                        let to = std::io::SeekFrom::Current(0);
                        stat.size.saturating_sub(sys::seek(host, to)?)
                    } else {
                        1
                    };
                    return Ok(Wait::Over(Event {
                        bytes,
                        ..Event::NONE
                    }));
                }
            }
            Object::Listener(_) | Object::Socket(_) => {}
        }
        let index = *polled;
        *polled += 1;
        Ok(Wait::Descriptor { descriptor, index })
    }

    /// Waits until something has happened, and notes with each subscription what.
    fn wait(&self, pending: &[Subscription], polled: usize) -> Result<(), Errno> {
        let over = pending.iter().any(|one| matches!(one.wait, Wait::Over(_)));
        let empty = || PollFd::from_borrowed_fd(sys::standard_stream(0), PollFlags::empty());
        let alarm = self.alarm();
        let room = polled + usize::from(alarm.is_some());
        let mut list = List::with_room(self.allocator(), room, empty)?;
        for one in pending {
            if let Wait::Descriptor { descriptor, .. } = &one.wait {
                let interest = if one.event_type == FD_READ {
                    PollFlags::IN
                } else {
                    PollFlags::OUT
                };
                let host = descriptor.host().ok_or(Errno::BadDescriptor)?;
                list.push(PollFd::from_borrowed_fd(host, interest));
            }
        }
        if let Some(alarm) = alarm {
            list.push(alarm.polled());
        }
        loop {
            let timeout = if over {
                Some(Duration::ZERO)
            } else {
                self.time_left(pending)?
            };
            sys::wait(&mut list, timeout)?;
            if list[polled..]
                .iter()
                .any(|alarm| !alarm.revents().is_empty())
            {
                return Err(Errno::Interrupted);
            }
            let mut any = false;
            for one in pending {
                let event = self.happened(one, &list)?;
                one.event.set(event);
                any |= event.is_some();
            }
            if any {
                return Ok(());
            }
        }
    }

    /// How long it is to the first deadline; none if no clock is waited for.
    fn time_left(&self, pending: &[Subscription]) -> Result<Option<Duration>, Errno> {
        let mut least = None;
        for one in pending {
            if let Wait::Clock { clock, deadline } = one.wait {
                let left = deadline.saturating_sub(self.clock_now(clock)?);
                least = Some(least.map_or(left, |least: u64| least.min(left)));
            }
        }
        Ok(least.map(Duration::from_nanos))
    }

    fn happened(&self, one: &Subscription, polled: &[PollFd<'_>]) -> Result<Option<Event>, Errno> {
        match &one.wait {
            Wait::Over(event) => Ok(Some(*event)),
            Wait::Clock { clock, deadline } => {
                Ok((self.clock_now(*clock)? >= *deadline).then_some(Event::NONE))
            }
            Wait::Descriptor { descriptor, index } => {
                let found = polled[*index].revents();
                if found.is_empty() {
                    return Ok(None);
                }
                let mut event = Event {
                    bytes: 1,
                    ..Event::NONE
                };
                if found.contains(PollFlags::NVAL) {
                    event.error = Errno::BadDescriptor.number();
                }
                if found.intersects(PollFlags::HUP | PollFlags::ERR) {
                    event.flags = HANGUP;
                }
                if one.event_type == FD_READ
                    && let Some(host) = descriptor.host()
                {
                    event.bytes = sys::bytes_to_read(host);
                }
                Ok(Some(event))
            }
        }
    }
}
