//! What is z/Architecture's alone: its processors, and the order of its bytes.
#![forbid(unsafe_code)]

use precast_compiler::{Options, Silent, Target, compile};
use precast_format::Artifact;
use precast_format::target::Endianness;

const MODULE: &str = "(module (memory 1) (func (export \"f\") (param i32) (result i64)
    (i64.load (local.get 0))))";

fn target() -> Target {
    Target::new("s390x").expect("a target")
}

#[test]
fn artifacts_require_what_all_code_uses() {
    let wasm = wat::parse_str(MODULE).expect("a module");
    let bytes = compile(&wasm, &Options::new(target()), &Silent).expect("an artifact");
    let artifact = Artifact::parse(&bytes.artifact).expect("a valid artifact");
    let header = artifact.header();
    assert_eq!(header.endianness, Endianness::Big);
    for name in ["vector", "vector-enhancements-1"] {
        let mut target = target();
        assert!(target.has_feature(name), "{name}");
        let error = target.change_features(&format!("-{name}")).unwrap_err();
        assert!(error.message.contains("cannot be removed"), "{error}");
    }
    assert_eq!(header.cpu_features, target().features());
}

#[test]
fn processors_are_known_by_name() {
    let mut target = target();
    target.set_cpu("z14").expect("a processor");
    assert_eq!(target.features(), self::target().features());
    assert!(!target.has_feature("vector-enhancements-2"));
    target.set_cpu("z16").expect("a processor");
    assert!(target.has_feature("vector-enhancements-2"));
    assert!(target.has_feature("vector"));
    assert!(!target.has_feature("vector-enhancements-3"));
    let refused = target.set_cpu("z13");
    assert!(refused.is_err(), "a processor that code cannot be made for");
}
