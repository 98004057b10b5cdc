;; A guest that counts words and reports each of them to its host.
(module
  (import "host" "word" (func $word (param $address i32) (param $length i32)))
  (memory (export "memory") 1)

  ;; Where the host may put text: address and size.
  (func (export "buffer") (result i32 i32) (i32.const 0) (i32.const 65536))

  ;; Calls the host for each word of the text in the buffer, and counts them.
  (func (export "words") (param $length i32) (result i32)
    (local $at i32) (local $begin i32) (local $count i32)
    (block $done
      (loop $next
        (local.set $begin (local.get $at))
        (loop $letters
          (if (i32.and
                (i32.lt_u (local.get $at) (local.get $length))
                (i32.ne (i32.load8_u (local.get $at)) (i32.const 32)))
            (then
              (local.set $at (i32.add (local.get $at) (i32.const 1)))
              (br $letters))))
        (if (i32.ne (local.get $at) (local.get $begin))
          (then
            (call $word (local.get $begin) (i32.sub (local.get $at) (local.get $begin)))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))))
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $count)))
