//! One function through Cranelift, and what the linker needs of the result.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir::{self, ExternalName, Function, UserExternalName};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::isa::unwind::{UnwindInfo, UnwindInfoKind};
use cranelift_codegen::{
    Context, FinalizedMachCallSite, FinalizedMachExceptionHandler, FinalizedRelocTarget,
};
use precast_format::target::CpuFeatures;
use precast_format::trap::TrapCode;
use precast_format::write::{CallSite, TrapSite};
use target_lexicon::Architecture;

use super::bytecode_traps;
use super::cpu_features::Decoding;
use super::outgoing_arguments;
use crate::abi::Clause;
use crate::error::{CompileError, Result};
use crate::target::STACK_PROBE;

/// Machine code with what it refers to and what can happen in it. Offsets count from its start.
pub(crate) struct Chunk {
    pub code: Vec<u8>,
    /// Required alignment in bytes.
    pub alignment: u32,
    pub relocations: Vec<Relocation>,
    /// Faulting instructions.
    pub traps: Vec<TrapSite>,
    /// Calls.
    pub calls: Vec<CallSite>,
    /// Where exceptions are caught.
    pub handlers: Handlers,
    /// CPU features that the code needs, where they can be read off it.
    pub cpu_features: CpuFeatures,
    /// How a stack is walked from within, where the options ask for it.
    pub unwind: Option<UnwindInfo>,
}

/// The calls at which exceptions are caught, and what is done there. There are hundreds of thousands of
/// such calls in large programs; those next to each other have the same handlers.
#[derive(Default)]
pub(crate) struct Handlers {
    /// The offset of each return address, ascending, and the index of its list.
    pub sites: Vec<(u32, u32)>,
    pub lists: Vec<HandlerList>,
}

/// The handlers of calls.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct HandlerList {
    /// Distance of the stack pointer below the frame pointer. On s390x, where no register has one, that
    /// is the caller's stack pointer, which the back chain holds.
    pub frame_offset: u32,
    /// What is caught, and the offset of the code for it; innermost first.
    pub clauses: Vec<(Clause, u32)>,
}

impl Handlers {
    /// Adds a call behind the others.
    pub fn push(&mut self, return_offset: u32, list: HandlerList) {
        if self.lists.last() != Some(&list) {
            self.lists.push(list);
        }
        self.sites
            .push((return_offset, self.lists.len() as u32 - 1));
    }

    /// Adds those of code that begins at an offset behind the others.
    pub fn append(&mut self, start: u32, others: Handlers) {
        let first = self.lists.len() as u32;
        self.lists.extend(others.lists.into_iter().map(|mut list| {
            for (_, handler) in &mut list.clauses {
                *handler += start;
            }
            list
        }));
        let sites = others.sites.into_iter();
        self.sites
            .extend(sites.map(|(offset, list)| (offset + start, list + first)));
    }
}

/// A place in the code that waits for an address.
pub(crate) struct Relocation {
    pub offset: u32,
    pub kind: Reloc,
    pub target: RelocationTarget,
    pub addend: i64,
}

/// What a relocation refers to.
pub(crate) enum RelocationTarget {
    /// Something with an external name.
    Name(UserExternalName),
    /// An offset in the same chunk.
    Here(u32),
}

/// A compiled wasm function.
pub(crate) struct CompiledFunction {
    /// One chunk; two where a stub checks the stack for a large frame, the stub first.
    pub chunks: Vec<Chunk>,
    /// Stack that one activation takes, return address included, in bytes.
    pub frame_size: u32,
    /// Stack that is taken without a check when the function is called: its frame, with what its
    /// callees take if it is covered; or the stub's frame.
    pub unchecked_size: u32,
    /// What the stub in front asks for, its own frame included; zero without one.
    pub demand: u32,
    /// Offset of the body in the module.
    pub wasm_offset: u32,
}

impl CompiledFunction {
    /// Puts a stub in front that looks for so many bytes.
    pub(super) fn put_stub(&mut self, stub: CompiledClif, needed: u32) {
        self.unchecked_size = stub.frame_size;
        self.demand = stub.frame_size + needed;
        self.chunks.insert(0, stub.chunk);
    }
}

/// What Cranelift makes of one CLIF function.
pub(crate) struct CompiledClif {
    pub chunk: Chunk,
    pub frame_size: u32,
}

