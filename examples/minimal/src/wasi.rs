//! What programs of WASI get here: output, and answers.

use precast_loader::platform::{Platform, Refused, Stream};
use precast_loader::{Imports, Module, OutOfMemory};
use precast_wasi_minimal::MinimalWasi;

use crate::door::Output;

/// One thread, and somewhere to write to.
struct Board;

// SAFETY: one thread uses the loader, and no code is copied.
unsafe impl Platform for Board {
    fn write(&self, _: Stream, bytes: &[u8]) -> Result<usize, Refused> {
        let sent = Output.send(bytes);
        sent.map(|()| bytes.len()).map_err(|_| Refused(0))
    }
}

static WASI: MinimalWasi = MinimalWasi::new(&Board).args(&["minimal"]);

/// The functions that the module imports.
pub fn imports(module: &Module) -> Result<Imports, OutOfMemory> {
    let mut imports = Imports::for_module(module)?;
    WASI.define_for(&mut imports, module)?;
    Ok(imports)
}
