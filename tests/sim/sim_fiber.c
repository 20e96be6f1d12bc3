// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_fiber.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

#include "base/mem.h"

enum {
    STACK_BYTES = 512 << 10
};

struct sim_fiber {
    void (*fn)(void *context);
    void *context;
    ucontext_t inside, outside;
    void *stack;
    bool is_inside, has_run, has_ended;
    // What AddressSanitizer wants to know of either side.
    void *fake_inside, *fake_outside;
    const void *outside_bottom;
    size_t outside_bytes;
};

// Of AddressSanitizer; without it there are none.
extern void __sanitizer_start_switch_fiber(void **fake_stack, const void *bottom,
                                           size_t size) __attribute__((weak));
extern void __sanitizer_finish_switch_fiber(void *fake_stack, const void **bottom,
                                            size_t *size) __attribute__((weak));

static void start_switch(void **fake_stack, const void *bottom, size_t size)
{
    if (__sanitizer_start_switch_fiber)
        __sanitizer_start_switch_fiber(fake_stack, bottom, size);
}

static void finish_switch(void *fake_stack, const void **bottom, size_t *size)
{
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
}

// makecontext passes ints only.
static void run_fiber(unsigned high, unsigned low)
{
    struct sim_fiber *fiber =
        (struct sim_fiber *)((uintptr_t)high << 16 << 16 | (uintptr_t)low);
    finish_switch(NULL, &fiber->outside_bottom, &fiber->outside_bytes);
    fiber->fn(fiber->context);
    fiber->has_ended = true;
    fiber->is_inside = false;
    start_switch(NULL, fiber->outside_bottom, fiber->outside_bytes);
    setcontext(&fiber->outside);
    abort();
}

struct sim_fiber *sim_fiber_open(void (*fn)(void *context), void *context)
{
    struct sim_fiber *fiber = mem_zalloc(sizeof(*fiber));
    uintptr_t self = (uintptr_t)fiber;
    fiber->fn = fn;
    fiber->context = context;
    fiber->stack = mem_array(STACK_BYTES, 1);
    getcontext(&fiber->inside);
    fiber->inside.uc_stack.ss_sp = fiber->stack;
    fiber->inside.uc_stack.ss_size = STACK_BYTES;
    makecontext(&fiber->inside, (void (*)(void))run_fiber, 2,
                (unsigned)(self >> 16 >> 16), (unsigned)self);
    return fiber;
}

bool sim_fiber_resume(struct sim_fiber *fiber)
{
    assert(!fiber->is_inside && !fiber->has_ended);
    fiber->is_inside = fiber->has_run = true;
    start_switch(&fiber->fake_outside, fiber->stack, STACK_BYTES);
    swapcontext(&fiber->outside, &fiber->inside);
    finish_switch(fiber->fake_outside, NULL, NULL);
    return !fiber->has_ended;
}

void sim_fiber_yield(struct sim_fiber *fiber)
{
    assert(fiber->is_inside);
    fiber->is_inside = false;
    start_switch(&fiber->fake_inside, fiber->outside_bottom, fiber->outside_bytes);
    swapcontext(&fiber->inside, &fiber->outside);
    finish_switch(fiber->fake_inside, &fiber->outside_bottom, &fiber->outside_bytes);
}

void sim_fiber_free(struct sim_fiber *fiber)
{
    if (fiber == NULL)
        return;
    assert(fiber->has_ended || !fiber->has_run);
    free(fiber->stack);
    free(fiber);
}
