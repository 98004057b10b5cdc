(module $throw
  (tag $error (param i32))
  (func $throws (export "throws") (param i32)
    (throw $error (local.get 0))))
