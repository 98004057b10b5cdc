//! Each rule of the format has a description that breaks it and nothing else.

mod support;

use precast_format::Artifact;
use precast_format::aux_stack::{AuxStack, AuxStackBounds};
use precast_format::error::ErrorKind;
use precast_format::layout::{SectionId, handler_clause};
use precast_format::libcall::Libcall;
use precast_format::relocation::RelocationKind;
use precast_format::stack_depth::{CallKind, DepthStep, StackBound, StackDepth};
use precast_format::trap::TrapCode;
use precast_format::tunables::RelocationModel;
use precast_format::types::{ConstOp, ImportType, Limits, ValueType};
use precast_format::write::*;

use support::rich;

/// What the reader says about the artifact with everything, after a change.
fn refusal(change: impl FnOnce(&mut ArtifactBuilder)) -> (ErrorKind, SectionId) {
    let mut builder = rich(12);
    change(&mut builder);
    match builder.write() {
        Err(WriteError::Rejected(error)) => (error.kind(), error.section().unwrap()),
        other => panic!("not refused: {:?}", other.map(|bytes| bytes.len())),
    }
}

fn active(table: u32, offset: Vec<ConstOp>) -> ElementMode {
    ElementMode::Active { table, offset }
}

#[test]
fn types() {
    let section = SectionId::Types;
    let kind = |change: fn(&mut ArtifactBuilder)| {
        let (kind, place) = refusal(change);
        assert_eq!(place, section);
        kind
    };
    assert_eq!(
        kind(|b| b.types[1].canonical = 2),
        ErrorKind::IndexOutOfRange
    );
    assert_eq!(kind(|b| b.types[2].canonical = 0), ErrorKind::TypeMismatch);
    assert_eq!(
        kind(|b| b.types[0].entry_trampoline = Some(120)),
        ErrorKind::RangeOutOfBounds
    );
    assert_eq!(
        kind(|b| b.types[1].params = vec![ValueType::I32; 1001]),
        ErrorKind::InvalidLimits
    );
}

#[test]
fn recursion_groups() {
    let reference = |index| ValueType::function(index, true).expect("a small number");
    let kind = |change: &dyn Fn(&mut ArtifactBuilder)| {
        let mut builder = rich(12);
        change(&mut builder);
        match builder.write() {
            Err(WriteError::Rejected(error)) => Some((error.kind(), error.section().unwrap())),
            other => other.map(|_| None).unwrap(),
        }
    };
    // Types 1 and 2 are equal, and so are references to them, which name the first.
    assert_eq!(kind(&|b| b.types[3].params[0] = reference(1)), None);
    let mismatch = Some((ErrorKind::TypeMismatch, SectionId::Types));
    assert_eq!(kind(&|b| b.types[3].params[0] = reference(2)), mismatch);
    let beyond = Some((ErrorKind::IndexOutOfRange, SectionId::Types));
    assert_eq!(kind(&|b| b.types[0].params = vec![reference(1)]), beyond);
    assert_eq!(kind(&|b| b.types[3].params[0] = reference(4)), beyond);
    assert_eq!(kind(&|b| b.types[3].following = 1), beyond);
    // Equal types at different places, and in groups of different size.
    assert_eq!(kind(&|b| b.types[1].following = 1), mismatch);
    assert_eq!(kind(&|b| b.types[2].following = 1), mismatch);
    let global = Some((ErrorKind::TypeMismatch, SectionId::Globals));
    let to_noncanonical = |b: &mut ArtifactBuilder| b.globals[0].ty.value = reference(2);
    assert_eq!(kind(&to_noncanonical), global);
    let table = Some((ErrorKind::TypeMismatch, SectionId::Tables));
    let without_value = |b: &mut ArtifactBuilder| {
        b.tables[0].ty.element = ValueType::FUNCREF.not_null();
        b.tables[0].init = None;
    };
    assert_eq!(kind(&without_value), table);
}

