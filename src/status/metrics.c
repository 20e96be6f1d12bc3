// SPDX-License-Identifier: Apache-2.0
#include "status/metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "status/names.h"

struct page {
    struct buf *out;
    enum metrics_format format;
    const char *name; // of the family, without the suffix of its samples
    const char *suffix;
};

// In OpenMetrics a counter's family has a name without _total, and an info's one without
// _info; in the older format all but a histogram's have that of their samples.
static void begin(struct page *page, const char *name, const char *type, const char *help)
{
    bool is_counter = strcmp(type, "counter") == 0, is_info = strcmp(type, "info") == 0;
    bool is_open = page->format == METRICS_OPEN;
    page->name = name;
    page->suffix = is_counter ? "_total" : is_info ? "_info" : "";
    const char *suffix = is_open ? "" : page->suffix;
    const char *shown = is_info && !is_open ? "gauge" : type;
    buf_printf(page->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, suffix, help, name,
               suffix, shown);
    static const char *const units[] = {"seconds", "bytes"};
    for (size_t i = 0; is_open && i < ARRAY_LEN(units); i++)
        if (str_ends_with(str_of(name), units[i]))
            buf_printf(page->out, "# UNIT %s %s\n", name, units[i]);
}

// Both formats: backslash, quote and line feed are escaped; bytes that are not UTF-8 and
// control characters were made visible before.
static void put_label(struct buf *out, const char *name, struct str value)
{
    struct buf visible AUTO(buf_release) = {0};
    text_put_visible(&visible, value);
    buf_printf(out, "%s=\"", name);
    for (size_t i = 0; i < visible.n; i++) {
        char c = visible.p[i];
        if (c == '\\' || c == '"')
            buf_char(out, '\\');
        buf_char(out, c);
    }
    buf_char(out, '"');
}

// The name of a sample with up to two labels.
static void name_sample(struct page *page, const char *label, struct str value,
                        const char *label2, struct str value2)
{
    buf_printf(page->out, "%s%s", page->name, page->suffix);
    if (label == NULL) {
        buf_char(page->out, ' ');
        return;
    }
    buf_char(page->out, '{');
    put_label(page->out, label, value);
    if (label2 != NULL) {
        buf_char(page->out, ',');
        put_label(page->out, label2, value2);
    }
    buf_text(page->out, "} ");
}

static void put_number(struct page *page, int64_t number)
{
    buf_printf(page->out, "%" PRId64 "\n", number);
}

static void put_seconds(struct page *page, int64_t ms)
{
    buf_printf(page->out, "%" PRId64 ".%03" PRId64 "\n", ms / 1000, ms % 1000);
}

static void put_plain(struct page *page, int64_t number)
{
    name_sample(page, NULL, (struct str){0}, NULL, (struct str){0});
    put_number(page, number);
}

static void put_list(struct page *page, const char *label, const char *const *names,
                     const int64_t *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        name_sample(page, label, str_of(names[i]), NULL, (struct str){0});
        put_number(page, numbers[i]);
    }
}

static void put_records(struct page *page, const struct board_view *view)
{
    begin(page, "tramline_records", "counter",
          "Records read from the stream, by what became of them.");
    put_list(page, "outcome", outcome_names, view->n_records, OUTCOMES_N);
    begin(page, "tramline_rows", "counter", "Rows of the result that were made.");
    put_plain(page, view->n_rows);
    begin(page, "tramline_bytes", "counter", "Bytes of those rows, before compression.");
    put_plain(page, view->n_bytes);
    begin(page, "tramline_rejected_records", "counter",
          "Records set aside as dead letters, by reason.");
    put_list(page, "reason", reject_reason_names, view->n_rejects, REJECT_REASONS_N);
}

