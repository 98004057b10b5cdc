;; A program with a mistake: the mean of no numbers. Its host sees where, and calls it again.
(module $faults
  (memory 64 64 (pagesize 1))
  (data (i32.const 0) "\01\00\00\00\02\00\00\00\03\00\00\00\06\00\00\00")
  (func $sum (param $count i32) (result i32)
    (local $total i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (local.set $total (i32.add (local.get $total)
          (i32.load (i32.shl (local.get $count) (i32.const 2)))))
        (br $next)))
    (local.get $total))
  (func $divide (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func $mean (export "mean") (param $count i32) (result i32)
    (call $divide (call $sum (local.get $count)) (local.get $count))))
