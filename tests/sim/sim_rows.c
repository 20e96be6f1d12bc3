// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct seen {
    int n_rows[SIM_OFFSETS_MAX][10];
};

static void complain(struct buf *failure, const char *what, int32_t partition,
                     int64_t offset)
{
    buf_printf(failure, "%s %" PRId32 ".%" PRId64 "; ", what, partition, offset);
}

static void count_rows(struct str text, struct seen *seen, struct buf *failure)
{
    while (text.n > 0) {
        struct str line = str_cut(&text, '\n');
        int32_t partition;
        int64_t offset;
        int row;
        AUTO(buf_release) struct buf copy = {0};
        buf_str(&copy, line);
        if (sscanf(buf_cstr(&copy), "%" SCNd32 ".%" SCNd64 ".%d", &partition, &offset,
                   &row) != 3)
            continue; // BEGIN and END
        if (++seen[partition].n_rows[offset][row] == 2)
            complain(failure, "too often: the row of", partition, offset);
    }
}

static void read_rows(struct storage *view, struct seen *seen, struct buf *failure)
{
    struct arena arena = {0};
    struct file_list list;
    struct err err;
    if (view->ops->list(view, str_of(""), &arena, &list, &err) != ST_OK)
        buf_printf(failure, "%s; ", err.text);
    for (size_t i = 0; i < list.n; i++) {
        AUTO(buf_release) struct buf bytes = {0};
        if (!list.items[i].is_directory &&
            storage_read_all(view, list.items[i].name, 1 << 20, &bytes, &err) == ST_OK)
            count_rows(buf_as_str(&bytes), seen, failure);
    }
    arena_release(&arena);
}

void sim_rows_check(struct storage *view, const struct sim_topic *topic, bool of_letters,
                    struct buf *failure)
{
    struct seen *seen = mem_zalloc((size_t)topic->n_partitions * sizeof(*seen));
    read_rows(view, seen, failure);
    for (int32_t p = 0; p < topic->n_partitions; p++) {
        const struct sim_partition *part = &topic->partitions[p];
        for (int64_t o = 0; o < part->high; o++) {
            const struct sim_record *record = &part->records[o];
            int wanted = of_letters || record->kind == SIM_ROWS ? record->rows : 0;
            for (int row = 0; row < wanted; row++)
                if (seen[p].n_rows[o][row] == 0)
                    complain(failure, "is missing: the row of", p, o);
        }
    }
    free(seen);
}
