//! Instructions of bytecode that trap by themselves: divisions, and conversions to integers.
//!
//! The interpreter knows why they trap; Cranelift does not say where they are, and backtraces want to.
//! So the bytecode is decoded, from each place that Cranelift has a location for.

use cranelift_codegen::{Final, MachSrcLoc};
use precast_format::trap::TrapCode;
use precast_format::write::TrapSite;
use pulley_interpreter::decode::{Decoder, ExtendedOpVisitor, OpVisitor, SafeBytecodeStream};
use pulley_interpreter::{for_each_extended_op, for_each_op};
use pulley_interpreter::{imms::*, regs::*};

/// Adds such instructions to the sites of a function, which stay in the order of their offsets.
pub(super) fn add_sites(code: &[u8], locations: &[MachSrcLoc<Final>], sites: &mut Vec<TrapSite>) {
    let known = sites.len();
    for location in locations.iter().filter(|one| !one.loc.is_default()) {
        let (start, end) = (location.start as usize, location.end as usize);
        let mut visitor = Visitor(SafeBytecodeStream::new(
            code.get(start..end).unwrap_or_default(),
        ));
        loop {
            let offset = location.start + visitor.0.position() as u32;
            match Decoder::new().decode_one(&mut visitor) {
                Ok(Kind::Plain) => {}
                Ok(Kind::Traps(trap)) => sites.push(TrapSite {
                    code_offset: offset,
                    code: trap,
                    wasm_offset: location.loc.bits(),
                }),
                // Behind the instruction comes its table; and so does the end of what was decoded.
                Ok(Kind::Table) | Err(_) => break,
            }
        }
    }
    if sites.len() > known {
        sites.sort_by_key(|site| site.code_offset);
    }
}

/// What matters here of an instruction.
enum Kind {
    Plain,
    /// The interpreter knows the reason better where there are several.
    Traps(TrapCode),
    Table,
}

fn kind_of(name: &str) -> Kind {
    match name {
        "XDiv32S" | "XDiv64S" | "XDiv32U" | "XDiv64U" | "XRem32S" | "XRem64S" | "XRem32U"
        | "XRem64U" => Kind::Traps(TrapCode::IntegerDivideByZero),
        "X32FromF32S" | "X32FromF32U" | "X64FromF32S" | "X64FromF32U" | "X32FromF64S"
        | "X32FromF64U" | "X64FromF64S" | "X64FromF64U" => {
            Kind::Traps(TrapCode::InvalidConversionToInteger)
        }
        "BrTable32" => Kind::Table,
        _ => Kind::Plain,
    }
}

struct Visitor<'a>(SafeBytecodeStream<'a>);

macro_rules! visit {
    ($(
        $(#[$doc:meta])*
        $function:ident = $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),* })?;
    )*) => {
        $(
            fn $function(&mut self $($(, _: $type)*)?) -> Kind {
                kind_of(stringify!($name))
            }
        )*
    };
}

impl<'a> OpVisitor for Visitor<'a> {
    type BytecodeStream = SafeBytecodeStream<'a>;
    type Return = Kind;

    fn bytecode(&mut self) -> &mut SafeBytecodeStream<'a> {
        &mut self.0
    }

    for_each_op!(visit);
}

impl ExtendedOpVisitor for Visitor<'_> {
    for_each_extended_op!(visit);
}
