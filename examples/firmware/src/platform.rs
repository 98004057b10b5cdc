//! What the loader's modules get of the board: time, and a place for their output.

use crate::board;
use precast_loader::platform::{Platform, Refused, Stream};

/// The board. It has one thread, and so the rest is as the trait says.
pub struct Board;

/// For all modules.
pub static BOARD: Board = Board;

// SAFETY: one thread uses the loader, and no interrupt does. No memory is given out.
unsafe impl Platform for Board {
    fn monotonic_time(&self) -> Option<u64> {
        Some(board::microseconds().wrapping_mul(1000))
    }

    fn write(&self, _: Stream, bytes: &[u8]) -> Result<usize, Refused> {
        board::write(bytes);
        Ok(bytes.len())
    }
}
