//! What is written is what is read.

mod support;

use precast_format::Artifact;
use precast_format::context::ABI_HASH;
use precast_format::envelope::{Envelope, Signature};
use precast_format::layout::SectionId;
use precast_format::libcall::Libcall;
use precast_format::read::{DataMode, ElementItem, ElementMode};
use precast_format::trap::TrapCode;
use precast_format::types::{ConstOp, ExternKind, ImportType, ValueType};
use precast_format::write;

use support::{rich, tunables, walk};

#[test]
fn every_part_comes_back() {
    for page_size_log2 in [0, 12, 14, 16] {
        let builder = rich(page_size_log2);
        let bytes = builder.write().unwrap();
        let artifact = Artifact::parse(&bytes).unwrap();
        walk(&artifact);
        for id in SectionId::ALL {
            assert_ne!(artifact.section(*id).size, 0, "{}", id.name());
        }
        check(&builder, &artifact);
    }
}

fn check(builder: &precast_format::write::ArtifactBuilder, artifact: &Artifact<'_>) {
    let header = artifact.header();
    assert_eq!(header.isa, builder.target.isa);
    assert_eq!(header.host_abi, builder.target.host_abi);
    assert_eq!(header.page_size_log2, builder.target.page_size_log2);
    assert_eq!(header.abi_hash, ABI_HASH);
    assert_eq!(header.cpu_features, builder.cpu_features);
    assert_eq!(header.wasm_features, builder.wasm_features);
    assert_eq!(header.libcalls, builder.libcalls);
    assert_eq!(header.tunables, tunables());
    assert_eq!(artifact.module_name(), Some("rich"));
    assert_eq!(artifact.start_function(), Some(3));
    assert_eq!(artifact.aux_stack(), builder.aux_stack);
    assert!(
        artifact
            .stack_bounds()
            .iter()
            .eq(builder.stack_bounds.clone())
    );
    assert!(
        artifact
            .function_depths()
            .iter()
            .eq(builder.function_depths.clone())
    );

    for (ty, written) in artifact.types().iter().zip(&builder.types) {
        assert!(ty.params().iter().eq(written.params.iter().copied()));
        assert!(ty.results().iter().eq(written.results.iter().copied()));
        assert_eq!(ty.canonical, written.canonical);
        assert_eq!(ty.entry_trampoline, written.entry_trampoline);
        assert_eq!(ty.host_adapter, written.host_adapter);
        assert_eq!(ty.switch_adapter, written.switch_adapter);
    }
    assert_eq!(artifact.types().len(), 4);

    for (import, written) in artifact.imports().iter().zip(&builder.imports) {
        assert_eq!(
            (import.module, import.name),
            (&*written.module, &*written.name)
        );
        assert_eq!(import.ty, written.ty);
    }
    assert_eq!(artifact.imported_count(ExternKind::Function), 2);
    assert_eq!(
        artifact.import_of(ExternKind::Function, 1).unwrap().name,
        "exit"
    );
    assert_eq!(
        artifact.import_of(ExternKind::Global, 1).unwrap().name,
        "counter"
    );
    assert_eq!(artifact.import_of(ExternKind::Global, 2), None);
    assert_eq!(artifact.function_type_index(0), Some(1));
    assert_eq!(artifact.function_type_index(2), Some(2));
    assert_eq!(artifact.index_space(ExternKind::Function), 5);
    assert!(matches!(
        artifact.imports().get(2).unwrap().ty,
        ImportType::Table(_)
    ));

    for (export, written) in artifact.exports().iter().zip(&builder.exports) {
        assert_eq!(export.name, written.name);
        assert_eq!((export.kind, export.index), (written.kind, written.index));
    }
    assert_eq!(artifact.exports().lookup("größe").unwrap().index, 2);
    assert_eq!(artifact.exports().lookup("größ"), None);

    for (function, written) in artifact.functions().iter().zip(&builder.functions) {
        assert_eq!(function.type_index, written.type_index);
        assert_eq!(function.text_offset, written.text_offset);
        assert_eq!(function.text_size, written.text_size);
        assert_eq!(function.frame_size, written.frame_size);
        assert_eq!(function.record, written.record);
        assert_eq!(function.wasm_offset, written.wasm_offset);
        let traps: Vec<_> = artifact.traps().of(&function).collect();
        assert_eq!(traps.len(), written.traps.len());
        for (site, written) in traps.iter().zip(&written.traps) {
            assert_eq!(site.text_offset, function.text_offset + written.code_offset);
            assert_eq!(
                (site.code, site.wasm_offset),
                (written.code, written.wasm_offset)
            );
        }
        let calls: Vec<_> = artifact.call_sites().of(&function).collect();
        assert_eq!(calls.len(), written.call_sites.len());
        for (site, written) in calls.iter().zip(&written.call_sites) {
            assert_eq!(site.text_offset, function.text_offset + written.code_offset);
            assert_eq!(site.wasm_offset, written.wasm_offset);
        }
    }
    check_handlers(builder, artifact);
    check_lookups(artifact);
    check_definitions(builder, artifact);
}

