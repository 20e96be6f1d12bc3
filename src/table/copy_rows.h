// SPDX-License-Identifier: Apache-2.0
// Copies of pieces of rows, which are short: a loop of two or three wide moves is quicker
// than a call. Inside src/table.
#ifndef TABLE_COPY_ROWS_H
#define TABLE_COPY_ROWS_H

#include "table/group_store.h"

enum {
    COPY_BYTES = 32,      // copied at a time, see copy_wide
    COPY_EXACT_BYTES = 16 // the same of copy_exact
};

// Copies in steps of COPY_BYTES, so up to COPY_BYTES - 1 more than n at both ends.
static inline char *copy_wide(char *to, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i += COPY_BYTES)
        memcpy(to + i, from + i, COPY_BYTES);
    return to + n;
}

// The same from bytes that may lie less than COPY_BYTES before.
static inline char *copy_near(char *to, const char *from, size_t n)
{
    struct {
        char bytes[COPY_BYTES];
    } step;
    for (size_t i = 0; i < n; i += COPY_BYTES) {
        memcpy(&step, from + i, COPY_BYTES);
        memcpy(to + i, &step, COPY_BYTES);
    }
    return to + n;
}

// Not a byte more: the last step may be for the second time.
static inline void copy_exact(char *to, const char *from, size_t n)
{
    if (UNLIKELY(n < COPY_EXACT_BYTES)) {
        memcpy(to, from, n);
        return;
    }
    size_t last = n - COPY_EXACT_BYTES;
    for (size_t i = 0; i < last; i += COPY_EXACT_BYTES)
        memcpy(to + i, from + i, COPY_EXACT_BYTES);
    memcpy(to + last, from + last, COPY_EXACT_BYTES);
}

// The rows of a group at `to`, of which the first n_head bytes but the group's prefix
// stand there; returns their end. Up to COPY_BYTES - 1 bytes behind it are written, too.
static inline char *copy_straight(const struct group *group, const struct tails *tails,
                                  size_t n_head, char *to)
{
    const char *head = to, *from = tails_bytes(tails);
    copy_wide(to + n_head - group->n_prefix, group->prefix, group->n_prefix);
    to = copy_wide(to + n_head, from, tails->lengths[0]);
    for (uint32_t row = 1; row < tails->n_rows; row++) {
        from += tails->lengths[row - 1];
        to = copy_near(to, head, n_head);
        to = copy_wide(to, from, tails->lengths[row]);
    }
    return to;
}

#endif
