//! How an embedder says what a guest can reach, and how a context is made of that.
//!
//! The builder collects on the heap of the process. [`WasiContextBuilder::build`] places all that
//! stays in the runtime's memory, in a few blocks of exactly the size that is needed, and
//! [`WasiContextBuilder::requests`] names them in advance. Collecting makes a system call only for
//! what needs one: opening a directory.

use std::alloc::Layout;
use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use cap_std::fs::Dir;
use precast_loader::alloc::{PortableLayout, Shared, Vec as LoaderVec};
use precast_loader::{Category, OutOfMemory, PointerWidth, Runtime};

use crate::clock::Origin;
use crate::context::{State, WasiContext};
use crate::descriptor::{Descriptor, Directory, Object, Stream};
use crate::rights::Rights;
use crate::streams::{Input, Output};
use crate::sys::{self, OwnedFd};
use crate::table::{self, Table};
use crate::text::{Span, Text};

/// The request for what a context is.
const STATE: PortableLayout = PortableLayout::new(Shared::<State>::layout(), 120, 8);

/// How many descriptors a guest may have open unless told otherwise.
const DEFAULT_DESCRIPTORS: usize = 1024;

/// How many standard streams there are.
const STREAMS: usize = 3;

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
    /// Arguments, environment and names of directories are 4 GiB or more, for which no guest has the
    /// memory. Leave something out.
    TextTooLong,
    /// The runtime has no memory for the context; [`WasiContextBuilder::requests`] says how much it
    /// takes.
    OutOfMemory(OutOfMemory),
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
            BuildError::TextTooLong => {
                formatter.write_str("arguments, environment and names of directories are too long")
            }
            BuildError::OutOfMemory(error) => error.fmt(formatter),
        }
    }
}

impl std::error::Error for BuildError {}

impl From<OutOfMemory> for BuildError {
    fn from(error: OutOfMemory) -> BuildError {
        BuildError::OutOfMemory(error)
    }
}

/// A directory that the guest starts with.
struct Preopen {
    directory: Dir,
    name: String,
    rights: Rights,
    inheriting: Rights,
}

/// Says what a guest can reach, piece by piece.
#[must_use]
pub struct WasiContextBuilder {
    args: Vec<Vec<u8>>,
    environment: Vec<Vec<u8>>,
    input: Input,
    output: Output,
    error: Output,
    listeners: Vec<OwnedFd>,
    directories: Vec<Preopen>,
    limit: usize,
    /// Descriptors beside those that the context starts with, if their number is fixed.
    open_files: Option<usize>,
}

