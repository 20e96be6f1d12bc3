// SPDX-License-Identifier: Apache-2.0
// The headers of a dead letter, as its file has them: docs/commit-log.md, "Dead letters".
#ifndef LOG_LETTER_HEADERS_H
#define LOG_LETTER_HEADERS_H

#include "base/arena.h"
#include "base/str.h"

struct letter_header {
    struct str key;   // NUL-terminated
    struct str value; // p == NULL: it has none
};

// All of them, in their order, in the arena. What is not a header is left out.
struct letter_header *letter_headers(struct str json, struct arena *arena, size_t *ret_n);
// The value of the last one of that name; p == NULL: there is none.
struct str letter_header_value(struct str json, const char *key, struct arena *arena);

#endif
