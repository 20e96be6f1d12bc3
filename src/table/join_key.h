// SPDX-License-Identifier: Apache-2.0
// A record's key for a join, for a person.
#ifndef TABLE_JOIN_KEY_H
#define TABLE_JOIN_KEY_H

#include "base/buf.h"
#include "core/value.h"

// Appends value `i` of n: a text as it is where it is alone, else in quotes.
static inline void join_key_put(struct buf *key, struct value value, size_t i, size_t n)
{
    bool is_text = value.kind == VALUE_TEXT;
    buf_text(key, i > 0 ? ", " : "");
    if (value.kind == VALUE_NULL)
        buf_text(key, "NULL");
    else if (is_text && n == 1)
        buf_append(key, value.p, value.n);
    else if (is_text)
        buf_printf(key, "'%.*s'", (int)value.n, value.p);
    else
        value_format(value, key);
}

#endif
