(module $stack
  (memory (export "memory") 1)
  (global $pointer (export "__stack_pointer") (mut i32) (i32.const 4096))
  (global (export "__data_end") i32 (i32.const 1024))
  (global (export "__heap_base") i32 (i32.const 4096))
  (func (export "use")
    (global.set $pointer (i32.sub (global.get $pointer) (i32.const 32)))
    (i32.store (global.get $pointer) (i32.const 1))
    (global.set $pointer (i32.add (global.get $pointer) (i32.const 32)))))
