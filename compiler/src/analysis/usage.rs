//! One pass over the instructions of the module: what they do to its tables and globals.
//!
//! A table that only this module can fill, and only with its own functions, needs no test of the
//! callee's context on an indirect call, and its types compare as constants.

use std::thread;

use precast_format::aux_stack::AuxStack;
use precast_format::features::{WasmFeature, WasmFeatures};
use precast_format::types::WASM_PAGE_SIZE_LOG2;
use wasmparser::{AbstractHeapType, ExternalKind, HeapType, Operator, RefType, ValType};

use super::aux_stack::{self, GlobalUse, GlobalUses};
use super::call_graph::CallScan;
use crate::error::{CompileError, Result};
use crate::module::{
    Body, ConstantOp, ElementItems, ElementSegment, Module, SegmentMode, check_operator,
};

/// What the instructions of a module use.
pub(crate) struct Usage {
    private_tables: Vec<bool>,
    grown_tables: Vec<bool>,
    features: WasmFeatures,
    globals: Vec<GlobalUse>,
    calls: CallScan,
}

/// What some of the bodies do.
struct BodyUses {
    /// Tables that get other elements than the module's own functions.
    opened_tables: Vec<bool>,
    grown_tables: Vec<bool>,
    features: WasmFeatures,
    globals: GlobalUses,
    calls: CallScan,
}

/// Fewer bytes of bodies than these are read by one thread.
const BYTES_FOR_THREADS: usize = 512 << 10;

impl Usage {
    /// Reads every body once, on several threads.
    ///
    /// # Errors
    ///
    /// When a body is malformed: that of the first.
    pub fn new(module: &Module<'_>, bodies: &[Body<'_>], threads: usize) -> Result<Usage> {
        let own: Vec<bool> = module
            .elements
            .iter()
            .map(|segment| holds_own_functions(module, segment))
            .collect();
        let mut private: Vec<bool> = module
            .tables
            .iter()
            .enumerate()
            .map(|(index, table)| {
                index as u32 >= module.imported_tables
                    && table.ty.element_type.is_func_ref()
                    && table.init.is_none()
            })
            .collect();
        let mut grown = vec![false; private.len()];
        for export in module
            .exports
            .iter()
            .filter(|e| e.kind == ExternalKind::Table)
        {
            private[export.index as usize] = false;
            grown[export.index as usize] = true;
        }
        for imported in &mut grown[..module.imported_tables as usize] {
            *imported = true;
        }
        for (segment, own) in module.elements.iter().zip(&own) {
            if let SegmentMode::Active { index, .. } = segment.mode {
                private[index as usize] &= own;
            }
        }
        let mut uses = BodyUses::of_all(module, &own, bodies, threads)?;
        for (private, opened) in private.iter_mut().zip(&uses.opened_tables) {
            *private &= !opened;
        }
        for (grown, used) in uses.grown_tables.iter_mut().zip(&grown) {
            *grown |= used;
        }
        Ok(Usage {
            private_tables: private,
            grown_tables: uses.grown_tables,
            features: WasmFeatures(declared_features(module).0 | uses.features.0),
            globals: uses.globals.finish(),
            calls: uses.calls.finish(),
        })
    }

    /// The auxiliary stack, where there is one to recognise.
    pub fn aux_stack(&self, module: &Module<'_>, checks: bool) -> Option<AuxStack> {
        aux_stack::recognise(module, &self.globals, checks)
    }

    /// Takes the calls of all functions, which are many.
    pub fn take_calls(&mut self) -> CallScan {
        std::mem::take(&mut self.calls)
    }

    /// The features that the module's instructions and types use.
    pub fn features(&self) -> WasmFeatures {
        self.features
    }

    /// Whether every element of the table is null or a function that this module defines.
    pub fn is_private_table(&self, table: u32) -> bool {
        self.private_tables[table as usize]
    }

    /// Whether the table always has its initial size and place.
    pub fn is_fixed_table(&self, table: u32) -> bool {
        !self.grown_tables[table as usize]
    }
}

