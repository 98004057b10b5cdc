//! Exceptions in artifacts: code for every target, tables that say where handlers are, and no cost
//! where nothing is caught.

use precast_compiler::{ErrorKind, OptLevel, Options, Silent, Target, compile};
use precast_format::Artifact;
use precast_format::features::WasmFeature;
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode};
use precast_format::types::ExternKind;
use std::fmt::Write;

/// Every form of throwing and catching, with values of all types but vectors, which one of the
/// targets has only with a feature.
const EVERYTHING: &str = r#"(module
    (import "host" "f" (func $host (param f32) (result i64 f64 i32)))
    (import "host" "t" (tag $imported (param i64 f32)))
    (memory 1 10)
    (table $kept 10 exnref)
    (table $functions 10 funcref)
    (elem (table $functions) (i32.const 0) func $thrower)
    (global $exception (mut exnref) (ref.null exn))
    (type $unary (func (param i32) (result i32)))
    (tag $all (export "t") (param i32 i64 f32 f64 funcref externref exnref))
    (func (export "nothing"))
    (func $thrower (export "thrower") (type $unary)
        (throw $all (local.get 0) (i64.const 2) (f32.const 3) (f64.const 4) (ref.null func)
            (ref.null extern) (global.get $exception)))
    (func (export "here") (param i64) (result exnref)
        (block $rest (result exnref)
            (block $values (result i64 f32)
                (try_table (catch $imported $values) (catch_all_ref $rest)
                    (throw $imported (local.get 0) (f32.const 1)))
                (unreachable))
            (drop) (drop)
            (throw_ref (global.get $exception))))
    (func (export "calls") (param i32) (result i64)
        (block $rest (result exnref)
            (loop $again
                (try_table (catch_all_ref $rest)
                    (call $host (f32.const 0))
                    (drop) (drop) (drop)
                    (drop (call $thrower (local.get 0)))
                    (drop (call_indirect $functions (type $unary) (local.get 0) (local.get 0)))
                    (br_if $again (i32.load (local.get 0)))
                    (drop (memory.grow (i32.const 1)))
                    (i32.store (i32.const 0) (i32.const 2))
                    (return (i64.const 7))))
            (return (i64.const 9)))
        (global.set $exception)
        (table.set $kept (i32.const 0) (global.get $exception))
        (i64.const 8))
    (func (export "older") (param i32) (result i32)
        try (result i32)
            try (result i32)
                try (result i32)
                    (call $thrower (local.get 0))
                delegate 1
            catch_all
                i32.const 1
            end
        catch $imported
            drop
            drop
            rethrow 0
        catch_all
            i32.const 2
        end))"#;

fn target(name: &str) -> Options {
    Options::new(Target::new(name).expect("a known target"))
}

fn artifact_of(text: &str, options: &Options) -> Vec<u8> {
    let wasm = wat::parse_str(text).expect("valid text");
    let compiled = compile(&wasm, options, &Silent);
    compiled.expect("a valid module").artifact
}

/// Checks that each handler and each call with handlers lies in the same function, or both in the
/// same adapter.
fn check_handlers(artifact: &Artifact<'_>) {
    let (functions, mut own) = (artifact.functions(), 0);
    for site in artifact.handlers() {
        let function = functions.containing(site.return_offset - 1);
        own += u32::from(function.is_some());
        let word = artifact.header().isa.pointer_width().bytes();
        assert!(site.list.frame_offset.is_multiple_of(word));
        for clause in site.list.clauses() {
            assert_eq!(functions.containing(clause.text_offset), function);
            assert!(clause.text_offset >= site.return_offset);
        }
    }
    assert!(own > 4, "{own}");
    assert!(artifact.handlers().len() > own, "adapters catch, too");
}

#[test]
fn every_target_has_code_for_it() {
    let targets = [
        "x86_64",
        "x86_64-unknown-none",
        "x86_64-pc-windows-msvc",
        "aarch64",
        "aarch64-apple-darwin",
        "riscv64",
        "s390x",
        "pulley32",
        "pulley64",
    ];
    for name in targets {
        let mut options = target(name);
        for change in 0..5 {
            match change {
                1 => options.opt_level = OptLevel::None,
                2 => options.bounds_checks = BoundsChecks::Explicit,
                3 => options.trap_mode = TrapMode::Explicit,
                4 if !options.target.is_bytecode() => options.stack_checks = StackChecks::Guard,
                _ => {}
            }
            let bytes = artifact_of(EVERYTHING, &options);
            let artifact = Artifact::parse(&bytes).expect("a valid artifact");
            check_handlers(&artifact);
        }
    }
}

#[test]
fn artifacts_say_what_tags_there_are() {
    let bytes = artifact_of(EVERYTHING, &target("x86_64"));
    let artifact = Artifact::parse(&bytes).expect("a valid artifact");
    assert_eq!(artifact.imported_count(ExternKind::Tag), 1);
    assert_eq!(artifact.index_space(ExternKind::Tag), 2);
    let export = artifact.exports().lookup("t").expect("it is exported");
    assert_eq!((export.kind, export.index), (ExternKind::Tag, 1));
    let params = artifact.tag_type(1).expect("the tag").params();
    let params: Vec<_> = params.iter().map(|ty| ty.name()).collect();
    let expected = ["i32", "i64", "f32", "f64", "funcref", "externref", "exnref"];
    assert_eq!(params, expected);
    let features = artifact.header().wasm_features;
    assert!(features.contains(WasmFeature::Exceptions));
    assert!(features.contains(WasmFeature::LegacyExceptions));
}