#[test]
fn imports_and_exports() {
    let (kind, _) = refusal(|b| b.imports[1].ty = ImportType::Function(4));
    assert_eq!(kind, ErrorKind::IndexOutOfRange);
    let refused = refusal(|b| b.exports[1].name = "run".into());
    assert_eq!(refused, (ErrorKind::NotAscending, SectionId::ExportOrder));
    let refused = refusal(|b| b.exports[2].index = 2);
    assert_eq!(refused, (ErrorKind::IndexOutOfRange, SectionId::Exports));
    let refused = refusal(|b| b.exports[0].index = 4);
    assert_eq!(
        refused,
        (ErrorKind::MissingFunctionRecord, SectionId::Exports)
    );
    let refused = refusal(|b| b.exports[0].index = 5);
    assert_eq!(refused, (ErrorKind::IndexOutOfRange, SectionId::Exports));
}

#[test]
fn functions() {
    let kind = |change: fn(&mut ArtifactBuilder)| {
        let (kind, place) = refusal(change);
        assert_eq!(place, SectionId::Functions);
        kind
    };
    assert_eq!(
        kind(|b| b.functions[0].type_index = 4),
        ErrorKind::IndexOutOfRange
    );
    assert_eq!(
        kind(|b| b.functions[0].text_size = 49),
        ErrorKind::NotAscending
    );
    assert_eq!(
        kind(|b| b.functions[2].text_size = 23),
        ErrorKind::RangeOutOfBounds
    );
    assert_eq!(
        kind(|b| b.functions[2].text_size = u32::MAX),
        ErrorKind::RangeOutOfBounds
    );
    assert_eq!(
        kind(|b| b.functions[1].record = Some(2)),
        ErrorKind::NotAscending
    );
    let refused = refusal(|b| b.start_function = Some(2));
    assert_eq!(refused, (ErrorKind::TypeMismatch, SectionId::Module));
    let refused = refusal(|b| b.start_function = Some(5));
    assert_eq!(refused, (ErrorKind::IndexOutOfRange, SectionId::Module));
}

#[test]
fn limits() {
    let limits = |min, max| Limits { min, max };
    let refused = refusal(|b| b.memories[0].limits = limits(3, Some(2)));
    assert_eq!(refused, (ErrorKind::InvalidLimits, SectionId::Memories));
    let refused = refusal(|b| b.memories[0].limits = limits(65537, None));
    assert_eq!(refused, (ErrorKind::InvalidLimits, SectionId::Memories));
    let refused = refusal(|b| b.memories[0].limits = limits(2, Some(65537)));
    assert_eq!(refused, (ErrorKind::InvalidLimits, SectionId::Memories));
    let refused = refusal(|b| {
        b.memories[0].shared = true;
        b.memories[0].limits.max = None;
    });
    assert_eq!(refused, (ErrorKind::InvalidLimits, SectionId::Memories));
    let refused = refusal(|b| b.tables[0].ty.limits = limits(0, Some(1 << 32)));
    assert_eq!(refused, (ErrorKind::InvalidLimits, SectionId::Tables));
    let refused = refusal(|b| b.tables[0].ty.element = ValueType::I32);
    assert_eq!(refused, (ErrorKind::TypeMismatch, SectionId::Tables));
}

#[test]
fn expressions() {
    let kind = |init: Vec<ConstOp>| {
        let (kind, place) = refusal(|b| b.globals[0].init = init);
        assert_eq!(place, SectionId::Globals);
        kind
    };
    let one = ConstOp::I32Const(1);
    assert_eq!(kind(vec![]), ErrorKind::InvalidExpression);
    assert_eq!(kind(vec![one, one]), ErrorKind::InvalidExpression);
    assert_eq!(
        kind(vec![one, ConstOp::I32Add]),
        ErrorKind::InvalidExpression
    );
    assert_eq!(kind(vec![ConstOp::I64Const(1)]), ErrorKind::TypeMismatch);
    assert_eq!(
        kind(vec![one, ConstOp::I64Const(1), ConstOp::I32Mul]),
        ErrorKind::TypeMismatch
    );
    // A global that is not there, one that can change, and the one being initialized.
    assert_eq!(
        kind(vec![ConstOp::GlobalGet(9)]),
        ErrorKind::IndexOutOfRange
    );
    assert_eq!(
        kind(vec![ConstOp::GlobalGet(1)]),
        ErrorKind::InvalidExpression
    );
    assert_eq!(
        kind(vec![ConstOp::GlobalGet(2)]),
        ErrorKind::IndexOutOfRange
    );
    let deep = |depth: usize| {
        let mut init = vec![one; depth];
        init.resize(2 * depth - 1, ConstOp::I32Add);
        init
    };
    assert_eq!(kind(deep(17)), ErrorKind::InvalidExpression);
    let mut builder = rich(12);
    builder.globals[0].init = deep(16);
    assert!(builder.write().is_ok());
}

