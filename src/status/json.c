// SPDX-License-Identifier: Apache-2.0
#include "status/json.h"

#include "base/json_put.h"
#include "status/names.h"

static void put_list(struct buf *out, const char *name, const char *const *names,
                     const int64_t *numbers, size_t n)
{
    json_put_open(out, name, '{');
    for (size_t i = 0; i < n; i++)
        json_put_number(out, names[i], numbers[i]);
    json_put_close(out, '}');
}

static void put_job(const struct board_job *job, struct buf *out)
{
    json_put_open(out, "job", '{');
    json_put_text(out, "name", job->name);
    json_put_text(out, "script", job->script);
    json_put_text(out, "worker", job->worker);
    json_put_text(out, "topic", job->topic);
    json_put_text(out, "cluster", job->cluster);
    json_put_text(out, "result", job->result);
    json_put_text(out, "executor", job->executor);
    json_put_close(out, '}');
}

static void put_verdict(const struct look *look, struct buf *out)
{
    struct verdict verdict;
    verdict_of(look, &verdict);
    json_put_text(out, "state", str_of(board_phase_names[look->view->phase]));
    json_put_number(out, "state_since_ms", look->view->phase_since_ms);
    verdict_json(&verdict, out);
}

static void put_lag(const struct look *look, struct buf *out)
{
    struct board_lag lag = board_lag(look->view, look->wall_ms);
    bool has_time = lag.n_records == 0 || lag.committed_ms >= 0;
    json_put_open(out, "lag", '{');
    json_put_known(out, "records", lag.is_known ? lag.n_records : -1);
    json_put_seconds(out, "seconds", lag.is_known && has_time ? lag.ms : -1);
    json_put_known(out, "committed_ms", lag.committed_ms);
    json_put_close(out, '}');
}

static void put_rates(const struct look *look, struct buf *out)
{
    struct history_rates rates = {0};
    if (look->history != NULL)
        rates = history_rates(look->history);
    json_put_open(out, "rates", '{');
    json_put_real(out, "records_per_second", rates.records_per_second, 1);
    json_put_real(out, "rows_per_second", rates.rows_per_second, 1);
    json_put_close(out, '}');
}

