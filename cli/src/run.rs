//! `precast run`: runs a program, from an artifact or from a module that is compiled first.
//!
//! An artifact starts fast: its file is mapped and nothing of the compiler is touched.

use crate::failure::Failure;
use crate::flags::code::CodeFlags;
use crate::flags::memory::MemoryFlags;
use crate::flags::profile::ProfileFlags;
use crate::flags::program::Program;
use crate::input::{self, Purpose};
use crate::memory::{plan, profile as memory_profile};
use crate::{Outcome, call_profile, output};
use clap::Args;
use precast_loader::{
    CallError, ExecutionEnvironment, ExternType, Func, Imports, Instance, InstantiateError, Memory,
    Source, Value,
};
use precast_wasi::{Ended, THREAD_SPAWN, THREADS, Threads, WasiContext};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// Arguments of `precast run`.
#[derive(Args)]
pub struct RunArguments {
    #[command(flatten)]
    program: Program,
    #[command(flatten)]
    memory: MemoryFlags,
    #[command(flatten)]
    profile: ProfileFlags,
    #[command(flatten)]
    code: CodeFlags,
}

/// Runs the subcommand.
pub fn run(arguments: &RunArguments) -> Outcome {
    let (program, memory, profile) = (&arguments.program, &arguments.memory, &arguments.profile);
    let path: &Path = &program.input;
    if input::is_artifact_file(path) {
        return run_artifact(program, Source::file(path), memory, profile);
    }
    let purpose = Purpose {
        pool: memory.in_pool(),
        call_profile: profile.calls().destination().is_some(),
    };
    let artifact = input::artifact(path, &arguments.code, purpose)?;
    run_artifact(program, Source::given(artifact), memory, profile)
}

/// Runs a program whose input is the file of an artifact.
pub fn run_file(program: &Program) -> Outcome {
    run_source(program, Source::file(&program.input))
}

/// Runs a program that lies elsewhere.
pub fn run_source(program: &Program, source: Source<'_>) -> Outcome {
    let (memory, profile) = (MemoryFlags::default(), ProfileFlags::default());
    run_artifact(program, source, &memory, &profile)
}

fn run_artifact(
    program: &Program,
    source: Source<'_>,
    memory: &MemoryFlags,
    profile: &ProfileFlags,
) -> Outcome {
    let runtime = memory.runtime()?;
    let module = runtime
        .load_named_by_user(source)
        .map_err(|error| Failure::at(&program.input, error))?;
    call_profile::check(profile.calls(), &module)?;
    let _listed = profile.list(&module)?;
    let context = program.wasi_context(memory.open_files())?;
    let wants_wasi = module.imports().any(|(from, ..)| plan::is_wasi(from));
    // In the order of the plan, so that a pool of the size that it gives is enough.
    let context = wants_wasi.then(|| context.build(&runtime)).transpose();
    let context = context.map_err(Failure::new)?;
    let wants_threads = Threads::are_wanted(&module);
    let mut of_threads = memory.thread_options();
    of_threads.instance = call_profile::instance_options(profile.calls(), of_threads.instance);
    let threads = wants_threads
        .then(|| Threads::new(&module, context.as_ref(), of_threads))
        .transpose()
        .map_err(Failure::new)?;
    let mut imports = Imports::for_module(&module).map_err(Failure::new)?;
    for (from, name, ty) in module.imports() {
        define(
            &mut imports,
            context.as_ref(),
            threads.as_ref(),
            memory,
            (from, name, ty),
        )?;
    }
    let options = memory.instance_options();
    let options = call_profile::instance_options(profile.calls(), options);
    let instance = match &threads {
        Some(threads) => threads.instantiate(imports, options),
        None => module.instantiate(&imports, options),
    };
    let instance = match instance {
        Ok(instance) => instance,
        Err(error) => {
            let reported = memory_profile::report(memory, &runtime, None);
            return ended_early(&error).and_then(|code| reported.map(|()| code));
        }
    };
    memory.tell_clamped_limits(&instance);
    let environment = instance.execution_environment(memory.stack());
    let mut environment = environment.map_err(Failure::new)?;
    memory.measure_stacks(&instance, &mut environment);
    let threads = threads.as_ref();
    let outcome = match &program.invoke {
        Some(name) => {
            let arguments = &program.arguments;
            invoke(&instance, threads, &mut environment, name, arguments)
        }
        None => start(&instance, threads, &mut environment),
    };
    // What the program did counts first, however it ended.
    let reported = memory_profile::report(memory, &runtime, Some((&instance, &environment)));
    let counted = call_profile::report(profile.calls(), &instance);
    outcome.and_then(|code| reported.and(counted).map(|()| code))
}

/// Defines what is imported under a name, if it is something of ours: a function of WASI, the start
/// of threads, a memory for them.
fn define(
    imports: &mut Imports,
    context: Option<&WasiContext>,
    threads: Option<&Threads>,
    flags: &MemoryFlags,
    (module, name, ty): (&str, &str, ExternType),
) -> Outcome<()> {
    if let (Some(threads), (THREADS, THREAD_SPAWN)) = (threads, (module, name)) {
        return threads.define(imports).map_err(Failure::new);
    }
    if let ExternType::Memory(ty) = ty {
        if ty.shared {
            let memory = Memory::new(imports.runtime(), flags.memory_type(ty));
            let memory =
                memory.map_err(|error| Failure::new(format_args!("the memory: {error}")))?;
            imports
                .memory(module, name, &memory)
                .map_err(Failure::new)?;
        }
        return Ok(());
    }
    if let Some(context) = context {
        context
            .define_named(imports, module, name)
            .map_err(Failure::new)?;
    }
    Ok(())
}

