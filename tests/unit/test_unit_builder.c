// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include "commit/retry.h"
#include "job_settings.h"
#include "memory/spool_mem.h"
#include "sim/sim_clock.h"
#include "sim/sim_codec.h"
#include "sim/sim_topic.h"
#include "work/held.h"
#include "work/unit_builder.h"

// An executor whose one result is as large as told.
struct large_executor {
    struct executor executor;
    size_t n_bytes;
};

static enum status run_large(struct executor *base, UNUSED struct batch *batch,
                             size_t from, struct buf *rows, size_t *ret_next,
                             struct executor_result *ret, struct err *err)
{
    size_t n_bytes = ((struct large_executor *)base)->n_bytes;
    if (rows->limit < n_bytes)
        return err_set(err, ST_LIMIT, "too many rows");
    char *room = buf_room(rows, n_bytes);
    memset(room, 'x', n_bytes);
    rows->n += n_bytes;
    *ret_next = from + 1;
    *ret = (struct executor_result){.n_rows = 1, .n_matched = 1};
    return ST_OK;
}

static void close_large(UNUSED struct executor *executor)
{
}

static const struct executor_ops large_ops = {.run = run_large, .close = close_large};

struct fixture {
    struct sim_clock clock;
    struct sim_topic *topic;
    struct sim_stream *stream;
    struct sim_decoder decoder;
    struct large_executor large;
    struct executor executor;
    struct file_writer writer;
    struct job job;
    struct engine_status status;
    struct unit_builder_parts parts;
    struct unit_builder builder;
};

static void set_up(struct fixture *fix)
{
    *fix = (struct fixture){.executor = sim_executor, .writer = sim_writer};
    sim_clock_init(&fix->clock, 1);
    sim_decoder_init(&fix->decoder, &fix->clock.random);
    fix->topic = mem_zalloc(sizeof(*fix->topic));
    fix->stream = sim_stream_open(fix->topic, &fix->clock);
    fix->job.settings = job_settings_default();
    fix->parts = (struct unit_builder_parts){
        .job = &fix->job,
        .stream = sim_stream_port(fix->stream),
        .topic = sim_stream_topic(fix->stream),
        .decoder = &fix->decoder.decoder,
        .executor = &fix->executor,
        .writer = &fix->writer,
        .spool = spool_mem_open(),
        .env = &fix->clock.env,
        .status = &fix->status,
    };
    unit_builder_init(&fix->builder, &fix->parts);
    struct progress at = {.partition = 0, .next = 10, .last = {.offset = -1}};
    unit_builder_begin(&fix->builder,
                       draft_new(&at, 1, STR_LITERAL("w"), STR_LITERAL("d")));
}

static void tear_down(struct fixture *fix)
{
    unit_builder_release(&fix->builder);
    fix->parts.spool->ops->close(fix->parts.spool);
    sim_stream_free(fix->stream);
    free(fix->topic);
}

static const struct record two_records[] = {
    {.offset = 10, .value = {"r0.10.2", 7}},
    {.offset = 12, .value = {"r0.12.1", 7}},
};

static void test_a_run_becomes_rows_and_offsets(UNUSED void **state)
{
    struct fixture fix;
    size_t n_used;
    struct err err = {0};
    struct draft *draft;
    set_up(&fix);
    struct run run = {.first = 10, .next = 14, .records = two_records, .n = 2};
    assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    assert_ok(unit_builder_finish(&fix.builder, &draft, &err), &err);
    assert_int_equal(draft->unit.spans[0].next, 14);
    assert_int_equal(draft->unit.spans[0].data, 2);
    assert_int_equal(draft->unit.spans[0].skipped, 2);
    assert_int_equal(draft->unit.spans[0].last.offset, 12);
    // CRC-32C of "r0.12.1", by a bit-by-bit computation elsewhere.
    assert_int_equal(draft->unit.spans[0].last.crc32c, 0xcf8ad4a6);
    assert_int_equal(draft->unit.rows, 3);
    assert_int_equal(draft->unit.n_files, 1);
    assert_int_equal(draft->unit.files[0].bytes,
                     strlen("BEGIN\n0.10.0\n0.10.1\n0.12.0\nEND\n"));
    draft_free(draft);
    tear_down(&fix);
}