#[test]
fn segments() {
    let kind = |change: fn(&mut ArtifactBuilder)| {
        let (kind, place) = refusal(change);
        assert_eq!(place, SectionId::Elements);
        kind
    };
    assert_eq!(
        kind(|b| b.elements[0].mode = active(3, vec![ConstOp::I32Const(0)])),
        ErrorKind::IndexOutOfRange
    );
    // Table 2 holds external references, table 1 has 32-bit indices.
    assert_eq!(
        kind(|b| b.elements[0].mode = active(2, vec![ConstOp::I32Const(0)])),
        ErrorKind::TypeMismatch
    );
    assert_eq!(
        kind(|b| b.elements[0].mode = active(1, vec![ConstOp::I64Const(0)])),
        ErrorKind::TypeMismatch
    );
    assert_eq!(
        kind(|b| b.elements[0].items = ElementItems::Functions(vec![Some(5)])),
        ErrorKind::IndexOutOfRange
    );
    assert_eq!(
        kind(|b| b.elements[0].items = ElementItems::Functions(vec![Some(4)])),
        ErrorKind::MissingFunctionRecord
    );
    assert_eq!(
        kind(|b| b.elements[0].element = ValueType::EXTERNREF),
        ErrorKind::TypeMismatch
    );
    assert_eq!(
        kind(|b| b.elements[1].items = ElementItems::Expressions(vec![vec![ConstOp::RefFunc(0)]])),
        ErrorKind::TypeMismatch
    );

    let at = |memory, offset| DataMode::Active {
        memory,
        offset: vec![offset],
    };
    let refused = refusal(|b| b.data[0].mode = at(2, ConstOp::I32Const(0)));
    assert_eq!(refused, (ErrorKind::IndexOutOfRange, SectionId::Data));
    let refused = refusal(|b| b.data[0].mode = at(0, ConstOp::I64Const(0)));
    assert_eq!(refused, (ErrorKind::TypeMismatch, SectionId::Data));
    // Only memories of our own have an image.
    let refused = refusal(|b| b.data[1].mode = at(0, ConstOp::I32Const(8)));
    assert_eq!(refused, (ErrorKind::IndexOutOfRange, SectionId::Data));
    let refused = refusal(|b| b.data[2].in_image = true);
    assert_eq!(refused, (ErrorKind::UnknownNumber, SectionId::Data));
}

#[test]
fn image() {
    let kind = |change: fn(&mut ArtifactBuilder)| {
        let (kind, place) = refusal(change);
        assert_eq!(place, SectionId::Image);
        kind
    };
    assert_eq!(kind(|b| b.image[0].memory = 0), ErrorKind::IndexOutOfRange);
    assert_eq!(kind(|b| b.image[1].memory = 2), ErrorKind::IndexOutOfRange);
    assert_eq!(kind(|b| b.image[1].address = 4097), ErrorKind::Misaligned);
    assert_eq!(
        kind(|b| b.image[1].address = 2 << 16),
        ErrorKind::RangeOutOfBounds
    );
    assert_eq!(
        kind(|b| b.image[1].address = u64::MAX - 4095),
        ErrorKind::RangeOutOfBounds
    );
    assert_eq!(kind(|b| b.image[1].address = 0), ErrorKind::NotAscending);
    assert_eq!(kind(|b| b.image[1].bytes.clear()), ErrorKind::Misaligned);
}

