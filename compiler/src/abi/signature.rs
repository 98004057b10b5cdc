//! Function types as Cranelift signatures.

use cranelift_codegen::ir::{self, AbiParam, Signature, types};
use cranelift_codegen::isa::CallConv;
use precast_format::libcall::{Libcall, LibcallType};
use precast_format::target::Isa;
use wasmparser::ValType;

use super::Abi;
use crate::module::FunctionType;
use crate::options::ContextRegister;

impl Abi {
    /// The CLIF type of a value type. Vectors are 16 lanes of bytes until an instruction says
    /// otherwise.
    pub fn value_type(&self, ty: ValType) -> ir::Type {
        match ty {
            ValType::I32 => types::I32,
            ValType::I64 => types::I64,
            ValType::F32 => types::F32,
            ValType::F64 => types::F64,
            ValType::V128 => types::I8X16,
            ValType::Ref(_) => self.pointer,
        }
    }

    /// The signature of a wasm function of this type.
    pub fn wasm_signature(&self, ty: &FunctionType) -> Signature {
        let mut signature = Signature::new(CallConv::Tail);
        if self.context_register == ContextRegister::Parameter {
            signature.params.push(AbiParam::new(self.pointer));
        }
        signature.params.extend(
            ty.params
                .iter()
                .map(|ty| AbiParam::new(self.value_type(*ty))),
        );
        signature.returns.extend(
            ty.results
                .iter()
                .map(|ty| AbiParam::new(self.value_type(*ty))),
        );
        signature
    }

    /// A 32-bit number on its way to the loader, which takes it for unsigned. Some conventions want
    /// the upper half of its register filled.
    fn number(&self) -> AbiParam {
        let number = AbiParam::new(types::I32);
        match self.isa {
            Isa::S390x => number.uext(),
            Isa::Riscv64 => number.sext(),
            _ => number,
        }
    }

    /// The signature of an entry trampoline: context, code, values, activation; non-zero when the
    /// activation was ended by a trap.
    pub fn entry_signature(&self) -> Signature {
        let mut signature = Signature::new(self.host_call_conv);
        signature.params.extend([AbiParam::new(self.pointer); 4]);
        signature.returns.push(self.number());
        signature
    }

    /// The signature of a host entry: host object, caller's context, values; non-zero when the
    /// host recorded an error.
    pub fn host_signature(&self) -> Signature {
        let mut signature = Signature::new(self.host_call_conv);
        signature.params.extend([AbiParam::new(self.pointer); 3]);
        signature.returns.push(AbiParam::new(types::I32));
        signature
    }

    /// The signature of a libcall.
    pub fn libcall_signature(&self, libcall: Libcall) -> Signature {
        let ty = |ty: LibcallType| match ty {
            LibcallType::I32 => self.number(),
            LibcallType::I64 => AbiParam::new(types::I64),
            LibcallType::Pointer => AbiParam::new(self.pointer),
            LibcallType::F32 => AbiParam::new(types::F32),
            LibcallType::F64 => AbiParam::new(types::F64),
        };
        // Where a call can end in a handler, the convention must say where the exception is then.
        let throws = matches!(libcall, Libcall::Throw | Libcall::Rethrow);
        let convention = match self.host_call_conv.supports_exceptions() || !throws {
            true => self.host_call_conv,
            false => CallConv::SystemV,
        };
        let mut signature = Signature::new(convention);
        if libcall.takes_context() {
            signature.params.push(AbiParam::new(self.pointer));
        }
        signature
            .params
            .extend(libcall.params().iter().copied().map(ty));
        signature.returns.extend(libcall.result().map(ty));
        signature
    }
}
