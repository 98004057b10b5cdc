//! What covered functions take of the reserve, once all frames are known.
//!
//! A covered function compares nothing. What it and the functions that it calls take is added up
//! here, callees first. Where that is more than the reserve shall hold, a stub in front of the
//! function looks for all of it at once, and its callers need not reckon with more than the stub.

use cranelift_codegen::isa::TargetIsa;

use super::function::{CodeContext, CompiledFunction, compile_clif};
use super::stack_stub;
use crate::error::Result;
use crate::translate::Environment;

/// What covered functions may take of the reserve, in bytes; more than the frames of most leaves,
/// and little enough for small stacks.
const MOST_BYTES: u32 = 1024;

/// Adds up what covered functions take, and puts stubs in front of those that take too much.
///
/// # Errors
///
/// When Cranelift fails, which is a defect.
pub(crate) fn cover_functions(
    environment: &Environment<'_>,
    isa: &dyn TargetIsa,
    functions: &mut [CompiledFunction],
) -> Result<()> {
    let imported = environment.module.imported_functions;
    let most = MOST_BYTES.min(environment.options.stack_reserve / 2);
    let mut context = CodeContext::new(isa);
    let Some(calls) = &environment.calls else {
        return Ok(());
    };
    environment.covered.add_up(calls, |function, below| {
        let compiled = &mut functions[(function - imported) as usize];
        let taken = compiled.frame_size + below;
        compiled.unchecked_size = taken;
        if taken > most {
            let stub = stack_stub::build(environment, function, taken);
            let stub = compile_clif(isa, &mut context, stub)
                .map_err(|error| error.in_function(function))?;
            compiled.put_stub(stub, taken);
        }
        Ok(compiled.unchecked_size)
    })
}
