// SPDX-License-Identifier: Apache-2.0
// Runs a target's fuzz_input and counts what it takes. What passes its budget ends the
// program, as a crash does, and is told in a line that begins with "budget:". The end
// tells how near the budget any input came.
#include <stdatomic.h>
#include <stdio.h>

#include "fuzz_parts.h"
#include "steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Of the sanitizer's allocator; gcc has no header for them.
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *,
                                                                size_t),
                                              void (*on_free)(const volatile void *));
size_t __sanitizer_get_allocated_size(const volatile void *p);

enum {
    STEPS,
    BYTES,
    PEAK,
    N_COSTS
};

static const char *const names[N_COSTS] = {"steps", "bytes allocated", "bytes held"};
static _Atomic int64_t allocated, held, peak;
static uint64_t allowed_steps, allowed_bytes;
static unsigned most_percent[N_COSTS];

static void on_malloc(const volatile void *p, size_t n)
{
    (void)p;
    allocated += (int64_t)n;
    held += (int64_t)n;
    int64_t now = held;
    if (now > peak)
        peak = now;
}

static void on_free(const volatile void *p)
{
    if (p != NULL)
        held -= (int64_t)__sanitizer_get_allocated_size(p);
}

static void tell(void)
{
    fprintf(stderr,
            "budget: at most %u %% of the steps, %u %% of the bytes, %u %% held\n",
            most_percent[STEPS], most_percent[BYTES], most_percent[PEAK]);
}

static void check(int cost, uint64_t taken, uint64_t most, size_t size)
{
    if (taken > most) {
        fprintf(stderr, "budget: %llu %s for an input of %zu bytes, at most %llu\n",
                (unsigned long long)taken, names[cost], size, (unsigned long long)most);
        abort();
    }
    unsigned percent = (unsigned)(taken * 100 / most);
    if (percent > most_percent[cost])
        most_percent[cost] = percent;
}

void fuzz_allow(uint64_t n_steps, uint64_t n_bytes)
{
    allowed_steps += n_steps;
    allowed_bytes += n_bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_set_up;
    if (!is_set_up) {
        __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
        atexit(tell);
        is_set_up = true;
    }
    const struct fuzz_budget *budget = &fuzz_budget;
    int64_t held_before = held;
    allocated = 0;
    peak = held_before;
    allowed_steps = allowed_bytes = 0;
    uint64_t steps_before = fuzz_steps;
    fuzz_input(data, size);
    check(STEPS, fuzz_steps - steps_before,
          budget->steps + budget->steps_a_byte * size + allowed_steps, size);
    check(BYTES, (uint64_t)allocated,
          budget->bytes + budget->bytes_a_byte * size + allowed_bytes, size);
    check(PEAK, (uint64_t)(peak - held_before),
          budget->held + budget->held_a_byte * size + allowed_bytes, size);
    return 0;
}
