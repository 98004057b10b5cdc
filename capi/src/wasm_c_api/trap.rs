//! Traps: why code stopped, and where.

use core::fmt::{self, Write};
use std::sync::OnceLock;
use std::vec::Vec;

use precast_loader::{Backtrace, CallError, HostError, InstantiateError};

use super::frame::{Place, wasm_frame_t};
use super::reference::{Reference, Referent, wasm_ref_t};
use super::store::wasm_store_t;
use super::vector::{Elements, Vector};
use crate::boundary::C;

/// Why code stopped.
pub struct Cause {
    /// Ends with a zero.
    message: Vec<u8>,
    /// There once it is known where: a function of C's makes traps without.
    places: OnceLock<Vec<Place>>,
}

/// Collects a text where there is memory for it.
struct Message(Vec<u8>);

impl Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.try_reserve(text.len()).map_err(|_| fmt::Error)?;
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl wasm_store_t {
    /// A trap with this message.
    pub fn trap(&self, message: impl fmt::Display) -> Option<Reference> {
        let mut text = Message(Vec::new());
        // What there is no memory for is left out.
        let _ = write!(text, "{message}");
        self.trap_of(text.0)
    }

    fn trap_of(&self, mut message: Vec<u8>) -> Option<Reference> {
        if message.last() != Some(&0) {
            message.try_reserve_exact(1).ok()?;
            message.push(0);
        }
        let cause = Cause {
            message,
            places: OnceLock::new(),
        };
        self.adopt(0, Referent::Trap(cause))
    }

    /// The trap that a call ended with.
    pub fn trap_of_call(&self, error: &CallError) -> Option<Reference> {
        let passing = self.passing();
        match error {
            CallError::Trap(trap) => {
                let stopped = match passing {
                    Some(passing) => passing,
                    None => self.trap(trap.code())?,
                };
                self.locate(&stopped, trap.backtrace());
                Some(stopped)
            }
            CallError::Exception(thrown) => {
                let stopped = self.trap("an exception that nobody caught")?;
                self.locate(&stopped, thrown.backtrace());
                Some(stopped)
            }
            CallError::Host(HostError::Message(message)) => self.trap(message),
            error => self.trap(error),
        }
    }

    /// The trap that stands for a failed instantiation.
    pub fn trap_of_instantiation(&self, error: &InstantiateError) -> Option<Reference> {
        match error {
            InstantiateError::Start(error) => self.trap_of_call(error),
            InstantiateError::Trap(trap) => {
                let stopped = self.trap(trap.code())?;
                self.locate(&stopped, trap.backtrace());
                Some(stopped)
            }
            error => self.trap(error),
        }
    }

    /// Notes a trap as what the last function failed with.
    pub fn fail_as(&self, trap: &Reference) {
        if let Referent::Trap(cause) = trap.get().referent() {
            let text = cause.message.strip_suffix(b"\0").unwrap_or_default();
            let _: Option<()> = self.fail(core::str::from_utf8(text).unwrap_or_default());
        }
    }

    /// Notes where code stopped, unless that is known.
    fn locate(&self, trap: &Reference, backtrace: &Backtrace) {
        if let Referent::Trap(cause) = trap.get().referent() {
            let mut places = Vec::new();
            if places.try_reserve_exact(backtrace.frames().len()).is_ok() {
                let frames = backtrace.frames().iter();
                places.extend(frames.map(|frame| Place::new(self, frame)));
            }
            // A trap that goes through several programs stopped where it stopped first.
            let _ = cause.places.set(places);
        }
    }
}

impl Cause {
    fn places(&self) -> &[Place] {
        self.places.get().map_or(&[], |places| places.as_slice())
    }
}

impl C {
    /// The cause behind a reference to a trap.
    fn cause<'a>(self, trap: *const wasm_ref_t) -> Option<&'a Cause> {
        match self.look(trap)?.referent() {
            Referent::Trap(cause) => Some(cause),
            _ => None,
        }
    }
}

/// Makes a trap with a message of C's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_trap_new(
    store: *mut wasm_store_t,
    message: *const Vector<u8>,
) -> *mut wasm_ref_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| {
        let store = c.look(store.cast_const())?;
        let given = c.vector(message);
        let mut message = Vec::new();
        message
            .try_reserve_exact(given.len().saturating_add(1))
            .ok()?;
        message.extend_from_slice(given);
        Some(store.trap_of(message)?.into_raw())
    })
}

/// Stores the message, which ends with a zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_trap_message(trap: *const wasm_ref_t, out: *mut Vector<u8>) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| {
        let cause = c.cause(trap);
        c.store_vector(out, cause.and_then(|cause| Elements::of(c, &cause.message)));
    });
}

/// The innermost frame, or null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_trap_origin(trap: *const wasm_ref_t) -> *mut wasm_frame_t {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.pointer(|| c.cause(trap)?.places().first()?.clone().give())
}

/// Stores the frames, innermost first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_trap_trace(
    trap: *const wasm_ref_t,
    out: *mut Vector<*mut wasm_frame_t>,
) {
    // SAFETY: C promises what this asks for.
    let c = unsafe { C::promises() };
    c.quietly(|| {
        let places = c.cause(trap).map_or(&[][..], Cause::places);
        let frames = Elements::from_fn(c, places.len(), |index| places.get(index)?.clone().give());
        c.store_vector(out, frames);
    });
}
