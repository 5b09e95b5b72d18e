/* What a Cortex-M4 needs to start, for QEMU's board mps2-an386: counts the instructions of one classification and the
 * bytes of stack under it. Compile with -DHEADER="\"model.h\"" and the macros below; see `measure`. */
#include HEADER
#include <stdio.h>
#include <stdlib.h>

extern uint32_t stack_top[], stack_bottom[];
extern void _start(void);

static float workspace[WORKSPACE];

/* SysTick counts down at 25 MHz. QEMU lets an instruction take a nanosecond (-icount shift=0), so that a tick is 40. */
#define SYSTICK ((volatile uint32_t *)0xE000E010)
#define INSTRUCTIONS_A_TICK 40

static void reset(void) {
    /* The floating-point unit is off at first. */
    *(volatile uint32_t *)0xE000ED88 |= 0xFu << 20;
    __asm volatile("dsb\n isb");
    _start();
}

static void fault(void) {
    puts("fault");
    exit(2);
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, (const void *)reset, (const void *)fault, (const void *)fault, (const void *)fault, (const void *)fault,
    (const void *)fault,
};

/* Bytes of stack below this function that `classify` writes to. */
static unsigned stack_of(const uint8_t *image, float *logits) {
    uint32_t here, *const top = &here - 64;
    for (uint32_t *word = stack_bottom; word < top; word++) *word = 0xA5A5A5A5u;
    CLASSIFY(image, workspace, logits);
    const uint32_t *word = stack_bottom;
    while (word < top && *word == 0xA5A5A5A5u) word++;
    return (unsigned)((const char *)&here - (const char *)word);
}

int main(void) {
    float logits[CLASSES];
    if (SELF_TEST(workspace)) {
        puts("the self-test failed");
        return 1;
    }
    SYSTICK[1] = 0xFFFFFF;
    SYSTICK[2] = 0;
    SYSTICK[0] = 5;
    const uint32_t before = SYSTICK[2];
    const int class = CLASSIFY(EXAMPLE, workspace, logits);
    const uint32_t after = SYSTICK[2];
    const unsigned ticks = (unsigned)((before - after) & 0xFFFFFF);
    printf("class %d, %u instructions, %u bytes of workspace, %u of stack\n", class, ticks * INSTRUCTIONS_A_TICK,
           (unsigned)sizeof workspace, stack_of(EXAMPLE, logits));
    return 0;
}
