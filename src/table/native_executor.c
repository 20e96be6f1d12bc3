// SPDX-License-Identifier: Apache-2.0
// A record's rows are those of all branches, one branch after another; if one of them
// cannot be written, or does not fit any more, all of the record's are taken back.
#include "table/native_executor.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "table/branch.h"
#include "table/native_counts.h"
#include "table/output_check.h"

struct native_executor {
    struct executor executor; // first: an executor is one
    const struct plan *plan;
    struct branch *branches;
    size_t n_branches;
    // Of the next block at most; fewer after texts that grew too large, one after a block
    // that took too long.
    size_t block_rows;
    size_t step_rows; // that a step makes at once: one for a record whose texts are large
    struct query_limit limit;
    struct buf reason; // of a reject
    struct native_counts counts;
};

// One run.
struct pass {
    struct native_executor *native;
    struct batch *batch;
    struct buf *rows;
    struct executor_result result;
    size_t n_dropped; // rows of the record that could not be done
    bool is_full;     // for its texts
    // Of the block's records, a bit for each.
    uint64_t rejected, matched;
};

static void reject(struct pass *pass, size_t row)
{
    struct native_executor *native = pass->native;
    struct err reason; // one visible line, as all errors are
    (void)err_set(&reason, ST_DATA, "%.*s", STR_ARGS(native->reason));
    batch_reject(pass->batch, pass->batch->records[row], str_of(reason.text));
    buf_clear(&native->reason);
}

// A record on its own took too long.
static void reject_late(struct pass *pass, size_t row)
{
    buf_printf(&pass->native->reason,
               "the query takes longer than batch.record_timeout for this record, after "
               "%s",
               text_counted((int64_t)pass->n_dropped, "row", "rows"));
    reject(pass, row);
}

// How many of the block's n records were done, by the only branch.
static size_t run_alone(struct pass *pass, size_t from, size_t n)
{
    struct branch_result done = {0};
    enum emitted emitted = EMITTED;
    while (done.next < n && (emitted == EMITTED || emitted == REJECTED)) {
        emitted = branch_emit(&pass->native->branches[0], done.next, n, pass->rows, &done,
                              &pass->native->reason);
        pass->result.n_rows += done.n_rows;
        pass->result.n_matched += done.n_matched;
        if (emitted == REJECTED) {
            pass->rejected |= UINT64_C(1) << done.next;
            reject(pass, from + done.next++);
        }
    }
    pass->matched = pass->native->branches[0].matched;
    pass->n_dropped = done.n_dropped;
    pass->is_full = emitted == TOO_FULL;
    return done.next;
}

// The rows of record i of a block, of all branches. False when they do not fit, or the
// query was cut off; then nothing happened.
static bool run_record(struct pass *pass, size_t from, size_t i)
{
    struct native_executor *native = pass->native;
    size_t before = pass->rows->n, n_rows = 0;
    enum emitted emitted = EMITTED;
    for (size_t b = 0; b < native->n_branches && emitted == EMITTED; b++) {
        struct branch_result done;
        emitted = branch_emit(&native->branches[b], i, i + 1, pass->rows, &done,
                              &native->reason);
        n_rows += done.n_rows;
        pass->n_dropped = n_rows + done.n_dropped;
    }
    if (emitted == EMITTED) {
        pass->result.n_rows += n_rows;
        pass->result.n_matched += n_rows > 0;
        pass->matched |= (uint64_t)(n_rows > 0) << i;
        return true;
    }
    pass->rows->n = before;
    pass->is_full = emitted == TOO_FULL;
    if (emitted != REJECTED)
        return false;
    pass->rejected |= UINT64_C(1) << i;
    reject(pass, from + i);
    return true;
}

static bool begin_branches(struct pass *pass, size_t from, size_t n)
{
    bool is_full = false;
    for (size_t b = 0; b < pass->native->n_branches; b++) {
        struct branch *branch = &pass->native->branches[b];
        branch->steps.max_rows = pass->native->step_rows;
        branch_begin(branch, pass->batch, from, n);
        is_full = is_full || branch->evaluator.is_full;
    }
    return !is_full;
}

// Begins a block of at most n records, of fewer where their texts grow too large; how
// many.
static size_t begin_block(struct pass *pass, size_t from, size_t n)
{
    struct native_executor *native = pass->native;
    n = n < native->block_rows ? n : native->block_rows;
    query_limit_begin(&native->limit, n);
    while (!begin_branches(pass, from, n) && n > 1)
        native->block_rows = n /= 2;
    if (native->block_rows < BLOCK_ROWS)
        native->block_rows++;
    return n;
}

// How many of the block's n records were done.
static size_t run_block(struct pass *pass, size_t from, size_t n)
{
    struct native_executor *native = pass->native;
    pass->rejected = pass->matched = 0;
    if (native->n_branches == 1)
        return run_alone(pass, from, n);
    size_t i = 0;
    while (i < n && run_record(pass, from, i))
        i++;
    return i;
}

static void count_block(struct pass *pass, size_t n_done)
{
    struct native_executor *native = pass->native;
    uint64_t done = branch_bits(n_done) & ~pass->rejected;
    uint64_t unmatched =
        native_counts_block(&native->counts, native->branches, native->n_branches, done,
                            pass->matched & done);
    pass->result.n_unmatched += (size_t)__builtin_popcountll(unmatched);
}

