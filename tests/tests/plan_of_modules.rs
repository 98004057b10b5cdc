//! The memory plan is exact: for every module of the specification's suite that can be instantiated
//! on its own, a pool of the planned size is enough, one that is a granule smaller is not, and a
//! custom allocator is asked for just what was planned, in that order.

use precast_compiler::{OptLevel, Options};
use precast_format::tunables::BoundsChecks;
use precast_loader::plan::{AllocationMode, Plan, PlanError, PlanOptions, Stage};
use precast_loader::{Category, Runtime, RuntimeOptions};
use precast_tests::configuration::{self, Configuration};
use precast_tests::plan_host::{Failure, Recorder, live};
use precast_tests::suite;
use std::collections::HashSet;
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{Wast, WastDirective};

/// Pools larger than this are not tried: the modules want gigabytes.
const MOST: usize = 1 << 30;

/// The modules of a script, as binaries.
fn modules(text: &str) -> Vec<Vec<u8>> {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let Ok(buffer) = ParseBuffer::new_with_lexer(lexer) else {
        return Vec::new();
    };
    let Ok(script) = parser::parse::<Wast<'_>>(&buffer) else {
        return Vec::new();
    };
    let directives = script.directives.into_iter();
    directives
        .filter_map(|directive| match directive {
            WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => {
                module.encode().ok()
            }
            _ => None,
        })
        .collect()
}

/// What became of the modules of a folder.
#[derive(Default)]
struct Tally {
    modules: usize,
    /// The compiler or the instantiation refused them, with any memory.
    refused: usize,
    /// They want more memory than is tried.
    too_large: usize,
    exact: usize,
    smallest: usize,
    largest: usize,
}

impl Tally {
    fn row(&self, name: &str) -> String {
        format!(
            "{name:<40} {:>7} {:>8} {:>10} {:>7} {:>9} {:>9}",
            self.modules, self.refused, self.too_large, self.exact, self.smallest, self.largest
        )
    }
}

