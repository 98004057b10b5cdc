//! Sockets: connections of a preopened listener. There is no other way to get one in preview 1.

use crate::context::WasiContext;
use crate::descriptor::{Descriptor, Object};
use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::rights::Rights;
use crate::sys::{self, AsFd, BorrowedFd, PollFlags};
use crate::types::{fdflags, sockets};

/// The connection behind a descriptor.
fn connection(descriptor: &Descriptor) -> Result<BorrowedFd<'_>, Errno> {
    match &descriptor.object {
        Object::Socket(fd) => Ok(fd.as_fd()),
        Object::Listener(_) => Err(Errno::NotConnected),
        _ => Err(Errno::NotSocket),
    }
}

impl WasiContext {
    /// Accepts a connection and writes its descriptor.
    ///
    /// # Errors
    ///
    /// [`Errno::NotSocket`] if it is none, [`Errno::Again`] if nobody waits and the listener does
    /// not block either.
    pub fn sock_accept(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        flags: u32,
        connected: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let listener = match &descriptor.object {
            Object::Listener(fd) => fd.as_fd(),
            Object::Socket(_) => return Err(Errno::Invalid),
            _ => return Err(Errno::NotSocket),
        };
        descriptor.require(Rights::SOCK_ACCEPT)?;
        memory.check(connected, 4)?;
        if flags & !fdflags::NONBLOCK != 0 {
            return Err(Errno::Invalid);
        }
        let vacancy = self.reserve()?;
        let socket = descriptor.when_ready(self.alarm(), listener, PollFlags::IN, || {
            sys::accept(listener, flags & fdflags::NONBLOCK != 0)
        })?;
        let rights = Rights::SOCKET & descriptor.inheriting();
        let socket = Descriptor::new(Object::Socket(socket), rights, Rights::NONE);
        let socket = self.state.table.insert(vacancy, socket.with_flags(flags))?;
        memory.write_u32(connected, socket)
    }

    /// Receives a message; writes its length, and whether it was cut off.
    ///
    /// # Errors
    ///
    /// [`Errno::NotSocket`] if it is none, [`Errno::Invalid`] for unknown flags, and what the system
    /// says.
    #[expect(clippy::too_many_arguments, reason = "the signature is WASI's")]
    pub fn sock_recv(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        flags: u32,
        received: u32,
        received_flags: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let socket = connection(&descriptor)?;
        descriptor.require(Rights::FD_READ)?;
        memory.check(received, 4)?;
        memory.check(received_flags, 2)?;
        if flags & !(sockets::RECEIVE_PEEK | sockets::RECEIVE_WAIT_ALL) != 0 {
            return Err(Errno::Invalid);
        }
        let mut truncated = false;
        let count = memory.scatter(self.allocator(), iovs, iovs_len, |buffers| {
            let (count, cut) = descriptor.receive(self.alarm(), socket, buffers, flags)?;
            truncated = cut;
            Ok(count)
        })?;
        memory.write_u32(received, u32::try_from(count).unwrap_or(u32::MAX))?;
        let flags = if truncated {
            sockets::RECEIVED_TRUNCATED
        } else {
            0
        };
        memory.write_u16(received_flags, flags)
    }

    /// Sends a message; writes how much of it was sent.
    ///
    /// # Errors
    ///
    /// [`Errno::NotSocket`] if it is none, [`Errno::Invalid`] for any flag, and what the system says.
    pub fn sock_send(
        &self,
        memory: &mut GuestMemory<'_>,
        fd: u32,
        iovs: u32,
        iovs_len: u32,
        flags: u32,
        sent: u32,
    ) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let socket = connection(&descriptor)?;
        descriptor.require(Rights::FD_WRITE)?;
        memory.check(sent, 4)?;
        if flags != 0 {
            return Err(Errno::Invalid);
        }
        let count = memory.gather(self.allocator(), iovs, iovs_len, |buffers| {
            descriptor.send(self.alarm(), socket, buffers)
        })?;
        memory.write_u32(sent, u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Ends one or both directions of a connection.
    ///
    /// # Errors
    ///
    /// [`Errno::NotSocket`] if it is none, [`Errno::Invalid`] if no direction is named.
    pub fn sock_shutdown(&self, fd: u32, how: u32) -> Result<(), Errno> {
        let descriptor = self.descriptor(fd)?;
        let socket = match &descriptor.object {
            Object::Socket(fd) | Object::Listener(fd) => fd.as_fd(),
            _ => return Err(Errno::NotSocket),
        };
        descriptor.require(Rights::SOCK_SHUTDOWN)?;
        sys::shutdown(socket, how)
    }
}
