//! The modules of the sweep: every way to use the stack, at the bottom of a recursion.

use precast_tests::configuration::LargestFrames;

/// What is done at the bottom of the recursion; each is a function of the module without
/// parameters that returns zero.
pub const OPERATIONS: [&str; 40] = [
    "leaf",
    "direct",
    "indirect",
    "host",
    "host_large",
    "host_many",
    "other",
    "other_table",
    "other_many",
    "tail",
    "tail_indirect",
    "tail_other",
    "nested_1",
    "nested_2",
    "nested_5",
    "nested_region",
    "instantiate",
    "memory_grow",
    "memory_fill",
    "memory_copy",
    "memory_init",
    "table_grow",
    "table_fill",
    "table_copy",
    "table_init",
    "floats",
    "parameters",
    "page_frame",
    "large_frame",
    "overflow",
    "catch_overflow",
    "fd_write",
    "path_open",
    "poll_oneoff",
    "random_get",
    "caught",
    "kept",
    "caught_other",
    "caught_host",
    "caught_nested",
];

/// What the start function of the third module does.
pub const START: &str = r#"(module
  (import "host" "f" (func $f (param i32 i64 f64) (result i32)))
  (func $deep (param $depth i32)
    (if (local.get $depth)
      (then (call $deep (i32.sub (local.get $depth) (i32.const 1))))))
  (func $start
    (drop (call $f (i32.const 0) (i64.const 1) (f64.const 2)))
    (call $deep (i32.const 50)))
  (start $start))"#;

/// The other instance.
pub fn other(largest: LargestFrames) -> String {
    let many = " i64".repeat(largest.parameters);
    let last = largest.parameters - 1;
    format!(
        r#"(module
  (type $operation (func (result i32)))
  (table (export "table") 2 funcref)
  (elem (i32.const 0) func $count $count)
  (tag $tag (export "tag") (param i32))
  (func (export "throw") (param i32) (throw $tag (local.get 0)))
  (global $left (mut i32) (i32.const 0))
  (func (export "sum") (param i32 i64 f32 f64 i32) (result i32 i64 i32)
    (drop (call $count))
    (local.get 0) (local.get 1) (local.get 4))
  (func (export "zero") (result i32) (i32.const 0))
  (func (export "many") (param{many}) (result i32) (i32.wrap_i64 (local.get {last})))
  (func $count (result i32)
    (if (i32.lt_u (global.get $left) (i32.const 3))
      (then
        (global.set $left (i32.add (global.get $left) (i32.const 1)))
        (drop (call_indirect (type $operation) (i32.const 1)))))
    (global.set $left (i32.const 0))
    (i32.const 0)))"#
    )
}

/// A function whose frame holds so many vectors over a call.
fn frame(name: &str, vectors: usize) -> String {
    let declared = " v128".repeat(vectors);
    let loads: String = (0..vectors)
        .map(|index| {
            format!(
                "(local.set {index} (v128.load (i32.const {})))",
                index % 4096
            )
        })
        .collect();
    let sums: String = (0..vectors)
        .map(|index| format!("(local.set 0 (v128.xor (local.get 0) (local.get {index})))"))
        .collect();
    format!(
        "(func ${name} (result i32) (local{declared}) {loads} (drop (call $leaf)) {sums}
           (i32.and (i32x4.extract_lane 0 (local.get 0)) (i32.const 0)))"
    )
}

