//! Panics that are caught, as Rust with `panic=unwind` compiles them: across frames, through
//! destructors, out of calls by pointer, from deep recursion, again and again.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind, set_hook};
use std::process::ExitCode;

/// Says when it is dropped, and whether that is on the way out of a panic.
struct Guard(&'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        let how = if std::thread::panicking() { "unwinding" } else { "leaving" };
        println!("  drop {} ({how})", self.0);
    }
}

/// Catches a panic while another one is under way.
struct Careful;

impl Drop for Careful {
    fn drop(&mut self) {
        let caught = catch_unwind(|| panic!("inside of a destructor"));
        println!("  destructor caught: {}", text(&*caught.unwrap_err()));
    }
}

/// Counts its drops.
struct Counted<'a>(&'a Cell<u32>);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

fn text(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_string()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else if let Some(number) = payload.downcast_ref::<u64>() {
        format!("the number {number}")
    } else {
        "something else".to_string()
    }
}

#[inline(never)]
fn outer(input: &[u32]) -> u32 {
    let _guard = Guard("outer");
    middle(input) + 1
}

#[inline(never)]
fn middle(input: &[u32]) -> u32 {
    let _first = Guard("middle, first");
    let _second = Guard("middle, second");
    inner(input, input.len()) * 2
}

#[inline(never)]
fn inner(input: &[u32], index: usize) -> u32 {
    let _guard = Guard("inner");
    input[index]
}

#[inline(never)]
fn descend(depth: u32, drops: &Cell<u32>) -> u32 {
    let _counted = Counted(drops);
    if depth == 0 {
        panic_any(u64::from(drops.get()) + 42);
    }
    descend(depth - 1, drops) + 1
}

/// Catches every third level, and throws on.
#[inline(never)]
fn relay(level: u32) {
    if level == 0 {
        panic!("from the bottom");
    }
    if level.is_multiple_of(3) {
        let caught = catch_unwind(|| relay(level - 1)).unwrap_err();
        println!("  level {level} passes on: {}", text(&*caught));
        resume_unwind(Box::new(format!("{}, through {level}", text(&*caught))));
    }
    relay(level - 1);
}

fn main() -> ExitCode {
    set_hook(Box::new(|info| {
        let line = info.location().map_or(0, |location| location.line());
        eprintln!("panicked in line {line}");
    }));

    println!("across frames:");
    let caught = catch_unwind(|| outer(&[1, 2, 3]));
    println!("  caught: {}", text(&*caught.unwrap_err()));

    println!("without a panic:");
    let drops = Cell::new(0);
    let kept = catch_unwind(AssertUnwindSafe(|| {
        let _guard = Guard("closure");
        Counted(&drops);
        7
    }));
    println!("  returned: {kept:?}, drops: {}", drops.get());

    println!("through a destructor that catches its own:");
    let caught = catch_unwind(|| {
        let _careful = Careful;
        panic!("the outer one")
    });
    println!("  caught: {}", text(&*caught.unwrap_err()));

    println!("out of calls by pointer:");
    let divisor = Cell::new(0);
    let calls: [(&str, &dyn Fn(u32) -> u32); 4] = [
        ("quotient", &|number| number / divisor.get()),
        ("unwrap", &|number| number.checked_sub(101).unwrap()),
        ("expect", &|_| "x1".parse::<u32>().expect("no number")),
        ("fine", &|number| number + 1),
    ];
    for (name, call) in calls {
        match catch_unwind(AssertUnwindSafe(|| call(100))) {
            Ok(value) => println!("  {name}: {value}"),
            Err(payload) => println!("  {name}: {}", text(&*payload)),
        }
    }

    println!("from deep recursion:");
    let drops = Cell::new(0);
    let caught = catch_unwind(AssertUnwindSafe(|| descend(999, &drops)));
    println!("  caught: {}, drops: {}", text(&*caught.unwrap_err()), drops.get());

    println!("again and again:");
    let mut sum = 0u64;
    for round in 0..10_000u64 {
        let caught = catch_unwind(|| {
            if round % 3 != 0 {
                resume_unwind(Box::new(round));
            }
            round
        });
        sum += match caught {
            Ok(round) => round,
            Err(payload) => 2 * payload.downcast::<u64>().map_or(0, |round| *round),
        };
    }
    println!("  sum: {sum}");

    println!("passed on:");
    let caught = catch_unwind(|| relay(8));
    println!("  caught: {}", text(&*caught.unwrap_err()));

    println!("and one that nobody catches:");
    let _guard = Guard("main");
    outer(&[]);
    ExitCode::SUCCESS
}
