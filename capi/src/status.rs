//! What functions return, and why code stops: the numbers that C compares.
//!
//! The numbers never change meaning. Those of trap codes are the loader's, which a test compares.
#![forbid(unsafe_code)]

/// How a function ended. Whatever is not `PRECAST_OK` is a failure, and nothing has then changed
/// but what the function's text names.
#[repr(i32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum precast_status {
    /// It did what it should.
    PRECAST_OK = 0,
    /// A pointer that must not be null is.
    PRECAST_NULL_ARGUMENT = 1,
    /// A pointer leads to an object of another kind than the function takes, or to one that was
    /// freed while a call in progress still uses it.
    PRECAST_INVALID_HANDLE = 2,
    /// A value is none that the function takes.
    PRECAST_INVALID_ARGUMENT = 3,
    /// A structure is larger than this library knows, and what it does not know is set. Use a newer
    /// library, or leave it zero.
    PRECAST_UNKNOWN_OPTION = 4,
    /// There are more results than the buffer has room for; the number is stored where the function
    /// says.
    PRECAST_BUFFER_TOO_SMALL = 5,
    /// There is not enough memory.
    PRECAST_OUT_OF_MEMORY = 6,
    /// Another thread, or a call in progress, uses the object. Try again when it is done.
    PRECAST_BUSY = 7,
    /// There is nothing with this name or index.
    PRECAST_NOT_FOUND = 8,
    /// Something has another type than it should have.
    PRECAST_TYPE_MISMATCH = 9,
    /// A range leaves the memory or the table.
    PRECAST_OUT_OF_BOUNDS = 10,
    /// The bytes are no valid artifact.
    PRECAST_MALFORMED = 11,
    /// The artifact asks for what this device or this library does not have.
    PRECAST_INCOMPATIBLE = 12,
    /// The artifact is not signed by a trusted key.
    PRECAST_UNTRUSTED = 13,
    /// The operating system refused; `os_error` of the error has its number.
    PRECAST_SYSTEM_ERROR = 14,
    /// An import is missing, or is not what the module asks for.
    PRECAST_LINK_ERROR = 15,
    /// Code trapped. The instance stays usable.
    PRECAST_TRAP = 16,
    /// The program ended itself; `exit_code` of the error has its code.
    PRECAST_EXIT = 17,
    /// An exception left the function.
    PRECAST_EXCEPTION = 18,
    /// A host function failed.
    PRECAST_HOST_ERROR = 19,
    /// The call stack does not serve the module.
    PRECAST_STACK_ERROR = 20,
    /// Objects of different runtimes do not go together.
    PRECAST_OTHER_RUNTIME = 21,
    /// This library was built without it, or nothing like it exists.
    PRECAST_UNSUPPORTED = 22,
    /// The program has no heap from which the host can allocate.
    PRECAST_NO_HEAP = 23,
    /// Limits or memory do not let a memory or table grow.
    PRECAST_CANNOT_GROW = 24,
    /// The library panicked, which is a mistake in it. Please report it.
    PRECAST_PANIC = 25,
}

use precast_status::*;

impl precast_status {
    /// Every status, in the order of its number.
    const ALL: &'static [(precast_status, &'static core::ffi::CStr)] = &[
        (PRECAST_OK, c"success"),
        (PRECAST_NULL_ARGUMENT, c"an argument is null"),
        (PRECAST_INVALID_HANDLE, c"a handle is not of the right kind"),
        (PRECAST_INVALID_ARGUMENT, c"an argument is not valid"),
        (PRECAST_UNKNOWN_OPTION, c"an option is not known"),
        (PRECAST_BUFFER_TOO_SMALL, c"a buffer is too small"),
        (PRECAST_OUT_OF_MEMORY, c"out of memory"),
        (PRECAST_BUSY, c"in use"),
        (PRECAST_NOT_FOUND, c"not found"),
        (PRECAST_TYPE_MISMATCH, c"wrong type"),
        (PRECAST_OUT_OF_BOUNDS, c"out of bounds"),
        (PRECAST_MALFORMED, c"malformed artifact"),
        (PRECAST_INCOMPATIBLE, c"incompatible artifact"),
        (PRECAST_UNTRUSTED, c"untrusted artifact"),
        (PRECAST_SYSTEM_ERROR, c"system error"),
        (PRECAST_LINK_ERROR, c"an import does not fit"),
        (PRECAST_TRAP, c"trap"),
        (PRECAST_EXIT, c"the program ended"),
        (PRECAST_EXCEPTION, c"uncaught exception"),
        (PRECAST_HOST_ERROR, c"a host function failed"),
        (PRECAST_STACK_ERROR, c"the call stack does not serve"),
        (PRECAST_OTHER_RUNTIME, c"another runtime's object"),
        (PRECAST_UNSUPPORTED, c"not supported"),
        (PRECAST_NO_HEAP, c"the program has no heap"),
        (PRECAST_CANNOT_GROW, c"cannot grow"),
        (PRECAST_PANIC, c"internal error"),
    ];

    /// A few words for a status by its number.
    pub(crate) fn words(number: i32) -> &'static core::ffi::CStr {
        let known = usize::try_from(number)
            .ok()
            .and_then(|index| precast_status::ALL.get(index));
        known.map_or(c"unknown status", |(_, words)| words)
    }
}

