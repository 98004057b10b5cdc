//! What memory is for: one list from which accounting, custom allocators and reports are made.

use core::fmt;

/// How long memory is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Lifetime {
    /// Until the runtime is destroyed.
    Runtime,
    /// Until the module is unloaded.
    Module,
    /// Until the instance is destroyed.
    Instance,
    /// Until the host drops the execution environment, or for one call.
    Execution,
}

impl Lifetime {
    /// Every lifetime, the longest first.
    pub const ALL: &'static [Lifetime] = &[
        Lifetime::Runtime,
        Lifetime::Module,
        Lifetime::Instance,
        Lifetime::Execution,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Lifetime::Runtime => "runtime",
            Lifetime::Module => "module",
            Lifetime::Instance => "instance",
            Lifetime::Execution => "execution",
        }
    }
}

macro_rules! categories {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $lifetime:ident, $text:literal;)*) => {
        /// What memory is for. The numbers are part of the interface of custom allocators.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Category {
            $($(#[$doc])* $name = $number,)*
        }

        precast_format::brief!(Category: $($name)*);

        impl Category {
            /// Every category, in the order of its number.
            pub const ALL: &'static [Category] = &[$(Category::$name,)*];

            /// How many there are.
            pub const COUNT: usize = Self::ALL.len();

            /// How long memory of the category is needed.
            pub const fn lifetime(self) -> Lifetime {
                match self { $(Category::$name => Lifetime::$lifetime,)* }
            }

            /// The name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Category::$name => $text,)* }
            }
        }
    };
}

categories! {
    /// The runtime's own structures and the allocator's overhead.
    Runtime = 0, Runtime, "runtime structures";
    /// Host functions and the imports that name them.
    HostFunctions = 1, Runtime, "host functions";
    /// The registry of function types.
    Types = 2, Runtime, "type registry";
    /// What is kept per thread.
    Threads = 3, Runtime, "thread registry";
    /// The artifact's bytes, where the loader owns them.
    Artifact = 4, Module, "artifact buffer";
    /// Module structures.
    Module = 5, Module, "module structures";
    /// Code: a private copy or a mapping.
    Code = 6, Module, "code";
    /// Trap and name tables.
    TrapTables = 7, Module, "trap and name tables";
    /// Instance structures: function records of imports, export index and the like.
    Instance = 8, Instance, "instance structures";
    /// The block that compiled code addresses: globals and function records included.
    Context = 9, Instance, "instance context";
    /// Elements of tables.
    Tables = 10, Instance, "tables";
    /// Linear memories.
    LinearMemory = 11, Instance, "linear memory";
    /// Bookkeeping of the app heap.
    AppHeap = 12, Instance, "app heap bookkeeping";
    /// The WASI context.
    Wasi = 13, Instance, "WASI context";
    /// The WASI-NN context.
    WasiNn = 14, Instance, "WASI-NN context";
    /// Call stacks that are the loader's.
    CallStack = 15, Execution, "call stack";
    /// Arguments and results of calls.
    Arguments = 16, Execution, "argument buffer";
    /// Alternate stacks for signal handlers.
    SignalStack = 17, Execution, "signal stack";
    /// Backtraces.
    Backtrace = 18, Execution, "backtrace buffer";
    /// Exceptions that are on their way or referred to, and the registry of them.
    Exceptions = 19, Instance, "exceptions";
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
