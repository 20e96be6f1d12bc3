// SPDX-License-Identifier: Apache-2.0
// For fuzz targets: an input in several parts.
#ifndef TESTS_FUZZ_PARTS_H
#define TESTS_FUZZ_PARTS_H

#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

// A copy of exactly those bytes, so that a read past the end is seen; free it.
static inline struct str fuzz_copy(struct str bytes)
{
    char *copy = malloc(bytes.n ? bytes.n : 1);
    if (bytes.n)
        memcpy(copy, bytes.p, bytes.n);
    return (struct str){copy, bytes.n};
}

// What stands before the next zero byte, as fuzz_copy gives it; *rest goes on behind it.
static inline struct str fuzz_part(struct str *rest)
{
    return fuzz_copy(str_cut(rest, '\0'));
}

#endif