static void put_lag(struct page *page, const struct board_view *view, int64_t wall_ms)
{
    struct board_lag lag = board_lag(view, wall_ms);
    begin(page, "tramline_lag_records", "gauge",
          "Records in the topic that are not committed.");
    name_sample(page, NULL, (struct str){0}, NULL, (struct str){0});
    if (lag.is_known)
        put_number(page, lag.n_records);
    else
        buf_text(page->out, "NaN\n");
    begin(page, "tramline_committed_record_timestamp_seconds", "gauge",
          "Time up to which records are committed: that of the oldest one that is not, "
          "else of the newest one.");
    name_sample(page, NULL, (struct str){0}, NULL, (struct str){0});
    if (lag.committed_ms < 0 && lag.n_records > 0)
        buf_text(page->out, "NaN\n"); // the records have no times
    else
        put_seconds(page, lag.committed_ms < 0 ? 0 : lag.committed_ms);
    int64_t n_ours = 0;
    for (size_t i = 0; i < view->n_partitions; i++)
        n_ours += view->partitions[i].is_ours;
    begin(page, "tramline_partitions", "gauge", "Partitions that this worker has.");
    put_plain(page, n_ours);
}

static void put_joins(struct page *page, const struct board_view *view)
{
    begin(page, "tramline_join_probe", "counter",
          "Records looked up in a table, by whether it has a row for them.");
    for (size_t i = 0; i < view->n_joins; i++) {
        const struct join_counts *join = &view->joins[i];
        name_sample(page, "table", join->table, "result", str_of("hit"));
        put_number(page, join->n_hits);
        name_sample(page, "table", join->table, "result", str_of("miss"));
        put_number(page, join->n_misses);
    }
    begin(page, "tramline_join_rows", "counter", "Rows that a table gave to records.");
    for (size_t i = 0; i < view->n_joins; i++) {
        name_sample(page, "table", view->joins[i].table, NULL, (struct str){0});
        put_number(page, view->joins[i].n_rows);
    }
}

static void put_tables(struct page *page, const struct board_view *view)
{
    int64_t expires_ms = -1;
    begin(page, "tramline_table", "info", "The version of a table that was read.");
    for (size_t i = 0; i < view->n_tables; i++) {
        name_sample(page, "table", view->tables[i].name, "version",
                    view->tables[i].version);
        put_number(page, 1);
    }
    begin(page, "tramline_table_rows", "gauge", "Rows of a table.");
    for (size_t i = 0; i < view->n_tables; i++) {
        name_sample(page, "table", view->tables[i].name, NULL, (struct str){0});
        put_number(page, view->tables[i].n_rows);
    }
    begin(page, "tramline_table_loaded_timestamp_seconds", "gauge",
          "When a table was read.");
    for (size_t i = 0; i < view->n_tables; i++) {
        const struct board_table *table = &view->tables[i];
        name_sample(page, "table", table->name, NULL, (struct str){0});
        put_seconds(page, table->loaded_ms);
        if (table->expires_ms > expires_ms)
            expires_ms = table->expires_ms;
    }
    begin(page, "tramline_feed_expiry_timestamp_seconds", "gauge",
          "End of the last day that the tables know service for; no sample: they do not "
          "say.");
    if (expires_ms < 0)
        return;
    name_sample(page, NULL, (struct str){0}, NULL, (struct str){0});
    put_seconds(page, expires_ms);
}

// OpenMetrics, "Numbers": 0.01 and 1.0, as it wants the bounds of buckets.
static void put_bound(struct buf *out, int64_t ms)
{
    const char *zero = ms % 1000 == 0 ? ".0" : "";
    buf_printf(out, "%g%s", (double)ms / 1000, zero);
}

