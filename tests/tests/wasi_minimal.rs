//! WASI on a device: what a platform has reaches the guest, and everything else is an answer, not a trap.

use std::sync::Mutex;

use precast_compiler::{Options, Silent, Target, compile};
use precast_loader::platform::{Platform, Refused, Stream};
use precast_loader::{
    CallError, Imports, Instance, InstanceOptions, Runtime, Source, Stack, Value,
};
use precast_wasi_minimal::MinimalWasi;

const SUCCESS: i32 = 0;
const BADF: i32 = 8;
const FAULT: i32 = 21;
const INVAL: i32 = 28;
const IO: i32 = 29;
const NOSYS: i32 = 52;
const SPIPE: i32 = 70;

/// The size of the guest's memory in bytes.
const END: i32 = 65536;

/// A device with a clock that stands, random numbers that are none, and a line that takes five bytes at
/// a time of the complaints.
struct Board {
    said: Mutex<Vec<u8>>,
}

// SAFETY: nothing is said about threads, stacks or code memory.
unsafe impl Platform for Board {
    fn monotonic_time(&self) -> Option<u64> {
        Some(1_000_000_007)
    }

    fn random(&self, bytes: &mut [u8]) -> bool {
        bytes.fill(0x5a);
        true
    }

    fn write(&self, stream: Stream, bytes: &[u8]) -> Result<usize, Refused> {
        let taken = match stream {
            Stream::Output => bytes,
            Stream::Error => bytes.get(..5).unwrap_or(bytes),
        };
        if taken.starts_with(b"broken") {
            return Err(Refused(5));
        }
        self.said.lock().expect("nobody panics").extend(taken);
        Ok(taken.len())
    }
}

static BOARD: Board = Board {
    said: Mutex::new(Vec::new()),
};
static WASI: MinimalWasi = MinimalWasi::new(&BOARD)
    .args(&["app", "--loud"])
    .environment(&["HOME=/"]);

/// A guest that passes on what it is called with; its memory has a text and a list of two buffers.
const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_res_get" (func $clock_res_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_unstable" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1000) "hello, \00\00world\n")
  (data (i32.const 1100) "broken")
  ;; "hello, ", "world\n", and one that leads out of the memory.
  (data (i32.const 2000) "\e8\03\00\00\07\00\00\00" "\f1\03\00\00\06\00\00\00" "\ff\ff\00\00\02\00\00\00")
  (data (i32.const 2100) "\4c\04\00\00\06\00\00\00")
  (export "args_get" (func $args_get)) (export "args_sizes_get" (func $args_sizes_get))
  (export "environ_get" (func $environ_get)) (export "environ_sizes_get" (func $environ_sizes_get))
  (export "clock_res_get" (func $clock_res_get)) (export "clock_time_get" (func $clock_time_get))
  (export "fd_close" (func $fd_close)) (export "fd_fdstat_get" (func $fd_fdstat_get))
  (export "fd_prestat_get" (func $fd_prestat_get)) (export "fd_read" (func $fd_read))
  (export "fd_seek" (func $fd_seek)) (export "fd_write" (func $fd_write))
  (export "path_open" (func $path_open)) (export "proc_exit" (func $proc_exit))
  (export "random_get" (func $random_get)) (export "sched_yield" (func $sched_yield))
  (func (export "leave") (call $proc_exit (i32.const 7)) unreachable)
  (func (export "write") (param i32 i32 i32 i32) (result i32)
    (call $fd_write (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "random") (param i32 i32) (result i32) (call $random_get (local.get 0) (local.get 1))))"#;

fn guest() -> Instance {
    let wasm = wat::parse_str(GUEST).expect("the module is well formed");
    let compiled = compile(
        &wasm,
        &Options::new(Target::host().expect("it has native code")),
        &Silent,
    )
    .expect("it compiles");
    let runtime = Runtime::system().expect("there is memory");
    // SAFETY: the compiler made the artifact.
    let module = unsafe { runtime.load_unverified(Source::copied(&compiled.artifact)) };
    let module = module.expect("it is for this machine");
    let mut imports = Imports::new(&runtime);
    WASI.define_for(&mut imports, &module)
        .expect("there is memory");
    module
        .instantiate(&imports, InstanceOptions::default())
        .expect("everything is defined")
}

/// Calls a function with numbers, of which those in the wide places have 64 bits.
fn call(instance: &Instance, name: &str, params: &[i32]) -> i32 {
    let function = instance.untyped_func(name).expect("it is exported");
    let types = function.func_type();
    let params: Vec<Value> = types
        .params()
        .iter()
        .zip(params)
        .map(|(kind, param)| match *kind {
            precast_loader::ValueType::I64 => Value::I64(i64::from(*param)),
            _ => Value::I32(*param),
        })
        .collect();
    let mut environment = instance
        .execution_environment(Stack::Caller)
        .expect("it takes no memory");
    let mut results = [Value::I32(-1)];
    function
        .call(&mut environment, &params, &mut results)
        .expect("nothing traps");
    results[0].i32().expect("it is an error number")
}

fn bytes<const N: usize>(instance: &Instance, pointer: u64) -> [u8; N] {
    let memory = instance.memory("memory").expect("it is exported");
    let mut bytes = [0; N];
    memory.read(pointer, &mut bytes).expect("it is inside");
    bytes
}

