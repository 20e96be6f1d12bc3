// SPDX-License-Identifier: Apache-2.0
// A coordinator with a driver that a test writes: what it orders, what it takes, how it
// ends. The simulator (tests/sim) has the rest.
#include "test.h"

#include "base/log.h"
#include "commit/committer.h"
#include "log/commit_log.h"
#include "log/order.h"
#include "log/paths.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_job.h"
#include "work/coordinator.h"

enum {
    ORDERS_SEEN_MAX = 64
};

struct fixture {
    struct waiter waiter; // first member
    struct lines lines;
    struct sim_job job;
    struct sim_stream *stream;
    struct mem_tree *tree;
    struct storage *view, *storage;
    struct coordinator_parts parts;
    // What it said, and what it is told.
    struct buf said;
    int n_orders;
    size_t n_ranges, longest; // of all orders; bytes of the longest answer to one
    int64_t given_ms[ORDERS_SEEN_MAX];
    bool (*answer)(struct fixture *fix,
                   struct buf *line); // to what is given out; false: none
    bool has_order;
    struct order order; // given out last
    struct buf line;
    int64_t end_ms; // when its input ends
    int n_plain;    // claims of others to come
};

static void wait_for(struct waiter *waiter, struct wait wait)
{
    ((struct fixture *)waiter)->job.clock.now_ms = wait.until_ms;
}

static struct fixture *of(struct lines *lines)
{
    return (struct fixture *)((char *)lines - offsetof(struct fixture, lines));
}

// A unit of these partitions whose numbers are as long as they may be.
static size_t bytes_of_answer(const struct order *order)
{
    const int64_t most = ENTRY_NUMBER_MAX;
    AUTO(buf_release) struct buf line = {0};
    struct answer answer = {.kind = ANSWER_UNIT,
                            .order = order->number,
                            .unit = {.writer = order->writer,
                                     .dimension = STR_LITERAL("none"),
                                     .unmatched = most,
                                     .filtered = most,
                                     .n_spans = order->n_ranges}};
    answer.unit.spans = arena_array(&answer.arena, order->n_ranges, sizeof(struct span));
    for (size_t i = 0; i < order->n_ranges; i++)
        answer.unit.spans[i] = (struct span){
            .partition = order->ranges[i].partition,
            .first = most,
            .next = most,
            .data = most,
            .skipped = most,
            .gap = most,
            .ignored = most,
            .rejected = most,
            .last = {.offset = most, .time_ms = most},
        };
    answer_encode(&answer, &line);
    arena_release(&answer.arena);
    return line.n;
}

static enum status sim_send(struct lines *lines, struct str text, UNUSED struct err *err)
{
    struct fixture *fix = of(lines);
    struct err why;
    buf_str(&fix->said, text);
    text.n--;
    if (memmem(text.p, text.n, "\"kind\":\"order\"", 14) == NULL)
        return ST_OK;
    order_release(&fix->order);
    if (order_decode(text, &fix->order, &why) != ST_OK)
        return ST_OK;
    fix->has_order = true;
    assert_true(fix->n_orders < ORDERS_SEEN_MAX);
    fix->given_ms[fix->n_orders++] = fix->job.clock.now_ms;
    fix->n_ranges += fix->order.n_ranges;
    size_t bytes = bytes_of_answer(&fix->order);
    fix->longest = bytes > fix->longest ? bytes : fix->longest;
    return ST_OK;
}

static enum status sim_receive(struct lines *lines, int64_t timeout_ms,
                               enum line_event *ret, struct str *ret_line,
                               UNUSED struct err *err)
{
    struct fixture *fix = of(lines);
    fix->job.clock.now_ms += timeout_ms;
    *ret = fix->job.clock.now_ms >= fix->end_ms ? LINE_END : LINE_NONE;
    if (!fix->has_order || fix->answer == NULL)
        return ST_OK;
    fix->has_order = false;
    buf_clear(&fix->line);
    if (!fix->answer(fix, &fix->line))
        return ST_OK;
    *ret = LINE_READ;
    *ret_line = buf_as_str(&fix->line);
    return ST_OK;
}

