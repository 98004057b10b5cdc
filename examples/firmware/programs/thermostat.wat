;; A program with functions of its host: it reads a sensor, switches a heater by a pin, and lets a lamp on
;; another pin show what it did.
(module $thermostat
  (import "board" "set_pin" (func $set_pin (param $pin i32) (param $level i32)))
  (import "board" "pin" (func $pin (param $pin i32) (result i32)))
  (import "board" "temperature" (func $temperature (result i32)))
  (import "board" "log" (func $log (param $temperature i32) (param $heats i32)))
  (global $heater i32 (i32.const 0))
  (global $lamp i32 (i32.const 1))

  ;; One look at the sensor: below the lower bound heat, above the upper one do not; between them all stays
  ;; as it is. Temperatures are in tenths of a degree.
  (func $tick (param $lower i32) (param $upper i32) (result i32)
    (local $now i32)
    (local.set $now (call $temperature))
    (if (i32.lt_s (local.get $now) (local.get $lower))
      (then (call $set_pin (global.get $heater) (i32.const 1))))
    (if (i32.gt_s (local.get $now) (local.get $upper))
      (then (call $set_pin (global.get $heater) (i32.const 0))))
    (call $set_pin (global.get $lamp)
      (i32.xor (call $pin (global.get $lamp)) (i32.const 1)))
    (call $log (local.get $now) (call $pin (global.get $heater)))
    (local.get $now))

  ;; So many looks; the highest temperature that was seen.
  (func (export "run") (param $looks i32) (param $lower i32) (param $upper i32) (result i32)
    (local $highest i32) (local $now i32)
    (local.set $highest (i32.const 0x80000000))
    (loop $next
      (local.set $now (call $tick (local.get $lower) (local.get $upper)))
      (local.set $highest (select (local.get $now) (local.get $highest)
        (i32.gt_s (local.get $now) (local.get $highest))))
      (br_if $next (local.tee $looks (i32.sub (local.get $looks) (i32.const 1)))))
    (local.get $highest)))
