//! The smallest program, and what it costs in RAM.

use super::{STACK, linked_module, pool};
use crate::failure::Failure;
use crate::{board, println};
use precast_loader::{Imports, InstanceOptions, Module, Runtime, Stack};

linked_module!("adder");
pool!("adder", 0);

/// Adds two numbers.
pub fn run() -> Result<(), Failure> {
    let pool = POOL.take().ok_or(Failure::PoolIsTaken)?;
    let runtime = Runtime::with_pool(pool, board::options())?;
    let module = Module::from_static(&runtime, guest::module())?;
    let imports = Imports::for_module(&module)?;
    let instance = module.instantiate(&imports, InstanceOptions::default())?;
    let mut environment = instance.execution_environment(Stack::Bytes(STACK))?;
    let add = instance.func::<(i32, i32), i32>("add")?;
    println!("adder: 2 + 3 = {}", add.call(&mut environment, (2, 3))?);
    report(&runtime);
    Ok(())
}