static const struct lines_ops lines_ops = {.receive = sim_receive, .send = sim_send};

// While a claim is on its way others commit.
static struct fault others_commit(void *context, const struct fault_call *call)
{
    struct fixture *fix = context;
    struct err err = {0};
    if (fix->n_plain > 0 && call->op == FAULT_PUBLISH) {
        fix->n_plain--;
        sim_job_record(&fix->job, 0, SIM_ROWS, 1);
        assert_ok(sim_job_run(&fix->job, fix->view, &err), &err);
    }
    return (struct fault){0};
}

static void set_up(struct fixture *fix)
{
    log_set_level(LOG_ERROR);
    *fix =
        (struct fixture){.waiter = {wait_for}, .lines = {&lines_ops}, .end_ms = 100000};
    sim_job_init(&fix->job, 2);
    for (int32_t p = 0; p < 2; p++)
        for (int i = 0; i < 10; i++)
            sim_job_record(&fix->job, p, SIM_ROWS, 1);
    fix->tree = mem_tree_open(&fix->job.clock.env);
    fix->view = storage_mem_open(fix->tree, "/r");
    fix->storage = storage_fault_open(
        storage_mem_open(fix->tree, "/r"),
        &(struct fault_config){.decide = others_commit, .context = fix});
    fix->stream = sim_stream_open(&fix->job.topic, &fix->job.clock);
    fix->parts = (struct coordinator_parts){
        .job = &fix->job.job,
        .storage = fix->storage,
        .topic = sim_stream_topic(fix->stream),
        .env = &fix->job.clock.env,
        .waiter = &fix->waiter,
        .status = &fix->job.status,
        .lines = &fix->lines,
        .order_offsets = 100,
        .n_orders = 1,
        .order_ms = 5000,
    };
}

static void tear_down(struct fixture *fix)
{
    order_release(&fix->order);
    buf_release(&fix->said);
    buf_release(&fix->line);
    sim_stream_free(fix->stream);
    fix->storage->ops->close(fix->storage);
    fix->view->ops->close(fix->view);
    mem_tree_unref(fix->tree);
}

static bool say_lost(struct fixture *fix, struct buf *line)
{
    answer_encode(&(struct answer){.kind = ANSWER_LOST, .order = fix->order.number},
                  line);
    return true;
}

static void test_a_lost_order_is_given_out_again(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    fix.answer = say_lost;
    assert_status(coordinate(&fix.parts, &err), ST_FAIL);
    assert_string_equal(err.text, "order 1000001 was given out 10 times without a unit: "
                                  "whoever worked on it is lost");
    assert_int_equal(fix.n_orders, 10);
    tear_down(&fix);
}

static void test_an_order_without_an_answer_is_given_out_again(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    assert_status(coordinate(&fix.parts, &err), ST_FAIL);
    assert_string_equal(err.text, "order 1000001 was given out 10 times without a unit: "
                                  "there was no answer in time");
    for (int i = 1; i < fix.n_orders; i++)
        assert_true(fix.given_ms[i] - fix.given_ms[i - 1] >= 5000);
    tear_down(&fix);
}

static void test_orders_take_what_is_there_in_turn(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    fix.parts.order_offsets = 8;
    fix.parts.n_orders = 10;
    fix.end_ms = 3000;
    assert_ok(coordinate(&fix.parts, &err), &err);
    static const char *const ranges[] = {
        "\"partitions\":[{\"partition\":0,\"first\":0,\"next\":8}]",
        "\"partitions\":[{\"partition\":1,\"first\":0,\"next\":8}]",
        "{\"partition\":1,\"first\":8,\"next\":10}]",
    };
    assert_int_equal(fix.n_orders, ARRAY_LEN(ranges));
    const char *at = buf_cstr(&fix.said);
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        at = strstr(at, ranges[i]);
        assert_non_null(at);
    }
    tear_down(&fix);
}

// Not with --once: what is less than an order waits for the next commit.
static void test_a_little_waits_for_its_time(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    fix.job.job.settings.once = false;
    fix.job.job.settings.commit_interval_ms = 7000;
    fix.parts.order_ms = 60000;
    fix.end_ms = 6900;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_int_equal(fix.n_orders, 0);
    fix.end_ms = 7600 + fix.job.clock.now_ms;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_int_equal(fix.n_orders, 1);
    tear_down(&fix);
}

