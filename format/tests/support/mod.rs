//! An artifact that has everything, and a walk through everything that a reader offers.

// Each test file uses its own part of this.
#![allow(dead_code)]

use std::hint::black_box;

use precast_format::Artifact;
use precast_format::aux_stack::{AuxStack, AuxStackBounds, AuxStackEvidence};
use precast_format::context::PointerWidth;
use precast_format::features::{WasmFeature, WasmFeatures};
use precast_format::layout::SectionId;
use precast_format::libcall::{Libcall, LibcallSet};
use precast_format::read;
use precast_format::relocation::{RelocationKind, SymbolKind};
use precast_format::stack_depth::{CallKind, DepthStep, FunctionDepth, StackBound, StackDepth};
use precast_format::target::{CpuFeatures, Endianness, HostAbi, Isa};
use precast_format::trap::TrapCode;
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode, Tunables};
use precast_format::types::{
    ConstOp, ExternKind, GlobalType, ImportType, Limits, MemoryType, TableType, ValueType,
};
use precast_format::write::*;

/// A target with pages of this size.
pub fn target(page_size_log2: u8) -> Target {
    Target {
        isa: Isa::X86_64,
        endianness: Endianness::Little,
        host_abi: HostAbi::SystemV,
        page_size_log2,
    }
}

/// Tunables with the `direct` relocation model.
pub fn tunables() -> Tunables {
    Tunables {
        bounds_checks: BoundsChecks::Guard,
        stack_checks: StackChecks::Explicit,
        trap_mode: TrapMode::Signals,
        relocation_model: RelocationModel::Direct,
        call_profile: false,
        interrupt_checks: false,
        memory_reservation: 4 << 30,
        memory_guard: 2 << 30,
        stack_reserve: 64 << 10,
    }
}

