//! What each function takes of the stack, as its callers see it: the sizes that Cranelift told, and
//! what is asked for beyond them.

use precast_format::features::WasmFeature;

use super::stack_arguments::StackArguments;
use crate::codegen::{AllAdapters, CompiledFunction};
use crate::options::ContextRegister;
use crate::target::STACK_PROBE;
use crate::translate::Environment;

/// The frame of each function as its callers see it.
pub(crate) struct StackFrames {
    /// By function index; of imported functions, the adapter's.
    pub(super) functions: Vec<Frame>,
    /// Of the trampoline through which the host enters, by canonical type.
    pub(super) entries: Vec<Frame>,
}

/// A frame in bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Frame {
    pub bytes: u32,
    /// What a check before the frame, or the last probe of a large one, asks for beyond it.
    pub checked: u32,
    /// Arguments above it.
    pub arguments: StackArguments,
}

impl StackFrames {
    /// Collects the sizes that Cranelift told.
    pub fn new(
        environment: &Environment<'_>,
        functions: &[CompiledFunction],
        adapters: &AllAdapters,
    ) -> StackFrames {
        let (module, options) = (environment.module, environment.options);
        let isa = options.target.isa();
        let hidden = options.context_register() == ContextRegister::Parameter;
        let probes = options.target.touches_stack(options.stack_checks);
        // Tail calls can make the part that is probed larger than the frame.
        let arguments = |ty| StackArguments::new(isa, ty, hidden);
        let tail_calls = environment.usage.features().contains(WasmFeature::TailCall);
        let moved = module.types.iter().map(|ty| arguments(ty).most);
        let moved = moved.filter(|_| tail_calls).max().unwrap_or(0);
        let probe = |frame: u32| match probes && frame + moved > STACK_PROBE {
            true => STACK_PROBE,
            false => 0,
        };
        let imported = (0..module.imported_functions).map(|function| {
            let ty = module.canonical_type_of(function) as usize;
            let frame = adapters.frames[ty].host;
            (frame, probe(frame))
        });
        let defined = functions.iter().map(|function| {
            let checked = match function.demand {
                0 => probe(function.frame_size),
                demand => (demand - function.frame_size).max(probe(function.frame_size)),
            };
            (function.frame_size, checked)
        });
        let functions = imported.chain(defined).enumerate();
        StackFrames {
            functions: functions
                .map(|(function, (bytes, checked))| Frame {
                    bytes,
                    checked,
                    arguments: arguments(module.function_type(function as u32)),
                })
                .collect(),
            entries: adapters
                .frames
                .iter()
                .map(|frames| Frame {
                    bytes: frames.entry,
                    checked: probe(frames.entry),
                    arguments: StackArguments::default(),
                })
                .collect(),
        }
    }
}