/// Runs main, and the threads that it starts.
fn run_main<T>(
    threads: Option<&Threads>,
    main: impl FnOnce() -> Result<T, CallError>,
) -> Result<T, Ended> {
    match threads {
        Some(threads) => threads.run(main),
        None => main().map_err(|error| Ended {
            thread: None,
            error,
        }),
    }
}

/// Runs a command from `_start`, or prepares a reactor with `_initialize`.
fn start(
    instance: &Instance,
    threads: Option<&Threads>,
    environment: &mut ExecutionEnvironment<'_>,
) -> Outcome {
    let name = ["_start", "_initialize"]
        .into_iter()
        .find(|name| instance.export(name).is_some());
    let Some(name) = name else {
        return Err(Failure::new(
            "the module exports neither `_start` nor `_initialize`; --invoke NAME calls a function",
        ));
    };
    let function = instance.func::<(), ()>(name);
    let function = function.map_err(|error| Failure::new(format_args!("`{name}`: {error}")))?;
    match run_main(threads, || function.call(environment, ())) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(end) => ended(&end.error, &end),
    }
}

/// Calls an export with arguments from the command line.
fn invoke(
    instance: &Instance,
    threads: Option<&Threads>,
    environment: &mut ExecutionEnvironment<'_>,
    name: &str,
    arguments: &[OsString],
) -> Outcome {
    let failed =
        |message: &dyn std::fmt::Display| Failure::new(format_args!("`{name}`: {message}"));
    let function = instance
        .untyped_func(name)
        .map_err(|error| failed(&error))?;
    let parameters = parameters(&function, arguments)
        .map_err(|message| Failure::usage(format_args!("`{name}`: {message}")))?;
    let mut results: Vec<Value> = function
        .func_type()
        .results()
        .iter()
        .map(|ty| Value::default_for(*ty))
        .collect();
    let called = run_main(threads, || {
        // A reactor has to be initialised before anything else of it is called.
        if let Ok(initialize) = instance.func::<(), ()>("_initialize") {
            initialize.call(environment, ())?;
        }
        function.call(environment, &parameters, &mut results)
    });
    if let Err(end) = called {
        return ended(&end.error, &end);
    }
    let lines: String = results.iter().map(|value| format!("{value}\n")).collect();
    output::print(&lines)?;
    Ok(ExitCode::SUCCESS)
}

/// Reads the arguments as values of the function's parameters.
fn parameters(function: &Func, arguments: &[OsString]) -> Result<Vec<Value>, String> {
    let ty = function.func_type();
    if ty.params().len() != arguments.len() {
        let (want, got) = (ty.params().len(), arguments.len());
        return Err(format!(
            "takes {want} arguments, not {got}: its type is {ty}"
        ));
    }
    let texts = arguments.iter().map(|text| text.to_string_lossy());
    ty.params()
        .iter()
        .zip(texts)
        .map(|(ty, text)| {
            let value = match Value::default_for(*ty) {
                Value::I32(_) => integer(&text, 32).map(|number| Value::I32(number as i32)),
                Value::I64(_) => integer(&text, 64).map(Value::I64),
                Value::F32(_) => text.parse::<f32>().ok().map(Value::from),
                Value::F64(_) => text.parse::<f64>().ok().map(Value::from),
                _ => {
                    return Err(format!(
                        "a parameter of type {ty} has no form on a command line"
                    ));
                }
            };
            value.ok_or_else(|| format!("`{text}` is not of type {ty}"))
        })
        .collect()
}

/// A number with a sign or without, decimal or hexadecimal, that fits into so many bits.
fn integer(text: &str, bits: u32) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let magnitude = match digits.strip_prefix("0x") {
        Some(digits) => i128::from(u64::from_str_radix(digits, 16).ok()?),
        None => i128::from(digits.parse::<u64>().ok()?),
    };
    let number = if negative { -magnitude } else { magnitude };
    let range = -(1i128 << (bits - 1))..1i128 << bits;
    range.contains(&number).then_some(number as i64)
}

/// The end of a call that did not return: the program's exit code, or a trap or an exception, told with
/// a message.
fn ended(error: &CallError, message: &dyn std::fmt::Display) -> Outcome {
    match error {
        // The system keeps the low byte of an exit code.
        CallError::Exit(code) => Ok(ExitCode::from(*code as u8)),
        CallError::Trap(_) | CallError::Exception(_) => Err(Failure::trap(message)),
        _ => Err(Failure::new(message)),
    }
}

/// The same for a start function.
fn ended_early(error: &InstantiateError) -> Outcome {
    match error {
        InstantiateError::Start(error) => ended(error, error),
        InstantiateError::Trap(trap) => Err(Failure::trap(trap)),
        error => Err(Failure::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::integer;

    #[test]
    fn integers_are_signed_or_unsigned() {
        assert_eq!(integer("-1", 32), Some(-1));
        assert_eq!(integer("4294967295", 32), Some(0xffff_ffff));
        assert_eq!(integer("4294967296", 32), None);
        assert_eq!(integer("0xffffffffffffffff", 64), Some(-1));
        assert_eq!(integer("-0x8000000000000000", 64), Some(i64::MIN));
        assert_eq!(integer("x", 64), None);
    }
}