// Offset 11 is a marker, 13 to 19 are of an aborted transaction, 20 is nothing at all.
// The unit's order ends at 16, as one of a coordinator may.
static void test_what_a_run_passes_is_accounted_for(UNUSED void **state)
{
    static const struct run_passed passed[] = {{11, 12, true}, {13, 20, false}};
    struct fixture fix;
    size_t n_used;
    struct err err = {0};
    struct draft *draft;
    set_up(&fix);
    struct run run = {.first = 10,
                      .next = 16,
                      .records = two_records,
                      .n = 2,
                      .passed = passed,
                      .n_passed = 2,
                      .is_accounted = true};
    assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    const struct span *span = &fix.builder.draft->unit.spans[0];
    assert_true(span->control == 1 && span->aborted == 3 && span->hole == 0);
    run.first = 16;
    run.next = 21;
    run.n = 0;
    assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    assert_ok(unit_builder_finish(&fix.builder, &draft, &err), &err);
    span = &draft->unit.spans[0];
    assert_int_equal(span->skipped, 9);
    assert_true(span->control == 1 && span->aborted == 7 && span->hole == 1);
    draft_free(draft);
    tear_down(&fix);
}

// Offsets 10 to 12 are of leaders' epochs 4 and 5, a unit that ends at 11 is of the
// first.
static void test_a_span_has_the_epoch_before_its_end(UNUSED void **state)
{
    static const struct run_epoch epochs[] = {{8, 4}, {11, 5}};
    static const struct {
        int64_t next;
        size_t n;
        struct leader_epoch expected;
    } cases[] = {{11, 1, {true, 4}}, {12, 1, {true, 5}}, {13, 2, {true, 5}}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture fix;
        size_t n_used;
        struct err err = {0};
        set_up(&fix);
        struct run run = {.first = 10,
                          .next = cases[i].next,
                          .records = two_records,
                          .n = cases[i].n,
                          .epochs = epochs,
                          .n_epochs = 2};
        assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
        const struct span *span = &fix.builder.draft->unit.spans[0];
        assert_int_equal(span->epoch.is_known, cases[i].expected.is_known);
        assert_int_equal(span->epoch.number, cases[i].expected.number);
        run = (struct run){.first = cases[i].next, .next = 20}; // of nobody knows which
        assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
        assert_false(span->epoch.is_known);
        unit_builder_drop(&fix.builder);
        tear_down(&fix);
    }
}

static void check_two_topics(enum status rc, const struct err *err)
{
    assert_status(rc, ST_DATA);
    assert_string_equal(err->text, "the topic was recreated: it had the id "
                                   "AAAAAAAAAAAAAAAAAAAAAQ, and now has "
                                   "AAAAAAAAAAAAAAAAAAAAAg");
}

// As long as all of a unit is of one topic, it is known of which.
static void test_a_unit_knows_its_topic(UNUSED void **state)
{
    static const char one[] = "AAAAAAAAAAAAAAAAAAAAAQ", two[] = "AAAAAAAAAAAAAAAAAAAAAg";
    static const struct {
        const char *first, *then, *expected; // NULL: refused
    } cases[] = {
        {one, one, one}, {one, "", ""}, {"", one, ""}, {"", "", ""}, {one, two, NULL}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture fix;
        size_t n_used;
        struct err err = {0};
        set_up(&fix);
        struct run run = {.first = 10, .next = 12, .topic_id = str_of(cases[i].first)};
        assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
        assert_str(fix.builder.draft->unit.topic_id, cases[i].first);
        run = (struct run){.first = 12, .next = 14, .topic_id = str_of(cases[i].then)};
        enum status rc = unit_builder_run(&fix.builder, &run, &n_used, &err);
        if (cases[i].expected != NULL)
            assert_str(fix.builder.draft->unit.topic_id, cases[i].expected);
        else
            check_two_topics(rc, &err);
        unit_builder_drop(&fix.builder);
        tear_down(&fix);
    }
}

static const struct decoder_ops *whole_runs;

// A decoder that takes one record at a time, as one does whose batch is full.
static enum status decode_one(struct decoder *decoder, const struct run *run, size_t from,
                              struct batch *batch, size_t *ret_next, struct err *err)
{
    struct run one = *run;
    one.n = from + 1;
    assert_int_equal(batch->limit, 64 << 20);
    return whole_runs->decode(decoder, &one, from, batch, ret_next, err);
}

