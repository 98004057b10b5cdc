//! From the bytes of a module to its description.
//!
//! Everything but the function bodies is validated here; each body carries its validator to the
//! thread that translates it. A module that is valid only with features that this compiler does
//! not implement is refused by their names.

use std::collections::BTreeMap;

use precast_format::types::{Limits, MemoryType, WASM_PAGE_SIZE_LOG2};
use wasmparser::{
    DataKind, ElementKind, ExternalKind, KnownCustom, Name, Parser, Payload, TableInit, TypeRef,
    ValidPayload, Validator, WasmFeatures,
};

use super::groups::Groups;
use super::refusal::explain;
use super::{
    Body, DataSegment, ElementItems, ElementSegment, Export, Global, Import, ImportType, Module,
    SegmentMode, Table,
};
use crate::error::{CompileError, Result};

/// Parses a module and validates all of it but the function bodies.
///
/// # Errors
///
/// When the module is malformed, invalid, or needs features that `features` does not have.
pub(crate) fn parse<'a>(
    wasm: &'a [u8],
    features: WasmFeatures,
) -> Result<(Module<'a>, Vec<Body<'a>>)> {
    if !wasm.starts_with(b"\0asm") {
        return Err(invalid("not a WebAssembly module: it does not begin with `\\0asm`").at(0));
    }
    let mut validator = Validator::new_with_features(features);
    let mut module = Module {
        types: Vec::new(),
        canonical_types: Vec::new(),
        following_types: Vec::new(),
        imports: Vec::new(),
        functions: Vec::new(),
        imported_functions: 0,
        tables: Vec::new(),
        imported_tables: 0,
        memories: Vec::new(),
        imported_memories: 0,
        globals: Vec::new(),
        imported_globals: 0,
        tags: Vec::new(),
        imported_tags: 0,
        exports: Vec::new(),
        start: None,
        elements: Vec::new(),
        data: Vec::new(),
        function_names: BTreeMap::new(),
        global_names: Vec::new(),
        name: None,
        custom_sections: Vec::new(),
    };
    let mut bodies = Vec::new();
    // The features decide about the encoding too: how long an integer may be, for example.
    let mut parser = Parser::new(0);
    parser.set_features(features);
    for payload in parser.parse_all(wasm) {
        let payload = payload.map_err(|error| explain(wasm, features, error))?;
        let valid = validator
            .payload(&payload)
            .map_err(|error| explain(wasm, features, error))?;
        if let ValidPayload::Func(validation, body) = valid {
            let function = module.imported_functions + bodies.len() as u32;
            bodies.push(Body {
                function,
                body,
                validation,
            });
        }
        module.add(payload)?;
    }
    Ok((module, bodies))
}

fn invalid(message: &str) -> CompileError {
    CompileError {
        kind: crate::error::ErrorKind::Invalid,
        offset: None,
        function: None,
        message: message.to_owned(),
    }
}

