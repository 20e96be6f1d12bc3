// SPDX-License-Identifier: Apache-2.0
// A range of records is run at once. When that fails, for a bad value or for the size of
// the result, the range is halved; when it succeeds, doubled: a bad record among n costs
// about 2 log n more runs, over fewer and fewer records.
#include "table/sqlite_executor.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "sql/sqlite_host.h"
#include "table/output_check.h"
#include "table/query_limit.h"
#include "table/sqlite_counts.h"

enum {
    AT_ONCE_MAX = 1 << 30,
    LATE_DIVISOR = 16, // of a range, when its time is over
};

struct sqlite_executor {
    struct executor executor; // first: an executor is one
    const struct plan *plan;
    struct sqlite_host *host;
    struct row_format *row_format;
    struct schema traced; // the result's columns and the record's index
    struct rows *query;
    struct batch results;
    size_t n_at_once;   // records to try next
    int64_t timeout_ms; // of one record
    bool *has_rows;     // for each record of the range
    size_t has_rows_capacity;
    struct sqlite_counts counts;
};

// One run.
struct pass {
    struct sqlite_executor *sqlite;
    struct batch *batch;
    struct buf *rows;
    size_t from, next; // the first record not done is `next`
    struct executor_result result;
};

// What a range of records gave.
struct range {
    size_t first, n; // records
    size_t n_rows, n_matched, n_unmatched;
};

static void encode_results(struct sqlite_executor *sqlite, struct range *range,
                           struct buf *rows)
{
    struct row_format *row_format = sqlite->row_format;
    size_t n_columns = row_format->schema->n;
    for (size_t i = 0; i < sqlite->results.n_rows; i++) {
        const struct value *row = batch_row(&sqlite->results, i);
        row_format->ops->fields(row_format, 0, row, n_columns, rows);
        row_format->ops->end_row(row_format, rows);
        bool *has_rows = &sqlite->has_rows[(size_t)row[n_columns].i - range->first];
        range->n_matched += !*has_rows;
        *has_rows = true;
    }
    range->n_rows += sqlite->results.n_rows;
}

static enum status check_refused(struct row_format *row_format, struct err *err)
{
    struct str why = row_format->refused;
    row_format->refused = (struct str){0};
    return why.n == 0 ? ST_OK : err_set(err, ST_DATA, "%.*s", STR_ARGS(why));
}

static void clear_has_rows(struct sqlite_executor *sqlite, size_t n)
{
    if (n > sqlite->has_rows_capacity) {
        sqlite->has_rows = mem_resize(sqlite->has_rows, n, sizeof(bool));
        sqlite->has_rows_capacity = n;
    }
    memset(sqlite->has_rows, 0, n * sizeof(bool));
}

// Runs range->n records.
static enum status query_range(struct pass *pass, struct range *range, struct err *err)
{
    struct sqlite_executor *sqlite = pass->sqlite;
    clear_has_rows(sqlite, range->n);
    sqlite_host_set_deadline(sqlite->host,
                             query_limit_until(sqlite->timeout_ms, range->n));
    sqlite_host_set_batch(sqlite->host, pass->batch, pass->next, range->n);
    sqlite_host_rewind(sqlite->query);
    do {
        TRY(sqlite->query->ops->next(sqlite->query, &sqlite->results, err));
        encode_results(sqlite, range, pass->rows);
        TRY(check_refused(sqlite->row_format, err));
    } while (sqlite->results.n_rows > 0 && !pass->rows->full);
    if (pass->rows->full)
        return ST_LIMIT;
    if (sqlite->counts.plan != NULL)
        sqlite_counts_take(&sqlite->counts, range->first, range->n, sqlite->has_rows,
                           &range->n_unmatched);
    return ST_OK;
}

static void take_range(struct pass *pass, const struct range *range)
{
    pass->next += range->n;
    pass->result.n_rows += range->n_rows;
    pass->result.n_matched += range->n_matched;
    pass->result.n_unmatched += range->n_unmatched;
}

// A single record failed.
static enum status give_up_record(struct pass *pass, enum status rc, bool is_full,
                                  size_t n_rows, struct err *err)
{
    if (rc == ST_LIMIT && is_full)
        return output_too_big(pass->sqlite->plan, batch_row(pass->batch, pass->next),
                              n_rows, pass->rows->limit, err);
    if (rc == ST_LIMIT)
        (void)err_set(err, rc, "%s for this record, after %s", err->text,
                      text_counted((int64_t)(n_rows + pass->sqlite->results.n_rows),
                                   "row", "rows"));
    batch_reject(pass->batch, pass->batch->records[pass->next], str_of(err->text));
    pass->next++;
    return ST_OK;
}

