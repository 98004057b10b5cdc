//! Imports: what the host offers under which names, and whether it is what a module asks for.
#![forbid(unsafe_code)]

use core::fmt;

use precast_format::read::Import;
use precast_format::types::ImportType;

use crate::alloc::{Allocator, Category, OutOfMemory, String, Vec};
use crate::call::caller::Caller;
use crate::call::error::HostError;
use crate::call::func::Func;
use crate::call::host::{HostFunction, IntoHostFunction};
use crate::call::value::Value;
use crate::exception::tag::Tag;
use crate::facility::Linking;
use crate::instance::error::{ImportName, InstantiateError, LinkError};
use crate::instance::export::Extern;
use crate::instance::global::Global;
use crate::instance::memory::Memory;
use crate::instance::table::Table;
use crate::instance::{Instance, InstanceData};
use crate::module::Module;
use crate::runtime::Runtime;
use crate::types::{ExternType, FuncType, Limits};

/// One definition.
struct Definition {
    /// Module name and name, in one block.
    names: String,
    /// Bytes of the module name.
    split: u32,
    item: Extern,
}

impl Definition {
    fn new(
        allocator: &Allocator,
        module: &str,
        name: &str,
        item: Extern,
    ) -> Result<Definition, OutOfMemory> {
        let too_long = OutOfMemory::new(Category::HostFunctions, module.len());
        Ok(Definition {
            names: String::joined(allocator, Category::HostFunctions, module, name)?,
            split: u32::try_from(module.len()).map_err(|_| too_long)?,
            item,
        })
    }

    /// Module name and name.
    fn names(&self) -> (&str, &str) {
        let names = self.names.as_str();
        names
            .split_at_checked(self.split as usize)
            .unwrap_or((names, ""))
    }
}

/// What modules can import, by module name and name. One value serves any number of
/// instantiations.
///
/// Defining a name again replaces the earlier definition.
///
/// Instances that import a table, a memory, a global, a tag or another instance's function share a
/// life with it: they are freed together, when the last handle to any of them is gone. Host functions
/// and shared memories tie nothing together.
pub struct Imports {
    runtime: Runtime,
    /// In the order of the names, unless they are in the module's.
    definitions: Vec<Definition>,
    /// Whether the definitions are in the order of the module's imports, and have no names.
    by_place: bool,
}

impl Imports {
    /// No imports.
    pub fn new(runtime: &Runtime) -> Imports {
        let definitions = Vec::new_in(runtime.allocator(), Category::HostFunctions);
        Imports {
            runtime: runtime.clone(),
            definitions,
            by_place: false,
        }
    }

    /// What a module imports, in the order of its imports, whatever their names are. What is defined by
    /// name afterwards is not found.
    pub fn by_place(
        runtime: &Runtime,
        items: impl ExactSizeIterator<Item = Extern>,
    ) -> Result<Imports, OutOfMemory> {
        let mut imports = Imports::new(runtime);
        imports.by_place = true;
        imports.definitions.try_reserve_exact(items.len())?;
        for item in items {
            let definition = Definition::new(runtime.allocator(), "", "", item)?;
            imports.definitions.try_push(definition)?;
        }
        Ok(imports)
    }

    /// No imports, and room for as many as the module has: defining those takes no more memory for
    /// the list, and no more than that is kept for it.
    pub fn for_module(module: &Module) -> Result<Imports, OutOfMemory> {
        let mut imports = Imports::new(module.runtime());
        let count = module.artifact().imports().len() as usize;
        imports.definitions.try_reserve_exact(count)?;
        Ok(imports)
    }

    /// The layout of one definition in the list.
    #[cfg(feature = "plan")]
    pub(crate) const fn definition_layout() -> core::alloc::Layout {
        core::alloc::Layout::new::<Definition>()
    }

    /// The runtime whose modules can use these.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Defines a host function: a closure that takes `&mut Caller<'_>` and up to twelve values, and
    /// returns nothing, a value, a tuple, or a `Result` of these with an error that converts into
    /// [`HostError`].
    pub fn func<M>(
        &mut self,
        module: &str,
        name: &str,
        closure: impl IntoHostFunction<M>,
    ) -> Result<(), OutOfMemory> {
        let func = Func::new(&self.runtime, closure)?;
        self.define(module, name, func)
    }