static void test_a_full_batch_ends_within_a_run(UNUSED void **state)
{
    struct fixture fix;
    size_t n_used;
    struct err err = {0};
    struct draft *draft;
    set_up(&fix);
    whole_runs = fix.decoder.decoder.ops;
    const struct decoder_ops ops = {.decode = decode_one, .close = whole_runs->close};
    fix.decoder.decoder.ops = &ops;
    struct run run = {.first = 10, .next = 14, .records = two_records, .n = 2};
    assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    assert_int_equal(n_used, 2);
    assert_ok(unit_builder_finish(&fix.builder, &draft, &err), &err);
    assert_int_equal(fix.status.n_batches, 2);
    assert_int_equal(draft->unit.spans[0].next, 14);
    assert_int_equal(draft->unit.spans[0].data, 2);
    assert_int_equal(draft->unit.spans[0].skipped, 2);
    assert_int_equal(draft->unit.rows, 3);
    assert_int_equal(draft->unit.files[0].bytes,
                     strlen("BEGIN\n0.10.0\n0.10.1\n0.12.0\nEND\n"));
    draft_free(draft);
    tear_down(&fix);
}

static void test_offsets_that_do_not_follow_are_refused(UNUSED void **state)
{
    struct fixture fix;
    size_t n_used;
    struct err err;
    set_up(&fix);
    struct run run = {
        .partition = 0, .first = 11, .next = 14, .records = two_records, .n = 2};
    assert_status(unit_builder_run(&fix.builder, &run, &n_used, &err), ST_FAIL);
    assert_string_equal(
        err.text, "topic 'stop_times' partition 0: offsets do not follow on 10: the "
                  "client gave [11, 14); nothing of it is used");
    run = (struct run){.partition = 0,
                       .first = 10,
                       .next = 12,
                       .records = two_records,
                       .n = 2}; // ends before its last record
    assert_status(unit_builder_run(&fix.builder, &run, &n_used, &err), ST_FAIL);
    tear_down(&fix);
}

static void test_a_gap_that_leads_back_is_refused(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    const struct stream_gap gap = {.partition = 0, .wanted = 10, .low = 3};
    assert_status(unit_builder_gap(&fix.builder, &gap, &err), ST_DATA);
    assert_string_equal(
        err.text, "topic 'stop_times' partition 0: offset 10 is not there, and the "
                  "first one that is, 3, is not after it: was the topic recreated?");
    tear_down(&fix);
}

static void test_a_decoder_that_waits_leaves_the_rest(UNUSED void **state)
{
    struct fixture fix;
    size_t n_used;
    struct err err;
    set_up(&fix);
    fix.decoder.fault_percent = 100;
    struct run run = {.first = 10, .next = 14, .records = two_records, .n = 2};
    assert_status(unit_builder_run(&fix.builder, &run, &n_used, &err), ST_RETRY);
    int64_t next = fix.builder.draft->unit.spans[0].next;
    assert_true(next == 10 || next == 12);
    assert_int_equal(n_used, next == 12);
    assert_int_equal(fix.builder.draft->unit.spans[0].data, n_used);
    tear_down(&fix);
}

static void test_the_rows_of_one_record_may_be_large(UNUSED void **state)
{
    struct fixture fix;
    size_t n_used;
    struct err err = {0};
    set_up(&fix);
    fix.large = (struct large_executor){{.ops = &large_ops, .name = "large"}, 5 << 20};
    fix.builder.parts.executor = &fix.large.executor;
    struct run run = {
        .partition = 0, .first = 10, .next = 11, .records = two_records, .n = 1};
    assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    assert_true(fix.builder.data.output.bytes > 5 << 20);
    tear_down(&fix);
}

// A slice is what a cache holds: that one record needed more is no reason for the next.
struct hot_executor {
    struct executor executor;
    size_t capacity; // of the row buffer in the last call
};

