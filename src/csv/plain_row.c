// SPDX-License-Identifier: Apache-2.0
#include "csv/plain_row.h"

#include <stdlib.h>

#include "base/byte_mask.h"
#include "base/digits.h"
#include "base/mem.h"
#include "csv/scanner.h"

enum {
    RECORD_BYTES_MAX = 64 << 10, // of one that is worth it
    INT_DIGITS = 9,              // that always fit
    BIGINT_DIGITS = DIGITS_MAX
};

struct csv_plain_column {
    bool is_skipped, is_text, is_nullable;
    uint8_t n_digits; // of a number, at most
};

static bool take_column(const struct column *column, bool skips,
                        struct csv_plain_column *ret)
{
    *ret = (struct csv_plain_column){
        .is_skipped = skips,
        .is_text = column->type == TYPE_TEXT,
        .is_nullable = column->nullable,
        .n_digits = column->type == TYPE_INT ? INT_DIGITS : BIGINT_DIGITS,
    };
    return ret->is_text || column->type == TYPE_INT || column->type == TYPE_BIGINT;
}

bool csv_plain_row_init(struct csv_plain_row *plain, const struct schema *schema,
                        const bool *skips)
{
    bool is_known = true;
    // One word's commas may be stored before they are counted.
    *plain = (struct csv_plain_row){
        .n = schema->n,
        .columns = mem_array(schema->n, sizeof(*plain->columns)),
        .ends = mem_array(schema->n + BYTE_MASK_MAX, sizeof(*plain->ends)),
    };
    for (size_t i = 0; i < schema->n && is_known; i++)
        is_known = take_column(&schema->columns[i], skips[i], &plain->columns[i]);
    return is_known;
}

void csv_plain_row_release(struct csv_plain_row *plain)
{
    free(plain->columns);
    free(plain->ends);
    *plain = (struct csv_plain_row){0};
}

// Finds where each field ends. False: there are more or fewer, or other bytes.
static inline bool find_ends(const struct csv_plain_row *plain, struct str bytes)
{
    uint32_t *ends = plain->ends;
    size_t n = 0;
    bool is_printable = true;
    for (size_t at = 0; at < bytes.n; at += BYTE_MASK_MAX) {
        size_t left = bytes.n - at;
        uint64_t commas =
            byte_mask_one(bytes.p + at, left < BYTE_MASK_MAX ? left : BYTE_MASK_MAX,
                          CSV_SEPARATOR, &is_printable);
        for (; commas != 0; commas &= commas - 1)
            ends[n++] = (uint32_t)(at + (size_t)__builtin_ctzll(commas));
        if (n >= plain->n || !is_printable)
            return false;
    }
    ends[n] = (uint32_t)bytes.n;
    return n + 1 == plain->n;
}

static inline bool take_field(const struct csv_plain_column *column, const char *p,
                              size_t n, struct value *ret, bool *canonical)
{
    if (column->is_skipped || n == 0) {
        *ret = (struct value){0};
        return column->is_nullable;
    }
    if (LIKELY(column->is_text)) {
        *ret = value_text((struct str){p, n});
        return true;
    }
    *canonical = *canonical && (p[0] != '0' || n == 1);
    int64_t number;
    if (n > column->n_digits || !digits_read(p, n, &number))
        return false;
    *ret = value_int(number);
    return true;
}

bool csv_plain_row(const struct csv_plain_row *plain, struct str bytes, struct value *row,
                   bool *ret_canonical)
{
    if (UNLIKELY(bytes.n == 0 || bytes.n > RECORD_BYTES_MAX || !find_ends(plain, bytes)))
        return false;
    bool is_canonical = true;
    size_t from = 0;
    for (size_t i = 0; i < plain->n; i++) {
        size_t end = plain->ends[i];
        if (UNLIKELY(!take_field(&plain->columns[i], bytes.p + from, end - from, &row[i],
                                 &is_canonical)))
            return false;
        from = end + 1;
    }
    *ret_canonical = is_canonical;
    return true;
}
