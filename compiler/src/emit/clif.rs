//! CLIF as text: what the translation makes, before Cranelift optimises it.

use std::fmt::Write;

use cranelift_codegen::ir::Function;

use super::FunctionFilter;
use crate::error::Result;
use crate::options::Options;
use crate::translate::{Scratch, translate};
use crate::{environment, parse};

/// The CLIF of the functions that the filter selects, in the order of the module.
///
/// # Errors
///
/// As [`compile`](crate::compile), for the functions that are translated.
pub fn clif(wasm: &[u8], options: &Options, filter: &FunctionFilter) -> Result<String> {
    let isa = options.target.cranelift_isa(options)?;
    let (module, bodies) = parse(wasm, options)?;
    let environment = environment(&module, &bodies, options, &*isa)?;
    let mut scratch = Scratch::default();
    let mut function = Function::new();
    let mut text = String::new();
    for body in bodies {
        let (index, name) = (body.function, module.display_name(body.function));
        if !filter.selects(index, name) {
            continue;
        }
        translate(&environment, body, &mut scratch, &mut function)?;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "; function {index} {}", name.unwrap_or_default());
        let _ = writeln!(text, "{}", function.display());
    }
    Ok(text)
}