static enum status run_hot(struct executor *base, UNUSED struct batch *batch, size_t from,
                           struct buf *rows, size_t *ret_next,
                           struct executor_result *ret, UNUSED struct err *err)
{
    struct hot_executor *hot = (struct hot_executor *)base;
    hot->capacity = rows->capacity;
    size_t n_bytes = from == 0 ? 5 << 20 : 100;
    char *room = buf_room(rows, n_bytes);
    if (room == NULL)
        return ST_LIMIT;
    memset(room, 'x', n_bytes);
    rows->n += n_bytes;
    *ret_next = from + 1;
    *ret = (struct executor_result){.n_rows = 1, .n_matched = 1};
    return ST_OK;
}

static const struct executor_ops hot_ops = {.run = run_hot, .close = close_large};

static void test_the_slice_after_a_large_record_is_small(UNUSED void **state)
{
    struct fixture fix;
    size_t n_used;
    struct err err = {0};
    set_up(&fix);
    struct hot_executor hot = {{.ops = &hot_ops, .name = "hot"}, 0};
    fix.builder.parts.executor = &hot.executor;
    struct run run = {.first = 10, .next = 14, .records = two_records, .n = 2};
    assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    assert_true(hot.capacity <= 256 << 10);
    assert_true(fix.builder.rows.capacity <= 256 << 10);
    assert_true(fix.builder.data.output.bytes > (5 << 20) + 100);
    tear_down(&fix);
}

static void test_but_not_without_end(UNUSED void **state)
{
    struct fixture fix;
    size_t n_used;
    struct err err;
    set_up(&fix);
    fix.large = (struct large_executor){{.ops = &large_ops, .name = "large"}, SIZE_MAX};
    fix.builder.parts.executor = &fix.large.executor;
    struct run run = {
        .partition = 0, .first = 10, .next = 11, .records = two_records, .n = 1};
    fix.job.settings.on_error_share = 100;
    assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    assert_int_equal(n_used, 1);
    struct draft *draft;
    assert_ok(unit_builder_finish(&fix.builder, &draft, &err), &err);
    assert_int_equal(draft->unit.spans[0].next, 11);
    assert_int_equal(draft->unit.spans[0].rejected, 1);
    assert_int_equal(draft->unit.rows, 0);
    assert_int_equal(draft->unit.n_files, 1); // the dead letters
    draft_free(draft);
    tear_down(&fix);
}

// One row, then asked to stop.
static enum status run_one(struct executor *base, struct batch *batch, size_t from,
                           struct buf *rows, size_t *ret_next,
                           struct executor_result *ret, UNUSED struct err *err)
{
    struct large_executor *large = (struct large_executor *)base;
    *ret = (struct executor_result){0};
    *ret_next = from;
    if (large->n_bytes == 0)
        return ST_OK;
    large->n_bytes--;
    (void)batch;
    buf_text(rows, "x\n");
    *ret = (struct executor_result){.n_rows = 1, .n_matched = 1};
    *ret_next = from + 1;
    return ST_OK;
}

// What was done before a stop is whole; the rest is read again.
static void test_a_stop_cuts_a_batch(UNUSED void **state)
{
    static const struct executor_ops ops = {.run = run_one, .close = close_large};
    for (size_t n_done = 0; n_done <= 2; n_done++) {
        struct fixture fix;
        size_t n_used;
        struct err err;
        struct draft *draft;
        set_up(&fix);
        fix.large = (struct large_executor){{.ops = &ops, .name = "one"}, n_done};
        fix.builder.parts.executor = &fix.large.executor;
        struct run run = {.first = 10, .next = 14, .records = two_records, .n = 2};
        assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
        assert_int_equal(n_used, n_done);
        assert_int_equal(fix.builder.is_cut, n_done < 2);
        assert_ok(unit_builder_finish(&fix.builder, &draft, &err), &err);
        static const int64_t next[] = {10, 12, 14};
        assert_int_equal(draft->unit.spans[0].next, next[n_done]);
        assert_int_equal(draft->unit.spans[0].data, n_done);
        assert_int_equal(draft->unit.spans[0].next,
                         10 + draft->unit.spans[0].data + draft->unit.spans[0].skipped);
        assert_int_equal(draft->unit.rows, n_done);
        draft_free(draft);
        tear_down(&fix);
    }
}