#[test]
fn relocations() {
    let kind = |change: fn(&mut ArtifactBuilder)| {
        let (kind, place) = refusal(change);
        assert_eq!(place, SectionId::Relocations);
        kind
    };
    assert_eq!(
        kind(|b| b.relocations[1].offset = 113),
        ErrorKind::RangeOutOfBounds
    );
    assert_eq!(
        kind(|b| b.relocations[1].offset = u32::MAX),
        ErrorKind::RangeOutOfBounds
    );
    assert_eq!(
        kind(|b| b.relocations[1].offset = 17),
        ErrorKind::NotAscending
    );
    assert_eq!(
        kind(|b| b.relocations[0].symbol = 63),
        ErrorKind::IndexOutOfRange
    );
    assert_eq!(
        kind(|b| b.relocations[0].symbol = Libcall::DataDrop as u32),
        ErrorKind::InvalidRelocation
    );
    assert_eq!(
        kind(|b| b.relocations[0].kind = RelocationKind::Aarch64Call26),
        ErrorKind::InvalidRelocation
    );
    assert_eq!(
        kind(|b| b.tunables.relocation_model = RelocationModel::Xip),
        ErrorKind::InvalidRelocation
    );
}

#[test]
fn sites_are_sorted() {
    let mut builder = rich(12);
    builder.functions[0].traps.swap(0, 1);
    assert_eq!(builder.write(), Err(WriteError::Sites { function: 0 }));
    let mut builder = rich(12);
    builder.functions[1].traps[0].code_offset = 50;
    assert_eq!(builder.write(), Err(WriteError::Sites { function: 1 }));
    let mut builder = rich(12);
    builder.functions[2].call_sites[0].code_offset = 3;
    assert_eq!(builder.write(), Err(WriteError::Sites { function: 2 }));
    // Every trap code survives.
    let mut builder = rich(12);
    builder.functions[1].traps = TrapCode::ALL
        .iter()
        .enumerate()
        .map(|(place, code)| TrapSite {
            code_offset: place as u32,
            code: *code,
            wasm_offset: 0,
        })
        .collect();
    assert!(builder.write().is_ok());
}

#[test]
fn long_shared_names_stay_linear() {
    let mut builder = rich(0);
    let long = "x".repeat(5_000);
    for index in 0..200 {
        let mut import = builder.imports[1].clone();
        import.module.clone_from(&long);
        import.name = format!("{index}");
        builder.imports.push(import);
    }
    // Two hundred more functions shift the index space of what the start function and others name.
    builder.start_function = None;
    builder.exports.clear();
    builder.elements.clear();
    builder.tables[0].init = None;
    builder.stack_bounds.clear();
    assert!(builder.write().is_ok());
}

#[test]
fn auxiliary_stack() {
    let kind = |change: fn(&mut AuxStack)| {
        let (kind, place) = refusal(|b| change(b.aux_stack.as_mut().unwrap()));
        assert_eq!(place, SectionId::AuxStack);
        kind
    };
    assert_eq!(kind(|s| s.global = 6), ErrorKind::IndexOutOfRange);
    // Immutable, and not an integer.
    assert_eq!(kind(|s| s.global = 0), ErrorKind::TypeMismatch);
    assert_eq!(kind(|s| s.global = 4), ErrorKind::TypeMismatch);
    assert_eq!(kind(|s| s.limit = s.base + 1), ErrorKind::InvalidLimits);
    let unknown = |s: &mut AuxStack| s.bounds = AuxStackBounds::Unknown;
    assert_eq!(kind(unknown), ErrorKind::InvalidLimits);
}

#[test]
fn stack_bounds() {
    let kind = |change: fn(&mut Vec<StackBound>)| {
        let (kind, place) = refusal(|b| change(&mut b.stack_bounds));
        assert_eq!(place, SectionId::StackBounds);
        kind
    };
    // Imported, twice, in disorder, not there.
    assert_eq!(kind(|b| b[0].function = 1), ErrorKind::NotAscending);
    assert_eq!(kind(|b| b[1].function = 2), ErrorKind::NotAscending);
    assert_eq!(kind(|b| b.swap(0, 1)), ErrorKind::NotAscending);
    assert_eq!(kind(|b| b[1].function = 5), ErrorKind::IndexOutOfRange);
    let recursion = |b: &mut Vec<StackBound>| b[1].depth = StackDepth::Recursion { function: 5 };
    assert_eq!(kind(recursion), ErrorKind::IndexOutOfRange);
    let unknown = |b: &mut Vec<StackBound>| {
        b[1].depth = StackDepth::UnknownCallee { function: 1 };
    };
    assert_eq!(kind(unknown), ErrorKind::IndexOutOfRange);
    // Bytes that stand for none.
    let none = |b: &mut Vec<StackBound>| {
        b[0].depth = StackDepth::Bytes {
            bytes: u32::MAX,
            imports: false,
        };
    };
    assert_eq!(kind(none), ErrorKind::IndexOutOfRange);
}

