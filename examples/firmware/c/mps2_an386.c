// Arm's board MPS2 with image AN386, a Cortex-M4: the vectors, the start, the serial port, the lights.

#include "board.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define TIMER_CONTROL REGISTER(0x40000000)
#define TIMER_VALUE REGISTER(0x40000004)
#define TIMER_RELOAD REGISTER(0x40000008)
#define UART_DATA REGISTER(0x40004000)
#define UART_STATE REGISTER(0x40004004)
#define UART_CONTROL REGISTER(0x40004008)
#define UART_DIVISOR REGISTER(0x40004010)
#define LIGHTS REGISTER(0x40028000)
#define COPROCESSORS REGISTER(0xe000ed88)

int main(void);

// Where the linker has put things.
extern uint32_t data_start[], data_end[], data_source[], bss_start[], bss_end[], stack_top[];

_Noreturn void start(void);

_Noreturn void start(void) {
    // Floating point, which the library's code may use.
    COPROCESSORS |= 0xfu << 20;
    __asm__ volatile("dsb\nisb" ::: "memory");
    uint32_t *source = data_source;
    for (uint32_t *word = data_start; word < data_end; word++)
        *word = *source++;
    for (uint32_t *word = bss_start; word < bss_end; word++)
        *word = 0;
    // It counts down, 25 million times a second.
    TIMER_RELOAD = TIMER_VALUE = UINT32_MAX;
    TIMER_CONTROL = 1;
    UART_DIVISOR = 16;
    UART_CONTROL = 1;
    board_exit((uint32_t)main());
}

static _Noreturn void fault(void) {
    board_exit(102);
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, start, fault, fault, fault, fault, fault, fault,
    fault,     fault, fault, fault, fault, fault, fault, fault,
};

void board_write(const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) {
        while (UART_STATE & 1) {
        }
        UART_DATA = (uint8_t)bytes[i];
    }
}

// Asked often enough, that is once in three minutes, it knows how often the timer came round.
uint64_t board_nanoseconds(void) {
    static uint64_t ticks;
    static uint32_t last;
    uint32_t now = UINT32_MAX - TIMER_VALUE;
    ticks += (uint32_t)(now - last);
    last = now;
    return ticks * 40;
}

void board_set_pins(uint8_t levels) {
    LIGHTS = levels;
}

uint8_t board_pins(void) {
    return (uint8_t)LIGHTS;
}

// Semihosting: an operation and its argument, which is why the program ended and its status.
_Noreturn void board_exit(uint32_t status) {
    const uint32_t reason[2] = {0x20026, status};
    register uint32_t operation __asm__("r0") = 0x20;
    register const uint32_t *argument __asm__("r1") = reason;
    for (;;)
        __asm__ volatile("bkpt 0xab" : "+r"(operation) : "r"(argument) : "memory");
}
