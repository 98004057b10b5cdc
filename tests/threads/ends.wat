;; Main and its threads each do one thing, which a number says. What does not end by itself has to be
;; ended by what does.
(module $ends
  (import "env" "memory" (memory 1 1 shared))
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $read (param i32 i32 i32 i32) (result i32)))
  (export "memory" (memory 0))

  ;; 0: nobody ever writes this word.
  ;; 64, 128: subscriptions to a clock, an hour and five milliseconds. 192: a buffer of 16 bytes at 256.
  (data (i32.const 64) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00"
    "\01\00\00\00\00\00\00\00\00\a0\b8\30\46\03\00\00")
  (data (i32.const 128) "\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00"
    "\01\00\00\00\00\00\00\00\40\4b\4c\00\00\00\00\00")
  (data (i32.const 192) "\00\01\00\00\10\00\00\00")

  ;; Events and their number go where nobody looks.
  (func $sleep (param $subscription i32)
    (drop (call $poll (local.get $subscription) (i32.const 512) (i32.const 1) (i32.const 544))))

  (func $recurse (param i32) (result i32)
    (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (local.get 0)))

  (func $act (param $doing i32)
    (block $done
    (block $recurse
    (block $return_later
    (block $exit_later
    (block $trap_later
    (block $return
    (block $exit
    (block $trap
    (block $yield
    (block $read
    (block $sleep
    (block $wait
    (block $loop
      (br_table $loop $wait $sleep $read $yield $trap $exit $return $trap_later $exit_later
        $return_later $recurse $done (local.get $doing)))
      ;; loop
      (loop $again (br $again)))
      ;; wait
      (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
      (unreachable))
      ;; sleep
      (call $sleep (i32.const 64))
      (unreachable))
      ;; read
      (drop (call $read (i32.const 0) (i32.const 192) (i32.const 1) (i32.const 548)))
      (unreachable))
      ;; yield
      (loop $again
        (drop (call $yield))
        (br $again)))
      ;; trap
      (unreachable))
      ;; exit
      (call $exit (i32.const 7))
      (unreachable))
      ;; return
      (return))
      ;; trap later
      (call $sleep (i32.const 128))
      (unreachable))
      ;; exit later
      (call $sleep (i32.const 128))
      (call $exit (i32.const 7))
      (unreachable))
      ;; return later
      (call $sleep (i32.const 128))
      (return))
      ;; recurse
      (drop (call $recurse (i32.const 0)))
      (return))
    ;; done
    )

  (func (export "wasi_thread_start") (param $id i32) (param $doing i32)
    (if (i32.le_s (local.get $id) (i32.const 0)) (then (unreachable)))
    (call $act (local.get $doing)))

  ;; Starts three threads and one, and does something itself. The sum of how many there are.
  (func (export "main") (param $main i32) (param $three i32) (param $one i32) (result i32)
    (local $started i32)
    (loop $again
      (if (i32.le_s (call $spawn (local.get $three)) (i32.const 0)) (then (return (i32.const -1))))
      (local.set $started (i32.add (local.get $started) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $started) (i32.const 3))))
    (if (i32.le_s (call $spawn (local.get $one)) (i32.const 0)) (then (return (i32.const -1))))
    (call $act (local.get $main))
    (i32.add (local.get $started) (i32.const 1)))

  ;; Starts threads until there are no more: how many there were, and what the last call gave.
  (func (export "fill") (param $doing i32) (result i32 i32)
    (local $count i32) (local $result i32)
    (loop $again
      (local.set $result (call $spawn (local.get $doing)))
      (if (i32.gt_s (local.get $result) (i32.const 0))
        (then
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $count) (i32.const 100000))))))
    (local.get $count)
    (local.get $result))

  ;; Starts threads one after the other, as many as are said, each when there is a place for it. How
  ;; often there was none.
  (func (export "many") (param $count i32) (param $doing i32) (result i32)
    (local $full i32)
    (loop $again
      (if (i32.gt_s (call $spawn (local.get $doing)) (i32.const 0))
        (then (local.set $count (i32.sub (local.get $count) (i32.const 1))))
        (else
          (local.set $full (i32.add (local.get $full) (i32.const 1)))
          (drop (call $yield))))
      (br_if $again (local.get $count)))
    (local.get $full))

  ;; Starts one thread: its number, or that of an error, negated.
  (func (export "spawn") (param $doing i32) (result i32)
    (call $spawn (local.get $doing))))
