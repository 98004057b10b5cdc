//! Sockets, of whatever family.

use std::io::{IoSlice, IoSliceMut};

use rustix::io::retry_on_intr;
#[cfg(not(target_vendor = "apple"))]
use rustix::net::SocketFlags;
use rustix::net::{
    RecvAncillaryBuffer, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendFlags, Shutdown,
    SocketType,
};

use super::{BorrowedFd, OwnedFd};
use crate::errno::Errno;
use crate::types::{FileType, sockets};

/// That a peer is gone is an error, not a signal.
#[cfg(not(target_vendor = "apple"))]
const QUIET: SendFlags = SendFlags::NOSIGNAL;
/// What says so is the socket's own, since it was accepted.
#[cfg(target_vendor = "apple")]
const QUIET: SendFlags = SendFlags::empty();

/// The type of a socket.
pub(crate) fn socket_type(fd: BorrowedFd<'_>) -> Result<FileType, Errno> {
    Ok(match rustix::net::sockopt::socket_type(fd)? {
        SocketType::DGRAM => FileType::SocketDatagram,
        _ => FileType::SocketStream,
    })
}

/// Takes the next connection of a listener.
pub(crate) fn accept(fd: BorrowedFd<'_>, nonblock: bool) -> Result<OwnedFd, Errno> {
    #[cfg(not(target_vendor = "apple"))]
    {
        let mut flags = SocketFlags::CLOEXEC;
        flags.set(SocketFlags::NONBLOCK, nonblock);
        Ok(retry_on_intr(|| rustix::net::accept_with(fd, flags))?)
    }
    // There is no call that does all of it. That a peer is gone is told to the socket's calls only.
    #[cfg(target_vendor = "apple")]
    {
        let socket = retry_on_intr(|| rustix::net::accept(fd))?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&socket, nonblock)?;
        rustix::net::sockopt::set_socket_nosigpipe(&socket, true)?;
        Ok(socket)
    }
}

/// Receives a message, and says whether it was cut short. Without waiting for one, if told so.
pub(crate) fn receive(
    fd: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    flags: u32,
    at_once: bool,
) -> Result<(usize, bool), Errno> {
    let mut host = RecvFlags::empty();
    host.set(RecvFlags::DONTWAIT, at_once);
    host.set(RecvFlags::PEEK, flags & sockets::RECEIVE_PEEK != 0);
    host.set(RecvFlags::WAITALL, flags & sockets::RECEIVE_WAIT_ALL != 0);
    let message = retry_on_intr(|| {
        rustix::net::recvmsg(fd, buffers, &mut RecvAncillaryBuffer::default(), host)
    })?;
    Ok((message.bytes, message.flags.contains(ReturnFlags::TRUNC)))
}

/// Sends a message, or as much of it as there is room for, if it shall not wait for more. A peer that
/// is gone is an error, not a signal.
pub(crate) fn send(
    fd: BorrowedFd<'_>,
    buffers: &[IoSlice<'_>],
    at_once: bool,
) -> Result<usize, Errno> {
    let mut flags = QUIET;
    flags.set(SendFlags::DONTWAIT, at_once);
    let sent = retry_on_intr(|| {
        let mut control = SendAncillaryBuffer::default();
        rustix::net::sendmsg(fd, buffers, &mut control, flags)
    });
    Ok(sent?)
}

/// Ends one or both directions of a connection.
pub(crate) fn shutdown(fd: BorrowedFd<'_>, how: u32) -> Result<(), Errno> {
    const BOTH: u32 = sockets::SHUTDOWN_READ | sockets::SHUTDOWN_WRITE;
    let how = match how {
        sockets::SHUTDOWN_READ => Shutdown::Read,
        sockets::SHUTDOWN_WRITE => Shutdown::Write,
        BOTH => Shutdown::Both,
        _ => return Err(Errno::Invalid),
    };
    Ok(rustix::net::shutdown(fd, how)?)
}