impl BodyUses {
    /// What all bodies do: each thread reads about as many bytes as the others.
    fn of_all(
        module: &Module<'_>,
        own: &[bool],
        bodies: &[Body<'_>],
        threads: usize,
    ) -> Result<BodyUses> {
        let total: usize = bodies.iter().map(Body::size).sum();
        if threads < 2 || total < BYTES_FOR_THREADS {
            return BodyUses::of(module, own, bodies);
        }
        let share = total / threads + 1;
        let mut parts = Vec::with_capacity(threads);
        let (mut start, mut bytes) = (0, 0);
        for (index, body) in bodies.iter().enumerate() {
            bytes += body.size();
            if bytes >= share || index + 1 == bodies.len() {
                parts.push(&bodies[start..=index]);
                (start, bytes) = (index + 1, 0);
            }
        }
        let found = thread::scope(|scope| {
            let start = |part| scope.spawn(move || BodyUses::of(module, own, part));
            let workers: Vec<_> = parts.into_iter().map(start).collect();
            let join = |worker: thread::ScopedJoinHandle<'_, _>| worker.join();
            workers.into_iter().map(join).collect::<Vec<_>>()
        });
        let mut all = BodyUses::of(module, own, &[])?;
        for part in found {
            all.add(part.map_err(|_| CompileError::internal("reading a body panicked"))??);
        }
        Ok(all)
    }

    fn of(module: &Module<'_>, own: &[bool], bodies: &[Body<'_>]) -> Result<BodyUses> {
        // Validation happens with translation, so indices are not to be trusted yet.
        let set = |tables: &mut [bool], table: u32| {
            if let Some(table) = tables.get_mut(table as usize) {
                *table = true;
            }
        };
        let mut uses = BodyUses {
            opened_tables: vec![false; module.tables.len()],
            grown_tables: vec![false; module.tables.len()],
            features: WasmFeatures::default(),
            globals: GlobalUses::new(module),
            calls: CallScan::default(),
        };
        for body in bodies {
            uses.calls.begin_body();
            uses.globals.begin_body(body.function);
            let mut reader = body.body.get_operators_reader()?;
            while !reader.eof() {
                let (operator, offset) = reader.read_with_offset()?;
                check_operator(&operator)
                    .map_err(|error| error.at(offset as usize).in_function(body.function))?;
                if let Some(feature) = feature_of(&operator) {
                    uses.features = uses.features.with(feature);
                }
                uses.globals.observe(&operator);
                uses.calls.observe(&operator, offset as u32);
                match operator {
                    Operator::TableSet { table } | Operator::TableFill { table } => {
                        set(&mut uses.opened_tables, table);
                    }
                    Operator::TableGrow { table } => {
                        set(&mut uses.opened_tables, table);
                        set(&mut uses.grown_tables, table);
                    }
                    Operator::TableCopy {
                        dst_table,
                        src_table,
                    } if dst_table != src_table => {
                        set(&mut uses.opened_tables, dst_table);
                    }
                    Operator::TableInit { elem_index, table }
                        if !own.get(elem_index as usize).copied().unwrap_or(false) =>
                    {
                        set(&mut uses.opened_tables, table);
                    }
                    _ => {}
                }
            }
        }
        Ok(uses)
    }

    /// Adds what the bodies behind do.
    fn add(&mut self, behind: BodyUses) {
        let or = |all: &mut [bool], more: &[bool]| {
            for (all, more) in all.iter_mut().zip(more) {
                *all |= more;
            }
        };
        or(&mut self.opened_tables, &behind.opened_tables);
        or(&mut self.grown_tables, &behind.grown_tables);
        self.features.0 |= behind.features.0;
        self.globals.add(&behind.globals);
        self.calls.add(behind.calls);
    }
}

fn holds_own_functions(module: &Module<'_>, segment: &ElementSegment) -> bool {
    let own = |function: u32| !module.is_imported_function(function);
    match &segment.items {
        ElementItems::Functions(functions) => functions.iter().all(|function| own(*function)),
        ElementItems::Expressions(items) => items.iter().all(|item| match item.ops[..] {
            [ConstantOp::RefNull(_)] => true,
            [ConstantOp::RefFunc(function)] => own(function),
            _ => false,
        }),
    }
}

