// SPDX-License-Identifier: Apache-2.0
// What stands on the board, and what is made of it: texts written by hand.
#include "test.h"

#include <jansson.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "status/board.h"
#include "status/history.h"
#include "status/json.h"
#include "status/listen.h"
#include "status/metrics.h"
#include "status/server.h"
#include "status/verdict.h"

#define DAY_MS INT64_C(86400000)

static const struct board_mark none = {-1, -1};

static struct board_lag lag_at(struct board *board, int64_t wall_ms)
{
    struct board_view view;
    board_read(board, &view);
    struct board_lag lag = board_lag(&view, wall_ms);
    board_view_release(&view);
    return lag;
}

static void assign(struct board *board, int32_t partition, int64_t next, int64_t time_ms)
{
    struct board_partition ours = {
        .partition = partition, .read = next, .committed_time_ms = time_ms};
    board_assign(board, &ours, 1);
}

// One batch, of records [first, next) that were written at these times.
static void read_batch(struct board *board, int32_t partition, struct board_mark first,
                       struct board_mark last)
{
    board_batch(board, &(struct board_batch){.partition = partition,
                                             .first = first,
                                             .last = last,
                                             .next = last.offset + 1});
}

// The lag: each step of a partition's life, with the time that a producer's clock says.

static void test_lag_is_unknown_before_the_end_is(UNUSED void **state)
{
    struct board board = {0};
    assert_false(lag_at(&board, 5000).is_known);
    assign(&board, 0, 10, 1000);
    assert_false(lag_at(&board, 5000).is_known);
    board_end(&board, 0, 10, none);
    assert_true(lag_at(&board, 5000).is_known);
    board_release(&board);
}

static void test_caught_up_is_0_however_old_the_last_record(UNUSED void **state)
{
    struct board board = {0};
    assign(&board, 0, 10, 1000);
    board_end(&board, 0, 10, none);
    struct board_lag lag = lag_at(&board, 1000 + 9 * DAY_MS);
    assert_int_equal(lag.ms, 0);
    assert_int_equal(lag.n_records, 0);
    assert_int_equal(lag.committed_ms, 1000);
    board_release(&board);
}

static void test_what_is_read_and_not_committed_is_lag(UNUSED void **state)
{
    struct board board = {0};
    assign(&board, 0, 10, 1000);
    board_end(&board, 0, 10, none);
    read_batch(&board, 0, (struct board_mark){10, 50000}, (struct board_mark){14, 50900});
    struct board_lag lag = lag_at(&board, 53000);
    assert_int_equal(lag.ms, 3000);
    assert_int_equal(lag.n_records, 5);
    assert_int_equal(lag.committed_ms, 50000);
    board_committed(&board, 0, (struct board_mark){14, 50900}, 15);
    lag = lag_at(&board, 53000);
    assert_int_equal(lag.ms, 0);
    assert_int_equal(lag.n_records, 0);
    assert_int_equal(lag.committed_ms, 50900);
    board_release(&board);
}

static void test_units_under_way_count_from_the_oldest(UNUSED void **state)
{
    struct board board = {0};
    assign(&board, 0, 0, -1);
    board_end(&board, 0, 0, none);
    read_batch(&board, 0, (struct board_mark){0, 1000}, (struct board_mark){4, 1400});
    read_batch(&board, 0, none, (struct board_mark){9, 1900}); // of the same unit
    read_batch(&board, 0, (struct board_mark){10, 2000}, (struct board_mark){19, 2900});
    assert_int_equal(lag_at(&board, 3000).ms, 2000);
    assert_int_equal(lag_at(&board, 3000).n_records, 20);
    board_committed(&board, 0, (struct board_mark){9, 1900}, 10);
    assert_int_equal(lag_at(&board, 3000).ms, 1000);
    assert_int_equal(lag_at(&board, 3000).n_records, 10);
    board_release(&board);
}

static void test_what_is_not_read_is_as_old_as_its_record(UNUSED void **state)
{
    struct board board = {0};
    assign(&board, 0, 10, 1000);
    board_end(&board, 0, 12, (struct board_mark){10, 70000});
    assert_int_equal(lag_at(&board, 74000).ms, 4000);
    assert_int_equal(lag_at(&board, 74000).n_records, 2);
    assert_int_equal(lag_at(&board, 74000).committed_ms, 70000);
    board_release(&board);
}

