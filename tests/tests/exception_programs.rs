//! Programs of throws and catches in both forms, made at random, against an interpreter of the few
//! things that they do: what is caught where, after which delegations, with which locals.
#![forbid(unsafe_code)]

use precast_cli::wast::{CompiledNow, run_script};
use precast_tests::configuration::ALL;
use std::fmt::Write;

/// Functions of a program; each calls only those after it. The last ones are another instance's.
const FUNCTIONS: usize = 8;
/// Where the other instance's functions begin.
const FOREIGN: usize = 5;
/// Programs.
const ROUNDS: u64 = 100;
/// Statements that a function has room for.
const STATEMENTS: u32 = 40;
/// Tags: of an `i32`, of an `i64`, of nothing.
const TAGS: usize = 3;
const LOCALS: usize = 3;

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

/// What a construct is known by inside of its function.
type Label = u32;

enum Statement {
    /// Mixes a number into what the program comes to.
    Note(u32),
    /// Mixes a number into a local.
    Set(usize, u32),
    /// Mixes a local into what the program comes to.
    Show(usize),
    Throw(usize, u32),
    /// Calls a function that throws, at some times.
    MayThrow(usize, u32),
    Call(usize, bool),
    BranchIf(Label),
    Branch(Label),
    Return,
    Block(Label, Vec<Statement>),
    Loop(Label, Vec<Statement>),
    Try {
        label: Label,
        /// Whether in the older form.
        older: bool,
        body: Vec<Statement>,
        clauses: Vec<Catch>,
    },
    /// `try` with `delegate`; to the function's own frame without a label.
    Delegate(Label, Vec<Statement>, Option<Label>),
    /// Throws again what the clause around it has caught.
    Again(Label),
}

struct Catch {
    tag: Option<usize>,
    body: Vec<Statement>,
}

/// What is around a place.
#[derive(Clone, Copy)]
struct Around {
    label: Label,
    /// Whether branches may go to its end.
    target: bool,
    /// Whether the place is in one of its clauses.
    caught: bool,
}

/// Makes the body of a function.
struct Maker<'a> {
    random: &'a mut Random,
    function: usize,
    next: Label,
    left: u32,
}

impl Maker<'_> {
    fn label(&mut self) -> Label {
        self.next += 1;
        self.next
    }

    fn body(&mut self, around: &mut Vec<Around>, add: Around) -> Vec<Statement> {
        around.push(add);
        let statements = self.statements(around);
        around.pop();
        statements
    }

    fn statements(&mut self, around: &mut Vec<Around>) -> Vec<Statement> {
        let mut statements = Vec::new();
        for _ in 0..1 + self.random.below(4) {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            statements.push(self.statement(around));
        }
        statements
    }

    fn statement(&mut self, around: &mut Vec<Around>) -> Statement {
        let number = self.random.below(1000) as u32;
        let tag = self.random.below(TAGS);
        let local = self.random.below(LOCALS);
        let deep = around.len() > 6;
        match self.random.below(22) {
            0..=1 => Statement::Note(number),
            2..=3 => Statement::Set(local, number),
            4 => Statement::Show(local),
            5 => Statement::Throw(tag, number),
            6..=8 => Statement::MayThrow(tag, number),
            9..=10 if self.function + 1 < FUNCTIONS => {
                let rest = FUNCTIONS - self.function - 1;
                let callee = self.function + 1 + self.random.below(rest);
                Statement::Call(callee, self.random.below(2) == 0)
            }
            11 | 12 => {
                let targets: Vec<_> = around.iter().filter(|it| it.target).collect();
                match targets.get(self.random.below(targets.len() + 1)) {
                    Some(target) if number < 700 => Statement::BranchIf(target.label),
                    Some(target) => Statement::Branch(target.label),
                    None if number < 100 => Statement::Return,
                    None => Statement::Note(number),
                }
            }
            13 => {
                let caught: Vec<_> = around.iter().filter(|it| it.caught).collect();
                match caught.get(self.random.below(caught.len().max(1))) {
                    Some(frame) => Statement::Again(frame.label),
                    None => Statement::Note(number),
                }
            }
            _ if deep => Statement::MayThrow(tag, number),
            14 | 15 => {
                let label = self.label();
                let inside = Around {
                    label,
                    target: number < 800,
                    caught: false,
                };
                let body = self.body(around, inside);
                match inside.target {
                    true => Statement::Block(label, body),
                    false => Statement::Loop(label, body),
                }
            }
            16 => {
                let label = self.label();
                let to = self.random.below(around.len() + 1);
                let to = around.get(to).map(|frame| frame.label);
                let inside = Around {
                    label,
                    target: true,
                    caught: false,
                };
                Statement::Delegate(label, self.body(around, inside), to)
            }
            _ => self.try_statement(around),
        }
    }

    fn try_statement(&mut self, around: &mut Vec<Around>) -> Statement {
        let (label, older) = (self.label(), self.random.below(2) == 0);
        let mut inside = Around {
            label,
            target: true,
            caught: false,
        };
        let body = self.body(around, inside);
        inside.caught = true;
        let mut clauses = Vec::new();
        for index in 0..self.random.below(4) {
            let tag = self.random.below(TAGS + 1);
            // In the older form, what catches everything comes last.
            let last = !older || index == 3;
            let tag = Some(tag).filter(|tag| *tag < TAGS);
            let tag = tag.or((!last).then_some(0));
            clauses.push(Catch {
                tag,
                body: self.body(around, inside),
            });
        }
        if older && self.random.below(3) == 0 {
            clauses.push(Catch {
                tag: None,
                body: self.body(around, inside),
            });
        }
        Statement::Try {
            label,
            older,
            body,
            clauses,
        }
    }
}

