//! Where `unsafe` may stand, and that everything else forbids it.
//!
//! The files of the loader and of the C library that touch memory are listed here by name; a new one is
//! a decision, and this list is where it is taken. Every other file of these two, and every other crate,
//! carries `#![forbid(unsafe_code)]`, so that the compiler holds what this list promises.

use super::{Finding, Source};

/// Files and folders that touch memory, threads' stacks or signals, and why.
const ALLOWED: &[(&str, &str)] = &[
    (
        "capi/src/api/",
        "is called by C: each function takes the caller's promises, once",
    ),
    ("capi/src/boundary/", "follows pointers of C's"),
    ("capi/src/host.rs", "calls functions of C's"),
    ("capi/src/no_allocator.rs", "stands where a heap has to be"),
    ("capi/src/value.rs", "reads and writes a union of C's"),
    (
        "capi/src/wasm_c_api/",
        "is called by C, follows its pointers and owns its arrays",
    ),
    ("loader/src/alloc/", "hands out memory"),
    (
        "loader/src/call/caller.rs",
        "finds the instance behind a context pointer",
    ),
    (
        "loader/src/call/entry",
        "enters compiled code and is left by it",
    ),
    ("loader/src/call/func.rs", "reads function records"),
    ("loader/src/call/host.rs", "is entered by compiled code"),
    ("loader/src/call/stack", "bounds the native stack"),
    ("loader/src/code", "writes and publishes code"),
    (
        "loader/src/exception/object.rs",
        "is what compiled code's references to exceptions point to",
    ),
    (
        "loader/src/exception/registry.rs",
        "chains exceptions through each other",
    ),
    (
        "loader/src/exception/roots.rs",
        "reads globals that compiled code writes",
    ),
    (
        "loader/src/exception/stacks.rs",
        "looks for references on stacks",
    ),
    (
        "loader/src/exception/sweep.rs",
        "follows exceptions that carry each other",
    ),
    (
        "loader/src/exception/tag.rs",
        "shares tags with compiled code",
    ),
    (
        "loader/src/exception/handle.rs",
        "keeps objects that compiled code refers to",
    ),
    (
        "loader/src/group",
        "owns what instances point to in each other",
    ),
    (
        "loader/src/interpret/",
        "runs bytecode, which can do what code can",
    ),
    (
        "loader/src/instance/call_profile/books.rs",
        "finds counters at the end of the instance's block",
    ),
    (
        "loader/src/instance/context",
        "lays out what compiled code addresses",
    ),
    (
        "loader/src/instance/create.rs",
        "fills a context before anything runs",
    ),
    (
        "loader/src/instance/expression.rs",
        "reads globals of other instances",
    ),
    (
        "loader/src/instance/global.rs",
        "shares slots with compiled code",
    ),
    (
        "loader/src/instance/interrupt.rs",
        "reaches instances from other threads",
    ),
    (
        "loader/src/instance/memory/any.rs",
        "follows the pointers that instances have to memories",
    ),
    (
        "loader/src/instance/memory/handle.rs",
        "borrows the bytes of linear memories",
    ),
    (
        "loader/src/instance/memory/object.rs",
        "shares linear memories with compiled code",
    ),
    (
        "loader/src/instance/memory/image.rs",
        "fills memories before anybody sees them",
    ),
    (
        "loader/src/instance/memory/shared.rs",
        "shares linear memories with other threads",
    ),
    (
        "loader/src/instance/memory/waiters",
        "links the frames of threads that wait",
    ),
    ("loader/src/instance/mod.rs", "is pointed to by contexts"),
    (
        "loader/src/instance/record.rs",
        "is what function references point to",
    ),
    (
        "loader/src/instance/table.rs",
        "shares tables with compiled code",
    ),
    ("loader/src/libcall/", "is called by compiled code"),
    ("loader/src/memory/", "maps linear memories"),
    (
        "loader/src/module.rs",
        "keeps an artifact beside the bytes that it borrows from",
    ),
    ("loader/src/module/types.rs", "keeps arrays in one block"),
    ("loader/src/open/file.rs", "maps files"),
    (
        "loader/src/open/given.rs",
        "shrinks blocks of the global allocator",
    ),
    (
        "loader/src/open/statics.rs",
        "follows the addresses that a linker filled in",
    ),
    (
        "loader/src/platform.rs",
        "says what firmware has to promise",
    ),
    (
        "loader/src/runtime.rs",
        "has the door for code that nobody signed",
    ),
    ("loader/src/sys/", "calls the system"),
    ("loader/src/trap/", "handles faults and unwinds"),
];

/// Whether unsafe code may stand in a file.
fn is_allowed(path: &str) -> bool {
    ALLOWED.iter().any(|(place, _)| path.starts_with(place))
}

/// Crates whose root forbids unsafe code for all of their files.
const FORBIDDING_CRATES: &[&str] = &["format", "compiler", "wasi", "cli", "xtask"];

/// Checks one file; `all` is needed to know which loader files have children.
pub fn check(source: &Source, all: &[Source], findings: &mut Vec<Finding>) {
    if !source.is_rust() {
        return;
    }
    let folder = source.crate_folder();
    if FORBIDDING_CRATES.contains(&folder) {
        let root = ["lib.rs", "main.rs"].map(|name| format!("{folder}/src/{name}"));
        if root.contains(&source.path) && !forbids(source) {
            let message = "the crate does not begin with `#![forbid(unsafe_code)]`";
            findings.push(Finding::new(&source.path, 0, message));
        }
        return;
    }
    // Tests and examples embed the loader as a user does: an `unsafe` call of its front door is their
    // statement of trust.
    let listed = ["loader/src/", "capi/src/"];
    if !listed.iter().any(|place| source.path.starts_with(place)) {
        return;
    }
    if is_allowed(&source.path) {
        return;
    }
    for line in source.lines_with_word("unsafe") {
        findings.push(Finding::new(
            &source.path,
            line,
            "unsafe code outside of its rooms",
        ));
    }
    // The lint reaches into child modules, so the parents of an allowed file cannot forbid.
    if !has_allowed_child(source, all) && !forbids(source) {
        let message = "a file without unsafe code begins with `#![forbid(unsafe_code)]`";
        findings.push(Finding::new(&source.path, 0, message));
    }
}

fn forbids(source: &Source) -> bool {
    source.code.contains("#![forbid(unsafe_code)]")
}

/// Whether a module below this file is allowed to contain unsafe code.
fn has_allowed_child(source: &Source, all: &[Source]) -> bool {
    let folder = match source
        .path
        .strip_suffix("/mod.rs")
        .or(source.path.strip_suffix("/lib.rs"))
    {
        Some(folder) => format!("{folder}/"),
        None => format!("{}/", source.path.trim_end_matches(".rs")),
    };
    all.iter().any(|other| {
        other.path.starts_with(&folder) && other.path != source.path && is_allowed(&other.path)
    })
}
