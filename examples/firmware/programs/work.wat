;; Work as a device has it, with a checksum over all results: a list that is sorted and reversed, a product
;; of matrices, a machine that recognises numbers in text, and the checksum itself, bit by bit.
;;
;; Memory, of which a page is one byte:
;;   0000  64 nodes of a list: next, value
;;   0200  two matrices of 12 by 12 numbers, and their product
;;   08c0  how often each state was reached
;;   0900  text
(module $work
  (memory 2432 2432 (pagesize 1))
  (global $crc (mut i32) (i32.const 0))
  (global $random (mut i32) (i32.const 0))
  (data (i32.const 0x900)
    "5012,+7.25,-0.5e-3,1e7,x9,874,.125,3..2,-,6e,0x1f,+98765,1.5E+20,42,--3,.,2e-,77.,0,-1")

  ;; CRC-16 with the polynomial of the modem protocols, least significant bit first.
  (func $note_byte (param $byte i32)
    (local $bits i32)
    (global.set $crc (i32.xor (global.get $crc) (i32.and (local.get $byte) (i32.const 0xff))))
    (local.set $bits (i32.const 8))
    (loop $next
      (global.set $crc (select
        (i32.xor (i32.shr_u (global.get $crc) (i32.const 1)) (i32.const 0xa001))
        (i32.shr_u (global.get $crc) (i32.const 1))
        (i32.and (global.get $crc) (i32.const 1))))
      (br_if $next (local.tee $bits (i32.sub (local.get $bits) (i32.const 1))))))

  (func $note (param $word i32)
    (call $note_byte (local.get $word))
    (call $note_byte (i32.shr_u (local.get $word) (i32.const 8)))
    (call $note_byte (i32.shr_u (local.get $word) (i32.const 16)))
    (call $note_byte (i32.shr_u (local.get $word) (i32.const 24))))

  ;; Numbers that look random and are the same everywhere.
  (func $draw (result i32)
    (global.set $random (i32.add
      (i32.mul (global.get $random) (i32.const 1664525)) (i32.const 1013904223)))
    (i32.shr_u (global.get $random) (i32.const 16)))

  ;; A list of all nodes with drawn values, sorted while it grows; its first node.
  (func $sorted_list (result i32)
    (local $node i32) (local $first i32) (local $place i32) (local $value i32)
    (local.set $first (i32.const -1))
    (loop $insert
      (local.set $value (call $draw))
      (i32.store offset=4 (local.get $node) (local.get $value))
      (if (if (result i32) (i32.lt_s (local.get $first) (i32.const 0))
            (then (i32.const 1))
            (else (i32.le_u (local.get $value) (i32.load offset=4 (local.get $first)))))
        (then
          (i32.store (local.get $node) (local.get $first))
          (local.set $first (local.get $node)))
        (else
          (local.set $place (local.get $first))
          (block $found
            (loop $next
              (br_if $found (i32.lt_s (i32.load (local.get $place)) (i32.const 0)))
              (br_if $found (i32.ge_u
                (i32.load offset=4 (i32.load (local.get $place))) (local.get $value)))
              (local.set $place (i32.load (local.get $place)))
              (br $next)))
          (i32.store (local.get $node) (i32.load (local.get $place)))
          (i32.store (local.get $place) (local.get $node))))
      (local.set $node (i32.add (local.get $node) (i32.const 8)))
      (br_if $insert (i32.lt_u (local.get $node) (i32.const 0x200))))
    (local.get $first))

  (func $reversed (param $node i32) (result i32)
    (local $before i32) (local $after i32)
    (local.set $before (i32.const -1))
    (loop $next
      (local.set $after (i32.load (local.get $node)))
      (i32.store (local.get $node) (local.get $before))
      (local.set $before (local.get $node))
      (local.set $node (local.get $after))
      (br_if $next (i32.ge_s (local.get $node) (i32.const 0))))
    (local.get $before))

  (func $note_list (param $node i32)
    (loop $next
      (call $note (i32.load offset=4 (local.get $node)))
      (local.set $node (i32.load (local.get $node)))
      (br_if $next (i32.ge_s (local.get $node) (i32.const 0)))))

  ;; Fills two matrices, multiplies them and notes the product.
  (func $matrices
    (local $at i32) (local $row i32) (local $column i32) (local $k i32) (local $sum i32)
    (local.set $at (i32.const 0x200))
    (loop $fill
      (i32.store (local.get $at) (i32.and (call $draw) (i32.const 0xfff)))
      (local.set $at (i32.add (local.get $at) (i32.const 4)))
      (br_if $fill (i32.lt_u (local.get $at) (i32.const 0x680))))
    (loop $rows
      (local.set $column (i32.const 0))
      (loop $columns
        (local.set $sum (i32.const 0))
        (local.set $k (i32.const 0))
        (loop $terms
          (local.set $sum (i32.add (local.get $sum) (i32.mul
            (i32.load offset=0x200 (i32.shl
              (i32.add (i32.mul (local.get $row) (i32.const 12)) (local.get $k)) (i32.const 2)))
            (i32.load offset=0x440 (i32.shl
              (i32.add (i32.mul (local.get $k) (i32.const 12)) (local.get $column))
              (i32.const 2))))))
          (br_if $terms (i32.lt_u
            (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 12))))
        (i32.store offset=0x680 (i32.shl
          (i32.add (i32.mul (local.get $row) (i32.const 12)) (local.get $column)) (i32.const 2))
          (local.get $sum))
        (call $note (local.get $sum))
        (br_if $columns (i32.lt_u
          (local.tee $column (i32.add (local.get $column) (i32.const 1))) (i32.const 12))))
      (br_if $rows (i32.lt_u
        (local.tee $row (i32.add (local.get $row) (i32.const 1))) (i32.const 12)))))

  (func $is_digit (param $character i32) (result i32)
    (i32.lt_u (i32.sub (local.get $character) (i32.const 48)) (i32.const 10)))

  ;; The state after a character: 0 before a number, 1 after its sign, 2 in its integer part, 3 in its
  ;; fraction, 4 after the letter of its exponent, 5 after the sign of that, 6 in the exponent, 7 in no number.
  (func $step (param $state i32) (param $character i32) (result i32)
    (block $start (block $sign (block $integer (block $fraction
      (block $letter (block $exponent_sign (block $exponent (block $invalid
        (br_table $start $sign $integer $fraction $letter $exponent_sign $exponent $invalid
          (local.get $state)))
        ;; invalid
        (return (i32.const 7)))
        ;; exponent
        (return (select (i32.const 6) (i32.const 7) (call $is_digit (local.get $character)))))
        ;; exponent_sign
        (return (select (i32.const 6) (i32.const 7) (call $is_digit (local.get $character)))))
        ;; letter
        (if (call $is_digit (local.get $character)) (then (return (i32.const 6))))
        (return (select (i32.const 5) (i32.const 7) (i32.or
          (i32.eq (local.get $character) (i32.const 43))
          (i32.eq (local.get $character) (i32.const 45))))))
        ;; fraction
        (if (call $is_digit (local.get $character)) (then (return (i32.const 3))))
        (return (select (i32.const 4) (i32.const 7) (i32.eq
          (i32.or (local.get $character) (i32.const 0x20)) (i32.const 101)))))
        ;; integer
        (if (call $is_digit (local.get $character)) (then (return (i32.const 2))))
        (if (i32.eq (local.get $character) (i32.const 46)) (then (return (i32.const 3))))
        (return (select (i32.const 4) (i32.const 7) (i32.eq
          (i32.or (local.get $character) (i32.const 0x20)) (i32.const 101)))))
        ;; sign
        (if (i32.eq (local.get $character) (i32.const 46)) (then (return (i32.const 3))))
        (return (select (i32.const 2) (i32.const 7) (call $is_digit (local.get $character)))))
    ;; start
    (if (call $is_digit (local.get $character)) (then (return (i32.const 2))))
    (if (i32.eq (local.get $character) (i32.const 46)) (then (return (i32.const 3))))
    (select (i32.const 1) (i32.const 7) (i32.or
      (i32.eq (local.get $character) (i32.const 43))
      (i32.eq (local.get $character) (i32.const 45)))))

  ;; Reads the text from some character on, and notes how often each state was reached.
  (func $text (param $at i32)
    (local $state i32) (local $character i32) (local $counter i32)
    (memory.fill (i32.const 0x8c0) (i32.const 0) (i32.const 32))
    (local.set $at (i32.add (local.get $at) (i32.const 0x900)))
    (loop $next
      (local.set $character (i32.load8_u (local.get $at)))
      (local.set $state (select
        (i32.const 0)
        (call $step (local.get $state) (local.get $character))
        (i32.eq (local.get $character) (i32.const 44))))
      (local.set $counter (i32.shl (local.get $state) (i32.const 2)))
      (i32.store offset=0x8c0 (local.get $counter)
        (i32.add (i32.load offset=0x8c0 (local.get $counter)) (i32.const 1)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.load8_u (local.get $at))))
    (local.set $counter (i32.const 0))
    (loop $counts
      (call $note (i32.load offset=0x8c0 (local.get $counter)))
      (br_if $counts (i32.lt_u
        (local.tee $counter (i32.add (local.get $counter) (i32.const 4))) (i32.const 32)))))

  ;; Does all of it so many times; the checksum.
  (func (export "run") (param $times i32) (result i32)
    (local $list i32)
    (global.set $crc (i32.const 0xffff))
    (global.set $random (i32.const 1))
    (loop $again
      (local.set $list (call $sorted_list))
      (call $note_list (local.get $list))
      (call $note_list (call $reversed (local.get $list)))
      (call $matrices)
      (call $text (i32.and (local.get $times) (i32.const 15)))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (global.get $crc)))
