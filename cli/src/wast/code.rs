//! Where the code of a script's modules comes from: it is compiled now, or it was compiled before.

use super::machine::Problem;

/// Gives artifacts for binary modules. A script and its threads ask at the same time.
pub trait Code: Sync {
    /// The bytes of the module's artifact.
    ///
    /// # Errors
    ///
    /// When the compiler refuses the module: scripts assert that, too.
    fn artifact(&self, wasm: &[u8]) -> Result<Vec<u8>, Problem>;

    /// Why an earlier version of WebAssembly refuses a module that this one accepts, if one does.
    fn reason_of_earlier(&self, wasm: &[u8]) -> Option<String>;
}
