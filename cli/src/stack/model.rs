//! What the reports show: exports with their bounds, and paths through the functions.

use precast_format::Artifact;
use precast_format::stack_depth::{CallKind, DepthStep, FunctionDepth, StackDepth, region_size};
use precast_format::types::ExternKind;
use std::collections::BTreeSet;

/// The figures of an artifact.
pub struct Model {
    /// What to call the artifact.
    pub name: String,
    /// Exported functions in the order of the module, then the start function.
    pub roots: Vec<Root>,
    /// Every function, imports first.
    pub functions: Vec<Function>,
    /// Bytes below the stack limit that code uses unchecked.
    pub stack_reserve: u32,
}

/// Where the host can enter.
pub struct Root {
    /// The export's name; none is the start function.
    pub export: Option<String>,
    /// The function, imports first.
    pub function: u32,
    /// The bound; none for an import.
    pub depth: Option<StackDepth>,
    /// Size of a stack that is enough, where there is a bound.
    pub region: Option<u64>,
}

/// A function.
pub struct Function {
    /// Its name, or its index in words.
    pub name: String,
    /// What it has if it is defined here.
    pub defined: Option<Defined>,
}

/// A defined function.
pub struct Defined {
    /// Size of its frame in bytes.
    pub frame: u32,
    /// Offset of its body in the module.
    pub wasm_offset: u32,
    /// How deep it goes, if the artifact says so.
    pub depth: Option<FunctionDepth>,
}

/// A place on a path.
pub struct Place {
    /// The function; none is the entry trampoline.
    pub function: Option<u32>,
    /// The frame in bytes: of an imported function, the adapter's.
    pub frame: u32,
    /// Bytes from the start of the call to the end of this frame, where the path has a bound.
    pub total: Option<u32>,
    /// How it is called by the one before.
    pub kind: Option<CallKind>,
    /// Whether it was on the path before.
    pub again: bool,
}

impl Model {
    /// Reads the figures.
    pub fn new(name: String, artifact: &Artifact<'_>) -> Model {
        let stack_reserve = artifact.header().tunables.stack_reserve;
        let root = |export: Option<String>, function| {
            let depth = artifact.stack_depth(function);
            let region = match depth {
                Some(StackDepth::Bytes { bytes, .. }) => Some(region_size(bytes, stack_reserve)),
                _ => None,
            };
            Root {
                export,
                function,
                depth,
                region,
            }
        };
        let exports = artifact.exports().into_iter();
        let exports = exports.filter(|export| export.kind == ExternKind::Function);
        let mut roots: Vec<Root> = exports
            .map(|export| root(Some(export.name.to_owned()), export.index))
            .collect();
        roots.extend(artifact.start_function().map(|index| root(None, index)));
        let functions = 0..artifact.index_space(ExternKind::Function);
        Model {
            name,
            roots,
            functions: functions.map(|index| function(artifact, index)).collect(),
            stack_reserve,
        }
    }

    /// The root whose path is worth a look: the deepest, or the first without a bound.
    pub fn deepest(&self) -> Option<&Root> {
        let rank = |root: &&Root| match root.depth {
            None => 0,
            Some(StackDepth::Bytes { bytes, .. }) => 1 + u64::from(bytes),
            Some(_) => u64::MAX,
        };
        // Of those that are equal, the first.
        self.roots.iter().rev().max_by_key(rank)
    }

    /// The root with this export name.
    pub fn root(&self, name: &str) -> Option<&Root> {
        let mut roots = self.roots.iter();
        roots.find(|root| root.export.as_deref() == Some(name))
    }

    /// The name of a function.
    pub fn function_name(&self, function: u32) -> &str {
        let function = self.functions.get(function as usize);
        function.map_or("?", |function| &function.name)
    }

    /// Whether the artifact tells paths.
    pub fn has_paths(&self) -> bool {
        let mut defined = self.functions.iter().filter_map(|it| it.defined.as_ref());
        defined.all(|function| function.depth.is_some())
    }

    /// How a function goes on.
    pub fn depth(&self, function: u32) -> Option<FunctionDepth> {
        self.functions
            .get(function as usize)?
            .defined
            .as_ref()?
            .depth
    }

    /// The deepest path of a root, or the way to what is in the way of a bound; empty where the
    /// artifact does not tell.
    pub fn path(&self, root: &Root) -> Vec<Place> {
        let bytes = match root.depth {
            Some(StackDepth::Bytes { bytes, .. }) => Some(bytes),
            _ => None,
        };
        let mut path = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = Some((root.function, None));
        if let (Some(bytes), Some(depth)) = (bytes, self.depth(root.function)) {
            let frame = bytes.saturating_sub(depth.depth.unwrap_or(bytes));
            path.push(Place {
                function: None,
                frame,
                total: Some(frame),
                kind: None,
                again: false,
            });
        }
        let mut left = None;
        while let Some((index, kind)) = next.take() {
            let defined = self
                .functions
                .get(index as usize)
                .and_then(|function| function.defined.as_ref());
            let again = !seen.insert(index);
            let Some(defined) = defined else {
                path.push(Place {
                    function: Some(index),
                    frame: left.unwrap_or(0),
                    total: bytes,
                    kind,
                    again,
                });
                break;
            };
            let Some(depth) = defined.depth else {
                break;
            };
            let below = depth.depth.map(|depth| depth.saturating_sub(defined.frame));
            path.push(Place {
                function: Some(index),
                frame: defined.frame,
                total: bytes
                    .zip(below)
                    .map(|(bytes, below)| bytes.saturating_sub(below)),
                kind,
                again,
            });
            if again {
                break;
            }
            left = below;
            if let DepthStep::Call { callee, kind, .. } = depth.step {
                next = Some((callee, Some(kind)));
            }
        }
        path
    }
}

fn function(artifact: &Artifact<'_>, index: u32) -> Function {
    let imported = artifact.import_of(ExternKind::Function, index);
    let name = artifact.function_name(index).map(str::to_owned);
    let name = name.or_else(|| imported.map(|import| import.name.to_owned()));
    let first = artifact.imported_count(ExternKind::Function);
    Function {
        name: name.unwrap_or_else(|| format!("function {index}")),
        defined: artifact.defined_function(index).map(|function| Defined {
            frame: function.frame_size,
            wasm_offset: function.wasm_offset,
            depth: artifact.function_depths().get(index - first),
        }),
    }
}

impl Root {
    /// What to call it.
    pub fn name(&self) -> &str {
        self.export.as_deref().unwrap_or("(start function)")
    }
}

/// How a call is made, in a word; nothing for the ordinary one.
pub fn kind_name(kind: CallKind) -> &'static str {
    match kind {
        CallKind::Direct => "",
        CallKind::Indirect => "through a table",
        CallKind::Tail => "tail call",
        CallKind::IndirectTail => "tail call through a table",
    }
}