// Rows of the block's first record, which did not fit; with steps those until then.
static size_t n_rows_of_first(const struct pass *pass)
{
    const struct native_executor *native = pass->native;
    size_t n = 0;
    for (size_t b = 0; b < native->n_branches; b++) {
        if (native->branches[b].plan->steps != NULL)
            return pass->n_dropped;
        n += branch_count(&native->branches[b], 0);
    }
    return n;
}

// What is left of a block is begun again with fewer records, or one row at a time.
static void take_fewer(struct native_executor *native, size_t n)
{
    if (n > 1)
        native->block_rows = n / 2;
    else
        native->step_rows = 1;
}

static enum status native_run(struct executor *executor, struct batch *batch, size_t from,
                              struct buf *rows, size_t *ret_next,
                              struct executor_result *ret, struct err *err)
{
    struct native_executor *native = (struct native_executor *)executor;
    struct pass pass = {.native = native, .batch = batch, .rows = rows};
    size_t row = from;
    int64_t slice_ms = query_limit_until(SLICE_MS, 1);
    assert(rows->n == 0);
    while (row < batch->n_rows && (row == from || query_limit_until(0, 1) < slice_ms)) {
        size_t left = batch->n_rows - row;
        size_t n = left < BLOCK_ROWS ? left : BLOCK_ROWS;
        n = begin_block(&pass, row, n);
        size_t n_done = run_block(&pass, row, n);
        count_block(&pass, n_done);
        row += n_done;
        if (n_done < n && pass.is_full) {
            take_fewer(native, n);
            continue;
        }
        native->step_rows = BLOCK_ROWS;
        if (n_done == n)
            continue;
        if (native->limit.end != QUERY_LATE)
            break;
        native->block_rows = 1;
        if (n == 1)
            reject_late(&pass, row++);
    }
    rows->full = false; // what did not fit was taken back
    bool is_stopped = native->limit.end == QUERY_STOPPED;
    if (row == from && from < batch->n_rows && !is_stopped)
        return output_too_big(native->plan, batch_row(batch, from),
                              n_rows_of_first(&pass), rows->limit, err);
    *ret_next = row;
    *ret = pass.result;
    return ST_OK;
}

static void native_close(struct executor *executor)
{
    struct native_executor *native = (struct native_executor *)executor;
    if (native == NULL)
        return;
    for (size_t b = 0; b < native->n_branches; b++)
        branch_release(&native->branches[b]);
    free(native->branches);
    native_counts_release(&native->counts);
    buf_release(&native->reason);
    free(native);
}

static const struct executor_ops native_ops = {
    .run = native_run,
    .close = native_close,
};

struct executor *native_executor_open(const struct plan *plan,
                                      const struct dimensions *dimensions,
                                      struct row_format *row_format)
{
    const struct native_plan *plans = plan->native;
    struct native_executor *native = mem_zalloc(sizeof(*native));
    size_t at = 0; // of the stores
    native->executor = (struct executor){.ops = &native_ops, .name = "native"};
    native->plan = plan;
    native->block_rows = native->step_rows = BLOCK_ROWS;
    native->limit.timeout_ms = options_number(&plan->settings, "batch.record_timeout");
    native->n_branches = plans->n_branches;
    native->branches = mem_array(plans->n_branches, sizeof(*native->branches));
    for (size_t b = 0; b < plans->n_branches; b++) {
        branch_init(&native->branches[b], &plans->branches[b], dimensions->items + at,
                    row_format, &native->limit);
        at += native_n_dimensions(&plans->branches[b]);
    }
    assert(at == dimensions->n);
    native_counts_init(&native->counts, plan, dimensions);
    native->executor.joins = native->counts.joins;
    native->executor.n_joins = native->counts.n_joins;
    return &native->executor;
}

// Whether SQLite is asked about rows of it.
static bool is_asked_about(const struct native_plan *plan, struct str relation)
{
    for (size_t b = 0; b < plan->n_branches; b++)
        for (size_t i = 0; i < native_n_steps(&plan->branches[b]); i++) {
            const struct native_asked *asked = plan->branches[b].steps->items[i].asked;
            for (size_t k = 0; asked != NULL && k < asked->n_reads; k++)
                if (str_eq(asked->reads[k], relation))
                    return true;
        }
    return false;
}

enum status native_executor_use_sqlite(struct executor *executor,
                                       struct sqlite_host *host, struct err *err)
{
    struct native_executor *native = (struct native_executor *)executor;
    const struct plan *plan = native->plan;
    for (size_t i = 0; i < plan->n_lookups; i++)
        if (is_asked_about(plan->native, plan->lookups[i].relation))
            TRY(sqlite_host_index(host, plan->lookups[i].relation,
                                  plan->lookups[i].column, err));
    for (size_t b = 0; b < native->n_branches; b++)
        if (native->branches[b].plan->steps != NULL)
            TRY(steps_use_sqlite(&native->branches[b].steps, host, err));
    sqlite_host_limit_memory(host, sqlite_host_memory() + SQLITE_QUERY_MEMORY);
    return ST_OK;
}

void native_executor_on_progress(struct executor *executor, bool (*go_on)(void *arg),
                                 void *arg)
{
    struct native_executor *native = (struct native_executor *)executor;
    native->limit.go_on = go_on;
    native->limit.go_on_arg = arg;
}
