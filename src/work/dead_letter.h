// SPDX-License-Identifier: Apache-2.0
// A record that could not be read, as one JSON line. docs/commit-log.md, "Dead letters".
#ifndef WORK_DEAD_LETTER_H
#define WORK_DEAD_LETTER_H

#include "core/stream.h"

struct dead_letter {
    struct str topic;
    int32_t partition;
    const struct record *record;
    struct str headers; // a JSON array, or empty: none
    struct str reason;  // for a person
};

// Appends the members of its object, for an object that has others, too.
void dead_letter_put(const struct dead_letter *letter, struct buf *out);
// Appends the line. Bytes that are not UTF-8 in topic or reason become U+FFFD.
void dead_letter_format(const struct dead_letter *letter, struct buf *ret);

#endif
