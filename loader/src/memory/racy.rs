//! Bytes that other threads may read and write at the same time: those of shared memories.
//!
//! ```text
//!   head, byte by byte | words ............................ | tail, byte by byte
//!                      ^ aligned on the side that is written
//! ```
//!
//! WebAssembly gives plain accesses of shared memory no order and no atomicity beyond a byte. In Rust
//! they are relaxed atomic accesses, as wide as alignment allows, so that whoever races gets some
//! mixture of old and new bytes, and nothing worse. The side that is the caller's own is accessed
//! plainly.

use core::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

/// Bytes of a word.
const WORD: usize = size_of::<usize>();

/// How one side of a copy is accessed.
///
/// # Safety
///
/// Of all functions: the bytes are inside of what the side stands for, and words are aligned.
trait Side {
    unsafe fn load_byte(from: *const u8) -> u8;
    unsafe fn load_word(from: *const u8) -> usize;
    unsafe fn store_byte(to: *mut u8, value: u8);
    unsafe fn store_word(to: *mut u8, value: usize);
}

/// Nobody else writes the bytes, and nobody else reads what is written.
struct Own;

impl Side for Own {
    unsafe fn load_byte(from: *const u8) -> u8 {
        // SAFETY: the caller's promise.
        unsafe { from.read() }
    }

    unsafe fn load_word(from: *const u8) -> usize {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<usize>().read() }
    }

    unsafe fn store_byte(to: *mut u8, value: u8) {
        // SAFETY: the caller's promise.
        unsafe { to.write(value) }
    }

    unsafe fn store_word(to: *mut u8, value: usize) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<usize>().write(value) }
    }
}

/// Other threads do what they like with the bytes.
struct Racy;

impl Side for Racy {
    unsafe fn load_byte(from: *const u8) -> u8 {
        // SAFETY: the caller's promise; shared memories are writable.
        unsafe { AtomicU8::from_ptr(from.cast_mut()) }.load(Ordering::Relaxed)
    }

    unsafe fn load_word(from: *const u8) -> usize {
        // SAFETY: as above.
        unsafe { AtomicUsize::from_ptr(from.cast_mut().cast()) }.load(Ordering::Relaxed)
    }

    unsafe fn store_byte(to: *mut u8, value: u8) {
        // SAFETY: the caller's promise.
        unsafe { AtomicU8::from_ptr(to) }.store(value, Ordering::Relaxed);
    }

    unsafe fn store_word(to: *mut u8, value: usize) {
        // SAFETY: the caller's promise.
        unsafe { AtomicUsize::from_ptr(to.cast()) }.store(value, Ordering::Relaxed);
    }
}

/// Copies bytes of the caller's into shared memory.
///
/// # Safety
///
/// `length` bytes from `to` on are a shared memory's; as many from `from` on can be read, are not
/// changed meanwhile, and are not the memory's.
pub(crate) unsafe fn copy_in(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller's promise.
    unsafe { copy_up::<Own, Racy>(to, from, length) };
}

/// Copies bytes of shared memory to where only the caller looks.
///
/// # Safety
///
/// `length` bytes from `from` on are a shared memory's; as many from `to` on can be written, nobody
/// else accesses them meanwhile, and they are not the memory's.
pub(crate) unsafe fn copy_out(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller's promise.
    unsafe { copy_up::<Racy, Own>(to, from, length) };
}

/// Copies bytes from one shared memory to another, or within one, where they may overlap.
///
/// # Safety
///
/// `length` bytes from either address on are those of shared memories.
pub(crate) unsafe fn copy_between(to: *mut u8, from: *const u8, length: usize) {
    // Upwards nothing is overwritten before it is read, unless the target begins inside.
    if to.addr().wrapping_sub(from.addr()) < length {
        // SAFETY: the caller's promise.
        unsafe { copy_down(to, from, length) };
    } else {
        // SAFETY: the caller's promise.
        unsafe { copy_up::<Racy, Racy>(to, from, length) };
    }
}

/// Writes a byte `length` times.
///
/// # Safety
///
/// `length` bytes from `to` on are a shared memory's.
pub(crate) unsafe fn fill(to: *mut u8, value: u8, length: usize) {
    let word = usize::from_ne_bytes([value; WORD]);
    let mut done = 0;
    while done < length {
        let place = to.wrapping_add(done);
        if place.addr().is_multiple_of(WORD) && length - done >= WORD {
            // SAFETY: the word is inside of the range, and aligned.
            unsafe { Racy::store_word(place, word) };
            done += WORD;
        } else {
            // SAFETY: the byte is inside of the range.
            unsafe { Racy::store_byte(place, value) };
            done += 1;
        }
    }
}

/// How many of the bytes from the first on satisfy a condition.
///
/// # Safety
///
/// `length` bytes from `from` on are a shared memory's.
pub(crate) unsafe fn count_while(
    from: *const u8,
    length: usize,
    condition: impl Fn(u8) -> bool,
) -> usize {
    let mut bytes = (0..length).map(|offset| {
        // SAFETY: the offset is inside of the range.
        unsafe { Racy::load_byte(from.wrapping_add(offset)) }
    });
    bytes.position(|byte| !condition(byte)).unwrap_or(length)
}