// What can be made at a time is shared out, also of one partition, and is one job.
static void test_slots_share_a_backlog(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    for (int i = 0; i < 11; i++)
        sim_job_record(&fix.job, 1, SIM_ROWS, 1);
    fix.parts.n_slots = 4;
    fix.parts.n_orders = 8;
    fix.parts.order_least = 2;
    fix.end_ms = 3000;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_int_equal(fix.n_orders, 4);
    static const char *const texts[] = {
        "\"partitions\":[{\"partition\":0,\"first\":0,\"next\":8}]",
        "\"partitions\":[{\"partition\":1,\"first\":0,\"next\":8}]",
        "\"partitions\":[{\"partition\":0,\"first\":8,\"next\":10},"
        "{\"partition\":1,\"first\":8,\"next\":14}]",
        "\"partitions\":[{\"partition\":1,\"first\":14,\"next\":21}]",
        "{\"v\":1,\"kind\":\"trigger\",\"trigger\":1,\"orders\":4,"
        "\"label\":\"entry 2: 5 ranges, 31 offsets\"}\n",
    };
    const char *at = buf_cstr(&fix.said);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        at = strstr(at, texts[i]);
        assert_non_null(at);
    }
    tear_down(&fix);
}

static bool say_alive_once(struct fixture *fix, struct buf *line)
{
    answer_encode(&(struct answer){.kind = ANSWER_ALIVE, .number = 4000}, line);
    return fix->n_orders == 1;
}

static void test_a_driver_that_hangs_ends_it(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    fix.answer = say_alive_once;
    fix.parts.order_ms = 60000;
    assert_status(coordinate(&fix.parts, &err), ST_FAIL);
    assert_string_equal(err.text, "the driver has not been heard of for 4 s: it is taken "
                                  "for dead");
    assert_in_range(fix.job.clock.now_ms, 4000, 9000);
    tear_down(&fix);
}

// A topic of very many partitions, with a record in each.

static enum status count_wide(UNUSED struct topic *topic, int32_t *ret,
                              UNUSED struct err *err)
{
    *ret = 9000;
    return ST_OK;
}

static enum status range_wide(UNUSED struct topic *topic, UNUSED int32_t partition,
                              struct topic_range *ret, UNUSED struct err *err)
{
    *ret = (struct topic_range){0, 1};
    return ST_OK;
}

static void test_answers_fit_into_a_line(UNUSED void **state)
{
    static const struct topic_ops ops = {.count = count_wide, .range = range_wide};
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    struct topic topic = *fix.parts.topic;
    topic.ops = &ops;
    fix.parts.topic = &topic;
    fix.job.job.settings.once = false;
    fix.parts.n_orders = 100;
    fix.parts.order_offsets = 1000000;
    fix.parts.order_ms = 600000;
    fix.job.job.settings.commit_interval_ms = 1500;
    fix.end_ms = 2500;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_int_equal(fix.n_ranges, 9000); // none waits for another commit
    assert_in_range(fix.longest, 1, ORDER_LINE_MAX);
    tear_down(&fix);
}

// Partitions that do not answer until then.
static struct {
    struct topic topic, *real;
    const struct fixture *fix;
    int32_t first; // of those
    int64_t until_ms;
    int64_t fetch_until_ms; // records of them do not come until then
} away;

static enum status count_away(UNUSED struct topic *topic, int32_t *ret, struct err *err)
{
    return away.real->ops->count(away.real, ret, err);
}

static enum status range_away(UNUSED struct topic *topic, int32_t partition,
                              struct topic_range *ret, struct err *err)
{
    if (partition >= away.first && away.fix->job.clock.now_ms < away.until_ms)
        return err_set(err, ST_RETRY, "no leader");
    return away.real->ops->range(away.real, partition, ret, err);
}

