//! How many bytes of a range are in physical memory: nobody counts where there is no other.

use core::ops::Range;

/// Unknown.
pub fn resident_bytes(_: Range<usize>) -> Option<usize> {
    None
}