/// Copies from the lowest byte on.
///
/// # Safety
///
/// `length` bytes from `from` on are `From`'s, and as many from `to` on are `To`'s. What is written
/// is not read later.
unsafe fn copy_up<From: Side, To: Side>(mut to: *mut u8, mut from: *const u8, length: usize) {
    let mut left = length;
    // SAFETY: as long as something is left, both addresses are inside.
    let byte = |to: &mut *mut u8, from: &mut *const u8| {
        // SAFETY: called while bytes are left.
        let value = unsafe { From::load_byte(*from) };
        // SAFETY: as above.
        unsafe { To::store_byte(*to, value) };
        *to = to.wrapping_add(1);
        *from = from.wrapping_add(1);
    };
    while left > 0 && !to.addr().is_multiple_of(WORD) {
        byte(&mut to, &mut from);
        left -= 1;
    }
    let shift = from.addr() % WORD;
    if shift == 0 {
        while left >= WORD {
            // SAFETY: a word is left on both sides, aligned on both.
            let value = unsafe { From::load_word(from) };
            // SAFETY: as above.
            unsafe { To::store_word(to, value) };
            to = to.wrapping_add(WORD);
            from = from.wrapping_add(WORD);
            left -= WORD;
        }
    } else if left >= 2 * WORD {
        // Each word that is written has the end of one that was read and the beginning of the next.
        let mut first = [0; WORD];
        for (index, place) in first.iter_mut().enumerate().skip(shift) {
            // SAFETY: two words are left.
            *place = unsafe { From::load_byte(from.wrapping_add(index - shift)) };
        }
        let mut previous = usize::from_ne_bytes(first);
        // The next word to be read ends behind the one to be written, and must be there as a whole.
        while left >= 2 * WORD - shift {
            // SAFETY: the word is the first that is aligned behind `from`, and ends inside.
            let next = unsafe { From::load_word(from.wrapping_add(WORD - shift)) };
            // SAFETY: a word is left, and aligned.
            unsafe { To::store_word(to, joined(previous, next, shift)) };
            previous = next;
            to = to.wrapping_add(WORD);
            from = from.wrapping_add(WORD);
            left -= WORD;
        }
    }
    while left > 0 {
        byte(&mut to, &mut from);
        left -= 1;
    }
}

/// The word that begins `shift` bytes behind the beginning of the first of two neighbours.
fn joined(first: usize, second: usize, shift: usize) -> usize {
    let (skipped, taken) = (8 * shift, 8 * (WORD - shift));
    // As numbers whose lowest byte comes first, whatever this machine's order is.
    usize::from_le(first.to_le() >> skipped | second.to_le() << taken)
}

/// Copies from the highest byte down.
///
/// # Safety
///
/// `length` bytes from either address on are those of shared memories.
unsafe fn copy_down(to: *mut u8, from: *const u8, length: usize) {
    let mut left = length;
    let together = to.addr() % WORD == from.addr() % WORD;
    while left > 0 {
        let end = to.wrapping_add(left);
        if together && left >= WORD && end.addr().is_multiple_of(WORD) {
            left -= WORD;
            // SAFETY: the word is inside of both ranges, and aligned in both.
            let value = unsafe { Racy::load_word(from.wrapping_add(left)) };
            // SAFETY: as above.
            unsafe { Racy::store_word(to.wrapping_add(left), value) };
        } else {
            left -= 1;
            // SAFETY: the byte is inside of both ranges.
            let value = unsafe { Racy::load_byte(from.wrapping_add(left)) };
            // SAFETY: as above.
            unsafe { Racy::store_byte(to.wrapping_add(left), value) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 96;

    fn numbered() -> [u8; SIZE] {
        core::array::from_fn(|index| index as u8 + 1)
    }

    /// Every place and length of a block that a few words fit into.
    fn every_case(run: impl Fn(usize, usize, usize)) {
        for to in 0..WORD + 3 {
            for from in 0..WORD + 3 {
                for length in 0..5 * WORD {
                    run(to, from, length);
                }
            }
        }
    }

    #[test]
    fn copies_between_blocks_are_exact() {
        every_case(|to, from, length| {
            let mut source = numbered();
            let mut expected = [0; SIZE];
            expected[to..to + length].copy_from_slice(&source[from..from + length]);
            for copy in [copy_in, copy_out, copy_between] {
                let mut target = [0; SIZE];
                let start = target.as_mut_ptr().wrapping_add(to);
                let bytes = source.as_mut_ptr().wrapping_add(from);
                // SAFETY: both ranges are inside of blocks of the test's own.
                unsafe { copy(start, bytes, length) };
                assert_eq!(target, expected, "{to} {from} {length}");
            }
        });
    }

    #[test]
    fn copies_within_a_block_may_overlap() {
        every_case(|to, from, length| {
            let mut block = numbered();
            let mut expected = block;
            expected.copy_within(from..from + length, to);
            let start = block.as_mut_ptr();
            // SAFETY: both ranges are inside of a block of the test's own.
            unsafe { copy_between(start.wrapping_add(to), start.wrapping_add(from), length) };
            assert_eq!(block, expected, "{to} {from} {length}");
        });
    }

    #[test]
    fn fills_and_counts_are_exact() {
        every_case(|start, _, length| {
            let mut block = [0; SIZE];
            let place = block.as_mut_ptr().wrapping_add(start);
            // SAFETY: the range is inside of a block of the test's own.
            unsafe { fill(place, 7, length) };
            let filled = block.iter().filter(|byte| **byte == 7).count();
            assert_eq!(
                (
                    filled,
                    block[start..start + length].iter().all(|byte| *byte == 7)
                ),
                (length, true)
            );
            // SAFETY: as above.
            let count = unsafe { count_while(place, SIZE - start, |byte| byte == 7) };
            assert_eq!(count, length);
        });
    }
}
