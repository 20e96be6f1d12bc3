// SPDX-License-Identifier: Apache-2.0
// Branches that this thread took so far, of our own code; libraries are not seen.
#ifndef TESTS_FUZZ_STEPS_H
#define TESTS_FUZZ_STEPS_H

#include <stdint.h>

extern _Thread_local uint64_t fuzz_steps;

#endif
