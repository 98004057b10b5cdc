// The first instructions, and where exceptions go.

    .section .text.start, "ax"
    .global start
start:
    ldr x0, =stack_top
    mov sp, x0
    // Floating point and vectors: the compiler copies memory with them.
    mov x0, #(3 << 20)
    msr cpacr_el1, x0
    adr x0, vectors
    msr vbar_el1, x0
    isb
    // Initial values of variables, from flash.
    ldr x0, =data_start
    ldr x1, =data_end
    ldr x2, =data_source
1:  cmp x0, x1
    b.hs 2f
    ldp x3, x4, [x2], #16
    stp x3, x4, [x0], #16
    b 1b
2:  ldr x0, =bss_start
    ldr x1, =bss_end
3:  cmp x0, x1
    b.hs 4f
    stp xzr, xzr, [x0], #16
    b 3b
4:  bl prepare
    b .
    .ltorg

    // Sixteen kinds of exceptions, and none is expected.
    .section .text.vectors, "ax"
    .balign 2048
vectors:
    .rept 16
    .balign 128
    mrs x0, esr_el1
    mrs x1, elr_el1
    mrs x2, far_el1
    // The stack may be what is broken.
    ldr x3, =stack_top
    mov sp, x3
    b unexpected
    .endr
    .ltorg
