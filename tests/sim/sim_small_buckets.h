// SPDX-License-Identifier: Apache-2.0
// Buckets of few entries, so that old ones are removed within a schedule:
// src/log/bucket.c defined again (see sim_mutant.h).
#ifndef TESTS_SIM_SMALL_BUCKETS_H
#define TESTS_SIM_SMALL_BUCKETS_H

#include "log/paths.h"

int64_t bucket_of(int64_t number)
{
    return number / 4;
}

int64_t bucket_first(int64_t bucket)
{
    return bucket * 4;
}

#endif
