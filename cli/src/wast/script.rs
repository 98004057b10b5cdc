//! The interpreter of scripts: directives in order, each counted once.
//!
//! A module that the compiler refuses because of an unsupported feature is remembered with the
//! compiler's reason, and whatever is said about it later is skipped for that reason. Nothing is
//! skipped by name.

use super::code::Code;
use super::machine::{Defined, Machine, Problem};
use super::matching;
use super::modules;
use super::outcome::Report;
use super::stack::Stacks;
use super::stored::Stored;
use precast_loader::Value;
use std::collections::HashMap;
use std::thread::{Scope, ScopedJoinHandle};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::{Id, Span};
use wast::{
    QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, WastThread, Wat,
};

/// Runs a script with such code, on such stacks.
///
/// # Errors
///
/// When the text is no script; the message shows the place.
pub fn run_script(
    name: &str,
    text: &str,
    code: &dyn Code,
    stacks: Stacks,
) -> Result<Report, String> {
    with_directives(name, text, |directives| {
        let machine = Machine::new(code, stacks)?;
        Ok(std::thread::scope(|scope| {
            let mut script = Script::new(scope, &machine, text);
            script.run(directives);
            script.report.stack = machine.stacks.figures();
            script.report
        }))
    })
}

/// Compiles the modules of a script, without running it.
///
/// # Errors
///
/// When the text is no script; the message shows the place.
pub fn compile_script(name: &str, text: &str, code: &dyn Code) -> Result<Stored, String> {
    with_directives(name, text, |directives| {
        Ok(Stored::ask(code, modules::of(directives).iter()))
    })
}

