//! What the compiler takes for the stack of C in linear memory, and what it does not.

use precast_compiler::{Options, Silent, Target, compile};
use precast_format::Artifact;
use precast_format::aux_stack::{AuxStack, AuxStackBounds, AuxStackEvidence};

/// The stack that is recognised in a module.
fn stack_with(text: &str, checks: bool) -> Option<AuxStack> {
    let mut options = Options::new(Target::new("x86_64").expect("a known target"));
    options.aux_stack_checks = checks;
    let wasm = wat::parse_str(text).expect("valid text");
    let compiled = compile(&wasm, &options, &Silent).expect("a valid module");
    Artifact::parse(&compiled.artifact)
        .expect("a valid artifact")
        .aux_stack()
}

fn stack(text: &str) -> Option<AuxStack> {
    stack_with(text, true)
}

/// A stack of one page, whatever told so.
fn expected(evidence: AuxStackEvidence, bounds: AuxStackBounds) -> Option<AuxStack> {
    Some(AuxStack {
        global: 0,
        evidence,
        bounds,
        checked: true,
        limit: 0,
        base: 65536,
    })
}

/// A module with these fields, whose function takes a frame from its first global.
fn module(global: &str, fields: &str) -> String {
    format!(
        r#"(module
            {global}
            (memory 3)
            {fields}
            (func (global.set 0 (i32.sub (global.get 0) (i32.const 16)))))"#
    )
}

const EXPORTED: &str = r#"(global (export "__stack_pointer") (mut i32) (i32.const 65536))"#;
const NAMED: &str = r#"(global $__stack_pointer (mut i32) (i32.const 65536))"#;
const NAMELESS: &str = r#"(global (mut i32) (i32.const 65536))"#;
const DATA_ABOVE: &str = r#"(data (i32.const 65536) "data")"#;

#[test]
fn each_evidence_of_the_pointer() {
    let below = AuxStackBounds::BelowSegments;
    for (global, evidence) in [
        (EXPORTED, AuxStackEvidence::Export),
        (NAMED, AuxStackEvidence::Name),
        (NAMELESS, AuxStackEvidence::InitialValue),
    ] {
        let text = module(global, DATA_ABOVE);
        assert_eq!(stack(&text), expected(evidence, below));
    }
}

#[test]
fn each_evidence_of_the_bounds() {
    let symbols = |data_end: u32, heap_base: u32| {
        format!(
            r#"(global (export "__data_end") i32 (i32.const {data_end}))
               (global (export "__heap_base") i32 (i32.const {heap_base}))"#
        )
    };
    for (global, evidence) in [
        (EXPORTED, AuxStackEvidence::Export),
        (NAMED, AuxStackEvidence::Name),
        (NAMELESS, AuxStackEvidence::InitialValue),
    ] {
        let text = module(global, &(symbols(70_000, 70_016) + DATA_ABOVE));
        assert_eq!(
            stack(&text),
            expected(evidence, AuxStackBounds::BelowDataEnd)
        );

        let below = r#"(data (i32.const 1024) "data")"#;
        let text = module(global, &(symbols(1_040, 65_536) + below));
        let found = expected(evidence, AuxStackBounds::AboveDataEnd);
        let found = found.map(|stack| AuxStack {
            limit: 1_040,
            ..stack
        });
        assert_eq!(stack(&text), found);
        assert_eq!(found.and_then(|stack| stack.size()), Some(65_536 - 1_040));
    }
}

#[test]
fn imported_pointers_are_recognised_and_not_checked() {
    let import = r#"(import "env" "__stack_pointer" (global (mut i32)))"#;
    let stack = stack(&module(import, DATA_ABOVE)).expect("recognised");
    assert_eq!(stack.evidence, AuxStackEvidence::Import);
    assert_eq!(stack.bounds, AuxStackBounds::Unknown);
    assert_eq!((stack.checked, stack.base, stack.limit), (false, 0, 0));
}

#[test]
fn checks_can_be_off() {
    let stack = stack_with(&module(EXPORTED, DATA_ABOVE), false).expect("recognised");
    assert!(!stack.checked);
    assert_eq!(stack.bounds, AuxStackBounds::BelowSegments);
}

#[test]
fn named_pointers_without_certain_bounds_are_not_checked() {
    let unknown = |text: &str| {
        let stack = stack(text).expect("recognised");
        assert_eq!(stack.bounds, AuxStackBounds::Unknown, "{text}");
        assert!(!stack.checked, "{text}");
    };
    // No data, data on both sides, data at a place that is not known, a stack outside of memory.
    unknown(&module(EXPORTED, ""));
    unknown(&module(
        EXPORTED,
        r#"(data (i32.const 8) "a") (data (i32.const 65536) "b")"#,
    ));
    unknown(&module(EXPORTED, r#"(data "passive")"#));
    unknown(
        &module(EXPORTED, DATA_ABOVE)
            .replace("(memory 3)", "(memory 0)")
            .replace(DATA_ABOVE, ""),
    );
    // Symbols that contradict the initial value.
    let symbols = r#"(global (export "__data_end") i32 (i32.const 1040))
        (global (export "__heap_base") i32 (i32.const 2048))"#;
    unknown(&module(EXPORTED, symbols));
    // Not where a stack begins.
    unknown(&module(&EXPORTED.replace("65536", "65532"), DATA_ABOVE));
}

#[test]
fn programs_with_several_stacks_are_not_checked() {
    let switch = "(func (param i32) (global.set 0 (i32.load offset=8 (local.get 0))))";
    let asyncify = r#"(func (export "asyncify_start_unwind"))"#;
    for several in [switch, asyncify] {
        let text = module(EXPORTED, &format!("{DATA_ABOVE} {several}"));
        let stack = stack(&text).expect("recognised");
        assert_eq!(stack.bounds, AuxStackBounds::BelowSegments);
        assert!(!stack.checked);
    }
}

#[test]
fn other_globals_are_no_stack_pointers() {
    let none = |text: &str| assert_eq!(stack(text), None, "{text}");
    // Immutable, or of another type.
    let immutable = EXPORTED.replace("(mut i32)", "i32");
    none(&format!("(module {immutable} (memory 3) {DATA_ABOVE})"));
    let float = r#"(global (export "__stack_pointer") (mut f32) (f32.const 65536))"#;
    none(&format!("(module {float} (memory 3) {DATA_ABOVE})"));
    // Nothing but the value speaks for it: no frames, data elsewhere, another name.
    let read = "(func (result i32) (global.get 0))";
    none(&format!(
        "(module {NAMELESS} (memory 3) {DATA_ABOVE} {read})"
    ));
    none(&module(NAMELESS, r#"(data (i32.const 70000) "data")"#));
    none(&module(NAMELESS, r#"(data (i32.const 1024) "data")"#));
    none(&module(NAMELESS, ""));
    let cursor = r#"(global (export "cursor") (mut i32) (i32.const 65536))"#;
    none(&module(cursor, DATA_ABOVE));
}

#[test]
fn pointers_of_64_bits_are_checked_too() {
    let text = r#"(module
        (global (export "__stack_pointer") (mut i64) (i64.const 65536))
        (memory i64 2)
        (data (i64.const 65536) "data")
        (func (global.set 0 (i64.sub (global.get 0) (i64.const 16)))))"#;
    let found = expected(AuxStackEvidence::Export, AuxStackBounds::BelowSegments);
    assert_eq!(stack(text), found);
}
