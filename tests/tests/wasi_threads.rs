//! wasi-threads: programs that start threads, in C and in WebAssembly text, with and without guard
//! pages. How they end, what is left, and what they see of each other.
#![forbid(unsafe_code)]

mod threaded;

use std::io::pipe;
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

use precast_loader::{CallError, Runtime, RuntimeOptions, Stack, TrapCode};
use precast_wasi::{Errno, Input, ThreadOptions, ThreadStack, WasiContext};

use threaded::{Program, Strategy, end_code, strategies};

const JOIN: &str = include_str!("../threads/join.wat");
const QUEUE: &str = include_str!("../threads/queue.wat");
const LINES: &str = include_str!("../threads/lines.wat");
const OVERFLOW: &str = include_str!("../threads/overflow.wat");
const GROW: &str = include_str!("../threads/grow.wat");
const ENDS: &str = include_str!("../threads/ends.wat");

#[test]
fn threads_count_together_and_are_joined() {
    for strategy in strategies() {
        let (ended, output) = Program::new(JOIN, strategy).run_main();
        ended.unwrap();
        assert_eq!(output, b"8000\n8020\n");
    }
}

#[test]
fn condition_variables_work_both_ways() {
    for strategy in strategies() {
        let (ended, output) = Program::new(QUEUE, strategy).run_main();
        ended.unwrap();
        assert_eq!(output, b"1000\n499500\n");
    }
}

#[test]
fn lines_are_not_torn() {
    for strategy in strategies() {
        let (ended, output) = Program::new(LINES, strategy).run_main();
        ended.unwrap();
        assert_eq!(output.len(), 4 * 50 * 300);
        let whole = |line: &[u8]| line[299] == b'\n' && line[..299].iter().all(|it| *it == line[0]);
        assert!(output.chunks(300).all(whole));
    }
}

#[test]
fn all_threads_see_what_grows() {
    for strategy in strategies() {
        let (ended, output) = Program::new(GROW, strategy).run_main();
        ended.unwrap();
        // Two pages for each of four threads: 1 + number, and 10 + number.
        assert_eq!(output, b"112\n");
    }
}

#[test]
fn overflow_of_a_thread_s_c_stack_is_named() {
    for strategy in strategies() {
        let mut program = Program::new(OVERFLOW, strategy);
        program.options = ThreadOptions::default().aux_stack(4096);
        let (ended, output) = program.run_main();
        let ended = ended.unwrap_err();
        assert_eq!(ended.thread, Some(1));
        let CallError::Trap(trap) = &ended.error else {
            panic!("{ended}");
        };
        assert_eq!(trap.code(), TrapCode::AuxStackOverflow);
        let text = ended.to_string();
        assert!(text.starts_with("thread 1: "), "{text}");
        assert!(text.contains("dive"), "{text}");
        assert_eq!(output, b"");
    }
}

/// What threads and main of `ends.wat` do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
enum Doing {
    Looping = 0,
    Waiting = 1,
    Sleeping = 2,
    Reading = 3,
    Yielding = 4,
    Trapping = 5,
    Exiting = 6,
    Returning = 7,
    TrappingLater = 8,
    ExitingLater = 9,
    ReturningLater = 10,
    Recursing = 11,
}

/// Whatever does not end by itself.
const ENDLESS: [Doing; 5] = [
    Doing::Looping,
    Doing::Waiting,
    Doing::Sleeping,
    Doing::Reading,
    Doing::Yielding,
];

/// Three threads do what the second says, one more the third, and main the first.
fn run(
    strategy: Strategy,
    main: Doing,
    three: Doing,
    one: Doing,
) -> Result<i32, precast_wasi::Ended> {
    let (reader, _writer) = pipe().unwrap();
    let mut program = Program::new(ENDS, strategy);
    program.context = WasiContext::builder().stdin(Input::File(reader.into()));
    let start = Instant::now();
    let (ended, _) = program.run("main", (main as i32, three as i32, one as i32));
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{main:?} {three:?} {one:?}"
    );
    ended
}

#[test]
fn a_trap_in_a_thread_ends_all() {
    for strategy in strategies() {
        for endless in ENDLESS {
            for last in [Doing::Trapping, Doing::TrappingLater] {
                let ended = run(strategy, endless, endless, last).unwrap_err();
                assert_eq!(ended.thread, Some(4), "{endless:?}");
                let CallError::Trap(trap) = &ended.error else {
                    panic!("{ended}");
                };
                assert_eq!(trap.code(), TrapCode::Unreachable);
                assert!(ended.to_string().contains("act"), "{ended}");
            }
        }
    }
}

