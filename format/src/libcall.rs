//! Libcalls: helpers in the loader that compiled code calls.
//!
//! One list gives the compiler each helper's signature and the loader the order of its table of
//! function pointers. Compiled code reaches the table through the instance context (`xip`), or
//! calls the helper at an address that the loader patched in (`direct`).
//!
//! Every helper uses the C calling convention of the target unless it says otherwise. Unless it is marked pure, its first
//! argument is the context pointer. A helper that returns a trap code returns zero for success.

use crate::plain::line;

/// Stack that a libcall or the entry of a host function may use, in bytes: the return address of its
/// call included. The loader keeps as much free below what compiled code may use, and code that
/// relies on a guard page looks for it before such a call.
pub const LIBCALL_STACK: u32 = 4 << 10;

/// A machine type in a libcall's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LibcallType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// Pointer-sized integer; also a reference value.
    Pointer,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
}

macro_rules! libcalls {
    ($($(#[$doc:meta])* $variant:ident $name:ident ($($param:ident),*) -> $result:tt, $kind:ident;)*) => {
        /// A helper in the loader. The discriminant is its index in the libcall table.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Libcall {
            $($(#[$doc])* $variant,)*
        }

        impl Libcall {
            /// Every libcall, in the order of the table.
            pub const ALL: &'static [Libcall] = &[$(Libcall::$variant,)*];

            /// How many there are; the table's length in entries.
            pub const COUNT: usize = Self::ALL.len();

            /// The helper's name, as symbols and listings show it.
            pub const fn name(self) -> &'static str {
                line(concat!($(stringify!($name), "\n",)*), self as usize)
            }

            /// The parameter types after the context pointer.
            pub const fn params(self) -> &'static [LibcallType] {
                match self {
                    $(Libcall::$variant => &[$(LibcallType::$param,)*],)*
                }
            }

            /// The result type, if there is a result.
            pub const fn result(self) -> Option<LibcallType> {
                match self {
                    $(Libcall::$variant => libcalls!(@result $result),)*
                }
            }

            /// Whether the context pointer is the first argument. Pure helpers compute on their
            /// arguments alone.
            pub const fn takes_context(self) -> bool {
                match self {
                    $(Libcall::$variant => libcalls!(@context $kind),)*
                }
            }
        }
    };
    (@result ()) => { None };
    (@result $result:ident) => { Some(LibcallType::$result) };
    (@context instance) => { true };
    (@context pure) => { false };
}

/// Gives the list of libcalls to a macro: one line for each, in the order of the table. Bytecode names
/// the helpers by number, so its loader calls them by their signatures.
#[macro_export]
macro_rules! for_each_libcall {
    ($callback:ident) => {
        $callback! {
            /// `(code)`: ends the activation with the trap code; zero means that a host function has
            /// already recorded the error. Never returns.
            Raise raise(I32) -> (), instance;
            /// `(memory, delta pages)`: the previous size in pages, or all ones.
            MemoryGrow memory_grow(I32, I64) -> I64, instance;
            /// `(destination memory, source memory, destination, source, length)`: trap code.
            MemoryCopy memory_copy(I32, I32, I64, I64, I64) -> I32, instance;
            /// `(memory, destination, value, length)`: trap code.
            MemoryFill memory_fill(I32, I64, I32, I64) -> I32, instance;
            /// `(memory, data segment, destination, source, length)`: trap code.
            MemoryInit memory_init(I32, I32, I64, I32, I32) -> I32, instance;
            /// `(data segment)`.
            DataDrop data_drop(I32) -> (), instance;
            /// `(table, delta, initial value)`: the previous size in elements, or all ones.
            TableGrow table_grow(I32, I64, Pointer) -> I64, instance;
            /// `(table, destination, value, length)`: trap code.
            TableFill table_fill(I32, I64, Pointer, I64) -> I32, instance;
            /// `(destination table, source table, destination, source, length)`: trap code.
            TableCopy table_copy(I32, I32, I64, I64, I64) -> I32, instance;
            /// `(table, element segment, destination, source, length)`: trap code.
            TableInit table_init(I32, I32, I64, I32, I32) -> I32, instance;
            /// `(element segment)`.
            ElemDrop elem_drop(I32) -> (), instance;
            /// `f32.ceil` where the ISA has no instruction for it.
            CeilF32 ceil_f32(F32) -> F32, pure;
            /// `f64.ceil` where the ISA has no instruction for it.
            CeilF64 ceil_f64(F64) -> F64, pure;
            /// `f32.floor` where the ISA has no instruction for it.
            FloorF32 floor_f32(F32) -> F32, pure;
            /// `f64.floor` where the ISA has no instruction for it.
            FloorF64 floor_f64(F64) -> F64, pure;
            /// `f32.trunc` where the ISA has no instruction for it.
            TruncF32 trunc_f32(F32) -> F32, pure;
            /// `f64.trunc` where the ISA has no instruction for it.
            TruncF64 trunc_f64(F64) -> F64, pure;
            /// `f32.nearest` where the ISA has no instruction for it.
            NearestF32 nearest_f32(F32) -> F32, pure;
            /// `f64.nearest` where the ISA has no instruction for it.
            NearestF64 nearest_f64(F64) -> F64, pure;
            /// `(tag record)`: a new exception of this tag, whose payload the caller fills; zero where
            /// memory is used up.
            ExceptionNew exception_new(Pointer) -> Pointer, instance;
            /// `(exception)`: throws it; control goes to a handler or leaves the activation. Never returns.
            /// In the System V convention on x86-64, whatever the operating system.
            Throw throw(Pointer) -> (), instance;
            /// `(exception)`: as `throw`, for one that was on its way already. Never returns. In the same
            /// convention.
            Rethrow rethrow(Pointer) -> (), instance;
            /// `(profile frame, function)`: a call of the function begins. The profile frame is in the stack
            /// frame of compiled code, [`PROFILE_FRAME_SIZE`](crate::context::PROFILE_FRAME_SIZE) bytes that
            /// are the loader's until the call ends.
            ProfileEnter profile_enter(Pointer, I32) -> (), instance;
            /// `(profile frame)`: the call ends. Nothing happens where it has ended already.
            ProfileLeave profile_leave(Pointer) -> (), instance;
            /// `(memory, address, expected value, timeout in nanoseconds)`: the instruction's result, or a
            /// trap code, negated.
            MemoryAtomicWait32 memory_atomic_wait32(I32, I64, I32, I64) -> I64, instance;
            /// As `memory_atomic_wait32`, for a value of 64 bits.
            MemoryAtomicWait64 memory_atomic_wait64(I32, I64, I64, I64) -> I64, instance;
            /// `(memory, address, count)`: how many were woken, or a trap code, negated.
            MemoryAtomicNotify memory_atomic_notify(I32, I64, I32) -> I64, instance;
            /// `(value)` of the auxiliary stack pointer, outside of the bounds in the context: trap code, or
            /// zero where the value begins the stack of a thread.
            AuxStackBounds aux_stack_bounds(I64) -> I32, instance;
        }
    };
}

for_each_libcall!(libcalls);

/// The number by which bytecode calls a host function: with the host object, the caller's context and
/// the values, where native code calls the address in the object's first word. Libcalls have the numbers
/// of their indices.
pub const HOST_ENTRY_NUMBER: u8 = u8::MAX;

impl Libcall {
    /// The libcall with this index in the table, or `None` beyond its end.
    pub const fn from_index(index: u32) -> Option<Libcall> {
        if (index as usize) < Self::COUNT {
            Some(Self::ALL[index as usize])
        } else {
            None
        }
    }
}

/// A set of libcalls; bit *n* is the libcall with index *n*.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct LibcallSet(pub u64);

// One bit each.
const _: () = assert!(Libcall::COUNT < 64);

impl LibcallSet {
    /// Every libcall of this version.
    pub const ALL: LibcallSet = LibcallSet((1 << Libcall::COUNT) - 1);

    /// The set with the libcall added.
    pub const fn with(self, libcall: Libcall) -> LibcallSet {
        LibcallSet(self.0 | 1 << libcall as u8)
    }

    /// Whether the libcall is in the set.
    pub const fn contains(self, libcall: Libcall) -> bool {
        self.0 >> libcall as u8 & 1 == 1
    }

    /// The libcalls in the set, in the order of the table. Unknown bits are left out.
    pub fn iter(self) -> impl Iterator<Item = Libcall> {
        Libcall::ALL
            .iter()
            .copied()
            .filter(move |libcall| self.contains(*libcall))
    }
}