/// What ends a list of statements early.
#[derive(Clone, Copy)]
enum Signal {
    Branch(Label),
    Return,
    Thrown(usize, u32),
    /// On its way to where it counts as thrown.
    Delegated(Option<Label>, usize, u32),
}

/// What the program's instances hold.
struct Machine<'a> {
    functions: &'a [Vec<Statement>],
    sum: u32,
    ticks: u32,
}

impl Machine<'_> {
    fn note(&mut self, number: u32) {
        self.sum = self.sum.wrapping_mul(31).wrapping_add(number);
    }

    fn tick(&mut self) -> bool {
        self.ticks = self.ticks.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        self.ticks >> 16 & 3 == 0
    }

    /// Calls a function; the exception that leaves it.
    fn call(&mut self, function: usize) -> Result<(), (usize, u32)> {
        let functions = self.functions;
        let mut frame = ([0; LOCALS], Vec::new());
        match self.run(&functions[function], &mut frame) {
            Err(Signal::Thrown(tag, value) | Signal::Delegated(_, tag, value)) => Err((tag, value)),
            _ => {
                for local in frame.0 {
                    self.note(local);
                }
                Ok(())
            }
        }
    }

    fn run(&mut self, statements: &[Statement], frame: &mut Frame) -> Result<(), Signal> {
        statements
            .iter()
            .try_for_each(|statement| self.statement(statement, frame))
    }

    fn statement(&mut self, statement: &Statement, frame: &mut Frame) -> Result<(), Signal> {
        match statement {
            Statement::Note(number) => self.note(*number),
            Statement::Set(local, number) => {
                let local = &mut frame.0[*local];
                *local = local.wrapping_mul(3).wrapping_add(*number);
            }
            Statement::Show(local) => self.note(frame.0[*local]),
            Statement::Throw(tag, value) => return Err(thrown(*tag, *value)),
            Statement::MayThrow(tag, value) => {
                if self.tick() {
                    return Err(thrown(*tag, *value));
                }
            }
            Statement::Call(function, _) => {
                let called = self.call(*function);
                called.map_err(|(tag, value)| Signal::Thrown(tag, value))?;
            }
            Statement::BranchIf(label) => {
                if self.tick() {
                    return Err(Signal::Branch(*label));
                }
            }
            Statement::Branch(label) => return Err(Signal::Branch(*label)),
            Statement::Return => return Err(Signal::Return),
            Statement::Block(label, body) => return left(*label, self.run(body, frame)),
            Statement::Loop(label, body) => {
                for _ in 0..3 {
                    left(*label, self.run(body, frame))?;
                }
            }
            Statement::Delegate(label, body, to) => {
                return match left(*label, self.run(body, frame)) {
                    Err(Signal::Thrown(tag, value)) => Err(Signal::Delegated(*to, tag, value)),
                    result => result,
                };
            }
            Statement::Try {
                label,
                body,
                clauses,
                ..
            } => {
                let result = left(*label, self.run(body, frame));
                let Err(Signal::Thrown(tag, value)) = result else {
                    return result;
                };
                let fits = |clause: &&Catch| clause.tag.is_none_or(|it| it == tag);
                let Some(clause) = clauses.iter().find(fits) else {
                    return result;
                };
                if clause.tag.is_some() {
                    self.note(value);
                }
                frame.1.push((*label, tag, value));
                let result = self.run(&clause.body, frame);
                frame.1.pop();
                return left(*label, result);
            }
            Statement::Again(label) => {
                let caught = frame.1.iter().rev().find(|(it, ..)| it == label);
                let (_, tag, value) = *caught.expect("it is in a clause of the label");
                return Err(Signal::Thrown(tag, value));
            }
        }
        Ok(())
    }
}