fn check_handlers(builder: &precast_format::write::ArtifactBuilder, artifact: &Artifact<'_>) {
    assert_eq!(artifact.imported_count(ExternKind::Tag), 1);
    assert_eq!(artifact.index_space(ExternKind::Tag), 3);
    assert_eq!(
        artifact.import_of(ExternKind::Tag, 0).unwrap().name,
        "thrown"
    );
    assert!(artifact.tag_type(0).unwrap().params().is_empty());
    let params = artifact.tag_type(2).unwrap().params();
    assert!(params.iter().eq([ValueType::I64, ValueType::EXNREF]));
    assert_eq!(artifact.tag_type_index(3), None);
    let handlers = artifact.handlers();
    assert_eq!(handlers.len() as usize, builder.handlers.len());
    for site in &builder.handlers {
        let list = handlers.lookup(site.return_offset).unwrap();
        let written = &builder.handler_lists[site.list as usize];
        assert_eq!(list.frame_offset, written.frame_offset);
        let clauses = list.clauses().map(|clause| write::HandlerClause {
            tag: clause.tag,
            text_offset: clause.text_offset,
            keeps: clause.keeps,
        });
        assert!(clauses.eq(written.clauses.iter().copied()));
    }
    for offset in [0, 11, 13, 39, 41, 119, 121] {
        assert!(handlers.lookup(offset).is_none());
    }
}

fn check_lookups(artifact: &Artifact<'_>) {
    let functions = artifact.functions();
    assert_eq!(functions.containing(39).unwrap().index, 0);
    assert_eq!(functions.containing(40), None);
    assert_eq!(functions.containing(98).unwrap().index, 2);
    assert_eq!(functions.containing(100), None);
    let traps = artifact.traps();
    assert_eq!(traps.lookup(0), Some((TrapCode::MemoryOutOfBounds, 202)));
    assert_eq!(traps.lookup(1), None);
    assert_eq!(traps.lookup(39), Some((TrapCode::IntegerDivideByZero, 220)));
    assert_eq!(traps.lookup(97), Some((TrapCode::Unreachable, 70_000)));
    let calls = artifact.call_sites();
    assert_eq!(calls.lookup(12), Some(205));
    assert_eq!(calls.lookup(40), Some(199));
    assert_eq!(calls.lookup(99), Some(401));
    assert_eq!(calls.lookup(98), None);
    let names = [Some("print"), None, Some("run"), Some("główna"), None, None];
    for (index, name) in names.iter().enumerate() {
        assert_eq!(artifact.function_name(index as u32), *name);
    }
}

fn check_definitions(builder: &precast_format::write::ArtifactBuilder, artifact: &Artifact<'_>) {
    for (table, written) in artifact.tables().iter().zip(&builder.tables) {
        assert_eq!(table.ty, written.ty);
        let init = table.init.map(|init| init.operations().collect::<Vec<_>>());
        assert_eq!(init, written.init);
    }
    assert!(
        artifact
            .memories()
            .iter()
            .map(|m| m.ty)
            .eq(builder.memories.iter().copied())
    );
    for (global, written) in artifact.globals().iter().zip(&builder.globals) {
        assert_eq!(global.ty, written.ty);
        assert!(global.init.operations().eq(written.init.iter().copied()));
    }
    assert_eq!(
        artifact.globals().get(3).unwrap().init.single(),
        Some(ConstOp::GlobalGet(2))
    );
    assert_eq!(artifact.global_type(1).unwrap().value, ValueType::I64);

    let elements: Vec<_> = artifact.elements().iter().collect();
    assert!(matches!(
        elements[0].mode,
        ElementMode::Active { table: 1, .. }
    ));
    assert!(matches!(
        elements[0].items.get(0),
        Some(ElementItem::Function(0))
    ));
    assert!(matches!(elements[0].items.get(1), Some(ElementItem::Null)));
    assert!(elements[0].items.get(3).is_none());
    assert!(matches!(elements[1].mode, ElementMode::Passive));
    assert!(matches!(
        elements[1].items.get(1),
        Some(ElementItem::Expression(_))
    ));
    assert!(matches!(elements[2].mode, ElementMode::Declared));

    let data: Vec<_> = artifact.data().iter().collect();
    assert!(matches!(data[0].mode, DataMode::Active { memory: 0, .. }));
    assert_eq!((data[0].bytes, data[0].in_image), (&b"copied"[..], false));
    assert_eq!((data[1].bytes, data[1].in_image), (&b""[..], true));
    assert_eq!((data[2].bytes, data[2].in_image), (&b"passive"[..], false));

    let page_size = artifact.header().page_size();
    for (part, written) in artifact.image().iter().zip(&builder.image) {
        assert_eq!(
            (part.memory, part.address),
            (written.memory, written.address)
        );
        assert!(part.bytes.starts_with(&written.bytes));
        assert!(
            part.bytes[written.bytes.len()..]
                .iter()
                .all(|byte| *byte == 0)
        );
    }
    assert_eq!(u64::from(artifact.text_file_offset()) % page_size, 0);
    assert_eq!(artifact.text(), builder.text);
    for (relocation, written) in artifact.relocations().iter().zip(&builder.relocations) {
        assert_eq!(
            (relocation.offset, relocation.kind),
            (written.offset, written.kind)
        );
        assert_eq!(relocation.addend, -2);
    }
    assert_eq!(
        artifact.relocations().get(1).unwrap().libcall(),
        Some(Libcall::MemoryGrow)
    );
    let custom: Vec<_> = artifact
        .custom_sections()
        .iter()
        .map(|s| (s.name, s.bytes))
        .collect();
    assert_eq!(custom, [("producers", &b"rustc"[..]), ("empty", b"")]);
    let counts = artifact.counts();
    assert_eq!((counts.imported_functions, counts.function_records), (2, 2));
    assert_eq!((counts.imported_memories, counts.defined_memories), (1, 1));
    assert_eq!((counts.imported_globals, counts.defined_globals), (2, 4));
    assert_eq!((counts.imported_tables, counts.defined_tables), (1, 2));
    assert_eq!((counts.imported_tags, counts.defined_tags), (1, 2));
}