#[test]
fn proc_exit_in_a_thread_ends_all() {
    for strategy in strategies() {
        for endless in ENDLESS {
            for last in [Doing::Exiting, Doing::ExitingLater] {
                let ended = run(strategy, endless, endless, last).unwrap_err();
                assert_eq!((ended.thread, end_code(&ended)), (Some(4), Some(7)));
            }
        }
    }
}

#[test]
fn the_end_of_main_ends_all() {
    for strategy in strategies() {
        for endless in ENDLESS {
            for main in [Doing::Returning, Doing::ReturningLater] {
                assert_eq!(run(strategy, main, endless, endless).unwrap(), 4);
            }
            for main in [Doing::Exiting, Doing::ExitingLater] {
                let ended = run(strategy, main, endless, endless).unwrap_err();
                assert_eq!((ended.thread, end_code(&ended)), (None, Some(7)));
            }
            for main in [Doing::Trapping, Doing::TrappingLater] {
                let ended = run(strategy, main, endless, endless).unwrap_err();
                assert!(matches!(&ended.error, CallError::Trap(trap)
                    if trap.code() == TrapCode::Unreachable));
                assert_eq!(ended.thread, None);
            }
        }
    }
}

#[test]
fn threads_that_return_end_nothing() {
    for strategy in strategies() {
        let main = Doing::ReturningLater;
        assert_eq!(
            run(strategy, main, Doing::Returning, Doing::ReturningLater).unwrap(),
            4
        );
    }
}

#[test]
fn a_thread_s_native_stack_has_an_end() {
    for strategy in strategies() {
        for stack in [ThreadStack::Own(64 << 10), ThreadStack::Runtime(64 << 10)] {
            let mut program = Program::new(ENDS, strategy);
            program.options = ThreadOptions::default().stack(stack);
            let (ended, _) = program.run(
                "main",
                (
                    Doing::Waiting as i32,
                    Doing::Waiting as i32,
                    Doing::Recursing as i32,
                ),
            );
            let ended = ended.unwrap_err();
            assert_eq!(ended.thread, Some(4));
            assert!(matches!(&ended.error, CallError::Trap(trap)
                if trap.code() == TrapCode::StackOverflow));
        }
    }
}

/// Spawns as long as there is a place, and gives how many there were and what the last call gave.
fn fill(program: Program, doing: Doing) -> (i32, i32) {
    let filled = program.run_with(|threads, instance| {
        let fill = instance.func::<(i32,), (i32, i32)>("fill").unwrap();
        let mut environment = instance.execution_environment(Stack::Caller).unwrap();
        threads.run(|| fill.call(&mut environment, (doing as i32,)))
    });
    filled.unwrap()
}

/// The number that a program gets for an error.
fn negated(error: Errno) -> i32 {
    -i32::from(error.number())
}

#[test]
fn a_thread_too_many_is_a_negative_number() {
    for strategy in strategies() {
        for limit in [0, 1, 5] {
            let mut program = Program::new(ENDS, strategy);
            program.options = ThreadOptions::default().max_threads(limit);
            let filled = fill(program, Doing::Waiting);
            assert_eq!(filled, (limit as i32, negated(Errno::Again)));
        }
    }
}

#[test]
fn places_are_free_again_when_threads_end() {
    for strategy in strategies() {
        for doing in [Doing::Returning, Doing::ReturningLater] {
            let mut program = Program::new(ENDS, strategy);
            program.options = ThreadOptions::default().max_threads(3);
            let (ended, _) = program.run("many", (40, doing as i32));
            ended.unwrap();
        }
    }
}

#[test]
fn a_stack_that_the_system_refuses_is_a_negative_number() {
    for strategy in strategies() {
        let mut program = Program::new(ENDS, strategy);
        program.options = ThreadOptions::default().stack(ThreadStack::Own(usize::MAX));
        assert_eq!(fill(program, Doing::Waiting), (0, negated(Errno::Again)));
        let mut program = Program::new(ENDS, strategy);
        program.options = ThreadOptions::default().stack(ThreadStack::Runtime(usize::MAX / 2));
        assert_eq!(fill(program, Doing::Waiting), (0, negated(Errno::NoMemory)));
        let mut program = Program::new(ENDS, strategy);
        program.options = ThreadOptions::default().stack(ThreadStack::Runtime(16));
        assert_eq!(fill(program, Doing::Waiting), (0, negated(Errno::Invalid)));
    }
}

/// A module whose start function counts instances and does something from the second on; main spawns
/// a thread and gives the result.
fn with_start(second: &str) -> &'static str {
    let text = format!(
        r#"(module
            (import "env" "memory" (memory 1 1 shared))
            (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
            (func $start
                (if (i32.atomic.rmw.add (i32.const 0) (i32.const 1)) (then {second})))
            (start $start)
            (func (export "wasi_thread_start") (param i32 i32))
            (func (export "main") (result i32) (call $spawn (i32.const 0))))"#
    );
    text.leak()
}

