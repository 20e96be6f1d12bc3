// SPDX-License-Identifier: Apache-2.0
#include "status/json.h"

#include <inttypes.h>

#include "base/text.h"
#include "status/names.h"

static void put_text(struct buf *out, const char *name, struct str text)
{
    buf_printf(out, "\"%s\":", name);
    text_json(out, text);
}

static void put_number(struct buf *out, const char *name, int64_t number)
{
    buf_printf(out, "\"%s\":%" PRId64, name, number);
}

// What is unknown is null.
static void put_known(struct buf *out, const char *name, int64_t number)
{
    if (number < 0)
        buf_printf(out, "\"%s\":null", name);
    else
        put_number(out, name, number);
}

static void put_seconds(struct buf *out, const char *name, int64_t ms)
{
    buf_printf(out, "\"%s\":%" PRId64 ".%03" PRId64, name, ms / 1000, ms % 1000);
}

static void put_known_seconds(struct buf *out, const char *name, int64_t ms)
{
    if (ms < 0)
        buf_printf(out, "\"%s\":null", name);
    else
        put_seconds(out, name, ms);
}

static void put_list(struct buf *out, const char *const *names, const int64_t *numbers,
                     size_t n)
{
    buf_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        buf_text(out, i > 0 ? "," : "");
        put_number(out, names[i], numbers[i]);
    }
    buf_char(out, '}');
}

static void put_job(const struct board_job *job, struct buf *out)
{
    const struct {
        const char *name;
        struct str text;
    } fields[] = {
        {"name", job->name},         {"script", job->script},   {"worker", job->worker},
        {"topic", job->topic},       {"cluster", job->cluster}, {"result", job->result},
        {"executor", job->executor},
    };
    buf_text(out, "\"job\":{");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        buf_text(out, i > 0 ? "," : "");
        put_text(out, fields[i].name, fields[i].text);
    }
    buf_text(out, "}");
}

static void put_verdict(const struct look *look, struct buf *out)
{
    struct verdict verdict;
    verdict_of(look, &verdict);
    buf_printf(out, "\"state\":\"%s\",", board_phase_names[look->view->phase]);
    put_number(out, "state_since_ms", look->view->phase_since_ms);
    buf_char(out, ',');
    verdict_json(&verdict, out);
}

static void put_lag(const struct look *look, struct buf *out)
{
    struct board_lag lag = board_lag(look->view, look->wall_ms);
    buf_text(out, "\"lag\":{");
    put_known(out, "records", lag.is_known ? lag.n_records : -1);
    buf_char(out, ',');
    bool has_time = lag.n_records == 0 || lag.committed_ms >= 0;
    put_known_seconds(out, "seconds", lag.is_known && has_time ? lag.ms : -1);
    buf_char(out, ',');
    put_known(out, "committed_ms", lag.committed_ms);
    buf_char(out, '}');
}

static void put_rates(const struct look *look, struct buf *out)
{
    struct history_rates rates = {0};
    if (look->history != NULL)
        rates = history_rates(look->history);
    buf_printf(out, "\"rates\":{\"records_per_second\":%.1f,\"rows_per_second\":%.1f}",
               rates.records_per_second, rates.rows_per_second);
}