/// Locals, and what the clauses around have caught.
type Frame = ([u32; LOCALS], Vec<(Label, usize, u32)>);

/// An exception of a tag; one has no values.
fn thrown(tag: usize, value: u32) -> Signal {
    Signal::Thrown(tag, if tag == 2 { 0 } else { value })
}

/// What comes out of a construct.
fn left(label: Label, result: Result<(), Signal>) -> Result<(), Signal> {
    match result {
        Err(Signal::Branch(to)) if to == label => Ok(()),
        Err(Signal::Delegated(Some(to), tag, value)) if to == label => {
            Err(Signal::Thrown(tag, value))
        }
        result => result,
    }
}

/// Writes a function as text.
struct Writer {
    text: String,
    /// How many labels are open.
    depth: usize,
    locals: String,
    /// The `try_table`s whose bodies are open.
    tables: Vec<Label>,
}

impl Writer {
    fn line(&mut self, line: &str) {
        let indent = self.depth * 2;
        writeln!(self.text, "    {:indent$}{line}", "").expect("a string");
    }

    fn open(&mut self, line: &str) {
        self.line(line);
        self.depth += 1;
    }

    fn close(&mut self, line: &str) {
        self.depth -= 1;
        self.line(line);
    }

    fn all(&mut self, statements: &[Statement]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Note(number) => self.line(&format!("(call $note (i32.const {number}))")),
            Statement::Set(local, number) => self.line(&format!(
                "(local.set ${local} (i32.add (i32.mul (local.get ${local}) (i32.const 3)) \
                 (i32.const {number})))"
            )),
            Statement::Show(local) => self.line(&format!("(call $note (local.get ${local}))")),
            Statement::Throw(tag, value) => {
                let value =
                    ["(i32.const _)", "(i64.const _)", ""][*tag].replace('_', &value.to_string());
                self.line(&format!("(throw $t{tag} {value})"));
            }
            Statement::MayThrow(tag, value) => {
                self.line(&format!("(call $may_throw{tag} (i32.const {value}))"));
            }
            Statement::Call(function, false) => self.line(&format!("(call $f{function})")),
            Statement::Call(function, true) => {
                self.line(&format!("(call_indirect (i32.const {function}))"));
            }
            Statement::BranchIf(label) => self.line(&format!("(br_if $l{label} (call $tick))")),
            Statement::Branch(label) => self.line(&format!("(br $l{label})")),
            Statement::Return => self.line("(br $function)"),
            Statement::Block(label, body) => {
                self.open(&format!("block $l{label}"));
                self.all(body);
                self.close("end");
            }
            Statement::Loop(label, body) => {
                write!(self.locals, " (local $c{label} i32)").expect("a string");
                self.line(&format!("(local.set $c{label} (i32.const 3))"));
                self.open(&format!("loop $l{label}"));
                self.all(body);
                self.line(&format!(
                    "(br_if $l{label} (local.tee $c{label} \
                     (i32.sub (local.get $c{label}) (i32.const 1))))"
                ));
                self.close("end");
            }
            Statement::Delegate(label, body, to) => {
                self.open(&format!("try $l{label}"));
                self.all(body);
                self.depth -= 1;
                match to {
                    // Inside of a `try_table`, to that and not to the block around it.
                    Some(to) if self.tables.contains(to) => {
                        self.line(&format!("delegate $table{to}"));
                    }
                    Some(to) => self.line(&format!("delegate $l{to}")),
                    // One label more is the block around the body.
                    None => self.line(&format!("delegate {}", self.depth + 1)),
                }
            }
            Statement::Try {
                label,
                older: true,
                body,
                clauses,
            } => {
                self.open(&format!("try $l{label}"));
                self.all(body);
                for clause in clauses {
                    self.depth -= 1;
                    match clause.tag {
                        Some(tag) => self.line(&format!("catch $t{tag}")),
                        None => self.line("catch_all"),
                    }
                    self.depth += 1;
                    self.take(clause.tag);
                    self.line(&format!("(local.set $older{label} (i32.const 1))"));
                    self.all(&clause.body);
                }
                write!(self.locals, " (local $older{label} i32)").expect("a string");
                self.close("end");
            }
            Statement::Try {
                label,
                older: false,
                body,
                clauses,
            } => self.try_table(*label, body, clauses),
            Statement::Again(label) => self.line(&format!("(again $l{label})")),
        }
    }

    /// Notes the values of an exception, which are on the stack.
    fn take(&mut self, tag: Option<usize>) {
        match tag {
            Some(0) => self.line("call $note"),
            Some(1) => self.line("(call $note (i32.wrap_i64))"),
            Some(_) => self.line("(call $note (i32.const 0))"),
            None => {}
        }
    }

    fn try_table(&mut self, label: Label, body: &[Statement], clauses: &[Catch]) {
        write!(self.locals, " (local $x{label} exnref)").expect("a string");
        self.open(&format!("block $l{label}"));
        for (index, clause) in clauses.iter().enumerate().rev() {
            let values = clause.tag.map_or("", |tag| ["i32 ", "i64 ", ""][tag]);
            self.open(&format!("block $l{label}_{index} (result {values}exnref)"));
        }
        let mut catches = String::new();
        for (index, clause) in clauses.iter().enumerate() {
            let catch = match clause.tag {
                Some(tag) => format!(" (catch_ref $t{tag} $l{label}_{index})"),
                None => format!(" (catch_all_ref $l{label}_{index})"),
            };
            catches.push_str(&catch);
        }
        self.open(&format!("try_table $table{label}{catches}"));
        self.tables.push(label);
        self.all(body);
        self.tables.pop();
        self.close("end");
        self.line(&format!("br $l{label}"));
        for clause in clauses {
            self.close("end");
            self.line(&format!("local.set $x{label}"));
            self.take(clause.tag);
            self.all(&clause.body);
            self.line(&format!("br $l{label}"));
        }
        self.close("end");
    }
}

