;; The older form: try, catch, catch_all, delegate, rethrow.

(module
  (tag $e (param i32))
  (tag $f (param i64 f64))
  (tag $g)
  (tag (export "exported") (param i32))

  (func $throw_e (param i32) (throw $e (local.get 0)))
  (func $throw_f (param i32)
    (throw $f (i64.extend_i32_s (local.get 0)) (f64.convert_i32_s (local.get 0))))
  (func $throw_g (param i32) (throw $g))
  (func $quiet (param i32))
  (type $thrower (func (param i32)))
  (table funcref (elem $throw_e $throw_f $throw_g $quiet))

  ;; Which of the throwers is called says the first parameter.
  (func $act (param $which i32) (param $value i32)
    (call_indirect (type $thrower) (local.get $value) (local.get $which)))

  (func (export "clauses") (param $which i32) (param $value i32) (result i32)
    try (result i32)
      (call $act (local.get $which) (local.get $value))
      i32.const -1
    catch $e
      i32.const 100
      i32.add
    catch $f
      drop
      i32.wrap_i64
      i32.const 200
      i32.add
    catch_all
      i32.const 300
    end)

  (func (export "no-match") (param $which i32)
    try
      (call $act (local.get $which) (i32.const 5))
    catch $g
    end)

  (func (export "catchless") (param $which i32) (result i32)
    try
      (call $act (local.get $which) (i32.const 5))
    end
    i32.const 4)

  ;; Parameters and several results.
  (func (export "params") (param $which i32) (result i32 i64)
    i32.const 1
    i64.const 2
    try (param i32 i64) (result i32 i64)
      (call $act (local.get $which) (i32.const 7))
    catch $e
      i64.const 20
    catch_all
      i32.const 30
      i64.const 40
    end)

  ;; The inner one has no clause for it, the outer one has.
  (func (export "nested") (param $which i32) (result i32)
    try (result i32)
      try (result i32)
        (call $act (local.get $which) (i32.const 1))
        i32.const 0
      catch $g
        i32.const 10
      end
      i32.const 1
      i32.add
    catch $e
      i32.const 20
      i32.add
    end)

  ;; What a clause throws does not come to the clauses of its own try.
  (func (export "throw-in-catch") (param $which i32) (result i32)
    try (result i32)
      try (result i32)
        (call $act (local.get $which) (i32.const 1))
        i32.const 0
      catch $e
        (call $throw_e (i32.add (i32.const 1)))
        i32.const 10
      catch_all
        (call $throw_g (i32.const 0))
        i32.const 11
      end
    catch $e
      i32.const 20
      i32.add
    catch_all
      i32.const 30
    end)

  (func (export "rethrow") (param $which i32) (result i32)
    try (result i32)
      try (result i32)
        (call $act (local.get $which) (i32.const 3))
        i32.const 0
      catch $e
        drop
        rethrow 0
      catch_all
        rethrow 0
      end
    catch $e
      i32.const 1000
      i32.add
    catch_all
      i32.const 2000
    end)

  ;; Rethrows what an outer clause has caught, after others have been thrown and caught.
  (func (export "rethrow-outer") (param $which i32) (result i32)
    (local $count i32)
    try (result i32)
      try (result i32)
        (call $act (local.get $which) (i32.const 3))
        i32.const 0
      catch_all
        loop $again
          try
            (call $throw_e (i32.const 9))
          catch $e
            drop
            local.get $count
            i32.const 1
            i32.add
            local.tee $count
            i32.const 100
            i32.lt_u
            br_if $again
          end
        end
        try (result i32)
          (call $throw_f (i32.const 9))
          i32.const 0
        catch $f
          drop
          drop
          rethrow 1
        end
      end
    catch $e
      i32.const 1000
      i32.add
    catch_all
      i32.const 2000
    end)

  (func (export "rethrow-uncaught") (param $which i32)
    try
      (call $act (local.get $which) (i32.const 3))
    catch_all
      rethrow 0
    end)

  ;; To a try further out, over one in between.
  (func (export "delegate") (param $which i32) (result i32)
    try $outer (result i32)
      try (result i32)
        try (result i32)
          (call $act (local.get $which) (i32.const 3))
          i32.const 0
        delegate $outer
      catch_all
        i32.const 10
      end
    catch $e
      i32.const 20
      i32.add
    catch_all
      i32.const 30
    end)

  ;; To a block inside of a try: the try catches.
  (func (export "delegate-block") (param $which i32) (result i32)
    try (result i32)
      block (result i32)
        try (result i32)
          (call $act (local.get $which) (i32.const 3))
          i32.const 0
        delegate 0
      end
    catch_all
      i32.const 30
    end)

  ;; To the function: no try of it catches.
  (func (export "delegate-function") (param $which i32) (result i32)
    try (result i32)
      try (result i32)
        (call $act (local.get $which) (i32.const 3))
        i32.const 0
      delegate 1
    catch_all
      i32.const 30
    end)

  ;; From inside of a clause to its try: what is outside of it catches.
  (func (export "delegate-catch") (param $which i32) (result i32)
    try (result i32)
      try $t (result i32)
        (call $throw_g (i32.const 0))
        i32.const 0
      catch_all
        try (result i32)
          (call $act (local.get $which) (i32.const 3))
          i32.const 1
        delegate $t
      end
    catch $e
      i32.const 40
      i32.add
    catch_all
      i32.const 50
    end)

  ;; A chain of delegates, the inner one with clauses between.
  (func (export "delegate-chain") (param $which i32) (result i32)
    try $a (result i32)
      try $b (result i32)
        try $c (result i32)
          try (result i32)
            (call $act (local.get $which) (i32.const 3))
            i32.const 0
          delegate $c
        catch $g
          i32.const 1
        end
      delegate $a
    catch $e
      i32.const 60
      i32.add
    catch_all
      i32.const 70
    end)

  (func (export "branch-out") (param $which i32) (result i32)
    (local $seen i32)
    block $done (result i32)
      loop $again
        try
          (call $act (local.get $which) (i32.const 3))
          i32.const 1
          br $done
        catch $e
          local.set $seen
          i32.const 3
          local.set $which
          br $again
        catch $f
          drop
          drop
          i32.const 77
          return
        catch_all
          i32.const 88
          br $done
        end
      end
      i32.const 99
    end
    local.get $seen
    i32.const 1000
    i32.mul
    i32.add)

  ;; Locals have the values that they had at the call, not at the try.
  (func (export "locals") (param $which i32) (result i32)
    (local $i i32) (local $s i32)
    try
      (local.set $i (i32.const 1))
      (call $quiet (i32.const 0))
      (local.set $i (i32.const 2))
      (call $act (local.get $which) (i32.const 3))
      (local.set $i (i32.const 4))
      (call $throw_g (i32.const 0))
      (local.set $i (i32.const 8))
    catch $e
      local.set $s
    catch_all
      (local.set $s (i32.const 100))
    end
    (i32.add (local.get $i) (local.get $s)))

  (func (export "unreachable-inside") (param $which i32) (result i32)
    try (result i32)
      i32.const 5
      return
      try (result i32)
        try (result i32)
          i32.const 1
        delegate 0
      catch $e
      catch_all
        rethrow 0
      end
      drop
      (call $act (local.get $which) (i32.const 3))
      i32.const 6
    catch $e
    catch_all
      i32.const 7
    end)

  (func (export "unreachable-before") (param $which i32) (result i32)
    try (result i32)
      block
        br 0
        try
          (throw $g)
        catch $g
        end
      end
      try (result i32)
        (call $act (local.get $which) (i32.const 3))
        i32.const 6
      catch $e
        unreachable
      end
    catch $f
      drop
      i32.wrap_i64
    catch_all
      i32.const 7
    end)

  ;; Nothing in the body can throw, so no clause can be reached.
  (func (export "nothing-throws") (result i32)
    try (result i32)
      i32.const 1
    catch $e
      rethrow 0
    catch_all
      try
        rethrow 1
      catch_all
      end
      i32.const 2
    end)

  (func (export "throw-itself") (result i32)
    try (result i32)
      (throw $f (i64.const 3) (f64.const 4))
    catch $f
      i32.trunc_f64_s
      i64.extend_i32_s
      i64.add
      i32.wrap_i64
    end)

  (func (export "trap") (param i32) (result i32)
    try (result i32)
      (i32.div_s (i32.const 1) (local.get 0))
    catch_all
      i32.const 5
    end)

  ;; In a loop, thrown by a callee.
  (func (export "many") (param $count i32) (result i64)
    (local $sum i64)
    loop $again
      try
        (call $throw_f (local.get $count))
      catch $f
        drop
        local.get $sum
        i64.add
        local.set $sum
      end
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1))))
    end
    local.get $sum)

  ;; In a loop, thrown again each time.
  (func $again (param i32)
    try
      (call $throw_e (local.get 0))
    catch_all
      rethrow 0
    end)
  (func (export "many-again") (param $count i32) (result i32)
    (local $sum i32)
    loop $again
      try
        (call $again (local.get $count))
      catch $e
        local.get $sum
        i32.add
        local.set $sum
      end
      (br_if $again (local.tee $count (i32.sub (local.get $count) (i32.const 1))))
    end
    local.get $sum)

  ;; Both forms in one function.
  (func (export "both-forms") (param $which i32) (result i32)
    try (result i32)
      block $h (result i32)
        try_table (result i32) (catch $e $h)
          try (result i32)
            (call $act (local.get $which) (i32.const 3))
            i32.const 0
          catch $f
            drop
            drop
            (throw $e (i32.const 11))
          end
        end
      end
    catch_all
      i32.const 13
    end)
)

