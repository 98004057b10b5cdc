//! A program of WASI, with what of it a board has: output, a clock, and an end.

use super::{STACK, linked_module, pool};
use crate::failure::Failure;
use crate::platform::BOARD;
use crate::{board, println};
use precast_loader::{CallError, Imports, InstanceOptions, Module, Runtime, Stack};
use precast_wasi_minimal::MinimalWasi;

/// What functions of WASI remember: each its name and whom it serves. The plan takes functions of the host to
/// remember nothing.
const FUNCTIONS: usize = 256;

linked_module!("greeting");
pool!("greeting", FUNCTIONS);

static WASI: MinimalWasi = MinimalWasi::new(&BOARD).args(&["greeting"]);

/// Runs the program from its start to its end.
pub fn run() -> Result<(), Failure> {
    let pool = POOL.take().ok_or(Failure::PoolIsTaken)?;
    let runtime = Runtime::with_pool(pool, board::options())?;
    let module = Module::from_static(&runtime, guest::module())?;
    let mut imports = Imports::for_module(&module)?;
    WASI.define_for(&mut imports, &module)?;
    let instance = module.instantiate(&imports, InstanceOptions::default())?;
    let mut environment = instance.execution_environment(Stack::Bytes(STACK))?;
    let start = instance.func::<(), ()>("_start")?;
    match start.call(&mut environment, ()) {
        Ok(()) => println!("greeting: returned"),
        Err(CallError::Exit(code)) => println!("greeting: ended with {code}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