/// What both instances have.
const COMMON: &str = r#"
  (func $note (param i32)
    (global.set $sum (i32.add (i32.mul (global.get $sum) (i32.const 31)) (local.get 0))))
  (func $tick (result i32)
    (global.set $ticks
      (i32.add (i32.mul (global.get $ticks) (i32.const 1103515245)) (i32.const 12345)))
    (i32.eqz (i32.and (i32.shr_u (global.get $ticks) (i32.const 16)) (i32.const 3))))
  (func $may_throw0 (param i32) (if (call $tick) (then (throw $t0 (local.get 0)))))
  (func $may_throw1 (param i32)
    (if (call $tick) (then (throw $t1 (i64.extend_i32_u (local.get 0))))))
  (func $may_throw2 (param i32) (if (call $tick) (then (throw $t2))))
  (func (export "sum") (result i32) (global.get $sum))
"#;

fn function_text(index: usize, body: &[Statement]) -> String {
    let mut writer = Writer {
        text: String::new(),
        depth: 0,
        locals: String::new(),
        tables: Vec::new(),
    };
    writer.all(body);
    let mut text = writer.text;
    // How to throw again depends on the form of the try.
    for label in 0..200 {
        let again = match writer.locals.contains(&format!("$x{label} exnref")) {
            true => format!("(throw_ref (local.get $x{label}))"),
            false => format!("rethrow $l{label}"),
        };
        text = text.replace(&format!("(again $l{label})"), &again);
    }
    let notes: String = (0..LOCALS)
        .map(|local| format!("    (call $note (local.get ${local}))\n"))
        .collect();
    format!(
        "  (func $f{index} (export \"f{index}\") (local $0 i32) (local $1 i32) (local $2 i32){}\n\
         \x20   block $function\n{text}    end\n{notes}  )\n",
        writer.locals
    )
}

