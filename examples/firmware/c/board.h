// What the firmware asks of its board.

#ifndef BOARD_H
#define BOARD_H

#include <stddef.h>
#include <stdint.h>

// Writes to the serial port.
void board_write(const char *bytes, size_t length);

// Sets eight pins.
void board_set_pins(uint8_t levels);

// The levels of the pins.
uint8_t board_pins(void);

// Nanoseconds since the start, by a timer of the board.
uint64_t board_nanoseconds(void);

// Ends the emulator with a status.
_Noreturn void board_exit(uint32_t status);

#endif
