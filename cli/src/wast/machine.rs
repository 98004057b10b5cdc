//! What a script runs on: code, a runtime, and instances.
//!
//! The whole way is gone for every module, through bytes: nothing that the compiler knows reaches
//! the loader but the artifact.

use super::code::Code;
use super::spectest::Spectest;
use super::stack::{StackKeeper, Stacks};
use precast_loader::{
    CallError, Imports, Instance, InstanceOptions, InstantiateError, Runtime, Source, Value,
};
use std::collections::HashMap;
use std::fmt;

/// Why something did not come to pass.
#[derive(Debug, Clone)]
pub enum Problem {
    /// The compiler refused the module because of a feature; its own words.
    Unsupported(String),
    /// The module is malformed or invalid.
    Invalid(String),
    /// An import is missing or does not fit.
    Unlinkable(String),
    /// Compiled code trapped, with this message.
    Trap(String),
    /// An exception left the outermost call; with its tag's type and its values.
    Exception(String),
    /// Anything else.
    Failed(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::Unsupported(message) => write!(f, "unsupported: {message}"),
            Problem::Invalid(message) => write!(f, "invalid module: {message}"),
            Problem::Unlinkable(message) => write!(f, "cannot link: {message}"),
            Problem::Trap(message) => write!(f, "trap: {message}"),
            Problem::Exception(message) => write!(f, "uncaught: {message}"),
            Problem::Failed(message) => f.write_str(message),
        }
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Problem {
        match error {
            CallError::Trap(trap) => Problem::Trap(trap.code().message().to_owned()),
            CallError::Exception(exception) => Problem::Exception(exception.to_string()),
            error => Problem::Failed(error.to_string()),
        }
    }
}

impl From<InstantiateError> for Problem {
    fn from(error: InstantiateError) -> Problem {
        match error {
            InstantiateError::Link(error) => Problem::Unlinkable(error.to_string()),
            InstantiateError::Trap(trap) => Problem::Trap(trap.code().message().to_owned()),
            InstantiateError::Start(error) => error.into(),
            error => Problem::Failed(error.to_string()),
        }
    }
}

/// What stands behind a name of the script.
#[derive(Debug, Clone)]
pub enum Defined {
    /// The host's module.
    Spectest,
    /// An instance.
    Instance(Instance),
    /// A module that the compiler does not support, with the reason.
    Unsupported(String),
    /// A module that failed where it should not have.
    Failed(String),
}

impl Defined {
    fn instance(&self) -> Result<&Instance, Problem> {
        match self {
            Defined::Instance(instance) => Ok(instance),
            Defined::Unsupported(reason) => Err(Problem::Unsupported(reason.clone())),
            Defined::Failed(message) => Err(Problem::Failed(format!("no module: {message}"))),
            Defined::Spectest => Err(Problem::Failed("`spectest` is not an instance".into())),
        }
    }

    /// Calls an exported function.
    pub fn call(
        &self,
        name: &str,
        arguments: &[Value],
        stacks: &StackKeeper,
    ) -> Result<Vec<Value>, Problem> {
        let instance = self.instance()?;
        let missing = |error| Problem::Failed(format!("function `{name}`: {error}"));
        let function = instance.untyped_func(name).map_err(missing)?;
        let mut results: Vec<Value> = function
            .func_type()
            .results()
            .iter()
            .map(|ty| Value::default_for(*ty))
            .collect();
        stacks.call(instance, name, |environment| {
            function.call(environment, arguments, &mut results)
        })?;
        Ok(results)
    }

    /// Reads an exported global.
    pub fn global(&self, name: &str) -> Result<Value, Problem> {
        let global = self.instance()?.global(name);
        let global = global.ok_or_else(|| Problem::Failed(format!("no global `{name}`")))?;
        global
            .get()
            .map_err(|error| Problem::Failed(error.to_string()))
    }
}

/// Where code comes from, and the loader's runtime.
pub struct Machine<'c> {
    /// What gives artifacts for modules.
    pub code: &'c dyn Code,
    runtime: Runtime,
    spectest: Spectest,
    /// Where functions run.
    pub stacks: StackKeeper,
}

impl<'c> Machine<'c> {
    /// A machine with a runtime of its own.
    pub fn new(code: &'c dyn Code, stacks: Stacks) -> Result<Machine<'c>, String> {
        let runtime = Runtime::system().map_err(|error| error.to_string())?;
        let spectest = Spectest::new(&runtime)?;
        Ok(Machine {
            code,
            runtime,
            spectest,
            stacks: StackKeeper::new(stacks),
        })
    }

    /// Loads an artifact and links it with what is registered.
    pub fn instantiate(
        &self,
        artifact: &[u8],
        registered: &HashMap<String, Defined>,
    ) -> Result<Defined, Problem> {
        let module = self
            .runtime
            .load_named_by_user(Source::copied(artifact))
            .map_err(|error| Problem::Failed(error.to_string()))?;
        let mut imports = Imports::new(&self.runtime);
        let failed = |error: precast_loader::OutOfMemory| Problem::Failed(error.to_string());
        for (module_name, name, _) in module.imports() {
            let item = match registered.get(module_name) {
                Some(Defined::Spectest) => self.spectest.export(name),
                Some(Defined::Instance(instance)) => instance.export(name),
                Some(other) => return Err(other.instance().map(|_| ()).unwrap_err()),
                None => None,
            };
            // What is missing is left out: the loader says so in its own words.
            if let Some(item) = item {
                imports.define(module_name, name, item).map_err(failed)?;
            }
        }
        Ok(Defined::Instance(
            module.instantiate(&imports, InstanceOptions::default())?,
        ))
    }
}