static void put_keys(const struct join_counts *join, struct buf *out)
{
    struct sketch missed = join->missed;
    sketch_sort(&missed);
    buf_text(out, "\"unmatched_keys\":[");
    for (size_t i = 0; i < missed.n && i < STATUS_JSON_KEYS; i++) {
        const struct sketch_item *item = &missed.items[i];
        buf_text(out, i > 0 ? ",{" : "{");
        put_text(out, "key", (struct str){item->key, item->n_key});
        buf_printf(out, ",\"is_cut\":%s,", item->is_cut ? "true" : "false");
        put_number(out, "count", item->count);
        buf_char(out, ',');
        put_number(out, "over", item->over);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void put_join(const struct join_counts *join, struct buf *out)
{
    buf_char(out, '{');
    put_text(out, "table", join->table);
    buf_char(out, ',');
    put_number(out, "hits", join->n_hits);
    buf_char(out, ',');
    put_number(out, "misses", join->n_misses);
    buf_char(out, ',');
    put_number(out, "rows", join->n_rows);
    buf_text(out, ",\"fan_out\":{");
    if (join->n_hits > 0)
        buf_printf(out, "\"mean\":%.2f,", (double)join->n_rows / (double)join->n_hits);
    else
        buf_text(out, "\"mean\":null,");
    put_known(out, "most", join->max_rows);
    buf_char(out, ',');
    put_text(out, "most_key", join->max_key);
    buf_text(out, "},");
    put_keys(join, out);
    buf_char(out, '}');
}

static void put_joins(const struct board_view *view, struct buf *out)
{
    buf_text(out, "\"joins\":[");
    for (size_t i = 0; i < view->n_joins; i++) {
        buf_text(out, i > 0 ? "," : "");
        put_join(&view->joins[i], out);
    }
    buf_char(out, ']');
}

static void put_tables(const struct board_view *view, struct buf *out)
{
    buf_text(out, "\"tables\":[");
    for (size_t i = 0; i < view->n_tables; i++) {
        const struct board_table *table = &view->tables[i];
        buf_text(out, i > 0 ? ",{" : "{");
        put_text(out, "name", table->name);
        buf_char(out, ',');
        put_text(out, "version", table->version);
        buf_char(out, ',');
        put_number(out, "rows", table->n_rows);
        buf_char(out, ',');
        put_number(out, "loaded_ms", table->loaded_ms);
        buf_char(out, ',');
        put_known(out, "expires_ms", table->expires_ms);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void put_event(const struct board_event *event, struct buf *out)
{
    put_number(out, "time_ms", event->wall_ms);
    buf_char(out, ',');
    put_text(out, "text", str_of(event->text));
}

static void put_rejects(const struct board_view *view, struct buf *out)
{
    const struct board_reject *last = &view->last_reject;
    buf_text(out, "\"rejects\":{\"by_reason\":");
    put_list(out, reject_reason_names, view->n_rejects, REJECT_REASONS_N);
    buf_text(out, ",\"last\":");
    if (last->event.wall_ms == 0) {
        buf_text(out, "null}");
        return;
    }
    buf_printf(out, "{\"reason\":\"%s\",\"partition\":%" PRId32 ",",
               reject_reason_names[last->reason], last->partition);
    put_number(out, "offset", last->offset);
    buf_char(out, ',');
    put_event(&last->event, out);
    buf_char(out, ',');
    put_text(out, "sample", str_of(last->sample));
    buf_text(out, "}}");
}

static void put_commits(const struct board_view *view, struct buf *out)
{
    buf_text(out, "\"commits\":{\"by_result\":");
    put_list(out, commit_result_names, view->n_commits, COMMIT_RESULTS_N);
    buf_text(out, ",\"last_ms\":");
    if (view->last_commit_ms == 0)
        buf_text(out, "null,\"last_entry\":null");
    else
        buf_printf(out, "%" PRId64 ",\"last_entry\":%" PRId64, view->last_commit_ms,
                   view->last_entry);
    buf_text(out, ",\"phases\":{");
    for (size_t i = 0; i < COMMIT_PHASES_N; i++) {
        const struct board_phase_time *time = &view->phases[i];
        buf_printf(out, "%s\"%s\":{", i > 0 ? "," : "", commit_phase_names[i]);
        put_number(out, "count", time->n);
        buf_char(out, ',');
        put_seconds(out, "seconds", time->sum_ms);
        buf_char(out, ',');
        put_seconds(out, "last_seconds", time->last_ms);
        buf_char(out, '}');
    }
    buf_text(out, "},");
    put_number(out, "storage_retries", view->n_retries);
    buf_text(out, ",\"last_failure\":");
    if (view->failure.wall_ms == 0) {
        buf_text(out, "null}");
        return;
    }
    buf_char(out, '{');
    put_event(&view->failure, out);
    buf_text(out, "}}");
}

static void put_partition(const struct board_partition *partition, int64_t wall_ms,
                          struct buf *out)
{
    struct board_lag lag = board_partition_lag(partition, wall_ms);
    buf_printf(out, "{\"partition\":%" PRId32 ",\"is_ours\":%s,", partition->partition,
               partition->is_ours ? "true" : "false");
    put_number(out, "read", partition->read);
    buf_char(out, ',');
    put_known(out, "committed", partition->committed);
    buf_char(out, ',');
    put_known(out, "end", partition->end);
    buf_char(out, ',');
    put_known(out, "lag_records", lag.is_known ? lag.n_records : -1);
    buf_char(out, ',');
    put_known_seconds(out, "lag_seconds", lag.is_known ? lag.ms : -1);
    buf_char(out, ',');
    put_known(out, "committed_record_ms", partition->committed_time_ms);
    buf_char(out, '}');
}

static void put_partitions(const struct look *look, struct buf *out)
{
    buf_text(out, "\"partitions\":[");
    for (size_t i = 0; i < look->view->n_partitions; i++) {
        buf_text(out, i > 0 ? "," : "");
        put_partition(&look->view->partitions[i], look->wall_ms, out);
    }
    buf_char(out, ']');
}

static void put_history(const struct history *history, struct buf *out)
{
    buf_printf(out,
               "\"history\":{\"step_seconds\":%d,\"columns\":[\"time_ms\","
               "\"records_per_second\",\"rows_per_second\",\"lag_seconds\","
               "\"lag_records\",\"matched\",\"unmatched\",\"rejected\"],\"points\":[",
               HISTORY_STEP_MS / 1000);
    for (size_t i = 0; history != NULL && i < history->n; i++) {
        const struct history_point *point = history_point(history, i);
        buf_printf(out,
                   "%s[%" PRId64 ",%.1f,%.1f,%.3f,%" PRId64 ",%" PRId64 ",%" PRId64
                   ",%" PRId64 "]",
                   i > 0 ? "," : "", point->wall_ms, point->records_per_second,
                   point->rows_per_second, (double)point->lag_ms / 1000,
                   point->lag_records, point->n_matched, point->n_unmatched,
                   point->n_rejected);
    }
    buf_text(out, "]}");
}

void status_json(const struct look *look, int64_t started_ms, struct buf *ret)
{
    const struct board_view *view = look->view;
    buf_printf(ret, "{\"version\":%d,\"program\":\"%s\",", STATUS_JSON_VERSION,
               TRAMLINE_VERSION);
    put_number(ret, "time_ms", look->wall_ms);
    buf_char(ret, ',');
    put_number(ret, "started_ms", started_ms);
    buf_char(ret, ',');
    put_job(&view->job, ret);
    buf_char(ret, ',');
    put_verdict(look, ret);
    buf_char(ret, ',');
    put_lag(look, ret);
    buf_char(ret, ',');
    put_rates(look, ret);
    buf_text(ret, ",\"records\":");
    put_list(ret, outcome_names, view->n_records, OUTCOMES_N);
    buf_char(ret, ',');
    put_number(ret, "rows", view->n_rows);
    buf_char(ret, ',');
    put_number(ret, "bytes", view->n_bytes);
    buf_char(ret, ',');
    put_joins(view, ret);
    buf_char(ret, ',');
    put_tables(view, ret);
    buf_char(ret, ',');
    put_rejects(view, ret);
    buf_char(ret, ',');
    put_commits(view, ret);
    buf_char(ret, ',');
    put_partitions(look, ret);
    buf_char(ret, ',');
    put_history(look->history, ret);
    buf_text(ret, "}\n");
}
