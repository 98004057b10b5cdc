//! Calls reach as far as they can, veneers appear beyond that, and what reaches nothing is refused.
//!
//! The texts here are made by hand: a call, padding, a callee. The padding is never executed, so the
//! tests read where a call goes off the instructions.

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::UserExternalName;
use precast_format::target::{CpuFeatures, Isa};
use precast_format::trap::TrapCode;
use precast_format::write::{CallSite, TrapSite};

use super::layout::{Layout, Reach};
use super::text::{Labels, assemble};
use crate::abi::{NAMESPACE_BODY, NAMESPACE_FUNCTION};
use crate::codegen::{Adapters, Chunk, CompiledFunction, Handlers, Relocation, RelocationTarget};
use crate::error::ErrorKind;
use crate::options::Options;
use crate::target::Target;

const MIB: u64 = 1 << 20;

/// How an instruction set calls: the instruction, the place and kind of its relocation.
struct CallForm {
    isa: Isa,
    code: &'static [u8],
    at: u64,
    kind: Reloc,
    addend: i64,
}

const FORMS: &[CallForm] = &[
    CallForm {
        isa: Isa::X86_64,
        code: &[0xe8, 0, 0, 0, 0],
        at: 1,
        kind: Reloc::X86CallPCRel4,
        addend: -4,
    },
    CallForm {
        isa: Isa::Aarch64,
        code: &[0, 0, 0, 0x94],
        at: 0,
        kind: Reloc::Arm64Call,
        addend: 0,
    },
    CallForm {
        isa: Isa::Riscv64,
        // auipc ra, 0; jalr ra, 0(ra)
        code: &[0x97, 0, 0, 0, 0xe7, 0x80, 0, 0],
        at: 0,
        kind: Reloc::RiscvCallPlt,
        addend: 0,
    },
    CallForm {
        isa: Isa::S390x,
        // brasl %r14, 0
        code: &[0xc0, 0xe5, 0, 0, 0, 0],
        at: 2,
        kind: Reloc::S390xPLTRel32Dbl,
        addend: 2,
    },
    CallForm {
        isa: Isa::Pulley64,
        // The relocation's place holds the distance from the opcode to it.
        code: &[1, 1, 0, 0, 0],
        at: 1,
        kind: Reloc::PulleyPcRel,
        addend: 0,
    },
];

fn form(isa: Isa) -> &'static CallForm {
    FORMS
        .iter()
        .find(|form| form.isa == isa)
        .expect("every instruction set has one")
}

fn layout(isa: Isa, chunks: usize) -> Layout {
    let options = Options::new(Target::new(isa.name()).expect("a name of a target"));
    let code_generator = options.target.cranelift_isa(&options).expect("defaults");
    Layout::new(&*code_generator, isa, chunks, 4)
}

fn word(text: &[u8], at: u64) -> u32 {
    let at = at as usize;
    u32::from_le_bytes(text[at..at + 4].try_into().expect("four bytes"))
}

/// Where the call at an offset goes, through a veneer or not.
fn destination(isa: Isa, text: &[u8], call: u64) -> (u64, bool) {
    let signed = |value: u32| i64::from(value as i32);
    let relative = |base: u64, distance: i64| base.checked_add_signed(distance).expect("inside");
    match isa {
        Isa::X86_64 => (relative(call + 5, signed(word(text, call + 1))), false),
        Isa::Aarch64 => {
            let branch = word(text, call);
            assert_eq!(branch >> 26, 0b10_0101, "bl");
            let callee = relative(call, signed(branch << 6) >> 6 << 2);
            // ldrsw x16, 16; adr x17, 12; add x16, x16, x17; br x16; the distance from itself
            let veneer = [0x9800_0090, 0x1000_0071, 0x8b11_0210, 0xd61f_0200];
            let is_veneer = (0..4).all(|index| {
                let at = callee + index * 4;
                at + 4 <= text.len() as u64 && word(text, at) == veneer[index as usize]
            });
            match is_veneer {
                true => {
                    let slot = callee + 16;
                    (relative(slot, signed(word(text, slot))), true)
                }
                false => (callee, false),
            }
        }
        Isa::Riscv64 => {
            let upper = signed(word(text, call) & 0xffff_f000);
            let lower = signed(word(text, call + 4)) >> 20;
            (relative(call, upper + lower), false)
        }
        Isa::S390x => {
            let halfwords = signed(word(text, call + 2).swap_bytes());
            (relative(call, halfwords * 2), false)
        }
        _ => (relative(call, signed(word(text, call + 1))), false),
    }
}