static enum status fetch_away(UNUSED struct topic *topic, int32_t partition,
                              int64_t offset, struct record *ret, struct err *err)
{
    if (partition >= away.first && away.fix->job.clock.now_ms < away.fetch_until_ms)
        return err_set(err, ST_RETRY, "no record");
    return away.real->ops->fetch(away.real, partition, offset, ret, err);
}

static void set_away(struct fixture *fix, int32_t first, int64_t until_ms)
{
    static const struct topic_ops ops = {
        .count = count_away, .range = range_away, .fetch = fetch_away};
    away.topic = *fix->parts.topic;
    away.topic.ops = &ops;
    away.real = fix->parts.topic;
    away.fix = fix;
    away.first = first;
    away.until_ms = until_ms;
    away.fetch_until_ms = 0;
    fix->parts.topic = &away.topic;
}

// Longer than --once would wait.
static void test_a_partition_that_is_away_joins_later(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    assert_ok(sim_job_run(&fix.job, fix.view, &err), &err);
    int64_t now_ms = fix.job.clock.now_ms;
    set_away(&fix, 1, now_ms + 300000);
    fix.parts.order_ms = 60000;
    fix.job.job.settings.once = false;
    fix.job.job.settings.commit_interval_ms = 1000;
    sim_job_record(&fix.job, 1, SIM_ROWS, 1);
    fix.end_ms = now_ms + 290000;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_int_equal(fix.n_orders, 0);
    fix.end_ms = now_ms + 330000;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_int_equal(fix.n_orders, 1);
    assert_non_null(strstr(buf_cstr(&fix.said), "{\"partition\":1,\"first\":10,"));
    tear_down(&fix);
}

// Of the log, but for those of a plain worker before.
static int64_t next_entry(struct fixture *fix)
{
    struct log_state log = {0};
    struct err err = {0};
    assert_ok(log_recover(fix->view, &log, &err), &err);
    int64_t next = log.next;
    log_state_release(&log);
    return next;
}

// A leader that tells the end and gives no record: no claim each second.
static void test_a_partition_that_gives_an_end_alone(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    assert_ok(sim_job_run(&fix.job, fix.view, &err), &err);
    int64_t now_ms = fix.job.clock.now_ms, before = next_entry(&fix);
    set_away(&fix, 1, 0);
    away.fetch_until_ms = now_ms + 300000;
    fix.parts.order_ms = 60000;
    fix.job.job.settings.once = false;
    fix.job.job.settings.commit_interval_ms = 1000;
    sim_job_record(&fix.job, 1, SIM_ROWS, 1);
    fix.end_ms = now_ms + 290000;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_int_equal(fix.n_orders, 0);
    assert_in_range(next_entry(&fix) - before, 8, 10);
    fix.end_ms = now_ms + 340000;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_int_equal(fix.n_orders, 1);
    tear_down(&fix);
}

static bool nobody_calls(UNUSED void *context)
{
    return false;
}

// Another worker claims the last partition, and no other.
static bool others_claim_one(struct fixture *fix, UNUSED struct buf *line)
{
    struct err err = {0};
    struct committer *committer =
        committer_open(&(struct committer_parts){.job = &fix->job.job,
                                                 .storage = fix->view,
                                                 .env = &fix->job.clock.env,
                                                 .waiter = &fix->waiter,
                                                 .status = &fix->job.status,
                                                 .is_called = nobody_calls});
    assert_ok(committer_recover(committer, &err), &err);
    const struct stream_start start = {.partition = 1, .offset = 10};
    const struct claim claim = {
        .starts = &start, .n_starts = 1, .base = committer_state(committer)->next};
    assert_ok(committer_claim(committer, &claim, &err), &err);
    committer_free(committer);
    return false;
}

static void test_another_writer_of_a_partition_that_is_away(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    assert_ok(sim_job_run(&fix.job, fix.view, &err), &err);
    int64_t now_ms = fix.job.clock.now_ms;
    set_away(&fix, 1, INT64_MAX);
    fix.job.job.settings.once = false;
    fix.job.job.settings.commit_interval_ms = 1;
    sim_job_record(&fix.job, 0, SIM_ROWS, 1);
    fix.answer = others_claim_one;
    fix.end_ms = now_ms + 60000;
    assert_status(coordinate(&fix.parts, &err), ST_FAIL);
    assert_non_null(
        strstr(err.text, " has claimed partition 1, and the work for it is "));
    tear_down(&fix);
}

