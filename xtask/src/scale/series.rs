//! The series: modules that grow in one respect.

use super::wasm::{Wasm, access, code, constant, name, offset, op, unsigned};

/// A series of modules that grow in one respect.
pub struct Series {
    /// What grows.
    pub name: &'static str,
    /// How many there are in the modules, ascending.
    pub sizes: &'static [u64],
    /// Makes a module with so many.
    pub module: fn(u64) -> Vec<u8>,
}

/// Sizes where one unit is next to nothing.
const MANY: &[u64] = &[1_000, 4_000, 16_000, 64_000];

/// All series.
pub const ALL: &[Series] = &[
    Series {
        name: "functions",
        sizes: MANY,
        module: functions,
    },
    Series {
        name: "names",
        sizes: MANY,
        module: names,
    },
    Series {
        name: "imports",
        sizes: MANY,
        module: imports,
    },
    Series {
        name: "exports",
        sizes: MANY,
        module: exports,
    },
    Series {
        name: "types",
        sizes: MANY,
        module: types,
    },
    Series {
        name: "indirect calls",
        sizes: MANY,
        module: indirect_calls,
    },
    Series {
        name: "globals",
        sizes: MANY,
        module: globals,
    },
    Series {
        name: "element segments",
        sizes: MANY,
        module: elements,
    },
    Series {
        name: "data segments",
        sizes: MANY,
        module: data,
    },
    Series {
        name: "table size",
        sizes: &[10_000, 100_000, 1_000_000, 10_000_000],
        module: table,
    },
    Series {
        name: "bytes of text",
        sizes: &[1 << 20, 16 << 20, 64 << 20, 220 << 20],
        module: text,
    },
    Series {
        name: "bytes of data",
        sizes: &[1 << 20, 16 << 20, 64 << 20, 220 << 20],
        module: image,
    },
    Series {
        name: "instructions of a function",
        sizes: &[16_000, 64_000, 256_000, 1_000_000],
        module: straight,
    },
    Series {
        name: "branches of a function",
        sizes: &[1_000, 4_000, 16_000, 64_000],
        module: branches,
    },
    Series {
        name: "locals of a function",
        sizes: &[1_000, 4_000, 16_000, 48_000],
        module: locals,
    },
    Series {
        name: "locals and blocks",
        sizes: &[1_000, 4_000, 16_000],
        module: locals_and_blocks,
    },
    Series {
        name: "entries of a branch table",
        sizes: &[1_000, 4_000, 16_000, 64_000],
        module: branch_table,
    },
    Series {
        name: "nested blocks",
        sizes: &[500, 1_000, 2_000, 4_000, 8_000],
        module: nesting,
    },
    Series {
        name: "operands at a time",
        sizes: &[1_000, 4_000, 16_000, 64_000],
        module: operands,
    },
];

/// A body that loads, reckons, stores, and calls two other functions.
fn ordinary_body(bytes: &mut Vec<u8>, index: u64) {
    bytes.push(0);
    op(bytes, code::LOCAL_GET, 0);
    op(bytes, code::LOCAL_GET, 0);
    access(bytes, code::I32_LOAD, index % 1000 * 4);
    constant(bytes, index as i32);
    bytes.push(code::I32_MUL);
    access(bytes, code::I32_STORE, index % 500 * 8);
    op(bytes, code::LOCAL_GET, 0);
    for callee in [index / 2, index / 3] {
        if callee < index {
            op(bytes, code::CALL, 1 + callee);
        }
    }
}

/// A module whose function 0 is `_start` and does nothing, and whose other functions are ordinary.
fn ordinary(count: u64, exports: bool) -> Wasm {
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    wasm.items(3, 1 + count, |bytes, index| bytes.push((index > 0).into()));
    wasm.memory(1);
    match exports {
        false => wasm.start(0),
        true => wasm.items(7, 1 + count, |bytes, index| {
            match index {
                0 => name(bytes, "_start"),
                _ => name(bytes, &format!("function {index}")),
            }
            op(bytes, 0, index);
        }),
    }
    wasm.bodies(1 + count, |bytes, index| match index.checked_sub(1) {
        None => bytes.push(0),
        Some(index) => ordinary_body(bytes, index),
    });
    wasm
}

fn functions(count: u64) -> Vec<u8> {
    ordinary(count, false).finish()
}

fn exports(count: u64) -> Vec<u8> {
    ordinary(count, true).finish()
}

fn names(count: u64) -> Vec<u8> {
    let mut wasm = ordinary(count, false);
    wasm.names(1 + count, |index| {
        format!("some::module::of_usual_length::function_{index}")
    });
    wasm.finish()
}

