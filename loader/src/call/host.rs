//! Host functions: Rust closures that compiled code can call.
//!
//! A host adapter in the artifact spills the arguments into a value array and calls the address
//! that stands in the first word of the [`HostFunction`]. The generic entry behind that address
//! gives the closure its [`Caller`] and its arguments, and writes down what went wrong, panics
//! included: nothing may unwind through compiled code.
//!
//! ```text
//!   | entry | how to drop the closure | type | closure |      one block
//! ```

use core::marker::PhantomData;
use core::mem::offset_of;
use core::ptr::NonNull;

use precast_format::trap::TrapCode;

use crate::alloc::{Category, OutOfMemory, Room, Shared, element_of};
use crate::call::caller::Caller;
use crate::call::entry::{self, Failure};
use crate::call::error::HostError;
use crate::call::typed::{WasmParams, WasmResults, WasmValue};
use crate::call::value::{Slot, Value};
use crate::call::values::Values;
use crate::runtime::Runtime;
use crate::types::FuncType;

/// The entry that compiled code calls: host object, the caller's context, values; zero is success.
type HostEntry = unsafe extern "C" fn(*const HostFunction, NonNull<u8>, *mut Slot) -> u32;

/// A closure with its type, shared by everything that refers to it. The closure lies behind the
/// value, in the same block.
#[repr(C)]
pub(crate) struct HostFunction {
    /// The ABI wants it in the first word.
    entry: HostEntry,
    drop_callable: unsafe fn(NonNull<HostFunction>),
    func_type: FuncType,
}

const _: () = assert!(offset_of!(HostFunction, entry) == 0);

// SAFETY: the callable is `Send` and `Sync`, as `new` demands; the rest is too.
unsafe impl Send for HostFunction {}
// SAFETY: as above.
unsafe impl Sync for HostFunction {}

impl HostFunction {
    /// Takes a callable.
    pub(crate) fn new<C: HostCallable>(
        runtime: &Runtime,
        func_type: FuncType,
        callable: C,
    ) -> Result<Shared<HostFunction>, OutOfMemory> {
        let room = Room::new(runtime.allocator(), Category::HostFunctions, 1)?;
        let function = HostFunction {
            entry: enter::<C>,
            drop_callable: drop_callable::<C>,
            func_type,
        };
        Ok(room.fill_one(function, callable))
    }

    /// The layout of a block without its closure, which follows.
    #[cfg(feature = "plan")]
    pub(crate) const fn layout() -> core::alloc::Layout {
        Shared::<HostFunction>::layout()
    }

    /// The function's type.
    pub(crate) fn func_type(&self) -> &FuncType {
        &self.func_type
    }

    /// Calls the closure on behalf of the instance whose context is given, as its adapter would.
    ///
    /// # Safety
    ///
    /// 1. `context` is the context pointer of a live instance whose group is entered.
    /// 2. Its activation field points to the state of a call in progress.
    /// 3. `slots` has room for the parameters and for the results.
    pub(crate) unsafe fn invoke(&self, context: NonNull<u8>, slots: &mut [Slot]) -> u32 {
        // SAFETY: 1, 2 and 3 are passed on; `entry` belongs to this function.
        unsafe { (self.entry)(self, context, slots.as_mut_ptr()) }
    }
}

/// Calls the entry of a host object, as a host adapter of native code does.
///
/// # Safety
///
/// `function` is live; the rest is what [`HostFunction::invoke`] wants.
#[cfg(feature = "pulley")]
pub(crate) unsafe fn call_entry(
    function: *const HostFunction,
    context: NonNull<u8>,
    values: *mut Slot,
) -> u32 {
    // SAFETY: the function is live.
    let entry = unsafe { (*function).entry };
    // SAFETY: the entry belongs to this function; the caller's promise.
    unsafe { entry(function, context, values) }
}

impl Drop for HostFunction {
    fn drop(&mut self) {
        // SAFETY: `new` put the closure behind the value; it is dropped here only.
        unsafe { (self.drop_callable)(NonNull::from(self)) }
    }
}

/// Drops the closure of a host function.
///
/// # Safety
///
/// The function was made for a `C`, which is not used again.
unsafe fn drop_callable<C>(function: NonNull<HostFunction>) {
    // SAFETY: the caller's promise.
    unsafe { element_of::<HostFunction, C>(function).drop_in_place() };
}

