//! What the host says about an instance before it is made.
#![forbid(unsafe_code)]

use crate::instance::call_profile::observer::CallObserver;
use crate::instance::memory::GrowthObserver;

/// What an instance may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct InstanceOptions {
    /// Lowers the maximum of the memories that the instance defines, in pages. A number outside of
    /// what a memory's type allows counts as the nearest one inside; [`Instance::clamped_limits`]
    /// tells where that happened.
    pub max_memory_pages: Option<u64>,
    /// Whether the memories that the instance defines are allocated at their maximum at once, so
    /// that they never move. Memories with guard pages never move in any case.
    pub fixed_memory: bool,
    /// The size of the app heap in bytes, for programs without an allocator; zero for none.
    ///
    /// The heap takes whole pages, which are added to the first memory that the module defines,
    /// behind its minimum; `memory.grow` appends behind the heap. It is not made where the module
    /// exports an allocator: `malloc` and `free`, or `__new` and `__release`. A program that has
    /// one and does not export it may use the same bytes, because it takes all of its memory for
    /// its own: give it no app heap.
    pub heap_size: usize,
    /// How many paths of calls are told apart where the code counts calls: each takes 24 bytes. Zero
    /// counts functions only. See [`CallProfile::paths`](crate::CallProfile::paths).
    pub call_paths: u32,
    /// Who is told what was counted when the instance is dropped, where the code counts calls.
    pub call_observer: Option<CallObserver>,
    /// Who is told why a memory that the instance defines did not grow.
    pub growth_observer: Option<GrowthObserver>,
    /// For the instance of a further thread, the size in bytes of its auxiliary stack, the one of
    /// compilers of C in linear memory; zero is what the C library of WASI chooses: that of the
    /// module's own stack, but 128 KiB at least and 8 MiB at most.
    ///
    /// A thread has such a stack wherever the program puts it: the first value that the program gives
    /// the stack pointer is its base. `None` is the stack that the module describes. Without effect
    /// where code does not check the pointer, or the memory is not shared.
    pub thread_aux_stack: Option<u64>,
}

impl Default for InstanceOptions {
    /// The module's own limits.
    fn default() -> InstanceOptions {
        InstanceOptions {
            max_memory_pages: None,
            fixed_memory: false,
            heap_size: 0,
            call_paths: 0,
            call_observer: None,
            growth_observer: None,
            thread_aux_stack: None,
        }
    }
}

impl InstanceOptions {
    /// The options with a lower maximum for memories.
    pub fn max_memory_pages(mut self, pages: u64) -> InstanceOptions {
        self.max_memory_pages = Some(pages);
        self
    }

    /// The options with memories that never move, or that may.
    pub fn fixed_memory(mut self, fixed: bool) -> InstanceOptions {
        self.fixed_memory = fixed;
        self
    }

    /// The options with an app heap of so many bytes.
    pub fn heap_size(mut self, bytes: usize) -> InstanceOptions {
        self.heap_size = bytes;
        self
    }

    /// The options with room for so many paths of calls.
    pub fn call_paths(mut self, paths: u32) -> InstanceOptions {
        self.call_paths = paths;
        self
    }

    /// The options for the instance of a further thread, with an auxiliary stack of so many bytes.
    pub fn thread_aux_stack(mut self, bytes: u64) -> InstanceOptions {
        self.thread_aux_stack = Some(bytes);
        self
    }

    /// The options with somebody to be told what was counted.
    pub fn call_observer(mut self, observer: CallObserver) -> InstanceOptions {
        self.call_observer = Some(observer);
        self
    }

    /// The options with somebody to be told why a memory did not grow.
    pub fn growth_observer(mut self, observer: GrowthObserver) -> InstanceOptions {
        self.growth_observer = Some(observer);
        self
    }
}
