(module $sharing
  (import "library" "add" (func $add (param i32 i32) (result i32)))
  (import "library" "memory" (memory 1))
  (import "library" "counter" (global $counter (mut i64)))
  (import "library" "table" (table 1 funcref))
  (func (export "run") (result i32)
    (i32.add (call $add (i32.const 1) (i32.const 2)) (i32.wrap_i64 (global.get $counter)))))
