//! The layout of a structure here and on machines with 32-bit pointers, for who plans the memory of
//! another machine.
//!
//! A compiler knows the layouts of the machine that it compiles for and of no other. So the sizes on
//! machines with 32-bit pointers are written down, next to the structure or in a table, and whoever
//! compiles for such a machine compares: a number that is not right is an error of the compiler
//! there, which tells the right one. On all other machines nothing is compared, and nothing of this
//! is left in a program that makes no plans.
#![forbid(unsafe_code)]

use core::alloc::Layout;

use precast_format::context::PointerWidth;

/// The width of this machine's pointers.
pub(crate) const NATIVE_WIDTH: PointerWidth = if size_of::<usize>() == 4 {
    PointerWidth::Bits32
} else {
    PointerWidth::Bits64
};

/// The layouts of one structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PortableLayout {
    here: Layout,
    narrow: Layout,
}

impl PortableLayout {
    /// A structure with this layout here, and so many bytes where pointers have 32 bits. The
    /// alignment there is that of machines which align 64-bit numbers to 8 bytes; others may have a
    /// smaller one, as it makes no difference to an allocator.
    ///
    /// # Panics
    ///
    /// If this is a machine with 32-bit pointers and the size there is another one. In a constant
    /// that is an error of the compiler, as it is meant to be.
    pub const fn new(here: Layout, size: usize, align: usize) -> PortableLayout {
        if let PointerWidth::Bits32 = NATIVE_WIDTH {
            // If they are not equal, one of these overflows, which makes the compiler tell both.
            let _ = (here.size() - size, size - here.size());
            assert!(here.size() == size, "the size for 32 bits is another one");
        }
        PortableLayout::up_to(here, size, align)
    }

    /// As [`PortableLayout::new`], for a structure with 64-bit numbers that are optional: it has some
    /// bytes less on machines that align such numbers to four bytes.
    ///
    /// # Panics
    ///
    /// As [`PortableLayout::new`].
    pub const fn up_to(here: Layout, size: usize, align: usize) -> PortableLayout {
        let narrow = match Layout::from_size_align(size, align) {
            Ok(narrow) => narrow,
            Err(_) => panic!("the alignment is not a power of two"),
        };
        if let PointerWidth::Bits32 = NATIVE_WIDTH {
            let _ = size - here.size();
            let fits = if align_of::<u64>() == 8 {
                here.size() == size
            } else {
                here.size() <= size
            };
            assert!(fits, "the size for 32 bits is another one");
            assert!(here.align() <= align, "the alignment is a larger one");
        }
        PortableLayout { here, narrow }
    }

    /// The layout on this machine.
    pub const fn here(self) -> Layout {
        self.here
    }

    /// The layout where pointers have this width; `None` where it is not known: on machines with
    /// 32-bit pointers nothing is known of others.
    pub const fn on(self, width: PointerWidth) -> Option<Layout> {
        match (NATIVE_WIDTH, width) {
            (PointerWidth::Bits32, PointerWidth::Bits32)
            | (PointerWidth::Bits64, PointerWidth::Bits64) => Some(self.here),
            (PointerWidth::Bits64, PointerWidth::Bits32) => Some(self.narrow),
            (PointerWidth::Bits32, PointerWidth::Bits64) => None,
        }
    }
}
