//! Functions: those that C makes, and calls of any.
//!
//! When a program calls C, the values are C's for the time of the call. A trap that C returns is noted in
//! the store while the program is left, and found there by whoever called the program: so it is the same
//! object on both sides.

use core::ffi::c_void;
use core::ptr::NonNull;
use std::boxed::Box;
use std::sync::Arc;

use precast_loader::{
    Caller, ExecutionEnvironment, Extern, ExternType, Func, FuncType, HostError, Stack, TrapCode,
    Value,
};

use super::reference::{Reference, Referent, wasm_ref_t};
use super::store::wasm_store_t;
use super::types::{wasm_externtype_t, wasm_functype_t};
use super::value::{OwnValues, Unfit, wasm_val_t};
use super::vector::Vector;
use crate::boundary::C;
use crate::value::Values;

/// A function of C's.
pub type wasm_func_callback_t = Option<
    unsafe extern "C" fn(
        args: *const Vector<wasm_val_t>,
        results: *mut Vector<wasm_val_t>,
    ) -> *mut wasm_ref_t,
>;

/// A function of C's that is passed what it was made with.
pub type wasm_func_callback_with_env_t = Option<
    unsafe extern "C" fn(
        env: *mut c_void,
        args: *const Vector<wasm_val_t>,
        results: *mut Vector<wasm_val_t>,
    ) -> *mut wasm_ref_t,
>;

/// A function of C's, and what it is called with.
pub struct Callback {
    function: Code,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
    func_type: FuncType,
    /// There for as long as anything is that could call the function.
    store: NonNull<wasm_store_t>,
    c: C,
}

enum Code {
    Plain(
        unsafe extern "C" fn(*const Vector<wasm_val_t>, *mut Vector<wasm_val_t>) -> *mut wasm_ref_t,
    ),
    WithEnv(
        unsafe extern "C" fn(
            *mut c_void,
            *const Vector<wasm_val_t>,
            *mut Vector<wasm_val_t>,
        ) -> *mut wasm_ref_t,
        *mut c_void,
    ),
}

// SAFETY: C promises that its functions can be called by the threads on which it uses the store.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

impl Drop for Callback {
    fn drop(&mut self) {
        if let (Some(finalizer), Code::WithEnv(_, env)) = (self.finalizer, &self.function) {
            // SAFETY: C gave the function for this pointer, and it is called once.
            unsafe { finalizer(*env) };
        }
    }
}

impl Callback {
    fn store(&self) -> &wasm_store_t {
        // SAFETY: whoever calls the function holds a reference to an object of the store.
        unsafe { self.store.as_ref() }
    }

    /// Calls C. What it leaves in the results is the library's, unless it returns a trap.
    fn call(&self, args: &[wasm_val_t], results: &mut OwnValues) -> Option<Reference> {
        let args = Vector {
            size: args.len(),
            data: args.as_ptr().cast_mut(),
        };
        let mut places = Vector {
            size: results.len(),
            data: results.as_mut_ptr(),
        };
        let trap = match self.function {
            // SAFETY: C gave the function, and both vectors are as long as they say.
            Code::Plain(function) => unsafe { function(&raw const args, &raw mut places) },
            // SAFETY: as above.
            Code::WithEnv(function, env) => unsafe {
                function(env, &raw const args, &raw mut places)
            },
        };
        if trap.is_null() {
            return None;
        }
        // Nobody knows whose they are.
        results.forget();
        match self.c.own_reference(trap) {
            Some(trap) if matches!(trap.get().referent(), Referent::Trap(_)) => Some(trap),
            _ => self
                .store()
                .trap("a function of the host's returned what is no trap"),
        }
    }

    /// Calls C on behalf of a program.
    fn call_from_program(&self, params: &[Value], results: &mut [Value]) -> Result<(), HostError> {
        let store = self.store();
        let args = OwnValues::raised(self.c, store, params)
            .ok_or(HostError::Message("there is no memory for the arguments"))?;
        let types = self.func_type.results();
        let mut given = OwnValues::defaults(self.c, store, types)?;
        if let Some(trap) = self.call(&args, &mut given) {
            store.pass(trap);
            // The noted trap takes the place of this one, which says where the program was.
            return Err(HostError::Trap(TrapCode::Unreachable));
        }
        for ((result, given), ty) in results.iter_mut().zip(given.iter()).zip(types) {
            *result = store
                .lower(self.c, given, *ty)
                .map_err(|unfit| HostError::Message(unfit.words()))?;
        }
        Ok(())
    }
}

/// Makes a function of C's.
fn new_function(
    c: C,
    store: *mut wasm_store_t,
    functype: *const wasm_functype_t,
    function: Option<Code>,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) -> Option<*mut wasm_ref_t> {
    let store = c.look(store.cast_const())?;
    let Some(function) = function else {
        return store.fail("there is no function to call");
    };
    let Some(func_type) = c
        .look(functype)
        .and_then(|ty| ty.func_type(c, store.runtime()))
    else {
        return store.fail("the type is not one of a function");
    };
    let callback = Arc::new(Callback {
        function,
        finalizer,
        func_type: func_type.clone(),
        store: NonNull::from(store),
        c,
    });
    let called = callback.clone();
    let closure = move |_: &mut Caller<'_>, params: &[Value], results: &mut [Value]| {
        called.call_from_program(params, results)
    };
    match Func::untyped(store.runtime(), func_type, closure) {
        Ok(func) => Some(store.callback(Extern::Func(func), callback)?.into_raw()),
        Err(error) => store.fail(error),
    }
}

