//! Functions: their types, and calls.

use precast_loader::{
    CallContext, CallError, Category, ExecutionEnvironment, Func, Runtime, Stack, Value,
};

use super::env::precast_env;
use crate::boundary::C;
use crate::boundary::handle::{Object, create};
use crate::error::precast_error;
use crate::failure::Failure;
use crate::status::precast_status;
use crate::types::precast_signature;
use crate::value::{Values, lend, precast_value};

/// A function: an export, or a reference out of a table. It keeps its instance alive.
pub struct precast_function {
    _private: [u8; 0],
}

impl Object for precast_function {
    type Value = Function;
    const KIND: u32 = 0x5043_0005;
}

/// A function, and where handles to its results come from.
pub struct Function {
    /// The function.
    pub func: Func,
    /// Its runtime.
    pub runtime: Runtime,
}

/// Makes a handle.
pub fn handle(runtime: &Runtime, func: Func) -> Result<*mut precast_function, Failure> {
    let runtime = runtime.clone();
    let allocator = runtime.allocator().clone();
    let function = Function { func, runtime };
    Ok(create(&allocator, Category::Instance, function)?)
}

/// What a call is given, and what it gives.
pub struct Arguments<'a> {
    /// As many as the function has parameters.
    pub params: &'a [precast_value],
    /// As many as it has results.
    pub results: &'a mut [precast_value],
}

/// Calls a function with C's values.
pub fn call(
    c: C,
    function: &Function,
    context: &mut impl CallContext,
    arguments: Arguments<'_>,
) -> Result<(), Failure> {
    let (func, runtime) = (&function.func, &function.runtime);
    let Arguments { params, results } = arguments;
    let allocator = runtime.allocator();
    let mut values = Values::new(allocator, params.len(), Value::I32(0))?;
    for (value, param) in values.iter_mut().zip(params) {
        *value = c.value(param, "params")?;
    }
    let mut returned = Values::new(allocator, results.len(), Value::I32(0))?;
    func.call(context, &values, &mut returned)?;
    store(c, runtime, &returned, results)
}

/// Stores values for C: all of them, or none.
fn store(
    c: C,
    runtime: &Runtime,
    values: &[Value],
    places: &mut [precast_value],
) -> Result<(), Failure> {
    for (index, value) in values.iter().enumerate() {
        let lent = lend(value, runtime);
        match (places.get_mut(index), lent) {
            (Some(place), Ok(lent)) => *place = lent,
            (_, Err(failure)) => {
                c.free_values(places.get(..index).unwrap_or_default());
                places.fill(precast_value::ZERO);
                return Err(failure);
            }
            (None, Ok(_)) => {}
        }
    }
    Ok(())
}

/// Calls a function, with as many parameters and results as its type has.
///
/// The call runs in the environment; if that is null, on the calling thread's stack, for which
/// nothing is allocated. `params` and `results` may be the same array. References to functions among
/// the results are handles that the caller frees. Any status but `PRECAST_OK` leaves the results as
/// they are; the instance stays usable after each of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_function_call(
    function: *const precast_function,
    env: *mut precast_env,
    params: *const precast_value,
    param_count: usize,
    results: *mut precast_value,
    result_count: usize,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let function = c.get(function, "function")?;
        let expected = function.func.func_type();
        if (param_count, result_count) != (expected.params().len(), expected.results().len()) {
            return Err(CallError::Mismatch { expected }.into());
        }
        if result_count > 0 {
            c.array(results.cast_const(), result_count, "results")?;
        }
        let allocator = function.runtime.allocator();
        let mut places = Values::new(allocator, result_count, precast_value::ZERO)?;
        let arguments = Arguments {
            params: c.array(params, param_count, "params")?,
            results: &mut places,
        };
        if env.is_null() {
            let mut env = ExecutionEnvironment::new(&function.runtime, Stack::Caller)?;
            call(c, &function, &mut env, arguments)?;
        } else {
            call(c, &function, &mut c.lock(env, "env")?.0, arguments)?;
        }
        let results = c.array_mut(results, result_count, "results")?;
        for (result, place) in results.iter_mut().zip(places.iter()) {
            *result = *place;
        }
        Ok(())
    })
}

/// Stores the type of a function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_function_signature(
    function: *const precast_function,
    signature: *mut precast_signature,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let function = c.get(function, "function")?;
        c.store_type(signature, &function.func.func_type())
    })
}

/// Stores another handle to the same function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_function_clone(
    function: *const precast_function,
    clone: *mut *mut precast_function,
    error: *mut precast_error,
) -> precast_status {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.run(error, || {
        let function = c.get(function, "function")?;
        let out = c.out(clone, "clone")?;
        out.set(handle(&function.runtime, function.func.clone())?);
        Ok(())
    })
}

/// Frees a handle to a function; null is no handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn precast_function_free(function: *mut precast_function) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| c.free(function));
}
