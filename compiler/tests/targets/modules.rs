//! Small modules, one for each kind of instruction that targets differ in.

/// A module of the product.
pub struct Sample {
    pub name: &'static str,
    pub text: &'static str,
}

/// All modules.
pub const ALL: &[Sample] = &[
    Sample {
        name: "integers and memory",
        text: MEMORY,
    },
    Sample {
        name: "floats",
        text: FLOATS,
    },
    Sample {
        name: "calls",
        text: CALLS,
    },
    Sample {
        name: "large frames",
        text: FRAMES,
    },
    Sample {
        name: "bulk operations and tables",
        text: BULK,
    },
    Sample {
        name: "tail calls",
        text: TAIL_CALLS,
    },
    Sample {
        name: "wide arithmetic",
        text: WIDE,
    },
    Sample {
        name: "64-bit memories",
        text: MEMORY64,
    },
    Sample {
        name: "several memories",
        text: MEMORIES,
    },
    Sample {
        name: "exceptions",
        text: EXCEPTIONS,
    },
    Sample {
        name: "legacy exceptions",
        text: LEGACY_EXCEPTIONS,
    },
    Sample {
        name: "SIMD",
        text: SIMD,
    },
    Sample {
        name: "vectors as parameters",
        text: VECTORS,
    },
    Sample {
        name: "atomics",
        text: ATOMICS,
    },
];

/// The module with this name.
pub fn named(name: &str) -> &'static Sample {
    ALL.iter()
        .find(|sample| sample.name == name)
        .expect("a name in the list")
}

const MEMORY: &str = r#"(module
  (memory (export "memory") 1 100)
  (data (i32.const 8) "precast")
  (global $g (mut i64) (i64.const 5))
  (func (export "bits") (param i32 i64) (result i32)
    (i32.add (i32.clz (local.get 0)) (i32.ctz (local.get 0)))
    (i32.add (i32.popcnt (local.get 0)))
    (i32.rotl (i32.wrap_i64 (i64.rotr (local.get 1) (i64.popcnt (local.get 1)))))
    (i32.add (i32.wrap_i64 (i64.add (i64.clz (local.get 1)) (i64.ctz (local.get 1)))))
    (i32.extend8_s) (i32.extend16_s)
    (i32.xor (i32.wrap_i64 (i64.extend32_s (i64.extend16_s (i64.extend8_s (local.get 1)))))))
  (func (export "divide") (param i32 i32 i64 i64) (result i64)
    (i64.extend_i32_s (i32.div_s (local.get 0) (local.get 1)))
    (i64.add (i64.extend_i32_u (i32.div_u (local.get 0) (local.get 1))))
    (i64.add (i64.extend_i32_u (i32.rem_s (local.get 0) (local.get 1))))
    (i64.add (i64.extend_i32_u (i32.rem_u (local.get 0) (local.get 1))))
    (i64.add (i64.div_s (local.get 2) (local.get 3)))
    (i64.add (i64.div_u (local.get 2) (local.get 3)))
    (i64.add (i64.rem_s (local.get 2) (local.get 3)))
    (i64.add (i64.rem_u (local.get 2) (local.get 3)))
    (i64.add (i64.div_s (local.get 2) (i64.const -1))))
  (func (export "access") (param i32 i64) (result i64)
    (i32.store8 offset=3 (local.get 0) (i32.const 1))
    (i32.store16 (local.get 0) (i32.const 2))
    (i64.store32 offset=70000 (local.get 0) (local.get 1))
    (i64.store (i32.const 70000) (local.get 1))
    (global.set $g (i64.load16_s (local.get 0)))
    (loop $again
      (local.set 0 (i32.add (local.get 0) (i32.load8_u (local.get 0))))
      (br_if $again (i32.lt_u (local.get 0) (memory.size))))
    (drop (memory.grow (i32.const 1)))
    (i64.add (i64.load (local.get 0)) (i64.load32_u offset=0xfffffff0 (local.get 0))))
  (func (export "choose") (param i32) (result i32)
    (block (block (block (block
      (br_table 0 1 2 3 1 2 0 (local.get 0)))
      (return (i32.const 1)))
      (return (i32.const 2)))
      (unreachable))
    (select (i32.const 3) (i32.const 4) (local.get 0))))"#;