(assert_return (invoke "clauses" (i32.const 0) (i32.const 7)) (i32.const 107))
(assert_return (invoke "clauses" (i32.const 1) (i32.const 7)) (i32.const 207))
(assert_return (invoke "clauses" (i32.const 2) (i32.const 7)) (i32.const 300))
(assert_return (invoke "clauses" (i32.const 3) (i32.const 7)) (i32.const -1))
(assert_trap (invoke "clauses" (i32.const 4) (i32.const 7)) "undefined element")
(assert_exception (invoke "no-match" (i32.const 0)))
(assert_return (invoke "no-match" (i32.const 2)))
(assert_exception (invoke "catchless" (i32.const 1)))
(assert_return (invoke "catchless" (i32.const 3)) (i32.const 4))
(assert_return (invoke "params" (i32.const 3)) (i32.const 1) (i64.const 2))
(assert_return (invoke "params" (i32.const 0)) (i32.const 7) (i64.const 20))
(assert_return (invoke "params" (i32.const 1)) (i32.const 30) (i64.const 40))
(assert_return (invoke "nested" (i32.const 0)) (i32.const 21))
(assert_exception (invoke "nested" (i32.const 1)))
(assert_return (invoke "nested" (i32.const 2)) (i32.const 11))
(assert_return (invoke "nested" (i32.const 3)) (i32.const 1))
(assert_return (invoke "throw-in-catch" (i32.const 0)) (i32.const 22))
(assert_return (invoke "throw-in-catch" (i32.const 1)) (i32.const 30))
(assert_return (invoke "throw-in-catch" (i32.const 3)) (i32.const 0))
(assert_return (invoke "rethrow" (i32.const 0)) (i32.const 1003))
(assert_return (invoke "rethrow" (i32.const 1)) (i32.const 2000))
(assert_return (invoke "rethrow" (i32.const 3)) (i32.const 0))
(assert_return (invoke "rethrow-outer" (i32.const 0)) (i32.const 1003))
(assert_return (invoke "rethrow-outer" (i32.const 2)) (i32.const 2000))
(assert_exception (invoke "rethrow-uncaught" (i32.const 0)))
(assert_exception (invoke "rethrow-uncaught" (i32.const 2)))
(assert_return (invoke "rethrow-uncaught" (i32.const 3)))
(assert_return (invoke "delegate" (i32.const 0)) (i32.const 23))
(assert_return (invoke "delegate" (i32.const 1)) (i32.const 30))
(assert_return (invoke "delegate" (i32.const 3)) (i32.const 0))
(assert_return (invoke "delegate-block" (i32.const 1)) (i32.const 30))
(assert_return (invoke "delegate-block" (i32.const 3)) (i32.const 0))
(assert_exception (invoke "delegate-function" (i32.const 1)))
(assert_return (invoke "delegate-function" (i32.const 3)) (i32.const 0))
(assert_return (invoke "delegate-catch" (i32.const 0)) (i32.const 43))
(assert_return (invoke "delegate-catch" (i32.const 2)) (i32.const 50))
(assert_return (invoke "delegate-catch" (i32.const 3)) (i32.const 1))
(assert_return (invoke "delegate-chain" (i32.const 0)) (i32.const 63))
(assert_return (invoke "delegate-chain" (i32.const 1)) (i32.const 70))
(assert_return (invoke "delegate-chain" (i32.const 2)) (i32.const 1))
(assert_return (invoke "delegate-chain" (i32.const 3)) (i32.const 0))
(assert_return (invoke "branch-out" (i32.const 0)) (i32.const 3001))
(assert_return (invoke "branch-out" (i32.const 1)) (i32.const 77))
(assert_return (invoke "branch-out" (i32.const 2)) (i32.const 88))
(assert_return (invoke "branch-out" (i32.const 3)) (i32.const 1))
(assert_return (invoke "locals" (i32.const 0)) (i32.const 5))
(assert_return (invoke "locals" (i32.const 1)) (i32.const 102))
(assert_return (invoke "locals" (i32.const 3)) (i32.const 104))
(assert_return (invoke "unreachable-inside" (i32.const 0)) (i32.const 5))
(assert_return (invoke "unreachable-before" (i32.const 1)) (i32.const 3))
(assert_return (invoke "unreachable-before" (i32.const 2)) (i32.const 7))
(assert_return (invoke "unreachable-before" (i32.const 3)) (i32.const 6))
(assert_trap (invoke "unreachable-before" (i32.const 0)) "unreachable")
(assert_return (invoke "nothing-throws") (i32.const 1))
(assert_return (invoke "throw-itself") (i32.const 7))
(assert_trap (invoke "trap" (i32.const 0)) "integer divide by zero")
(assert_return (invoke "trap" (i32.const 1)) (i32.const 1))
(assert_return (invoke "many" (i32.const 100000)) (i64.const 5000050000))
(assert_return (invoke "many-again" (i32.const 10000)) (i32.const 50005000))
(assert_return (invoke "both-forms" (i32.const 0)) (i32.const 3))
(assert_return (invoke "both-forms" (i32.const 1)) (i32.const 11))
(assert_return (invoke "both-forms" (i32.const 2)) (i32.const 13))
(assert_return (invoke "both-forms" (i32.const 3)) (i32.const 0))

(assert_invalid
  (module (func try rethrow 0 catch_all end))
  "invalid rethrow label")
(assert_invalid
  (module (tag $e (param i32)) (func try catch $e end))
  "type mismatch")
(assert_invalid
  (module (func try delegate 2))
  "unknown label")
