//! What a new instance's context says.

use precast_format::aux_stack::{AuxStack, AuxStackBounds, AuxStackEvidence};
use precast_format::context::Field;
use precast_format::target::Endianness;
use precast_format::tunables::{BoundsChecks, RelocationModel, StackChecks, TrapMode, Tunables};
use precast_format::types::{ConstOp, GlobalType, ValueType};
use precast_format::write::{ArtifactBuilder, Global, Target};

use crate::{Imports, InstanceOptions, Runtime, Source};

/// The fields for the auxiliary stack, limit and base, in an instance with this stack.
fn fields(stack: Option<AuxStack>) -> [usize; 2] {
    let isa = crate::sys::isa::ISA;
    let target = Target {
        isa,
        endianness: isa.endianness().unwrap_or(Endianness::Little),
        host_abi: crate::sys::cpu::HOST_ABI,
        page_size_log2: 12,
    };
    let tunables = Tunables {
        bounds_checks: BoundsChecks::Explicit,
        stack_checks: StackChecks::Explicit,
        trap_mode: TrapMode::Explicit,
        relocation_model: RelocationModel::Xip,
        call_profile: false,
        interrupt_checks: false,
        memory_reservation: 0,
        memory_guard: 0,
        stack_reserve: 16 << 10,
    };
    let mut builder = ArtifactBuilder::new(target, tunables);
    builder.globals.push(Global {
        ty: GlobalType {
            value: ValueType::I32,
            mutable: true,
        },
        init: std::vec![ConstOp::I32Const(65536)],
    });
    builder.aux_stack = stack;
    let bytes = builder.write().expect("a valid artifact");
    let runtime = Runtime::system().expect("there is memory");
    // SAFETY: the artifact has no code.
    let module = unsafe { runtime.load_unverified(Source::copied(&bytes)) };
    let module = module.expect("it loads");
    let imports = Imports::new(&runtime);
    let instance = module.instantiate(&imports, InstanceOptions::default());
    let instance = instance.expect("it can be instantiated");
    let context = instance.data().context();
    [Field::AuxStackLimit, Field::AuxStackBase].map(|field| context.field(field))
}

#[test]
fn the_context_holds_the_bounds_of_the_auxiliary_stack() {
    let mut stack = AuxStack {
        global: 0,
        evidence: AuxStackEvidence::Export,
        bounds: AuxStackBounds::AboveDataEnd,
        checked: true,
        limit: 1040,
        base: 65536,
    };
    assert_eq!(fields(Some(stack)), [1040, 65536]);
    stack.bounds = AuxStackBounds::Unknown;
    (stack.limit, stack.checked) = (0, false);
    assert_eq!(fields(Some(stack)), [0, 0]);
    assert_eq!(fields(None), [0, 0]);
}