const FLOATS: &str = r#"(module
  (func (export "single") (param f32 f32) (result f32)
    (f32.ceil (local.get 0)) (f32.add (f32.floor (local.get 0)))
    (f32.add (f32.trunc (local.get 0))) (f32.add (f32.nearest (local.get 0)))
    (f32.mul (f32.sqrt (local.get 1))) (f32.div (f32.abs (local.get 1)))
    (f32.min (local.get 0)) (f32.max (local.get 1)) (f32.copysign (local.get 0)) (f32.neg)
    (f32.sub (f32.demote_f64 (f64.promote_f32 (local.get 0)))))
  (func (export "double") (param f64 f64) (result f64)
    (f64.ceil (local.get 0)) (f64.add (f64.floor (local.get 0)))
    (f64.add (f64.trunc (local.get 0))) (f64.add (f64.nearest (local.get 0)))
    (f64.mul (f64.sqrt (local.get 1))) (f64.div (f64.abs (local.get 1)))
    (f64.min (local.get 0)) (f64.max (local.get 1)) (f64.copysign (local.get 0)) (f64.neg)
    (f64.add (f64.mul (local.get 0) (local.get 1))))
  (func (export "to_integers") (param f32 f64) (result i64)
    (i64.trunc_f64_s (local.get 1)) (i64.add (i64.trunc_f64_u (local.get 1)))
    (i64.add (i64.trunc_f32_s (local.get 0))) (i64.add (i64.trunc_f32_u (local.get 0)))
    (i64.add (i64.extend_i32_s (i32.trunc_f64_s (local.get 1))))
    (i64.add (i64.extend_i32_s (i32.trunc_f64_u (local.get 1))))
    (i64.add (i64.extend_i32_s (i32.trunc_f32_s (local.get 0))))
    (i64.add (i64.extend_i32_s (i32.trunc_f32_u (local.get 0))))
    (i64.add (i64.trunc_sat_f64_s (local.get 1))) (i64.add (i64.trunc_sat_f64_u (local.get 1)))
    (i64.add (i64.trunc_sat_f32_s (local.get 0))) (i64.add (i64.trunc_sat_f32_u (local.get 0)))
    (i64.add (i64.extend_i32_s (i32.trunc_sat_f64_s (local.get 1))))
    (i64.add (i64.extend_i32_s (i32.trunc_sat_f64_u (local.get 1))))
    (i64.add (i64.extend_i32_s (i32.trunc_sat_f32_s (local.get 0))))
    (i64.add (i64.extend_i32_s (i32.trunc_sat_f32_u (local.get 0))))
    (i64.add (i64.reinterpret_f64 (local.get 1)))
    (i64.add (i64.extend_i32_u (i32.reinterpret_f32 (local.get 0)))))
  (func (export "from_integers") (param i32 i64) (result f64)
    (f64.convert_i32_s (local.get 0)) (f64.add (f64.convert_i32_u (local.get 0)))
    (f64.add (f64.convert_i64_s (local.get 1))) (f64.add (f64.convert_i64_u (local.get 1)))
    (f64.add (f64.promote_f32 (f32.convert_i32_s (local.get 0))))
    (f64.add (f64.promote_f32 (f32.convert_i32_u (local.get 0))))
    (f64.add (f64.promote_f32 (f32.convert_i64_s (local.get 1))))
    (f64.add (f64.promote_f32 (f32.convert_i64_u (local.get 1)))))
  (func (export "compare") (param f64 f32) (result i32)
    (f64.lt (local.get 0) (f64.const 1.5)) (i32.add (f64.eq (local.get 0) (f64.const nan)))
    (i32.add (f32.ge (local.get 1) (f32.const -0))) (i32.add (f32.ne (local.get 1) (f32.const inf)))
    (if (result f64) (then (f64.const 1)) (else (local.get 0)))
    (i32.trunc_sat_f64_s)))"#;

