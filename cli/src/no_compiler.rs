//! What stands for the compiler where the command was built without: the sentence that says so.

use crate::Outcome;
use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::input::Purpose;
use crate::wast::Stored;
use std::env::consts::ARCH;

/// Refuses a module that a subcommand came upon instead of an artifact.
pub fn on_the_way(name: &str, _: Vec<u8>, _: &CodeFlags, _: Purpose) -> Outcome<Vec<u8>> {
    Err(Failure::new(format_args!(
        "{name} is a module, and this `precast` was built without the compiler; where there is one, \
         `precast compile --target {ARCH}` makes an artifact of it"
    )))
}

/// Refuses to compile the modules of scripts.
pub fn for_scripts(_: &CodeFlags) -> Outcome<Stored> {
    Err(Failure::new(
        "this `precast` was built without the compiler; `--artifacts` names a folder with what \
         `precast wast --artifacts-out` compiled",
    ))
}
