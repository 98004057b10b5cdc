//! Backtraces: which functions were active when compiled code stopped.
//!
//! At the trap itself only program counters are written down, into the frame of the call (see
//! `trap::activation`). After the activation has ended they become functions and offsets here;
//! names are looked up when somebody asks.
//!
//! The calls that led to the one that stopped may be other groups' of instances: each activation
//! knows the group that it entered, and its program counters are looked up there.
#![forbid(unsafe_code)]

use core::fmt;

use precast_format::layout::SectionId;
use precast_format::plain::{Decimal, Hexadecimal};

use crate::alloc::{Category, Vec};
use crate::call::entry;
use crate::facility::Backtraces;
use crate::group::Entered;
use crate::module::Module;
use crate::printable::Printable;
use crate::trap::unwind::backtrace::HOST;
use crate::trap::{Activation, Pending, unwind};

/// One active function.
#[derive(Clone)]
pub struct Frame {
    module: Module,
    function: u32,
    wasm_offset: Option<u32>,
    host_call: HostCallState,
    /// The identity of the instance, or zero.
    instance: usize,
}

/// Whether a function was in a call to the host.
#[derive(Clone, Copy)]
enum HostCallState {
    /// It was not.
    None,
    /// It was, and this import was called if one is there.
    Import(Option<u32>),
}

/// A call to the host that a function was in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HostCall<'a> {
    /// The import by which the host function was called: module and name. None where it was called
    /// in another way: through a table, for example.
    pub import: Option<(&'a str, &'a str)>,
}

impl Frame {
    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The module's name from its name section. May hold any character: see [`Printable`].
    pub fn module_name(&self) -> Option<&str> {
        self.module.name()
    }

    /// The [`identity`](crate::Instance::identity) of the instance. None where several instances of the
    /// module are linked with each other: they have their code in common.
    pub fn instance_identity(&self) -> Option<usize> {
        (self.instance != 0).then_some(self.instance)
    }

    /// The function's index in the module, imports first.
    pub fn function_index(&self) -> u32 {
        self.function
    }

    /// The function's name, where the artifact has names. May hold any character: see [`Printable`].
    pub fn function_name(&self) -> Option<&str> {
        self.module.function_name(self.function)
    }

    /// Where in the wasm file the instruction is, where the artifact knows.
    pub fn wasm_offset(&self) -> Option<u32> {
        self.wasm_offset
    }

    /// Where in the wasm file the function's body begins.
    pub fn body_offset(&self) -> Option<u32> {
        let function = self.module.artifact().defined_function(self.function)?;
        Some(function.wasm_offset)
    }

    /// The call to the host that the function was in. The frames before this one, if there are any,
    /// are of calls that the host function made.
    pub fn host_call(&self) -> Option<HostCall<'_>> {
        match self.host_call {
            HostCallState::None => None,
            HostCallState::Import(index) => Some(HostCall {
                import: index.and_then(|index| self.module.imported_function(index)),
            }),
        }
    }

    /// Whether a caller is at the same place as the frame that it called.
    fn repeats(&self, called: &Frame) -> bool {
        self.module.is_same(&called.module)
            && (self.function, self.wasm_offset) == (called.function, called.wasm_offset)
            && matches!(self.host_call, HostCallState::None)
    }

    /// Writes what is to the right of the module's name.
    fn write_place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.function_name() {
            Some(name) => write!(f, "{}", Printable(name))?,
            None => write!(f, "function {}", Decimal(u64::from(self.function)))?,
        }
        match (self.wasm_offset, self.body_offset()) {
            (Some(offset), _) => write!(f, " at {}", Hexadecimal(u64::from(offset))),
            (None, Some(body)) => write!(f, " in the body at {}", Hexadecimal(u64::from(body))),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = self.module_name() {
            write!(f, "{}!", Printable(name))?;
        }
        self.write_place(f)
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for HostCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("host function")?;
        match self.import {
            Some((module, name)) => write!(f, " {}.{}", Printable(module), Printable(name)),
            None => Ok(()),
        }
    }
}

/// What the artifacts of a backtrace's modules do not hold, so that frames lack it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MissingTables {
    /// Names of functions.
    pub function_names: bool,
    /// Where in the wasm file calls are. The place of the trap itself is always there.
    pub call_sites: bool,
}

/// The functions that were active, innermost first.
#[derive(Default)]
pub struct Backtrace {
    /// None where there was no memory for it.
    frames: Option<Vec<Frame>>,
    truncated: bool,
}

impl Backtrace {
    /// A backtrace without frames: what stopped was not compiled code.
    pub(crate) const fn empty() -> Backtrace {
        Backtrace {
            frames: None,
            truncated: false,
        }
    }

    /// Finds the functions of the addresses that a trap left behind. Where memory runs out, the
    /// backtrace ends.
    pub(crate) fn resolve(activation: &Activation, group: &Entered<'_>) -> Backtrace {
        if !Backtraces::IS_BUILT_IN {
            return Backtrace::empty();
        }
        let raw = &activation.backtrace;
        let mut frames = Vec::new_in(group.runtime().allocator(), Category::Backtrace);
        let mut truncated = raw.is_truncated();
        let mut callers = unwind::callers(activation);
        let mut current = activation;
        let mut group = Some(group);
        let mut in_host = matches!(
            activation.pending,
            Pending::HostError | Pending::Exception { by_host: true, .. }
        );
        for (index, address) in raw.addresses().iter().enumerate() {
            if *address == HOST {
                in_host = true;
                let Some(caller) = callers.next() else { break };
                current = caller;
                group = entry::group_of(caller);
                continue;
            }
            let exact = index == 0 && raw.is_exact();
            let Some(group) = group else { continue };
            let Some(mut frame) = find(group, *address, exact) else {
                continue;
            };
            frame.instance = only_instance(group, &frame.module);
            if in_host {
                frame.host_call = HostCallState::Import(import(group, &frame, current));
                in_host = false;
            }
            if frames.try_push(frame).is_err() {
                truncated = true;
                break;
            }
        }
        Backtrace {
            frames: Some(frames),
            truncated,
        }
    }

