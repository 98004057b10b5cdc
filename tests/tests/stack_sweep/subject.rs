//! What is swept: the modules, loaded and linked, and one call of them with so much stack left.

use std::fs;
use std::mem::MaybeUninit;
use std::path::Path;

use precast_compiler::{Options, Silent, compile};
use precast_format::Artifact;
use precast_format::tunables::StackChecks;
use precast_loader::limits::{ENTRY_STACK, HOST_STACK_MARGIN};
use precast_loader::{
    CallError, Caller, Category, Exception, ExecutionEnvironment, Extern, Func, FuncType,
    HostError, Imports, Instance, InstanceOptions, InstantiateError, Module, Runtime, Source,
    Stack, StackError, TrapCode, TypedFunc, Usage, Value, ValueType,
};
use precast_tests::configuration::LargestFrames;
use precast_wasi::{Output, WasiContext};

use crate::ROOM;
use crate::module::{self, OPERATIONS};
use crate::thread::descend;

/// The stack of the thread that everything runs on: the margin of host functions, the room that is
/// swept, and as much again for what the test does.
pub const THREAD_STACK: usize = HOST_STACK_MARGIN + 5 * ROOM;

/// What stands around a region of the host's.
const CANARY: u8 = 0xc5;

/// How much of it, in bytes.
const AROUND: usize = 4 << 10;

/// Where the stack is, and what of it is swept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Approach {
    CallerBelow,
    CallerAbove,
    CallerDepth,
    HostSize,
    HostDepth,
    AllocatedBelow,
    AllocatedSize,
    AllocatedDepth,
}

impl Approach {
    /// The approaches for code with these checks.
    pub fn all(checks: StackChecks) -> impl Iterator<Item = Approach> {
        let explicit = checks == StackChecks::Explicit;
        [
            Approach::CallerBelow,
            Approach::CallerAbove,
            Approach::CallerDepth,
            Approach::HostSize,
            Approach::HostDepth,
            Approach::AllocatedBelow,
            Approach::AllocatedSize,
            Approach::AllocatedDepth,
        ]
        .into_iter()
        .filter(move |it| explicit || !matches!(it, Approach::HostSize | Approach::HostDepth))
    }

    pub fn name(self) -> &'static str {
        match self {
            Approach::CallerBelow => "caller, below",
            Approach::CallerAbove => "caller, above",
            Approach::CallerDepth => "caller, depth",
            Approach::HostSize => "host, size",
            Approach::HostDepth => "host, depth",
            Approach::AllocatedBelow => "allocated, below",
            Approach::AllocatedSize => "allocated, size",
            Approach::AllocatedDepth => "allocated, depth",
        }
    }

    /// Whether compiled code recurses until so much is left.
    fn is_deep(self) -> bool {
        matches!(
            self,
            Approach::CallerDepth | Approach::HostDepth | Approach::AllocatedDepth
        )
    }

    /// Whether the case can be done.
    pub fn serves(self, case: Case) -> bool {
        matches!(case, Case::Operation(_) | Case::SecondThread) || !self.is_deep()
    }

    /// The step below which nothing changes.
    pub fn least_step(self) -> usize {
        if self == Approach::AllocatedSize {
            4096
        } else {
            1
        }
    }
}

/// What is done there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Case {
    /// An operation of the main module, by index.
    Operation(usize),
    /// An operation, on another thread.
    SecondThread,
    /// The start function of a module.
    Start,
    /// A function with as many parameters as there may be.
    Parameters,
}

impl Case {
    pub fn all() -> impl Iterator<Item = Case> {
        let operations = (0..OPERATIONS.len()).map(Case::Operation);
        operations.chain([Case::SecondThread, Case::Start, Case::Parameters])
    }

    pub fn name(self) -> &'static str {
        match self {
            Case::Operation(number) => OPERATIONS[number],
            Case::SecondThread => "second_thread",
            Case::Start => "start",
            Case::Parameters => "enter_many",
        }
    }
}

/// Bytes of a region that serves the modules, functions with a thousand parameters included.
const REGION: usize = if cfg!(target_arch = "s390x") {
    128 << 10
} else {
    48 << 10
};

/// How a case ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Success,
    Trap,
    Refusal,
    Crash,
}

