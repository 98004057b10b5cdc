//! A program with functions of its host: pins that are the board's, and a sensor in a room that gets warmer
//! while the heater's pin is set.

use super::{STACK, linked_module, pool};
use crate::board::{self, Pins};
use crate::failure::Failure;
use crate::println;
use core::sync::atomic::{AtomicI32, Ordering};
use precast_loader::{Caller, HostError, Imports, InstanceOptions};
use precast_loader::{Module, Runtime, Stack};

linked_module!("thermostat");
pool!("thermostat", 0);

/// The pin that heats.
const HEATER: i32 = 0;
/// Pins that there are on every board.
const PINS: i32 = 2;

/// The room's temperature, in tenths of a degree.
static ROOM: AtomicI32 = AtomicI32::new(195);

/// Looks at the room ten times.
pub fn run() -> Result<(), Failure> {
    let pool = POOL.take().ok_or(Failure::PoolIsTaken)?;
    let runtime = Runtime::with_pool(pool, board::options())?;
    let module = Module::from_static(&runtime, guest::module())?;
    let mut imports = Imports::for_module(&module)?;
    // In the module's order, and without captured values: so the pool was sized.
    imports.func("board", "set_pin", set_pin)?;
    imports.func("board", "pin", pin)?;
    imports.func("board", "temperature", temperature)?;
    imports.func("board", "log", log)?;
    let instance = module.instantiate(&imports, InstanceOptions::default())?;
    let mut environment = instance.execution_environment(Stack::Bytes(STACK))?;
    let work = instance.func::<(i32, i32, i32), i32>("run")?;
    let highest = work.call(&mut environment, (10, 200, 210))?;
    println!("thermostat: at most {}", Degrees(highest));
    report(&runtime);
    Ok(())
}

/// The bit of a pin; a program that asks for another one is wrong, and ends.
fn bit(pin: i32) -> Result<u8, HostError> {
    match pin {
        0..PINS => Ok(1 << pin),
        _ => Err(HostError::Message("no such pin")),
    }
}

fn set_pin(_: &mut Caller<'_>, pin: i32, level: i32) -> Result<(), HostError> {
    let (mut pins, bit) = (Pins, bit(pin)?);
    let others = pins.get() & !bit;
    pins.set(if level == 0 { others } else { others | bit });
    Ok(())
}

fn pin(_: &mut Caller<'_>, pin: i32) -> Result<i32, HostError> {
    Ok(i32::from(Pins.get() & bit(pin)? != 0))
}

/// Reads the sensor. There is none on these boards: the room is played, and the heater is the board's pin.
fn temperature(_: &mut Caller<'_>) -> i32 {
    let now = ROOM.load(Ordering::Relaxed);
    let heats = Pins.get() & 1 << HEATER != 0;
    ROOM.store(if heats { now + 8 } else { now - 3 }, Ordering::Relaxed);
    now
}

fn log(_: &mut Caller<'_>, temperature: i32, heats: i32) {
    let heater = if heats == 0 { "off" } else { "on" };
    println!("thermostat: {}, heater {heater}", Degrees(temperature));
}

/// Tenths of a degree.
struct Degrees(i32);

impl core::fmt::Display for Degrees {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}
