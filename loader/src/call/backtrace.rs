//! Backtraces: which functions were active when compiled code stopped.
//!
//! At the trap itself only program counters are written down, into the frame of the call (see
//! `trap::activation`). After the activation has ended they become functions and offsets here;
//! names are looked up when somebody asks.
#![forbid(unsafe_code)]

use core::fmt;

use crate::alloc::{Category, Vec};
use crate::group::Entered;
use crate::module::Module;
use crate::trap::Activation;

/// One active function.
#[derive(Clone)]
pub struct Frame {
    module: Module,
    function: u32,
    wasm_offset: Option<u32>,
}

impl Frame {
    /// The module.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The function's index in the module, imports first.
    pub fn function_index(&self) -> u32 {
        self.function
    }

    /// The function's name, where the artifact has names.
    pub fn function_name(&self) -> Option<&str> {
        self.module.function_name(self.function)
    }

    /// Where in the wasm file the instruction is, where the artifact knows.
    pub fn wasm_offset(&self) -> Option<u32> {
        self.wasm_offset
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.module.name().unwrap_or("<module>"))?;
        match self.function_name() {
            Some(name) => write!(f, "!{name}")?,
            None => write!(f, "!function {}", self.function)?,
        }
        match self.wasm_offset {
            Some(offset) => write!(f, " at {offset:#x}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
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
        let raw = &activation.backtrace;
        let mut frames = Vec::new_in(group.runtime().allocator(), Category::Backtrace);
        let mut truncated = raw.is_truncated();
        for (index, address) in raw.addresses().iter().enumerate() {
            let exact = index == 0 && raw.is_exact();
            let Some(frame) = find(group, *address, exact) else {
                continue;
            };
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
        })
    })
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, frame) in self.frames().iter().enumerate() {
            write!(f, "\n  {index}: {frame}")?;
        }
        if self.truncated {
            f.write_str("\n  ...")
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.frames()).finish()
    }
}