static void put_histogram(struct page *page, const char *phase,
                          const struct board_phase_time *time)
{
    int64_t n = 0;
    const char *name = page->name;
    for (size_t i = 0; i < BOARD_BUCKETS; i++) {
        n += time->n_of_bucket[i];
        buf_printf(page->out, "%s_bucket{phase=\"%s\",le=\"", name, phase);
        if (i == BOARD_BUCKETS - 1)
            buf_text(page->out, "+Inf");
        else
            put_bound(page->out, board_bounds_ms[i]);
        buf_printf(page->out, "\"} %" PRId64 "\n", n);
    }
    buf_printf(page->out, "%s_sum{phase=\"%s\"} %.3f\n", name, phase,
               (double)time->sum_ms / 1000);
    buf_printf(page->out, "%s_count{phase=\"%s\"} %" PRId64 "\n", name, phase, time->n);
}

static void put_commits(struct page *page, const struct board_view *view)
{
    begin(page, "tramline_commits", "counter", "Units of work, by what came of them.");
    put_list(page, "result", commit_result_names, view->n_commits, COMMIT_RESULTS_N);
    begin(page, "tramline_commit_phase_seconds", "histogram",
          "Time of a commit, by its parts.");
    for (size_t i = 0; i < COMMIT_PHASES_N; i++)
        put_histogram(page, commit_phase_names[i], &view->phases[i]);
    begin(page, "tramline_storage_retries", "counter",
          "Calls to the storage that were made again.");
    put_plain(page, view->n_retries);
}

void metrics_format(const struct board_view *view, enum metrics_format format,
                    int64_t wall_ms, struct buf *ret)
{
    struct page page = {.out = ret, .format = format};
    begin(&page, "tramline_build", "info", "The program.");
    name_sample(&page, "version", str_of(TRAMLINE_VERSION), NULL, (struct str){0});
    put_number(&page, 1);
    put_records(&page, view);
    put_lag(&page, view, wall_ms);
    put_joins(&page, view);
    put_tables(&page, view);
    put_commits(&page, view);
    if (format == METRICS_OPEN)
        buf_text(ret, "# EOF\n");
}

const char *metrics_content_type(enum metrics_format format)
{
    return format == METRICS_OPEN
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

// RFC 9110, 12.5.1: the q of one media range; 1 where it has none.
static double quality_of(struct str range)
{
    struct str rest = range;
    (void)str_cut(&rest, ';');
    while (rest.p != NULL) {
        struct str parameter = str_trim(str_cut(&rest, ';'));
        if (parameter.n > 2 && strncasecmp(parameter.p, "q=", 2) == 0) {
            char text[8] = {0};
            size_t n =
                parameter.n - 2 < sizeof(text) - 1 ? parameter.n - 2 : sizeof(text) - 1;
            memcpy(text, parameter.p + 2, n);
            return strtod(text, NULL);
        }
    }
    return 1;
}

static bool is_version_1(struct str range)
{
    struct str rest = range;
    (void)str_cut(&rest, ';');
    while (rest.p != NULL) {
        struct str parameter = str_trim(str_cut(&rest, ';'));
        if (str_starts_with(parameter, "version="))
            return str_is(parameter, "version=1.0.0");
    }
    return true;
}

enum metrics_format metrics_accepted(const char *accept)
{
    double best[2] = {[METRICS_TEXT] = -1, [METRICS_OPEN] = 0};
    struct str rest = str_of(accept == NULL ? "" : accept);
    while (rest.p != NULL) {
        struct str range = str_cut(&rest, ','), rest_of_range = range;
        struct str type = str_trim(str_cut(&rest_of_range, ';'));
        double q = quality_of(range);
        bool is_open = str_eq_nocase(type, str_of("application/openmetrics-text"));
        if (is_open && is_version_1(range) && q > best[METRICS_OPEN])
            best[METRICS_OPEN] = q;
        if (str_eq_nocase(type, str_of("text/plain")) && q > best[METRICS_TEXT])
            best[METRICS_TEXT] = q;
    }
    bool is_open = best[METRICS_OPEN] > 0 && best[METRICS_OPEN] >= best[METRICS_TEXT];
    return is_open ? METRICS_OPEN : METRICS_TEXT;
}
