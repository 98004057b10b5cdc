//! The context: everything that a guest can reach, and how an embedder says what that is.
//!
//! A fresh context reaches nothing: no arguments, no environment, no files, and standard streams that
//! lead nowhere. Building one makes a system call only for what needs one: opening a directory.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex};

use cap_std::fs::Dir;

use crate::clock::Origin;
use crate::descriptor::{Descriptor, Directory, Object, Stream, lock};
use crate::errno::Errno;
use crate::rights::Rights;
use crate::sys;
use crate::table::Table;

/// What a guest can reach. Clones are handles to the same state, for any number of instances and
/// threads.
#[derive(Clone)]
pub struct WasiContext {
    pub(crate) state: Arc<State>,
}

pub(crate) struct State {
    pub args: Vec<Vec<u8>>,
    pub environment: Vec<Vec<u8>>,
    pub table: Table,
    pub origin: Origin,
}

impl WasiContext {
    /// Starts a context that reaches nothing.
    pub fn builder() -> WasiContextBuilder {
        WasiContextBuilder {
            args: Vec::new(),
            environment: Vec::new(),
            streams: [const { Stream::Null }; 3],
            listeners: Vec::new(),
            directories: Vec::new(),
            limit: DEFAULT_DESCRIPTORS,
        }
    }

    pub(crate) fn descriptor(&self, fd: u32) -> Result<Arc<Descriptor>, Errno> {
        self.state.table.get(fd)
    }
}

impl std::fmt::Debug for WasiContext {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("WasiContext")
            .finish_non_exhaustive()
    }
}

/// How many descriptors a guest may have open unless told otherwise.
const DEFAULT_DESCRIPTORS: usize = 1024;

/// Where standard input comes from.
pub enum Input {
    /// Nothing to read.
    Null,
    /// This process's standard input.
    Inherit,
    /// A file or pipe, which the context then owns.
    File(OwnedFd),
    /// These bytes.
    Bytes(Vec<u8>),
    /// The host program. Polling says that it is always ready.
    Reader(Box<dyn Read + Send>),
}

/// Where standard output or standard error goes.
pub enum Output {
    /// Nowhere.
    Null,
    /// This process's stream of the same kind.
    Inherit,
    /// A file or pipe, which the context then owns.
    File(OwnedFd),
    /// A buffer, of which the embedder keeps a clone.
    Buffer(OutputBuffer),
    /// The host program.
    Writer(Box<dyn Write + Send>),
}

/// Collects output in memory, up to a limit. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct OutputBuffer {
    bytes: Arc<Mutex<Vec<u8>>>,
    limit: usize,
}

impl OutputBuffer {
    /// A buffer that takes this many bytes; then writing fails for want of space.
    #[must_use]
    pub fn new(limit: usize) -> OutputBuffer {
        OutputBuffer {
            bytes: Arc::default(),
            limit,
        }
    }

    /// A copy of what was written so far.
    #[must_use]
    pub fn contents(&self) -> Vec<u8> {
        lock(&self.bytes).clone()
    }

    /// Takes out what was written so far.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *lock(&self.bytes))
    }
}

impl Write for OutputBuffer {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut bytes = lock(&self.bytes);
        let count = data.len().min(self.limit.saturating_sub(bytes.len()));
        if count == 0 && !data.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        bytes.extend_from_slice(&data[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a context cannot be built.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub enum BuildError {
    /// An argument has a NUL byte, which ends arguments in the guest. Leave the argument out.
    NulInArgument {
        /// The argument's position.
        index: usize,
    },
    /// An environment variable has a NUL byte, or its name is empty or has a `=`. Leave it out.
    BadVariable {
        /// The variable's position.
        index: usize,
    },
    /// There are more preopened directories and sockets than descriptors allowed. Raise the limit.
    TooManyDescriptors {
        /// The limit.
        limit: usize,
    },
}

impl std::fmt::Display for BuildError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BuildError::NulInArgument { index } => {
                write!(formatter, "argument {index} has a NUL byte")
            }
            BuildError::BadVariable { index } => {
                write!(
                    formatter,
                    "environment variable {index} has a NUL byte or no proper name"
                )
            }
            BuildError::TooManyDescriptors { limit } => {
                write!(
                    formatter,
                    "more preopened descriptors than the limit of {limit}"
                )
            }
        }
    }
}

impl std::error::Error for BuildError {}

/// Says what a guest can reach, piece by piece.
#[must_use]
pub struct WasiContextBuilder {
    args: Vec<Vec<u8>>,
    environment: Vec<Vec<u8>>,
    streams: [Stream; 3],
    listeners: Vec<OwnedFd>,
    directories: Vec<(Dir, String, Rights, Rights)>,
    limit: usize,
}