// Does the next range. *ret_more is false when there is no room for it in what is left of
// the row buffer, or it would end the run with an error that is to come first in the
// next.
static enum status step(struct pass *pass, bool *ret_more, struct err *err)
{
    struct sqlite_executor *sqlite = pass->sqlite;
    size_t before = pass->rows->n;
    size_t left = pass->batch->n_rows - pass->next;
    size_t n = sqlite->n_at_once < left ? sqlite->n_at_once : left;
    struct range range = {.first = pass->next, .n = n};
    enum status rc = query_range(pass, &range, err);
    *ret_more = true;
    if (rc == ST_OK) {
        take_range(pass, &range);
        if (n == sqlite->n_at_once && n < AT_ONCE_MAX)
            sqlite->n_at_once = 2 * n;
        return ST_OK;
    }
    bool is_full = pass->rows->full;
    pass->rows->n = before;
    pass->rows->full = false;
    *ret_more = rc != ST_STOP;
    if (rc == ST_STOP)
        return ST_OK;
    if (rc != ST_DATA && rc != ST_LIMIT)
        return rc;
    bool is_late = rc == ST_LIMIT && !is_full;
    size_t fewer = n / (is_late ? LATE_DIVISOR : 2);
    sqlite->n_at_once = fewer > 1 ? fewer : 1;
    bool is_for_next = is_full && (before > 0 || (n == 1 && pass->next > pass->from));
    *ret_more = !is_for_next;
    return n > 1 || is_for_next ? ST_OK
                                : give_up_record(pass, rc, is_full, range.n_rows, err);
}

static enum status sqlite_run(struct executor *executor, struct batch *batch, size_t from,
                              struct buf *rows, size_t *ret_next,
                              struct executor_result *ret, struct err *err)
{
    struct sqlite_executor *sqlite = (struct sqlite_executor *)executor;
    struct pass pass = {
        .sqlite = sqlite, .batch = batch, .rows = rows, .from = from, .next = from};
    bool more = true;
    int64_t slice_ms = query_limit_until(SLICE_MS, 1);
    assert(rows->n == 0);
    while (more && pass.next < batch->n_rows &&
           (pass.next == from || query_limit_until(0, 1) < slice_ms))
        TRY(step(&pass, &more, err));
    *ret_next = pass.next;
    *ret = pass.result;
    return ST_OK;
}

static void sqlite_close(struct executor *executor)
{
    struct sqlite_executor *sqlite = (struct sqlite_executor *)executor;
    if (sqlite == NULL)
        return;
    if (sqlite->query != NULL)
        sqlite->query->ops->close(sqlite->query);
    sqlite_counts_close(&sqlite->counts);
    batch_release(&sqlite->results);
    free(sqlite->traced.columns);
    free(sqlite->has_rows);
    free(sqlite);
}

static const struct executor_ops sqlite_ops = {
    .run = sqlite_run,
    .close = sqlite_close,
};

enum sqlite_view sqlite_executor_view(const struct plan *plan, const struct view *view)
{
    (void)plan;
    return view->read_by_insert ? SQLITE_TABLE : SQLITE_VIEW;
}

// The result's columns and one more.
static struct schema traced_schema(const struct schema *output)
{
    struct schema traced = {mem_array(output->n + 1, sizeof(struct column)),
                            output->n + 1};
    memcpy(traced.columns, output->columns, output->n * sizeof(struct column));
    traced.columns[output->n] =
        (struct column){.name = STR_LITERAL("record"), .type = TYPE_BIGINT};
    return traced;
}

static enum status open_query(struct sqlite_executor *sqlite, struct err *err)
{
    const struct plan *plan = sqlite->plan;
    for (size_t i = 0; i < plan->n_lookups; i++)
        TRY(sqlite_host_index(sqlite->host, plan->lookups[i].relation,
                              plan->lookups[i].column, err));
    TRY(sqlite_host_stream(sqlite->host, plan->stream->name, &plan->stream->schema, err));
    return sqlite_host_query(sqlite->host, plan->traced_sql, &sqlite->traced,
                             &sqlite->query, err);
}

enum status sqlite_executor_open(const struct plan *plan, struct sqlite_host *host,
                                 struct row_format *row_format, struct executor **ret,
                                 struct err *err)
{
    struct sqlite_executor *sqlite = mem_zalloc(sizeof(*sqlite));
    sqlite->executor = (struct executor){.ops = &sqlite_ops, .name = "sqlite"};
    sqlite->plan = plan;
    sqlite->host = host;
    sqlite->row_format = row_format;
    sqlite->n_at_once = AT_ONCE_MAX;
    sqlite->timeout_ms = options_number(&plan->settings, "batch.record_timeout");
    sqlite->traced = traced_schema(&plan->output);
    batch_init(&sqlite->results, sqlite->traced.n);
    enum status rc = open_query(sqlite, err);
    if (rc != ST_OK) {
        sqlite_close(&sqlite->executor);
        return rc;
    }
    sqlite_host_limit_memory(host, sqlite_host_memory() + SQLITE_QUERY_MEMORY);
    *ret = &sqlite->executor;
    return ST_OK;
}

void sqlite_executor_count(struct executor *executor)
{
    struct sqlite_executor *sqlite = (struct sqlite_executor *)executor;
    struct err ignored;
    if (sqlite_counts_open(sqlite->plan, sqlite->host, &sqlite->counts, &ignored) !=
        ST_OK) {
        sqlite_counts_close(&sqlite->counts);
        return;
    }
    executor->joins = sqlite->counts.joins;
    executor->n_joins = sqlite->counts.n_joins;
}
