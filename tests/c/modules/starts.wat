(module $starts
  (import "host" "probe" (func $probe))
  (func $begin (call $probe))
  (start $begin))
