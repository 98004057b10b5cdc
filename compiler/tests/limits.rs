//! Modules that are large in one way each, mostly the largest that the validator lets through. All
//! of them end with an artifact or with an error that names the limit, in the time that their size
//! deserves, and called from a thread with a small stack: nothing of the caller's is used for depth.

#[path = "limits/wasm.rs"]
mod wasm;

use std::time::{Duration, Instant};

use precast_compiler::{CompileError, Compiled, OptLevel, Options, Silent, Target, compile};
use wasm::{BR_IF, END, GET, I32_TO_I32, NOTHING, Wasm, body, leb};

/// The stack of the thread that calls the compiler.
const CALLER_STACK: usize = 256 << 10;

/// What nothing here comes near, on a slow machine; the square of the sizes would.
const PATIENCE: Duration = Duration::from_secs(60);

/// Compiles with and without optimisation; both have the same outcome, which is returned.
fn outcome(name: &str, wasm: &[u8]) -> Result<Compiled, CompileError> {
    let run = |opt_level| {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(CALLER_STACK);
            let compile = || {
                let mut options = Options::new(Target::new("x86_64").expect("a known target"));
                options.opt_level = opt_level;
                // Cranelift's verifier is for developers, and slow.
                options.verify = false;
                compile(wasm, &options, &Silent)
            };
            let thread = thread.spawn_scoped(scope, compile).expect("a thread");
            thread.join().expect("the compiler does not panic")
        })
    };
    let begin = Instant::now();
    let plain = run(OptLevel::None);
    let middle = Instant::now();
    let optimised = run(OptLevel::Speed);
    let times = (middle - begin, middle.elapsed());
    let size = wasm.len() >> 10;
    let said = match &optimised {
        Ok(compiled) => format!("{} KB of text", compiled.text_bytes >> 10),
        Err(error) => error.to_string(),
    };
    println!(
        "| {name} | {size} KB | {:.2?} | {:.2?} | {said} |",
        times.0, times.1
    );
    assert_eq!(plain.is_ok(), optimised.is_ok(), "{name}");
    assert!(times.0.max(times.1) < PATIENCE, "{name}: {times:?}");
    optimised
}

fn compiles(name: &str, wasm: &[u8]) {
    if let Err(error) = outcome(name, wasm) {
        panic!("{name}: {error}");
    }
}

fn is_refused(name: &str, wasm: &[u8], message: &str) {
    let error = outcome(name, wasm).expect_err(name);
    assert!(error.message.contains(message), "{name}: {error}");
}

/// A function with this code.
fn function(code: &[u8]) -> Vec<u8> {
    Wasm::function(I32_TO_I32, &[], code)
}

/// Something so many times inside of itself: how it opens, what is in the middle, how it closes.
fn nested(count: usize, open: &[u8], middle: &[u8], close: &[u8]) -> Vec<u8> {
    function(
        &[
            &open.repeat(count),
            middle,
            &close.repeat(count),
            GET,
            &[0x0f],
        ]
        .concat(),
    )
}

#[test]
fn nesting() {
    let shapes: [(&str, &[u8], Vec<u8>); 6] = [
        ("blocks", &[0x02, 0x40], vec![END]),
        (
            "blocks with branches",
            &[0x02, 0x40],
            [BR_IF, &[END]].concat(),
        ),
        ("loops", &[0x03, 0x40], vec![END]),
        (
            "loops with branches",
            &[0x03, 0x40],
            [BR_IF, &[END]].concat(),
        ),
        ("ifs", &[0x20, 0, 0x04, 0x40], vec![END]),
        (
            "ifs with else",
            &[0x20, 0, 0x04, 0x40],
            vec![0x05, 0x01, END],
        ),
    ];
    for (name, open, close) in shapes {
        compiles(
            &format!("10,000 {name}"),
            &nested(10_000, open, &[], &close),
        );
        let deep = nested(100_000, open, &[], &close);
        let message = "more than 10000 blocks inside of each other";
        is_refused(&format!("100,000 {name}"), &deep, message);
    }
    // Where nothing is reached, nesting counts all the same.
    let unreachable = nested(10_000, &[0x02, 0x40], &[], &[END]);
    compiles("10,000 blocks", &unreachable);
    // Just below the limit beyond which functions are compiled plainly.
    let ifs = nested(999, &[0x20, 0, 0x04, 0x40], &[], &[0x05, 0x01, END]);
    compiles("999 ifs", &ifs);
    let loops = nested(100, &[0x03, 0x40], &[], &[BR_IF, &[END]].concat());
    compiles("100 loops", &loops);
}