/// The module whose `at` calls itself `depth` times and then does an operation.
pub fn main(largest: LargestFrames) -> String {
    let many = " i64".repeat(largest.parameters);
    let last = largest.parameters - 1;
    let zeros = "(i64.const 0)".repeat(largest.parameters);
    let forty = " i64".repeat(40);
    let forty_zeros = "(i64.const 0)".repeat(40);
    let page_frame = frame("page_frame", 400);
    let large_frame = frame("large_frame", largest.vectors);
    let elements: String = OPERATIONS.iter().map(|name| format!(" ${name}")).collect();
    format!(
        r#"(module
  (type $operation (func (result i32)))
  (import "host" "f" (func $f (param i32 i64 f64) (result i32)))
  (import "host" "large" (func $host_large_f (result i32)))
  (import "host" "many" (func $host_many_f (param{many}) (result i32)))
  (import "host" "again" (func $again (param i32) (result i32)))
  (import "host" "region" (func $region (result i32)))
  (import "host" "instantiate" (func $instantiate_f (result i32)))
  (import "host" "catch" (func $catch (result i32)))
  (import "other" "sum" (func $sum (param i32 i64 f32 f64 i32) (result i32 i64 i32)))
  (import "other" "zero" (func $zero (result i32)))
  (import "other" "many" (func $other_many_f (param{many}) (result i32)))
  (import "host" "throw" (func $throw_host (param i32)))
  (import "other" "throw" (func $throw_other (param i32)))
  (import "other" "table" (table $others 2 funcref))
  (import "other" "tag" (tag $tag (param i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $wasi_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $wasi_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $wasi_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $wasi_poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get"
    (func $wasi_random (param i32 i32) (result i32)))
  (export "tag" (tag $tag))
  (memory (export "memory") 1 2000)
  (table $operations 100 funcref)
  (table $grown 0 4000 funcref)
  (elem $passive func $leaf $leaf $leaf)
  (data $data "passive")
  ;; A vector of ten bytes for `fd_write`, a path, and a clock that has run out for `poll_oneoff`.
  (data (i32.const 8192) "\10\27\00\00\0a\00\00\00")
  (data (i32.const 8300) "folder/../folder/./file")
  (data (i32.const 8416) "\01\00\00\00")
  (elem (table $operations) (i32.const 0) func {elements})

  (func $at (export "at") (param $depth i32) (param $operation i32) (result i32)
    (if (result i32) (local.get $depth)
      (then (i32.add (i32.const 1)
        (call $at (i32.sub (local.get $depth) (i32.const 1)) (local.get $operation))))
      (else (call_indirect $operations (type $operation) (local.get $operation)))))

  (func $leaf (result i32) (i32.load (i32.const 0)))
  (func $direct (result i32) (i32.add (call $leaf) (call $page_frame)))
  (func $indirect (result i32)
    (call_indirect $operations (type $operation) (i32.load8_u (i32.const 1))))
  (func $host (result i32) (call $f (i32.const 0) (i64.const 1) (f64.const 2)))
  (func $host_large (result i32) (call $host_large_f))
  (func $host_many (result i32) (call $host_many_f {zeros}))
  (func $other (result i32)
    (call $sum (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5))
    drop drop drop (i32.const 0))
  (func $other_table (result i32) (call_indirect $others (type $operation) (i32.const 0)))
  (func $other_many (result i32) (call $other_many_f {zeros}))
  (func $forty (param{forty}) (result i32)
    (if (result i32) (i64.eqz (local.get 39)) (then (i32.const 0)) (else (call $leaf))))
  (func $thousand (export "thousand") (param{many}) (result i32)
    (i32.wrap_i64 (i64.add (local.get {last}) (local.get 100))))
  (func $tail (result i32) (return_call $forty {forty_zeros}))
  (func $tail_indirect (result i32)
    (return_call_indirect $operations (type $operation) (i32.const 0)))
  (func $tail_other (result i32) (return_call $zero))
  (func $nest (export "nest") (param i32) (result i32) (call $again (local.get 0)))
  (func $nested_1 (result i32) (call $again (i32.const 1)))
  (func $nested_2 (result i32) (call $again (i32.const 2)))
  (func $nested_5 (result i32) (call $again (i32.const 5)))
  (func $nested_region (result i32) (call $region))
  (func $instantiate (result i32) (call $instantiate_f))
  (func $memory_grow (result i32)
    (drop (memory.grow (i32.const 0))) (drop (memory.grow (i32.const 1))) (i32.const 0))
  (func $memory_fill (result i32)
    (memory.fill (i32.const 15000) (i32.const 1) (i32.const 3000)) (i32.const 0))
  (func $memory_copy (result i32)
    (memory.copy (i32.const 15000) (i32.const 15001) (i32.const 3000)) (i32.const 0))
  (func $memory_init (result i32)
    (memory.init $data (i32.const 15000) (i32.const 0) (i32.const 7)) (i32.const 0))
  (func $table_grow (result i32)
    (drop (table.grow $grown (ref.func $leaf) (i32.const 1))) (i32.const 0))
  (func $table_fill (result i32)
    (table.fill $operations (i32.const 60) (ref.func $leaf) (i32.const 9)) (i32.const 0))
  (func $table_copy (result i32)
    (table.copy $operations $operations (i32.const 60) (i32.const 61) (i32.const 9))
    (i32.const 0))
  (func $table_init (result i32)
    (table.init $operations $passive (i32.const 60) (i32.const 0) (i32.const 3))
    (i32.const 0))
  (func $floats (result i32) (local $x f64) (local $y f32)
    (local.set $x (f64.load (i32.const 64)))
    (local.set $y (f32.load (i32.const 64)))
    (i32.trunc_f64_s (f64.add
      (f64.add (f64.ceil (local.get $x)) (f64.floor (local.get $x)))
      (f64.add (f64.trunc (local.get $x)) (f64.promote_f32 (f32.nearest (local.get $y)))))))
  (func $parameters (result i32) (call $thousand {zeros}))
  {page_frame}
  {large_frame}
  (func $overflow (result i32) (i32.add (call $overflow) (i32.load (i32.const 0))))
  (func $endless (export "endless") (result i32)
    (i32.add (call $endless) (i32.load (i32.const 0))))
  (func $catch_overflow (result i32) (call $catch))
  (func $fd_write (result i32)
    (call $wasi_write (i32.const 1) (i32.const 8192) (i32.const 1) (i32.const 8200)))
  (func $path_open (result i32) (local $error i32)
    (local.set $error (call $wasi_open (i32.const 3) (i32.const 0) (i32.const 8300)
      (i32.const 23) (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 8212)))
    (if (result i32) (local.get $error)
      (then (local.get $error))
      (else (call $wasi_close (i32.load (i32.const 8212))))))
  (func $poll_oneoff (result i32)
    (call $wasi_poll (i32.const 8400) (i32.const 8500) (i32.const 1) (i32.const 8600)))
  (func $random_get (result i32) (call $wasi_random (i32.const 9000) (i32.const 16)))
  (func $throw (export "throw") (param i32) (throw $tag (local.get 0)))
  (func $caught (result i32)
    (block $h (result i32)
      (try_table (catch $tag $h) (call $throw (i32.const 0)))
      unreachable))
  (func $kept (result i32)
    (block $h (result i32 exnref)
      (try_table (catch_ref $tag $h) (call $throw (i32.const 0)))
      unreachable)
    drop)
  (func $caught_other (result i32)
    (block $h (result i32)
      (try_table (catch $tag $h) (call $throw_other (i32.const 0)))
      unreachable))
  (func $caught_host (result i32)
    (block $h (result i32)
      (try_table (catch $tag $h) (call $throw_host (i32.const 0)))
      unreachable))
  (func $caught_nested (result i32)
    (block $h (result i32)
      (try_table (catch $tag $h) (call $throw_host (i32.const 1)))
      unreachable)
    (i32.sub (i32.const 1)))
)"#
    )
}