impl WasiContextBuilder {
    pub(crate) fn new() -> WasiContextBuilder {
        WasiContextBuilder {
            args: Vec::new(),
            environment: Vec::new(),
            input: Input::Null,
            output: Output::Null,
            error: Output::Null,
            listeners: Vec::new(),
            directories: Vec::new(),
            limit: DEFAULT_DESCRIPTORS,
            open_files: None,
        }
    }

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
        self.input = input;
        self
    }

    /// Says where standard output goes.
    pub fn stdout(mut self, output: Output) -> Self {
        self.output = output;
        self
    }

    /// Says where standard error goes.
    pub fn stderr(mut self, output: Output) -> Self {
        self.error = output;
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
        let directory = sys::open_directory(host_path.as_ref())?;
        self.directories.push(Preopen {
            directory,
            name: guest_path.into(),
            rights: rights & Rights::DIRECTORY,
            inheriting: inheriting & Rights::DIRECTORY_INHERITING,
        });
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

    /// Lets the guest have so many descriptors open at a time beside those that the context starts
    /// with, and makes the table for them at once: what opening takes is then known beforehand.
    /// Overrides [`WasiContextBuilder::max_descriptors`].
    pub fn open_files(mut self, count: usize) -> Self {
        self.open_files = Some(count);
        self
    }

    /// How many descriptors the guest may have open.
    fn limit(&self) -> usize {
        match self.open_files {
            Some(_) => self.first_room(),
            None => self.limit,
        }
    }

    /// How many descriptors the table has room for at first.
    fn first_room(&self) -> usize {
        self.descriptors()
            .saturating_add(self.open_files.unwrap_or(0))
    }

    /// What [`WasiContextBuilder::build`] will ask of the runtime's allocator: size and alignment of
    /// each block, in order. All of it stays until the context is dropped, except that a block of a
    /// descriptor is freed when the guest closes it.
    ///
    /// A block that is too large for the address space is left out; building fails there.
    pub fn requests(&self) -> impl Iterator<Item = Layout> + '_ {
        self.blocks(table::ENTRY.here(), table::DESCRIPTOR.here(), STATE.here())
    }

    /// As [`WasiContextBuilder::requests`], on a machine with pointers of this width; `None` where
    /// that is not known.
    pub fn requests_on(
        &self,
        width: PointerWidth,
    ) -> Option<impl Iterator<Item = Layout> + use<'_>> {
        let (entry, descriptor) = (table::ENTRY.on(width)?, table::DESCRIPTOR.on(width)?);
        Some(self.blocks(entry, descriptor, STATE.on(width)?))
    }

    /// The blocks of the context, by the layouts of what is in them.
    fn blocks(
        &self,
        entry: Layout,
        descriptor: Layout,
        state: Layout,
    ) -> impl Iterator<Item = Layout> + use<'_> {
        let descriptors = self.descriptors();
        LoaderVec::<u8>::layout(self.text())
            .into_iter()
            .chain(table::layout(entry, self.first_room(), 0, self.limit()))
            .chain(std::iter::repeat_n(descriptor, descriptors))
            .chain([state])
    }

    /// The block that each descriptor takes which the guest opens, until it is closed.
    #[must_use]
    pub const fn descriptor_request() -> Layout {
        table::DESCRIPTOR.here()
    }

    /// As [`WasiContextBuilder::descriptor_request`], on a machine with pointers of this width;
    /// `None` where that is not known.
    #[must_use]
    pub const fn descriptor_request_on(width: PointerWidth) -> Option<Layout> {
        table::DESCRIPTOR.on(width)
    }

    /// The block of the descriptor table, once the guest had `open` descriptors open at a time, those
    /// that it starts with and the standard streams included.
    ///
    /// The table doubles when it is full, up to the limit of descriptors, and does not shrink. The
    /// allocator is asked to make the block larger, and may have to hold both for that moment.
    #[must_use]
    pub fn table_request(&self, open: usize) -> Option<Layout> {
        table::layout(table::ENTRY.here(), self.first_room(), open, self.limit())
    }

    /// How many descriptors the context starts with.
    fn descriptors(&self) -> usize {
        STREAMS + self.listeners.len() + self.directories.len()
    }

    /// How many bytes of text the context keeps.
    fn text(&self) -> usize {
        let names = self.directories.iter().map(|preopen| preopen.name.len());
        let input = match &self.input {
            Input::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        Text::room_for(&self.args)
            + Text::room_for(&self.environment)
            + names.sum::<usize>()
            + input
    }

    /// Checks what could be said and not meant.
    fn check(&self) -> Result<(), BuildError> {
        if let Some(index) = self.args.iter().position(|arg| arg.contains(&0)) {
            return Err(BuildError::NulInArgument { index });
        }
        let bad = |variable: &Vec<u8>| variable.contains(&0) || variable.first() == Some(&b'=');
        if let Some(index) = self.environment.iter().position(bad) {
            return Err(BuildError::BadVariable { index });
        }
        let limit = self.limit();
        if self.descriptors() > limit {
            return Err(BuildError::TooManyDescriptors { limit });
        }
        Ok(())
    }

    /// Makes the context, in the memory of this runtime.
    ///
    /// # Errors
    ///
    /// [`BuildError`], if something was said that no guest could understand, or if the runtime has no
    /// memory for it. Nothing of the runtime's memory is then taken.
    pub fn build(self, runtime: &Runtime) -> Result<WasiContext, BuildError> {
        self.check()?;
        let allocator = runtime.allocator();
        let (room, limit) = (self.first_room(), self.limit());

        let mut text = Text::with_room(allocator, self.text())?;
        let args = text.push_strings(&self.args)?;
        let args = args.ok_or(BuildError::TextTooLong)?;
        let environment = text.push_strings(&self.environment)?;
        let environment = environment.ok_or(BuildError::TextTooLong)?;
        let mut names = Vec::with_capacity(self.directories.len());
        for preopen in &self.directories {
            let name = text.push_name(&preopen.name)?;
            names.push(name.ok_or(BuildError::TextTooLong)?);
        }
        let input = match self.input {
            Input::Null => Stream::Null,
            Input::Inherit => Stream::Inherited(sys::standard_stream(0)),
            Input::File(file) => Stream::Owned(file),
            Input::Bytes(bytes) => Stream::Given(Mutex::new(text.push(&bytes)?)),
            Input::Reader(reader) => Stream::Reader(Mutex::new(reader)),
        };

        let mut table = Table::with_room(allocator, room, limit)?;
        table.push(stream(input, Rights::INPUT))?;
        table.push(stream(self.output.stream(1), Rights::OUTPUT))?;
        table.push(stream(self.error.stream(2), Rights::OUTPUT))?;
        for listener in self.listeners {
            let object = Object::Listener(listener);
            table.push(Descriptor::new(object, Rights::LISTENER, Rights::SOCKET))?;
        }
        for (preopen, name) in self.directories.into_iter().zip(names) {
            table.push(preopen.descriptor(name))?;
        }
        let state = State {
            text,
            args,
            environment,
            table,
            origin: Origin::now(),
            alarm: OnceLock::new(),
        };
        Ok(WasiContext {
            state: Shared::new(allocator, Category::Wasi, state)?,
        })
    }
}

impl Preopen {
    fn descriptor(self, name: Span) -> Descriptor {
        let object = Object::Directory(Directory::new(self.directory));
        let mut descriptor = Descriptor::new(object, self.rights, self.inheriting);
        descriptor.preopen = Some(name);
        descriptor
    }
}

fn stream(stream: Stream, rights: Rights) -> Descriptor {
    Descriptor::new(Object::Stream(stream), rights, Rights::NONE)
}
