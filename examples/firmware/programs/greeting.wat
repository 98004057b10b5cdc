;; A program of WASI, as compilers for C and Rust make them: it writes to its output, reads the clock twice, and
;; ends with an exit code.
(module $greeting
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 128 128 (pagesize 1))

  ;; Two lists of one buffer for fd_write, address and length; then the texts.
  (data (i32.const 0) "\30\00\00\00\1c\00\00\00" "\50\00\00\00\18\00\00\00")
  (data (i32.const 0x30) "greeting: hello from a guest")
  (data (i32.const 0x50) "\n" "greeting: time goes on\n")

  (func $monotonic_time (param $place i32) (result i64)
    (drop (call $clock_time_get (i32.const 1) (i64.const 1) (local.get $place)))
    (i64.load (local.get $place)))

  (func (export "_start")
    (local $start i64)
    (local.set $start (call $monotonic_time (i32.const 0x18)))
    ;; Standard output is descriptor 1; the count of bytes written goes to address 0x10.
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 0x10)))
    (if (i64.gt_u (call $monotonic_time (i32.const 0x20)) (local.get $start))
      (then (drop (call $fd_write
        (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0x10)))))
    (call $proc_exit (i32.const 3))))
