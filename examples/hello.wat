;; Prints one line.
;;
;;   precast run examples/hello.wat
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)

  ;; A list of one buffer for fd_write, address and length; then the text.
  (data (i32.const 0) "\10\00\00\00\12\00\00\00")
  (data (i32.const 16) "Set, and it stays\n")

  (func (export "_start")
    ;; Standard output is descriptor 1; the count of bytes written goes to address 8.
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