/// The features that show in the module outside its bodies.
fn declared_features(module: &Module<'_>) -> WasmFeatures {
    let mut features = WasmFeatures::default();
    let mut add = |used: bool, feature| {
        if used {
            features = features.with(feature);
        }
    };
    add(
        module.types.iter().any(|ty| ty.results.len() > 1),
        WasmFeature::MultiValue,
    );
    let vectors = |types: &[ValType]| types.contains(&ValType::V128);
    add(
        module
            .types
            .iter()
            .any(|ty| vectors(&ty.params) || vectors(&ty.results))
            || module
                .globals
                .iter()
                .any(|global| global.ty.content_type == ValType::V128),
        WasmFeature::Simd,
    );
    add(
        module.memories.iter().any(|memory| memory.shared),
        WasmFeature::Threads,
    );
    add(module.memories.len() > 1, WasmFeature::MultiMemory);
    let exceptions = |ty: &ValType| matches!(ty, ValType::Ref(ty) if is_exception(ty));
    add(
        !module.tags.is_empty()
            || (module.types.iter()).any(|ty| ty.params.iter().chain(&ty.results).any(exceptions))
            || (module.globals.iter()).any(|global| exceptions(&global.ty.content_type))
            || (module.tables.iter()).any(|table| is_exception(&table.ty.element_type)),
        WasmFeature::Exceptions,
    );
    let typed = |ty: &ValType| matches!(ty, ValType::Ref(ty) if is_typed(ty));
    add(
        module
            .following_types
            .iter()
            .any(|following| *following > 0)
            || (module.types.iter()).any(|ty| ty.params.iter().chain(&ty.results).any(typed))
            || (module.globals.iter()).any(|global| typed(&global.ty.content_type))
            || (module.tables.iter()).any(|table| is_typed(&table.ty.element_type)),
        WasmFeature::FunctionReferences,
    );
    add(module.tables.len() > 1, WasmFeature::ReferenceTypes);
    add(
        module.memories.iter().any(|memory| memory.is_64)
            || module.tables.iter().any(|table| table.ty.table64),
        WasmFeature::Memory64,
    );
    add(
        module
            .memories
            .iter()
            .any(|memory| memory.page_size_log2 != WASM_PAGE_SIZE_LOG2),
        WasmFeature::CustomPageSizes,
    );
    features
}

/// Whether the type is one of references to exceptions.
fn is_exception(ty: &RefType) -> bool {
    let exceptions = [AbstractHeapType::Exn, AbstractHeapType::NoExn];
    matches!(ty.heap_type(), HeapType::Abstract { shared: false, ty } if exceptions.contains(&ty))
}

/// Whether the type is one of references to functions of one type, or of functions and not null.
fn is_typed(ty: &RefType) -> bool {
    !is_exception(ty) && (!ty.is_nullable() || matches!(ty.heap_type(), HeapType::Concrete(_)))
}

/// Defines [`feature_of`] from the parser's own list of instructions and proposals.
macro_rules! define_feature_of {
    ($(@$proposal:ident $op:ident $({ $($payload:tt)* })? => $visit:ident ($($ann:tt)*))*) => {
        /// The feature that an instruction belongs to, beyond the first version of the language.
        fn feature_of(operator: &Operator<'_>) -> Option<WasmFeature> {
            match operator {
                $(Operator::$op { .. } => define_feature_of!(@ $proposal),)*
                _ => None,
            }
        }
    };
    (@ sign_extension) => { Some(WasmFeature::SignExtension) };
    (@ saturating_float_to_int) => { Some(WasmFeature::SaturatingFloatToInt) };
    (@ bulk_memory) => { Some(WasmFeature::BulkMemory) };
    (@ reference_types) => { Some(WasmFeature::ReferenceTypes) };
    (@ tail_call) => { Some(WasmFeature::TailCall) };
    (@ wide_arithmetic) => { Some(WasmFeature::WideArithmetic) };
    (@ simd) => { Some(WasmFeature::Simd) };
    (@ exceptions) => { Some(WasmFeature::Exceptions) };
    (@ legacy_exceptions) => { Some(WasmFeature::LegacyExceptions) };
    (@ function_references) => { Some(WasmFeature::FunctionReferences) };
    (@ threads) => { Some(WasmFeature::Threads) };
    (@ relaxed_simd) => { Some(WasmFeature::RelaxedSimd) };
    (@ $other:ident) => { None };
}

wasmparser::for_each_operator!(define_feature_of);
