// Blinks a text in Morse code on a lamp: strings, a table in flash, 16-bit and floating-point
// arithmetic, an interrupt, and volatile registers.

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <math.h>
#include <stdint.h>

static const char letters[26][5] PROGMEM = {
    ".-",   "-...", "-.-.", "-..",  ".",   "..-.", "--.",  "....", "..",   ".---", "-.-",  ".-..", "--",
    "-.",   "---",  ".--.", "--.-", ".-.", "...",  "-",    "..-",  "...-", ".--",  "-..-", "-.--", "--..",
};

static volatile uint16_t ticks;

ISR(TIMER0_OVF_vect) {
    ticks++;
}

static void wait(uint16_t duration) {
    uint16_t start = ticks;
    while ((uint16_t)(ticks - start) < duration) {
    }
}

static void blink(char sign) {
    PORTB |= _BV(PORTB5);
    wait(sign == '.' ? 20 : 60);
    PORTB &= (uint8_t)~_BV(PORTB5);
    wait(20);
}

static void speak(const char *text) {
    for (; *text; text++) {
        if (*text < 'a' || *text > 'z') {
            wait(140);
            continue;
        }
        const char *signs = letters[*text - 'a'];
        for (char sign; (sign = (char)pgm_read_byte(signs)); signs++) blink(sign);
        wait(60);
    }
}

// The brightness of a lamp as people see it.
static uint8_t brightness(uint8_t level) {
    return (uint8_t)(255.0f * powf((float)level / 255.0f, 2.2f) + 0.5f);
}

int main(void) {
    char text[] = "level zz sos";
    DDRB = _BV(DDB5);
    TCCR0B = _BV(CS01) | _BV(CS00);
    TIMSK0 = _BV(TOIE0);
    sei();
    for (uint8_t level = 0;; level += 5) {
        OCR1AL = brightness(level);
        text[6] = (char)('a' + level / 26);
        text[7] = (char)('a' + level % 26);
        speak(text);
    }
}
