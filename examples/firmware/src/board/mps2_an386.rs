//! Arm's board MPS2 with image AN386, a Cortex-M4: `qemu-system-arm -machine mps2-an386`.
//!
//! The crate `cortex-m-rt` has the vector table, copies and clears variables and turns the
//! floating-point unit on.

use core::ptr;
use cortex_m_rt::{ExceptionFrame, entry, exception};
use precast_loader::RuntimeOptions;

/// The board's name.
pub const NAME: &str = "cortex-m4 (mps2-an386)";

/// The first serial port: data, state, control, interrupts, divisor.
const UART_DATA: *mut u32 = 0x4000_4000 as *mut u32;
const UART_STATE: *const u32 = 0x4000_4004 as *const u32;
const UART_CONTROL: *mut u32 = 0x4000_4008 as *mut u32;
const UART_DIVISOR: *mut u32 = 0x4000_4010 as *mut u32;
const UART_FULL: u32 = 1;
const UART_SEND: u32 = 1;

/// The board's registers: light-emitting diodes, a counter, and what its clock is divided by.
const LIGHTS: *mut u32 = 0x4002_8000 as *mut u32;
const COUNTER: *const u32 = 0x4002_8018 as *const u32;
const DIVISOR: *mut u32 = 0x4002_801c as *mut u32;
/// The counter's clock, in MHz.
const COUNTER_CLOCK: u32 = 25;

#[entry]
fn start() -> ! {
    // SAFETY: the port is at this address, and nothing else uses it.
    unsafe { ptr::write_volatile(UART_DIVISOR, 16) };
    // SAFETY: as above.
    unsafe { ptr::write_volatile(UART_CONTROL, UART_SEND) };
    // SAFETY: the register is at this address, and nothing else uses it.
    unsafe { ptr::write_volatile(DIVISOR, COUNTER_CLOCK - 1) };
    super::run()
}

/// What the loader has to know: nothing that it does not by itself.
pub fn options() -> RuntimeOptions {
    RuntimeOptions::default()
}

/// Writes to the serial port and waits while it is busy.
pub fn write(bytes: &[u8]) {
    for byte in bytes {
        // SAFETY: the port is at this address; reading its state changes nothing.
        while unsafe { ptr::read_volatile(UART_STATE) } & UART_FULL != 0 {}
        // SAFETY: the port is at this address and can take a byte.
        unsafe { ptr::write_volatile(UART_DATA, u32::from(*byte)) };
    }
}

/// Microseconds since the start; they begin again after 71 minutes, which no program here takes.
pub fn microseconds() -> u64 {
    // SAFETY: the register is at this address; reading it changes nothing.
    u64::from(unsafe { ptr::read_volatile(COUNTER) })
}

/// The lights of the board. It has two; a program that asks for more reads them as dark.
pub struct Pins;

impl Pins {
    /// Sets all pins.
    pub fn set(&mut self, levels: u8) {
        // SAFETY: the register is at this address, and whoever has the pins uses it alone.
        unsafe { ptr::write_volatile(LIGHTS, u32::from(levels)) };
    }

    /// The levels of all pins.
    pub fn get(&self) -> u8 {
        // SAFETY: the register is at this address; reading it changes nothing.
        unsafe { ptr::read_volatile(LIGHTS) as u8 }
    }
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    // The state and address of a fault of the bus, in the system's control block.
    const CAUSE: *const u32 = 0xe000_ed28 as *const u32;
    const ADDRESS: *const u32 = 0xe000_ed38 as *const u32;
    // SAFETY: every processor of this kind has the register here.
    let cause = unsafe { ptr::read_volatile(CAUSE) };
    // SAFETY: as above.
    let address = unsafe { ptr::read_volatile(ADDRESS) };
    super::fault(cause as usize, frame.pc() as usize, address as usize)
}