impl Outcome {
    pub const ALL: [Outcome; 4] = [
        Outcome::Success,
        Outcome::Trap,
        Outcome::Refusal,
        Outcome::Crash,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::Trap => "trap",
            Outcome::Refusal => "refusal",
            Outcome::Crash => "crash",
        }
    }

    pub fn named(name: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|it| it.name() == name)
    }

    /// What a call ended with.
    fn of<T>(result: &Result<T, CallError>) -> Outcome {
        match result {
            Ok(_) => Outcome::Success,
            Err(CallError::Trap(trap)) if trap.code() == TrapCode::StackOverflow => Outcome::Trap,
            Err(CallError::Stack(StackError::TooSmall { .. })) => Outcome::Refusal,
            Err(error) => panic!("{error:?}"),
        }
    }
}

type At = TypedFunc<(i32, i32), i32>;

/// The modules, loaded.
pub struct Subject {
    runtime: Runtime,
    checks: StackChecks,
    main: Module,
    other: Module,
    start: Module,
    /// Stack that each level of the recursion takes, in bytes.
    frame: usize,
    /// How many parameters the functions with the most have.
    parameters: usize,
}

impl Subject {
    pub fn new(options: &Options) -> Subject {
        let runtime = Runtime::system().unwrap();
        let artifact = |wat: &str| -> &'static [u8] {
            let wasm = wat::parse_str(wat).unwrap();
            compile(&wasm, options, &Silent).unwrap().artifact.leak()
        };
        let load = |artifact| {
            runtime
                .load_named_by_user(Source::borrowed(artifact))
                .unwrap()
        };
        let largest = LargestFrames::new(options);
        let main = artifact(&module::main(largest));
        let parsed = Artifact::parse(main).unwrap();
        let at = parsed.exports().lookup("at").unwrap();
        let frame = parsed.defined_function(at.index).unwrap().frame_size as usize;
        Subject {
            checks: options.stack_checks,
            main: load(main),
            other: load(artifact(&module::other(largest))),
            start: load(artifact(module::START)),
            runtime,
            frame,
            parameters: largest.parameters,
        }
    }

    /// The account of the runtime.
    fn usage(&self) -> Vec<(usize, usize)> {
        let of = |usage: Usage| (usage.current, usage.blocks);
        let all = Category::ALL.iter();
        all.map(|category| of(self.runtime.usage(*category)))
            .collect()
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new(&self.runtime);
        let throw = |caller: &mut Caller<'_>, number: i32| -> Result<(), HostError> {
            if number != 0 {
                let throw = caller.instance().func::<(i32,), ()>("throw")?;
                return Ok(throw.call(caller, (number,))?);
            }
            let tag = caller.export("tag").and_then(Extern::into_tag).unwrap();
            match Exception::new(&tag, &[Value::I32(number)]) {
                Ok(exception) => Err(exception.into()),
                Err(error) => panic!("{error:?}"),
            }
        };
        imports.func("host", "throw", throw).unwrap();
        let f = |_: &mut Caller<'_>, a: i32, b: i64, c: f64| {
            assert_eq!((a, b, c), (0, 1, 2.0));
            i32::from(std::hint::black_box([0u8; 2_000])[77])
        };
        imports.func("host", "f", f).unwrap();
        let large = |_: &mut Caller<'_>| i32::from(std::hint::black_box([0u8; 48 << 10])[77]);
        imports.func("host", "large", large).unwrap();
        let parameters = self.parameters;
        let types = vec![ValueType::I64; parameters];
        let ty = FuncType::new(&self.runtime, &types, &[ValueType::I32]);
        let many = move |_: &mut Caller<'_>, params: &[Value], results: &mut [Value]| {
            assert_eq!(params.len(), parameters);
            results[0] = Value::I32(0);
            Ok(())
        };
        let many = Func::untyped(&self.runtime, ty.unwrap(), many).unwrap();
        imports.define("host", "many", Extern::Func(many)).unwrap();
        let again = |caller: &mut Caller<'_>, left: i32| -> Result<i32, HostError> {
            if left == 0 {
                return Ok(0);
            }
            let nest = caller.instance().func::<(i32,), i32>("nest")?;
            Ok(nest.call(caller, (left - 1,))?)
        };
        imports.func("host", "again", again).unwrap();
        let region = |caller: &mut Caller<'_>| -> Result<i32, HostError> {
            let nest = caller.instance().func::<(i32,), i32>("nest")?;
            let runtime = caller.runtime();
            let mut environment = runtime.execution_environment(Stack::Bytes(REGION))?;
            Ok(nest.call(&mut environment, (1,))?)
        };
        imports.func("host", "region", region).unwrap();
        let catch = |caller: &mut Caller<'_>| -> Result<i32, HostError> {
            let endless = caller.instance().func::<(), i32>("endless")?;
            match endless.call(caller, ()) {
                Err(CallError::Trap(trap)) if trap.code() == TrapCode::StackOverflow => Ok(0),
                other => panic!("{other:?}"),
            }
        };
        imports.func("host", "catch", catch).unwrap();
        let start = self.start.clone();
        let instantiate = move |caller: &mut Caller<'_>| -> Result<i32, HostError> {
            let mut imports = Imports::new(caller.runtime());
            imports.func("host", "f", f)?;
            match start.instantiate(&imports, InstanceOptions::default()) {
                Ok(_) => Ok(0),
                Err(InstantiateError::Trap(trap)) => Err(HostError::Trap(trap.code())),
                Err(error) => panic!("{error:?}"),
            }
        };
        imports.func("host", "instantiate", instantiate).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stack_sweep");
        fs::create_dir_all(folder.join("folder")).unwrap();
        fs::write(folder.join("folder/file"), "contents").unwrap();
        let nowhere = fs::OpenOptions::new()
            .write(true)
            .open("/dev/null")
            .unwrap();
        let context = WasiContext::builder()
            .stdout(Output::File(nowhere.into()))
            .preopen_dir(folder, "/")
            .unwrap()
            .build(&self.runtime)
            .unwrap();
        context.define_for(&mut imports, &self.main).unwrap();
        imports
    }

    fn instance(&self) -> Instance {
        let mut imports = self.imports();
        let other = self.other.instantiate(&imports, InstanceOptions::default());
        let other = other.unwrap();
        for name in ["sum", "zero", "many", "table", "throw", "tag"] {
            let export = other.export(name).unwrap();
            imports.define("other", name, export).unwrap();
        }
        let main = self.main.instantiate(&imports, InstanceOptions::default());
        main.unwrap()
    }

    /// Runs the case with each amount of stack. `report` is called before and after each.
    pub fn sweep(
        &self,
        lowest: usize,
        approach: Approach,
        case: Case,
        rooms: impl Iterator<Item = usize>,
        mut report: impl FnMut(Option<Outcome>),
    ) {
        let before = self.usage();
        let instance = self.instance();
        let imports = self.imports();
        let mut memory = vec![MaybeUninit::new(CANARY); 3 * ROOM + 2 * AROUND];
        let at: At = instance.func("at").unwrap();
        let Some(Extern::Func(many)) = instance.export("thousand") else {
            panic!("the module exports it");
        };
        let zeros: Vec<Value> = (0..self.parameters).map(|_| Value::I64(0)).collect();
        let run = Run {
            subject: self,
            lowest,
            approach,
            case,
            at: &at,
            many: &many,
            zeros: &zeros,
            imports: &imports,
        };
        // What is kept for the next time is there from now on.
        if let Case::Operation(number) = case {
            let mut environment = self.runtime.execution_environment(Stack::Caller).unwrap();
            let _ = at.call(&mut environment, (0, number as i32));
        }
        for room in rooms {
            let account = self.usage();
            report(None);
            let outcome = run.once(room, &mut memory);
            // Whatever happened, the next call with enough stack succeeds.
            let mut environment = instance.execution_environment(Stack::Caller).unwrap();
            assert_eq!(at.call(&mut environment, (9, 0)).unwrap(), 9);
            drop(environment);
            if !case.name().ends_with("grow") {
                assert_eq!(self.usage(), account, "{}: {room}", case.name());
            }
            report(Some(outcome));
        }
        drop((at, many, imports, instance));
        assert_eq!(self.usage(), before, "{}", case.name());
    }
}

