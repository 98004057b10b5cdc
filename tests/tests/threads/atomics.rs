//! Atomic instructions: that nothing is lost between threads, and that addresses are aligned.

use precast_loader::{TrapCode, Value};

use crate::support::{Program, THREADS, call, call_i32, in_every_way, on_threads, trap};

/// Type, suffix of the width, bits.
const WIDTHS: [(&str, &str, u32); 7] = [
    ("i32", "", 32),
    ("i32", "8", 8),
    ("i32", "16", 16),
    ("i64", "", 64),
    ("i64", "8", 8),
    ("i64", "16", 16),
    ("i64", "32", 32),
];

fn unsigned(width: &str) -> &str {
    if width.is_empty() { "" } else { "_u" }
}

#[test]
fn a_counter_of_any_width_counts_every_thread() {
    const TIMES: u64 = 3000;
    let mut counts = String::new();
    for (index, (ty, width, _)) in WIDTHS.iter().enumerate() {
        let u = unsigned(width);
        counts.push_str(&format!(
            "(drop ({ty}.atomic.rmw{width}.add{u} (i32.const {}) ({ty}.const 1)))",
            8 * index
        ));
    }
    let functions = format!(
        r#"(func (export "count") (param $times i32)
            (loop {counts}
                (br_if 0 (local.tee $times (i32.sub (local.get $times) (i32.const 1))))))"#
    );
    in_every_way(move |options| {
        let program = Program::new(&functions, options);
        on_threads(|_| {
            let instance = program.instance();
            call(&instance, "count", &[Value::I32(TIMES as i32)]).unwrap();
        });
        let total = TIMES * THREADS as u64;
        for (index, (.., bits)) in WIDTHS.iter().enumerate() {
            let mut bytes = [0; 8];
            program.memory.read(8 * index as u64, &mut bytes).unwrap();
            let mask = u64::MAX >> (64 - bits);
            // What is beside a narrow counter stays zero.
            assert_eq!(
                u64::from_le_bytes(bytes),
                total & mask,
                "{}",
                WIDTHS[index].1
            );
        }
    });
}

#[test]
fn exchanges_lose_nothing() {
    // Each thread adds by compare-exchange, and by exchange hands a token around.
    const FUNCTIONS: &str = r#"
        (func $add (param $address i32) (local $old i32)
            (local.set $old (i32.atomic.load (local.get $address)))
            (loop
                (br_if 0 (i32.ne (local.get $old)
                    (local.tee $old (i32.atomic.rmw.cmpxchg (local.get $address)
                        (local.get $old) (i32.add (local.get $old) (i32.const 1))))))))
        (func (export "run") (param $times i32) (local $sum i32)
            (loop
                (call $add (i32.const 0))
                (local.set $sum (i32.add (local.get $sum)
                    (i32.atomic.rmw.xchg (i32.const 8) (i32.const 1))))
                (br_if 0 (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
            (drop (i32.atomic.rmw.add (i32.const 16) (local.get $sum))))"#;
    const TIMES: u32 = 3000;
    in_every_way(|options| {
        let program = Program::new(FUNCTIONS, options);
        on_threads(|_| {
            let instance = program.instance();
            call(&instance, "run", &[Value::I32(TIMES as i32)]).unwrap();
        });
        let total = TIMES * THREADS as u32;
        assert_eq!(program.read_u32(0), total);
        // Every exchange but the very first finds the token.
        assert_eq!(program.read_u32(16), total - 1);
    });
}

#[test]
fn stores_and_loads_have_one_order() {
    // Of two threads that each store and then load what the other stores, one sees the other's.
    const FUNCTIONS: &str = r#"
        (func (export "turn") (param $mine i32) (param $other i32) (result i32)
            (i32.atomic.store (local.get $mine) (i32.const 1))
            (i32.atomic.load (local.get $other)))"#;
    const TURNS: u64 = 300;
    in_every_way(|options| {
        let program = Program::new(FUNCTIONS, options);
        let seen = on_threads(|number| {
            let instance = program.instance();
            let mut seen = Vec::new();
            for turn in 0..TURNS {
                // Two pairs of threads, each with words of its own for every turn.
                let pair = 16384 * (number as u64 / 2) + 16 * turn;
                let mine = pair + 8 * (number as u64 % 2);
                let other = pair + 8 * (1 - number as u64 % 2);
                let arguments = [Value::I32(mine as i32), Value::I32(other as i32)];
                seen.push(call_i32(&instance, "turn", &arguments));
            }
            seen
        });
        for pair in seen.chunks(2) {
            let mut turns = pair[0].iter().zip(&pair[1]);
            assert!(turns.all(|turn| turn != (&0, &0)));
        }
    });
}

#[test]
fn misaligned_addresses_trap_for_every_width() {
    let mut functions = String::new();
    let mut names = Vec::new();
    for (ty, width, bits) in WIDTHS {
        let u = unsigned(width);
        let bytes = bits / 8;
        let value = format!("({ty}.const 0)");
        let address = "(local.get 0)";
        let mut accesses = vec![
            format!("(drop ({ty}.atomic.load{width}{u} {address}))"),
            format!("({ty}.atomic.store{width} {address} {value})"),
            format!("(drop ({ty}.atomic.rmw{width}.cmpxchg{u} {address} {value} {value}))"),
            // The offset counts.
            format!("(drop ({ty}.atomic.load{width}{u} offset=65535 {address}))"),
        ];
        for change in ["add", "sub", "and", "or", "xor", "xchg"] {
            accesses.push(format!(
                "(drop ({ty}.atomic.rmw{width}.{change}{u} {address} {value}))"
            ));
        }
        for access in accesses {
            let name = format!("f{}", names.len());
            let by_offset = access.contains("offset");
            functions.push_str(&format!(r#"(func (export "{name}") (param i32) {access})"#));
            names.push((name, bytes, by_offset));
        }
    }
    in_every_way(move |options| {
        let program = Program::new(&functions, options);
        program.memory.grow(1).unwrap();
        let instance = program.instance();
        for (name, bytes, by_offset) in &names {
            for address in 0..16 {
                let result = call(&instance, name, &[Value::I32(address as i32)]);
                let effective = if *by_offset { address + 65535 } else { address };
                if effective % bytes == 0 {
                    assert!(result.is_ok(), "{name} {address}: {result:?}");
                } else {
                    assert_eq!(trap(result), TrapCode::UnalignedAtomic, "{name} {address}");
                }
            }
            let beyond = call(&instance, name, &[Value::I32(2 * 65536)]);
            let code = trap(beyond);
            let either = [TrapCode::MemoryOutOfBounds, TrapCode::UnalignedAtomic];
            assert!(
                either.contains(&code) && (*by_offset || code == either[0]),
                "{name}: {code}"
            );
            let last = call(&instance, name, &[Value::I32(-8)]);
            assert!(either.contains(&trap(last)), "{name}");
        }
    });
}
