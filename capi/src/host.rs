//! Functions of C that programs call.
//!
//! The closure that the loader calls turns values into C's, calls C, and turns them back. What C
//! wants to say about a failure it leaves in the object that stands for the call, the
//! [`precast_caller`]; the status that it returns decides whether that is asked for.

use core::ffi::c_void;
use core::ptr::NonNull;

use precast_loader::{Caller, FuncType, HostError, Imports, Runtime, Value};

use crate::boundary::C;
use crate::boundary::handle::{self, Object};
use crate::failure::Failure;
use crate::status::precast_status;
use crate::value::{Values, lend, precast_value};

/// The call of a host function by a program: which instance called, and what the function says of its
/// end. It is there until the function returns, for the thread that the function runs on.
pub struct precast_caller {
    _private: [u8; 0],
}

/// A function of the host's. `user` is what was passed when it was defined. There are as many
/// parameters and results as its type has; the results are zeros of the right kinds, to be
/// overwritten.
///
/// It returns `PRECAST_OK`, or any other status, which ends the program's call: one that
/// `precast_caller_trap`, `_exit`, `_fail`, `_throw` or `_call` has returned goes on as what it stands
/// for.
///
/// Handles among the parameters are freed when it returns; those among the results
/// stay the function's own to free. It must not unwind or jump out.
pub type precast_host_function = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        caller: *mut precast_caller,
        params: *const precast_value,
        param_count: usize,
        results: *mut precast_value,
        result_count: usize,
    ) -> status_number,
>;

/// Called once when something of the host's is no longer needed, on any thread.
pub type precast_finalizer = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// A status as C returns it: any number.
pub type status_number = i32;

impl Object for precast_caller {
    type Value = Call;
    const KIND: u32 = 0x5043_0009;
}

/// A call in progress.
pub struct Call {
    /// A `Caller` that is borrowed for the time of the call.
    caller: NonNull<c_void>,
    /// What C said of the end, and with which status it has to return for that to count.
    end: Option<(precast_status, HostError)>,
}

// SAFETY: C promises to use the object on the function's thread only.
unsafe impl Send for Call {}

impl Call {
    /// Who called.
    pub fn caller(&mut self) -> &mut Caller<'_> {
        // SAFETY: `HostFunction::call` borrowed it exclusively for as long as the object is there, and
        // hands it out nowhere else; so does this function, for as long as the object is borrowed.
        unsafe { self.caller.cast::<Caller<'_>>().as_mut() }
    }

    /// Notes how the call ends if the function returns this status.
    pub fn end_with(&mut self, status: precast_status, error: HostError) {
        self.end = Some((status, error));
    }
}

/// A function of C's with what it is called with.
struct HostFunction {
    function: unsafe extern "C" fn(
        *mut c_void,
        *mut precast_caller,
        *const precast_value,
        usize,
        *mut precast_value,
        usize,
    ) -> status_number,
    user: User,
}

/// What the closure of a host function captures.
#[cfg(feature = "plan")]
pub const CAPTURE: core::alloc::Layout = core::alloc::Layout::new::<(HostFunction, C)>();

/// What C wants to have with a function, and how to be rid of it.
pub struct User {
    /// Whatever C likes.
    pub pointer: *mut c_void,
    /// Called at the end.
    pub finalizer: precast_finalizer,
}

// SAFETY: C promises that its functions can be called from any thread that uses what they belong to.
unsafe impl Send for User {}
// SAFETY: as above.
unsafe impl Sync for User {}

impl Drop for User {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: C gave the function for this pointer, and it is called once.
            unsafe { finalizer(self.pointer) };
        }
    }
}

/// Defines a function of C's as an import.
pub fn define(
    c: C,
    imports: &mut Imports,
    names: (&str, &str),
    func_type: FuncType,
    function: precast_host_function,
    user: User,
) -> Result<(), Failure> {
    let function = function.ok_or(Failure::Null("function"))?;
    let host = HostFunction { function, user };
    let closure = move |caller: &mut Caller<'_>, params: &[Value], results: &mut [Value]| {
        host.call(c, caller, params, results)
    };
    Ok(imports.func_untyped(names.0, names.1, func_type, closure)?)
}

impl HostFunction {
    /// Calls C on behalf of a program.
    fn call(
        &self,
        c: C,
        caller: &mut Caller<'_>,
        params: &[Value],
        results: &mut [Value],
    ) -> Result<(), HostError> {
        let runtime = caller.runtime().clone();
        let allocator = runtime.allocator();
        let mut lent = Lent {
            c,
            values: Values::new(allocator, params.len(), precast_value::ZERO)?,
        };
        lend_all(&mut lent.values, params, &runtime)?;
        let mut given = Values::new(allocator, results.len(), precast_value::ZERO)?;
        lend_all(&mut given, results, &runtime)?;
        let call = Call {
            caller: NonNull::from(caller).cast(),
            end: None,
        };
        let (status, call) = handle::with_local::<precast_caller, _>(call, |caller| {
            // SAFETY: C gave the function for this pointer; the arrays have so many values.
            unsafe {
                (self.function)(
                    self.user.pointer,
                    caller,
                    lent.values.as_ptr(),
                    lent.values.len(),
                    given.as_mut_ptr(),
                    given.len(),
                )
            }
        });
        if status != precast_status::PRECAST_OK as status_number {
            return Err(match call.end {
                Some((noted, error)) if noted as status_number == status => error,
                _ => HostError::Message(words(status)),
            });
        }
        for (result, given) in results.iter_mut().zip(given.iter()) {
            let value = c.value(given, "result");
            *result =
                value.map_err(|_| HostError::Message("a host function's result is no value"))?;
        }
        Ok(())
    }
}

/// Values with handles that are freed at the end.
struct Lent {
    c: C,
    values: Values<precast_value>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.c.free_values(&self.values);
    }
}

fn lend_all(
    places: &mut [precast_value],
    values: &[Value],
    runtime: &Runtime,
) -> Result<(), HostError> {
    for (place, value) in places.iter_mut().zip(values) {
        *place = lend(value, runtime).map_err(|failure| match failure {
            Failure::OutOfMemory(error) => HostError::from(error),
            _ => HostError::Message("a value has no counterpart in C"),
        })?;
    }
    Ok(())
}

/// What a status says by itself.
fn words(status: status_number) -> &'static str {
    precast_status::words(status).to_str().unwrap_or_default()
}
