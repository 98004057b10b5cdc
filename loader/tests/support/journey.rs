//! The whole way through the loader for tests of memory: load, instantiate, call, trap, grow, drop.
//! Nothing here takes memory but from the runtime, messages included.

use std::fmt::{self, Display, Write};

use precast_loader::{
    CallError, Caller, HostError, Imports, InstanceOptions, Memory, Runtime, Source, Stack, Table,
    Value,
};

use crate::code;
use crate::support::{memory_type, rich, table_type};

/// The beginning of an error's text.
pub struct Message {
    bytes: [u8; 96],
    length: usize,
}

impl Message {
    pub fn of(error: impl Display) -> Message {
        let mut message = Message {
            bytes: [0; 96],
            length: 0,
        };
        // What does not fit is cut off.
        let _ = write!(message, "{error}");
        message
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or("not a text")
    }
}

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.len() - self.length;
        let part = &text.as_bytes()[..text.len().min(room)];
        self.bytes[self.length..][..part.len()].copy_from_slice(part);
        self.length += part.len();
        Ok(())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The artifacts of the journey.
pub struct Artifacts {
    /// Functions that can be called.
    pub code: Vec<u8>,
    /// Some of everything, nothing of which can be called.
    pub rich: Vec<u8>,
}

pub fn artifacts() -> Artifacts {
    Artifacts {
        code: code::module().write().expect("it is well formed"),
        rich: rich().write().expect("it is well formed"),
    }
}

/// Calls functions and traps.
pub fn call(runtime: &Runtime, artifacts: &Artifacts) -> Result<(), Message> {
    let source = Source::copied(&artifacts.code);
    // SAFETY: the code is that of the tests.
    let module = unsafe { runtime.load_unverified(source) }.map_err(Message::of)?;
    let mut imports = Imports::new(runtime);
    let offset = 1;
    let host = move |_: &mut Caller<'_>, a: i32, b: i32| match b {
        0 => Ok(a + offset),
        _ => Err(HostError::Message("the host does not want to")),
    };
    imports.func("env", "f", host).map_err(Message::of)?;
    let instance = module
        .instantiate(&imports, InstanceOptions::default())
        .map_err(Message::of)?;
    let mut environment = instance
        .execution_environment(Stack::Caller)
        .map_err(Message::of)?;
    let add = instance
        .func::<(i32, i32), i32>("add")
        .map_err(Message::of)?;
    let sum = add.call(&mut environment, (2, 3)).map_err(Message::of)?;
    assert_eq!(sum, 5);
    let host = instance
        .func::<(i32, i32), i32>("host")
        .map_err(Message::of)?;
    let next = host.call(&mut environment, (41, 0)).map_err(Message::of)?;
    assert_eq!(next, 42);
    assert!(host.call(&mut environment, (41, 1)).is_err());
    let untyped = instance.untyped_func("add").map_err(Message::of)?;
    let mut results = [Value::I32(0)];
    untyped
        .call(
            &mut environment,
            &[Value::I32(20), Value::I32(1)],
            &mut results,
        )
        .map_err(Message::of)?;
    for name in ["fault", "raise", "deep"] {
        let function = instance.func::<(), ()>(name).map_err(Message::of)?;
        match function.call(&mut environment, ()) {
            Err(CallError::Trap(_)) => {}
            Err(error) => return Err(Message::of(error)),
            Ok(()) => panic!("there was no trap"),
        }
    }
    Ok(())
}

/// Makes an instance with memories and tables, fills the memories, and grows all of them if asked.
pub fn fill(runtime: &Runtime, artifacts: &Artifacts, grow: bool) -> Result<(), Message> {
    let source = Source::copied(&artifacts.rich);
    // SAFETY: nothing of the artifact is executed.
    let module = unsafe { runtime.load_unverified(source) }.map_err(Message::of)?;
    let mut imports = Imports::new(runtime);
    let host = |_: &mut Caller<'_>, _: i32, _: f64| 0u128;
    imports.func("env", "func", host).map_err(Message::of)?;
    let imported = Memory::new(runtime, memory_type(1, Some(3))).map_err(Message::of)?;
    imports
        .memory("env", "memory", &imported)
        .map_err(Message::of)?;
    let instance = module
        .instantiate(&imports, InstanceOptions::default())
        .map_err(Message::of)?;
    let table = Table::new(runtime, table_type(1, None), Value::FuncRef(None));
    let table = table.map_err(Message::of)?;
    let func = instance.untyped_func("func").map_err(Message::of)?;
    table
        .set(0, &Value::FuncRef(Some(func)))
        .map_err(Message::of)?;
    let defined = instance.memory("memory").expect("it is exported");
    // Beyond what the image and the segment wrote.
    for (memory, used) in [(&imported, 0), (&defined, 5006)] {
        expect_zeros(memory, used)?;
        if grow {
            memory
                .grow(1)
                .map_err(Message::of)?
                .ok_or(Message::of("no memory for a page"))?;
            expect_zeros(memory, 65536)?;
        }
    }
    if grow {
        table
            .grow(100, &Value::FuncRef(None))
            .map_err(Message::of)?
            .ok_or(Message::of("no memory for elements"))?;
    }
    Ok(())
}

/// Whether the memory is zero from there on. Then it is not any more.
fn expect_zeros(memory: &Memory, from: u64) -> Result<(), Message> {
    let end = memory.len().map_err(Message::of)? as u64;
    let mut bytes = [0; 4096];
    for offset in (from..end).step_by(bytes.len()) {
        let count = bytes.len().min((end - offset) as usize);
        let part = &mut bytes[..count];
        memory.read(offset, part).map_err(Message::of)?;
        assert!(part.iter().all(|byte| *byte == 0), "bytes of another time");
        part.fill(0xa5);
        memory.write(offset, part).map_err(Message::of)?;
    }
    Ok(())
}