impl<'a> Module<'a> {
    fn add(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                let mut groups = Groups::default();
                for group in section.into_iter_with_offsets() {
                    let (offset, group) = group?;
                    let added = groups.add(self, group);
                    added.map_err(|error| error.at(offset as usize))?;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.add_import(import?)?;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.functions.push(ty?);
                }
            }
            Payload::TableSection(section) => {
                for table in section.into_iter_with_offsets() {
                    let (offset, table) = table?;
                    let init = match table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(expression) => Some(self.constant(&expression)?),
                    };
                    let ty = self.table_type(table.ty);
                    let ty = ty.map_err(|error| error.at(offset as usize))?;
                    self.tables.push(Table { ty, init });
                }
            }
            Payload::MemorySection(section) => {
                for ty in section {
                    self.memories.push(memory_type(&ty?));
                }
            }
            Payload::GlobalSection(section) => {
                for global in section.into_iter_with_offsets() {
                    let (offset, global) = global?;
                    let init = Some(self.constant(&global.init_expr)?);
                    let ty = self.global_type(global.ty);
                    let ty = ty.map_err(|error| error.at(offset as usize))?;
                    self.globals.push(Global { ty, init });
                }
            }
            Payload::TagSection(section) => {
                for tag in section {
                    self.tags.push(tag?.func_type_idx);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.exports.push(Export {
                        name: export.name,
                        kind: export.kind,
                        index: export.index,
                    });
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => {
                for element in section {
                    self.add_element(element?)?;
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let mode = match data.kind {
                        DataKind::Passive => SegmentMode::Passive,
                        DataKind::Active {
                            memory_index,
                            offset_expr,
                        } => SegmentMode::Active {
                            index: memory_index,
                            offset: self.constant(&offset_expr)?,
                        },
                    };
                    self.data.push(DataSegment {
                        mode,
                        bytes: data.data,
                    });
                }
            }
            Payload::CustomSection(section) => match section.as_known() {
                KnownCustom::Name(names) => self.add_names(names),
                _ => self.custom_sections.push((section.name(), section.data())),
            },
            _ => {}
        }
        Ok(())
    }

    fn add_import(&mut self, import: wasmparser::Import<'a>) -> Result<()> {
        let ty = match import.ty {
            TypeRef::Func(ty) => {
                self.functions.push(ty);
                self.imported_functions += 1;
                ImportType::Function(ty)
            }
            TypeRef::Table(ty) => {
                let ty = self.table_type(ty)?;
                self.tables.push(Table { ty, init: None });
                self.imported_tables += 1;
                ImportType::Table(ty)
            }
            TypeRef::Memory(ty) => {
                let ty = memory_type(&ty);
                self.memories.push(ty);
                self.imported_memories += 1;
                ImportType::Memory(ty)
            }
            TypeRef::Global(ty) => {
                let ty = self.global_type(ty)?;
                self.globals.push(Global { ty, init: None });
                self.imported_globals += 1;
                ImportType::Global(ty)
            }
            TypeRef::Tag(ty) => {
                self.tags.push(ty.func_type_idx);
                self.imported_tags += 1;
                ImportType::Tag(ty.func_type_idx)
            }
            TypeRef::FuncExact(_) => {
                return Err(CompileError::unsupported(
                    "the module needs custom descriptors",
                ));
            }
        };
        self.imports.push(Import {
            module: import.module,
            name: import.name,
            ty,
        });
        Ok(())
    }

    fn add_element(&mut self, element: wasmparser::Element<'a>) -> Result<()> {
        let mode = match element.kind {
            ElementKind::Passive => SegmentMode::Passive,
            ElementKind::Declared => SegmentMode::Declared,
            ElementKind::Active {
                table_index,
                offset_expr,
            } => SegmentMode::Active {
                index: table_index.unwrap_or(0),
                offset: self.constant(&offset_expr)?,
            },
        };
        let (ty, items) = match element.items {
            wasmparser::ElementItems::Functions(functions) => {
                let functions = functions
                    .into_iter()
                    .collect::<wasmparser::Result<Vec<u32>>>()?;
                (
                    wasmparser::RefType::FUNCREF,
                    ElementItems::Functions(functions),
                )
            }
            wasmparser::ElementItems::Expressions(ty, expressions) => {
                let expressions = expressions
                    .into_iter()
                    .map(|expression| self.constant(&expression?))
                    .collect::<Result<Vec<_>>>()?;
                (
                    self.canonical_reference(ty)?,
                    ElementItems::Expressions(expressions),
                )
            }
        };
        self.elements.push(ElementSegment { mode, ty, items });
        Ok(())
    }

    /// Takes what is readable of the name section; the specification ignores a malformed one.
    fn add_names(&mut self, names: wasmparser::NameSectionReader<'a>) {
        for name in names.into_iter().map_while(std::result::Result::ok) {
            match name {
                Name::Module { name, .. } => self.name = Some(name),
                Name::Function(map) => {
                    for naming in map.into_iter().map_while(std::result::Result::ok) {
                        self.function_names.insert(naming.index, naming.name);
                    }
                }
                Name::Global(map) => {
                    for naming in map.into_iter().map_while(std::result::Result::ok) {
                        self.global_names.push((naming.index, naming.name));
                    }
                }
                _ => {}
            }
        }
    }

    /// The names of all functions as [`Module::display_name`] gives them, by function index. For one
    /// after the other that would take time in the square of their number.
    pub fn display_names(&self) -> Vec<Option<&'a str>> {
        let mut names = vec![None; self.functions.len()];
        let imports = self.imports.iter();
        let imports = imports.filter(|import| matches!(import.ty, ImportType::Function(_)));
        for (name, import) in names.iter_mut().zip(imports) {
            *name = Some(import.name);
        }
        let exports = self.exports.iter();
        // The first export of a function counts.
        for export in exports.rev().filter(|e| e.kind == ExternalKind::Func) {
            if let Some(name) = names.get_mut(export.index as usize)
                && !self.is_imported_function(export.index)
            {
                *name = Some(export.name);
            }
        }
        for (function, name) in &self.function_names {
            if let Some(slot) = names.get_mut(*function as usize) {
                *slot = Some(name);
            }
        }
        names
    }

    /// The name that a report shows for a function: its own, else that of an export or import.
    pub fn display_name(&self, function: u32) -> Option<&'a str> {
        if let Some(name) = self.function_names.get(&function) {
            return Some(name);
        }
        if self.is_imported_function(function) {
            return self
                .imports
                .iter()
                .filter(|import| matches!(import.ty, ImportType::Function(_)))
                .nth(function as usize)
                .map(|import| import.name);
        }
        self.exports
            .iter()
            .find(|export| export.kind == ExternalKind::Func && export.index == function)
            .map(|export| export.name)
    }
}

/// A memory type in the terms of the artifact format.
fn memory_type(ty: &wasmparser::MemoryType) -> MemoryType {
    MemoryType {
        limits: Limits {
            min: ty.initial,
            max: ty.maximum,
        },
        is_64: ty.memory64,
        shared: ty.shared,
        page_size_log2: ty
            .page_size_log2
            .map_or(WASM_PAGE_SIZE_LOG2, |log2| log2 as u8),
    }
}
