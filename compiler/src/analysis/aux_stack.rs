//! The auxiliary stack: which global is its pointer, and between which values that has to stay.
//!
//! A linker puts the stack that a compiler of C keeps in linear memory below the data or after it,
//! and leaves more or fewer traces. A wrong guess would stop a program that does nothing wrong, so
//! bounds count only where the traces agree; otherwise what is known is recorded, and nothing is
//! checked. The same holds for programs that move their pointer between several stacks.
//!
//! With a shared memory, each thread has a stack of its own, whose place comes from memory: in the
//! function that the host calls for a new thread, and nowhere else. Data segments are passive there,
//! so that the names of the linker alone say where the first thread's stack is.

use precast_format::aux_stack::{AuxStack, AuxStackBounds, AuxStackEvidence};
use wasmparser::{ExternalKind, Operator, ValType};

use crate::module::{ImportType, Module, SegmentMode};

const STACK_POINTER: &str = "__stack_pointer";

/// What the host calls for a new thread, by its convention with the C library of WASI.
const THREAD_START: &str = "wasi_thread_start";

/// How far above the stack a linker may start the data, for their alignment.
const ALIGNMENT_GAP: u64 = 256;

/// What function bodies do with a global.
#[derive(Clone, Copy, Default)]
pub(super) struct GlobalUse {
    /// A constant is subtracted from it: a frame is taken.
    takes_frames: bool,
    /// A value from memory becomes its new one: stacks are switched.
    is_loaded: bool,
}

/// Finds those uses in the instructions of one body after the other.
pub(super) struct GlobalUses {
    globals: Vec<GlobalUse>,
    recent: Recent,
    /// The function that puts a new thread on its stack, if there are threads.
    thread_start: Option<u32>,
    in_thread_start: bool,
}

/// The last instructions, as far as they matter.
#[derive(Clone, Copy)]
enum Recent {
    Other,
    Get(u32),
    GetAndConstant(u32, i64),
    Load,
}

impl GlobalUses {
    pub(super) fn new(module: &Module<'_>) -> GlobalUses {
        GlobalUses {
            globals: vec![GlobalUse::default(); module.globals.len()],
            recent: Recent::Other,
            thread_start: thread_start(module),
            in_thread_start: false,
        }
    }

    /// The next body begins, that of this function.
    pub(super) fn begin_body(&mut self, function: u32) {
        self.recent = Recent::Other;
        self.in_thread_start = self.thread_start == Some(function);
    }

    /// Looks at the next instruction. Indices have not been validated yet.
    pub(super) fn observe(&mut self, operator: &Operator<'_>) {
        let constant = |recent, value| match recent {
            Recent::Get(global) => Recent::GetAndConstant(global, value),
            _ => Recent::Other,
        };
        self.recent = match (operator, self.recent) {
            (Operator::GlobalGet { global_index }, _) => Recent::Get(*global_index),
            (Operator::I32Const { value }, recent) => constant(recent, i64::from(*value)),
            (Operator::I64Const { value }, recent) => constant(recent, *value),
            (Operator::I32Load { .. } | Operator::I64Load { .. }, _) => Recent::Load,
            (Operator::LocalTee { .. }, Recent::Load) => Recent::Load,
            (Operator::I32Sub | Operator::I64Sub, Recent::GetAndConstant(global, value))
                if value > 0 =>
            {
                self.note(global, |global| global.takes_frames = true)
            }
            (Operator::I32Add | Operator::I64Add, Recent::GetAndConstant(global, value))
                if value < 0 =>
            {
                self.note(global, |global| global.takes_frames = true)
            }
            (Operator::GlobalSet { global_index }, Recent::Load) if !self.in_thread_start => {
                self.note(*global_index, |global| global.is_loaded = true)
            }
            _ => Recent::Other,
        };
    }

    fn note(&mut self, global: u32, note: impl FnOnce(&mut GlobalUse)) -> Recent {
        if let Some(global) = self.globals.get_mut(global as usize) {
            note(global);
        }
        Recent::Other
    }

    /// Adds what other bodies do.
    pub(super) fn add(&mut self, others: &GlobalUses) {
        for (global, other) in self.globals.iter_mut().zip(&others.globals) {
            global.takes_frames |= other.takes_frames;
            global.is_loaded |= other.is_loaded;
        }
    }

    pub(super) fn finish(self) -> Vec<GlobalUse> {
        self.globals
    }
}

/// Recognises the stack, and decides whether code checks its pointer.
pub(super) fn recognise(module: &Module<'_>, uses: &[GlobalUse], checks: bool) -> Option<AuxStack> {
    let (global, evidence) = named(module).or_else(|| {
        let global = plausible(module, uses)?;
        Some((global, AuxStackEvidence::InitialValue))
    })?;
    let mut stack = AuxStack {
        global,
        evidence,
        bounds: AuxStackBounds::Unknown,
        checked: false,
        limit: 0,
        base: initial_value(module, global).unwrap_or(0),
    };
    if let Some((bounds, limit)) = find_bounds(module, global) {
        let switches = uses[global as usize].is_loaded || is_asyncified(module);
        stack.bounds = bounds;
        stack.limit = limit;
        stack.checked = checks && !switches;
    }
    Some(stack)
}