/// One approach with one case.
struct Run<'a> {
    subject: &'a Subject,
    lowest: usize,
    approach: Approach,
    case: Case,
    at: &'a At,
    many: &'a Func,
    /// Parameters of `many`.
    zeros: &'a [Value],
    imports: &'a Imports,
}

impl Run<'_> {
    fn once(&self, room: usize, memory: &mut [MaybeUninit<u8>]) -> Outcome {
        let lowest = self.lowest;
        match self.approach {
            Approach::CallerBelow => self.on_caller(lowest + ENTRY_STACK + room, 0),
            Approach::CallerAbove => self.on_caller(lowest + HOST_STACK_MARGIN + room, 0),
            Approach::CallerDepth => {
                let top = lowest + HOST_STACK_MARGIN + ROOM + ROOM / 2;
                // Code with a guard page goes down to it.
                let floor = match self.subject.checks {
                    StackChecks::Guard => lowest,
                    _ => lowest + HOST_STACK_MARGIN,
                };
                self.on_caller(top, (top - floor).saturating_sub(room))
            }
            Approach::HostSize => self.on_host(memory, room, 0),
            Approach::HostDepth => self.on_host(memory, 2 * ROOM, 2 * ROOM - room),
            Approach::AllocatedBelow => {
                let runtime = &self.subject.runtime;
                let mut environment = runtime.execution_environment(Stack::Bytes(ROOM)).unwrap();
                let mut outcome = None;
                descend(lowest + ENTRY_STACK + room, &mut || {
                    outcome = Some(self.call(&mut environment, 0));
                });
                outcome.unwrap()
            }
            Approach::AllocatedSize => self.on_allocated(room, 0),
            Approach::AllocatedDepth => self.on_allocated(2 * ROOM, 2 * ROOM - room),
        }
    }

    /// On the thread's own stack from an address on; compiled code uses so much of it first.
    fn on_caller(&self, address: usize, used: usize) -> Outcome {
        let runtime = &self.subject.runtime;
        let mut environment = runtime.execution_environment(Stack::Caller).unwrap();
        let mut outcome = None;
        if self.case == Case::SecondThread {
            // As far from the end of the other stack.
            let distance = address - self.lowest;
            crate::thread::with_stack(THREAD_STACK, |lowest| {
                descend(lowest + distance, &mut || {
                    outcome = Some(self.call(&mut environment, used));
                });
            });
        } else {
            descend(address, &mut || {
                outcome = Some(self.call(&mut environment, used));
            });
        }
        outcome.unwrap()
    }

    /// On a region of the host's.
    fn on_host(&self, memory: &mut [MaybeUninit<u8>], size: usize, used: usize) -> Outcome {
        let region = &mut memory[AROUND..][..size];
        let outcome = match self
            .subject
            .runtime
            .execution_environment(Stack::Region(region))
        {
            Ok(mut environment) => self.on_thread(&mut environment, used),
            Err(StackError::TooSmall { .. }) => Outcome::Refusal,
            Err(error) => panic!("{error}"),
        };
        // SAFETY: all bytes were written when the memory was made.
        let is_canary = |byte: &MaybeUninit<u8>| unsafe { byte.assume_init() } == CANARY;
        assert!(memory[..AROUND].iter().all(is_canary), "below the region");
        let above = &memory[AROUND + size..][..AROUND];
        assert!(above.iter().all(is_canary), "above the region");
        outcome
    }

    /// On a region of the runtime's.
    fn on_allocated(&self, size: usize, used: usize) -> Outcome {
        // Zero would be the default size.
        let stack = Stack::Bytes(size.max(1));
        match self.subject.runtime.execution_environment(stack) {
            Ok(mut environment) => self.on_thread(&mut environment, used),
            Err(StackError::TooSmall { .. }) => Outcome::Refusal,
            Err(error) => panic!("{error}"),
        }
    }

    fn on_thread(&self, environment: &mut ExecutionEnvironment<'_>, used: usize) -> Outcome {
        if self.case != Case::SecondThread {
            return self.call(environment, used);
        }
        let mut outcome = None;
        crate::thread::with_stack(THREAD_STACK, |_| {
            outcome = Some(self.call(environment, used))
        });
        outcome.unwrap()
    }

    /// Does it. Little stack is used in here.
    #[inline(never)]
    fn call(&self, environment: &mut ExecutionEnvironment<'_>, used: usize) -> Outcome {
        let operation = match self.case {
            Case::Operation(number) => number as i32,
            Case::SecondThread => 3,
            Case::Start => return self.start(environment),
            Case::Parameters => return self.parameters(environment),
        };
        let depth = (used / self.subject.frame) as i32;
        let result = self.at.call(environment, (depth, operation));
        if let Ok(sum) = &result {
            assert_eq!(*sum, depth);
        }
        Outcome::of(&result)
    }

    #[inline(never)]
    fn parameters(&self, environment: &mut ExecutionEnvironment<'_>) -> Outcome {
        let mut results = [Value::I32(1)];
        let result = self.many.call(environment, self.zeros, &mut results);
        assert!(result.is_err() || matches!(results, [Value::I32(0)]));
        Outcome::of(&result)
    }

    #[inline(never)]
    fn start(&self, environment: &mut ExecutionEnvironment<'_>) -> Outcome {
        let options = InstanceOptions::default();
        let start = &self.subject.start;
        match start.instantiate_in(environment, self.imports, options) {
            Ok(_) => Outcome::Success,
            Err(InstantiateError::Trap(trap)) => {
                assert_eq!(trap.code(), TrapCode::StackOverflow);
                Outcome::Trap
            }
            Err(InstantiateError::Start(CallError::Stack(StackError::TooSmall { .. }))) => {
                Outcome::Refusal
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}