fn imports(count: u64) -> Vec<u8> {
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    wasm.items(2, count, |bytes, index| {
        name(bytes, "host");
        name(bytes, &format!("{index:06}"));
        bytes.extend([0, 0]);
    });
    wasm.items(3, 1, |bytes, _| bytes.push(0));
    wasm.start(count);
    wasm.bodies(1, |bytes, _| bytes.push(0));
    wasm.finish()
}

/// Parameters that say the number of a type in binary.
fn numbered_type(bytes: &mut Vec<u8>, index: u64) {
    bytes.push(20);
    bytes.extend((0..20).map(|bit| match index >> bit & 1 {
        0 => code::I32,
        _ => code::I64,
    }));
    bytes.push(0);
}

fn types(count: u64) -> Vec<u8> {
    let mut wasm = Wasm::new();
    wasm.types(count, numbered_type);
    wasm.items(3, 1, |bytes, _| bytes.push(0));
    wasm.start(0);
    wasm.bodies(1, |bytes, _| bytes.push(0));
    wasm.finish()
}

/// Each function has a type of its own, is in the table, and calls the one before it through it.
fn indirect_calls(count: u64) -> Vec<u8> {
    let mut wasm = Wasm::new();
    wasm.types(count, numbered_type);
    wasm.items(3, count, |bytes, index| unsigned(bytes, 2 + index));
    wasm.table(count);
    wasm.items(7, 1, |bytes, _| {
        name(bytes, "last");
        op(bytes, 0, count - 1);
    });
    wasm.items(9, 1, |bytes, _| {
        bytes.push(0);
        offset(bytes, 0);
        unsigned(bytes, count);
        (0..count).for_each(|index| unsigned(bytes, index));
    });
    wasm.bodies(count, |bytes, index| {
        bytes.push(0);
        let Some(callee) = index.checked_sub(1) else {
            return;
        };
        for bit in 0..20 {
            match callee >> bit & 1 {
                0 => constant(bytes, 1),
                _ => bytes.extend([code::I64_CONST, 1]),
            }
        }
        constant(bytes, callee as i32);
        op(bytes, code::CALL_INDIRECT, 2 + callee);
        bytes.push(0);
    });
    wasm.finish()
}

fn globals(count: u64) -> Vec<u8> {
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    wasm.items(3, 1, |bytes, _| bytes.push(0));
    wasm.items(6, count, |bytes, index| {
        bytes.extend([code::I32, 1]);
        offset(bytes, index as i32);
    });
    wasm.start(0);
    wasm.bodies(1, |bytes, _| bytes.push(0));
    wasm.finish()
}

fn elements(count: u64) -> Vec<u8> {
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    wasm.items(3, 1, |bytes, _| bytes.push(0));
    wasm.table(count);
    wasm.start(0);
    wasm.items(9, count, |bytes, index| {
        bytes.push(0);
        offset(bytes, index as i32);
        bytes.extend([1, 0]);
    });
    wasm.bodies(1, |bytes, _| bytes.push(0));
    wasm.finish()
}

fn data(count: u64) -> Vec<u8> {
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    wasm.items(3, 1, |bytes, _| bytes.push(0));
    wasm.memory(1 + count * 64 / 65_536);
    wasm.start(0);
    wasm.bodies(1, |bytes, _| bytes.push(0));
    wasm.items(11, count, |bytes, index| {
        bytes.push(0);
        offset(bytes, (index * 64) as i32);
        name(bytes, "data");
    });
    wasm.finish()
}

fn table(length: u64) -> Vec<u8> {
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    wasm.items(3, 1, |bytes, _| bytes.push(0));
    wasm.table(length);
    wasm.start(0);
    wasm.bodies(1, |bytes, _| bytes.push(0));
    wasm.finish()
}

/// Functions of vector constants, of which the text has about so many bytes: they take little time to
/// compile for the code that they make.
fn text(bytes: u64) -> Vec<u8> {
    const EACH: u64 = 28;
    const CONSTANTS: u64 = 8_000;
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    let count = bytes / EACH / CONSTANTS + 1;
    wasm.items(3, 1 + count, |bytes, index| bytes.push((index > 0).into()));
    wasm.start(0);
    wasm.bodies(1 + count, |bytes, index| {
        bytes.push(0);
        if index == 0 {
            return;
        }
        for part in 0..=CONSTANTS {
            bytes.extend([code::VECTOR, code::V128_CONST]);
            bytes.extend(index.to_le_bytes());
            bytes.extend(part.to_le_bytes());
            if part > 0 {
                bytes.extend([code::VECTOR, code::V128_XOR]);
            }
        }
        bytes.extend([code::VECTOR, code::I32X4_EXTRACT_LANE, 1]);
    });
    wasm.finish()
}

