// SPDX-License-Identifier: Apache-2.0
// Any bytes as the text of a value, of each type: what is read is written and read again
// the same, and is what a cast makes of it. Numbers, percentages, times.
#include <assert.h>

#include "fuzz_parts.h"

#include "core/schema.h"
#include "expr/eval.h"
#include "expr/functions.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 3000,
    .steps_a_byte = 100,
    .bytes = 500000,
    .bytes_a_byte = 60,
    .held = 150000,
    .held_a_byte = 40,
};

static void check_reads_back(enum type type, struct value value)
{
    struct buf text = {0};
    struct value again;
    value_format(value, &text);
    bool reads = value_parse(type, buf_as_str(&text), &again);
    assert(reads && value_eq(value, again));
    buf_release(&text);
}

static void check_cast(scalar_function *cast, enum type type, struct str text)
{
    struct arena arena = {0};
    struct call call = {.arena = &arena};
    struct value given = value_text(text), parsed;
    struct value value = cast(&call, &given, 1);
    bool reads = value_parse(type, text, &parsed);
    assert(reads == (call.error.p == NULL));
    if (reads)
        assert(value_eq(value, parsed));
    arena_release(&arena);
}

// What a time of GTFS comes to, and back.
static void check_time(struct str text)
{
    struct arena arena = {0};
    struct call call = {.arena = &arena};
    struct value given = value_text(text);
    struct value seconds = time_gtfs_seconds(&call, &given, 1);
    if (call.error.p == NULL && seconds.kind == VALUE_INT) {
        assert(seconds.i >= 0 && seconds.i <= INT32_MAX);
        struct value time = time_gtfs_time(&call, &seconds, 1);
        if (call.error.p == NULL) {
            struct value again = time_gtfs_seconds(&call, &time, 1);
            assert(call.error.p == NULL && again.i == seconds.i);
        }
    }
    arena_release(&arena);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    static const struct {
        enum type type;
        scalar_function *cast;
    } types[] = {{TYPE_INT, cast_to_int},
                 {TYPE_BIGINT, cast_to_bigint},
                 {TYPE_REAL, cast_to_real},
                 {TYPE_BOOLEAN, cast_to_boolean}};
    struct str text = fuzz_copy((struct str){(const char *)data, size});
    struct value value;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (value_parse(types[i].type, text, &value))
            check_reads_back(types[i].type, value);
        check_cast(types[i].cast, types[i].type, text);
    }
    if (value_parse(TYPE_TEXT, text, &value)) {
        check_reads_back(TYPE_TEXT, value);
        check_time(text);
    }
    free((char *)text.p);
}