static void test_a_rebalance_keeps_the_lag(UNUSED void **state)
{
    struct board board = {0};
    assign(&board, 0, 10, 1000);
    board_end(&board, 0, 10, none);
    read_batch(&board, 0, (struct board_mark){10, 50000}, (struct board_mark){14, 50900});
    board_let_go(&board);
    assert_int_equal(lag_at(&board, 53000).ms, 3000);
    assert_int_equal(lag_at(&board, 53000).n_records, 5);
    assign(&board, 0, 10, 1000);
    assert_int_equal(lag_at(&board, 54000).ms, 4000);
    assert_int_equal(lag_at(&board, 54000).n_records, 5);
    board_let_go(&board); // another worker commits them
    board_committed(&board, 0, (struct board_mark){14, 50900}, 15);
    assert_int_equal(lag_at(&board, 55000).ms, 0);
    board_release(&board);
}

static void test_partitions_of_others_count(UNUSED void **state)
{
    struct board board = {0};
    assign(&board, 1, 10, 1000);
    board_end(&board, 1, 10, none);
    board_committed(&board, 0, (struct board_mark){6, 2000}, 7);
    assert_false(lag_at(&board, 5000).is_known);
    board_end(&board, 0, 9, (struct board_mark){7, 4000});
    struct board_lag lag = lag_at(&board, 5000);
    assert_true(lag.is_known);
    assert_int_equal(lag.ms, 1000);
    assert_int_equal(lag.n_records, 2);
    board_committed(&board, 0, (struct board_mark){8, 4500}, 9);
    assert_int_equal(lag_at(&board, 5000).ms, 0);
    board_release(&board);
}

// The sketch, against exact counts.

static void test_few_keys_are_counted_exactly(UNUSED void **state)
{
    struct sketch sketch = {0};
    sketch_add(&sketch, STR_LITERAL("b"), 2);
    sketch_add(&sketch, STR_LITERAL("a"), 1);
    sketch_add(&sketch, STR_LITERAL("c"), 5);
    sketch_add(&sketch, STR_LITERAL("a"), 1);
    sketch_sort(&sketch);
    assert_int_equal(sketch.n, 3);
    assert_int_equal(sketch.total, 9);
    assert_memory_equal(sketch.items[0].key, "c", 1);
    assert_memory_equal(sketch.items[1].key, "a", 1);
    assert_memory_equal(sketch.items[2].key, "b", 1);
    assert_int_equal(sketch.items[1].count, 2);
    assert_int_equal(sketch.items[1].over, 0);
}

// Key k comes 100000 / (k + 1)^2 times, mixed with 20,000 that come once.
static void test_frequent_keys_stay_among_very_many(UNUSED void **state)
{
    struct sketch sketch = {0};
    int64_t left[4], n_rare = 20000;
    for (int64_t k = 0; k < 4; k++)
        left[k] = 100000 / ((k + 1) * (k + 1));
    for (int64_t i = 0; i < 150000; i++) {
        char text[32];
        int n = snprintf(text, sizeof(text), "rare %lld", (long long)n_rare);
        if (i % 7 == 0 && n_rare > 0) {
            sketch_add(&sketch, (struct str){text, (size_t)n}, 1);
            n_rare--;
        }
        for (size_t k = 0; k < 4; k++) {
            if (left[k] == 0)
                continue;
            left[k]--;
            n = snprintf(text, sizeof(text), "key %zu", k);
            sketch_add(&sketch, (struct str){text, (size_t)n}, 1);
        }
    }
    sketch_sort(&sketch);
    for (int64_t k = 0; k < 4; k++) {
        const struct sketch_item *item = &sketch.items[k];
        int64_t exact = 100000 / ((k + 1) * (k + 1));
        assert_int_equal(item->key[4], '0' + k);
        assert_true(item->count >= exact && item->count - item->over <= exact);
    }
}

static void test_long_keys_are_cut_and_kept_apart(UNUSED void **state)
{
    struct sketch sketch = {0};
    char text[100];
    memset(text, 'x', sizeof(text));
    sketch_add(&sketch, (struct str){text, 99}, 1);
    sketch_add(&sketch, (struct str){text, 100}, 2);
    assert_int_equal(sketch.n, 2);
    assert_true(sketch.items[0].is_cut);
    assert_int_equal(sketch.items[0].n_key, SKETCH_KEY_BYTES);
}

// Metrics.

