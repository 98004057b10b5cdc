//! Where each function's code is: for profilers, debuggers and whoever meets an address.
#![forbid(unsafe_code)]

use core::ops::Range;

use precast_format::read::Function;

use crate::module::Module;

/// A defined function of a loaded module.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FunctionCode<'a> {
    /// Its index in the module, imports first.
    pub index: u32,
    /// Its name, where the artifact has names. May hold any character: see
    /// [`Printable`](crate::Printable).
    pub name: Option<&'a str>,
    /// The addresses of its code.
    pub addresses: Range<usize>,
    /// Where in the wasm file its body begins.
    pub body_offset: u32,
}

impl Module {
    /// The functions that the module defines, by ascending address. Allocates nothing.
    ///
    /// What lies between them in [`Module::code_addresses`] are the module's trampolines and adapters.
    pub fn functions(&self) -> impl Iterator<Item = FunctionCode<'_>> {
        let functions = self.artifact().functions();
        functions
            .into_iter()
            .map(|function| self.function_code(&function))
    }

    /// The addresses of all of the module's code.
    pub fn code_addresses(&self) -> Range<usize> {
        self.text()
    }

    /// Where a defined function is.
    pub(crate) fn function_code(&self, function: &Function) -> FunctionCode<'_> {
        let imported = self.artifact().counts().imported_functions;
        // The reader has checked that the index space is not larger than a `u32`.
        let index = imported.saturating_add(function.index);
        FunctionCode {
            index,
            name: self.function_name(index),
            addresses: self.code_address(function.text_offset)
                ..self.code_address(function.text_end()),
            body_offset: function.wasm_offset,
        }
    }
}