#[test]
fn expressions() {
    let count = 100_000;
    let right = [&GET.repeat(count + 1)[..], &[0x6a].repeat(count)].concat();
    compiles("100,000 nested additions, to the right", &function(&right));
    let left = [GET, &[0x20, 0, 0x6c].repeat(count)].concat();
    compiles("100,000 nested products, to the left", &function(&left));
    let selects = [GET, &[0x20, 0, 0x20, 0, 0x1b].repeat(count)].concat();
    compiles("100,000 nested selects", &function(&selects));
    let calls = [GET, &[0x10, 0].repeat(count)].concat();
    compiles("100,000 nested calls", &function(&calls));
    let values = 50_000;
    let live = [
        &[0x20, 0, 0x10, 0].repeat(values)[..],
        &[0x6a].repeat(values - 1),
    ]
    .concat();
    compiles("50,000 results of calls at a time", &function(&live));
    let additions = [GET, &[0x41, 0x81, 0x80, 0x01, 0x6a].repeat(20_000)].concat();
    compiles("20,000 additions", &function(&additions));
    let long = [GET, &[0x20, 0, 0x1a].repeat(2_500_000)].concat();
    compiles("a body of seven megabytes", &function(&long));
    let too_long = [GET, &[0x20, 0, 0x1a].repeat(2_600_000)].concat();
    is_refused(
        "a body of eight megabytes",
        &function(&too_long),
        "exceeds limit of 7654321",
    );
}

#[test]
fn branch_tables() {
    for (count, name) in [(1_000, "1,000"), (1_000_000, "1,000,000")] {
        let mut code = [&[0x02, 0x40][..], GET, &[0x0e], &leb(count)].concat();
        code.extend([0].repeat(count + 1));
        code.push(END);
        code.extend(GET);
        compiles(
            &format!("a branch table with {name} equal targets"),
            &function(&code),
        );
    }
    let count = 9_999;
    let mut code = [&[0x02, 0x40].repeat(count)[..], GET, &[0x0e], &leb(count)].concat();
    (0..count).for_each(|depth| code.extend(leb(depth)));
    code.push(0);
    code.extend(
        [&[0x20, 0, 0x41, 1, 0x6a, 0x21, 0][..], &[END]]
            .concat()
            .repeat(count),
    );
    code.extend(GET);
    compiles("a branch table with 9,999 targets", &function(&code));
}

#[test]
fn locals_and_signatures() {
    let locals = |count| Wasm::function(I32_TO_I32, &[(count, 0x7f)], GET);
    compiles("49,999 locals", &locals(49_999));
    is_refused("100,000 locals", &locals(100_000), "more than 50000 locals");
    let mut code = vec![0x03, 0x40];
    (1..=40_000).for_each(|local| code.extend([&[0x20, 0, 0x21][..], &leb(local)].concat()));
    code.extend(BR_IF);
    code.push(END);
    code.extend(GET);
    (1..=40_000).for_each(|local| code.extend([&[0x20][..], &leb(local), &[0x6a]].concat()));
    let wasm = Wasm::function(I32_TO_I32, &[(40_000, 0x7f)], &code);
    compiles("40,000 locals that a loop changes", &wasm);
    let signature = |count: usize| {
        let types = [&leb(count)[..], &[0x7f].repeat(count)].concat();
        [&[0x60][..], &types, &types].concat()
    };
    let mut code = Vec::new();
    (0..1000).for_each(|local| code.extend([&[0x20][..], &leb(local)].concat()));
    code.extend([0x10, 0]);
    let wasm = Wasm::function(&signature(1000), &[], &code);
    compiles("1,000 parameters and results", &wasm);
    let wasm = Wasm::function(&signature(1001), &[], &[0x00]);
    is_refused("1,001 parameters and results", &wasm, "out of bounds");
}