const CALLS: &str = r#"(module
  (type $many (func (param i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 i32 i64 i32 i64)
    (result i64 f64 i32 f32 i64)))
  (import "env" "host" (func $host (param i32 i64 f32 f64) (result i64)))
  (import "env" "many" (func $many_host (type $many)))
  (import "env" "table" (table $imported 1 funcref))
  (import "env" "global" (global $global (mut i32)))
  (table $own 4 funcref)
  (elem (table $own) (i32.const 0) func $host $callee $start)
  (func $callee (type $many)
    (call $many_host (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
      (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 10)
      (local.get 11) (local.get 12) (local.get 13)))
  (func $start (export "start") (result i64)
    (global.set $global (i32.const 1))
    (call $host (i32.const 1) (i64.const 2) (f32.const 3) (f64.const 4))
    (i64.add (call_indirect $own (result i64) (global.get $global)))
    (i64.add (call_indirect $imported (result i64) (global.get $global))))
  (func (export "recurse") (param i32) (result i32)
    (if (result i32) (local.get 0)
      (then (i32.add (call 4 (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
      (else (i32.const 0))))
  (export "callee" (func $callee))
  (export "host" (func $host))
  (func $main)
  (start $main))"#;

const FRAMES: &str = r#"(module
  (type $wide (func (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64
    i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (import "env" "wide" (func $wide (type $wide)))
  (func $passing (export "passing") (type $wide) (call $wide))
  (func (export "keeping") (result i64)
    (call $wide) (call $passing) (drop) (call $passing) (drop)
    (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop)
    (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop)
    (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop)
    (i64.add) (i64.add) (i64.add) (i64.add) (i64.add) (i64.add) (i64.add) (i64.add) (i64.add)
    (i64.add) (i64.add) (i64.add) (i64.add) (i64.add) (i64.add) (i64.add) (i64.add) (i64.add)
    (return)))"#;

const BULK: &str = r#"(module
  (memory 1)
  (table $functions 10 20 funcref)
  (table $externals 2 externref)
  (data $bytes "some bytes")
  (elem $passive func 0 1)
  (elem declare func 2)
  (func (export "memory") (param i32 i32 i32)
    (memory.fill (local.get 0) (local.get 1) (local.get 2))
    (memory.copy (local.get 0) (local.get 1) (local.get 2))
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 16))
    (memory.init $bytes (local.get 0) (local.get 1) (local.get 2))
    (data.drop $bytes))
  (func (export "tables") (param i32 i32 externref) (result i32)
    (table.init $functions $passive (local.get 0) (i32.const 0) (i32.const 2))
    (elem.drop $passive)
    (table.copy $functions $functions (local.get 0) (local.get 1) (i32.const 1))
    (table.set $functions (local.get 0) (ref.func 2))
    (table.fill $externals (i32.const 0) (local.get 2) (i32.const 1))
    (drop (table.grow $functions (ref.null func) (i32.const 1)))
    (i32.add (ref.is_null (table.get $externals (local.get 1))) (table.size $functions)))
  (func))"#;

const TAIL_CALLS: &str = r#"(module
  (type $long (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
  (import "env" "host" (func $host (param i64) (result i64)))
  (table 2 funcref)
  (elem (i32.const 0) $even $odd)
  (func $even (export "even") (param i64) (result i64)
    (if (i64.eqz (local.get 0)) (then (return_call $host (local.get 0))))
    (return_call $odd (i64.sub (local.get 0) (i64.const 1))))
  (func $odd (param i64) (result i64)
    (return_call_indirect (param i64) (result i64) (local.get 0) (i32.const 0)))
  (func $long (export "long") (type $long)
    (return_call $even (i64.add (local.get 0) (local.get 11))))
  (func $short (export "short") (param i64) (result i64)
    (return_call $long (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
      (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0) (local.get 0)
      (local.get 0)))
  (func (export "reference") (param i64 (ref null $one)) (result i64)
    (return_call_ref $one (local.get 0) (local.get 1)))
  (type $one (func (param i64) (result i64))))"#;

const WIDE: &str = r#"(module
  (func (export "add") (param i64 i64 i64 i64) (result i64 i64)
    (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "subtract") (param i64 i64 i64 i64) (result i64 i64)
    (i64.sub128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "multiply_signed") (param i64 i64) (result i64 i64)
    (i64.mul_wide_s (local.get 0) (local.get 1)))
  (func (export "multiply") (param i64 i64) (result i64 i64)
    (i64.mul_wide_u (local.get 0) (local.get 1))))"#;

const MEMORY64: &str = r#"(module
  (memory i64 1)
  (table i64 3 funcref)
  (func (export "access") (param i64 i64) (result i64)
    (i64.store offset=0x100000000 (local.get 0) (local.get 1))
    (memory.fill (local.get 0) (i32.const 1) (local.get 1))
    (drop (memory.grow (i64.const 1)))
    (i64.add (i64.load8_u (local.get 0)) (memory.size)))
  (func (export "call") (param i64)
    (call_indirect (local.get 0))))"#;

const MEMORIES: &str = r#"(module
  (memory $imported (import "env" "memory") 1)
  (memory $own 2)
  (memory $small 100 (pagesize 1))
  (func (export "copy") (param i32) (result i32)
    (memory.copy $own $imported (local.get 0) (i32.const 1) (i32.const 2))
    (i32.store8 $small (local.get 0) (i32.const 7))
    (i32.add (i32.load $own (local.get 0)) (i32.load16_s $imported (local.get 0)))))"#;

const EXCEPTIONS: &str = r#"(module
  (import "env" "tag" (tag $imported (param i32)))
  (import "env" "host" (func $host))
  (tag $own (param i64 f64))
  (func (export "throw") (param i64 f64)
    (throw $own (local.get 0) (local.get 1)))
  (func (export "catch") (param i32) (result i64)
    (local exnref)
    (block $all (result exnref)
      (block $one (result i64 f64)
        (try_table (catch $own $one) (catch_all_ref $all)
          (call $host)
          (call 1 (i64.const 1) (f64.const 2))
          (throw $imported (local.get 0)))
        (return (i64.const 1)))
      (drop)
      (return))
    (throw_ref)))"#;

const LEGACY_EXCEPTIONS: &str = r#"(module
  (tag $tag (param i32))
  (func $throws (param i32) (throw $tag (local.get 0)))
  (func (export "catch") (param i32) (result i32)
    try (result i32)
      local.get 0
      call $throws
      i32.const 1
    catch $tag
      drop
      rethrow 0
    catch_all
      i32.const 2
    end))"#;

