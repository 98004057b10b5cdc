// longjmp as clang compiles it for WebAssembly: a throw that setjmp's function catches.

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

struct context {
    jmp_buf place;
    struct context *outer;
};

static struct context *innermost;

static _Noreturn void raise_error(int code) {
    longjmp(innermost->place, code);
}

// A recursive-descent calculator that leaves from any depth on a mistake.
static const char *input;

static long sum(void);

static long factor(void) {
    if (*input == '(') {
        input++;
        long value = sum();
        if (*input != ')') raise_error(1);
        input++;
        return value;
    }
    if (*input < '0' || *input > '9') raise_error(2);
    return strtol(input, (char **)&input, 10);
}

static long product(void) {
    long value = factor();
    while (*input == '*' || *input == '/') {
        char sign = *input++;
        long right = factor();
        if (sign == '/' && right == 0) raise_error(3);
        value = sign == '*' ? value * right : value / right;
    }
    return value;
}

static long sum(void) {
    long value = product();
    while (*input == '+' || *input == '-') {
        char sign = *input++;
        long right = product();
        value = sign == '+' ? value + right : value - right;
    }
    return value;
}

static void calculate(const char *text) {
    static const char *const mistakes[] = {"", "missing )", "no number", "division by zero"};
    struct context context = {.outer = innermost};
    innermost = &context;
    input = text;
    int code = setjmp(context.place);
    if (code == 0) {
        printf("%s = %ld\n", text, sum());
    } else {
        printf("%s: %s at %ld\n", text, mistakes[code], (long)(input - text));
    }
    innermost = context.outer;
}

// Two places in one function; the values of volatile variables survive.
static void two_places(void) {
    jmp_buf first, second;
    volatile int rounds = 0;
    int from_first = setjmp(first);
    rounds++;
    int from_second = setjmp(second);
    rounds++;
    if (from_first < 3) longjmp(first, from_first + 1);
    if (from_second < 2) longjmp(second, from_second + 1);
    printf("two places: %d %d %d\n", from_first, from_second, rounds);
}

static int compare(const void *left, const void *right) {
    int difference = *(const int *)left - *(const int *)right;
    if (*(const int *)left == 13 || *(const int *)right == 13) raise_error(13);
    return difference;
}

// Out of a library's callback.
static void callback(void) {
    int numbers[] = {5, 3, 9, 1, 13, 2};
    struct context context = {.outer = innermost};
    innermost = &context;
    if (setjmp(context.place) == 0) {
        qsort(numbers, 4, sizeof *numbers, compare);
        printf("sorted: %d %d %d %d\n", numbers[0], numbers[1], numbers[2], numbers[3]);
        qsort(numbers, 6, sizeof *numbers, compare);
        printf("not reached\n");
    } else {
        printf("callback left qsort\n");
    }
    innermost = context.outer;
}

static void deep(int depth) {
    if (depth == 0) raise_error(1);
    deep(depth - 1);
    printf("not reached\n");
}

int main(void) {
    calculate("1+2*3");
    calculate("(1+2)*3");
    calculate("(((4*(2+3)");
    calculate("2*(7-x)");
    calculate("8/(4-2*2)");
    two_places();
    callback();
    long count = 0;
    for (int round = 0; round < 1000; round++) {
        struct context context = {.outer = innermost};
        innermost = &context;
        if (setjmp(context.place) == 0) deep(round % 100);
        innermost = context.outer;
        count++;
    }
    printf("%ld jumps from depth\n", count);
    return 7;
}