/// An artifact with every section.
pub fn rich(page_size_log2: u8) -> ArtifactBuilder {
    let mut builder = ArtifactBuilder::new(target(page_size_log2), tunables());
    builder.cpu_features = CpuFeatures::default().with(Isa::X86_64, "sse4.1").unwrap();
    builder.wasm_features = WasmFeatures::default().with(WasmFeature::Simd);
    builder.libcalls = LibcallSet::default()
        .with(Libcall::Raise)
        .with(Libcall::MemoryGrow);
    builder.module_name = Some("rich".into());
    builder.start_function = Some(3);
    builder.types = vec![
        FuncType {
            entry_trampoline: Some(100),
            ..FuncType::default()
        },
        FuncType {
            params: vec![ValueType::I32, ValueType::V128],
            results: vec![ValueType::F64, ValueType::EXTERNREF],
            canonical: 1,
            following: 0,
            entry_trampoline: Some(104),
            host_adapter: Some(108),
            switch_adapter: Some(112),
        },
        FuncType {
            params: vec![ValueType::I32, ValueType::V128],
            results: vec![ValueType::F64, ValueType::EXTERNREF],
            canonical: 1,
            ..FuncType::default()
        },
        FuncType {
            params: vec![ValueType::I64, ValueType::EXNREF],
            canonical: 3,
            ..FuncType::default()
        },
    ];
    let limits = |min, max| Limits { min, max };
    let import = |module: &str, name: &str, ty| Import {
        module: module.into(),
        name: name.into(),
        ty,
    };
    let global = |value, mutable| GlobalType { value, mutable };
    let funcref_table = TableType {
        element: ValueType::FUNCREF,
        limits: limits(2, Some(10)),
        is_64: false,
    };
    let memory = |min, max| MemoryType {
        limits: limits(min, max),
        is_64: false,
        shared: false,
        page_size_log2: 16,
    };
    builder.imports = vec![
        import(
            "env",
            "base",
            ImportType::Global(global(ValueType::I32, false)),
        ),
        import("env", "print", ImportType::Function(1)),
        import("env", "table", ImportType::Table(funcref_table)),
        import("env", "exit", ImportType::Function(0)),
        import("env", "memory", ImportType::Memory(memory(1, None))),
        import(
            "other",
            "counter",
            ImportType::Global(global(ValueType::I64, true)),
        ),
        import("env", "thrown", ImportType::Tag(0)),
    ];
    let export = |name: &str, kind, index| Export {
        name: name.into(),
        kind,
        index,
    };
    builder.exports = vec![
        export("run", ExternKind::Function, 2),
        export("_start", ExternKind::Function, 3),
        export("memory", ExternKind::Memory, 1),
        export("table", ExternKind::Table, 0),
        export("größe", ExternKind::Global, 2),
        export("tag", ExternKind::Tag, 1),
    ];
    let trap = |code_offset, code, wasm_offset| TrapSite {
        code_offset,
        code,
        wasm_offset,
    };
    let call = |code_offset, wasm_offset| CallSite {
        code_offset,
        wasm_offset,
    };
    builder.functions = vec![
        Function {
            type_index: 2,
            text_offset: 0,
            text_size: 40,
            frame_size: 16,
            record: Some(0),
            wasm_offset: 200,
            traps: vec![
                trap(0, TrapCode::MemoryOutOfBounds, 202),
                trap(7, TrapCode::IntegerDivideByZero, 230),
                trap(39, TrapCode::IntegerDivideByZero, 220),
            ],
            call_sites: vec![call(12, 205), call(40, 199)],
        },
        Function {
            type_index: 0,
            text_offset: 48,
            text_size: 50,
            frame_size: 0,
            record: Some(1),
            wasm_offset: 300,
            traps: vec![trap(49, TrapCode::Unreachable, 70_000)],
            call_sites: vec![],
        },
        Function {
            type_index: 0,
            text_offset: 98,
            text_size: 2,
            frame_size: 1 << 20,
            record: None,
            wasm_offset: 400,
            traps: vec![],
            call_sites: vec![call(1, 401)],
        },
    ];
    builder.tables = vec![
        Table {
            ty: funcref_table,
            init: Some(vec![ConstOp::RefFunc(2)]),
        },
        Table {
            ty: TableType {
                element: ValueType::EXTERNREF,
                limits: limits(0, None),
                is_64: true,
            },
            init: None,
        },
    ];
    builder.memories = vec![memory(2, Some(5))];
    builder.globals = vec![
        Global {
            ty: global(ValueType::I32, false),
            init: vec![
                ConstOp::GlobalGet(0),
                ConstOp::I32Const(-4),
                ConstOp::I32Add,
            ],
        },
        Global {
            ty: global(ValueType::V128, true),
            init: vec![ConstOp::V128Const(*b"0123456789abcdef")],
        },
        Global {
            ty: global(ValueType::F64, true),
            init: vec![ConstOp::F64Const(1 << 62)],
        },
        Global {
            ty: global(ValueType::I32, false),
            init: vec![ConstOp::GlobalGet(2)],
        },
    ];
    builder.tags = vec![Tag { type_index: 0 }, Tag { type_index: 3 }];
    let clause = |tag: Option<u32>, text_offset| HandlerClause {
        tag,
        text_offset,
        keeps: tag.is_none(),
    };
    builder.handler_lists = vec![
        HandlerList {
            frame_offset: 48,
            clauses: vec![clause(Some(2), 20), clause(Some(0), 24), clause(None, 119)],
        },
        HandlerList {
            frame_offset: 0,
            clauses: vec![clause(Some(0), 24)],
        },
    ];
    let site = |return_offset, list| HandlerSite {
        return_offset,
        list,
    };
    builder.handlers = vec![site(12, 0), site(40, 1), site(120, 0)];
    builder.elements = vec![
        ElementSegment {
            mode: ElementMode::Active {
                table: 1,
                offset: vec![ConstOp::GlobalGet(2)],
            },
            element: ValueType::FUNCREF,
            items: ElementItems::Functions(vec![Some(0), None, Some(2)]),
        },
        ElementSegment {
            mode: ElementMode::Passive,
            element: ValueType::EXTERNREF,
            items: ElementItems::Expressions(vec![
                vec![ConstOp::RefNull(ValueType::EXTERNREF)],
                vec![ConstOp::RefNull(ValueType::EXTERNREF)],
            ]),
        },
        ElementSegment {
            mode: ElementMode::Declared,
            element: ValueType::FUNCREF,
            items: ElementItems::Functions(vec![Some(4)]),
        },
    ];
    builder.data = vec![
        DataSegment {
            mode: DataMode::Active {
                memory: 0,
                offset: vec![ConstOp::GlobalGet(0)],
            },
            in_image: false,
            bytes: b"copied".to_vec(),
        },
        DataSegment {
            mode: DataMode::Active {
                memory: 1,
                offset: vec![ConstOp::I32Const(8)],
            },
            in_image: true,
            bytes: b"mapped".to_vec(),
        },
        DataSegment {
            mode: DataMode::Passive,
            in_image: false,
            bytes: b"passive".to_vec(),
        },
    ];
    let page = 1u64 << page_size_log2;
    builder.image = vec![
        ImagePart {
            memory: 1,
            address: 0,
            bytes: b"\0\0\0\0\0\0\0\0mapped".to_vec(),
        },
        ImagePart {
            memory: 1,
            address: 64.max(page),
            bytes: vec![7; 9],
        },
    ];
    builder.text = (0..120).collect();
    let relocation = |offset, libcall: Libcall| Relocation {
        offset,
        kind: RelocationKind::Abs8,
        symbol_kind: SymbolKind::Libcall,
        symbol: libcall as u32,
        addend: -2,
    };
    builder.relocations = vec![
        relocation(10, Libcall::Raise),
        relocation(18, Libcall::MemoryGrow),
    ];
    builder.function_names = vec![
        Some("print".into()),
        None,
        Some("run".into()),
        Some("główna".into()),
    ];
    builder.aux_stack = Some(AuxStack {
        global: 1,
        evidence: AuxStackEvidence::Export,
        bounds: AuxStackBounds::AboveDataEnd,
        checked: true,
        limit: 1040,
        base: 5 << 32,
    });
    builder.stack_bounds = vec![
        StackBound {
            function: 2,
            depth: StackDepth::Bytes {
                bytes: 176,
                imports: true,
            },
        },
        StackBound {
            function: 3,
            depth: StackDepth::Recursion { function: 4 },
        },
    ];
    let call = |callee, kind| DepthStep::Call {
        callee,
        kind,
        wasm_offset: 77,
    };
    builder.function_depths = vec![
        FunctionDepth {
            depth: Some(112),
            step: call(1, CallKind::IndirectTail),
        },
        FunctionDepth {
            depth: None,
            step: call(4, CallKind::Direct),
        },
        FunctionDepth {
            depth: None,
            step: DepthStep::Unknown { wasm_offset: 99 },
        },
    ];
    builder.custom_sections = vec![
        CustomSection {
            name: "producers".into(),
            bytes: b"rustc".to_vec(),
        },
        CustomSection {
            name: "empty".into(),
            bytes: vec![],
        },
    ];
    builder
}