static struct deadline stopped;

// A unit that has no rows, by tables of that version.
static void make_one(struct fixture *fix, struct str tables, struct buf *line)
{
    const struct order *order = &fix->order;
    assert_int_equal(order->n_ranges, 1);
    struct span span = {.partition = order->ranges[0].partition,
                        .first = order->ranges[0].first,
                        .next = order->ranges[0].next,
                        .skipped = order->ranges[0].next - order->ranges[0].first,
                        .last = {.offset = -1}};
    answer_encode(&(struct answer){.kind = ANSWER_UNIT,
                                   .order = order->number,
                                   .unit = {.writer = order->writer,
                                            .dimension = tables,
                                            .spans = &span,
                                            .n_spans = 1}},
                  line);
}

// Then the signal comes.
static bool make_one_and_stop(struct fixture *fix, struct buf *line)
{
    make_one(fix, fix->job.job.dimension, line);
    deadline_end(&stopped);
    return true;
}

static bool make_by_other_tables(struct fixture *fix, struct buf *line)
{
    const char *version = fix->n_orders == 1 ? "" : "other";
    make_one(fix, *version ? str_of(version) : fix->job.job.dimension, line);
    return true;
}

static void test_tables_that_change(UNUSED void **state)
{
    for (int keeps = 0; keeps < 2; keeps++) {
        static struct fixture fix;
        struct err err = {0};
        struct log_state log = {0};
        set_up(&fix);
        fix.answer = make_by_other_tables;
        fix.parts.order_offsets = 10;
        fix.parts.keeps_tables = keeps;
        enum status rc = coordinate(&fix.parts, &err);
        assert_int_equal(rc, keeps ? ST_FAIL : ST_OK);
        if (keeps)
            assert_string_equal(err.text, "the staged tables changed while the job ran; "
                                          "what was read is committed; run it again");
        assert_ok(log_recover(fix.view, &log, &err), &err);
        assert_int_equal(log_state_find(&log, 0)->next, 10);
        assert_int_equal(log_state_find(&log, 1)->next, keeps ? 0 : 10);
        log_state_release(&log);
        tear_down(&fix);
    }
}

// A try that leaves a file and gives no answer.
static bool leave_a_file(struct fixture *fix, UNUSED struct buf *line)
{
    static struct path path;
    struct file_info info;
    struct err err = {0};
    AUTO(buf_release) struct buf writer = {0};
    buf_str(&writer, fix->order.writer);
    if (fix->n_orders == 1) {
        path = path_tmp(fix->order.writer, "11111111-2222-4333-8444-555555555555");
        assert_ok(storage_write_bytes(fix->view, path_str(&path), str_of("x"), &err),
                  &err);
    }
    if (fix->n_orders <= 2)
        assert_ok(fix->view->ops->stat(fix->view, path_str(&path), &info, &err), &err);
    if (fix->n_orders == 6)
        assert_status(fix->view->ops->stat(fix->view, path_str(&path), &info, &err),
                      ST_NOT_FOUND);
    return false;
}

static void test_what_tries_leave_is_swept(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    fix.answer = leave_a_file;
    assert_status(coordinate(&fix.parts, &err), ST_FAIL);
    assert_int_equal(fix.n_orders, 10);
    tear_down(&fix);
}

// One of two orders of a trigger is answered: it need not be made again.
static void test_a_stop_commits_what_was_answered(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    struct log_state log = {0};
    set_up(&fix);
    deadline_set(&stopped, 0);
    fix.parts.deadline = &stopped;
    fix.parts.n_slots = 2;
    fix.parts.n_orders = 2;
    fix.parts.order_offsets = 10;
    fix.parts.order_least = 10;
    fix.answer = make_one_and_stop;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_int_equal(fix.n_orders, 2);
    assert_ok(log_recover(fix.view, &log, &err), &err);
    assert_int_equal(log_state_find(&log, 0)->next, 0);
    assert_int_equal(log_state_find(&log, 1)->next, 10);
    assert_non_null(strstr(buf_cstr(&fix.said), "\"kind\":\"commit\",\"order\":1000002"));
    log_state_release(&log);
    tear_down(&fix);
}