fn with_directives<T>(
    name: &str,
    text: &str,
    then: impl FnOnce(Vec<WastDirective<'_>>) -> Result<T, String>,
) -> Result<T, String> {
    let show = |mut error: wast::Error| {
        error.set_text(text);
        error.set_path(name.as_ref());
        error.to_string()
    };
    let mut lexer = Lexer::new(text);
    // The suite has names with characters that an editor would show in the wrong order.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer).map_err(show)?;
    then(parser::parse::<Wast<'_>>(&buffer).map_err(show)?.directives)
}

/// The state of a script, or of one of its threads.
struct Script<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    machine: &'env Machine<'env>,
    text: &'env str,
    /// Instances by the script's name for them; the empty name is the latest one.
    instances: HashMap<String, Defined>,
    /// Artifacts of module definitions, to be instantiated by name.
    definitions: HashMap<String, Result<Vec<u8>, Problem>>,
    /// Instances that other modules import, by the name that they import.
    registered: HashMap<String, Defined>,
    threads: HashMap<String, ScopedJoinHandle<'scope, Report>>,
    report: Report,
}

/// What a directive came to, if it did not hold.
enum Verdict {
    /// Something else happened than expected.
    Wrong(String),
    /// The module is not supported, for this reason.
    Skipped(String),
}

impl From<Problem> for Verdict {
    fn from(problem: Problem) -> Verdict {
        match problem {
            Problem::Unsupported(reason) => Verdict::Skipped(reason),
            problem => Verdict::Wrong(problem.to_string()),
        }
    }
}

impl<'scope, 'env> Script<'scope, 'env> {
    fn new(
        scope: &'scope Scope<'scope, 'env>,
        machine: &'env Machine<'env>,
        text: &'env str,
    ) -> Script<'scope, 'env> {
        Script {
            scope,
            machine,
            text,
            instances: HashMap::new(),
            definitions: HashMap::new(),
            registered: HashMap::from([("spectest".to_owned(), Defined::Spectest)]),
            threads: HashMap::new(),
            report: Report::default(),
        }
    }

    fn run(&mut self, directives: Vec<WastDirective<'env>>) {
        for directive in directives {
            let line = self.line(directive.span());
            let asserts = is_assertion(&directive);
            match self.directive(directive) {
                Ok(()) if asserts => self.report.passed += 1,
                Ok(()) => {}
                Err(Verdict::Wrong(message)) => self.report.fail(line, message),
                Err(Verdict::Skipped(reason)) if asserts => self.report.skip(&reason),
                // The assertions about a module that is not supported are counted, it is not.
                Err(Verdict::Skipped(_)) => {}
            }
        }
        for (_, thread) in self.threads.drain() {
            join(thread, &mut self.report);
        }
    }

    fn line(&self, span: Span) -> usize {
        span.linecol_in(self.text).0 + 1
    }

    fn directive(&mut self, directive: WastDirective<'env>) -> Result<(), Verdict> {
        match directive {
            WastDirective::Module(mut module) => {
                let name = name_of(module.name());
                let instance = self.instantiate(&mut module);
                self.define(name, instance)
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = name_of(module.name());
                let artifact = self.artifact(&mut module);
                let verdict = artifact
                    .as_ref()
                    .map(|_| ())
                    .map_err(|problem| problem.clone().into());
                self.definitions.insert(String::new(), artifact.clone());
                self.definitions.insert(name, artifact);
                verdict
            }
            WastDirective::ModuleInstance {
                instance, module, ..
            } => {
                let artifact = match self.definitions.get(&name_of(module)) {
                    Some(artifact) => artifact.clone(),
                    None => return Err(Verdict::Wrong("no definition of this name".into())),
                };
                let defined = artifact.and_then(|artifact| self.link(&artifact));
                self.define(name_of(instance), defined)
            }
            WastDirective::Register { name, module, .. } => {
                let instance = self.instance(module)?.clone();
                self.registered.insert(name.to_owned(), instance.clone());
                match instance {
                    Defined::Unsupported(reason) => Err(Verdict::Skipped(reason)),
                    _ => Ok(()),
                }
            }
            WastDirective::Invoke(invoke) => {
                self.invoke(&invoke).map(|_| ()).map_err(Verdict::from)
            }
            WastDirective::AssertReturn { exec, results, .. } => self.assert_return(exec, &results),
            WastDirective::AssertTrap { exec, message, .. } => {
                let result = self.execute(exec);
                assert_trap(result, message)
            }
            WastDirective::AssertExhaustion { call, message, .. } => {
                assert_trap(self.invoke(&call), message)
            }
            WastDirective::AssertException { exec, .. } => match self.execute(exec) {
                Err(Problem::Exception(_)) => Ok(()),
                Err(Problem::Unsupported(reason)) => Err(Verdict::Skipped(reason)),
                result => Err(unexpected("an exception", result)),
            },
            WastDirective::AssertSuspension { exec, .. } => match self.execute(exec) {
                Err(Problem::Unsupported(reason)) => Err(Verdict::Skipped(reason)),
                result => Err(unexpected("a suspension", result)),
            },
            WastDirective::AssertMalformed { mut module, .. }
            | WastDirective::AssertInvalid { mut module, .. } => self.assert_refused(&mut module),
            WastDirective::AssertMalformedCustom { mut module, .. }
            | WastDirective::AssertInvalidCustom { mut module, .. } => {
                // What a custom section says is a matter of text here: the compiler carries the
                // sections through without reading them.
                match self.artifact(&mut module) {
                    Err(Problem::Invalid(_)) => Ok(()),
                    Err(problem) => Err(problem.into()),
                    Ok(_) => Err(Verdict::Skipped("custom sections are not validated".into())),
                }
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                match self.instantiate(&mut QuoteWat::Wat(module)) {
                    Err(Problem::Unlinkable(_)) => Ok(()),
                    Err(problem) => Err(problem.into()),
                    Ok(_) => Err(Verdict::Wrong("the module was linked".into())),
                }
            }
            WastDirective::Thread(thread) => self.spawn(thread),
            WastDirective::Wait { thread, .. } => match self.threads.remove(thread.name()) {
                Some(thread) => {
                    join(thread, &mut self.report);
                    Ok(())
                }
                None => Err(Verdict::Wrong("no thread of this name".into())),
            },
        }
    }

    /// The artifact of a module of the script.
    fn artifact(&self, module: &mut QuoteWat<'_>) -> Result<Vec<u8>, Problem> {
        self.machine.code.artifact(&encode(module)?)
    }

    fn instantiate(&self, module: &mut QuoteWat<'_>) -> Result<Defined, Problem> {
        let artifact = self.artifact(module)?;
        self.link(&artifact)
    }

    fn link(&self, artifact: &[u8]) -> Result<Defined, Problem> {
        self.machine.instantiate(artifact, &self.registered)
    }

    /// Remembers an instance as the latest and under its name, also where it is not supported.
    fn define(&mut self, name: String, instance: Result<Defined, Problem>) -> Result<(), Verdict> {
        let (instance, verdict) = match instance {
            Ok(instance) => (instance, Ok(())),
            Err(Problem::Unsupported(reason)) => (
                Defined::Unsupported(reason.clone()),
                Err(Verdict::Skipped(reason)),
            ),
            Err(problem) => {
                // Later directives must not reach an earlier module by mistake.
                (Defined::Failed(problem.to_string()), Err(problem.into()))
            }
        };
        self.instances.insert(String::new(), instance.clone());
        self.instances.insert(name, instance);
        verdict
    }

    fn instance(&self, name: Option<Id<'_>>) -> Result<&Defined, Problem> {
        let missing = || Problem::Failed("no module of this name".into());
        self.instances.get(&name_of(name)).ok_or_else(missing)
    }

    fn invoke(&self, invoke: &WastInvoke<'_>) -> Result<Vec<Value>, Problem> {
        let instance = self.instance(invoke.module)?;
        let mut arguments = Vec::new();
        for argument in &invoke.args {
            let value = match argument {
                WastArg::Core(argument) => matching::argument(argument),
                other => Err(format!("the argument {other:?} is of an unsupported type")),
            };
            // The module comes first: what it does not support explains the argument.
            arguments.push(value.map_err(|message| match instance {
                Defined::Unsupported(reason) => Problem::Unsupported(reason.clone()),
                _ => Problem::Failed(message),
            })?);
        }
        instance.call(invoke.name, &arguments, &self.machine.stacks)
    }

    fn execute(&self, execute: WastExecute<'_>) -> Result<Vec<Value>, Problem> {
        match execute {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(module) => self
                .instantiate(&mut QuoteWat::Wat(module))
                .map(|_| Vec::new()),
            WastExecute::Get { module, global, .. } => self
                .instance(module)?
                .global(global)
                .map(|value| vec![value]),
        }
    }

    /// Malformed and invalid modules are refused, for whatever reason: one that later features
    /// would make valid is refused for want of them.
    ///
    /// A script of a proposal may expect refusals that a newer version took back; what is accepted
    /// for that reason is skipped.
    fn assert_refused(&self, module: &mut QuoteWat<'_>) -> Result<(), Verdict> {
        let wasm = match encode(module) {
            Err(Problem::Invalid(_)) => return Ok(()),
            encoded => encoded?,
        };
        match self.machine.code.artifact(&wasm) {
            Err(Problem::Invalid(_) | Problem::Unsupported(_)) => Ok(()),
            Err(problem) => Err(problem.into()),
            Ok(_) => match self.machine.code.reason_of_earlier(&wasm) {
                Some(reason) => Err(Verdict::Skipped(format!("made valid later: {reason}"))),
                None => Err(Verdict::Wrong("the module was accepted".into())),
            },
        }
    }

    fn assert_return(
        &self,
        execute: WastExecute<'_>,
        expected: &[WastRet<'_>],
    ) -> Result<(), Verdict> {
        let actual = self.execute(execute)?;
        let matches = expected.len() == actual.len()
            && expected
                .iter()
                .zip(&actual)
                .all(|(expected, actual)| match expected {
                    WastRet::Core(expected) => matching::matches(expected, actual),
                    _ => false,
                });
        if matches {
            Ok(())
        } else {
            let expected: Vec<String> = expected
                .iter()
                .map(|expected| match expected {
                    WastRet::Core(expected) => matching::describe(expected),
                    other => format!("{other:?}"),
                })
                .collect();
            let message = format!("expected [{}], got {}", expected.join(", "), show(&actual));
            Err(Verdict::Wrong(message))
        }
    }

    fn spawn(&mut self, thread: WastThread<'env>) -> Result<(), Verdict> {
        let mut inner = Script::new(self.scope, self.machine, self.text);
        if let Some(shared) = thread.shared_module {
            let instance = self.instance(Some(shared))?.clone();
            inner.instances.insert(shared.name().to_owned(), instance);
        }
        let directives = thread.directives;
        let handle = self.scope.spawn(move || {
            inner.run(directives);
            inner.report
        });
        self.threads.insert(thread.name.name().to_owned(), handle);
        Ok(())
    }
}

/// The binary form of a module.
pub(super) fn encode(module: &mut QuoteWat<'_>) -> Result<Vec<u8>, Problem> {
    if matches!(
        module,
        QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..)
    ) {
        return Err(Problem::Unsupported("the module needs components".into()));
    }
    module
        .encode()
        .map_err(|error| Problem::Invalid(error.message()))
}

fn join(thread: ScopedJoinHandle<'_, Report>, report: &mut Report) {
    match thread.join() {
        Ok(inner) => report.add(inner),
        Err(_) => report.fail(0, "a thread of the script panicked".into()),
    }
}

fn name_of(id: Option<Id<'_>>) -> String {
    id.map_or_else(String::new, |id| id.name().to_owned())
}

fn is_assertion(directive: &WastDirective<'_>) -> bool {
    use WastDirective::{Invoke, Module, ModuleDefinition, ModuleInstance, Register, Thread, Wait};
    !matches!(
        directive,
        Module(_)
            | ModuleDefinition(_)
            | ModuleInstance { .. }
            | Register { .. }
            | Invoke(_)
            | Thread(_)
            | Wait { .. }
    )
}

/// The suite's messages are sometimes longer than ours, and sometimes shorter.
fn assert_trap(result: Result<Vec<Value>, Problem>, expected: &str) -> Result<(), Verdict> {
    match result {
        Err(Problem::Trap(message))
            if message.starts_with(expected) || expected.starts_with(&message) =>
        {
            Ok(())
        }
        Err(Problem::Unsupported(reason)) => Err(Verdict::Skipped(reason)),
        result => Err(unexpected(&format!("the trap `{expected}`"), result)),
    }
}

fn unexpected(expected: &str, result: Result<Vec<Value>, Problem>) -> Verdict {
    Verdict::Wrong(match result {
        Ok(values) => format!("expected {expected}, got {}", show(&values)),
        Err(problem) => format!("expected {expected}, got: {problem}"),
    })
}

fn show(values: &[Value]) -> String {
    let shown: Vec<String> = values
        .iter()
        .map(|value| format!("{} {value}", value.value_type()))
        .collect();
    format!("[{}]", shown.join(", "))
}
