(module $caller
  (import "host" "probe" (func $probe))
  (memory (export "memory") 1 4)
  (data (i32.const 16) "hello\00")
  (func (export "twice") (param i32) (result i32)
    (i32.mul (local.get 0) (i32.const 2)))
  (func $run (export "run")
    (call $probe)
    (drop (i32.const 0))))