// Rows of what no span covers are never committed: such a cut is a failure, not a stop.
static void test_a_cut_that_fails_is_none(UNUSED void **state)
{
    static const struct executor_ops ops = {.run = run_one, .close = close_large};
    static const struct record records[] = {
        {.offset = 10, .value = {"r0.10.1", 7}},
        {.offset = 11, .value = {"!", 1}},
        {.offset = 12, .value = {"r0.12.1", 7}},
    };
    struct fixture fix;
    size_t n_used;
    struct err err;
    set_up(&fix);
    fix.job.settings.on_error = ON_ERROR_FAIL;
    fix.large = (struct large_executor){{.ops = &ops, .name = "one"}, 1};
    fix.builder.parts.executor = &fix.large.executor;
    struct run run = {
        .partition = 0, .first = 10, .next = 13, .records = records, .n = 3};
    assert_status(unit_builder_run(&fix.builder, &run, &n_used, &err), ST_DATA);
    assert_int_equal(fix.builder.draft->unit.rows, 1);
    assert_int_equal(fix.builder.draft->unit.spans[0].next, 10);
    assert_false(fix.builder.is_cut);
    tear_down(&fix);
}

static void test_a_unit_is_due_by_time_rows_or_bytes(UNUSED void **state)
{
    struct fixture fix;
    size_t n_used;
    struct err err = {0};
    set_up(&fix);
    assert_false(unit_builder_is_due(&fix.builder, INT64_MAX)); // nothing in it
    fix.clock.now_ms = 5000;
    struct run run = {.first = 10, .next = 14, .records = two_records, .n = 2};
    assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    assert_false(unit_builder_is_due(&fix.builder, 64999));
    assert_true(unit_builder_is_due(&fix.builder, 65000));
    fix.job.settings.commit_rows = 3;
    assert_true(unit_builder_is_due(&fix.builder, 5000));
    fix.job.settings.commit_rows = 4;
    fix.job.settings.commit_bytes = 27; // "BEGIN" and three rows, the end not yet
    assert_true(unit_builder_is_due(&fix.builder, 5000));
    fix.job.settings.commit_bytes = 28;
    assert_false(unit_builder_is_due(&fix.builder, 5000));
    tear_down(&fix);
}

static void test_the_window_forgets_the_oldest(UNUSED void **state)
{
    static struct share_window window;
    share_window_add(&window, 100, 5);
    assert_int_equal(window.n_counted, 5);
    assert_int_equal(window.n_seen, 105);
    share_window_add(&window, SHARE_WINDOW - 5, 0);
    assert_int_equal(window.n_counted, 5);
    assert_int_equal(window.n_seen, SHARE_WINDOW);
    share_window_add(&window, 3, 0);
    assert_int_equal(window.n_counted, 2);
    share_window_add(&window, 0, 3 * SHARE_WINDOW);
    assert_int_equal(window.n_counted, SHARE_WINDOW);
    share_window_add(&window, SHARE_WINDOW, 0);
    assert_int_equal(window.n_counted, 0);
    assert_int_equal(window.n_seen, SHARE_WINDOW);
}

// Of more than a window holds the share is what stays.
static void test_a_large_batch_keeps_its_share(UNUSED void **state)
{
    static struct share_window window;
    share_window_add(&window, 4 * SHARE_WINDOW, SHARE_WINDOW);
    assert_int_equal(window.n_counted, SHARE_WINDOW / 5);
    assert_int_equal(window.n_seen, SHARE_WINDOW);
    assert_false(share_window_exceeds(&window, 20, false));
    assert_true(share_window_exceeds(&window, 19, false));
}

