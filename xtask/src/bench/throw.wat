;; A million exceptions, each caught ten frames up. The measurement replaces the call of `$throw` to
;; know what the calls alone take, and the handler to know what a kept reference takes.
(module
  (tag $number (param i32))
  (func $throw (param i32) (result i32) (throw $number (local.get 0)))
  (func $return (param i32) (result i32) (local.get 0))
  (func $deep (param i32 i32) (result i32)
    (if (result i32) (local.get 0)
      (then
        (i32.add (i32.const 1)
          (call $deep (i32.sub (local.get 0) (i32.const 1)) (local.get 1))))
      (else (call $throw (local.get 1)))))
  (func $catch (param i32) (result i32)
    (block $handler (result i32)
      (try_table (result i32) (catch $number $handler)
        (call $deep (i32.const 8) (local.get 0)))))
  (func $catch_ref (param i32) (result i32)
    (block $handler (result i32 exnref)
      (try_table (result i32) (catch_ref $number $handler)
        (call $deep (i32.const 8) (local.get 0)))
      (ref.null exn))
    drop)
  (func (export "_start")
    (local $left i32) (local $sum i32)
    (local.set $left (i32.const 1000000))
    (loop $more
      (local.set $sum (i32.add (local.get $sum) (call $catch (local.get $left))))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (if (i32.eqz (local.get $sum)) (then unreachable))))