/// Holds a module to its plan.
fn check(artifact: &'static [u8], tally: &mut Tally) -> Result<(), String> {
    let system = Runtime::system().map_err(|error| error.to_string())?;
    if live(&system, artifact).is_err() {
        tally.refused += 1;
        return Ok(());
    }
    drop(system);
    check_custom(artifact)?;
    let mut options = PlanOptions::default();
    options.provided_stack = true;
    let plan = match Plan::new(artifact, &options) {
        Ok(plan) => plan,
        Err(PlanError::GuardPages) => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let bytes = plan.pool_bytes().ok_or("no pool is large enough")?;
    if bytes > MOST {
        tally.too_large += 1;
        return Ok(());
    }
    check_pool(artifact, bytes)?;
    tally.exact += 1;
    tally.smallest = match tally.smallest {
        0 => bytes,
        smallest => smallest.min(bytes),
    };
    tally.largest = tally.largest.max(bytes);
    Ok(())
}

/// Compares what an allocator is asked for with the plan, and what is counted in both modes.
fn check_custom(artifact: &'static [u8]) -> Result<(), String> {
    let mut options = PlanOptions::default();
    options.provided_stack = true;
    options.mode = AllocationMode::System;
    let plan = Plan::new(artifact, &options).map_err(|error| error.to_string())?;
    let recorder: &'static Recorder = Box::leak(Box::default());
    let runtimes = [
        recorder.runtime(RuntimeOptions::default()),
        Runtime::system(),
    ];
    for (index, runtime) in runtimes.into_iter().enumerate() {
        let runtime = runtime.map_err(|error| error.to_string())?;
        let life = live(&runtime, artifact).map_err(|failure| format!("{failure:?}"))?;
        if index == 0 {
            let more = recorder.compare(&plan)?;
            // A start function may have asked for more, and given it back.
            if more > 0 && !life.module.has_start_function() {
                return Err(format!("{more} more requests than planned"));
            }
        }
        for category in Category::ALL {
            let (found, planned) = (
                runtime.usage(*category),
                plan.usage(Stage::Environment, *category),
            );
            if (found.current, found.blocks) != (planned.current, planned.blocks) {
                return Err(format!("{category}: {found:?}, planned {planned:?}"));
            }
        }
    }
    if !recorder.is_empty() {
        return Err("a block did not go back".to_owned());
    }
    Ok(())
}

/// Runs the module in a pool of just the planned size, and in one that is a granule smaller.
fn check_pool(artifact: &'static [u8], bytes: usize) -> Result<(), String> {
    let mut region = vec![MaybeUninit::<u128>::uninit(); bytes / 16];
    let start = NonNull::from(&mut *region).cast::<u8>();
    let lives = |bytes: usize| {
        // SAFETY: the region is this function's, and the runtime is gone when it is used again.
        let allocator = unsafe { precast_loader::Allocator::pool_at(start, bytes) }?;
        let empty = allocator.pool_usage();
        let result = Runtime::with_allocator(allocator.clone(), RuntimeOptions::default())
            .map_err(Failure::from)
            .and_then(|runtime| live(&runtime, artifact).map(drop));
        assert_eq!(
            allocator.pool_usage().map(|usage| usage.free),
            empty.map(|usage| usage.free)
        );
        result
    };
    lives(bytes).map_err(|failure| format!("with {bytes} bytes: {failure:?}"))?;
    match lives(bytes - 16) {
        Err(Failure::OutOfMemory(_)) => Ok(()),
        Err(Failure::Other(text)) => Err(format!("with {} bytes: {text}", bytes - 16)),
        Ok(()) => Err(format!("{} bytes are enough, too", bytes - 16)),
    }
}

/// Holds every module of every folder to its plan.
fn check_all(configuration: &Configuration) {
    check_folders(configuration.name, configuration.options(), suite::names());
}

/// Holds every module of these folders to its plan.
fn check_folders(name: &str, mut options: Options, folders: Vec<String>) {
    options.opt_level = OptLevel::None;
    let mut seen = HashSet::new();
    let mut failures = Vec::new();
    println!(
        "{:<40} {:>7} {:>8} {:>10} {:>7} {:>9} {:>9}",
        name, "modules", "refused", "too large", "exact", "smallest", "largest"
    );
    for folder in folders {
        let mut tally = Tally::default();
        for script in suite::scripts(&folder) {
            for (number, module) in modules(script.raw()).into_iter().enumerate() {
                if !seen.insert(module.clone()) {
                    continue;
                }
                tally.modules += 1;
                let compiled =
                    precast_compiler::compile(&module, &options, &precast_compiler::Silent);
                let Ok(compiled) = compiled else {
                    tally.refused += 1;
                    continue;
                };
                let artifact: &'static [u8] = compiled.artifact.leak();
                if let Err(message) = check(artifact, &mut tally) {
                    let name = script.name();
                    failures.push(format!("{folder}/{name}, module {number}: {message}"));
                }
            }
        }
        println!("{}", tally.row(&folder));
    }
    let count = failures.len();
    failures.truncate(20);
    assert!(
        failures.is_empty(),
        "{count} modules:\n{}",
        failures.join("\n")
    );
}

#[test]
fn explicit_memories_are_planned_to_the_granule() {
    let explicit = configuration::ALL.iter().find(|configuration| {
        let options = configuration.options();
        options.bounds_checks == BoundsChecks::Explicit
    });
    check_all(explicit.expect("one of them is explicit"));
}

#[test]
fn bytecode_is_planned_to_the_granule() {
    check_all(&configuration::BYTECODE);
}

#[test]
fn counters_of_calls_are_planned_to_the_granule() {
    let mut options = configuration::ALL[3].options();
    options.call_profile = true;
    let folders = suite::names().into_iter().take(1).collect();
    check_folders("counting calls", options, folders);
}

#[test]
fn guarded_memories_are_planned_to_the_page() {
    check_all(&configuration::ALL[0]);
}