#[test]
fn tags() {
    // Its type is not there, or has results.
    let refused = refusal(|b| b.tags[0].type_index = 4);
    assert_eq!(refused, (ErrorKind::IndexOutOfRange, SectionId::Tags));
    let refused = refusal(|b| b.tags[0].type_index = 1);
    assert_eq!(refused, (ErrorKind::TypeMismatch, SectionId::Tags));
    let refused = refusal(|b| b.imports[6].ty = ImportType::Tag(4));
    assert_eq!(refused, (ErrorKind::IndexOutOfRange, SectionId::Imports));
    let refused = refusal(|b| b.imports[6].ty = ImportType::Tag(2));
    assert_eq!(refused, (ErrorKind::TypeMismatch, SectionId::Imports));
    let refused = refusal(|b| b.exports[5].index = 3);
    assert_eq!(refused, (ErrorKind::IndexOutOfRange, SectionId::Exports));
}

#[test]
fn handlers() {
    let sites = |change: fn(&mut Vec<HandlerSite>)| {
        let (kind, place) = refusal(|b| change(&mut b.handlers));
        assert_eq!(place, SectionId::Handlers);
        kind
    };
    assert_eq!(sites(|h| h.swap(0, 1)), ErrorKind::NotAscending);
    assert_eq!(sites(|h| h[1].return_offset = 12), ErrorKind::NotAscending);
    // No call is before the first instruction.
    assert_eq!(sites(|h| h[0].return_offset = 0), ErrorKind::NotAscending);
    let beyond = sites(|h| h[2].return_offset = 121);
    assert_eq!(beyond, ErrorKind::RangeOutOfBounds);
    assert_eq!(sites(|h| h[0].list = 2), ErrorKind::IndexOutOfRange);

    let lists = |change: fn(&mut Vec<HandlerList>)| refusal(|b| change(&mut b.handler_lists));
    assert_eq!(
        lists(|l| l[1].clauses.clear()),
        (ErrorKind::RangeOutOfBounds, SectionId::HandlerLists)
    );
    assert_eq!(
        lists(|l| l[1].frame_offset = 4),
        (ErrorKind::Misaligned, SectionId::HandlerLists)
    );
    let clauses = SectionId::HandlerClauses;
    let unknown_tag = lists(|l| l[1].clauses[0].tag = Some(3));
    assert_eq!(unknown_tag, (ErrorKind::IndexOutOfRange, clauses));
    let beyond = lists(|l| l[0].clauses[1].text_offset = 120);
    assert_eq!(beyond, (ErrorKind::RangeOutOfBounds, clauses));
    // A flag that nobody knows; the description cannot say it.
    let mut bytes = rich(12).write().unwrap();
    let section = Artifact::parse(&bytes).unwrap().section(clauses);
    bytes[section.offset as usize + handler_clause::FLAGS.offset()] = 2;
    let error = Artifact::parse(&bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReservedBits);
    assert_eq!(error.section(), Some(clauses));
    let unreachable = lists(|l| l[0].clauses[1].tag = None);
    assert_eq!(unreachable, (ErrorKind::NotAscending, clauses));
}

#[test]
fn function_depths() {
    let place = SectionId::FunctionDepths;
    let fewer = refusal(|b| b.function_depths.truncate(2));
    assert_eq!(fewer, (ErrorKind::SectionSize, place));
    let callee = refusal(|b| {
        b.function_depths[0].step = DepthStep::Call {
            callee: 5,
            kind: CallKind::Direct,
            wasm_offset: 0,
        };
    });
    assert_eq!(callee, (ErrorKind::IndexOutOfRange, place));
    let mut builder = rich(12);
    builder.function_depths[0].step = DepthStep::Call {
        callee: 0xff_ffff,
        kind: CallKind::Direct,
        wasm_offset: 0,
    };
    assert_eq!(builder.write(), Err(WriteError::TooLarge));
    builder.function_depths.clear();
    assert!(builder.write().is_ok());
}
