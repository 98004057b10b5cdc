(module $device_wasi
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open
    (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; A clock's time, or an error's number below zero.
  (func (export "time") (param $clock i32) (result i64)
    (local $error i32)
    (local.set $error (call $clock_time_get (local.get $clock) (i64.const 1) (i32.const 8)))
    (if (result i64) (local.get $error)
      (then (i64.sub (i64.const 0) (i64.extend_i32_u (local.get $error))))
      (else (i64.load (i32.const 8)))))
  ;; The sum of a hundred random bytes, or an error's number below zero.
  (func (export "random") (result i32)
    (local $error i32) (local $at i32) (local $sum i32)
    (local.set $error (call $random_get (i32.const 100) (i32.const 100)))
    (if (local.get $error) (then (return (i32.sub (i32.const 0) (local.get $error)))))
    (local.set $at (i32.const 100))
    (loop $next
      (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 200))))
    (local.get $sum))
  (func (export "yield") (result i32) (call $sched_yield))
  (func (export "open") (result i32)
    (call $path_open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0)
      (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 16))))
