//! QEMU's machine `virt` for 64-bit Arm: `qemu-system-aarch64 -machine virt,acpi=off -cpu cortex-a57 -bios IMAGE`.
//!
//! No crate is needed to start it: the assembly beside this file sets the stack up, copies and clears
//! variables, and comes here.
//!
//! ```text
//! 0000_0000  flash      read-only, the only place where code runs
//! 0800_0000  devices    never executable
//! 4000_0000  RAM        never executable
//! ```
//!
//! The processor's memory management is turned on with this map, one address for each. Without it, all memory
//! would count as devices, where no access may be misaligned; programs of WebAssembly may misalign.

use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::ptr;
use precast_loader::RuntimeOptions;

global_asm!(include_str!("aarch64_virt.s"));

/// The board's name.
pub const NAME: &str = "aarch64 (virt)";

/// The serial port, a PL011: data, state, control.
const UART_DATA: *mut u32 = 0x0900_0000 as *mut u32;
const UART_STATE: *const u32 = 0x0900_0018 as *const u32;
const UART_CONTROL: *mut u32 = 0x0900_0030 as *mut u32;
const UART_FULL: u32 = 1 << 5;
const UART_SEND: u32 = 1 << 8 | 1;

/// The pins, a PL061: the address of data has the mask of pins in it; then directions.
const PINS: usize = 0x0903_0000;
const PINS_DATA: *mut u32 = (PINS + (0xff << 2)) as *mut u32;
const PINS_OUTPUT: *mut u32 = (PINS + 0x400) as *mut u32;

/// Descriptors of the tables of addresses: a block with its attributes, or a further table.
const BLOCK: u64 = 1 | 1 << 10;
const TABLE: u64 = 3;
/// The kinds of memory that `mair_el1` lists.
const NORMAL: u64 = 0 << 2 | 3 << 8;
const DEVICE: u64 = 1 << 2;
const READ_ONLY: u64 = 1 << 7;
const NEVER_EXECUTE: u64 = 1 << 53 | 1 << 54;

/// The first gigabyte, in blocks of 2 MB. The table lies in flash: it never changes.
#[repr(C, align(4096))]
struct First([u64; 512]);

#[unsafe(link_section = ".rodata.addresses")]
static FIRST: First = First({
    const FLASH_BLOCKS: usize = 0x0800_0000 >> 21;
    let mut blocks = [0; 512];
    let mut block = 0;
    while block < blocks.len() {
        let kind = match block < FLASH_BLOCKS {
            true => NORMAL | READ_ONLY,
            false => DEVICE | NEVER_EXECUTE,
        };
        blocks[block] = (block as u64) << 21 | kind | BLOCK;
        block += 1;
    }
    blocks
});

/// All gigabytes; there are four in an address of 32 bits.
#[repr(C, align(64))]
struct Gigabytes(UnsafeCell<[u64; 4]>);

// SAFETY: it is written once, before the processor uses it, and there is one processor.
unsafe impl Sync for Gigabytes {}

static GIGABYTES: Gigabytes = Gigabytes(UnsafeCell::new([0; 4]));

/// What the assembly calls, with a stack and variables.
#[unsafe(no_mangle)]
extern "C" fn prepare() -> ! {
    map();
    // SAFETY: the port is at this address, and nothing else uses it.
    unsafe { ptr::write_volatile(UART_CONTROL, UART_SEND) };
    // SAFETY: the pins are at this address, and nothing has them yet.
    unsafe { ptr::write_volatile(PINS_OUTPUT, 0xff) };
    super::run()
}

/// What the assembly calls for an exception: why, where, and which address was asked for.
#[unsafe(no_mangle)]
extern "C" fn unexpected(cause: usize, place: usize, address: usize) -> ! {
    super::fault(cause, place, address)
}

/// Gives each address its kind of memory and turns memory management on.
fn map() {
    let first = &raw const FIRST as u64 | TABLE;
    let second = 1 << 30 | NORMAL | NEVER_EXECUTE | BLOCK;
    // SAFETY: memory management is off, so the processor does not look at it yet.
    unsafe { GIGABYTES.0.get().write([first, second, 0, 0]) };
    // Kind 0 is memory with caches, kind 1 are devices.
    let kinds: u64 = 0xff;
    // Addresses of 32 bits below, none above; tables are read through caches.
    let control: u64 = 32 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23;
    // SAFETY: the map gives each address that is used to itself, so nothing moves under anybody's feet.
    unsafe {
        asm!(
            "msr mair_el1, {kinds}",
            "msr tcr_el1, {control}",
            "msr ttbr0_el1, {table}",
            "dsb sy",
            "tlbi vmalle1",
            "ic iallu",
            "dsb sy",
            "isb",
            "mrs {state}, sctlr_el1",
            // Memory management, data cache, instruction cache.
            "orr {state}, {state}, #(1 << 0)",
            "orr {state}, {state}, #(1 << 2)",
            "orr {state}, {state}, #(1 << 12)",
            "msr sctlr_el1, {state}",
            "isb",
            kinds = in(reg) kinds,
            control = in(reg) control,
            table = in(reg) GIGABYTES.0.get(),
            state = out(reg) _,
        );
    }
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

/// Microseconds since the machine was switched on.
pub fn microseconds() -> u64 {
    let (count, frequency): (u64, u64);
    // SAFETY: reading the generic timer has no effect on anything.
    unsafe {
        asm!(
            "isb",
            "mrs {count}, cntvct_el0",
            "mrs {frequency}, cntfrq_el0",
            count = out(reg) count,
            frequency = out(reg) frequency,
            options(nomem, nostack),
        );
    }
    (u128::from(count) * 1_000_000 / u128::from(frequency.max(1))) as u64
}

/// The pins of the board, all of them outputs.
pub struct Pins;

impl Pins {
    /// Sets all pins.
    pub fn set(&mut self, levels: u8) {
        // SAFETY: the pins are at this address, and whoever has them uses them alone.
        unsafe { ptr::write_volatile(PINS_DATA, u32::from(levels)) };
    }

    /// The levels of all pins.
    pub fn get(&self) -> u8 {
        // SAFETY: the pins are at this address; reading them changes nothing.
        unsafe { ptr::read_volatile(PINS_DATA) as u8 }
    }
}
