//! A Rust program with a module linked into it: no file, no mapping, and no allocation but from its pool.
//!
//! Built with `PRECAST=target/debug/precast cargo run -p static-module`.

use std::error::Error;

#[cfg(linked)]
mod program {
    use precast_loader::{
        CallError, Caller, Imports, InstanceOptions, Module, Runtime, RuntimeOptions, Stack,
        StaticPool,
    };
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::error::Error;
    use std::fmt::Write;
    use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

    /// What `precast compile --emit-rust` wrote.
    mod guest {
        include!(concat!(env!("OUT_DIR"), "/guest.rs"));
    }

    /// The guest's memory of 64 KiB, its stack, and everything else.
    static POOL: StaticPool<{ 96 << 10 }> = StaticPool::new();

    /// What the guest noted last.
    static NOTED: AtomicI32 = AtomicI32::new(0);

    /// Whether the global allocator may be asked.
    static MAY_ALLOCATE: AtomicBool = AtomicBool::new(true);

    /// The system's allocator, until it must not be asked any more.
    struct Forbidden;

    // SAFETY: what is not refused is the system's.
    unsafe impl GlobalAlloc for Forbidden {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            if !MAY_ALLOCATE.load(Ordering::Relaxed) {
                std::process::abort();
            }
            // SAFETY: the caller's promise.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the caller's promise.
            unsafe { System.dealloc(block, layout) }
        }
    }

    #[global_allocator]
    static ALLOCATOR: Forbidden = Forbidden;

    /// Text that needs no memory: as much as a trap's message is.
    struct Line {
        bytes: [u8; 512],
        used: usize,
    }

    impl Write for Line {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            let end = self.used + text.len();
            let place = self.bytes.get_mut(self.used..end);
            place
                .ok_or(std::fmt::Error)?
                .copy_from_slice(text.as_bytes());
            self.used = end;
            Ok(())
        }
    }

    /// Loads the guest, calls it, and provokes a trap.
    pub fn run() -> Result<(), Box<dyn Error>> {
        let pool = POOL.take().ok_or("the pool is taken")?;
        MAY_ALLOCATE.store(false, Ordering::Relaxed);
        let outcome = in_pool(pool);
        MAY_ALLOCATE.store(true, Ordering::Relaxed);
        let (sum, mean, trap) = outcome.map_err(|what| format!("{what} failed"))?;
        let noted = NOTED.load(Ordering::Relaxed);
        println!("sum(4) = {sum}, mean(4) = {mean}, noted {noted}");
        println!("mean(0): {}", str::from_utf8(&trap.bytes[..trap.used])?);
        let done = guest::TEXT_BYTES > 0 && guest::METADATA_BYTES > 0;
        println!("{}", if done { "done" } else { "no code" });
        Ok(())
    }

    type Results = (i32, i32, Line);

    fn in_pool(pool: &'static mut [std::mem::MaybeUninit<u8>]) -> Result<Results, &'static str> {
        let runtime = Runtime::with_pool(pool, RuntimeOptions::default());
        let runtime = runtime.map_err(|_| "the pool")?;
        let module = Module::from_static(&runtime, guest::module()).map_err(|_| "loading")?;
        let mut imports = Imports::for_module(&module).map_err(|_| "the imports")?;
        let note = |_: &mut Caller<'_>, value: i32| NOTED.store(value, Ordering::Relaxed);
        let defined = imports.func("host", "note", note);
        defined.map_err(|_| "the host function")?;
        let environment = runtime.execution_environment(Stack::Bytes(16 << 10));
        let mut environment = environment.map_err(|_| "the environment")?;
        let options = InstanceOptions::default();
        let instance = module.instantiate_in(&mut environment, &imports, options);
        let instance = instance.map_err(|_| "instantiation")?;
        let sum = instance.func::<(i32,), i32>("sum").map_err(|_| "sum")?;
        let mean = instance.func::<(i32,), i32>("mean").map_err(|_| "mean")?;
        let total = sum.call(&mut environment, (4,)).map_err(|_| "the sum")?;
        let average = mean.call(&mut environment, (4,)).map_err(|_| "the mean")?;
        let mut line = Line {
            bytes: [0; 512],
            used: 0,
        };
        match mean.call(&mut environment, (0,)) {
            Err(CallError::Trap(trap)) => write!(line, "{trap}").map_err(|_| "the message")?,
            _ => return Err("trapping"),
        }
        Ok((total, average, line))
    }
}

#[cfg(linked)]
fn main() -> Result<(), Box<dyn Error>> {
    program::run()
}

#[cfg(not(linked))]
fn main() -> Result<(), Box<dyn Error>> {
    Err("set PRECAST to the path of the command and build again".into())
}
