// SPDX-License-Identifier: Apache-2.0
// Builds with sanitizers count the branches that their code takes: the linker leads what
// the compiler puts into each (-fsanitize-coverage=trace-pc) here. Built without it.
#include "steps.h"

_Thread_local uint64_t fuzz_steps;

void __wrap___sanitizer_cov_trace_pc(void);

void __wrap___sanitizer_cov_trace_pc(void)
{
    fuzz_steps++;
}