#[test]
fn an_instance_that_cannot_be_is_a_negative_number() {
    for strategy in strategies() {
        let (ended, _) = Program::new(with_start("(unreachable)"), strategy).run("main", ());
        assert_eq!(ended.unwrap(), negated(Errno::Canceled));
        let (ended, _) = Program::new(with_start(""), strategy).run("main", ());
        assert_eq!(ended.unwrap(), 1);
        // Start functions may start threads, which have start functions.
        let recursive = with_start("(drop (call $spawn (i32.const 0)))");
        let mut program = Program::new(recursive, strategy);
        program.options = ThreadOptions::default().max_threads(7);
        let (ended, _) = program.run("main", ());
        assert!(ended.unwrap() > 0);
        let nameless: &'static str = with_start("").replace("wasi_thread_start", "other").leak();
        let (ended, _) = Program::new(nameless, strategy).run("main", ());
        assert_eq!(ended.unwrap(), negated(Errno::NotSupported));
    }
}

#[test]
fn an_exception_that_leaves_a_thread_ends_all() {
    const THROWS: &str = r#"(module
        (import "env" "memory" (memory 1 1 shared))
        (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
        (tag $failure (param i32))
        (func $wait (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
        (func (export "wasi_thread_start") (param i32 i32)
            (if (local.get 1) (then (throw $failure (i32.const 42))))
            (call $wait))
        (func (export "main") (result i32)
            (block $caught
                (try_table (catch_all $caught)
                    (drop (call $spawn (i32.const 0)))
                    (drop (call $spawn (i32.const 1)))
                    (call $wait)))
            (i32.const 0)))"#;
    for strategy in strategies() {
        // The exception keeps its instance: it goes before anybody looks at what is left.
        Program::new(THROWS, strategy).run_with(|threads, instance| {
            let main = instance.func::<(), i32>("main").unwrap();
            let mut environment = instance.execution_environment(Stack::Caller).unwrap();
            let ended = threads.run(|| main.call(&mut environment, ())).unwrap_err();
            assert_eq!(ended.thread, Some(2));
            assert!(matches!(ended.error, CallError::Exception(_)), "{ended}");
            assert!(ended.to_string().contains("42"), "{ended}");
        });
    }
}

#[test]
fn start_functions_end_with_the_program() {
    for strategy in strategies() {
        // The second instance waits in its start function; the first one ends the program meanwhile.
        let text: &'static str =
            with_start("(drop (memory.atomic.wait32 (i32.const 8) (i32.const 0) (i64.const -1)))")
                .replace(
                    "(param i32 i32))",
                    "(param i32 i32) (if (local.get 1) (then
                (drop (call $spawn (i32.const 0))))))",
                )
                .leak();
        let program = Program::new(text, strategy);
        let result = program.run_with(|threads, instance| {
            let main = instance.func::<(), i32>("main").unwrap();
            let mut environment = instance.execution_environment(Stack::Caller).unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(30));
                    threads.interrupt();
                });
                threads.run(|| main.call(&mut environment, ()))
            })
        });
        let ended = result.unwrap_err();
        assert!(matches!(&ended.error, CallError::Trap(trap)
            if trap.code() == TrapCode::Interrupted));
    }
}

#[test]
fn without_memory_there_is_no_thread_and_all_goes_on() {
    const STACK: usize = 64 << 10;
    let mut counts = Vec::new();
    // A memory, and room for some instances with their stacks: somewhere in between it ends.
    for size in (100 << 10..500 << 10).step_by(3 << 10) {
        let region = vec![MaybeUninit::uninit(); size].leak();
        let runtime = Runtime::with_pool(region, RuntimeOptions::default()).unwrap();
        let mut program = Program::new_in(runtime, ENDS, Strategy::Explicit);
        program.options = ThreadOptions::default()
            .max_threads(16)
            .stack(ThreadStack::Runtime(STACK));
        let count = program.run_with(|threads, instance| {
            let fill = instance.func::<(i32,), (i32, i32)>("fill").unwrap();
            let mut environment = instance.execution_environment(Stack::Caller).unwrap();
            let filled = threads.run(|| fill.call(&mut environment, (Doing::Waiting as i32,)));
            let (count, last) = filled.unwrap();
            assert_eq!(last, negated(Errno::NoMemory), "{size}");
            let again = threads.run(|| fill.call(&mut environment, (Doing::Waiting as i32,)));
            assert_eq!(again.unwrap(), (count, last), "{size}");
            count
        });
        counts.push(count);
    }
    assert!(
        counts.is_sorted() && counts[0] == 0 && counts.last() > Some(&4),
        "{counts:?}"
    );
}