/// The code of the functions, without what comes after it.
fn code(text: &str, options: &Options, count: usize) -> Vec<Vec<u8>> {
    let bytes = artifact_of(text, options);
    let artifact = Artifact::parse(&bytes).expect("a valid artifact");
    let functions = artifact.functions().iter().take(count);
    functions
        .map(|function| {
            let range = function.text_offset as usize..function.text_end() as usize;
            artifact.text()[range].to_vec()
        })
        .collect()
}

#[test]
fn what_catches_nothing_has_the_same_code_with_exceptions_elsewhere() {
    let functions = r#"
        (import "host" "f" (func $host (param i32) (result i32)))
        (import "host" "g" (global $imported i32))
        (memory 1 10)
        (table $t 10 funcref)
        (global $own (mut i32) (i32.const 1))
        (type $unary (func (param i32) (result i32)))
        (func $leaf (param i32) (result i32) (i32.load (local.get 0)))
        (func $calls (param $x i32) (result i32)
            (global.set $own (call $leaf (global.get $imported)))
            (call $host (call $leaf (local.get $x)))
            (call_indirect $t (type $unary) (local.get $x) (global.get $own))
            (i32.add)
            (drop (memory.grow (i32.const 1)))
            (i32.add (i32.load offset=8 (local.get $x))))
        (func $recursive (param i64) (result i64)
            (if (result i64) (i64.eqz (local.get 0))
                (then (i64.const 1))
                (else (i64.mul (local.get 0)
                    (call $recursive (i64.sub (local.get 0) (i64.const 1)))))))"#;
    let plain = format!("(module {functions})");
    let catching = format!(
        "(module {functions}
            (tag $e (param i32))
            (func $catches (export \"catches\") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (result i32) (catch $e $h)
                        (if (local.get 0) (then (throw $e (call $calls (local.get 0)))))
                        (call $leaf (i32.const 4))))))"
    );
    for name in ["x86_64", "aarch64", "riscv64", "s390x", "pulley64"] {
        let mut options = target(name);
        for change in 0..3 {
            match change {
                1 => options.bounds_checks = BoundsChecks::Explicit,
                2 => options.opt_level = OptLevel::None,
                _ => {}
            }
            let without = code(&plain, &options, 3);
            assert_eq!(without.len(), 3);
            assert_eq!(code(&catching, &options, 3), without, "{name}, {change}");
        }
    }
}

#[test]
fn calls_in_one_try_share_a_list() {
    let mut text = String::from(
        "(module (import \"host\" \"f\" (func $f)) (tag $a) (tag $b)
         (func (export \"g\") (block $h (try_table (catch $a $h) (catch $b $h)\n",
    );
    text.push_str(&"(call $f)\n".repeat(100));
    text.push_str("))))");
    for relocation_model in [RelocationModel::Xip, RelocationModel::Direct] {
        let mut options = target("x86_64");
        options.relocation_model = relocation_model;
        let bytes = artifact_of(&text, &options);
        let artifact = Artifact::parse(&bytes).expect("a valid artifact");
        let of_function = |offset: u32| artifact.functions().containing(offset - 1).is_some();
        let sites = artifact.handlers().iter();
        let sites: Vec<_> = sites
            .filter(|site| of_function(site.return_offset))
            .collect();
        assert_eq!(sites.len(), 100);
        assert!(
            sites
                .iter()
                .all(|site| site.list.index == sites[0].list.index)
        );
        assert_eq!(sites[0].list.clauses().count(), 2);
    }
}

/// Trys inside of each other, each for a tag of its own and with a call.
fn nested(depth: usize) -> String {
    let mut text = String::from("(module (import \"host\" \"f\" (func $f))\n");
    for tag in 0..depth {
        writeln!(text, "(tag $t{tag})").expect("a string");
    }
    text.push_str("(func (export \"g\")\n");
    for tag in 0..depth {
        writeln!(
            text,
            "(block $l{tag} (try_table (catch $t{tag} $l{tag}) (call $f)"
        )
        .expect("a string");
    }
    text.push_str(&"))\n".repeat(depth));
    text.push_str("))");
    text
}

#[test]
fn too_many_clauses_are_refused() {
    let options = target("x86_64");
    artifact_of(&nested(100), &options);
    let wasm = wat::parse_str(nested(3_000)).expect("valid text");
    let error = compile(&wasm, &options, &Silent).expect_err("clauses in the square of the trys");
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    assert!(error.message.contains("clauses"), "{error}");
}

#[test]
fn references_known_not_to_be_null_go_everywhere() {
    let blocks = "(module (tag $e (param i32)) (func (param exnref) (result i32)
        (block $h (result i32 (ref exn))
            (try_table (catch_ref $e $h) (throw_ref (local.get 0)))
            (unreachable))
        (drop)))";
    artifact_of(blocks, &target("x86_64"));
    let parameter = "(module (func (param (ref exn)) (throw_ref (local.get 0))))";
    artifact_of(parameter, &target("x86_64"));
}