#[test]
fn what_the_platform_has_reaches_the_guest() {
    let guest = guest();
    assert_eq!(call(&guest, "args_sizes_get", &[0, 4]), SUCCESS);
    assert_eq!(bytes(&guest, 0), [2, 0, 0, 0, 11, 0, 0, 0]);
    assert_eq!(call(&guest, "args_get", &[16, 32]), SUCCESS);
    assert_eq!(bytes(&guest, 16), [32, 0, 0, 0, 36, 0, 0, 0]);
    assert_eq!(&bytes(&guest, 32), b"app\0--loud\0");
    assert_eq!(call(&guest, "environ_sizes_get", &[0, 4]), SUCCESS);
    assert_eq!(bytes(&guest, 0), [1, 0, 0, 0, 7, 0, 0, 0]);
    assert_eq!(call(&guest, "environ_get", &[16, 32]), SUCCESS);
    assert_eq!(&bytes(&guest, 32), b"HOME=/\0");

    assert_eq!(call(&guest, "clock_time_get", &[1, 0, 64]), SUCCESS);
    assert_eq!(bytes(&guest, 64), 1_000_000_007u64.to_le_bytes());
    assert_eq!(call(&guest, "clock_res_get", &[1, 64]), SUCCESS);
    assert_eq!(bytes(&guest, 64), 1u64.to_le_bytes());

    // More than is copied at once.
    assert_eq!(call(&guest, "random_get", &[100, 150]), SUCCESS);
    assert_eq!(bytes(&guest, 99), {
        let mut expected = [0x5a; 152];
        expected[0] = 0;
        expected[151] = 0;
        expected
    });

    assert_eq!(call(&guest, "fd_write", &[1, 2000, 2, 64]), SUCCESS);
    assert_eq!(bytes(&guest, 64), 13u32.to_le_bytes());
    // Where a buffer is taken in part, the write is a short one.
    assert_eq!(call(&guest, "fd_write", &[2, 2000, 2, 64]), SUCCESS);
    assert_eq!(bytes(&guest, 64), 5u32.to_le_bytes());
    let said = std::mem::take(&mut *BOARD.said.lock().expect("nobody panics"));
    assert_eq!(said, b"hello, world\nhello");

    assert_eq!(call(&guest, "fd_read", &[0, 2000, 2, 64]), SUCCESS);
    assert_eq!(bytes(&guest, 64), [0; 4]);
    assert_eq!(call(&guest, "fd_fdstat_get", &[1, 64]), SUCCESS);
    assert_eq!(bytes(&guest, 64), [2, 0, 0, 0, 0, 0, 0, 0, 64, 0]);
    assert_eq!(call(&guest, "sched_yield", &[]), SUCCESS);
}

#[test]
fn programs_end_with_their_code() {
    let guest = guest();
    let leave = guest.func::<(), ()>("leave").expect("it is exported");
    let mut environment = guest
        .execution_environment(Stack::Caller)
        .expect("it takes no memory");
    assert!(matches!(
        leave.call(&mut environment, ()),
        Err(CallError::Exit(7))
    ));
}

#[test]
fn what_is_not_there_is_an_answer() {
    let guest = guest();
    let nothing = [0; 9];
    assert_eq!(call(&guest, "path_open", &nothing), NOSYS);
    // The board knows no date.
    assert_eq!(call(&guest, "clock_time_get", &[0, 0, 64]), NOSYS);
    assert_eq!(call(&guest, "clock_time_get", &[9, 0, 64]), INVAL);
    assert_eq!(call(&guest, "fd_prestat_get", &[3, 64]), BADF);
    assert_eq!(call(&guest, "fd_close", &[2]), SUCCESS);
    assert_eq!(call(&guest, "fd_close", &[3]), BADF);
    assert_eq!(call(&guest, "fd_seek", &[1, 0, 0, 64]), SPIPE);
    assert_eq!(call(&guest, "fd_fdstat_get", &[4, 64]), BADF);
    assert_eq!(call(&guest, "fd_read", &[1, 2000, 1, 64]), BADF);
    assert_eq!(call(&guest, "fd_write", &[0, 2000, 1, 64]), BADF);
    assert_eq!(call(&guest, "fd_write", &[1, 2100, 1, 64]), IO);
}

#[test]
fn bad_pointers_are_answered_before_anything_happens() {
    let guest = guest();
    let calls: &[(&str, &[i32])] = &[
        ("args_get", &[END - 4, 0]),
        ("args_get", &[0, END - 10]),
        ("args_sizes_get", &[0, END - 3]),
        ("args_sizes_get", &[-1, 0]),
        ("clock_time_get", &[1, 0, END - 7]),
        ("fd_fdstat_get", &[1, END - 23]),
        ("fd_read", &[0, 0, 0, END]),
        ("fd_write", &[1, 2000, 3, 64]),
        ("fd_write", &[1, 2000, 2, END - 3]),
        ("fd_write", &[1, END - 8, 2, 64]),
        ("fd_write", &[1, 0, i32::MAX, 64]),
        ("random_get", &[END - 1, 2]),
        ("random_get", &[-1, -1]),
    ];
    for (name, params) in calls {
        assert_eq!(call(&guest, name, params), FAULT, "{name} {params:?}");
    }
    assert_eq!(bytes(&guest, (END - 1) as u64), [0]);
}
