//! QEMU's machine `virt` for RISC-V, of 32 and of 64 bits: `qemu-system-riscv32 -machine virt -bios none`.
//!
//! The crate `riscv-rt` has the first instructions, copies and clears variables and turns the
//! floating-point unit on, where there is one.

use core::ptr;
use precast_loader::RuntimeOptions;
use riscv::register::{mcause, mtval};
use riscv_rt::{TrapFrame, entry};

/// The board's name.
#[cfg(target_arch = "riscv32")]
pub const NAME: &str = "riscv32 (virt)";
/// The board's name.
#[cfg(target_arch = "riscv64")]
pub const NAME: &str = "riscv64 (virt)";

/// The serial port, a 16550: data, control of the modem, state, and a byte for whoever likes.
const UART_DATA: *mut u8 = 0x1000_0000 as *mut u8;
const UART_STATE: *const u8 = 0x1000_0005 as *const u8;
const UART_SCRATCH: *mut u8 = 0x1000_0007 as *mut u8;
const UART_READY: u8 = 0x20;

/// The machine's timer, in two halves, and its ticks per microsecond.
const TIMER_LOW: *const u32 = 0x0200_bff8 as *const u32;
const TIMER_HIGH: *const u32 = 0x0200_bffc as *const u32;
const TIMER_CLOCK: u64 = 10;

#[entry]
fn start() -> ! {
    super::run()
}

/// What the loader has to know: what native code may use of the processor, which it says itself in the mode
/// that firmware runs in.
#[cfg(target_arch = "riscv64")]
pub fn options() -> RuntimeOptions {
    use precast_loader::{CpuFeatures, Isa};
    use riscv::register::misa;
    const NAMES: [(char, &str); 6] = [
        ('M', "m"),
        ('A', "a"),
        ('F', "f"),
        ('D', "d"),
        ('C', "zca"),
        ('C', "zcd"),
    ];
    let processor = misa::read();
    let features = NAMES
        .iter()
        .filter(|(letter, _)| processor.has_extension(*letter));
    let features = features.fold(CpuFeatures(0), |features, (_, name)| {
        features.with(Isa::Riscv64, name).unwrap_or(features)
    });
    RuntimeOptions::default().cpu_features(features)
}

/// What the loader has to know: nothing that it does not by itself.
#[cfg(target_arch = "riscv32")]
pub fn options() -> RuntimeOptions {
    RuntimeOptions::default()
}

/// Writes to the serial port and waits while it is busy.
pub fn write(bytes: &[u8]) {
    for byte in bytes {
        // SAFETY: the port is at this address; reading its state only clears flags of errors.
        while unsafe { ptr::read_volatile(UART_STATE) } & UART_READY == 0 {}
        // SAFETY: the port is at this address and can take a byte.
        unsafe { ptr::write_volatile(UART_DATA, *byte) };
    }
}

/// Microseconds since the machine was switched on.
pub fn microseconds() -> u64 {
    loop {
        // SAFETY: the timer is at this address; reading it changes nothing.
        let high = unsafe { ptr::read_volatile(TIMER_HIGH) };
        // SAFETY: as above.
        let low = unsafe { ptr::read_volatile(TIMER_LOW) };
        // SAFETY: as above.
        if unsafe { ptr::read_volatile(TIMER_HIGH) } == high {
            return (u64::from(high) << 32 | u64::from(low)) / TIMER_CLOCK;
        }
    }
}

/// The machine has no pins. Its serial port has a register that drives nothing and is read back, which is
/// what a program sees of pins.
pub struct Pins;

impl Pins {
    /// Sets all pins.
    pub fn set(&mut self, levels: u8) {
        // SAFETY: the register is at this address, and whoever has the pins uses it alone.
        unsafe { ptr::write_volatile(UART_SCRATCH, levels) };
    }

    /// The levels of all pins.
    pub fn get(&self) -> u8 {
        // SAFETY: the register is at this address; reading it changes nothing.
        unsafe { ptr::read_volatile(UART_SCRATCH) }
    }
}

/// What the crate calls for exceptions that have no function of their own.
#[unsafe(export_name = "ExceptionHandler")]
fn exception(_: &TrapFrame) -> ! {
    super::fault(
        mcause::read().bits(),
        riscv::register::mepc::read(),
        mtval::read(),
    )
}
