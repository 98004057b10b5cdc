//! No overflow of the native stack escapes: every kind of call with every amount of stack left.
//!
//! Each case ends with its result, with a stack-overflow trap, or, where a region is too small for
//! any call, with an error before anything runs. It leaves the runtime's account as it was, and
//! the instance serves the next call.
//!
//! ```text
//!   place                approach: what is swept
//!   thread's own stack   below: what is left at the call, above `ENTRY_STACK`
//!                        above: the same, above `HOST_STACK_MARGIN`
//!                        depth: what a recursion of compiled code leaves
//!   region of the host   size, depth
//!   region allocated     size, depth; below: what is left of the thread's own stack
//! ```
//!
//! The cases run in processes of their own, so that a crash is a counted failure with a name. The
//! process says what it is about to do before it does it; where it dies, the next one goes on.
//!
//! By default the steps are of 256 bytes, and two ways to compile are taken. Every way and steps of
//! 64 bytes: `PRECAST_SWEEP_STEP=64 cargo test -p precast-tests --test stack_sweep`.

#![cfg(unix)]

#[path = "stack_sweep/module.rs"]
mod module;
#[path = "stack_sweep/subject.rs"]
mod subject;
#[path = "stack_sweep/thread.rs"]
mod thread;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use precast_compiler::Options;
use precast_format::tunables::StackChecks;
use precast_tests::{child, configuration};
use subject::{Approach, Case, Outcome, Subject};

/// The room that is swept, in bytes.
const ROOM: usize = 64 << 10;

/// Names the configuration that a process of the sweep runs.
const CONFIGURATION: &str = "PRECAST_SWEEP_CONFIGURATION";

/// The first item that it runs.
const FIRST: &str = "PRECAST_SWEEP_FIRST";

/// The step between amounts of stack, in bytes.
const STEP: &str = "PRECAST_SWEEP_STEP";

/// Crashes after which a configuration is given up.
const MANY: usize = 20;

fn step() -> usize {
    let step = std::env::var(STEP).map_or(256, |step| step.parse().unwrap());
    assert!(step > 0 && step <= 4096);
    step
}

/// Ways to compile, each with explicit checks and with guard pages. Without rounding instructions,
/// so that there are libcalls for floats.
fn configurations() -> Vec<(String, Options)> {
    let all = configuration::ALL;
    let chosen = if step() < 256 {
        all.to_vec()
    } else {
        vec![all[1], all[3]]
    };
    let mut configurations = Vec::new();
    for configuration in chosen {
        for checks in [StackChecks::Explicit, StackChecks::Guard] {
            let mut options = configuration.options();
            options.stack_checks = checks;
            if cfg!(target_arch = "x86_64") {
                options.target.set_cpu("x86-64").unwrap();
                options.target.change_features("+ssse3").unwrap();
            }
            let name = format!("{}, {} stack", configuration.name, checks.name());
            configurations.push((name, options));
        }
    }
    configurations
}

/// All that is done: each approach with each case and each amount of stack.
fn items(checks: StackChecks) -> Vec<(Approach, Case, usize)> {
    let mut items = Vec::new();
    for approach in Approach::all(checks) {
        for case in Case::all().filter(|case| approach.serves(*case)) {
            let step = step().max(approach.least_step());
            items.extend((0..=ROOM).step_by(step).map(|room| (approach, case, room)));
        }
    }
    items
}

/// What a process says.
enum Line {
    Begins(usize),
    Ends(usize, Outcome),
    Done,
}

impl Line {
    fn parse(line: &str) -> Option<Line> {
        let mut words = line.strip_prefix("sweep ")?.split(' ');
        match words.next()? {
            "begins" => Some(Line::Begins(words.next()?.parse().ok()?)),
            "ends" => {
                let item = words.next()?.parse().ok()?;
                Some(Line::Ends(item, Outcome::named(words.next()?)?))
            }
            "done" => Some(Line::Done),
            _ => None,
        }
    }

