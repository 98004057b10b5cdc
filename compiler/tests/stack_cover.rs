//! Functions that do not look for stack: walked along every path, they and what they call stay in
//! the reserve, however the module is made.

use precast_compiler::{Options, Silent, Target, compile};
use precast_format::Artifact;
use precast_format::trap::TrapCode;
use std::fmt::Write;

/// The same numbers every time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }
}

/// What a function of a module calls.
#[derive(Default)]
struct Body {
    /// Functions of the module, directly or through its table.
    calls: Vec<usize>,
    /// Whether it calls what nobody knows.
    leaves: bool,
}

/// How many functions a module has.
const FUNCTIONS: usize = 24;

/// A module of functions with frames of all sizes, and who calls whom.
fn module(random: &mut Random) -> (String, Vec<Body>) {
    let mut text = String::from(
        "(module (import \"host\" \"f\" (func $host (result i64)))\n(memory 1)\n\
         (type $t (func (param i64) (result i64)))\n(table $open (export \"open\") 1 funcref)\n",
    );
    let (held, mut bodies) = (random.below(FUNCTIONS), Vec::new());
    writeln!(text, "(table $closed funcref (elem $f{held}))").unwrap();
    for number in 0..FUNCTIONS {
        let mut body = Body::default();
        writeln!(text, "(func $f{number} (export \"f{number}\") (type $t)").unwrap();
        // Values that are computed before the calls and needed after them take room in the frame.
        let values = [0, 1, 4, 20, 90][random.below(5)];
        for value in 0..values {
            writeln!(text, "(i64.mul (local.get 0) (i64.const {}))", value + 3).unwrap();
        }
        text.push_str("(local.get 0)\n");
        for _ in 0..random.below(4) {
            let callee = match random.below(12) {
                // Mostly to functions behind, so that there are paths and not only cycles.
                0 => random.below(FUNCTIONS),
                _ => (number + 1 + random.below(6)).min(FUNCTIONS - 1),
            };
            match random.below(30) {
                0 => {
                    text.push_str("(drop (call $host))\n");
                    body.leaves = true;
                }
                1 => {
                    text.push_str("(call_indirect $open (type $t) (i32.const 0))\n");
                    body.leaves = true;
                }
                2 => {
                    text.push_str("(call_indirect $closed (type $t) (i32.const 0))\n");
                    body.calls.push(held);
                }
                3 => text.push_str("(memory.fill (i32.const 0) (i32.const 0) (i32.const 9))\n"),
                _ => {
                    writeln!(text, "(call $f{callee})").unwrap();
                    body.calls.push(callee);
                }
            }
        }
        text.push_str(&"i64.add ".repeat(values));
        text.push_str(")\n");
        bodies.push(body);
    }
    text.push(')');
    (text, bodies)
}

/// Where a function looks for stack.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Nowhere,
    /// When its frame is taken.
    Inside,
    /// In a stub in front of it, before its frame is taken.
    Before,
}

/// Walks all paths from functions, without remembering anything.
struct Walk<'a> {
    bodies: &'a [Body],
    frames: Vec<u32>,
    looks: Vec<Look>,
}

impl Walk<'_> {
    /// The most bytes that are taken before the next function looks for stack. `path` is the way
    /// to the function.
    fn unchecked(&self, function: usize, path: &mut Vec<usize>) -> u32 {
        let frame = self.frames[function];
        match self.looks[function] {
            Look::Nowhere => {}
            Look::Inside => return frame,
            Look::Before => return 0,
        }
        assert!(
            !path.contains(&function),
            "nobody looks in {path:?}, {function}"
        );
        assert!(
            !self.bodies[function].leaves,
            "{function} leaves without a look"
        );
        path.push(function);
        let callees = self.bodies[function].calls.iter();
        let deepest = callees.map(|callee| self.unchecked(*callee, path)).max();
        path.pop();
        frame + deepest.unwrap_or(0)
    }
}

#[test]
fn every_path_looks_for_stack_before_the_reserve_ends() {
    let options = Options::new(Target::new("x86_64").expect("a known target"));
    let (mut silent, mut inside, mut before) = (0, 0, 0);
    for seed in 1..120 {
        let (text, bodies) = module(&mut Random(seed));
        let wasm = wat::parse_str(&text).expect("the text is a module");
        let compiled = compile(&wasm, &options, &Silent).expect("the module is valid");
        let artifact = Artifact::parse(&compiled.artifact).expect("it is read back");
        let functions: Vec<_> = artifact.functions().iter().collect();
        let looks = functions.iter().map(|function| {
            let mut sites = artifact.traps().of(function);
            match sites.find(|site| site.code == TrapCode::StackOverflow) {
                None => Look::Nowhere,
                // The trap of a stub has the whole function behind it, any other one nothing.
                Some(site) if function.text_end() - site.text_offset > 24 => Look::Before,
                Some(_) => Look::Inside,
            }
        });
        let walk = Walk {
            bodies: &bodies,
            frames: functions
                .iter()
                .map(|function| function.frame_size)
                .collect(),
            looks: looks.collect(),
        };
        let reserve = artifact.header().tunables.stack_reserve;
        for (function, body) in bodies.iter().enumerate() {
            let taken = walk.unchecked(function, &mut Vec::new());
            assert!(
                taken <= reserve,
                "seed {seed}, function {function}: {taken} bytes of {}",
                reserve
            );
            match walk.looks[function] {
                Look::Inside => inside += 1,
                Look::Before => before += 1,
                Look::Nowhere if !body.calls.is_empty() => silent += 1,
                Look::Nowhere => {}
            }
        }
        assert!(
            reserve < 4096,
            "seed {seed}: a reserve of {} bytes",
            reserve
        );
    }
    println!(
        "{inside} functions look for stack, {before} before they begin; {silent} with calls do not"
    );
    assert!(inside > 1000 && before > 20 && silent > 200);
}
