//! TCP sockets.

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, TcpStream};

use super::{BorrowedFd, OwnedFd};
use crate::errno::Errno;
use crate::types::{FileType, sockets};

fn connection(fd: BorrowedFd<'_>) -> Result<&TcpStream, Errno> {
    match fd {
        BorrowedFd::Connection(connection) => Ok(connection),
        BorrowedFd::Listener(_) => Err(Errno::NotConnected),
        _ => Err(Errno::NotSocket),
    }
}

/// The type of a socket.
pub(crate) fn socket_type(fd: BorrowedFd<'_>) -> Result<FileType, Errno> {
    match fd {
        BorrowedFd::Connection(_) | BorrowedFd::Listener(_) => Ok(FileType::SocketStream),
        _ => Err(Errno::NotSocket),
    }
}

/// Takes the next connection of a listener.
pub(crate) fn accept(fd: BorrowedFd<'_>, nonblock: bool) -> Result<OwnedFd, Errno> {
    let BorrowedFd::Listener(listener) = fd else {
        return Err(Errno::NotSocket);
    };
    let (connection, _) = listener.accept()?;
    connection.set_nonblocking(nonblock)?;
    Ok(connection.into())
}

/// Receives what has come, and says that nothing was cut off: there are no messages in a stream. It
/// waits for all of it, if told so.
pub(crate) fn receive(
    fd: BorrowedFd<'_>,
    buffers: &mut [IoSliceMut<'_>],
    flags: u32,
    at_once: bool,
) -> Result<(usize, bool), Errno> {
    let mut connection = connection(fd)?;
    if flags & sockets::RECEIVE_PEEK != 0 {
        let first = buffers.iter_mut().find(|buffer| !buffer.is_empty());
        let count = first.map_or(Ok(0), |buffer| connection.peek(buffer))?;
        return Ok((count, false));
    }
    let mut count = connection.read_vectored(buffers)?;
    if flags & sockets::RECEIVE_WAIT_ALL != 0 && !at_once {
        let (mut rest, mut more) = (buffers, count);
        while more != 0 {
            IoSliceMut::advance_slices(&mut rest, more);
            if rest.is_empty() {
                break;
            }
            // What has come has come; the next call tells the error.
            more = connection.read_vectored(rest).unwrap_or(0);
            count += more;
        }
    }
    Ok((count, false))
}

/// Sends as much as there is room for.
pub(crate) fn send(
    fd: BorrowedFd<'_>,
    buffers: &[IoSlice<'_>],
    _at_once: bool,
) -> Result<usize, Errno> {
    Ok(connection(fd)?.write_vectored(buffers)?)
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
    Ok(connection(fd)?.shutdown(how)?)
}
