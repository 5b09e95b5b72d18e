/* What a Cortex-M4 or M55 needs to start, for QEMU's boards mps2-an386 and mps3-an547: counts the instructions of one classification and the
 * bytes of stack under it. Compile with -DHEADER="\"model.h\"" and the macros below; see `measure`. */
#include HEADER
#include <stdio.h>

extern uint32_t stack_top[], stack_bottom[], bss_start[], bss_end[];

static float workspace[WORKSPACE];

/* SysTick counts down at 25 MHz. QEMU lets an instruction take a nanosecond (-icount shift=0), so that a tick is 40. */
#define SYSTICK ((volatile uint32_t *)0xE000E010)
#define INSTRUCTIONS_A_TICK 40
#define PAINT 0xA5A5A5A5u

/* Asks QEMU: 4 is to write a text, 0x18 to end. */
static void semihosting(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = argument;
    __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

static __attribute__((noinline)) void classify(float *logits) { CLASSIFY(EXAMPLE, workspace, logits); }

/* Instructions of one classification, to the next tick. */
static unsigned instructions(void) {
    float logits[CLASSES];
    const uint32_t before = SYSTICK[2];
    classify(logits);
    const uint32_t after = SYSTICK[2];
    return (unsigned)((before - after) & 0xFFFFFF) * INSTRUCTIONS_A_TICK;
}

/* Bytes below this function's stack that a classification writes to. */
static __attribute__((noinline)) unsigned stack_below(void) {
    float logits[CLASSES];
    volatile uint32_t *word = stack_bottom;
    const uint32_t *end;
    __asm volatile("mov %0, sp" : "=r"(end));
    while (word < end) *word++ = PAINT;
    classify(logits);
    for (word = stack_bottom; word < end && *word == PAINT;) word++;
    return (unsigned)((const char *)end - (const char *)word);
}

static void reset(void) {
    char text[128];
    /* The floating-point unit is off at first. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm volatile("dsb\n isb");
    for (volatile uint32_t *word = bss_start; word < bss_end;) *word++ = 0;
    SYSTICK[1] = 0xFFFFFF;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5;
    if (SELF_TEST(workspace))
        semihosting(4, "the self-test failed");
    else {
        const unsigned counted = instructions(), bytes = (unsigned)sizeof workspace;
        snprintf(text, sizeof text, "%u instructions, %u bytes of workspace, %u of stack", counted, bytes,
                 stack_below());
        semihosting(4, text);
    }
    semihosting(0x18, (const void *)0x20026);
}

static void fault(void) {
    semihosting(4, "a fault");
    semihosting(0x18, (const void *)0x20026);
}

__attribute__((section(".vectors"), used)) static const void *const vectors[7] = {
    stack_top, (const void *)reset, (const void *)fault, (const void *)fault,
    (const void *)fault, (const void *)fault, (const void *)fault,
};