static void test_once_waits_for_partitions_that_are_away(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    assert_ok(sim_job_run(&fix.job, fix.view, &err), &err);
    set_away(&fix, 0, INT64_MAX);
    fix.end_ms = INT64_MAX;
    assert_status(coordinate(&fix.parts, &err), ST_RETRY);
    assert_string_equal(err.text, "no leader");
    fix.job.job.settings.once = false;
    struct deadline deadline = {0};
    deadline_set(&deadline, fix.job.clock.now_ms + 5000);
    fix.parts.deadline = &deadline;
    assert_ok(coordinate(&fix.parts, &err), &err);
    assert_string_equal(err.text, "topic 'stop_times': no partition answers");
    tear_down(&fix);
}

static void test_others_that_claim_as_well(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    assert_ok(sim_job_run(&fix.job, fix.view, &err), &err);
    fix.n_plain = 100;
    assert_status(coordinate(&fix.parts, &err), ST_FAIL);
    assert_string_equal(err.text,
                        "another writer claimed partitions 5 times meanwhile: a "
                        "job has one coordinator, or workers, at a time; stop "
                        "the other");
    fix.n_plain = 2; // that is in order
    fix.end_ms = fix.job.clock.now_ms + 3000;
    assert_ok(coordinate(&fix.parts, &err), &err);
    tear_down(&fix);
}

static bool others_run(struct fixture *fix, UNUSED struct buf *line)
{
    struct err err = {0};
    assert_ok(sim_job_run(&fix->job, fix->view, &err), &err);
    return false;
}

static void test_another_writer_ends_it(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    char text[ERR_TEXT_MAX];
    set_up(&fix);
    fix.answer = others_run;
    assert_status(coordinate(&fix.parts, &err), ST_FAIL);
    struct log_state log = {0};
    struct err ignored = {0};
    assert_ok(log_recover(fix.view, &log, &ignored), &ignored);
    snprintf(
        text, sizeof(text),
        "another writer (%s) has claimed partition 0, and the work for it is dropped "
        "here: a job has one coordinator, or workers, at a time; stop the other, "
        "then start again",
        log.partitions[0].writer);
    assert_string_equal(err.text, text);
    log_state_release(&log);
    tear_down(&fix);
}

static void test_a_topic_that_was_recreated_ends_it(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    assert_ok(sim_job_run(&fix.job, fix.view, &err), &err);
    fix.job.topic.partitions[1].high = 3;
    assert_status(coordinate(&fix.parts, &err), ST_DATA);
    assert_string_equal(
        err.text, "topic 'stop_times' partition 1 ends at offset 3, but the log has "
                  "read it up to 10: the topic was recreated or cut since; give the "
                  "result another path, or start over with tramline init --reset");
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_a_lost_order_is_given_out_again),
          cmocka_unit_test(test_an_order_without_an_answer_is_given_out_again),
          cmocka_unit_test(test_orders_take_what_is_there_in_turn),
          cmocka_unit_test(test_a_little_waits_for_its_time),
          cmocka_unit_test(test_slots_share_a_backlog),
          cmocka_unit_test(test_a_partition_that_is_away_joins_later),
          cmocka_unit_test(test_a_partition_that_gives_an_end_alone),
          cmocka_unit_test(test_another_writer_of_a_partition_that_is_away),
          cmocka_unit_test(test_a_stop_commits_what_was_answered),
          cmocka_unit_test(test_tables_that_change),
          cmocka_unit_test(test_what_tries_leave_is_swept),
          cmocka_unit_test(test_once_waits_for_partitions_that_are_away),
          cmocka_unit_test(test_a_driver_that_hangs_ends_it),
          cmocka_unit_test(test_answers_fit_into_a_line),
          cmocka_unit_test(test_others_that_claim_as_well),
          cmocka_unit_test(test_another_writer_ends_it),
          cmocka_unit_test(test_a_topic_that_was_recreated_ends_it))