static void fill(struct board *board)
{
    struct join_counts join = {.table = STR_LITERAL("trips"),
                               .n_hits = 7,
                               .n_misses = 2,
                               .n_rows = 70,
                               .max_rows = 12,
                               .max_key = STR_LITERAL("'9'")};
    struct board_table table = {.name = STR_LITERAL("we\"ird\n\\t"),
                                .version = STR_LITERAL("abc"),
                                .n_rows = 3,
                                .loaded_ms = 1500,
                                .expires_ms = 20 * DAY_MS + 5};
    sketch_add(&join.missed, STR_LITERAL("</script>\"\x01"), 2);
    board_tables(board, &table, 1);
    board_joins(board, &join, 1, 1);
    assign(board, 3, 10, 1000);
    board_end(board, 3, 15, none);
    board_batch(board, &(struct board_batch){.n_records = {7, 2, 1, 4, 5},
                                             .n_rejects = {3, 1, 0},
                                             .n_rows = 70,
                                             .n_bytes = 700,
                                             .partition = 3,
                                             .first = {10, 2000},
                                             .last = {11, 2500},
                                             .next = 12,
                                             .joins = &join});
    board_reject(board, REJECT_UNREADABLE, 3, 11, STR_LITERAL("no\nnumber"),
                 STR_LITERAL("a,\x1b[31m"), 2600);
    board_commit(board, COMMIT_DONE, 3000, 17);
    board_commit_phase(board, COMMIT_UPLOAD, 5);
    board_commit_phase(board, COMMIT_UPLOAD, 6);
    board_commit_phase(board, COMMIT_UPLOAD, 120001);
    board_failure(board, "HTTP 503", 2900);
    board_retry(board);
    board_phase(board, BOARD_READING, 900);
}

#define BUCKETS(phase, a, b, c, sum, n)                                              \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"0.005\"} " a "\n" \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"0.01\"} " b "\n"  \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"0.025\"} " b "\n" \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"0.05\"} " b "\n"  \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"0.1\"} " b "\n"   \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"0.25\"} " b "\n"  \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"1.0\"} " b "\n"   \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"2.5\"} " b "\n"   \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"10.0\"} " b "\n"  \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"30.0\"} " b "\n"  \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"120.0\"} " b "\n" \
    "tramline_commit_phase_seconds_bucket{phase=\"" phase "\",le=\"+Inf\"} " c "\n"  \
    "tramline_commit_phase_seconds_sum{phase=\"" phase "\"} " sum "\n"               \
    "tramline_commit_phase_seconds_count{phase=\"" phase "\"} " n "\n"

// Lines without comments.
static void samples_of(const struct buf *text, struct buf *ret)
{
    struct str rest = buf_as_str(text);
    while (rest.p != NULL) {
        struct str line = str_cut(&rest, '\n');
        if (line.n > 0 && line.p[0] != '#')
            buf_printf(ret, "%.*s\n", STR_ARGS(line));
    }
}

static void format(struct board *board, enum metrics_format kind, int64_t wall_ms,
                   struct buf *ret)
{
    struct board_view view;
    board_read(board, &view);
    metrics_format(&view, kind, wall_ms, ret);
    board_view_release(&view);
}

static void test_metrics_have_all_their_samples(UNUSED void **state)
{
    struct board board = {0};
    struct buf text AUTO(buf_release) = {0}, samples AUTO(buf_release) = {0};
    fill(&board);
    format(&board, METRICS_TEXT, 4000, &text);
    samples_of(&text, &samples);
    assert_string_equal(
        buf_cstr(&samples),
        "tramline_build_info{version=\"" TRAMLINE_VERSION "\"} 1\n"
        "tramline_records_total{outcome=\"matched\"} 7\n"
        "tramline_records_total{outcome=\"unmatched\"} 2\n"
        "tramline_records_total{outcome=\"filtered\"} 1\n"
        "tramline_records_total{outcome=\"rejected\"} 4\n"
        "tramline_records_total{outcome=\"ignored\"} 5\n"
        "tramline_rows_total 70\n"
        "tramline_bytes_total 700\n"
        "tramline_rejected_records_total{reason=\"unreadable\"} 3\n"
        "tramline_rejected_records_total{reason=\"query\"} 1\n"
        "tramline_rejected_records_total{reason=\"too_large\"} 0\n"
        "tramline_lag_records 5\n"
        "tramline_committed_record_timestamp_seconds 2.000\n"
        "tramline_partitions 1\n"
        "tramline_join_probe_total{table=\"trips\",result=\"hit\"} 7\n"
        "tramline_join_probe_total{table=\"trips\",result=\"miss\"} 2\n"
        "tramline_join_rows_total{table=\"trips\"} 70\n"
        "tramline_table_info{table=\"we\\\"ird\\\\n\\\\t\",version=\"abc\"} 1\n"
        "tramline_table_rows{table=\"we\\\"ird\\\\n\\\\t\"} 3\n"
        "tramline_table_loaded_timestamp_seconds{table=\"we\\\"ird\\\\n\\\\t\"} 1.500\n"
        "tramline_feed_expiry_timestamp_seconds 1728000.005\n"
        "tramline_commits_total{result=\"done\"} 1\n"
        "tramline_commits_total{result=\"conflict\"} 0\n"
        "tramline_commits_total{result=\"failed\"} 0\n" BUCKETS("upload", "1", "2", "3",
                                                                "120.012", "3")
            BUCKETS("publish", "0", "0", "0", "0.000", "0")
                BUCKETS("rename", "0", "0", "0", "0.000",
                        "0") "tramline_storage_retries_total 1\n");
    board_release(&board);
}

