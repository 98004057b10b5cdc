//! Copies of plain elements that cannot panic, whatever lengths and ranges say: the library's own
//! compare them again, and a device has no place for the message.

use core::ops::Range;

/// Copies as many elements as both sides have.
pub(crate) fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    let count = to.len().min(from.len());
    // SAFETY: both sides have so many elements, and one of them is borrowed exclusively.
    unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr(), count) };
}

/// Copies a range of elements to where `to` says, which may overlap; `None` where one of the two is not
/// there, and nothing has changed.
pub(crate) fn copy_within<T: Copy>(
    elements: &mut [T],
    from: Range<usize>,
    to: usize,
) -> Option<()> {
    let count = elements.get(from.clone())?.len();
    let end = to.checked_add(count)?;
    elements.get(to..end)?;
    let start = elements.as_mut_ptr();
    // SAFETY: the range is inside of the elements.
    let from = unsafe { start.add(from.start) };
    // SAFETY: as above.
    let to = unsafe { start.add(to) };
    // SAFETY: so many elements are there from both addresses on, borrowed exclusively.
    unsafe { core::ptr::copy(from, to, count) };
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{copy, copy_within};

    #[test]
    fn ranges_overlap_or_are_refused() {
        let mut elements = [1, 2, 3, 4, 5];
        assert_eq!(copy_within(&mut elements, 0..3, 2), Some(()));
        assert_eq!(elements, [1, 2, 1, 2, 3]);
        for (from, to) in [(0..3, 3), (3..6, 0), (0..1, usize::MAX)] {
            assert_eq!(copy_within(&mut elements, from, to), None);
        }
        assert_eq!(elements, [1, 2, 1, 2, 3]);
    }

    #[test]
    fn the_shorter_side_decides() {
        let mut elements = [0; 3];
        copy(&mut elements, &[1, 2]);
        copy(&mut elements, &[3, 2, 7, 8]);
        assert_eq!(elements, [3, 2, 7]);
    }
}
