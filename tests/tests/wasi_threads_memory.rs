//! What threads take is known before: the pool that is printed for so many threads has room for
//! them, one that is a granule smaller has not, and an allocator is asked for what was planned.
#![forbid(unsafe_code)]

use precast_loader::plan::{AllocationMode, HostRequest, Plan, PlanOptions, ThreadPlan};
use precast_loader::{Category, ExternType, Imports, InstanceOptions, Memory, RuntimeOptions};
use precast_loader::{Source, Stack};
use precast_tests::plan_host::Recorder;
use precast_wasi::{ThreadOptions, ThreadStack, Threads, WasiContext};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const PRECAST: &str = env!("CARGO_BIN_EXE_precast-under-test");

/// Threads that wait until main returns; main gives how many there are.
const ENDS: &str = include_str!("../threads/ends.wat");

/// Main returns, and threads wait.
const ARGUMENTS: [&str; 4] = ["main", "7", "1", "1"];

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("wasi_threads_memory")
        .join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("ends.wat"), ENDS).unwrap();
    let compiled = precast(
        &folder,
        &[
            "compile",
            "--quiet",
            "--bounds-checks",
            "explicit",
            "ends.wat",
        ],
    );
    assert!(compiled.status.success(), "{compiled:?}");
    folder
}

fn precast(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(PRECAST);
    command.args(arguments).current_dir(folder);
    command.output().unwrap()
}

/// The plan that is printed with these options.
fn plan(folder: &Path, options: &[&str]) -> Value {
    let mut arguments = vec!["memory", "--json", "ends.precast"];
    arguments.extend(options);
    let output = precast(folder, &arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_printed_pool_has_room_for_the_threads() {
    let folder = scratch("pool");
    let mut sizes = Vec::new();
    for stack in [&[][..], &["--stack-size", "64K"]] {
        let mut options = vec!["--alloc", "pool", "--max-threads", "4"];
        options.extend(stack);
        let pool = plan(&folder, &options)["pool_bytes"].as_u64().unwrap();
        sizes.push(pool);
        // Three threads and one more; in a smaller pool there is one less.
        for (pool, printed) in [(pool, "4\n"), (pool - 16, "-1\n")] {
            let pool = pool.to_string();
            let mut arguments = vec!["run", "--pool-size", &pool];
            arguments.extend(&options);
            arguments.extend(["ends.precast", "--invoke"]);
            arguments.extend(ARGUMENTS);
            let output = precast(&folder, &arguments);
            assert_eq!(
                String::from_utf8_lossy(&output.stdout),
                printed,
                "{output:?}"
            );
        }
    }
    assert!(sizes[1] - sizes[0] >= 5 * (64 << 10));
}

#[test]
fn each_thread_takes_as_much() {
    let folder = scratch("sum");
    let bytes = |threads: &str| {
        let plan = plan(&folder, &["--alloc", "pool", "--threads", threads]);
        // The list of the threads has an entry for each, too.
        plan["bytes"].as_u64().unwrap()
    };
    let (none, one, five) = (bytes("0"), bytes("1"), bytes("5"));
    assert!(one > none);
    assert_eq!(five - none, 5 * (one - none));
    let notes = |options: &[&str]| plan(&folder, options)["notes"].to_string();
    assert!(notes(&[]).contains("--max-threads"));
    assert!(!notes(&["--threads", "2"]).contains("--max-threads"));
}

#[test]
fn an_allocator_is_asked_for_what_was_planned() {
    let folder = scratch("requests");
    let artifact: &'static [u8] = fs::read(folder.join("ends.precast")).unwrap().leak();
    for stack in [ThreadStack::Own(64 << 10), ThreadStack::Runtime(64 << 10)] {
        let options = ThreadOptions::default().max_threads(4).stack(stack);
        let builder = WasiContext::builder();
        let requests = builder.requests().map(|layout| HostRequest {
            category: Category::Wasi,
            layout,
        });
        let threads = Threads::requests(&options).map(|layout| HostRequest {
            category: Category::Threads,
            layout,
        });
        let host: Vec<HostRequest> = requests.chain(threads).collect();
        let mut assumed = PlanOptions::default();
        assumed.mode = AllocationMode::System;
        assumed.host = &host;
        assumed.captures = &|module, _| match module {
            precast_wasi::THREADS => Threads::CAPTURE,
            _ => WasiContext::CAPTURE,
        };
        assumed.threads = Some(ThreadPlan {
            count: 4,
            instance: options.instance,
            stack: match stack {
                ThreadStack::Runtime(bytes) => Some(bytes),
                ThreadStack::Own(_) => None,
            },
        });
        let plan = Plan::new(artifact, &assumed).unwrap();

        let recorder: &'static Recorder = Box::leak(Box::default());
        let runtime = recorder.runtime(RuntimeOptions::default()).unwrap();
        let module = runtime
            .load_named_by_user(Source::borrowed(artifact))
            .unwrap();
        let context = WasiContext::builder().build(&runtime).unwrap();
        let threads = Threads::new(&module, Some(&context), options).unwrap();
        let mut imports = Imports::for_module(&module).unwrap();
        for (from, name, ty) in module.imports() {
            match ty {
                ExternType::Memory(ty) => {
                    let memory = Memory::new(&runtime, ty).unwrap();
                    imports.memory(from, name, &memory).unwrap();
                }
                _ if from == precast_wasi::THREADS => threads.define(&mut imports).unwrap(),
                _ => assert!(context.define_named(&mut imports, from, name).unwrap()),
            }
        }
        let instance = threads
            .instantiate(imports, InstanceOptions::default())
            .unwrap();
        let mut environment = instance.execution_environment(Stack::Caller).unwrap();
        let main = instance.func::<(i32, i32, i32), i32>("main").unwrap();
        let count = threads.run(|| main.call(&mut environment, (7, 1, 1)));
        assert_eq!(count.unwrap(), 4);
        // Beyond the plan are backtraces of the interruption only.
        recorder.compare(&plan).unwrap();
        drop((
            main,
            environment,
            instance,
            threads,
            context,
            module,
            runtime,
        ));
        assert!(recorder.is_empty());
    }
}
