(module $loop
  (func (export "forever") (loop $again (br $again)))
  (func (export "one") (result i32) (i32.const 1)))
