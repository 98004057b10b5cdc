;; The smallest program, 71 bytes: what a module, an instance and a call take, and no more.
(module
  (@custom "about" "adds two numbers, fast")
  (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