/// The code behind the first word of a host function whose callable is a `C`.
///
/// # Safety
///
/// 1. `function` is live and was made for `C`.
/// 2. `context` is the context pointer of the calling instance, whose group is entered.
/// 3. The context's activation field points to the state of the call in progress.
/// 4. `values` points to as many slots as the function's type has parameters or results.
unsafe extern "C" fn enter<C: HostCallable>(
    function: *const HostFunction,
    context: NonNull<u8>,
    values: *mut Slot,
) -> u32 {
    let arguments = [
        function.cast(),
        context.as_ptr().cast_const().cast(),
        values.cast_const().cast(),
    ];
    // Asked here: the closure's variables may be part of the frame of `run`.
    // SAFETY: 2 and 3.
    if !unsafe { entry::begin_host_function(context, function.cast()) } {
        let overflow = Failure::Host(HostError::Trap(TrapCode::StackOverflow));
        // SAFETY: 2 and 3.
        unsafe { entry::record_failure(context, overflow) };
        return 1;
    }
    // SAFETY: 1 to 4 are what `run` wants; it takes these three pointers.
    unsafe { entry::on_thread_stack(context, arguments, run::<C>) as u32 }
}

/// Runs the callable on the thread's own stack.
///
/// # Safety
///
/// As for [`enter`], whose arguments these are.
#[inline(never)]
unsafe extern "C" fn run<C: HostCallable>(
    function: *const (),
    context: *const (),
    values: *const (),
) -> usize {
    let (function, values) = (
        function.cast::<HostFunction>(),
        values.cast_mut().cast::<Slot>(),
    );
    // SAFETY: 2; it was not null before either.
    let context = unsafe { NonNull::new_unchecked(context.cast_mut().cast::<u8>()) };
    // SAFETY: 1; the reference ends with the call.
    let function = unsafe { &*function };
    // SAFETY: 1; the closure behind the function is a `C`.
    let callable = unsafe { element_of::<HostFunction, C>(NonNull::from(function)).as_ref() };
    let count = function.func_type.slots();
    // SAFETY: 4; the adapter does not touch its array while the host runs.
    let slots = unsafe { core::slice::from_raw_parts_mut(values, count) };
    let failure = match guarded(|| {
        // SAFETY: 2 and 3.
        let mut caller = unsafe { Caller::new(context) }?;
        callable.invoke(&function.func_type, &mut caller, slots)?;
        // A slice that outlives the host function would see compiled code write under it.
        if caller.group().is_borrowed() {
            return Err(HostError::Message(
                "a host function kept a slice of a memory",
            ));
        }
        if caller.is_interrupted() {
            return Err(HostError::Trap(TrapCode::Interrupted));
        }
        Ok(())
    }) {
        Ok(Ok(())) => return 0,
        Ok(Err(error)) => Failure::Host(error),
        Err(panic) => panic,
    };
    // SAFETY: 2 and 3.
    unsafe { entry::record_failure(context, failure) };
    1
}

/// Runs a closure of the host and catches its panic.
#[cfg(feature = "std")]
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, Failure> {
    // The panic is resumed in the outer call; whatever it left half-done is the closure's own.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).map_err(Failure::Panic)
}

/// Runs a closure of the host. Without `std` a panic does not unwind.
#[cfg(not(feature = "std"))]
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, Failure> {
    Ok(run())
}

/// Something that a host function can run.
pub(crate) trait HostCallable: Send + Sync + 'static {
    /// Runs it: parameters in, results out, in the same slots.
    fn invoke(
        &self,
        func_type: &FuncType,
        caller: &mut Caller<'_>,
        slots: &mut [Slot],
    ) -> Result<(), HostError>;
}

/// A closure over [`Value`]s.
struct Untyped<F>(F);

