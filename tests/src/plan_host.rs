//! A host for any module: what it imports is made from the types alone, in the order that a plan
//! assumes. And an allocator that writes down what it is asked for.

use precast_loader::plan::{Plan, Request};
use precast_loader::{
    CallError, Caller, Category, CustomAllocator, ExecutionEnvironment, ExternType, Global,
    HostError, Imports, Instance, InstanceOptions, InstantiateError, LoadError, Memory, Module,
    OutOfMemory, Runtime, RuntimeOptions, Source, Stack, Table, Tag, Value,
};
use std::alloc::Layout;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::Mutex;

/// Why a module did not come to an instance.
#[derive(Debug)]
pub enum Failure {
    /// There was no memory.
    OutOfMemory(String),
    /// Something else.
    Other(String),
}

impl Failure {
    fn of(error: &(impl std::error::Error + 'static)) -> Failure {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = source {
            if error.is::<OutOfMemory>() {
                return Failure::OutOfMemory(error.to_string());
            }
            source = error.source();
        }
        let text = error.to_string();
        if text.contains("no memory for") {
            Failure::OutOfMemory(text)
        } else {
            Failure::Other(text)
        }
    }
}

impl From<OutOfMemory> for Failure {
    fn from(error: OutOfMemory) -> Failure {
        Failure::of(&error)
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        Failure::of(&error)
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Failure {
        Failure::of(&error)
    }
}

impl From<InstantiateError> for Failure {
    fn from(error: InstantiateError) -> Failure {
        Failure::of(&error)
    }
}

/// An instance and what it needs.
pub struct Life {
    /// Where calls would run.
    pub environment: ExecutionEnvironment<'static>,
    /// The instance.
    pub instance: Instance,
    /// What it imports.
    pub imports: Imports,
    /// The module.
    pub module: Module,
}

/// The stack that start functions of bytecode get, in bytes: not the runtime's.
const BYTECODE_STACK: usize = 64 << 10;

/// Loads an artifact that stays, defines what it imports, and instantiates it.
pub fn live(runtime: &Runtime, artifact: &'static [u8]) -> Result<Life, Failure> {
    let module = runtime.load_named_by_user(Source::borrowed(artifact))?;
    let imports = imports(&module)?;
    let stack = match module.artifact().header().isa.is_bytecode() {
        true => Stack::Region(Box::leak(Box::new_uninit_slice(BYTECODE_STACK))),
        false => Stack::Caller,
    };
    let environment = ExecutionEnvironment::new(runtime, stack);
    let mut environment = environment.map_err(CallError::from)?;
    let instance = module.instantiate_in(&mut environment, &imports, InstanceOptions::default())?;
    Ok(Life {
        environment,
        instance,
        imports,
        module,
    })
}

/// Makes one item for each import.
fn imports(module: &Module) -> Result<Imports, Failure> {
    let runtime = module.runtime();
    let mut imports = Imports::for_module(module)?;
    for (from, name, expected) in module.imports() {
        // One definition serves all imports of its name.
        if imports.get(from, name).is_some() {
            continue;
        }
        match expected {
            ExternType::Function(ty) => imports.func_untyped(from, name, ty, results_stay_zero)?,
            ExternType::Memory(ty) => imports.memory(from, name, &Memory::new(runtime, ty)?)?,
            ExternType::Table(ty) => {
                let null = Value::default_for(ty.element);
                imports.table(from, name, &Table::new(runtime, ty, null)?)?;
            }
            ExternType::Global(ty) => {
                let zero = Value::default_for(ty.value);
                imports.global(from, name, &Global::new(runtime, ty, zero)?)?;
            }
            ExternType::Tag(ty) => imports.tag(from, name, &Tag::new(runtime, ty.params())?)?,
        }
    }
    Ok(imports)
}

fn results_stay_zero(_: &mut Caller<'_>, _: &[Value], _: &mut [Value]) -> Result<(), HostError> {
    Ok(())
}

/// Writes down requests, and serves them from the process's heap.
#[derive(Default)]
pub struct Recorder(Mutex<Record>);

#[derive(Default)]
struct Record {
    requests: Vec<Request>,
    /// The number, category and layout of each block that is out, by its address.
    blocks: HashMap<usize, (usize, Layout)>,
    count: usize,
}

impl Recorder {
    /// A runtime whose memory is all written down. The recorder stays for ever.
    pub fn runtime(&'static self, options: RuntimeOptions) -> Result<Runtime, OutOfMemory> {
        let user = std::ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the functions serve from the heap, any thread may call them, and the recorder
        // is there for ever.
        let functions = unsafe { CustomAllocator::new(user, allocate, reallocate, free) };
        Runtime::custom(functions, options)
    }