/// Why code stopped.
#[repr(u32)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum precast_trap_code {
    /// It did not trap.
    PRECAST_TRAP_NONE = 0,
    /// An `unreachable` instruction was executed.
    PRECAST_TRAP_UNREACHABLE = 1,
    /// A load, store or bulk memory instruction left its linear memory.
    PRECAST_TRAP_MEMORY_OUT_OF_BOUNDS = 2,
    /// A table instruction left its table.
    PRECAST_TRAP_TABLE_OUT_OF_BOUNDS = 3,
    /// `call_indirect` with an index that the table does not have.
    PRECAST_TRAP_UNDEFINED_ELEMENT = 4,
    /// `call_indirect` to a null entry.
    PRECAST_TRAP_UNINITIALIZED_ELEMENT = 5,
    /// `call_indirect` to a function of another type.
    PRECAST_TRAP_INDIRECT_CALL_TYPE_MISMATCH = 6,
    /// An integer division whose result does not fit.
    PRECAST_TRAP_INTEGER_OVERFLOW = 7,
    /// An integer division or remainder by zero.
    PRECAST_TRAP_INTEGER_DIVIDE_BY_ZERO = 8,
    /// A float-to-integer conversion of a NaN.
    PRECAST_TRAP_INVALID_CONVERSION_TO_INTEGER = 9,
    /// The call stack of the execution environment is used up.
    PRECAST_TRAP_STACK_OVERFLOW = 10,
    /// An atomic access that is not naturally aligned.
    PRECAST_TRAP_UNALIGNED_ATOMIC = 11,
    /// A null reference where the instruction needs an object.
    PRECAST_TRAP_NULL_REFERENCE = 12,
    /// `memory.atomic.wait` on a memory that is not shared.
    PRECAST_TRAP_EXPECTED_SHARED_MEMORY = 13,
    /// The host asked the program to stop.
    PRECAST_TRAP_INTERRUPTED = 14,
    /// The auxiliary stack in linear memory is used up.
    PRECAST_TRAP_AUX_STACK_OVERFLOW = 15,
    /// The auxiliary stack pointer rose above the stack's base.
    PRECAST_TRAP_AUX_STACK_UNDERFLOW = 16,
    /// There is not enough memory for what an instruction makes.
    PRECAST_TRAP_OUT_OF_MEMORY = 17,
    /// A call through a function reference that is null.
    PRECAST_TRAP_NULL_FUNCTION_REFERENCE = 18,
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::{precast_status, precast_trap_code};
    use crate::api::usage::{PRECAST_CATEGORY_COUNT, precast_category};
    use precast_loader::{Category, TrapCode};
    use std::format;
    use std::string::String;

    /// A name in C's capitals.
    fn capitals(name: &str) -> String {
        let mut capitals = String::new();
        for letter in name.chars() {
            if letter.is_ascii_uppercase() && !capitals.is_empty() {
                capitals.push('_');
            }
            capitals.push(letter.to_ascii_uppercase());
        }
        capitals
    }

    /// The numbers of an enumeration in this crate's source, by name.
    fn constants(source: &str, prefix: &str) -> std::vec::Vec<(String, u32)> {
        let lines = source.lines().map(str::trim);
        let variants = lines.filter_map(|line| {
            let (name, number) = line.strip_suffix(',')?.split_once(" = ")?;
            Some((name.strip_prefix(prefix)?.into(), number.parse().ok()?))
        });
        variants.collect()
    }

    #[test]
    fn trap_codes_are_the_loader_s() {
        let source = include_str!("status.rs");
        let ours = constants(source, "PRECAST_TRAP_");
        assert_eq!(ours.first(), Some(&("NONE".into(), 0)));
        let loaders: std::vec::Vec<_> = TrapCode::ALL
            .iter()
            .map(|code| (capitals(code.name()), *code as u32))
            .collect();
        assert_eq!(ours[1..], loaders);
        let unreachable = precast_trap_code::PRECAST_TRAP_UNREACHABLE;
        assert_eq!(unreachable as u32, TrapCode::Unreachable as u32);
    }

    #[test]
    fn categories_are_the_loader_s() {
        let source = include_str!("api/usage.rs");
        let ours = constants(source, "PRECAST_CATEGORY_");
        let loaders: std::vec::Vec<_> = Category::ALL
            .iter()
            .map(|category| (capitals(&format!("{category:?}")), *category as u32))
            .collect();
        assert_eq!(ours, loaders);
        assert_eq!(ours.len(), PRECAST_CATEGORY_COUNT as usize);
        let last = precast_category::PRECAST_CATEGORY_EXCEPTIONS;
        assert_eq!(last as u32, Category::Exceptions as u32);
    }

    #[test]
    fn every_status_has_words() {
        for (number, (status, _)) in precast_status::ALL.iter().enumerate() {
            assert_eq!(*status as usize, number);
        }
        let last = precast_status::ALL.last().map(|(status, _)| *status);
        assert_eq!(last, Some(precast_status::PRECAST_PANIC));
    }
}