// By hand, in the order of docs/operations.md's table of what they are.
static void test_each_family_has_type_and_help(UNUSED void **state)
{
    static const char *const heads[] = {
        "# HELP tramline_build_info The program.\n"
        "# TYPE tramline_build_info gauge\n",
        "# HELP tramline_records_total Records read from the stream, by what became of "
        "them.\n# TYPE tramline_records_total counter\n",
        "# HELP tramline_rows_total Rows of the result that were made.\n"
        "# TYPE tramline_rows_total counter\n",
        "# HELP tramline_bytes_total Bytes of those rows, before compression.\n"
        "# TYPE tramline_bytes_total counter\n",
        "# HELP tramline_rejected_records_total Records set aside as dead letters, by "
        "reason.\n# TYPE tramline_rejected_records_total counter\n",
        "# HELP tramline_lag_records Records in the topic that are not committed.\n"
        "# TYPE tramline_lag_records gauge\n",
        "# HELP tramline_committed_record_timestamp_seconds Time up to which records are "
        "committed: that of the oldest one that is not, else of the newest one.\n"
        "# TYPE tramline_committed_record_timestamp_seconds gauge\n",
        "# HELP tramline_partitions Partitions that this worker has.\n"
        "# TYPE tramline_partitions gauge\n",
        "# HELP tramline_join_probe_total Records looked up in a table, by whether it "
        "has a "
        "row for them.\n# TYPE tramline_join_probe_total counter\n",
        "# HELP tramline_join_rows_total Rows that a table gave to records.\n"
        "# TYPE tramline_join_rows_total counter\n",
        "# HELP tramline_table_info The version of a table that was read.\n"
        "# TYPE tramline_table_info gauge\n",
        "# HELP tramline_table_rows Rows of a table.\n"
        "# TYPE tramline_table_rows gauge\n",
        "# HELP tramline_table_loaded_timestamp_seconds When a table was read.\n"
        "# TYPE tramline_table_loaded_timestamp_seconds gauge\n",
        "# HELP tramline_feed_expiry_timestamp_seconds End of the last day that the "
        "tables "
        "know service for; no sample: they do not say.\n"
        "# TYPE tramline_feed_expiry_timestamp_seconds gauge\n",
        "# HELP tramline_commits_total Units of work, by what came of them.\n"
        "# TYPE tramline_commits_total counter\n",
        "# HELP tramline_commit_phase_seconds Time of a commit, by its parts.\n"
        "# TYPE tramline_commit_phase_seconds histogram\n",
        "# HELP tramline_storage_retries_total Calls to the storage that were made "
        "again.\n"
        "# TYPE tramline_storage_retries_total counter\n",
    };
    struct board board = {0};
    struct buf text AUTO(buf_release) = {0};
    size_t n = 0;
    format(&board, METRICS_TEXT, 4000, &text);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        if (strstr(buf_cstr(&text), heads[i]) == NULL)
            fail_msg("missing: %s", heads[i]);
    for (const char *p = buf_cstr(&text); (p = strstr(p, "# TYPE ")) != NULL; p++)
        n++;
    assert_int_equal(n, ARRAY_LEN(heads));
    board_release(&board);
}

static void test_an_empty_board_has_zeros(UNUSED void **state)
{
    struct board board = {0};
    struct buf text AUTO(buf_release) = {0};
    format(&board, METRICS_TEXT, 4000, &text);
    const char *page = buf_cstr(&text);
    assert_non_null(strstr(page, "\ntramline_records_total{outcome=\"matched\"} 0\n"));
    assert_non_null(
        strstr(page, "\ntramline_rejected_records_total{reason=\"too_large\"} 0\n"));
    assert_non_null(strstr(page, "\ntramline_commits_total{result=\"failed\"} 0\n"));
    assert_non_null(strstr(page, "\ntramline_partitions 0\n"));
    assert_non_null(strstr(page, "\ntramline_lag_records NaN\n"));
    assert_null(strstr(page, "tramline_feed_expiry_timestamp_seconds "
                             "0"));
    board_release(&board);
}