    /// Defines a host function whose type is known at run time only.
    pub fn func_untyped<F>(
        &mut self,
        module: &str,
        name: &str,
        func_type: FuncType,
        closure: F,
    ) -> Result<(), OutOfMemory>
    where
        F: Fn(&mut Caller<'_>, &[Value], &mut [Value]) -> Result<(), HostError>
            + Send
            + Sync
            + 'static,
    {
        let func = Func::untyped(&self.runtime, func_type, closure)?;
        self.define(module, name, func)
    }

    /// Defines a table.
    pub fn table(&mut self, module: &str, name: &str, table: &Table) -> Result<(), OutOfMemory> {
        self.define(module, name, table.clone())
    }

    /// Defines a memory.
    pub fn memory(&mut self, module: &str, name: &str, memory: &Memory) -> Result<(), OutOfMemory> {
        self.define(module, name, memory.clone())
    }

    /// Defines a global.
    pub fn global(&mut self, module: &str, name: &str, global: &Global) -> Result<(), OutOfMemory> {
        self.define(module, name, global.clone())
    }

    /// Defines a tag of exceptions.
    pub fn tag(&mut self, module: &str, name: &str, tag: &Tag) -> Result<(), OutOfMemory> {
        self.define(module, name, tag.clone())
    }

    /// Defines everything that the instance exports, under a module name.
    pub fn instance(&mut self, module: &str, instance: &Instance) -> Result<(), OutOfMemory> {
        for (name, item) in instance.exports() {
            self.define(module, name, item)?;
        }
        Ok(())
    }

    /// Defines anything.
    pub fn define(
        &mut self,
        module: &str,
        name: &str,
        item: impl Into<Extern>,
    ) -> Result<(), OutOfMemory> {
        let item = item.into();
        match self.position(module, name) {
            Ok(place) => {
                if let Some(definition) = self.definitions.get_mut(place) {
                    definition.item = item;
                }
                Ok(())
            }
            Err(place) => {
                let allocator = self.runtime.allocator();
                let definition = Definition::new(allocator, module, name, item)?;
                self.definitions.try_insert(place, definition)
            }
        }
    }

    /// What is defined under the names.
    pub fn get(&self, module: &str, name: &str) -> Option<&Extern> {
        let place = self.position(module, name).ok()?;
        self.definitions
            .get(place)
            .map(|definition| &definition.item)
    }

    fn position(&self, module: &str, name: &str) -> Result<usize, usize> {
        self.definitions
            .binary_search_by(|definition| definition.names().cmp(&(module, name)))
    }

    /// The definitions that a module imports, in the module's order, each of the right type.
    pub(crate) fn resolve(&self, module: &Module) -> Result<Vec<&Extern>, InstantiateError> {
        let mut resolved = Vec::new_in(self.runtime.allocator(), Category::Instance);
        resolved.try_reserve_exact(module.artifact().imports().len() as usize)?;
        for (place, import) in module.artifact().imports().into_iter().enumerate() {
            let found = match self.by_place {
                true => self.definitions.get(place).map(|found| &found.item),
                false => self.get(import.module, import.name),
            };
            let Some(found) = found else {
                let import = ImportName::new(module, import.index);
                return Err(LinkError::Missing { import }.into());
            };
            self.check(module, &import, found)?;
            // There is room for all imports.
            let _ = resolved.push_within_capacity(found);
        }
        Ok(resolved)
    }

    /// Refuses what cannot stand where a module imports something.
    fn check(
        &self,
        module: &Module,
        import: &Import<'_>,
        found: &Extern,
    ) -> Result<(), InstantiateError> {
        let name = || ImportName::new(module, import.index);
        let is_of_host = matches!(found, Extern::Func(func) if func.as_host_function().is_some());
        if !Linking::IS_BUILT_IN && !is_of_host {
            return Err(LinkError::NotBuiltIn { import: name() }.into());
        }
        if Linking::IS_BUILT_IN
            && found
                .runtime()
                .is_some_and(|runtime| !runtime.is_same(&self.runtime))
        {
            return Err(InstantiateError::OtherRuntime);
        }
        let (fits, found) = match found {
            Extern::Func(func) => {
                let found = func.func_type();
                let is_same = |index| *module.func_type(index) == found;
                let fits = matches!(import.ty, ImportType::Function(index) if is_same(index));
                (fits, ExternType::Function(found))
            }
            item => {
                let found = item.current_type()?;
                (matches(&module.import_type(&import.ty), &found), found)
            }
        };
        if fits {
            return Ok(());
        }
        let import = name();
        Err(LinkError::Mismatch { import, found }.into())
    }
}

impl fmt::Debug for Imports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for definition in self.definitions.iter() {
            map.entry(&definition.names(), &definition.item);
        }
        map.finish()
    }
}

impl InstanceData {
    /// The index of the first import that is this host function.
    pub(crate) fn import_of_host_function(&self, function: *const ()) -> Option<u32> {
        let mut records = self.host_records.iter();
        let record = records.find(|record| {
            let imported: *const HostFunction = &*record.function;
            imported.cast() == function
        })?;
        let address = core::ptr::from_ref(&record.record).addr();
        let imported = self.module.artifact().counts().imported_functions;
        (0..imported).find(|index| self.context().imported_function(*index) == address)
    }
}

/// Whether something of one type can stand where another is asked for, functions excepted.
fn matches(expected: &ExternType, found: &ExternType) -> bool {
    match (expected, found) {
        (ExternType::Global(expected), ExternType::Global(found)) => {
            // What never changes may be of a smaller type.
            expected == found
                || !expected.mutable && !found.mutable && found.value.is_subtype_of(expected.value)
        }
        (ExternType::Tag(expected), ExternType::Tag(found)) => expected == found,
        (ExternType::Table(expected), ExternType::Table(found)) => {
            expected.element == found.element
                && expected.is_64 == found.is_64
                && limits_match(&expected.limits, &found.limits)
        }
        (ExternType::Memory(expected), ExternType::Memory(found)) => {
            expected.is_64 == found.is_64
                && expected.shared == found.shared
                && expected.page_size_log2 == found.page_size_log2
                && limits_match(&expected.limits, &found.limits)
        }
        _ => false,
    }
}

/// Whether what is there, with its current size as minimum, is within what is asked for.
fn limits_match(expected: &Limits, found: &Limits) -> bool {
    let bounded = match (expected.max, found.max) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(expected), Some(found)) => found <= expected,
    };
    found.min >= expected.min && bounded
}