static void put_keys(const struct join_counts *join, struct buf *out)
{
    struct sketch missed = join->missed;
    sketch_sort(&missed);
    json_put_open(out, "unmatched_keys", '[');
    for (size_t i = 0; i < missed.n && i < STATUS_JSON_KEYS; i++) {
        const struct sketch_item *item = &missed.items[i];
        json_put_open(out, NULL, '{');
        json_put_text(out, "key", (struct str){item->key, item->n_key});
        json_put_bool(out, "is_cut", item->is_cut);
        json_put_number(out, "count", item->count);
        json_put_number(out, "over", item->over);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_fan_out(const struct join_counts *join, struct buf *out)
{
    json_put_open(out, "fan_out", '{');
    if (join->n_hits > 0)
        json_put_real(out, "mean", (double)join->n_rows / (double)join->n_hits, 2);
    else
        json_put_null(out, "mean");
    json_put_known(out, "most", join->max_rows);
    json_put_text(out, "most_key", join->max_key);
    json_put_close(out, '}');
}

static void put_joins(const struct board_view *view, struct buf *out)
{
    json_put_open(out, "joins", '[');
    for (size_t i = 0; i < view->n_joins; i++) {
        const struct join_counts *join = &view->joins[i];
        json_put_open(out, NULL, '{');
        json_put_text(out, "table", join->table);
        json_put_number(out, "hits", join->n_hits);
        json_put_number(out, "misses", join->n_misses);
        json_put_number(out, "rows", join->n_rows);
        put_fan_out(join, out);
        put_keys(join, out);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_tables(const struct board_view *view, struct buf *out)
{
    json_put_open(out, "tables", '[');
    for (size_t i = 0; i < view->n_tables; i++) {
        const struct board_table *table = &view->tables[i];
        json_put_open(out, NULL, '{');
        json_put_text(out, "name", table->name);
        json_put_text(out, "version", table->version);
        json_put_number(out, "rows", table->n_rows);
        json_put_number(out, "loaded_ms", table->loaded_ms);
        json_put_known(out, "expires_ms", table->expires_ms);
        json_put_close(out, '}');
    }
    json_put_close(out, ']');
}

static void put_event(const struct board_event *event, struct buf *out)
{
    json_put_number(out, "time_ms", event->wall_ms);
    json_put_text(out, "text", str_of(event->text));
}

static void put_last_reject(const struct board_reject *last, struct buf *out)
{
    if (last->event.wall_ms == 0) {
        json_put_null(out, "last");
        return;
    }
    json_put_open(out, "last", '{');
    json_put_text(out, "reason", str_of(reject_reason_names[last->reason]));
    json_put_number(out, "partition", last->partition);
    json_put_number(out, "offset", last->offset);
    put_event(&last->event, out);
    json_put_text(out, "sample", str_of(last->sample));
    json_put_close(out, '}');
}

static void put_rejects(const struct board_view *view, struct buf *out)
{
    json_put_open(out, "rejects", '{');
    put_list(out, "by_reason", reject_reason_names, view->n_rejects, REJECT_REASONS_N);
    put_last_reject(&view->last_reject, out);
    json_put_close(out, '}');
}

static void put_phases(const struct board_view *view, struct buf *out)
{
    json_put_open(out, "phases", '{');
    for (size_t i = 0; i < COMMIT_PHASES_N; i++) {
        const struct board_phase_time *time = &view->phases[i];
        json_put_open(out, commit_phase_names[i], '{');
        json_put_number(out, "count", time->n);
        json_put_seconds(out, "seconds", time->sum_ms);
        json_put_seconds(out, "last_seconds", time->last_ms);
        json_put_close(out, '}');
    }
    json_put_close(out, '}');
}

static void put_commits(const struct board_view *view, struct buf *out)
{
    bool has_one = view->last_commit_ms != 0;
    json_put_open(out, "commits", '{');
    put_list(out, "by_result", commit_result_names, view->n_commits, COMMIT_RESULTS_N);
    json_put_known(out, "last_ms", has_one ? view->last_commit_ms : -1);
    json_put_known(out, "last_entry", has_one ? view->last_entry : -1);
    put_phases(view, out);
    json_put_number(out, "storage_retries", view->n_retries);
    if (view->failure.wall_ms == 0) {
        json_put_null(out, "last_failure");
    } else {
        json_put_open(out, "last_failure", '{');
        put_event(&view->failure, out);
        json_put_close(out, '}');
    }
    json_put_close(out, '}');
}

static void put_partition(const struct board_partition *partition, int64_t wall_ms,
                          struct buf *out)
{
    struct board_lag lag = board_partition_lag(partition, wall_ms);
    json_put_open(out, NULL, '{');
    json_put_number(out, "partition", partition->partition);
    json_put_bool(out, "is_ours", partition->is_ours);
    json_put_number(out, "read", partition->read);
    json_put_known(out, "committed", partition->committed);
    json_put_known(out, "end", partition->end);
    json_put_known(out, "lag_records", lag.is_known ? lag.n_records : -1);
    json_put_seconds(out, "lag_seconds", lag.is_known ? lag.ms : -1);
    json_put_known(out, "committed_record_ms", partition->committed_time_ms);
    json_put_close(out, '}');
}

static void put_partitions(const struct look *look, struct buf *out)
{
    json_put_open(out, "partitions", '[');
    for (size_t i = 0; i < look->view->n_partitions; i++)
        put_partition(&look->view->partitions[i], look->wall_ms, out);
    json_put_close(out, ']');
}

static void put_point(const struct history_point *point, struct buf *out)
{
    json_put_open(out, NULL, '[');
    json_put_number(out, NULL, point->wall_ms);
    json_put_real(out, NULL, point->records_per_second, 1);
    json_put_real(out, NULL, point->rows_per_second, 1);
    json_put_real(out, NULL, (double)point->lag_ms / 1000, 3);
    json_put_number(out, NULL, point->lag_records);
    json_put_number(out, NULL, point->n_matched);
    json_put_number(out, NULL, point->n_unmatched);
    json_put_number(out, NULL, point->n_rejected);
    json_put_close(out, ']');
}

// The columns of a point, in its order.
static void put_history(const struct history *history, struct buf *out)
{
    static const char *const columns[] = {
        "time_ms", "records_per_second", "rows_per_second", "lag_seconds", "lag_records",
        "matched", "unmatched",          "rejected",
    };
    json_put_open(out, "history", '{');
    json_put_number(out, "step_seconds", HISTORY_STEP_MS / 1000);
    json_put_open(out, "columns", '[');
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        json_put_text(out, NULL, str_of(columns[i]));
    json_put_close(out, ']');
    json_put_open(out, "points", '[');
    for (size_t i = 0; history != NULL && i < history->n; i++)
        put_point(history_point(history, i), out);
    json_put_close(out, ']');
    json_put_close(out, '}');
}

void status_json(const struct look *look, int64_t started_ms, struct buf *ret)
{
    const struct board_view *view = look->view;
    json_put_open(ret, NULL, '{');
    json_put_number(ret, "version", STATUS_JSON_VERSION);
    json_put_text(ret, "program", STR_LITERAL(TRAMLINE_VERSION));
    json_put_number(ret, "time_ms", look->wall_ms);
    json_put_number(ret, "started_ms", started_ms);
    put_job(&view->job, ret);
    put_verdict(look, ret);
    put_lag(look, ret);
    put_rates(look, ret);
    put_list(ret, "records", outcome_names, view->n_records, OUTCOMES_N);
    json_put_number(ret, "rows", view->n_rows);
    json_put_number(ret, "bytes", view->n_bytes);
    put_joins(view, ret);
    put_tables(view, ret);
    put_rejects(view, ret);
    put_commits(view, ret);
    put_partitions(look, ret);
    put_history(look->history, ret);
    json_put_close(ret, '}');
    buf_char(ret, '\n');
}
