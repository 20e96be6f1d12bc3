// SPDX-License-Identifier: Apache-2.0
// Arrays whose items begin with the number of a partition, in rising order.
#ifndef LOG_PARTITIONS_H
#define LOG_PARTITIONS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Index of the first item that is not below the partition.
static inline size_t partitions_place(const void *items, size_t n, size_t item_bytes,
                                      int32_t partition)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int32_t number;
        memcpy(&number, (const char *)items + middle * item_bytes, sizeof(number));
        if (number < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif
