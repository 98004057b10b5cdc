//! A copy of what a call moves between the system and a memory that several threads share.
//!
//! The common call moves little: its copy lies on the stack. A longer one lies in the runtime's memory
//! for the time of the call; without memory the call moves what the stack holds. Either way its size
//! has a bound that does not depend on the guest.

use precast_loader::alloc::Vec;
use precast_loader::{Allocator, Category};

/// How many bytes lie on the stack: what a pipe takes in one piece.
const INLINE: usize = 4096;

/// How many bytes one call moves at most.
const LONGEST: usize = 64 << 10;

/// Room for a copy. None is filled before it is asked for.
pub(super) struct Bounce {
    inline: Option<[u8; INLINE]>,
    spilled: Option<Vec<u8>>,
}

impl Bounce {
    /// No room yet.
    pub fn new() -> Bounce {
        Bounce {
            inline: None,
            spilled: None,
        }
    }

    /// The room on the stack.
    pub fn inline(&mut self) -> &mut [u8] {
        self.inline.insert([0; INLINE])
    }

    /// Room for so many bytes, or as many as there can be.
    pub fn room(&mut self, allocator: &Allocator, wanted: usize) -> &mut [u8] {
        let wanted = wanted.min(LONGEST);
        if wanted > INLINE {
            let mut bytes = Vec::new_in(allocator, Category::Wasi);
            let reserved = bytes.try_reserve_exact(wanted);
            if reserved.and_then(|()| bytes.try_resize(wanted, 0)).is_ok() {
                return self.spilled.insert(bytes);
            }
        }
        let bytes = self.inline();
        &mut bytes[..wanted.min(INLINE)]
    }
}
