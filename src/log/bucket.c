// SPDX-License-Identifier: Apache-2.0
#include "log/paths.h"

enum {
    BUCKET_ENTRIES = 1000
};

int64_t bucket_of(int64_t number)
{
    return number / BUCKET_ENTRIES;
}

int64_t bucket_first(int64_t bucket)
{
    return bucket * BUCKET_ENTRIES;
}
