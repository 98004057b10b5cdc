//! Exceptions: scripts of our own, for what the specification's do not have. The older form with
//! `delegate` and `rethrow`; exceptions that cross instances; references to exceptions as values.
#![forbid(unsafe_code)]

use precast_cli::wast::{CompiledNow, run_script};
use precast_tests::configuration::{Configuration, with_bytecode};
use std::path::Path;

/// Runs a script of the folder.
fn check(name: &str, configuration: &Configuration) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/exceptions");
    let text = std::fs::read_to_string(folder.join(name)).expect("the script is there");
    check_text(name, &text, configuration);
}

/// Runs a script; nothing of it may be skipped.
fn check_text(name: &str, text: &str, configuration: &Configuration) {
    let options = configuration.options();
    let report = run_script(name, text, &CompiledNow(options), configuration.stacks);
    let report = report.expect("it is a script");
    let text = report.text(name);
    println!("{}: {text}", configuration.name);
    assert!(report.passed > 0, "{text}");
    assert!(
        report.failed.is_empty() && report.skipped.is_empty(),
        "{text}"
    );
}

macro_rules! scripts {
    ($($test:ident = $script:literal;)*) => {
        $(#[test]
        fn $test() {
            for configuration in with_bytecode() {
                check($script, configuration);
            }
        })*

        #[test]
        fn every_script_has_its_test() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/exceptions");
            let files = std::fs::read_dir(folder).expect("the folder is there");
            let mut names: Vec<String> = files
                .filter_map(|file| file.ok()?.file_name().into_string().ok())
                .collect();
            names.sort();
            assert_eq!(names, [$($script),*]);
        }
    };
}

scripts! {
    between_frames_of_all_shapes = "frames.wast";
    across_instances = "instances.wast";
    the_older_form = "legacy.wast";
    as_values = "values.wast";
}

/// A call with handlers, with values in all kinds of registers before and after it, inside of so many
/// blocks. The callee throws nothing, one exception or the other, at the first call or the second.
fn inside_of_blocks(depth: usize) -> String {
    let (begin, end) = ("(block (result i64) ".repeat(depth), ")".repeat(depth));
    format!(
        r#"(module
  (memory 1 10)
  (tag $e (param i32 i64 f64))
  (tag $f (param f32 v128))
  (func $callee (param $how i32) (param i64 f64) (result i64 f64 i32 v128)
    (if (i32.eq (local.get $how) (i32.const 1))
      (then (throw $e (i32.const 5) (i64.const 6) (f64.const 7))))
    (if (i32.eq (local.get $how) (i32.const 2))
      (then (throw $f (f32.const 8) (v128.const i64x2 9 10))))
    (drop (memory.grow (i32.const 1)))
    (local.get 1) (local.get 2) (i32.const 11) (v128.const i64x2 12 13))
  (func (export "run") (param $how i32) (result i64)
    (local $a i64) (local $b f64) (local $c i32)
    (local.set $a (i64.const 100))
    (local.set $b (f64.const 200))
    (local.set $c (i32.const 300))
    (i64.const 1000)
    {begin}
      (block $out (result i64)
        (block $he (result i32 i64 f64)
          (block $hf (result f32 v128 exnref)
            (try_table (catch $e $he) (catch_ref $f $hf)
              (local.set $a (i64.add (local.get $a) (i64.const 1)))
              (call $callee (local.get $how)
                (i64.add (local.get $a) (i64.const 1)) (f64.add (local.get $b) (f64.const 1)))
              i64x2.extract_lane 1
              (i64.add (i64.extend_i32_s (local.get $c)))
              local.set $a
              local.set $c
              local.set $b
              (local.set $a (i64.add (local.get $a)))
              (call $callee (i32.sub (local.get $how) (i32.const 3))
                (i64.const 1) (f64.const 2))
              drop
              (local.set $c (i32.add (local.get $c)))
              (local.set $b (f64.add (local.get $b)))
              (local.set $a (i64.add (local.get $a))))
            (i64.add (i64.add (local.get $a) (i64.trunc_f64_s (local.get $b)))
              (i64.extend_i32_s (local.get $c)))
            br $out)
          drop
          i64x2.extract_lane 0
          local.set $a
          i64.trunc_f32_s
          (i64.add (local.get $a))
          (i64.add (i64.trunc_f64_s (local.get $b)))
          (i64.add (i64.extend_i32_s (local.get $c)))
          br $out)
        i64.trunc_f64_s
        i64.add
        (local.set $a (i64.add (local.get $a)))
        i64.extend_i32_s
        (i64.add (local.get $a))
        (i64.add (i64.trunc_f64_s (local.get $b)))
        (i64.add (i64.extend_i32_s (local.get $c))))
    {end}
    i64.add))
(assert_return (invoke "run" (i32.const 0)) (i64.const 1641))
(assert_return (invoke "run" (i32.const 1)) (i64.const 1619))
(assert_return (invoke "run" (i32.const 2)) (i64.const 1517))
(assert_return (invoke "run" (i32.const 4)) (i64.const 1645))
(assert_return (invoke "run" (i32.const 5)) (i64.const 1229))
"#
    )
}

/// Deep functions are compiled in another way.
#[test]
fn in_deep_functions() {
    for configuration in with_bytecode() {
        for depth in [0, 10, 1_100] {
            check_text("deep.wast", &inside_of_blocks(depth), configuration);
        }
    }
}

/// A function in which so many values live over a call that throws. A frame that is large enough is
/// looked for by a stub in front of the function.
fn large_frame(values: usize) -> String {
    let each = |line: &dyn Fn(usize) -> String| (0..values).map(line).collect::<String>();
    let locals = each(&|value| format!("(local $l{value} i64)\n"));
    let sets = each(&|value| {
        // A load cannot be put off until after the call.
        format!("(local.set $l{value} (i64.mul (local.get $x) (i64.load (i32.const {value}))))\n")
    });
    let sum = each(&|value| format!("(i64.add (local.get $l{value}))\n"));
    let bytes: String = (0..values + 8)
        .map(|value| format!("\\{:02x}", value % 256))
        .collect();
    let word = |value: usize| (0..8).map(move |byte| ((value + byte) as u8 as u64) << (8 * byte));
    let words = (0..values).flat_map(word);
    let expected = words.fold(12u64, |sum, part| sum.wrapping_add(part.wrapping_mul(3)));
    format!(
        r#"(module
  (memory 1)
  (data (i32.const 0) "{bytes}")
  (tag $e (param i64))
  (func $throw (throw $e (i64.const 12)))
  (func (export "large") (param $x i64) (result i64)
    {locals} {sets}
    (block $h (result i64)
      (try_table (catch $e $h) (call $throw))
      unreachable)
    {sum}))
(assert_return (invoke "large" (i64.const 3)) (i64.const {expected}))
"#
    )
}

#[test]
fn in_large_frames() {
    for configuration in with_bytecode() {
        for values in [30, 300, 3_000] {
            check_text("large.wast", &large_frame(values), configuration);
        }
    }
}