    /// What was asked for so far.
    pub fn requests(&self) -> Vec<Request> {
        self.0
            .lock()
            .expect("no test panics in here")
            .requests
            .clone()
    }

    /// Compares what was asked for with a plan; how many requests there were beyond it.
    ///
    /// # Errors
    ///
    /// The first request that differs, or how many are missing.
    pub fn compare(&self, plan: &Plan) -> Result<usize, String> {
        let planned = plan.requests().iter();
        let planned: Vec<&Request> = planned
            .filter(|request| !matches!(request, Request::Map { .. }))
            .collect();
        let asked = self.requests();
        for (number, (asked, planned)) in asked.iter().zip(&planned).enumerate() {
            if asked != *planned {
                return Err(format!(
                    "request {number} was {asked:?}, planned {planned:?}"
                ));
            }
        }
        let missing = || format!("{} requests of {}", asked.len(), planned.len());
        asked.len().checked_sub(planned.len()).ok_or_else(missing)
    }

    /// Whether everything went back.
    pub fn is_empty(&self) -> bool {
        self.0
            .lock()
            .expect("no test panics in here")
            .blocks
            .is_empty()
    }
}

fn recorder(user: *mut c_void) -> &'static Recorder {
    // SAFETY: `runtime` passed a recorder that stays.
    unsafe { &*user.cast::<Recorder>() }
}

fn category(number: u32) -> Category {
    Category::ALL[number as usize]
}

unsafe extern "C" fn allocate(
    user: *mut c_void,
    number: u32,
    size: usize,
    align: usize,
) -> *mut c_void {
    let layout = Layout::from_size_align(size, align).expect("the loader asks for layouts");
    // SAFETY: the loader asks for no empty blocks.
    let address = unsafe { std::alloc::alloc_zeroed(layout) };
    let mut record = recorder(user).0.lock().expect("no test panics in here");
    let block = record.count;
    record.count += 1;
    record.blocks.insert(address.addr(), (block, layout));
    record.requests.push(Request::Allocate {
        block,
        category: category(number),
        layout,
    });
    address.cast()
}

unsafe extern "C" fn reallocate(
    user: *mut c_void,
    _: u32,
    address: *mut c_void,
    _: usize,
    size: usize,
    align: usize,
) -> *mut c_void {
    let mut record = recorder(user).0.lock().expect("no test panics in here");
    let found = record.blocks.remove(&address.addr());
    let (block, old) = found.expect("the loader reallocates what is out");
    // SAFETY: the block is from `allocate` with this layout.
    let moved = unsafe { std::alloc::realloc(address.cast(), old, size) };
    let layout = Layout::from_size_align(size, align).expect("the loader asks for layouts");
    record.blocks.insert(moved.addr(), (block, layout));
    record.requests.push(Request::Reallocate { block, layout });
    moved.cast()
}

unsafe extern "C" fn free(user: *mut c_void, _: u32, address: *mut c_void, _: usize, _: usize) {
    let mut record = recorder(user).0.lock().expect("no test panics in here");
    let found = record.blocks.remove(&address.addr());
    let (block, layout) = found.expect("the loader frees what is out");
    // SAFETY: the block is from `allocate` with this layout.
    unsafe { std::alloc::dealloc(address.cast(), layout) };
    record.requests.push(Request::Free { block });
}