    fn say(&self) {
        let text = match self {
            Line::Begins(item) => format!("\nsweep begins {item}\n"),
            Line::Ends(item, outcome) => format!("\nsweep ends {item} {}\n", outcome.name()),
            Line::Done => "\nsweep done\n".to_owned(),
        };
        let mut output = std::io::stdout().lock();
        output.write_all(text.as_bytes()).unwrap();
        output.flush().unwrap();
    }
}

/// One process of the sweep; does nothing where no configuration is named.
#[test]
fn process_of_the_sweep() {
    let Ok(number) = std::env::var(CONFIGURATION) else {
        return;
    };
    let first: usize = std::env::var(FIRST).unwrap().parse().unwrap();
    let (_, options) = &configurations()[number.parse::<usize>().unwrap()];
    let subject = Subject::new(options);
    let items = items(options.stack_checks);
    thread::with_stack(subject::THREAD_STACK, |lowest| {
        let mut number = first;
        while number < items.len() {
            let (approach, case, _) = items[number];
            let same = items[number..]
                .iter()
                .take_while(|item| (item.0, item.1) == (approach, case))
                .map(|item| item.2);
            subject.sweep(lowest, approach, case, same, |outcome| match outcome {
                None => Line::Begins(number).say(),
                Some(outcome) => {
                    Line::Ends(number, outcome).say();
                    number += 1;
                }
            });
        }
        Line::Done.say();
    });
}

/// How often each outcome was, for one approach and case.
type Counts = [usize; Outcome::ALL.len()];

/// Runs all items of a configuration; returns what happened and which items crashed.
fn run(number: usize, checks: StackChecks) -> (BTreeMap<(Approach, Case), Counts>, Vec<String>) {
    let items = items(checks);
    let mut counts: BTreeMap<(Approach, Case), Counts> = BTreeMap::new();
    let mut crashes = Vec::new();
    let mut first = 0;
    loop {
        let mut child = child::command(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "process_of_the_sweep",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(CONFIGURATION, number.to_string())
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut at = None;
        let mut done = false;
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            match Line::parse(&line.unwrap()) {
                Some(Line::Begins(item)) => at = Some(item),
                Some(Line::Ends(item, outcome)) => {
                    let (approach, case, _) = items[item];
                    counts.entry((approach, case)).or_default()[outcome as usize] += 1;
                    at = None;
                }
                Some(Line::Done) => done = true,
                None => {}
            }
        }
        let status = child.wait().unwrap();
        if done && status.success() {
            return (counts, crashes);
        }
        let Some(item) = at else {
            panic!("a process of the sweep ended outside of a case: {status}");
        };
        let (approach, case, room) = items[item];
        counts.entry((approach, case)).or_default()[Outcome::Crash as usize] += 1;
        crashes.push(format!(
            "{} {} {room}: {status}",
            approach.name(),
            case.name()
        ));
        first = item + 1;
        if crashes.len() >= MANY {
            return (counts, crashes);
        }
    }
}

#[test]
#[cfg_attr(
    target_pointer_width = "32",
    ignore = "there is no native code for this machine"
)]
fn no_overflow_escapes() {
    if std::env::var(CONFIGURATION).is_ok() {
        return;
    }
    let configurations = configurations();
    let mut crashes = Vec::new();
    let mut total: Counts = Default::default();
    for (number, (name, options)) in configurations.iter().enumerate() {
        let (counts, crashed) = run(number, options.stack_checks);
        println!("{name}: successes, traps, refusals, crashes");
        let expected: usize = items(options.stack_checks).len();
        let mut all = 0;
        for ((approach, case), counts) in counts {
            println!(
                "  {:<16} {:<16} {:>5} {:>5} {:>5} {:>5}",
                approach.name(),
                case.name(),
                counts[0],
                counts[1],
                counts[2],
                counts[3]
            );
            for (sum, count) in total.iter_mut().zip(counts) {
                *sum += count;
                all += count;
            }
        }
        assert!(
            all == expected || crashed.len() >= MANY,
            "{all} of {expected}"
        );
        crashes.extend(crashed.iter().map(|crash| format!("{name}: {crash}")));
    }
    println!(
        "{} successes, {} traps, {} refusals, {} crashes",
        total[0], total[1], total[2], total[3]
    );
    assert!(crashes.is_empty(), "{}", crashes.join("\n"));
}
