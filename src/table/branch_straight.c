// SPDX-License-Identifier: Apache-2.0
// Rows of a block's records that go straight into the result: the record's bytes as they
// came, then those of the only join's rows. What nearly all records of such a query are
// is one loop with all that it needs in registers: a record of stop_times with 2.2 rows
// takes 187 instructions from its group to its rows where it took 302 by calls for each
// record (docs/performance.md). All else is left to branch_emit's plain way, its twin:
// tests/unit/test_pass_through.c runs queries by both.
#include "table/branch.h"
#include "table/copy_rows.h"

// How many bytes may be written behind those of `rows` as they are.
static size_t writable(const struct buf *rows)
{
    size_t limit = rows->limit != 0 ? rows->limit : BUF_LIMIT_DEFAULT;
    size_t most = rows->capacity < limit ? rows->capacity : limit;
    return rows->full || most < rows->n ? 0 : most - rows->n;
}

bool branch_is_straight(const struct branch *branch)
{
    return branch->is_straight && branch->plan->program == NULL &&
           branch->n_checks == 0 &&
           pass_through_is_whole(&branch->pass, &branch->segments.items[0],
                                 branch->row_format, branch->batch);
}

size_t branch_emit_straight(struct branch *branch, size_t from, size_t to,
                            struct buf *rows, struct branch_result *ret)
{
    const struct branch_join *join = &branch->joins[0];
    const struct group_store *groups = &join->dimension->groups;
    const struct str *raws = branch->batch->raws + branch->from;
    size_t left = writable(rows), n_rows = 0, i = from;
    uint64_t matched = 0;
    char *end = rows->n > 0 ? rows->p + rows->n : rows->p;
    for (; i < to; i++) {
        const struct group *group = join->groups[i];
        if (group == NULL)
            continue;
        const struct tails *tails = tails_of(groups, group);
        const struct str raw = raws[i];
        if (UNLIKELY(raw.p == NULL || tails->flaw != 0))
            break;
        size_t n_head = raw.n + group->n_prefix;
        size_t n_bytes = tails->n_rows * n_head + tails->n_bytes;
        if (UNLIKELY(n_bytes + COPY_BYTES > left)) {
            rows->n = (size_t)(end - rows->p);
            if (rows->full || buf_room(rows, n_bytes + COPY_BYTES) == NULL)
                break;
            left = writable(rows);
            end = rows->p + rows->n;
        }
        copy_exact(end, raw.p, raw.n);
        copy_straight(group, tails, n_head, end);
        end += n_bytes;
        left -= n_bytes;
        n_rows += tails->n_rows;
        matched |= UINT64_C(1) << i;
    }
    rows->n = (size_t)(end - rows->p);
    ret->n_rows += n_rows;
    ret->n_matched += (size_t)__builtin_popcountll(matched);
    branch->matched |= matched;
    return i;
}