/// Calls every accessor, with indices and offsets in and out of range.
pub fn walk(artifact: &Artifact<'_>) {
    black_box(artifact.validate_diagnostics().is_ok());
    black_box(artifact.context_layout().size());
    black_box(artifact.counts());
    for id in SectionId::ALL {
        let range = artifact.section(*id);
        assert!(range.offset as usize + range.size as usize <= artifact.payload().len());
    }
    for ty in artifact.types() {
        assert!(ty.canonical <= ty.index);
        assert_eq!(ty.params().iter().count(), ty.params().len() as usize);
        assert_eq!(ty.results().iter().count(), ty.results().len() as usize);
    }
    for import in artifact.imports() {
        black_box(import);
    }
    for export in artifact.exports() {
        assert_eq!(artifact.exports().lookup(export.name), Some(export));
        assert!(export.index < artifact.index_space(export.kind));
    }
    black_box(artifact.exports().lookup("no such export"));
    for function in artifact.functions() {
        let (start, end) = (function.text_offset, function.text_end());
        assert!(artifact.types().get(function.type_index).is_some());
        assert!(artifact.text().get(start as usize..end as usize).is_some());
        assert_eq!(artifact.functions().containing(start), Some(function));
        assert_eq!(artifact.functions().containing(end - 1), Some(function));
        for site in artifact.traps().of(&function) {
            assert_eq!(
                artifact.traps().lookup(site.text_offset),
                Some((site.code, site.wasm_offset))
            );
        }
        for site in artifact.call_sites().of(&function) {
            black_box(artifact.call_sites().lookup(site.text_offset));
        }
    }
    for offset in [0, 1, 47, 48, 99, 119, 120, u32::MAX] {
        black_box(artifact.functions().containing(offset));
        black_box(artifact.traps().lookup(offset));
        black_box(artifact.call_sites().lookup(offset));
    }
    walk_index_spaces(artifact);
    for table in artifact.tables() {
        table.init.iter().for_each(walk_expression);
    }
    for memory in artifact.memories() {
        black_box((memory.ty.min_bytes(), memory.ty.max_bytes()));
    }
    for global in artifact.globals() {
        walk_expression(&global.init);
    }
    for segment in artifact.elements() {
        if let read::ElementMode::Active { offset, .. } = segment.mode {
            walk_expression(&offset);
        }
        assert_eq!(segment.items.iter().count(), segment.items.len() as usize);
        for item in segment.items.iter() {
            if let read::ElementItem::Expression(expression) = item {
                walk_expression(&expression);
            }
        }
    }
    for segment in artifact.data() {
        if let read::DataMode::Active { offset, .. } = segment.mode {
            walk_expression(&offset);
        }
        black_box(segment.bytes.iter().copied().max());
    }
    for part in artifact.image() {
        let page_size = artifact.header().page_size();
        assert!(u64::from(part.file_offset).is_multiple_of(page_size));
        assert!((part.bytes.len() as u64).is_multiple_of(page_size));
        let end = part.address + part.bytes.len() as u64;
        assert!(end <= artifact.memory_type(part.memory).unwrap().min_bytes());
    }
    for relocation in artifact.relocations() {
        let end = relocation.offset + relocation.kind.width();
        assert!(end as usize <= artifact.text().len());
        assert!(relocation.libcall().is_some());
    }
    black_box(artifact.aux_stack());
    for tag in artifact.tags() {
        assert!(artifact.types().get(tag.type_index).is_some());
    }
    walk_handlers(artifact);
    for bound in artifact.stack_bounds() {
        assert_eq!(artifact.stack_depth(bound.function), Some(bound.depth));
    }
    black_box(artifact.stack_depth(u32::MAX));
    for function in artifact.function_depths() {
        black_box(function);
    }
    for section in artifact.custom_sections() {
        black_box((section.name.len(), section.bytes.len()));
    }
}