static void test_openmetrics_names_its_families(UNUSED void **state)
{
    struct board board = {0};
    struct buf text AUTO(buf_release) = {0};
    fill(&board);
    format(&board, METRICS_OPEN, 4000, &text);
    const char *page = buf_cstr(&text);
    assert_non_null(strstr(page, "# TYPE tramline_build info\n"
                                 "tramline_build_info{"));
    assert_non_null(strstr(page, "# TYPE tramline_rows counter\n"
                                 "tramline_rows_total 70\n"));
    assert_non_null(strstr(page, "# TYPE tramline_commit_phase_seconds histogram\n"
                                 "# UNIT tramline_commit_phase_seconds seconds\n"
                                 "tramline_commit_phase_seconds_bucket"));
    assert_non_null(strstr(page, "# TYPE tramline_bytes counter\n"
                                 "# UNIT tramline_bytes bytes\n"
                                 "tramline_bytes_total 700\n"));
    assert_string_equal(page + text.n - 6, "# EOF\n");
    board_release(&board);
}

static void test_accept_chooses_the_format(UNUSED void **state)
{
    static const struct {
        const char *accept;
        enum metrics_format format;
    } cases[] = {
        {NULL, METRICS_TEXT},
        {"", METRICS_TEXT},
        {"*/*", METRICS_TEXT},
        {"text/plain;version=0.0.4", METRICS_TEXT},
        {"application/openmetrics-text", METRICS_OPEN},
        {"application/openmetrics-text;version=0.0.1", METRICS_TEXT},
        {"APPLICATION/OpenMetrics-Text; version=1.0.0", METRICS_OPEN},
        {"application/openmetrics-text;q=0", METRICS_TEXT},
        {"application/openmetrics-text;q=0.3,text/plain;q=0.5", METRICS_TEXT},
        {"application/openmetrics-text;q=0.5,text/plain;q=0.3", METRICS_OPEN},
        // As Prometheus 2.42 sends it.
        {"application/openmetrics-text;version=1.0.0,"
         "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0."
         "5,*/*;q=0.1",
         METRICS_OPEN},
        {",,;;q=,=", METRICS_TEXT},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (metrics_accepted(cases[i].accept) != cases[i].format)
            fail_msg("Accept: %s", cases[i].accept);
}

// JSON.

static json_t *json_of(struct board *board, const struct history *history,
                       int64_t wall_ms)
{
    struct board_view view;
    struct buf text AUTO(buf_release) = {0};
    board_read(board, &view);
    struct look look = {.view = &view,
                        .history = history,
                        .wall_ms = wall_ms,
                        .monotonic_ms = wall_ms,
                        .stepped_ms = wall_ms};
    status_json(&look, 100, &text);
    board_view_release(&view);
    json_error_t error;
    json_t *json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        fail_msg("%s: %s", error.text, buf_cstr(&text));
    return json;
}

// Of an object by names with dots.
static const json_t *at(const json_t *json, const char *path)
{
    struct str rest = str_of(path);
    while (rest.p != NULL && json != NULL) {
        struct str name = str_cut(&rest, '.');
        char copy[64];
        snprintf(copy, sizeof(copy), "%.*s", STR_ARGS(name));
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(copy))
                                   : json_object_get(json, copy);
    }
    if (json == NULL)
        fail_msg("no %s", path);
    return json;
}