#[test]
fn an_empty_module_is_an_artifact() {
    let builder = precast_format::write::ArtifactBuilder::new(support::target(12), tunables());
    let bytes = builder.write().unwrap();
    let artifact = Artifact::parse(&bytes).unwrap();
    walk(&artifact);
    assert!(artifact.functions().is_empty());
    assert_eq!(artifact.module_name(), None);
}

#[test]
fn writing_is_deterministic() {
    assert_eq!(rich(12).write(), rich(12).write());
}

#[test]
fn text_shares_no_page() {
    let bytes = rich(12).write().unwrap();
    let artifact = Artifact::parse(&bytes).unwrap();
    let text = artifact.section(SectionId::Text);
    let page = |offset: u32| offset >> 12;
    let last = page(text.offset + text.size - 1);
    for id in SectionId::ALL.iter().filter(|id| **id != SectionId::Text) {
        let range = artifact.section(*id);
        let before = page(range.offset + range.size - 1) < page(text.offset);
        assert!(before || page(range.offset) > last, "{}", id.name());
    }
}

#[test]
fn an_artifact_can_move_without_its_code() {
    for page_size_log2 in [0, 12] {
        let bytes = rich(page_size_log2).write().unwrap();
        let whole = Artifact::parse(&bytes).unwrap();
        let (outline, size) = (whole.outline(), whole.resident_size());
        assert_eq!(outline.resident_size(), size);
        // Up to the text, whose page the rest does not fill.
        let padding = whole.text_file_offset() as usize - size;
        assert!(padding < whole.header().page_size().max(16) as usize);
        let moved = bytes[..size].to_vec();
        let kept = outline.over(&moved).unwrap();
        assert_eq!(kept.payload().len(), size);
        for id in SectionId::ALL {
            assert_eq!(kept.section(*id), whole.section(*id));
        }
        assert!(kept.text().is_empty() && kept.relocations().is_empty());
        assert_eq!(kept.module_name(), whole.module_name());
        assert_eq!(kept.start_function(), whole.start_function());
        assert_eq!(kept.context_layout().counts(), whole.counts());
        let named = |artifact: &Artifact<'_>| {
            format!("{:?}", artifact.exports().iter().collect::<Vec<_>>())
        };
        assert_eq!(named(&kept), named(&whole));
        assert!(kept.image().iter().eq(whole.image().iter()));
        assert!(kept.validate_diagnostics().is_ok());
        assert!(outline.over(&moved[..size - 1]).is_none());
        // Over everything it is what it was.
        let again = outline.over(&bytes).unwrap();
        assert_eq!(again.text(), whole.text());
        assert_eq!(again.relocations().len(), whole.relocations().len());
    }
}

#[test]
fn text_is_aligned_for_execution_in_place() {
    for page_size_log2 in 0..8 {
        let bytes = rich(page_size_log2).write().unwrap();
        let artifact = Artifact::parse(&bytes).unwrap();
        assert_eq!(u64::from(artifact.text_file_offset()) % 16, 0);
    }
}

#[test]
fn a_signature_is_split_off() {
    let mut bytes = rich(12).write().unwrap();
    let payload = bytes.clone();
    let signature = Signature {
        public_key: [3; 32],
        signature: [9; 64],
    };
    bytes.extend_from_slice(&signature.to_trailer());
    let envelope = Envelope::split(&bytes).unwrap();
    assert_eq!(envelope.payload, payload);
    assert_eq!(envelope.signature, Some(signature));
    let artifact = Artifact::parse(&bytes).unwrap();
    assert_eq!(artifact.payload(), payload);
    assert_eq!(Envelope::split(&payload).unwrap().signature, None);
}