/// One segment of so many bytes, which becomes an image of the memory.
fn image(length: u64) -> Vec<u8> {
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    wasm.items(3, 1, |bytes, _| bytes.push(0));
    wasm.memory(2 + length / 65_536);
    wasm.start(0);
    wasm.bodies(1, |bytes, _| bytes.push(0));
    wasm.items(11, 1, |bytes, _| {
        bytes.push(0);
        offset(bytes, 1024);
        unsigned(bytes, length);
        bytes.extend((0..length).map(|index| (index / 7) as u8 | 1));
    });
    wasm.finish()
}

/// A module of one function, which takes and returns an `i32`, and of `_start`, which does nothing.
fn one_function(body: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut wasm = Wasm::new();
    wasm.types(0, |_, _| {});
    wasm.items(3, 2, |bytes, index| bytes.push(index as u8));
    wasm.memory(1);
    wasm.start(0);
    wasm.bodies(2, |bytes, index| match index {
        0 => bytes.push(0),
        _ => body(bytes),
    });
    wasm.finish()
}

fn straight(instructions: u64) -> Vec<u8> {
    one_function(|bytes| {
        bytes.push(0);
        for index in 0..instructions / 7 {
            op(bytes, code::LOCAL_GET, 0);
            op(bytes, code::LOCAL_GET, 0);
            access(bytes, code::I32_LOAD, index % 1000 * 4);
            constant(bytes, index as i32);
            bytes.push(code::I32_XOR);
            bytes.push(code::I32_ADD);
            op(bytes, code::LOCAL_SET, 0);
        }
        op(bytes, code::LOCAL_GET, 0);
    })
}

/// Appends a block that is left early or changes a local.
fn branch(bytes: &mut Vec<u8>, local: u64) {
    bytes.extend([code::BLOCK, code::EMPTY]);
    op(bytes, code::LOCAL_GET, local);
    op(bytes, code::BR_IF, 0);
    op(bytes, code::LOCAL_GET, 0);
    constant(bytes, 3);
    bytes.push(code::I32_MUL);
    op(bytes, code::LOCAL_SET, local);
    bytes.push(code::END);
}

fn branches(count: u64) -> Vec<u8> {
    one_function(|bytes| {
        bytes.extend([1, 30, code::I32]);
        (0..count).for_each(|index| branch(bytes, index % 31));
        op(bytes, code::LOCAL_GET, 0);
    })
}

fn declare_locals(bytes: &mut Vec<u8>, count: u64) {
    bytes.push(1);
    unsigned(bytes, count);
    bytes.push(code::I32);
}

fn locals(count: u64) -> Vec<u8> {
    one_function(|bytes| {
        declare_locals(bytes, count);
        for local in 1..=count {
            op(bytes, code::LOCAL_GET, local - 1);
            constant(bytes, local as i32);
            bytes.push(code::I32_ADD);
            op(bytes, code::LOCAL_SET, local);
        }
        op(bytes, code::LOCAL_GET, count);
    })
}

/// As many locals as blocks, which all stay alive to the end.
fn locals_and_blocks(count: u64) -> Vec<u8> {
    one_function(|bytes| {
        declare_locals(bytes, count);
        (1..=count).for_each(|local| branch(bytes, local));
        op(bytes, code::LOCAL_GET, 0);
        for local in 1..=count {
            op(bytes, code::LOCAL_GET, local);
            bytes.push(code::I32_ADD);
        }
    })
}

fn branch_table(entries: u64) -> Vec<u8> {
    one_function(|bytes| {
        bytes.push(0);
        for _ in 0..50 {
            bytes.extend([code::BLOCK, code::EMPTY]);
        }
        op(bytes, code::LOCAL_GET, 0);
        op(bytes, code::BR_TABLE, entries);
        (0..=entries).for_each(|index| unsigned(bytes, index % 50));
        bytes.push(code::END);
        for index in 1..50 {
            constant(bytes, index);
            op(bytes, code::LOCAL_SET, 0);
            bytes.push(code::END);
        }
        op(bytes, code::LOCAL_GET, 0);
    })
}

fn nesting(depth: u64) -> Vec<u8> {
    one_function(|bytes| {
        bytes.push(0);
        for _ in 0..depth {
            bytes.extend([code::BLOCK, code::EMPTY]);
        }
        for level in 0..depth {
            op(bytes, code::LOCAL_GET, 0);
            op(bytes, code::BR_IF, (level / 2).min(depth - level - 1));
            constant(bytes, level as i32);
            op(bytes, code::LOCAL_SET, 0);
            bytes.push(code::END);
        }
        op(bytes, code::LOCAL_GET, 0);
    })
}

fn operands(count: u64) -> Vec<u8> {
    one_function(|bytes| {
        bytes.push(0);
        for index in 0..count {
            constant(bytes, index as i32 % 60);
            access(bytes, code::I32_LOAD, index % 1000 * 4);
        }
        for _ in 1..count {
            bytes.push(code::I32_ADD);
        }
        constant(bytes, 1);
        bytes.push(code::DROP);
    })
}
