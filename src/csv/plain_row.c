// SPDX-License-Identifier: Apache-2.0
#include "csv/plain_row.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    INT_DIGITS = 9, // that always fit
    BIGINT_DIGITS = DIGITS_MAX
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
    *plain = (struct csv_plain_row){
        .n = schema->n,
        .columns = mem_array(schema->n, sizeof(*plain->columns)),
    };
    for (size_t i = 0; i < schema->n && is_known; i++)
        is_known = take_column(&schema->columns[i], skips[i], &plain->columns[i]);
    return is_known;
}

void csv_plain_row_release(struct csv_plain_row *plain)
{
    free(plain->columns);
    *plain = (struct csv_plain_row){0};
}
