//! The sizes of the loader's own structures, here and on devices with 32-bit pointers.
//!
//! A plan for a device with 64-bit pointers is made on one, where the compiler knows all sizes. For
//! a device with 32-bit pointers it is made on a build machine with 64-bit pointers, which cannot ask
//! its compiler. The numbers in this table can be relied on for three reasons:
//!
//! 1. They are compared where they can be: who compiles this file for a machine with 32-bit pointers
//!    gets an error, with the right number in it, for each size that has changed; see
//!    [`PortableLayout`]. No wrong table comes through the tests of the targets.
//! 2. They are the same on all of these machines. Structures consist of pointers, bytes, 32-bit and
//!    64-bit numbers. The last are aligned to four bytes on 32-bit x86 and to eight elsewhere;
//!    structures that have any are therefore written so that their sizes do not depend on it, or ask
//!    for eight themselves. Both kinds of machines are among the targets that are compiled for.
//! 3. How structures become requests is not written down a second time: the functions that the
//!    loader computes its arrays with take the layouts of the elements.
//!
//! That the plan is exact is tested on a device with 32-bit pointers as on any other: what the loader
//! asks for is compared with the plan, and pools of the planned size are tried.
#![forbid(unsafe_code)]

use core::alloc::Layout;

use precast_format::context::PointerWidth;

use crate::alloc::{Allocator, PortableLayout};
use crate::call::host::HostFunction;
use crate::exception::tag::TagObject;
use crate::group::{GroupRef, Linked};
use crate::instance::global::GlobalObject;
use crate::instance::import::Imports;
use crate::instance::interrupt::Interrupter;
use crate::instance::memory::{MemoryObject, SharedMemory};
use crate::instance::table::TableObject;
use crate::instance::{ArrayElements, InstanceData};
use crate::module::Module;
use crate::runtime::Runtime;
use crate::types::{FuncType, TypeRegistry};

macro_rules! layouts {
    ($($(#[$doc:meta])* $name:ident = $here:expr, $size:expr, $align:literal;)*) => {
        /// Constants of their own, so that the compiler looks at each and names it.
        mod table {
            #![expect(non_upper_case_globals, reason = "they have the names of the fields")]

            use super::*;

            $(pub(super) const $name: PortableLayout = PortableLayout::new($here, $size, $align);)*
        }

        /// The layouts of the loader's structures on machines of one pointer width.
        pub(super) struct Layouts {
            $($(#[$doc])* pub(super) $name: Layout,)*
        }

        impl Layouts {
            /// Where pointers have this width; `None` where that is not known.
            pub(super) fn on(width: PointerWidth) -> Option<Layouts> {
                Some(Layouts {
                    $($name: table::$name.on(width)?,)*
                })
            }
        }
    };
}

/// The size of the allocator's state, which has the counters of all categories if any.
const ALLOCATOR: usize = if cfg!(feature = "accounting") {
    292
} else {
    52
};

layouts! {
    /// A pointer.
    word = Layout::new::<usize>(), 4, 4;
    /// The state of an allocator that counts.
    allocator = Allocator::layout(), ALLOCATOR, 4;
    /// The state of one that another counts for.
    allocator_beside = Allocator::layout_beside(), 52, 4;
    /// A runtime.
    runtime = Runtime::layout(), 96, 8;
    /// A module.
    module = Module::layout(), 480, 8;
    /// A handle to a function type.
    func_type = Layout::new::<FuncType>(), 4, 4;
    /// A reference to an entry of the registry of types.
    type_reference = TypeRegistry::entry_layouts().0, 4, 4;
    /// Such an entry, without its values.
    type_entry = TypeRegistry::entry_layouts().1, 48, 4;
    /// What the types of a group have in common.
    type_group = TypeRegistry::group_layout(), 68, 4;
    /// A host function, without its closure.
    host_function = HostFunction::layout(), 28, 4;
    /// A definition in the list of imports.
    definition = Imports::definition_layout(), 40, 4;
    /// A group of instances.
    group = GroupRef::layout(), 56, 4;
    /// An instance.
    instance = Linked::<InstanceData>::layout(), 192, 8;
    /// A memory of the host's.
    memory = Linked::<MemoryObject>::layout(), 136, 8;
    /// A shared memory.
    shared_memory = SharedMemory::layout(), 160, 8;
    /// A table of the host's.
    table = Linked::<TableObject>::layout(), 80, 8;
    /// A global of the host's.
    global = Linked::<GlobalObject>::layout(), 64, 16;
    /// A tag of the host's.
    tag = Linked::<TagObject>::layout(), 32, 4;
    /// What interrupts an instance.
    interrupter = Interrupter::layout(), 32, 4;
    /// A memory of an instance.
    own_memory = ArrayElements::HERE.own_memory, 120, 8;
    /// A table of an instance.
    own_table = ArrayElements::HERE.own_table, 64, 8;
    /// The books of an app heap.
    app_heap = ArrayElements::HERE.app_heap, 56, 8;
    /// The record of a host function that an instance imports.
    host_record = ArrayElements::HERE.host_function, 28, 4;
    /// An element segment.
    element_segment = ArrayElements::HERE.element_segment, 24, 4;
    /// A memory in the list of an instance.
    memory_reference = ArrayElements::HERE.memory, 8, 4;
    /// A table in the list of an instance.
    table_reference = ArrayElements::HERE.table, 4, 4;
    /// The counter of a function.
    call_counter = ArrayElements::HERE.call_counter, 32, 8;
    /// A path of calls.
    call_path = ArrayElements::HERE.call_path, 24, 8;
    /// The books of counted calls.
    call_books = ArrayElements::HERE.call_books, 56, 8;
}

impl Layouts {
    /// What is in the arrays of an instance.
    pub(super) fn array_elements(&self) -> ArrayElements {
        ArrayElements {
            own_memory: self.own_memory,
            own_table: self.own_table,
            app_heap: self.app_heap,
            host_function: self.host_record,
            element_segment: self.element_segment,
            memory: self.memory_reference,
            table: self.table_reference,
            call_counter: self.call_counter,
            call_path: self.call_path,
            call_books: self.call_books,
        }
    }
}