/// The global that bears the name of the stack pointer.
fn named(module: &Module<'_>) -> Option<(u32, AuxStackEvidence)> {
    let exported = exported_global(module, STACK_POINTER);
    let in_names = || {
        let mut names = module.global_names.iter();
        names.find_map(|(index, name)| (*name == STACK_POINTER).then_some(*index))
    };
    let imported = || {
        let globals = module.imports.iter();
        let mut globals = globals.filter(|import| matches!(import.ty, ImportType::Global(_)));
        let place = globals.position(|import| import.name == STACK_POINTER)?;
        u32::try_from(place).ok()
    };
    let found = match (exported, in_names()) {
        (Some(global), _) => (global, AuxStackEvidence::Export),
        (None, Some(global)) => (global, AuxStackEvidence::Name),
        (None, None) => (imported()?, AuxStackEvidence::Import),
    };
    // The name section is not validated.
    let ty = module.globals.get(found.0 as usize)?.ty;
    let can_be = ty.mutable && matches!(ty.content_type, ValType::I32 | ValType::I64);
    match found {
        (global, _) if can_be && global < module.imported_globals => {
            Some((global, AuxStackEvidence::Import))
        }
        found => can_be.then_some(found),
    }
}

/// The first mutable global, if it starts exactly where a linker puts the base of the stack, and
/// functions take frames from it.
fn plausible(module: &Module<'_>, uses: &[GlobalUse]) -> Option<u32> {
    let defined = module.imported_globals as usize..module.globals.len();
    let first = defined
        .into_iter()
        .find(|index| module.globals[*index].ty.mutable)?;
    let global = first as u32;
    let exported = |export: &crate::module::Export<'_>| {
        export.kind == ExternalKind::Global && export.index == global
    };
    if !uses[first].takes_frames || module.exports.iter().any(exported) {
        return None;
    }
    let initial = initial_value(module, global)?;
    let (bounds, _) = find_bounds(module, global)?;
    let exact = match bounds {
        AuxStackBounds::AboveDataEnd => symbol(module, "__heap_base") == Some(initial),
        _ => segments(module)?.is_some_and(|data| data.lowest - initial < ALIGNMENT_GAP),
    };
    exact.then_some(global)
}

/// Where the stack is, and the lowest valid value of its pointer.
fn find_bounds(module: &Module<'_>, global: u32) -> Option<(AuxStackBounds, u64)> {
    let memory = module.memories.first()?;
    let index_type = if memory.is_64 {
        ValType::I64
    } else {
        ValType::I32
    };
    let base = initial_value(module, global)?;
    if module.globals[global as usize].ty.content_type != index_type
        || base == 0
        || base % 16 != 0
        || base > memory.min_bytes()
    {
        return None;
    }
    let data = segments(module);
    match symbol(module, "__data_end") {
        Some(end) if end > base => {
            let above = data?.is_none_or(|data| data.lowest >= base);
            above.then_some((AuxStackBounds::BelowDataEnd, 0))
        }
        Some(end) if end < base => {
            let below = data?.is_none_or(|data| data.end <= end);
            let heap = symbol(module, "__heap_base").is_none_or(|heap| heap >= base);
            (below && heap).then_some((AuxStackBounds::AboveDataEnd, end))
        }
        Some(_) => None,
        None => (data??.lowest >= base).then_some((AuxStackBounds::BelowSegments, 0)),
    }
}

/// Where the data segments of memory 0 begin and end.
struct Segments {
    lowest: u64,
    end: u64,
}

/// The range of the segments; `Some(None)` if there are none, `None` if places are not known.
fn segments(module: &Module<'_>) -> Option<Option<Segments>> {
    let mut all: Option<Segments> = None;
    for segment in module.data.iter().filter(|data| !data.bytes.is_empty()) {
        let SegmentMode::Active { index, offset } = &segment.mode else {
            if module.memories[0].shared {
                continue;
            }
            return None;
        };
        if *index != 0 {
            continue;
        }
        let start = offset.constant_address()?;
        let end = start.checked_add(segment.bytes.len() as u64)?;
        let known = all.unwrap_or(Segments { lowest: start, end });
        all = Some(Segments {
            lowest: known.lowest.min(start),
            end: known.end.max(end),
        });
    }
    Some(all)
}

/// The function that the host calls for a new thread, where threads share memory 0.
fn thread_start(module: &Module<'_>) -> Option<u32> {
    let shared = module.memories.first().is_some_and(|memory| memory.shared);
    let mut exports = module.exports.iter();
    let start = exports
        .find(|export| shared && export.kind == ExternalKind::Func && export.name == THREAD_START);
    start.map(|export| export.index)
}

/// An address that the linker defined, as it shows in the module: an immutable global.
fn symbol(module: &Module<'_>, name: &str) -> Option<u64> {
    let global = exported_global(module, name)?;
    let immutable = !module.globals[global as usize].ty.mutable;
    immutable.then(|| initial_value(module, global))?
}

fn exported_global(module: &Module<'_>, name: &str) -> Option<u32> {
    let mut exports = module.exports.iter();
    exports
        .find(|export| export.kind == ExternalKind::Global && export.name == name)
        .map(|export| export.index)
}

fn initial_value(module: &Module<'_>, global: u32) -> Option<u64> {
    let init = module.globals[global as usize].init.as_ref()?;
    init.constant_address()
}

/// Whether the program was transformed so that it can leave one stack and go on with another.
fn is_asyncified(module: &Module<'_>) -> bool {
    let mut exports = module.exports.iter();
    exports.any(|export| export.name.starts_with("asyncify_"))
}