/// The script of a program, with what it comes to.
fn script(functions: &[Vec<Statement>]) -> String {
    let text = |range: std::ops::Range<usize>| -> String {
        range
            .map(|index| function_text(index, &functions[index]))
            .collect()
    };
    let elements: String = (0..FUNCTIONS).map(|index| format!(" $f{index}")).collect();
    let mut script = format!(
        "(module\n  (tag $t0 (export \"t0\") (param i32)) (tag $t1 (export \"t1\") (param i64)) \
         (tag $t2 (export \"t2\"))\n  (global $sum (export \"g\") (mut i32) (i32.const 0))\n  \
         (global $ticks (export \"h\") (mut i32) (i32.const 0))\n  (table {FUNCTIONS} funcref)\n  \
         (elem (i32.const {FOREIGN}){})\n{COMMON}{})\n(register \"other\")\n",
        &elements[elements.find(&format!(" $f{FOREIGN}")).unwrap_or(0)..],
        text(FOREIGN..FUNCTIONS)
    );
    let mut imports = String::new();
    for (tag, params) in [" (param i32)", " (param i64)", ""].iter().enumerate() {
        writeln!(
            imports,
            "  (import \"other\" \"t{tag}\" (tag $t{tag}{params}))"
        )
        .expect("text");
    }
    for index in FOREIGN..FUNCTIONS {
        writeln!(
            imports,
            "  (import \"other\" \"f{index}\" (func $f{index}))"
        )
        .expect("text");
    }
    write!(
        script,
        "(module\n{imports}  (import \"other\" \"g\" (global $sum (mut i32)))\n  \
         (import \"other\" \"h\" (global $ticks (mut i32)))\n  (table {FUNCTIONS} funcref)\n  \
         (elem (i32.const 0){elements})\n{COMMON}{})\n",
        text(0..FOREIGN)
    )
    .expect("text");
    let mut machine = Machine {
        functions,
        sum: 0,
        ticks: 0,
    };
    for _ in 0..4 {
        for function in 0..FOREIGN {
            let assertion = match machine.call(function) {
                Ok(()) => "assert_return",
                Err(_) => "assert_exception",
            };
            writeln!(script, "({assertion} (invoke \"f{function}\"))").expect("text");
            let sum = machine.sum;
            writeln!(script, "(assert_return (invoke \"sum\") (i32.const {sum}))").expect("text");
        }
    }
    script
}

#[test]
fn programs_do_what_the_interpreter_does() {
    for round in 1..=ROUNDS {
        let mut random = Random(round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let functions: Vec<_> = (0..FUNCTIONS)
            .map(|function| {
                let mut maker = Maker {
                    random: &mut random,
                    function,
                    next: 0,
                    left: STATEMENTS,
                };
                let mut statements = Vec::new();
                while maker.left > 0 {
                    statements.extend(maker.statements(&mut Vec::new()));
                }
                statements
            })
            .collect();
        let text = script(&functions);
        let configuration = &ALL[round as usize % ALL.len()];
        let options = configuration.options();
        let report = run_script(
            "program.wast",
            &text,
            &CompiledNow(options),
            configuration.stacks,
        );
        let report = report.unwrap_or_else(|error| panic!("round {round}: {error}\n{text}"));
        let failed = !report.failed.is_empty() || report.skipped_count() != 0;
        assert!(
            !failed,
            "round {round}, {}:\n{}\n{text}",
            configuration.name,
            report.text("program.wast")
        );
        assert_eq!(report.passed, 8 * FOREIGN);
    }
}
