;; Frames of all shapes between a throw and its handler: arguments and results on the stack, tail
;; calls that need more of them than their caller has.

(module
  (tag $e (param i64))
  (memory 1)
  (type $wide (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
      i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (type $wider (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
      i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
      i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (table funcref (elem $wide $wider_throws))

  ;; Throws the sum of its parameters if the first is odd, else returns some of them.
  (func $wide (type $wide)
    (if (i64.eqz (i64.and (local.get 0) (i64.const 1)))
      (then (return (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
          (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get
          10) (local.get 11))))
    (throw $e (i64.add (i64.add (i64.add (i64.add (i64.add (i64.add (i64.add (i64.add (i64.add
        (i64.add (i64.add (i64.add (i64.add (i64.add (i64.add (i64.add (i64.add (i64.add
        (i64.add (i64.add (i64.add (i64.add (i64.add  (local.get 0) (local.get 1)) (local.get
        2)) (local.get 3)) (local.get 4)) (local.get 5)) (local.get 6)) (local.get 7))
        (local.get 8)) (local.get 9)) (local.get 10)) (local.get 11)) (local.get 12))
        (local.get 13)) (local.get 14)) (local.get 15)) (local.get 16)) (local.get 17))
        (local.get 18)) (local.get 19)) (local.get 20)) (local.get 21)) (local.get 22))
        (local.get 23))))

  (func $wider_throws (type $wider)
    (throw $e (i64.add (local.get 0) (local.get 39))))

  ;; In place of itself, a function with more parameters.
  (func $tail (param i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (return_call $wider_throws (local.get 0) (i64.const 0) (i64.const 1) (i64.const 2)
        (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8)
        (i64.const 9) (i64.const 10) (i64.const 11) (i64.const 12) (i64.const 13) (i64.const
        14) (i64.const 15) (i64.const 16) (i64.const 17) (i64.const 18) (i64.const 19)
        (i64.const 20) (i64.const 21) (i64.const 22) (i64.const 23) (i64.const 24) (i64.const
        25) (i64.const 26) (i64.const 27) (i64.const 28) (i64.const 29) (i64.const 30)
        (i64.const 31) (i64.const 32) (i64.const 33) (i64.const 34) (i64.const 35) (i64.const
        36) (i64.const 37) (i64.const 1000)))
  (func $tail_of_tail (param i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (return_call $tail (i64.add (local.get 0) (local.get 1))))
  (func $tail_indirect (param i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (return_call_indirect (type $wider) (local.get 0) (i64.const 0) (i64.const 1) (i64.const
        2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8)
        (i64.const 9) (i64.const 10) (i64.const 11) (i64.const 12) (i64.const 13) (i64.const
        14) (i64.const 15) (i64.const 16) (i64.const 17) (i64.const 18) (i64.const 19)
        (i64.const 20) (i64.const 21) (i64.const 22) (i64.const 23) (i64.const 24) (i64.const
        25) (i64.const 26) (i64.const 27) (i64.const 28) (i64.const 29) (i64.const 30)
        (i64.const 31) (i64.const 32) (i64.const 33) (i64.const 34) (i64.const 35) (i64.const
        36) (i64.const 37) (i64.const 2000) (i32.const 1)))

  (func $drop_eleven (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
      (local.get 11))

  (func (export "wide") (param $first i64) (result i64)
    (local $kept i64)
    (local.set $kept (i64.mul (local.get $first) (i64.const 1000000)))
    (block $h (result i64)
      (try_table (result i64) (catch $e $h)
        (call $drop_eleven (call $wide (local.get $first) (i64.const 1) (i64.const 2)
            (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7)
            (i64.const 8) (i64.const 9) (i64.const 10) (i64.const 11) (i64.const 12)
            (i64.const 13) (i64.const 14) (i64.const 15) (i64.const 16) (i64.const 17)
            (i64.const 18) (i64.const 19) (i64.const 20) (i64.const 21) (i64.const 22)
            (i64.const 23)))))
    (i64.add (local.get $kept)))

  (func (export "wide-indirect") (param $first i64) (result i64)
    (local $kept i64)
    (local.set $kept (i64.mul (local.get $first) (i64.const 1000000)))
    (block $h (result i64)
      (try_table (result i64) (catch $e $h)
        (call $drop_eleven (call_indirect (type $wide) (local.get $first) (i64.const 1)
            (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6)
            (i64.const 7) (i64.const 8) (i64.const 9) (i64.const 10) (i64.const 11)
            (i64.const 12) (i64.const 13) (i64.const 14) (i64.const 15) (i64.const 16)
            (i64.const 17) (i64.const 18) (i64.const 19) (i64.const 20) (i64.const 21)
            (i64.const 22) (i64.const 23) (i32.const 0)))))
    (i64.add (local.get $kept)))

  (func (export "tail") (param $first i64) (result i64)
    (local $kept i64)
    (local.set $kept (i64.mul (local.get $first) (i64.const 1000000)))
    (block $h (result i64)
      (try_table (result i64) (catch $e $h)
        (call $drop_eleven (call $tail (local.get $first)))))
    (i64.add (local.get $kept)))

  (func (export "tail-of-tail") (param $first i64) (result i64)
    (local $kept i64)
    (local.set $kept (i64.mul (local.get $first) (i64.const 1000000)))
    (block $h (result i64)
      (try_table (result i64) (catch $e $h)
        (call $drop_eleven (call $tail_of_tail (local.get $first) (i64.const 5)))))
    (i64.add (local.get $kept)))

  (func (export "tail-indirect") (param $first i64) (result i64)
    (local $kept i64)
    (local.set $kept (i64.mul (local.get $first) (i64.const 1000000)))
    (block $h (result i64)
      (try_table (result i64) (catch $e $h)
        (call $drop_eleven (call $tail_indirect (local.get $first)))))
    (i64.add (local.get $kept)))

  ;; The function with the handler goes on by a tail call that needs room itself.
  (func $then_tail (export "then-tail") (param $first i64) (result i64 i64 i64 i64 i64 i64 i64
      i64 i64 i64 i64 i64)
    (local $caught i64)
    (local.set $caught
      (block $h (result i64)
        (try_table (catch $e $h)
          (drop (call $drop_eleven (call $tail (local.get $first)))))
        (i64.const -1)))
    (return_call $wide (i64.const 2) (local.get $caught) (i64.const 2) (i64.const 3)
        (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9)
        (i64.const 10) (i64.const 11) (i64.const 12) (i64.const 13) (i64.const 14) (i64.const
        15) (i64.const 16) (i64.const 17) (i64.const 18) (i64.const 19) (i64.const 20)
        (i64.const 21) (i64.const 22) (i64.const 23)))

  ;; A tail call leaves the handlers behind.
  (func $leaves (param $first i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
    (block $h (result i64)
      (try_table (catch $e $h) (return_call $tail (local.get $first)))
      unreachable)
    unreachable)
  (func (export "leaves") (param $first i64) (result i64)
    (block $h (result i64)
      (try_table (result i64) (catch $e $h)
        (call $drop_eleven (call $leaves (local.get $first))))))

  ;; A handler in every frame of a recursion; each passes on what it has caught, and one more.
  (func $deep (param $depth i64) (result i64)
    (if (i64.eqz (local.get $depth)) (then (throw $e (i64.const 0))))
    (block $h (result i64)
      (try_table (catch $e $h)
        (drop (call $deep (i64.sub (local.get $depth) (i64.const 1)))))
      unreachable)
    (throw $e (i64.add (i64.const 1))))
  (func (export "deep") (param $depth i64) (result i64)
    (block $h (result i64)
      (try_table (result i64) (catch $e $h) (call $deep (local.get $depth)))))
)

(assert_return (invoke "wide" (i64.const 2)) (i64.const 2000011))
(assert_return (invoke "wide" (i64.const 3)) (i64.const 3000279))
(assert_return (invoke "wide-indirect" (i64.const 2)) (i64.const 2000011))
(assert_return (invoke "wide-indirect" (i64.const 3)) (i64.const 3000279))
(assert_return (invoke "tail" (i64.const 4)) (i64.const 4001004))
(assert_return (invoke "tail-of-tail" (i64.const 4)) (i64.const 4001009))
(assert_return (invoke "tail-indirect" (i64.const 4)) (i64.const 4002004))
(assert_return (invoke "then-tail" (i64.const 4))
  (i64.const 2) (i64.const 1004) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5)
      (i64.const 6) (i64.const 7) (i64.const 8) (i64.const 9) (i64.const 10) (i64.const 11))
(assert_return (invoke "leaves" (i64.const 4)) (i64.const 1004))
(assert_return (invoke "deep" (i64.const 1000)) (i64.const 1000))