const SIMD: &str = r#"(module
  (memory 1)
  (func (export "integers") (param i32 v128 v128) (result v128)
    (i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31 (local.get 1) (local.get 2))
    (i8x16.swizzle (local.get 2)) (i8x16.add (local.get 1)) (i8x16.popcnt)
    (i16x8.mul (local.get 2)) (i16x8.q15mulr_sat_s (local.get 1))
    (i32x4.dot_i16x8_s (local.get 2)) (i64x2.mul (local.get 1)) (i64x2.abs)
    (i8x16.avgr_u (local.get 2)) (i16x8.extadd_pairwise_i8x16_s)
    (i32x4.extmul_high_i16x8_u (local.get 1)) (i64x2.shr_s (local.get 0))
    (i8x16.shl (local.get 0)) (i8x16.shr_u (local.get 0)) (v128.bitselect (local.get 1) (local.get 2))
    (i8x16.narrow_i16x8_u (local.get 1)) (i32x4.min_u (local.get 2)) (i64x2.gt_s (local.get 1))
    (i8x16.sub_sat_s (local.get 2)) (i32x4.replace_lane 2 (local.get 0)))
  (func (export "scalars") (param v128) (result i32)
    (i8x16.bitmask (local.get 0)) (i32.add (i64x2.all_true (local.get 0)))
    (i32.add (v128.any_true (local.get 0))) (i32.add (i8x16.extract_lane_s 5 (local.get 0))))
  (func (export "floats") (param v128 v128 f32) (result v128)
    (f32x4.ceil (local.get 0)) (f32x4.add (f32x4.splat (local.get 2))) (f32x4.nearest)
    (f32x4.pmin (local.get 1)) (f32x4.max (local.get 0)) (f32x4.sqrt)
    (i32x4.trunc_sat_f32x4_u) (f32x4.convert_i32x4_u) (f64x2.promote_low_f32x4)
    (f64x2.div (local.get 1)) (f64x2.floor) (f64x2.trunc) (f64x2.lt (local.get 1))
    (f32x4.demote_f64x2_zero) (i32x4.trunc_sat_f64x2_s_zero) (f64x2.convert_low_i32x4_u))
  (func (export "relaxed") (param v128 v128 v128) (result v128)
    (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2))
    (f64x2.relaxed_nmadd (local.get 1) (local.get 2))
    (i8x16.relaxed_swizzle (local.get 0)) (i16x8.relaxed_dot_i8x16_i7x16_s (local.get 1))
    (i32x4.relaxed_dot_i8x16_i7x16_add_s (local.get 0) (local.get 2))
    (i32x4.relaxed_laneselect (local.get 0) (local.get 1))
    (i32x4.relaxed_trunc_f32x4_u) (f32x4.relaxed_min (local.get 2)))
  (func (export "memory") (param i32) (result v128)
    (v128.store (local.get 0) (v128.const i64x2 1 2))
    (v128.store16_lane 3 (local.get 0) (v128.load32_splat (local.get 0)))
    (i16x8.add (v128.load8x8_s (local.get 0)) (v128.load64_zero (local.get 0)))
    (v128.xor (v128.load8_lane 7 (local.get 0) (v128.load offset=5 (local.get 0))))))"#;