/// A text in which a call and its callee are so many bytes apart, and where the call and the callee
/// are.
fn apart(isa: Isa, distance: u64, forward: bool) -> (Vec<u8>, u64, u64) {
    let form = form(isa);
    let ends = [form.code, &[0; 8]];
    let [first, last] = match forward {
        true => ends,
        false => [ends[1], ends[0]],
    };
    // No chunk is larger than a part.
    let part = vec![0; (64 * MIB) as usize];
    let padding = distance - (first.len() as u64).next_multiple_of(4);
    let parts = padding.div_ceil(part.len() as u64);
    let labels = 2 + parts as usize;
    let mut layout = layout(isa, labels);
    let (call_label, callee_label) = match forward {
        true => (0, labels - 1),
        false => (labels - 1, 0),
    };
    let mut places = Vec::new();
    let mut place = |layout: &mut Layout, code: &[u8]| {
        let label = places.len();
        let is_call = label == call_label;
        let offset = layout.place(code, 4, is_call.into()).expect("it fits");
        places.push(offset);
        if is_call {
            let at = offset + form.at;
            layout
                .refer(at, form.kind, form.addend, callee_label)
                .expect("a kind that is resolved");
        }
    };
    place(&mut layout, first);
    for index in 0..parts {
        let left = padding - index * part.len() as u64;
        place(&mut layout, &part[..left.min(part.len() as u64) as usize]);
    }
    place(&mut layout, last);
    let (call, callee) = (places[call_label], places[callee_label]);
    (layout.finish().expect("it fits"), call, callee)
}

#[test]
fn calls_go_where_they_should_in_both_directions() {
    for form in FORMS {
        for distance in [8, 4096, MIB + 4, 40 * MIB] {
            for forward in [true, false] {
                let (text, call, callee) = apart(form.isa, distance, forward);
                assert_eq!(
                    destination(form.isa, &text, call),
                    (callee, false),
                    "{} {distance}",
                    form.isa.name()
                );
            }
        }
    }
}

#[test]
fn aarch64_gets_veneers_beyond_128_mib() {
    let reach = 128 * MIB;
    // Backward, the last distance without a veneer is the last that the instruction has.
    for (distance, veneer) in [(reach - 4, false), (reach, false), (reach + 4, true)] {
        let (text, call, callee) = apart(Isa::Aarch64, distance, false);
        assert_eq!(call - callee, distance);
        assert_eq!(destination(Isa::Aarch64, &text, call), (callee, veneer));
    }
    // Forward, room is kept for the veneer that may have to come.
    for (distance, veneer) in [
        (reach - 64, false),
        (reach - 4, true),
        (reach, true),
        (reach + 4, true),
        (200 * MIB, true),
    ] {
        let (text, call, callee) = apart(Isa::Aarch64, distance, true);
        let (destination, through) = destination(Isa::Aarch64, &text, call);
        assert_eq!(destination, callee, "{distance}");
        assert_eq!(through, veneer, "{distance}");
        // The island shifts what comes behind it.
        assert_eq!(callee - call > distance, veneer, "{distance}");
    }
}

#[test]
fn the_other_instruction_sets_reach_200_mib_without_veneers() {
    for isa in [Isa::X86_64, Isa::Riscv64, Isa::S390x, Isa::Pulley64] {
        for forward in [true, false] {
            let (text, call, callee) = apart(isa, 200 * MIB, forward);
            assert_eq!(
                destination(isa, &text, call),
                (callee, false),
                "{}",
                isa.name()
            );
            assert_eq!(call.abs_diff(callee), 200 * MIB);
        }
    }
}

