//! The instance context: typed access to the block that compiled code addresses.
//!
//! The layout is the format crate's; this module turns offsets into reads and writes. Compiled
//! code changes the block whenever it runs, so nothing here makes a Rust reference into it.
//!
//! ```text
//!   pointer - size                                pointer
//!   | records | imports | tables | globals | memories | fields | memory 0, if it is ours and
//!                                                                cannot move
//! ```

use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use precast_format::context::{ContextLayout, Field};

use crate::alloc::{Allocator, Category, OutOfMemory, Slab, SlabLayout};
use crate::call::value::Slot;
use crate::exception::tag::TagRecordData;
use crate::instance::record::FunctionRecordData;
use crate::sys::atomic::AtomicUsize;

#[cfg(test)]
mod tests;

pub(crate) use crate::alloc::NATIVE_WIDTH;

/// Base and length of a memory (bytes) or of a table (elements), as compiled code reads them.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Pair {
    /// Address of the first byte or element.
    pub(crate) base: usize,
    /// Bytes or elements.
    pub(crate) length: usize,
}

/// The context block of one instance.
///
/// Having a value of this type means that `layout.size()` bytes below the pointer are writable,
/// and stay so while the lifetime lasts.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pointer: NonNull<u8>,
    layout: &'a ContextLayout,
}