impl C {
    /// The function behind a reference, with its object.
    fn func<'a>(self, func: *const wasm_ref_t) -> Option<(&'a wasm_ref_t, &'a Func)> {
        let object = self.look(func)?;
        match object.item() {
            Some(Extern::Func(func)) => Some((object, func)),
            _ => None,
        }
    }
}

/// Calls a function; none if it returned.
fn call(
    c: C,
    object: &wasm_ref_t,
    func: &Func,
    args: &[wasm_val_t],
    results: *mut Vector<wasm_val_t>,
) -> Option<Reference> {
    let store = object.store();
    let func_type = func.func_type();
    let types = func_type.params();
    if types.len() != args.len() {
        let wrong = WrongCount(types.len(), args.len());
        return store.trap(format_args!("the function takes {wrong}"));
    }
    let allocator = store.runtime().allocator();
    let no_memory = || store.trap(Unfit::OutOfMemory.words());
    let Ok(mut params) = Values::new(allocator, args.len(), Value::I32(0)) else {
        return no_memory();
    };
    for ((param, arg), ty) in params.iter_mut().zip(args).zip(types) {
        match store.lower(c, arg, *ty) {
            Ok(value) => *param = value,
            Err(unfit) => return store.trap(unfit.words()),
        }
    }
    let types = func_type.results();
    let returned = match object.referent() {
        // No program is needed for this.
        Referent::Item(_, Some(callback)) => {
            let Ok(mut returned) = OwnValues::defaults(c, store, types) else {
                return no_memory();
            };
            if let Some(trap) = callback.call(args, &mut returned) {
                return Some(trap);
            }
            for (value, ty) in returned.iter().zip(types) {
                if let Err(unfit) = store.lower(c, value, *ty) {
                    return store.trap(unfit.words());
                }
            }
            returned
        }
        _ => {
            let Ok(mut values) = Values::new(allocator, types.len(), Value::I32(0)) else {
                return no_memory();
            };
            let environment = ExecutionEnvironment::new(store.runtime(), Stack::Caller);
            let mut environment = match environment {
                Ok(environment) => environment,
                Err(error) => return store.trap(error),
            };
            if let Err(error) = func.call(&mut environment, &params, &mut values) {
                return store.trap_of_call(&error);
            }
            match OwnValues::raised(c, store, &values) {
                Some(returned) => returned,
                None => return no_memory(),
            }
        }
    };
    store_results(c, returned, results);
    None
}

/// Stores as many results as there is room for.
fn store_results(c: C, mut returned: OwnValues, results: *mut Vector<wasm_val_t>) {
    if results.is_null() || !results.is_aligned() {
        return;
    }
    // SAFETY: C promises that there is a vector.
    let places = unsafe { &*results };
    for index in 0..returned.len().min(places.size) {
        // What is in the array is not looked at: it may be nothing yet.
        if let (Ok(place), Some(value)) = (
            c.out(places.data.wrapping_add(index), "results"),
            returned.take(index),
        ) {
            place.set(value);
        }
    }
}

/// How many values there should be, and how many there are.
pub struct WrongCount(pub usize, pub usize);

impl core::fmt::Display for WrongCount {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}, and {} were passed", self.0, self.1)
    }
}

/// Makes a function of C's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_new(
    store: *mut wasm_store_t,
    functype: *const wasm_functype_t,
    callback: wasm_func_callback_t,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| new_function(c, store, functype, callback.map(Code::Plain), None))
}

/// Makes a function of C's that is passed a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_new_with_env(
    store: *mut wasm_store_t,
    functype: *const wasm_functype_t,
    callback: wasm_func_callback_with_env_t,
    env: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let function = callback.map(|callback| Code::WithEnv(callback, env));
        new_function(c, store, functype, function, finalizer)
    })
}

/// The function's type, which C deletes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_type(func: *const wasm_ref_t) -> *mut wasm_functype_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let ty = ExternType::Function(c.func(func)?.1.func_type());
        wasm_externtype_t::describe(c, &ty).map(Box::into_raw)
    })
}

/// How many parameters there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_param_arity(func: *const wasm_ref_t) -> usize {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || Some(c.func(func)?.1.func_type().params().len()))
}

/// How many results there are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_result_arity(func: *const wasm_ref_t) -> usize {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.answer(0, || Some(c.func(func)?.1.func_type().results().len()))
}

/// Calls a function: null, or why it did not return.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_call(
    func: *const wasm_ref_t,
    args: *const Vector<wasm_val_t>,
    results: *mut Vector<wasm_val_t>,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let (object, func) = c.func(func)?;
        // C may delete it while it is called.
        let kept = object.another();
        let trap = call(c, kept.get(), func, c.vector(args), results)?;
        Some(trap.into_raw())
    })
}
