;; Firmware's guest: a table in its memory, sums over it, and a division that can go wrong.
(module $guest
  (import "host" "note" (func $note (param i32)))
  (memory (export "memory") 1 1)
  (data (i32.const 1024) "\01\00\00\00\02\00\00\00\03\00\00\00\04\00\00\00")
  (func $sum (export "sum") (param $count i32) (result i32)
    (local $total i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (local.set $total (i32.add (local.get $total)
          (i32.load (i32.add (i32.const 1024) (i32.shl (local.get $count) (i32.const 2))))))
        (br $next)))
    (call $note (local.get $total))
    (local.get $total))
  (func $divide (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func $mean (export "mean") (param $count i32) (result i32)
    (call $divide (call $sum (local.get $count)) (local.get $count))))
