//! Embedding in Rust: compile a module, load the artifact, give it a host function, call it.
//!
//! A device leaves out the first step and links the loader alone; the artifact then comes from a
//! file or from flash, and is loaded with `Runtime::load` and the key that has to have signed it.

use precast_compiler::{Options, Silent, Target};
use precast_loader::{Caller, HostError, Imports, InstanceOptions, Runtime, Source, Stack};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // At build time, on any machine.
    let wasm = wat::parse_str(include_str!("guest.wat"))?;
    let options = Options::new(Target::host()?);
    let artifact = precast_compiler::compile(&wasm, &options, &Silent)?.artifact;

    // At run time, on the device.
    let runtime = Runtime::system()?;
    // SAFETY: the artifact was made by the compiler a few lines above, and nobody changed it.
    let module = unsafe { runtime.load_unverified(Source::given(artifact)) }?;

    let mut imports = Imports::new(&runtime);
    imports.func(
        "host",
        "word",
        |caller: &mut Caller<'_>, address: u32, length: u32| {
            let memory = caller.memory_mut()?;
            let (begin, length) = (address as usize, length as usize);
            let word = memory.get(begin..).and_then(|rest| rest.get(..length));
            let word = word.ok_or(HostError::Message("the word is outside of the memory"))?;
            println!("{}", String::from_utf8_lossy(word));
            Ok::<(), HostError>(())
        },
    )?;

    let instance = module.instantiate(&imports, InstanceOptions::default())?;
    let mut environment = instance.execution_environment(Stack::Caller)?;
    let buffer = instance.func::<(), (u32, u32)>("buffer")?;
    let words = instance.func::<(u32,), u32>("words")?;

    let text = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "cast in a factory, set in place".into());
    let (address, size) = buffer.call(&mut environment, ())?;
    let text = &text.as_bytes()[..text.len().min(size as usize)];
    let memory = instance
        .memory("memory")
        .ok_or("the guest exports no memory")?;
    memory.write(u64::from(address), text)?;
    let count = words.call(&mut environment, (text.len() as u32,))?;
    println!("{count} words");
    Ok(())
}
