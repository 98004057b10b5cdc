//! z/Architecture: the context is in `r9`, the value array in `r2`.
//!
//! Every function saves its return address in its caller's register save area, and begins its frame
//! with a back chain. Where it writes that, it finds the end of the stack.

use precast_format::trap::TrapCode;

/// Which byte of an instruction that traps the compiler files it under: the last.
pub const TRAPPING_BYTE: u32 = 1;

/// The beginning of functions whose frame is a register save area, and so much more.
macro_rules! push_frame {
    ($more:literal) => {
        concat!(
            "stmg %r14, %r15, 112(%r15)\nlgr %r1, %r15\naghi %r15, -160-",
            $more,
            "\nstg %r1, 0(%r15)"
        )
    };
}

/// The end of functions that return, whose frame is a register save area.
macro_rules! pop_frame {
    () => {
        "lmg %r14, %r15, 160+112(%r15)\nbr %r14"
    };
}

core::arch::global_asm!(
    ".pushsection .rodata",
    ".balign 2",
    place!("start"),
    // add: (i32, i32) -> i32
    place!("add"),
    push_frame!(0),
    "l %r3, 0(%r2)",
    "a %r3, 16(%r2)",
    "st %r3, 0(%r2)",
    pop_frame!(),
    // fault: traps by an instruction that does not exist
    place!("fault"),
    push_frame!(0),
    place!("fault_site"),
    ".2byte 0",
    // raise: traps by a call
    place!("raise"),
    push_frame!(0),
    "lgr %r2, %r9",
    "lghi %r3, {divide_by_zero}",
    "lg %r1, -24(%r9)",
    "lg %r1, 0(%r1)",
    "basr %r14, %r1",
    place!("raise_site"),
    ".2byte 0",
    // host: (i32, i32) -> i32, by calling the import
    place!("host"),
    push_frame!(0),
    "lg %r1, -88(%r9)",
    "stg %r1, -16(%r9)",
    "lg %r1, 16(%r1)",
    "basr %r14, %r1",
    place!("host_site"),
    pop_frame!(),
    // deep: calls itself until the stack limit
    place!("deep"),
    "6:",
    push_frame!(1024),
    "lg %r1, -8(%r9)",
    "clgr %r15, %r1",
    "jh 2f",
    "lgr %r2, %r9",
    "lghi %r3, {stack_overflow}",
    "lg %r1, -24(%r9)",
    "lg %r1, 0(%r1)",
    "basr %r14, %r1",
    "2:",
    "brasl %r14, 6b",
    place!("deep_site"),
    ".2byte 0",
    // endless: calls itself until there is no stack
    place!("endless"),
    "6:",
    push_frame!(1024),
    "brasl %r14, 6b",
    place!("endless_site"),
    ".2byte 0",
    // The entry trampoline: context, code, values, activation.
    place!("entry"),
    "stmg %r6, %r15, 48(%r15)",
    "lgr %r1, %r15",
    "aghi %r15, -160-64",
    "stg %r1, 0(%r15)",
    "std %f8, 160(%r15)",
    "std %f9, 168(%r15)",
    "std %f10, 176(%r15)",
    "std %f11, 184(%r15)",
    "std %f12, 192(%r15)",
    "std %f13, 200(%r15)",
    "std %f14, 208(%r15)",
    "std %f15, 216(%r15)",
    "stg %r15, 0(%r5)",
    "stg %r1, 8(%r5)",
    "larl %r1, 4f",
    "stg %r1, 16(%r5)",
    "lgr %r9, %r2",
    "lgr %r2, %r4",
    "basr %r14, %r3",
    "lghi %r2, 0",
    "3:",
    "ld %f8, 160(%r15)",
    "ld %f9, 168(%r15)",
    "ld %f10, 176(%r15)",
    "ld %f11, 184(%r15)",
    "ld %f12, 192(%r15)",
    "ld %f13, 200(%r15)",
    "ld %f14, 208(%r15)",
    "ld %f15, 216(%r15)",
    "lmg %r6, %r15, 160+64+48(%r15)",
    "br %r14",
    "4:",
    "lghi %r2, 1",
    "j 3b",
    // The adapter to host functions. Its caller expects nothing in the two registers that it keeps the
    // activation's state in.
    place!("adapter"),
    push_frame!(0),
    "lg %r6, -8(%r9)",
    "lg %r7, -32(%r9)",
    "stg %r1, 24(%r7)",
    "lgr %r4, %r2",
    "lgr %r3, %r9",
    "lg %r1, -16(%r9)",
    "lg %r2, 8(%r1)",
    "lg %r1, 0(%r2)",
    "basr %r14, %r1",
    "stg %r6, -8(%r9)",
    "stg %r7, -32(%r9)",
    "lghi %r1, 0",
    "stg %r1, 24(%r7)",
    "ltr %r2, %r2",
    "jne 5f",
    pop_frame!(),
    "5:",
    "lgr %r2, %r9",
    "lghi %r3, 0",
    "lg %r1, -24(%r9)",
    "lg %r1, 0(%r1)",
    "basr %r14, %r1",
    ".2byte 0",
    place!("end"),
    ".popsection",
    divide_by_zero = const TrapCode::IntegerDivideByZero as u32,
    stack_overflow = const TrapCode::StackOverflow as u32,
);