/// Locals times blocks beyond what variables are for: they are on the stack, 16 bytes each.
#[test]
fn locals_and_blocks() {
    const COUNT: usize = 9_000;
    let mut code = Vec::new();
    for local in 1..=COUNT {
        // A block that is left, or changes a local.
        code.extend([0x02, 0x40]);
        code.extend([BR_IF, GET, &[0x21], &leb(local), &[END]].concat());
    }
    code.extend(GET);
    (1..=COUNT).for_each(|local| code.extend([&[0x20][..], &leb(local), &[0x6a]].concat()));
    let wasm = Wasm::function(I32_TO_I32, &[(COUNT, 0x7f)], &code);
    let compiled = outcome("locals and blocks", &wasm).expect("it compiles");
    let artifact = precast_format::Artifact::parse(&compiled.artifact).expect("it is well formed");
    let function = artifact.functions().get(0).expect("the function");
    assert!(function.frame_size as usize > 16 * COUNT);
}

/// So many exports or imports of functions: their names, and of which function or type they are.
fn named(count: usize, prefix: &[u8], number: impl Fn(usize) -> usize) -> Vec<u8> {
    let mut items = Vec::new();
    for index in 0..count {
        let name = format!("f{index:06}");
        items.extend([prefix, &[name.len() as u8], name.as_bytes(), &[0]].concat());
        items.extend(leb(number(index)));
    }
    items
}

/// So many function types, all different.
fn types(count: usize) -> Vec<u8> {
    let mut types = Vec::new();
    for index in 1..=count {
        let mut params = Vec::new();
        let mut rest = index;
        while rest > 0 {
            params.push(0x7c + (rest % 4) as u8);
            rest /= 4;
        }
        types.extend([&[0x60, params.len() as u8][..], &params, &[0]].concat());
    }
    types
}

#[test]
fn sections() {
    let count = 100_000;
    let empty = body(&[], GET);
    let functions = Wasm::new()
        .section(1, 1, I32_TO_I32)
        .repeated(3, count, &[0]);
    let functions = functions
        .section(7, count, &named(count, &[], |index| index))
        .repeated(10, count, &empty);
    compiles("100,000 functions, all exported", &functions.finish());
    let count = 10_000;
    let numbers: Vec<u8> = (0..count).flat_map(leb).collect();
    let many = Wasm::new()
        .section(1, count, &types(count))
        .section(3, count, &numbers);
    let many = many
        .section(7, count, &named(count, &[], |index| index))
        .repeated(10, count, &body(&[], &[]));
    compiles("10,000 types, all exported", &many.finish());
    let count = 50_000;
    let imports = Wasm::new().section(1, count, &types(count));
    let imports = imports.section(2, count, &named(count, &[1, b'm'], |_| 0));
    compiles("50,000 imports and types", &imports.finish());
    let count = 100_000;
    let globals = Wasm::new().repeated(6, count, &[0x7f, 1, 0x41, 0, END]);
    compiles("100,000 globals", &globals.finish());
    let tables = Wasm::new().repeated(4, count, &[0x70, 0, 0]);
    compiles("100,000 tables", &tables.finish());
    let data = Wasm::new().section(5, 1, &[0, 1]);
    let data = data.repeated(11, count, &[0, 0x41, 0, END, 1, 7]);
    compiles("100,000 data segments", &data.finish());
    let elements = Wasm::new().section(1, 1, NOTHING).section(3, 1, &[0]);
    let elements = elements
        .section(4, 1, &[0x70, 0, 1])
        .repeated(9, count, &[0, 0x41, 0, END, 1, 0])
        .section(10, 1, &body(&[], &[]));
    compiles("100,000 element segments", &elements.finish());
}

#[test]
fn constant_expressions() {
    let count = 100_000;
    let chain = [
        &[0x7f, 0, 0x41, 1][..],
        &[0x41, 1, 0x6a].repeat(count),
        &[END],
    ]
    .concat();
    let wasm = Wasm::new().section(6, 1, &chain).finish();
    compiles("100,000 additions in an initial value", &wasm);
    let deep = [
        &[0x7f, 0][..],
        &[0x41, 1].repeat(count),
        &[0x6a].repeat(count - 1),
        &[END],
    ];
    let wasm = Wasm::new().section(6, 1, &deep.concat()).finish();
    let message = "operands at a time";
    is_refused(
        "100,000 nested additions in an initial value",
        &wasm,
        message,
    );
}