// (others, counted, percent) and whether that is too much while it runs, and at the end.
static void test_a_share_is_of_what_was_seen(UNUSED void **state)
{
    static const struct {
        size_t n_others, n_counted;
        int64_t percent;
        bool exceeds, exceeds_at_end;
    } cases[] = {
        {0, 0, 50, false, false},       {0, 0, 0, false, false},
        {0, 1, 50, false, true},        {0, 1, 0, true, true},
        {0, 1, 100, false, false},      {5, 5, 50, false, false},
        {4, 6, 50, false, true},        {0, 50, 50, false, true},
        {0, 51, 50, true, true},        {49, 51, 50, true, true},
        {50, 50, 50, false, false},     {0, 4000, 50, true, true},
        {2000, 2000, 50, false, false}, {1999, 2001, 50, true, true},
        {5000, 5000, 50, false, false}, {4999, 5001, 50, true, true},
        {0, 4000, 100, false, false},   {9999, 1, 0, true, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct share_window *window = mem_zalloc(sizeof(*window));
        share_window_add(window, cases[i].n_others, cases[i].n_counted);
        assert_int_equal(share_window_exceeds(window, cases[i].percent, false),
                         cases[i].exceeds);
        assert_int_equal(share_window_exceeds(window, cases[i].percent, true),
                         cases[i].exceeds_at_end);
        free(window);
    }
}

static void test_pauses_double_until_the_limit(UNUSED void **state)
{
    struct retry retry = {0};
    int64_t until, now = 1000;
    int64_t pauses = 0;
    for (; retry_again(&retry, now, now, 5000, &until); now = until) {
        assert_true(until - now == 100 << pauses);
        pauses++;
    }
    assert_int_equal(pauses, 6); // 0.1 0.2 0.4 0.8 1.6 3.2 s: past 5 s
    // A call that tried for as long by itself is not made again.
    retry_reset(&retry);
    assert_false(retry_again(&retry, 1000, 6000, 5000, &until));
    assert_true(retry_again(&retry, 1000, 5999, 5000, &until));
    assert_false(retry_again(&retry, 5999, 6000, 5000, &until));
    retry_reset(&retry);
    assert_true(retry_again(&retry, 1000, 1001, 0, &until));
    assert_false(retry_again(&retry, 1101, 1101, 0, &until));
}

static void test_a_held_partition_that_moved_waits_anew(UNUSED void **state)
{
    struct held held = {0};
    bool is_said;
    assert_true(held_add(&held, 7, false, 1000, 5000, &is_said));
    assert_true(held_add(&held, 7, false, 5900, 5000, &is_said));
    assert_true(held_add(&held, 7, true, 6000, 5000, &is_said)); // past the first limit
    assert_true(is_said);
    assert_int_equal(held_next_ms(&held), 6100); // the shortest pause
    assert_true(held_add(&held, 7, false, 10999, 5000, &is_said));
    assert_false(held_add(&held, 7, false, 11000, 5000, &is_said));
    held_release(&held);
}

static int32_t take_due(struct held *held, int64_t now_ms)
{
    size_t at = 0;
    return held_take_due(held, now_ms, &at);
}

static void test_partitions_are_held_back_each_by_itself(UNUSED void **state)
{
    struct held held = {0};
    bool is_said;
    assert_true(held_add(&held, 7, false, 1000, 5000, &is_said));
    assert_true(is_said);
    assert_true(held_add(&held, 3, false, 1050, 5000, &is_said));
    assert_int_equal(held_next_ms(&held), 1100);
    assert_int_equal(take_due(&held, 1099), -1);
    assert_int_equal(take_due(&held, 1100), 7);
    assert_int_equal(take_due(&held, 1100), -1); // it is tried once
    assert_int_equal(held_next_ms(&held), 1150);
    assert_true(held_add(&held, 7, false, 1100, 5000, &is_said)); // in vain
    assert_false(is_said);
    assert_int_equal(take_due(&held, 1299), 3);
    assert_int_equal(take_due(&held, 1300), 7);
    assert_true(held_drop(&held, 3));
    assert_false(held_drop(&held, 3));
    assert_int_equal(held_next_ms(&held), INT64_MAX);
    assert_false(held_add(&held, 7, false, 6000, 5000, &is_said)); // the limit
    held_release(&held);
}

// Dead letters have a share of a unit's size as rows have.
static void test_dead_letters_end_a_unit(UNUSED void **state)
{
    static char value[600] = "!";
    struct fixture fix;
    struct err err = {0};
    size_t n_used;
    set_up(&fix);
    memset(value + 1, 'x', sizeof(value) - 1);
    fix.job.settings.commit_bytes = 1500; // of two letters, in base64
    fix.job.settings.on_error_share = 100;
    for (int64_t offset = 10; offset < 12; offset++) {
        assert_false(unit_builder_is_due(&fix.builder, 0));
        struct record record = {.offset = offset, .value = {value, sizeof(value)}};
        struct run run = {
            .first = offset, .next = offset + 1, .records = &record, .n = 1};
        assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    }
    assert_true(unit_builder_is_due(&fix.builder, 0));
    tear_down(&fix);
}

static void test_a_letter_that_is_too_large_is_told(UNUSED void **state)
{
    static char value[2000] = "!";
    struct fixture fix;
    struct err err = {0};
    size_t n_used;
    set_up(&fix);
    fix.job.settings.on_error_share = 100;
    fix.builder.dead.out = BUF_INIT(2500); // in place of 1 GB
    struct record record = {.offset = 10, .value = {value, sizeof(value)}};
    struct run run = {
        .partition = 0, .first = 10, .next = 11, .records = &record, .n = 1};
    assert_status(unit_builder_run(&fix.builder, &run, &n_used, &err), ST_DATA);
    assert_string_equal(err.text,
                        "topic 'stop_times' partition 0 offset 10: this record of 2000 "
                        "bytes is too large for a dead letter; one has at most 1024 MB");
    tear_down(&fix);
}

// An executor that takes 40 s for each record.
static struct fixture *slow_fixture;
static int64_t slow_longest_ms; // between two signs of life

static enum status run_slow(UNUSED struct executor *base, UNUSED struct batch *batch,
                            size_t from, UNUSED struct buf *rows, size_t *ret_next,
                            struct executor_result *ret, UNUSED struct err *err)
{
    struct sim_clock *clock = &slow_fixture->clock;
    int64_t stepped_ms = atomic_load(&slow_fixture->status.board.stepped_ms);
    clock->now_ms += 40000;
    if (clock->now_ms - stepped_ms > slow_longest_ms)
        slow_longest_ms = clock->now_ms - stepped_ms;
    *ret_next = from + 1;
    *ret = (struct executor_result){0};
    return ST_OK;
}

// However long the whole run takes: whoever watches goes by the slices.
static void test_a_slow_query_shows_that_it_moves(UNUSED void **state)
{
    struct fixture fix;
    size_t n_used;
    struct err err = {0};
    set_up(&fix);
    const struct executor_ops ops = {.run = run_slow, .close = close_large};
    struct executor slow = {.ops = &ops, .name = "slow"};
    fix.builder.parts.executor = &slow;
    slow_fixture = &fix;
    slow_longest_ms = 0;
    atomic_store(&fix.status.board.stepped_ms, fix.clock.now_ms);
    struct run run = {.first = 10, .next = 14, .records = two_records, .n = 2};
    assert_ok(unit_builder_run(&fix.builder, &run, &n_used, &err), &err);
    assert_int_equal(n_used, 2);
    assert_int_equal(slow_longest_ms, 40000);
    assert_int_equal(atomic_load(&fix.status.board.stepped_ms), fix.clock.now_ms);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_a_slow_query_shows_that_it_moves),
          cmocka_unit_test(test_dead_letters_end_a_unit),
          cmocka_unit_test(test_a_letter_that_is_too_large_is_told),
          cmocka_unit_test(test_a_stop_cuts_a_batch),
          cmocka_unit_test(test_a_cut_that_fails_is_none),
          cmocka_unit_test(test_a_full_batch_ends_within_a_run),
          cmocka_unit_test(test_a_gap_that_leads_back_is_refused),
          cmocka_unit_test(test_a_run_becomes_rows_and_offsets),
          cmocka_unit_test(test_what_a_run_passes_is_accounted_for),
          cmocka_unit_test(test_a_span_has_the_epoch_before_its_end),
          cmocka_unit_test(test_a_unit_knows_its_topic),
          cmocka_unit_test(test_offsets_that_do_not_follow_are_refused),
          cmocka_unit_test(test_a_decoder_that_waits_leaves_the_rest),
          cmocka_unit_test(test_the_rows_of_one_record_may_be_large),
          cmocka_unit_test(test_the_slice_after_a_large_record_is_small),
          cmocka_unit_test(test_but_not_without_end),
          cmocka_unit_test(test_a_unit_is_due_by_time_rows_or_bytes),
          cmocka_unit_test(test_the_window_forgets_the_oldest),
          cmocka_unit_test(test_a_large_batch_keeps_its_share),
          cmocka_unit_test(test_a_share_is_of_what_was_seen),
          cmocka_unit_test(test_pauses_double_until_the_limit),
          cmocka_unit_test(test_partitions_are_held_back_each_by_itself),
          cmocka_unit_test(test_a_held_partition_that_moved_waits_anew))
