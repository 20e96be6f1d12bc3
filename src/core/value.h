// SPDX-License-Identifier: Apache-2.0
// SQL types and one value of a row.
//
// A value is 16 bytes; text and bytes are borrowed from whoever made the row (a message,
// a batch's arena, a table). Types and accepted text: docs/sql.md, "Types".
#ifndef CORE_VALUE_H
#define CORE_VALUE_H

#include "base/buf.h"
#include "base/str.h"

enum type {
    TYPE_UNKNOWN, // the planner could not tell; never in a plan that runs
    TYPE_TEXT,    // UTF-8 without NUL byte
    TYPE_INT,     // 32 bits
    TYPE_BIGINT,  // 64 bits
    TYPE_REAL,    // finite double
    TYPE_BOOLEAN,
    TYPE_BYTES,
};

enum value_kind {
    VALUE_NULL, // zero: a zeroed row is a row of NULLs
    VALUE_TEXT, // p, n
    VALUE_INT,  // i: INT and BIGINT
    VALUE_REAL, // r
    VALUE_BOOL, // i: 0 or 1
    VALUE_BYTES,
};

struct value {
    union {
        const char *p;
        int64_t i;
        double r;
    };
    uint32_t n; // bytes at p
    uint32_t kind;
};

// That of a type's values.
static inline enum value_kind type_kind(enum type type)
{
    static const enum value_kind kinds[] = {
        [TYPE_UNKNOWN] = VALUE_NULL, [TYPE_TEXT] = VALUE_TEXT,
        [TYPE_INT] = VALUE_INT,      [TYPE_BIGINT] = VALUE_INT,
        [TYPE_REAL] = VALUE_REAL,    [TYPE_BOOLEAN] = VALUE_BOOL,
        [TYPE_BYTES] = VALUE_BYTES,
    };
    return kinds[type];
}

static inline struct value value_text(struct str s)
{
    return (struct value){.p = s.p, .n = (uint32_t)s.n, .kind = VALUE_TEXT};
}

static inline struct value value_int(int64_t i)
{
    return (struct value){.i = i, .kind = VALUE_INT};
}

static inline struct str value_str(struct value v)
{
    return (struct str){v.p, v.n};
}

// "TEXT", "INT", ...; and back, aliases too (STRING, VARCHAR, INTEGER, LONG, DOUBLE),
// any case. TYPE_UNKNOWN when there is no such type.
const char *type_name(enum type type);
enum type type_of_name(struct str name);

// Reads text as a type. False when it is not of the type or out of its range; TEXT is
// checked for UTF-8. `ret` borrows `text`. BYTES has no text form: always false.
bool value_parse(enum type type, struct str text, struct value *ret);

// Appends the canonical text: decimal, shortest REAL that reads back, true/false, text
// and bytes as they are, nothing for NULL.
void value_format(struct value v, struct buf *buf);
// The same as JSON (base/json_put.h): text and bytes as a string, NULL as null.
void value_json(struct buf *out, const char *name, struct value v);

bool value_eq(struct value a, struct value b); // NULL equals NULL; kinds must agree

#endif