impl<'a> Context<'a> {
    /// Takes the block below the pointer.
    ///
    /// # Safety
    ///
    /// 1. `layout.size()` bytes below `pointer`, which is aligned to 16, are writable and zero at
    ///    first.
    /// 2. They stay so while the lifetime lasts, and nobody else writes them but compiled code and
    ///    other values of this type, on this thread.
    /// 3. The layout was made for [`NATIVE_WIDTH`].
    pub(crate) unsafe fn new(pointer: NonNull<u8>, layout: &'a ContextLayout) -> Context<'a> {
        Context { pointer, layout }
    }

    /// The context pointer.
    pub(crate) fn pointer(&self) -> NonNull<u8> {
        self.pointer
    }

    /// The address of something at an offset that the layout gave.
    fn at<T>(&self, offset: i32) -> NonNull<T> {
        // SAFETY: the layout's offsets are inside the block below the pointer.
        unsafe { self.pointer.offset(offset as isize) }.cast()
    }

    /// Reads a fixed field.
    pub(crate) fn field(&self, field: Field) -> usize {
        // SAFETY: `at` is inside the block; fields are aligned words.
        unsafe { self.at::<usize>(field.offset(NATIVE_WIDTH)).read() }
    }

    /// Writes a fixed field.
    pub(crate) fn set_field(&self, field: Field, value: usize) {
        // SAFETY: as for reading.
        unsafe { self.at::<usize>(field.offset(NATIVE_WIDTH)).write(value) }
    }

    /// Where the host says that the program is to stop.
    pub(crate) fn interrupt_flag(&self) -> NonNull<AtomicUsize> {
        // An atomic number is laid out as a number, and nobody else writes the field.
        self.at(Field::Interrupt.offset(NATIVE_WIDTH))
    }

    /// Whether the host wants the program to stop.
    pub(crate) fn is_interrupted(&self) -> bool {
        // SAFETY: the flag is in the block, which stays for the lifetime.
        unsafe { self.interrupt_flag().as_ref() }.load(Ordering::Relaxed) != 0
    }

    /// Writes the pointer to an imported function's record.
    pub(crate) fn set_imported_function(&self, index: u32, record: NonNull<FunctionRecordData>) {
        self.set_word(
            self.layout.imported_function(index),
            record.as_ptr().expose_provenance(),
        );
    }

    /// Reads the pointer to an imported function's record.
    pub(crate) fn imported_function(&self, index: u32) -> usize {
        self.word(self.layout.imported_function(index))
    }

    /// Where the pair of a defined memory is.
    pub(crate) fn defined_memory(&self, index: u32) -> NonNull<Pair> {
        self.at(self.layout.defined_memory(index))
    }

    /// Writes the pointer to the pair of a defined memory that is shared, where others have the pair.
    pub(crate) fn set_shared_memory(&self, index: u32, pair: NonNull<Pair>) {
        self.set_word(
            self.layout.defined_memory(index),
            pair.as_ptr().expose_provenance(),
        );
    }

    /// Writes the pointer to an imported memory's pair.
    pub(crate) fn set_imported_memory(&self, index: u32, pair: NonNull<Pair>) {
        self.set_word(
            self.layout.imported_memory(index),
            pair.as_ptr().expose_provenance(),
        );
    }

    /// Where the pair of a defined table is.
    pub(crate) fn defined_table(&self, index: u32) -> NonNull<Pair> {
        self.at(self.layout.defined_table(index))
    }

    /// Writes the pointer to an imported table's pair.
    pub(crate) fn set_imported_table(&self, index: u32, pair: NonNull<Pair>) {
        self.set_word(
            self.layout.imported_table(index),
            pair.as_ptr().expose_provenance(),
        );
    }

    /// Where the slot of a defined global is.
    pub(crate) fn defined_global(&self, index: u32) -> NonNull<Slot> {
        self.at(self.layout.defined_global(index))
    }

    /// Writes the pointer to an imported global's slot.
    pub(crate) fn set_imported_global(&self, index: u32, slot: NonNull<Slot>) {
        self.set_word(
            self.layout.imported_global(index),
            slot.as_ptr().expose_provenance(),
        );
    }

    /// Reads the pointer to an imported global's slot; none before it is set.
    pub(crate) fn imported_global(&self, index: u32) -> Option<NonNull<Slot>> {
        let address = self.word(self.layout.imported_global(index));
        NonNull::new(core::ptr::with_exposed_provenance_mut(address))
    }

    /// Writes the pointer to an imported tag's record.
    pub(crate) fn set_imported_tag(&self, index: u32, record: NonNull<TagRecordData>) {
        self.set_word(
            self.layout.imported_tag(index),
            record.as_ptr().expose_provenance(),
        );
    }

    /// Reads the pointer to an imported tag's record; none before it is set.
    pub(crate) fn imported_tag(&self, index: u32) -> Option<NonNull<TagRecordData>> {
        let address = self.word(self.layout.imported_tag(index));
        NonNull::new(core::ptr::with_exposed_provenance_mut(address))
    }

    /// Where a defined tag's record is.
    pub(crate) fn defined_tag(&self, index: u32) -> NonNull<TagRecordData> {
        self.at(self.layout.defined_tag(index))
    }

    /// Where a defined function's record is.
    pub(crate) fn function_record(&self, number: u32) -> NonNull<FunctionRecordData> {
        self.at(self.layout.function_record(number))
    }

    fn word(&self, offset: i32) -> usize {
        // SAFETY: `at` is inside the block; the layout aligns words.
        unsafe { self.at::<usize>(offset).read() }
    }

    fn set_word(&self, offset: i32, value: usize) {
        // SAFETY: as for reading.
        unsafe { self.at::<usize>(offset).write(value) }
    }
}

/// The memory of a context that does not lie below a linear memory.
pub(crate) struct ContextStorage {
    block: Slab,
}

impl ContextStorage {
    /// The layout of the block for a context. Its end is aligned as its beginning.
    pub(crate) const fn layout(layout: &ContextLayout) -> SlabLayout {
        SlabLayout::new().array::<Slot>(layout.size() as usize / size_of::<Slot>())
    }

    /// Zeros for a context of this layout.
    pub(crate) fn new(
        allocator: &Allocator,
        layout: &ContextLayout,
    ) -> Result<ContextStorage, OutOfMemory> {
        let layout = ContextStorage::layout(layout);
        let block = Slab::zeroed(allocator, Category::Context, layout)?;
        Ok(ContextStorage { block })
    }

    /// The context pointer: the end of the block.
    pub(crate) fn pointer(&self) -> NonNull<u8> {
        self.block.end()
    }
}