const VECTORS: &str = r#"(module
  (import "env" "host" (func $host (param v128) (result v128)))
  (global $vector (mut v128) (v128.const i64x2 0 0))
  (func (export "pass") (param v128 i32) (result v128) (call $host (local.get 0))))"#;

const ATOMICS: &str = r#"(module
  (memory (export "memory") 1 2 shared)
  (func (export "narrow") (param i32 i32) (result i32)
    (i32.atomic.store8 (local.get 0) (local.get 1))
    (i32.atomic.rmw8.add_u (local.get 0) (local.get 1))
    (i32.add (i32.atomic.rmw16.xchg_u (local.get 0) (local.get 1)))
    (i32.add (i32.atomic.rmw8.cmpxchg_u (local.get 0) (local.get 1) (i32.const 3)))
    (i32.add (i32.atomic.rmw16.sub_u (local.get 0) (local.get 1)))
    (i32.add (i32.atomic.load16_u (local.get 0))))
  (func (export "whole") (param i32 i32 i64) (result i64)
    (atomic.fence)
    (i64.atomic.store (local.get 0) (local.get 2))
    (drop (i32.atomic.rmw.and (local.get 0) (local.get 1)))
    (drop (i32.atomic.rmw.or offset=8 (local.get 0) (local.get 1)))
    (i64.atomic.rmw.xor (local.get 0) (local.get 2))
    (i64.add (i64.atomic.rmw.cmpxchg (local.get 0) (local.get 2) (i64.const 1)))
    (i64.add (i64.atomic.rmw32.add_u (local.get 0) (local.get 2)))
    (i64.add (i64.atomic.rmw8.xchg_u (local.get 0) (local.get 2)))
    (i64.add (i64.atomic.load (local.get 0))))
  (func (export "wait") (param i32) (result i32)
    (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const 1000))
    (i32.add (memory.atomic.wait64 (local.get 0) (i64.const 0) (i64.const 1000)))
    (i32.add (memory.atomic.notify (local.get 0) (i32.const 1)))))"#;
