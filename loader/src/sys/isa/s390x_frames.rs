//! The frame of code on z/Architecture that was interrupted, perhaps before it had made one.
//!
//! Frames are found through the stack pointer, and where the stack has come to its end there is
//! nothing to be read. Then the instruction tells where the frame pointer is.

use core::ptr;

use super::native::RETURN_ADDRESS;

/// Where code was interrupted.
pub(crate) struct Interrupted<'a> {
    /// Address of the instruction.
    pub pc: usize,
    /// The general registers.
    pub registers: &'a [u64; 16],
    /// Whether the stack cannot be read where the stack pointer points to.
    pub overflown: bool,
}

/// The register in which a prologue counts the rounds of its probes.
const ROUNDS: usize = 1;
/// The register of the return address.
const LINK: usize = 14;
/// The register that is the stack pointer.
pub(crate) const STACK_POINTER: usize = 15;

/// The size of a page: of memory, and of the smallest guard of a stack.
const PAGE: usize = 4096;
/// The distance between a large frame's probes.
const PROBE: usize = 2048;
/// `aghi %r15, -2048`, in front of every probe.
const STEP: u32 = 0xa7fb_f800;
/// `mvi 0(%r15), 0`, the probe.
const TOUCH: u32 = 0x9200_f000;
/// The first four bytes of `stg %r0, 0(%r15)`, by which a back chain is written; other registers are
/// in four of the bits.
const WRITE_CHAIN: u32 = 0xe300_f000;
/// Where these bits are.
const WRITTEN: u32 = 20;

/// The frame pointer of interrupted code.
///
/// Where the stack has come to its end, code was writing a back chain, its own or a copy for the
/// arguments of a call, and has the frame pointer in a register. Or a prologue was looking for room
/// before anything was written: then the stack pointer at its entry is in the frame pointer's place,
/// and the return address is written there for whoever follows the frames. Zero where it is neither.
///
/// # Safety
///
/// 1. This is code of the compiler that this thread was executing; it does not go on.
/// 2. The stack can be read and written from the stack pointer on, or from the frame on where it is
///    overflown.
pub(crate) unsafe fn interrupted_frame(at: &Interrupted<'_>) -> usize {
    let stack_pointer = at.registers[STACK_POINTER] as usize;
    if !at.overflown {
        // SAFETY: 2; behind the prologue the back chain is there at all times.
        return unsafe { ptr::with_exposed_provenance::<usize>(stack_pointer).read() };
    }
    // SAFETY: 1.
    let instruction = unsafe { at.instruction(0) };
    if instruction & !(0xf << WRITTEN) == WRITE_CHAIN {
        let written = (instruction >> WRITTEN & 0xf) as usize;
        return at.registers[written] as usize;
    }
    if instruction != TOUCH {
        return 0;
    }
    // SAFETY: 1.
    let entry = stack_pointer + unsafe { at.probed() };
    let place = entry + RETURN_ADDRESS * size_of::<usize>();
    let place: *mut usize = ptr::with_exposed_provenance_mut(place);
    // SAFETY: 2; the caller's area for the function that does not go on.
    unsafe { place.write(at.registers[LINK] as usize) };
    entry
}

impl Interrupted<'_> {
    /// How far below the stack pointer at the function's entry its prologue has got with its probes,
    /// being at one.
    ///
    /// # Safety
    ///
    /// 1 of [`interrupted_frame`].
    unsafe fn probed(&self) -> usize {
        // In front of the first step of a loop is the number of its rounds, of which the register has
        // those that are left, this one included: `lhi %r1, rounds`, or `iilf %r1, rounds`, which has
        // two bytes more.
        // SAFETY: the caller's promise.
        let (short, long) = unsafe { (self.instruction(8), self.instruction(10)) };
        let rounds = match (short >> 16, long >> 16) {
            (0xa718, _) => Some(short & 0xffff),
            (_, 0xc019) => Some(short),
            _ => None,
        };
        let left = self.registers[ROUNDS] as u32;
        if let Some(done) = rounds.and_then(|rounds| rounds.checked_sub(left)) {
            return (done as usize + 1) * PROBE;
        }
        // Otherwise there are at most two, one behind the other.
        // SAFETY: the caller's promise.
        let before = unsafe { self.instruction(12) };
        if (before, short) == (STEP, TOUCH) {
            2 * PROBE
        } else {
            PROBE
        }
    }

    /// Four bytes of code so far in front of the program counter, the first the most significant;
    /// zero where they begin on the page before, which may not be there.
    ///
    /// # Safety
    ///
    /// 1 of [`interrupted_frame`].
    unsafe fn instruction(&self, distance: usize) -> u32 {
        let address = self.pc.wrapping_sub(distance);
        if address / PAGE != self.pc / PAGE {
            return 0;
        }
        // SAFETY: the instruction at the program counter was read. Others lie at even addresses only.
        unsafe { ptr::with_exposed_provenance::<u32>(address).read_unaligned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Code that begins with its page.
    #[repr(align(4096))]
    struct Code([u16; 16]);

    const STEP_TOUCH: [u16; 4] = [0xa7fb, 0xf800, 0x9200, 0xf000];

    /// The frame that is found for code which was interrupted at an offset in it, its stack pointer
    /// being so far below that of its entry; and the entry, with what is in the place of its return
    /// address.
    fn found(code: &[u16], at: usize, below: usize, rounds: u64) -> (usize, usize, usize) {
        let mut text = Code([0; 16]);
        text.0[..code.len()].copy_from_slice(code);
        let mut area = [0_usize; 20];
        let entry = (&raw mut area).expose_provenance();
        let mut registers = [0; 16];
        registers[ROUNDS] = rounds;
        registers[7] = 4711;
        registers[LINK] = 42;
        registers[STACK_POINTER] = (entry - below) as u64;
        let interrupted = Interrupted {
            pc: (&raw const text).expose_provenance() + at,
            registers: &registers,
            overflown: true,
        };
        // SAFETY: the code is the test's, and so is the stack from the entry on.
        let frame = unsafe { interrupted_frame(&interrupted) };
        (frame, entry, area[RETURN_ADDRESS])
    }

    #[test]
    fn frames_that_were_not_made_are_found_from_their_probes() {
        let once = found(&STEP_TOUCH, 4, PROBE, 0);
        assert_eq!((once.0, once.2), (once.1, 42));
        let twice = [STEP_TOUCH, STEP_TOUCH].concat();
        let second = found(&twice, 12, 2 * PROBE, 0);
        assert_eq!((second.0, second.2), (second.1, 42));
        let short = [&[0xa718, 7][..], &STEP_TOUCH].concat();
        let long = [&[0xc019, 1, 0][..], &STEP_TOUCH].concat();
        for done in 1..5 {
            let at = found(&short, 8, done * PROBE, 8 - done as u64);
            assert_eq!((at.0, at.2), (at.1, 42), "{done}");
            let at = found(&long, 10, done * PROBE, 0x1_0001 - done as u64);
            assert_eq!((at.0, at.2), (at.1, 42), "{done}");
        }
    }

    #[test]
    fn back_chains_on_their_way_are_found_in_their_register() {
        let (frame, _, link) = found(&[0xe370, 0xf000, 0x0024], 0, 160, 0);
        assert_eq!((frame, link), (4711, 0));
        assert_eq!(found(&[0x0700], 0, 160, 0).0, 0);
    }
}
