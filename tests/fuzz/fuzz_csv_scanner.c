// SPDX-License-Identifier: Apache-2.0
// Any bytes as CSV, cut record by record: each passes at least one byte, its fields lie
// within it in order, a shorter piece of it wants more or gives the same. The first byte
// is how many fields there is room for.
#include <assert.h>

#include "fuzz_parts.h"

#include "csv/scanner.h"

// A broken record costs one physical line, but was scanned to the end: an open quote
// before each line makes that the square of the lines.
const struct fuzz_budget fuzz_budget = {
    .steps = 3000,
    .steps_a_byte = 400,
    .bytes = 200000,
    .bytes_a_byte = 40,
    .held = 200000,
    .held_a_byte = 40,
};

enum {
    CAPACITY_MAX = 32
};

static void check_fields(struct str bytes, const struct csv_line *line,
                         struct arena *arena)
{
    const char *from = bytes.p, *end = bytes.p + line->size;
    size_t n = line->n < line->capacity ? line->n : line->capacity;
    for (size_t i = 0; i < n; i++) {
        const struct csv_field *field = &line->fields[i];
        assert(field->p >= from && field->p + field->n <= end);
        from = field->p + field->n;
        struct str text = csv_text(*field, arena);
        assert(text.n <= field->n && (field->doubled || text.n == field->n));
    }
}

// Without its last byte the record is cut, or ended at the byte before.
static void check_shorter(struct str bytes, const struct csv_line *line)
{
    struct csv_field fields[CAPACITY_MAX];
    struct csv_line part = {.fields = fields, .capacity = 1};
    if (line->size < 2)
        return;
    struct str shorter = fuzz_copy((struct str){bytes.p, line->size - 1});
    enum csv_scan scan = csv_scan(shorter, false, &part);
    assert(scan != CSV_LINE);
    free((char *)shorter.p);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct csv_field fields[CAPACITY_MAX];
    struct str rest = {(const char *)data, size};
    struct csv_line line = {.fields = fields};
    line.capacity = 1 + fuzz_byte(&rest) % CAPACITY_MAX;
    struct str copy = rest = fuzz_copy(rest);
    struct arena arena = {0};
    unsigned n_broken = 0;
    while (rest.n > 0 && n_broken < 8) {
        enum csv_scan scan = csv_scan(rest, true, &line);
        assert(scan != CSV_MORE && scan != CSV_TOO_LONG);
        size_t n = scan == CSV_LINE ? line.size : csv_physical_line(rest);
        assert(n > 0 && n <= rest.n);
        if (scan == CSV_LINE) {
            check_fields(rest, &line, &arena);
            if (n < rest.n)
                check_shorter(rest, &line);
        }
        n_broken += scan != CSV_LINE;
        rest = (struct str){rest.p + n, rest.n - n};
    }
    arena_release(&arena);
    free((char *)copy.p);
}