    /// The frames, innermost first.
    pub fn frames(&self) -> &[Frame] {
        self.frames.as_ref().map_or(&[], |frames| frames.as_slice())
    }

    /// Whether there were more frames than are kept.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// What frames lack because an artifact does not hold it.
    pub fn missing_tables(&self) -> MissingTables {
        let mut missing = MissingTables::default();
        for frame in self.frames() {
            let artifact = frame.module.artifact();
            let is_absent = |section| artifact.section(section).size == 0;
            missing.function_names |=
                frame.function_name().is_none() && is_absent(SectionId::FunctionNames);
            missing.call_sites |= frame.wasm_offset.is_none() && is_absent(SectionId::CallSites);
        }
        missing
    }

    /// Whether the frames are of several modules.
    fn has_several_modules(&self) -> bool {
        let mut modules = self.frames().iter().map(|frame| &frame.module);
        modules
            .next()
            .is_some_and(|first| modules.any(|other| !other.is_same(first)))
    }

    /// The number of a frame's module among those without a name, in the order of their frames.
    fn nameless_number(&self, module: &Module) -> usize {
        let frames = self.frames();
        let mut number = 0;
        for (index, frame) in frames.iter().enumerate() {
            let before = frames.get(..index).unwrap_or_default();
            let is_known = before
                .iter()
                .any(|other| other.module.is_same(&frame.module));
            number += usize::from(frame.module_name().is_none() && !is_known);
            if frame.module.is_same(module) {
                break;
            }
        }
        number
    }
}

/// The function that an address belongs to; none for trampolines and adapters.
fn find(group: &Entered<'_>, address: usize, exact: bool) -> Option<Frame> {
    group.find_instance(|instance| {
        let module = instance.module();
        let offset = u32::try_from(address.checked_sub(module.text().start)?).ok()?;
        let artifact = module.artifact();
        // A return address can lie behind the last instruction of its function.
        let inside = if exact {
            offset
        } else {
            offset.checked_sub(1)?
        };
        let function = artifact.functions().containing(inside)?;
        let wasm_offset = if exact {
            artifact
                .traps()
                .lookup(offset)
                .map(|(_, wasm_offset)| wasm_offset)
        } else {
            let call = artifact.call_sites().lookup(offset);
            // A trap that is raised by a call is recorded as a trap site, at its return address.
            call.or_else(|| Some(artifact.traps().lookup(offset)?.1))
        };
        let function = artifact
            .counts()
            .imported_functions
            .checked_add(function.index)?;
        Some(Frame {
            module: module.clone(),
            function,
            wasm_offset,
            host_call: HostCallState::None,
            instance: 0,
        })
    })
}

/// The identity of the group's instance of a module, or zero if there are several.
fn only_instance(group: &Entered<'_>, module: &Module) -> usize {
    let mut found = 0;
    let second = group.find_instance(|instance| {
        if !instance.module().is_same(module) {
            return None;
        }
        let is_second = found != 0;
        found = core::ptr::from_ref(instance).addr();
        is_second.then_some(())
    });
    match second {
        Some(()) => 0,
        None => found,
    }
}

/// The import of the frame's module that is the host function which the activation called last.
fn import(group: &Entered<'_>, frame: &Frame, activation: &Activation) -> Option<u32> {
    group.find_instance(|instance| {
        if instance.module().is_same(&frame.module) {
            instance.import_of_host_function(activation.host_function)
        } else {
            None
        }
    })
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !Backtraces::IS_BUILT_IN {
            return Ok(());
        }
        let several = self.has_several_modules();
        let mut index = 0;
        while let Some([frame, rest @ ..]) = self.frames().get(index..) {
            if let Some(call) = frame.host_call() {
                write!(f, "\n     {call}")?;
            }
            // Recursion is one line.
            let repeated = rest.iter().take_while(|next| next.repeats(frame)).count();
            match repeated {
                0 => write!(f, "\n  {}: ", Decimal(index as u64))?,
                _ => {
                    let last = index.saturating_add(repeated);
                    write!(
                        f,
                        "\n  {}-{}: ",
                        Decimal(index as u64),
                        Decimal(last as u64)
                    )?;
                }
            }
            if several && frame.module_name().is_none() {
                let number = self.nameless_number(&frame.module);
                write!(f, "<module {}>!", Decimal(number as u64))?;
                frame.write_place(f)?;
            } else {
                fmt::Display::fmt(frame, f)?;
            }
            index += repeated + 1;
        }
        if self.truncated {
            let kept = Decimal(self.frames().len() as u64);
            write!(
                f,
                "\n  ... more frames follow; the innermost {kept} are kept"
            )?;
        }
        match self.missing_tables() {
            MissingTables {
                function_names: true,
                call_sites: true,
            } => f.write_str("\n  (stripped: no function names, no offsets of calls)"),
            MissingTables {
                function_names: true,
                ..
            } => f.write_str("\n  (stripped: no function names)"),
            MissingTables {
                call_sites: true, ..
            } => f.write_str("\n  (stripped: no offsets of calls)"),
            MissingTables { .. } => Ok(()),
        }
    }
}

impl fmt::Debug for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.frames()).finish()
    }
}