/// What one thread reuses from function to function.
pub(crate) struct CodeContext {
    /// Holds the function that is compiled, and Cranelift's allocations.
    pub inner: Context,
    decoding: Decoding,
    is_bytecode: bool,
}

impl CodeContext {
    /// For functions of this target.
    pub fn new(isa: &dyn TargetIsa) -> CodeContext {
        CodeContext {
            inner: Context::new(),
            decoding: Decoding::new(isa),
            is_bytecode: isa.name().starts_with("pulley"),
        }
    }
}

/// Compiles one CLIF function. `context` lends its allocations, except for those of its function.
///
/// # Errors
///
/// As [`compile_in_place`].
pub(crate) fn compile_clif(
    isa: &dyn TargetIsa,
    context: &mut CodeContext,
    function: Function,
) -> Result<CompiledClif> {
    context.inner.func = function;
    compile_in_place(isa, context)
}

/// Compiles the function that the context holds. It stays there, so that the next function can be
/// built in the same allocations.
///
/// # Errors
///
/// When the function is too large for Cranelift, or Cranelift rejects it, which is a defect.
pub(crate) fn compile_in_place(
    isa: &dyn TargetIsa,
    context: &mut CodeContext,
) -> Result<CompiledClif> {
    let (decoding, is_bytecode) = (context.decoding, context.is_bytecode);
    let context = &mut context.inner;
    // What is known of the control flow is the function's before.
    context.cfg.clear();
    context.domtree.clear();
    context.loop_analysis.clear();
    context
        .compile(isa, &mut ControlPlane::default())
        .map_err(|error| match error.inner {
            cranelift_codegen::CodegenError::ImplLimitExceeded
            | cranelift_codegen::CodegenError::CodeTooLarge => {
                CompileError::limit("the function is too large for the code generator")
            }
            inner => CompileError::internal(cranelift_codegen::print_errors::pretty_error(
                error.func, inner,
            )),
        })?;
    let Some(compiled) = context.take_compiled_code() else {
        return Err(CompileError::internal(
            "the code generator returned no code",
        ));
    };
    let buffer = &compiled.buffer;
    let locations = buffer.get_srclocs_sorted();
    let wasm_offset = |offset: u32| {
        let after = locations.partition_point(|location| location.start <= offset);
        let location = after.checked_sub(1).map(|index| &locations[index]);
        location
            .filter(|location| offset < location.end && !location.loc.is_default())
            .map_or(0, |location| location.loc.bits())
    };
    let names = context.func.params.user_named_funcs();
    let relocations = buffer
        .relocs()
        .iter()
        .map(|relocation| {
            let target = match &relocation.target {
                FinalizedRelocTarget::ExternalName(ExternalName::User(name)) => {
                    RelocationTarget::Name(names[*name].clone())
                }
                FinalizedRelocTarget::Func(offset) => RelocationTarget::Here(*offset),
                FinalizedRelocTarget::ExternalName(name) => {
                    return Err(CompileError::internal(format!(
                        "the code generator calls {}, which no loader has",
                        name.display(None)
                    )));
                }
            };
            Ok(Relocation {
                offset: relocation.offset,
                kind: relocation.kind,
                target,
                addend: relocation.addend,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let calls = || buffer.call_sites();
    let mut handlers = Handlers::default();
    for call in calls().filter(|call| !call.exception_handlers.is_empty()) {
        handlers.push(call.ret_addr, handler_list(call)?);
    }
    handlers.sites.shrink_to_fit();
    let unwind = match isa.flags().unwind_info() {
        true => compiled.create_unwind_info_of_kind(isa, UnwindInfoKind::SystemV),
        false => Ok(None),
    };
    let traps = buffer.traps().iter().map(|trap| TrapSite {
        code_offset: trap.offset,
        code: trap_code(trap.code),
        wasm_offset: wasm_offset(trap.offset),
    });
    let mut traps: Vec<TrapSite> = traps.collect();
    if is_bytecode {
        bytecode_traps::add_sites(buffer.data(), locations, &mut traps);
    }
    if isa.triple().architecture == Architecture::S390x {
        add_raised(calls().map(|call| call.ret_addr), &mut traps);
    }
    let chunk = Chunk {
        handlers,
        unwind: unwind.map_err(|error| CompileError::internal(error.to_string()))?,
        cpu_features: decoding.used_features(buffer.data(), &compiled.bb_starts),
        code: buffer.data().to_vec(),
        alignment: buffer.alignment,
        relocations,
        traps,
        calls: calls()
            .map(|call| CallSite {
                code_offset: call.ret_addr,
                wasm_offset: wasm_offset(call.ret_addr.saturating_sub(1)),
            })
            .collect(),
    };
    // The return address and the caller's frame pointer; on s390x they lie in the caller's frame.
    let link = match isa.triple().architecture {
        Architecture::S390x => 0,
        _ => 2 * isa.pointer_bytes() as u32,
    };
    let own_size = buffer
        .frame_layout()
        .map_or(0, |layout| layout.frame_to_fp_offset)
        + link;
    let outgoing = outgoing_arguments::below_frame(isa, &context.func);
    check_probes(isa, own_size, outgoing)?;
    let frame_size = own_size + outgoing;
    Ok(CompiledClif { chunk, frame_size })
}

/// Adds the sites of traps that are raised by calls: they are looked up at the return address, where the
/// instruction behind such a call traps. On s390x a site is the last byte of its instruction.
fn add_raised(return_addresses: impl Iterator<Item = u32>, traps: &mut Vec<TrapSite>) {
    let known = traps.len();
    for code_offset in return_addresses {
        let behind = code_offset.saturating_add(1);
        let found = traps[..known].binary_search_by_key(&behind, |trap| trap.code_offset);
        if let Ok(index) = found {
            traps.push(TrapSite {
                code_offset,
                ..traps[index]
            });
        }
    }
    if traps.len() > known {
        traps.sort_by_key(|site| site.code_offset);
    }
}

/// Refuses frames of which the far end would be touched first: that would go over a guard page, and hit
/// whatever is below. On riscv64 the code generator touches more than three places in a loop, from the
/// lowest address up. What is below a frame is not probed.
fn check_probes(isa: &dyn TargetIsa, frame_size: u32, outgoing: u32) -> Result<()> {
    if !isa.flags().enable_probestack() {
        return Ok(());
    }
    let what = match isa.triple().architecture {
        Architecture::Riscv64(_) if frame_size >= 4 * STACK_PROBE => {
            format!("a frame of {frame_size} bytes")
        }
        _ if outgoing > STACK_PROBE => format!("a call with {outgoing} bytes of arguments"),
        _ => return Ok(()),
    };
    Err(CompileError::unsupported(format!(
        "{what} cannot end at a guard page on {}; compile with --stack-checks explicit",
        isa.triple().architecture
    )))
}

/// The handlers of a call.
fn handler_list(call: FinalizedMachCallSite<'_>) -> Result<HandlerList> {
    let clause = |handler: &FinalizedMachExceptionHandler| match *handler {
        FinalizedMachExceptionHandler::Tag(tag, offset) => {
            Ok((Clause::from_number(Some(tag.as_u32())), offset))
        }
        FinalizedMachExceptionHandler::Default(offset) => Ok((Clause::from_number(None), offset)),
        FinalizedMachExceptionHandler::Context(_) => Err(CompileError::internal(
            "a handler with a context that nobody asked for",
        )),
    };
    Ok(HandlerList {
        frame_offset: call.frame_offset.ok_or_else(|| {
            CompileError::internal("a call with handlers of which the frame is not known")
        })?,
        clauses: call
            .exception_handlers
            .iter()
            .map(clause)
            .collect::<Result<_>>()?,
    })
}

/// Our code for a trap of Cranelift's.
fn trap_code(code: ir::TrapCode) -> TrapCode {
    match code {
        ir::TrapCode::STACK_OVERFLOW => TrapCode::StackOverflow,
        ir::TrapCode::INTEGER_OVERFLOW => TrapCode::IntegerOverflow,
        ir::TrapCode::HEAP_OUT_OF_BOUNDS => TrapCode::MemoryOutOfBounds,
        ir::TrapCode::INTEGER_DIVISION_BY_ZERO => TrapCode::IntegerDivideByZero,
        ir::TrapCode::BAD_CONVERSION_TO_INTEGER => TrapCode::InvalidConversionToInteger,
        other => TrapCode::from_u8(other.as_raw().get()).unwrap_or(TrapCode::Unreachable),
    }
}
