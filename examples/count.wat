;; Counts the lines, words and bytes of its standard input, as `wc` does.
;;
;;   precast run examples/count.wat < README.md
(module
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))

  ;; 0: a list of one buffer, address and length. 8: the count that a call reports.
  ;; 64: the line of output, written from its end. 1024: input, 64,512 bytes of it at a time.
  (memory (export "memory") 1)

  (func (export "_start")
    (local $lines i32) (local $words i32) (local $bytes i32)
    (local $in_word i32) (local $count i32) (local $at i32) (local $byte i32)
    (loop $read
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 64512))
      (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then (call $proc_exit (i32.const 1))))
      (local.set $count (i32.load (i32.const 8)))
      (local.set $bytes (i32.add (local.get $bytes) (local.get $count)))
      (local.set $at (i32.const 0))
      (block $chunk_done
        (loop $byte_by_byte
          (br_if $chunk_done (i32.ge_u (local.get $at) (local.get $count)))
          (local.set $byte (i32.load8_u offset=1024 (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $lines
            (i32.add (local.get $lines) (i32.eq (local.get $byte) (i32.const 10))))
          (if (call $is_space (local.get $byte))
            (then (local.set $in_word (i32.const 0)))
            (else
              (local.set $words (i32.add (local.get $words) (i32.eqz (local.get $in_word))))
              (local.set $in_word (i32.const 1))))
          (br $byte_by_byte)))
      (br_if $read (local.get $count)))
    (call $print (local.get $lines) (local.get $words) (local.get $bytes)))

  ;; Space, and tab to carriage return.
  (func $is_space (param $byte i32) (result i32)
    (i32.or
      (i32.eq (local.get $byte) (i32.const 32))
      (i32.lt_u (i32.sub (local.get $byte) (i32.const 9)) (i32.const 5))))

  ;; Writes the three numbers backwards into the line, and the line to standard output.
  (func $print (param $lines i32) (param $words i32) (param $bytes i32)
    (local $end i32)
    (local.set $end (i32.const 127))
    (i32.store8 (local.get $end) (i32.const 10))
    (local.set $end (call $number (local.get $end) (local.get $bytes)))
    (local.set $end (call $space (local.get $end)))
    (local.set $end (call $number (local.get $end) (local.get $words)))
    (local.set $end (call $space (local.get $end)))
    (local.set $end (call $number (local.get $end) (local.get $lines)))
    (i32.store (i32.const 0) (local.get $end))
    (i32.store (i32.const 4) (i32.sub (i32.const 128) (local.get $end)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

  (func $space (param $end i32) (result i32)
    (local.set $end (i32.sub (local.get $end) (i32.const 1)))
    (i32.store8 (local.get $end) (i32.const 32))
    (local.get $end))

  ;; Writes a decimal number that ends before $end, and gives the address where it begins.
  (func $number (param $end i32) (param $number i32) (result i32)
    (loop $digit
      (local.set $end (i32.sub (local.get $end) (i32.const 1)))
      (i32.store8 (local.get $end)
        (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
      (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
      (br_if $digit (local.get $number)))
    (local.get $end)))