/// Two gigabytes are written for each of these, one after the other.
#[test]
fn the_largest_text_is_linked() {
    for isa in [Isa::X86_64, Isa::Riscv64, Isa::S390x, Isa::Pulley64] {
        let most = Reach::of(isa).text - 8;
        for forward in [true, false] {
            let (text, call, callee) = apart(isa, most & !3, forward);
            assert_eq!(
                destination(isa, &text, call),
                (callee, false),
                "{}",
                isa.name()
            );
        }
    }
    let (text, call, callee) = apart(Isa::Aarch64, 2000 * MIB, true);
    assert_eq!(destination(Isa::Aarch64, &text, call), (callee, true));
}

#[test]
fn what_does_not_reach_is_refused_before_it_is_placed() {
    for form in FORMS {
        let reach = Reach::of(form.isa);
        // Nothing reads this memory, so the system does not provide it.
        let zeros = vec![0; reach.text as usize + 1];
        let mut layout = layout(form.isa, 3);
        assert_eq!(layout.place(&zeros[..8], 4, 0), Ok(0));
        let error = layout.place(&zeros, 4, 0).expect_err("too large");
        assert_eq!(error.kind, ErrorKind::Limit);
        assert!(error.message.contains(form.isa.name()), "{error}");
        // One byte more than fits behind the first chunk.
        let behind = &zeros[..(reach.text - 8) as usize + 1];
        let error = layout.place(behind, 4, 0).expect_err("one byte too much");
        assert_eq!(error.kind, ErrorKind::Limit);
        assert!(error.message.contains("MiB"), "{error}");
        // It goes on as if nothing had happened.
        assert_eq!(layout.place(&zeros[..8], 4, 0), Ok(8));
        assert_eq!(layout.place(&zeros[..8], 4, 0), Ok(16));
        assert_eq!(layout.finish().expect("three chunks").len(), 24);
    }
}

#[test]
fn a_function_larger_than_a_call_reaches_is_refused() {
    let reach = Reach::of(Isa::Aarch64);
    let zeros = vec![0; 128 << 20];
    let mut layout = layout(Isa::Aarch64, 1);
    for (size, references) in [(reach.chunk + 1, 0), (reach.chunk - 19, 1)] {
        let error = layout
            .place(&zeros[..size as usize], 4, references)
            .expect_err("too large");
        assert_eq!(error.kind, ErrorKind::Limit);
        assert!(error.message.contains("split the function"), "{error}");
    }
    let fits = &zeros[..reach.chunk as usize - 20];
    assert_eq!(layout.place(fits, 4, 1), Ok(0));
}

/// Kinds that Cranelift has for what is outside of the text, or for other instruction sets.
#[test]
fn other_kinds_are_refused_by_name_and_place() {
    for isa in FORMS.iter().map(|form| form.isa) {
        let own = |kind: Reloc| match isa {
            Isa::S390x => matches!(kind, Reloc::S390xPCRel32Dbl | Reloc::S390xPLTRel32Dbl),
            _ => kind == form(isa).kind,
        };
        let kinds = [
            (Reloc::Abs4, 0),
            (Reloc::Abs8, 0),
            (Reloc::X86PCRel4, -4),
            (Reloc::X86CallPCRel4, -4),
            (Reloc::X86CallPLTRel4, -4),
            (Reloc::X86GOTPCRel4, -4),
            (Reloc::Arm64Call, 0),
            (Reloc::Aarch64AdrGotPage21, 0),
            (Reloc::Aarch64Ld64GotLo12Nc, 0),
            (Reloc::Aarch64AdrPrelPgHi21, 0),
            (Reloc::Aarch64AddAbsLo12Nc, 0),
            (Reloc::RiscvCallPlt, 0),
            (Reloc::RiscvGotHi20, 0),
            (Reloc::RiscvPCRelHi20, 0),
            (Reloc::RiscvPCRelLo12I, 0),
            (Reloc::S390xPCRel32Dbl, 2),
            (Reloc::S390xPLTRel32Dbl, 2),
            (Reloc::PulleyPcRel, 0),
            (Reloc::PulleyCallIndirectHost, 0),
        ];
        for (kind, addend) in kinds {
            let mut layout = layout(isa, 1);
            layout.place(&[0; 16], 4, 1).expect("it fits");
            let refused = layout.refer(4, kind, addend, 0);
            if own(kind) {
                assert_eq!(refused, Ok(()), "{} {kind:?}", isa.name());
                continue;
            }
            let error = refused.expect_err("not inside the text");
            assert_eq!(error.kind, ErrorKind::Internal);
            assert!(error.message.contains(&format!("{kind:?}")), "{error}");
            assert!(error.message.contains("0x4"), "{error}");
        }
    }
}

