//! The module `spectest` that the specification's scripts import from, made of host items.

use precast_loader::{
    Extern, Func, Global, GlobalType, Limits, Memory, MemoryType, Runtime, Table, TableType, Value,
    ValueType, WASM_PAGE_SIZE_LOG2,
};
use std::collections::HashMap;
use std::fmt::Display;

/// The items by name.
pub struct Spectest {
    items: HashMap<&'static str, Extern>,
}

impl Spectest {
    /// Makes the items.
    pub fn new(runtime: &Runtime) -> Result<Spectest, String> {
        let mut spectest = Spectest {
            items: HashMap::new(),
        };
        spectest.functions(runtime)?;
        spectest.globals(runtime)?;
        for (name, is_64) in [("table", false), ("table64", true)] {
            let limits = Limits {
                min: 10,
                max: Some(20),
            };
            let ty = TableType {
                element: ValueType::FUNCREF,
                limits,
                is_64,
            };
            spectest.add(name, Table::new(runtime, ty, Value::FuncRef(None)))?;
        }
        for (name, shared) in [("memory", false), ("shared_memory", true)] {
            let ty = MemoryType {
                limits: Limits {
                    min: 1,
                    max: Some(2),
                },
                is_64: false,
                shared,
                page_size_log2: WASM_PAGE_SIZE_LOG2,
            };
            spectest.add(name, Memory::new(runtime, ty))?;
        }
        Ok(spectest)
    }

    /// The item with this name.
    pub fn export(&self, name: &str) -> Option<Extern> {
        self.items.get(name).cloned()
    }

    fn add<T: Into<Extern>, E: Display>(
        &mut self,
        name: &'static str,
        item: Result<T, E>,
    ) -> Result<(), String> {
        let item = item.map_err(|error| format!("spectest {name}: {error}"))?;
        self.items.insert(name, item.into());
        Ok(())
    }

    /// Scripts call these for their types; nobody reads what they would print.
    fn functions(&mut self, runtime: &Runtime) -> Result<(), String> {
        use precast_loader::Caller;
        self.add("print", Func::new(runtime, |_: &mut Caller<'_>| {}))?;
        self.add(
            "print_i32",
            Func::new(runtime, |_: &mut Caller<'_>, _: i32| {}),
        )?;
        self.add(
            "print_i64",
            Func::new(runtime, |_: &mut Caller<'_>, _: i64| {}),
        )?;
        self.add(
            "print_f32",
            Func::new(runtime, |_: &mut Caller<'_>, _: f32| {}),
        )?;
        self.add(
            "print_f64",
            Func::new(runtime, |_: &mut Caller<'_>, _: f64| {}),
        )?;
        self.add(
            "print_i32_f32",
            Func::new(runtime, |_: &mut Caller<'_>, _: i32, _: f32| {}),
        )?;
        self.add(
            "print_f64_f64",
            Func::new(runtime, |_: &mut Caller<'_>, _: f64, _: f64| {}),
        )
    }

    fn globals(&mut self, runtime: &Runtime) -> Result<(), String> {
        let globals = [
            ("global_i32", Value::from(666i32)),
            ("global_i64", Value::from(666i64)),
            ("global_f32", Value::from(666.6f32)),
            ("global_f64", Value::from(666.6f64)),
        ];
        for (name, value) in globals {
            let ty = GlobalType {
                value: value.value_type(),
                mutable: false,
            };
            self.add(name, Global::new(runtime, ty, value))?;
        }
        Ok(())
    }
}