impl<F> HostCallable for Untyped<F>
where
    F: Fn(&mut Caller<'_>, &[Value], &mut [Value]) -> Result<(), HostError> + Send + Sync + 'static,
{
    fn invoke(
        &self,
        func_type: &FuncType,
        caller: &mut Caller<'_>,
        slots: &mut [Slot],
    ) -> Result<(), HostError> {
        let allocator = caller.runtime().allocator().clone();
        let (param_types, result_types) = (func_type.params(), func_type.results());
        let mut params = Values::new(&allocator, param_types.len())?;
        for ((value_type, slot), value) in
            param_types.iter().zip(slots.iter()).zip(params.iter_mut())
        {
            *value = Value::lift(*value_type, slot, caller.group());
        }
        let mut results = Values::new(&allocator, result_types.len())?;
        for (value_type, value) in result_types.iter().zip(results.iter_mut()) {
            *value = Value::default_for(*value_type);
        }
        (self.0)(caller, &params, &mut results)?;
        for ((value_type, result), slot) in func_type
            .results()
            .iter()
            .zip(results.iter())
            .zip(slots.iter_mut())
        {
            if !result.is_a(*value_type) {
                return Err(HostError::Message(
                    "a host function's result has the wrong type",
                ));
            }
            *slot = result.lower(caller.group())?;
        }
        Ok(())
    }
}

/// Makes a host function of a closure over [`Value`]s.
pub(crate) fn untyped<F>(
    runtime: &Runtime,
    func_type: FuncType,
    closure: F,
) -> Result<Shared<HostFunction>, OutOfMemory>
where
    F: Fn(&mut Caller<'_>, &[Value], &mut [Value]) -> Result<(), HostError> + Send + Sync + 'static,
{
    HostFunction::new(runtime, func_type, Untyped(closure))
}

/// What a typed host function returns: results, or a `Result` with them.
pub trait HostResults {
    /// The results without the error.
    #[doc(hidden)]
    type Results: WasmResults;

    /// Separates results from error.
    #[doc(hidden)]
    fn into_result(self) -> Result<Self::Results, HostError>;
}

impl<R: WasmValue> HostResults for R {
    type Results = R;

    fn into_result(self) -> Result<R, HostError> {
        Ok(self)
    }
}

impl<R: WasmResults, E: Into<HostError>> HostResults for Result<R, E> {
    type Results = R;

    fn into_result(self) -> Result<R, HostError> {
        self.map_err(Into::into)
    }
}

/// A closure that can be a typed host function: `Fn(&mut Caller<'_>, A, B, ...) -> R` with up to
/// twelve parameters. `M` tells the implementations apart and is inferred.
pub trait IntoHostFunction<M>: Send + Sync + 'static {
    /// Makes the host function.
    #[doc(hidden)]
    fn into_host_function(self, runtime: &Runtime) -> Result<HostFunctionHandle, OutOfMemory>;
}

/// A host function as [`IntoHostFunction`] hands it over.
#[doc(hidden)]
pub struct HostFunctionHandle(pub(crate) Shared<HostFunction>);

/// A typed closure.
struct Typed<F, M>(F, PhantomData<fn(M)>);

macro_rules! typed_closure {
    ($($name:ident $value:ident),*) => {
        impl<Z, R $(, $name)*> HostCallable for Typed<Z, (R, $($name,)*)>
        where
            Z: Fn(&mut Caller<'_> $(, $name)*) -> R + Send + Sync + 'static,
            R: HostResults + 'static,
            $($name: WasmValue + 'static,)*
        {
            fn invoke(
                &self,
                _: &FuncType,
                caller: &mut Caller<'_>,
                slots: &mut [Slot],
            ) -> Result<(), HostError> {
                let ($($value,)*) = <($($name,)*) as WasmParams>::lift(slots, caller.group());
                let results = (self.0)(caller $(, $value)*).into_result()?;
                Ok(results.lower(slots, caller.group())?)
            }
        }

        impl<Z, R $(, $name)*> IntoHostFunction<(R, $($name,)*)> for Z
        where
            Z: Fn(&mut Caller<'_> $(, $name)*) -> R + Send + Sync + 'static,
            R: HostResults + 'static,
            $($name: WasmValue + 'static,)*
        {
            fn into_host_function(
                self,
                runtime: &Runtime,
            ) -> Result<HostFunctionHandle, OutOfMemory> {
                let params = <($($name,)*) as WasmParams>::TYPES;
                let results = <R::Results as WasmResults>::TYPES;
                let func_type = FuncType::new(runtime, params, results)?;
                let closure = Typed::<Z, (R, $($name,)*)>(self, PhantomData);
                Ok(HostFunctionHandle(HostFunction::new(runtime, func_type, closure)?))
            }
        }

    };
}

macro_rules! tuple_results {
    ($($name:ident),*) => {
        impl<$($name: WasmValue),*> HostResults for ($($name,)*) {
            type Results = Self;

            fn into_result(self) -> Result<Self, HostError> {
                Ok(self)
            }
        }
    };
}

typed_closure!();
typed_closure!(A a);
typed_closure!(A a, B b);
typed_closure!(A a, B b, C c);
typed_closure!(A a, B b, C c, D d);
typed_closure!(A a, B b, C c, D d, E e);
typed_closure!(A a, B b, C c, D d, E e, F f);
typed_closure!(A a, B b, C c, D d, E e, F f, G g);
typed_closure!(A a, B b, C c, D d, E e, F f, G g, H h);
typed_closure!(A a, B b, C c, D d, E e, F f, G g, H h, I i);
typed_closure!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j);
typed_closure!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k);
typed_closure!(A a, B b, C c, D d, E e, F f, G g, H h, I i, J j, K k, L l);

tuple_results!();
tuple_results!(A);
tuple_results!(A, B);
tuple_results!(A, B, C);
tuple_results!(A, B, C, D);