/// Code that begins with a call of the function with this index.
fn calling(callee: u32, namespace: u32, size: u64) -> Chunk {
    let form = form(Isa::Aarch64);
    let mut code = vec![0; size as usize];
    code[..4].copy_from_slice(form.code);
    Chunk {
        code,
        alignment: 4,
        relocations: vec![Relocation {
            offset: 0,
            kind: form.kind,
            target: RelocationTarget::Name(UserExternalName::new(namespace, callee)),
            addend: 0,
        }],
        traps: vec![TrapSite {
            code_offset: 8,
            code: TrapCode::Unreachable,
            wasm_offset: 7,
        }],
        calls: vec![CallSite {
            code_offset: 4,
            wasm_offset: 5,
        }],
        handlers: Handlers::default(),
        unwind: None,
        cpu_features: CpuFeatures::default(),
    }
}

#[test]
fn tables_are_right_where_veneers_are_between_functions() {
    let imported = 3;
    let count: u32 = 6;
    // Each function calls the one three further on, beyond the reach; the last ones call back.
    let functions: Vec<CompiledFunction> = (0..count)
        .map(|index| {
            let callee = imported + (index + 3) % count;
            let body = calling(callee, NAMESPACE_FUNCTION, 50 * MIB);
            let stub = calling(imported + index, NAMESPACE_BODY, 64);
            CompiledFunction {
                // One has a stub in front.
                chunks: match index {
                    2 => vec![stub, body],
                    _ => vec![body],
                },
                frame_size: 32,
                unchecked_size: 32,
                demand: 0,
                wasm_offset: 1,
            }
        })
        .collect();
    let entry = calling(imported, NAMESPACE_FUNCTION, 64);
    let adapters = vec![Adapters {
        entry: Some(entry),
        ..Adapters::default()
    }];
    let labels = Labels::new(imported, &functions, &adapters);
    let layout = layout(Isa::Aarch64, labels.count);
    let linked = assemble(layout, labels, functions, adapters).expect("it links");
    let follow = |call: u64| destination(Isa::Aarch64, &linked.text, call);
    let mut veneers = 0;
    let mut previous_end = 0;
    for (index, function) in linked.functions.iter().enumerate() {
        let (start, end) = (
            u64::from(function.offset),
            u64::from(function.offset + function.size),
        );
        assert!(previous_end <= start, "functions are disjoint");
        assert_eq!(start % 4, 0);
        previous_end = end;
        let body = end - 50 * MIB;
        let callee = &linked.functions[(index + 3) % 6];
        let (reached, veneer) = follow(body);
        assert_eq!(reached, u64::from(callee.offset), "function {index}");
        veneers += u32::from(veneer);
        // What the loader finds by address is where it was in the chunk.
        let body_offset = (body - start) as u32;
        let traps: Vec<u32> = function.traps.iter().map(|site| site.code_offset).collect();
        let calls: Vec<u32> = function.calls.iter().map(|site| site.code_offset).collect();
        match index {
            2 => {
                assert_eq!(follow(start), (body, false), "the stub goes on to the body");
                assert!(body_offset >= 64);
                assert_eq!(traps, [8, body_offset + 8]);
                assert_eq!(calls, [4, body_offset + 4]);
            }
            _ => {
                assert_eq!((body_offset, traps), (0, vec![8]));
                assert_eq!(calls, [4]);
            }
        }
    }
    assert_eq!(veneers, count, "every callee is 150 MiB away");
    let entry = linked.adapters[0].entry.expect("there is one");
    assert!(u64::from(entry) >= previous_end, "adapters follow");
    assert_eq!(
        follow(entry.into()),
        (u64::from(linked.functions[0].offset), true)
    );
}