impl WasiContextBuilder {
    /// Adds an argument. The first is, by custom, the program's name.
    pub fn arg(mut self, arg: impl Into<Vec<u8>>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args<A: Into<Vec<u8>>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Adds an environment variable.
    pub fn env(mut self, name: impl Into<Vec<u8>>, value: impl AsRef<[u8]>) -> Self {
        let mut variable = name.into();
        // A name with a `=` would be another variable; `build` sees that the name is gone.
        if variable.contains(&b'=') {
            variable.clear();
        }
        variable.push(b'=');
        variable.extend_from_slice(value.as_ref());
        self.environment.push(variable);
        self
    }

    /// Adds the environment variables of this process.
    pub fn inherit_env(mut self) -> Self {
        for (name, value) in std::env::vars_os() {
            self = self.env(name.into_encoded_bytes(), value.into_encoded_bytes());
        }
        self
    }

    /// Lets the guest use the three standard streams of this process.
    pub fn inherit_stdio(self) -> Self {
        self.stdin(Input::Inherit)
            .stdout(Output::Inherit)
            .stderr(Output::Inherit)
    }

    /// Says where standard input comes from.
    pub fn stdin(mut self, input: Input) -> Self {
        self.streams[0] = match input {
            Input::Null => Stream::Null,
            Input::Inherit => Stream::Inherited(sys::standard_stream(0)),
            Input::File(file) => Stream::Owned(file),
            Input::Bytes(bytes) => Stream::Reader(Mutex::new(Box::new(io::Cursor::new(bytes)))),
            Input::Reader(reader) => Stream::Reader(Mutex::new(reader)),
        };
        self
    }

    /// Says where standard output goes.
    pub fn stdout(mut self, output: Output) -> Self {
        self.streams[1] = output_stream(1, output);
        self
    }

    /// Says where standard error goes.
    pub fn stderr(mut self, output: Output) -> Self {
        self.streams[2] = output_stream(2, output);
        self
    }

    /// Lets the guest use a directory of the host under a name of its own, with every right.
    ///
    /// # Errors
    ///
    /// What opening the directory says: it does not exist, is none, or may not be read.
    pub fn preopen_dir(
        self,
        host_path: impl AsRef<Path>,
        guest_path: impl Into<String>,
    ) -> io::Result<Self> {
        self.preopen_dir_with_rights(
            host_path,
            guest_path,
            Rights::DIRECTORY,
            Rights::DIRECTORY_INHERITING,
        )
    }

    /// Lets the guest use a directory of the host, with these rights on the directory itself and
    /// these on what is opened through it.
    ///
    /// # Errors
    ///
    /// What opening the directory says: it does not exist, is none, or may not be read.
    pub fn preopen_dir_with_rights(
        mut self,
        host_path: impl AsRef<Path>,
        guest_path: impl Into<String>,
        rights: Rights,
        inheriting: Rights,
    ) -> io::Result<Self> {
        let directory = Dir::from_std_file(sys::open_directory(host_path.as_ref())?.into());
        self.directories.push((
            directory,
            guest_path.into(),
            rights & Rights::DIRECTORY,
            inheriting & Rights::DIRECTORY_INHERITING,
        ));
        Ok(self)
    }

    /// Lets the guest accept connections of a listener. Listeners get the descriptors from 3 on, in
    /// this order, before the directories.
    pub fn preopen_listener(mut self, listener: impl Into<OwnedFd>) -> Self {
        self.listeners.push(listener.into());
        self
    }

    /// Lets the guest accept TCP connections.
    pub fn preopen_tcp_listener(self, listener: TcpListener) -> Self {
        self.preopen_listener(listener)
    }

    /// Sets how many descriptors the guest may have open, the standard streams included. The default
    /// is 1024.
    pub fn max_descriptors(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Makes the context.
    ///
    /// # Errors
    ///
    /// [`BuildError`], if something was said that no guest could understand.
    pub fn build(self) -> Result<WasiContext, BuildError> {
        if let Some(index) = self.args.iter().position(|arg| arg.contains(&0)) {
            return Err(BuildError::NulInArgument { index });
        }
        let bad = |variable: &Vec<u8>| variable.contains(&0) || variable.first() == Some(&b'=');
        if let Some(index) = self.environment.iter().position(bad) {
            return Err(BuildError::BadVariable { index });
        }
        let count = self.streams.len() + self.listeners.len() + self.directories.len();
        if count > self.limit {
            return Err(BuildError::TooManyDescriptors { limit: self.limit });
        }

        let mut entries = Vec::with_capacity(count);
        for (number, stream) in self.streams.into_iter().enumerate() {
            let rights = if number == 0 {
                Rights::INPUT
            } else {
                Rights::OUTPUT
            };
            entries.push(Descriptor::new(
                Object::Stream(stream),
                rights,
                Rights::NONE,
            ));
        }
        for listener in self.listeners {
            let object = Object::Listener(listener);
            entries.push(Descriptor::new(object, Rights::LISTENER, Rights::SOCKET));
        }
        for (dir, guest_path, rights, inheriting) in self.directories {
            let object = Object::Directory(Directory::new(dir));
            let mut descriptor = Descriptor::new(object, rights, inheriting);
            descriptor.preopen = Some(guest_path);
            entries.push(descriptor);
        }
        Ok(WasiContext {
            state: Arc::new(State {
                args: self.args,
                environment: self.environment,
                table: Table::new(entries, self.limit),
                origin: Origin::now(),
            }),
        })
    }
}

fn output_stream(number: u32, output: Output) -> Stream {
    match output {
        Output::Null => Stream::Null,
        Output::Inherit => Stream::Inherited(sys::standard_stream(number)),
        Output::File(file) => Stream::Owned(file),
        Output::Buffer(buffer) => Stream::Writer(Mutex::new(Box::new(buffer))),
        Output::Writer(writer) => Stream::Writer(Mutex::new(writer)),
    }
}