static void assert_json(const json_t *json, const char *path, const char *expected)
{
    char *text = json_dumps(at(json, path), JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(text, expected);
    free(text);
}

static void test_json_has_what_is_on_the_board(UNUSED void **state)
{
    struct board board = {0};
    fill(&board);
    json_t *json = json_of(&board, NULL, 4000);
    assert_json(json, "version", "1");
    assert_json(json, "state", "\"reading\"");
    assert_json(json, "records",
                "{\"matched\":7,\"unmatched\":2,\"filtered\":1,\"rejected\":4,"
                "\"ignored\":5}");
    assert_json(json, "lag.records", "5");
    assert_json(json, "lag.seconds", "2.0");
    assert_json(json, "lag.committed_ms", "2000");
    assert_json(json, "joins.0.table", "\"trips\"");
    assert_json(json, "joins.0.fan_out",
                "{\"mean\":10.0,\"most\":12,\"most_key\":\"'9'\"}");
    assert_json(json, "joins.0.unmatched_keys.0.key", "\"</script>\\\"\\u0001\"");
    assert_json(json, "joins.0.unmatched_keys.0.count", "2");
    assert_json(json, "tables.0.expires_ms", "1728000005");
    assert_json(json, "rejects.last.text", "\"no\\\\nnumber\"");
    assert_json(json, "rejects.last.sample", "\"a,\\\\x1b[31m\"");
    assert_json(json, "commits.last_entry", "17");
    assert_json(json, "commits.phases.upload.count", "3");
    assert_json(json, "commits.last_failure.text", "\"HTTP 503\"");
    assert_json(json, "partitions.0.read", "12");
    assert_json(json, "partitions.0.committed", "10");
    assert_json(json, "partitions.0.end", "15");
    assert_json(json, "partitions.0.is_ours", "true");
    assert_json(json, "history.points", "[]");
    json_decref(json);
    board_release(&board);
}

static void test_json_of_an_empty_board_knows_nothing(UNUSED void **state)
{
    struct board board = {0};
    json_t *json = json_of(&board, NULL, 4000);
    assert_json(json, "state", "\"starting\"");
    assert_json(json, "verdict", "\"warn\"");
    assert_json(json, "reasons.0.code", "\"starting\"");
    assert_json(json, "lag.records", "null");
    assert_json(json, "lag.seconds", "null");
    assert_json(json, "commits.last_ms", "null");
    assert_json(json, "rejects.last", "null");
    assert_json(json, "partitions", "[]");
    json_decref(json);
    board_release(&board);
}

// The history.

static void test_history_keeps_an_hour(UNUSED void **state)
{
    struct board board = {0};
    struct history *history = mem_zalloc(sizeof(*history));
    struct board_view view;
    for (int64_t s = 0; s <= 4000; s++) {
        board_batch(&board,
                    &(struct board_batch){
                        .n_records = {3, 1}, .n_rows = 6, .first = none, .last = none});
        board_read(&board, &view);
        history_sample(history, &view, s * 1000, 900000 + s * 1000);
        board_view_release(&view);
    }
    assert_int_equal(history->n, 360);
    const struct history_point *first = history_point(history, 0);
    const struct history_point *last = history_point(history, 359);
    assert_int_equal(last->wall_ms, 900000 + 4000000);
    assert_int_equal(last->wall_ms - first->wall_ms, 3590000);
    assert_true(last->records_per_second > 3.99 && last->records_per_second < 4.01);
    assert_true(last->rows_per_second > 5.99 && last->rows_per_second < 6.01);
    assert_int_equal(last->n_matched, 30);
    assert_int_equal(last->n_unmatched, 10);
    struct history_rates rates = history_rates(history);
    assert_true(rates.records_per_second > 3.99 && rates.records_per_second < 4.01);
    free(history);
    board_release(&board);
}

// Verdicts.

static void assert_reason(struct board *board, int64_t stepped_ms, int64_t now_ms,
                          const char *code, const char *text)
{
    struct board_view view;
    struct verdict verdict;
    board_read(board, &view);
    struct look look = {.view = &view,
                        .wall_ms = now_ms,
                        .monotonic_ms = now_ms,
                        .stepped_ms = stepped_ms};
    verdict_of(&look, &verdict);
    if (code == NULL) {
        assert_int_equal(verdict.n, 0);
        assert_int_equal(verdict.level, VERDICT_OK);
    } else {
        assert_int_equal(verdict.n, 1);
        assert_string_equal(verdict.reasons[0].code, code);
        assert_string_equal(verdict.reasons[0].text, text);
    }
    board_view_release(&view);
}

static void test_each_reason_has_its_words(UNUSED void **state)
{
    struct board board = {0};
    assert_reason(&board, 0, 1000, "starting", "starting: the tables are being read");
    board_phase(&board, BOARD_IDLE, 1);
    assert_reason(&board, 1000, 1000, "no_partitions",
                  "no partitions: other workers have them, or the group is being joined");
    board_phase(&board, BOARD_ASSIGNING, 1);
    assert_reason(&board, 1000, 1000, "assigning", "partitions are being claimed");
    board_phase(&board, BOARD_STOPPING, 1);
    assert_reason(&board, 1000, 1000, "stopping", "stopping: the last commit is made");
    board_phase(&board, BOARD_READING, 1);
    assert_reason(&board, 1000, 1000, NULL, NULL);
    assert_reason(&board, 1000, 61000, NULL, NULL);
    assert_reason(&board, 1000, 62000, "stalled", "the worker has not moved for 61 s");
    board_waiting(&board, "the registry is away", 7);
    board_waits(&board, true);
    board_waiting(&board, "brokers are away", 7);
    board_waits(&board, true); // another thread
    assert_reason(&board, 1000, 1000, "waiting", "waiting: brokers are away");
    board_waits(&board, false);
    assert_reason(&board, 1000, 1000, "waiting", "waiting: brokers are away");
    board_waits(&board, false);
    board_failure(&board, "HTTP 503", 7);
    assert_reason(&board, 1000, 1000, NULL, NULL);
    board_retrying(&board, true);
    assert_reason(&board, 1000, 1000, "storage", "the storage is tried again: HTTP 503");
    board_retrying(&board, false);
    struct board_table table = {.expires_ms = 10 * DAY_MS};
    board_tables(&board, &table, 1);
    assert_reason(&board, 3 * DAY_MS - 1, 3 * DAY_MS - 1, NULL, NULL);
    assert_reason(&board, 4 * DAY_MS, 4 * DAY_MS, "expiring",
                  "the tables know service for 6 days more");
    assert_reason(&board, 12 * DAY_MS, 12 * DAY_MS, "expired",
                  "the tables have known no service for 2 days");
    board_release(&board);
}

// A run that has caught up within its first second has all of its news before that look.
static void test_what_came_before_the_first_look_counts(UNUSED void **state)
{
    struct board board = {0};
    struct history *history = mem_zalloc(sizeof(*history));
    struct board_view view;
    board_batch(&board,
                &(struct board_batch){
                    .n_records = {[OUTCOME_MATCHED] = 700, [OUTCOME_REJECTED] = 300},
                    .first = none,
                    .last = none});
    board_read(&board, &view);
    history_sample(history, &view, 1000, 1000);
    history_sample(history, &view, 11000, 11000);
    struct verdict verdict;
    verdict_of(&(struct look){&view, history, 11000, 11000, 11000}, &verdict);
    assert_int_equal(verdict.level, VERDICT_WARN);
    bool is_told = false;
    for (size_t i = 0; i < verdict.n; i++)
        is_told |=
            strcmp(verdict.reasons[i].text,
                   "30 % of the records of the last minutes are dead letters") == 0;
    assert_true(is_told);
    board_view_release(&view);
    free(history);
    board_release(&board);
}

// `n` records in ten seconds of history, of them so many of each outcome.
static void assert_recent(const int64_t n[OUTCOMES_N], const char *code, const char *text)
{
    struct board board = {0};
    struct history *history = mem_zalloc(sizeof(*history));
    struct board_view view;
    struct verdict verdict;
    struct board_batch batch = {.first = none, .last = none};
    memcpy(batch.n_records, n, sizeof(batch.n_records));
    board_phase(&board, BOARD_READING, 1);
    for (int64_t s = 0; s <= 10; s += 10) {
        board_read(&board, &view);
        history_sample(history, &view, s * 1000, s * 1000);
        board_view_release(&view);
        board_batch(&board, &batch);
    }
    board_read(&board, &view);
    struct look look = {&view, history, 10000, 10000, 10000};
    verdict_of(&look, &verdict);
    assert_int_equal(verdict.n, code == NULL ? 0 : 1);
    if (code != NULL) {
        assert_string_equal(verdict.reasons[0].code, code);
        assert_string_equal(verdict.reasons[0].text, text);
    }
    board_view_release(&view);
    free(history);
    board_release(&board);
}

static void test_what_came_lately_is_judged(UNUSED void **state)
{
    assert_recent((const int64_t[OUTCOMES_N]){500, 400, 9000, 0, 0}, NULL, NULL);
    assert_recent((const int64_t[OUTCOMES_N]){10, 80, 0, 0, 0}, NULL, NULL); // too few
    assert_recent((const int64_t[OUTCOMES_N]){100, 300, 0, 0, 0}, "unmatched",
                  "75 % of the records of the last minutes match no row of a table");
    assert_recent((const int64_t[OUTCOMES_N]){900, 0, 0, 100, 0}, "rejects",
                  "10 % of the records of the last minutes are dead letters");
}

static void test_ready_and_alive_say_why_not(UNUSED void **state)
{
    struct board board = {0};
    struct board_view view;
    struct buf why AUTO(buf_release) = {0};
    board_read(&board, &view);
    struct look look = {.view = &view, .monotonic_ms = 100000};
    assert_false(verdict_is_ready(&look, &why));
    assert_string_equal(buf_cstr(&why), "starting: the tables are being read");
    buf_clear(&why);
    assert_true(verdict_is_alive(&look, &why)); // tables may be read for long
    look.stepped_ms = 30000;
    assert_false(verdict_is_alive(&look, &why));
    assert_string_equal(buf_cstr(&why), "the worker has not moved for 70 s");
    board_view_release(&view);
}

// Addresses.

static void test_addresses(UNUSED void **state)
{
    static const char *const good[] = {"127.0.0.1:9187", "[::1]:9187", "localhost:1",
                                       "0.0.0.0:65535",  ":9187",      "127.0.0.1:0"};
    static const char *const bad[] = {
        "",        "9187",       "127.0.0.1", "a.b:80",        "::1:80",
        "[::1]",   "1.2.3.4:",   "1.2.3.4:x", "1.2.3.4:65536", "1.2.3.4:-1",
        "[::1:80", "1.2.3.4:+5", "1.2.3:80",  "[]:80",         "]:80"};
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_ok(listen_check(str_of(good[i]), &err), &err);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (listen_check(str_of(bad[i]), &err) != ST_USAGE)
            fail_msg("'%s' is taken", bad[i]);
    assert_status(listen_check(STR_LITERAL("here"), &err), ST_USAGE);
    assert_string_equal(
        err.text, "option 'status.listen' takes an address of this machine and a port, "
                  "such as 127.0.0.1:9187 or [::1]:9187, not 'here'");
}

static void test_without_descriptors_it_is_not_started(UNUSED void **state)
{
    struct board board = {0};
    struct status_server *server;
    struct rlimit limit, few;
    struct err err = {0};
    int next = dup(0);
    close(next);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    few = limit;
    few.rlim_cur = (rlim_t)next + 1; // for the socket
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    enum status rc =
        status_server_open(STR_LITERAL("127.0.0.1:0"), &board, &server, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_status(rc, ST_FAIL);
    assert_string_equal(err.text, "the status server cannot be started: no memory or no "
                                  "file descriptor is left");
    few.rlim_cur = (rlim_t)next;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    rc = status_server_open(STR_LITERAL("127.0.0.1:0"), &board, &server, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_status(rc, ST_FAIL);
    assert_string_equal(err.text,
                        "cannot listen on status.listen = '127.0.0.1:0': Too many open "
                        "files; another port is set by SET status.listen");
}

// Two threads count the look-ups in a table, each its own; one key is missed by both.
static void test_lookups_of_all_hands_are_shown_as_a_sum(UNUSED void **state)
{
    struct board board = {0};
    struct board_view view;
    struct join_counts joins[2] = {{.table = STR_LITERAL("trips"), .max_rows = -1},
                                   {.table = STR_LITERAL("trips"), .max_rows = -1}};
    board_joins(&board, &joins[0], 1, 2);
    for (size_t i = 0; i < 2; i++) {
        joins[i].n_hits = 10 + (int64_t)i;
        joins[i].n_misses = 3;
        joins[i].n_rows = 100;
        sketch_add(&joins[i].missed, STR_LITERAL("both"), 2);
        sketch_add(&joins[i].missed, i == 0 ? STR_LITERAL("a") : STR_LITERAL("b"), 1);
        board_batch(&board, &(struct board_batch){.joins = &joins[i], .hand = i});
    }
    board_read(&board, &view);
    assert_int_equal(view.n_joins, 1);
    assert_int_equal(view.joins[0].n_hits, 21);
    assert_int_equal(view.joins[0].n_misses, 6);
    assert_int_equal(view.joins[0].n_rows, 200);
    assert_int_equal(view.joins[0].missed.total, 6);
    sketch_sort(&view.joins[0].missed);
    assert_int_equal(view.joins[0].missed.n, 3);
    assert_memory_equal(view.joins[0].missed.items[0].key, "both", 4);
    assert_int_equal(view.joins[0].missed.items[0].count, 4);
    assert_int_equal(view.joins[0].missed.items[0].over, 0);
    board_view_release(&view);
    board_release(&board);
}

TEST_MAIN(cmocka_unit_test(test_lookups_of_all_hands_are_shown_as_a_sum),
          cmocka_unit_test(test_lag_is_unknown_before_the_end_is),
          cmocka_unit_test(test_caught_up_is_0_however_old_the_last_record),
          cmocka_unit_test(test_what_is_read_and_not_committed_is_lag),
          cmocka_unit_test(test_units_under_way_count_from_the_oldest),
          cmocka_unit_test(test_what_is_not_read_is_as_old_as_its_record),
          cmocka_unit_test(test_a_rebalance_keeps_the_lag),
          cmocka_unit_test(test_partitions_of_others_count),
          cmocka_unit_test(test_few_keys_are_counted_exactly),
          cmocka_unit_test(test_frequent_keys_stay_among_very_many),
          cmocka_unit_test(test_long_keys_are_cut_and_kept_apart),
          cmocka_unit_test(test_metrics_have_all_their_samples),
          cmocka_unit_test(test_each_family_has_type_and_help),
          cmocka_unit_test(test_an_empty_board_has_zeros),
          cmocka_unit_test(test_openmetrics_names_its_families),
          cmocka_unit_test(test_accept_chooses_the_format),
          cmocka_unit_test(test_json_has_what_is_on_the_board),
          cmocka_unit_test(test_json_of_an_empty_board_knows_nothing),
          cmocka_unit_test(test_history_keeps_an_hour),
          cmocka_unit_test(test_what_came_before_the_first_look_counts),
          cmocka_unit_test(test_each_reason_has_its_words),
          cmocka_unit_test(test_what_came_lately_is_judged),
          cmocka_unit_test(test_ready_and_alive_say_why_not),
          cmocka_unit_test(test_addresses),
          cmocka_unit_test(test_without_descriptors_it_is_not_started))