fn walk_handlers(artifact: &Artifact<'_>) {
    for site in artifact.handlers() {
        let list = artifact.handlers().lookup(site.return_offset).unwrap();
        assert_eq!(list.index, site.list.index);
        assert_ne!(list.clauses().count(), 0);
        for clause in list.clauses() {
            assert!((clause.text_offset as usize) < artifact.text().len());
            assert!(
                clause
                    .tag
                    .is_none_or(|tag| artifact.tag_type(tag).is_some())
            );
        }
    }
    for offset in [0, 11, 13, 121, u32::MAX] {
        black_box(artifact.handlers().lookup(offset).is_some());
    }
}

fn walk_index_spaces(artifact: &Artifact<'_>) {
    for index in (0..artifact.index_space(ExternKind::Function)).chain([u32::MAX]) {
        black_box(artifact.function_name(index));
        black_box(artifact.defined_function(index));
        let exists = index < artifact.index_space(ExternKind::Function);
        assert_eq!(artifact.function_type(index).is_some(), exists);
    }
    for index in 0..artifact.index_space(ExternKind::Table) {
        assert!(artifact.table_type(index).is_some());
    }
    for index in 0..artifact.index_space(ExternKind::Memory) {
        assert!(artifact.memory_type(index).is_some());
    }
    for index in 0..artifact.index_space(ExternKind::Global) {
        assert!(artifact.global_type(index).is_some());
    }
    for index in 0..artifact.index_space(ExternKind::Tag) {
        assert!(artifact.tag_type(index).unwrap().results().is_empty());
    }
    let layout = artifact.context_layout();
    assert!(matches!(
        layout.width(),
        PointerWidth::Bits64 | PointerWidth::Bits32
    ));
}

fn walk_expression(expression: &read::Expression<'_>) {
    let count = expression.operations().len();
    assert_eq!(expression.operations().count(), count);
    black_box(expression.single());
}
