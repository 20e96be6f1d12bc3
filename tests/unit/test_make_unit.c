// SPDX-License-Identifier: Apache-2.0
// Units to order, without mail and group: ranges that begin and end anywhere, gaps, what
// is waited for.
#include "test.h"

#include "job_settings.h"
#include "memory/spool_mem.h"
#include "memory/storage_mem.h"
#include "sim/sim_clock.h"
#include "sim/sim_codec.h"
#include "sim/sim_event.h"
#include "sim/sim_topic.h"
#include "work/make_unit.h"

#define WRITER "11111111-1111-4111-8111-111111111111"

struct fixture {
    struct waiter waiter; // first member
    struct sim_clock clock;
    struct sim_topic topic;
    struct sim_events events;
    struct sim_stream *stream;
    struct sim_decoder decoder;
    struct executor executor;
    struct file_writer writer;
    struct job job;
    struct engine_status status;
    struct deadline deadline;
    struct mem_tree *tree;
    struct storage *storage;
    struct spool *spool;
    struct maker maker;
    struct order_range ranges[SIM_PARTITIONS_MAX];
    struct order order;
};

static void wait_for(struct waiter *waiter, struct wait wait)
{
    ((struct fixture *)waiter)->clock.now_ms = wait.until_ms;
}

// Time goes on with each call of the stream.
static void on_call(void *context)
{
    ((struct fixture *)context)->clock.now_ms += 50;
}

// Partition 0: 20 records, but none at 5 to 9, at 12, and from 18 on.
static void set_up(struct fixture *fix)
{
    *fix = (struct fixture){.waiter = {wait_for}};
    sim_clock_init(&fix->clock, 1);
    sim_topic_init(&fix->topic, 2, &fix->clock.random);
    fix->topic.events = &fix->events;
    for (int p = 0; p < 2; p++)
        for (int o = 0; o < 20; o++) {
            bool is_hole = (o >= 5 && o < 10) || o == 12 || o >= 18;
            sim_topic_record(&fix->topic, p, is_hole ? SIM_HOLE : SIM_ROWS, 1);
        }
    fix->stream = sim_stream_open(&fix->topic, &fix->clock);
    sim_stream_on_call(fix->stream, on_call, fix);
    sim_decoder_init(&fix->decoder, &fix->clock.random);
    fix->executor = sim_executor;
    fix->writer = sim_writer;
    fix->job = (struct job){.plan = STR_LITERAL("plan"),
                            .schema = STR_LITERAL("value TEXT NOT NULL"),
                            .extension = "avro",
                            .dimension = STR_LITERAL("none"),
                            .settings = job_settings_default()};
    fix->tree = mem_tree_open(&fix->clock.env);
    fix->storage = storage_mem_open(fix->tree, "/r");
    fix->spool = spool_mem_open();
    maker_open(&fix->maker, &(struct maker_parts){
                                .builder = {.job = &fix->job,
                                            .topic = sim_stream_topic(fix->stream),
                                            .stream = sim_stream_port(fix->stream),
                                            .decoder = &fix->decoder.decoder,
                                            .executor = &fix->executor,
                                            .writer = &fix->writer,
                                            .spool = fix->spool,
                                            .env = &fix->clock.env,
                                            .status = &fix->status},
                                .storage = fix->storage,
                                .waiter = &fix->waiter,
                                .deadline = &fix->deadline,
                                .patience_ms = 3000,
                            });
    fix->order = (struct order){.number = 1,
                                .cluster = STR_LITERAL("sim-cluster"),
                                .topic = STR_LITERAL("stop_times"),
                                .plan = STR_LITERAL("plan"),
                                .schema = STR_LITERAL("value TEXT NOT NULL"),
                                .writer = STR_LITERAL(WRITER),
                                .ranges = fix->ranges,
                                .n_ranges = 1};
}

static void tear_down(struct fixture *fix)
{
    maker_release(&fix->maker);
    fix->spool->ops->close(fix->spool);
    fix->storage->ops->close(fix->storage);
    mem_tree_unref(fix->tree);
    sim_stream_free(fix->stream);
    free(fix->events.items);
}

// What lies between first and next, counted by hand.
static int64_t n_records(int64_t first, int64_t next)
{
    int64_t n = 0;
    for (int64_t o = first; o < next; o++)
        n += !((o >= 5 && o < 10) || o == 12 || o >= 18);
    return n;
}

// All ranges of the partition, wherever they begin and end.
static void test_any_range_gives_what_lies_in_it(UNUSED void **state)
{
    static struct fixture fix;
    struct unit unit;
    struct err err = {0};
    set_up(&fix);
    fix.decoder.fault_percent = 10;
    fix.topic.fault_percent = 5;
    for (int64_t first = 0; first < 20; first++)
        for (int64_t next = first + 1; next <= 20; next++) {
            fix.ranges[0] = (struct order_range){0, first, next};
            assert_ok(make_unit(&fix.maker, &fix.order, &unit, &err), &err);
            const struct span *span = &unit.spans[0];
            assert_int_equal(span->first, first);
            assert_int_equal(span->next, next);
            assert_int_equal(span->data, n_records(first, next));
            assert_int_equal(unit.rows, n_records(first, next));
            assert_true(span_adds_up(span));
            assert_int_equal(unit.n_files, unit.rows > 0);
            assert_ok(unit_check(&unit, &err), &err);
            unit_release(&unit);
        }
    tear_down(&fix);
}

static void test_partitions_end_each_at_their_own(UNUSED void **state)
{
    static struct fixture fix;
    struct unit unit;
    struct err err = {0};
    set_up(&fix);
    fix.ranges[0] = (struct order_range){0, 1, 4};
    fix.ranges[1] = (struct order_range){1, 3, 20};
    fix.order.n_ranges = 2;
    assert_ok(make_unit(&fix.maker, &fix.order, &unit, &err), &err);
    assert_int_equal(unit.spans[0].next, 4);
    assert_int_equal(unit.spans[1].next, 20);
    assert_int_equal(unit.rows, 3 + n_records(3, 20));
    struct file_info info;
    assert_ok(fix.storage->ops->stat(fix.storage, unit.files[0].tmp, &info, &err), &err);
    assert_int_equal(info.size, unit.files[0].bytes);
    unit_release(&unit);
    tear_down(&fix);
}

static void test_a_gap_is_recorded_as_far_as_the_order_goes(UNUSED void **state)
{
    static struct fixture fix;
    struct unit unit;
    struct err err = {0};
    static const struct {
        int64_t low, gap;
    } cases[] = {{4, 3}, {11, 10}, {15, 10}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        set_up(&fix);
        fix.job.settings.on_gap = ON_GAP_RECORD;
        fix.topic.partitions[0].low = cases[i].low;
        fix.ranges[0] = (struct order_range){0, 1, 11};
        assert_ok(make_unit(&fix.maker, &fix.order, &unit, &err), &err);
        assert_int_equal(unit.spans[0].gap, cases[i].gap);
        assert_int_equal(unit.spans[0].next, 11);
        assert_int_equal(unit.spans[0].data, n_records(1 + cases[i].gap, 11));
        unit_release(&unit);
        tear_down(&fix);
    }
}

static void test_a_gap_that_is_not_to_be_is_told(UNUSED void **state)
{
    static struct fixture fix;
    struct unit unit;
    struct err err = {0};
    set_up(&fix);
    fix.topic.partitions[0].low = 4;
    fix.ranges[0] = (struct order_range){0, 1, 11};
    assert_status(make_unit(&fix.maker, &fix.order, &unit, &err), ST_DATA);
    assert_non_null(strstr(err.text, "offset 1 is wanted, but the first one there is 4"));
    fix.ranges[0] = (struct order_range){0, 4, 11}; // the next order is made all the same
    assert_ok(make_unit(&fix.maker, &fix.order, &unit, &err), &err);
    unit_release(&unit);
    tear_down(&fix);
}

static void test_what_does_not_come_is_waited_for_so_long(UNUSED void **state)
{
    static struct fixture fix;
    struct unit unit;
    struct err err = {0};
    set_up(&fix);
    fix.ranges[0] = (struct order_range){0, 15, 21};
    assert_status(make_unit(&fix.maker, &fix.order, &unit, &err), ST_RETRY);
    assert_string_equal(err.text,
                        "topic 'stop_times' partition 0: nothing came for 3 s at offset "
                        "20, but the order ends at 21");
    sim_topic_away(&fix.topic, 0, 0, INT64_MAX);
    fix.ranges[0] = (struct order_range){0, 15, 20};
    assert_status(make_unit(&fix.maker, &fix.order, &unit, &err), ST_RETRY);
    assert_string_equal(err.text,
                        "topic 'stop_times' partition 0: nothing came for 3 s at offset "
                        "15, but the order ends at 20: topic 'stop_times' partition 0 "
                        "has no leader (made by a test)");
    tear_down(&fix);
}

static void test_a_schema_is_waited_for_so_long(UNUSED void **state)
{
    static struct fixture fix;
    struct unit unit;
    struct err err = {0};
    set_up(&fix);
    fix.decoder.fault_percent = 100;
    fix.topic.partitions[0].records[0].kind = SIM_ROWS;
    fix.job.settings.schema_retry_ms = 20000;
    fix.ranges[0] = (struct order_range){0, 0, 1};
    assert_status(make_unit(&fix.maker, &fix.order, &unit, &err), ST_RETRY);
    assert_string_equal(err.text,
                        "topic 'stop_times' partition 0: nothing came for 20 s at offset "
                        "0, but the order ends at 1: no schema yet (made by a test)");
    tear_down(&fix);
}

static void test_a_stop_ends_it(UNUSED void **state)
{
    static struct fixture fix;
    struct unit unit;
    struct err err = {0};
    set_up(&fix);
    fix.ranges[0] = (struct order_range){0, 15, 21};
    deadline_set(&fix.deadline, fix.clock.now_ms + 500);
    assert_status(make_unit(&fix.maker, &fix.order, &unit, &err), ST_STOP);
    tear_down(&fix);
}

static void test_orders_of_others_are_refused(UNUSED void **state)
{
    static struct fixture fix;
    struct unit unit;
    struct err err = {0};
    set_up(&fix);
    fix.ranges[0] = (struct order_range){0, 15, 20};
    fix.order.schema = STR_LITERAL("value TEXT");
    assert_status(make_unit(&fix.maker, &fix.order, &unit, &err), ST_USAGE);
    assert_string_equal(err.text,
                        "the order is of another script (plan plan, this one's is plan); "
                        "give tramline work and tramline coordinate the same script and "
                        "variables");
    fix.order.cluster = STR_LITERAL("other");
    assert_status(make_unit(&fix.maker, &fix.order, &unit, &err), ST_USAGE);
    assert_string_equal(err.text,
                        "the order is of topic 'stop_times' of cluster 'other', but this "
                        "script reads 'stop_times' of 'sim-cluster'");
    tear_down(&fix);
}

// No orders for a minute, then the end.
struct silence {
    struct lines lines; // first member
    struct fixture *fix;
    int64_t until_ms, longest_ms; // between two polls
};

static enum status receive_nothing(struct lines *lines, int64_t timeout_ms,
                                   enum line_event *ret, UNUSED struct str *ret_line,
                                   UNUSED struct err *err)
{
    struct silence *silence = (struct silence *)lines;
    struct fixture *fix = silence->fix;
    fix->clock.now_ms += timeout_ms;
    int64_t ms = fix->clock.now_ms - sim_stream_polled_ms(fix->stream);
    silence->longest_ms = ms > silence->longest_ms ? ms : silence->longest_ms;
    *ret = fix->clock.now_ms < silence->until_ms ? LINE_NONE : LINE_END;
    return ST_OK;
}

// Else what the stream's client has to say piles up.
static void test_the_stream_is_polled_between_orders(UNUSED void **state)
{
    static const struct lines_ops ops = {.receive = receive_nothing};
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    struct silence silence = {{&ops}, &fix, fix.clock.now_ms + 60000, 0};
    assert_ok(make_units(&fix.maker, &silence.lines, NULL, &err), &err);
    assert_in_range(silence.longest_ms, 1, 2000);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_any_range_gives_what_lies_in_it),
          cmocka_unit_test(test_partitions_end_each_at_their_own),
          cmocka_unit_test(test_a_gap_is_recorded_as_far_as_the_order_goes),
          cmocka_unit_test(test_a_gap_that_is_not_to_be_is_told),
          cmocka_unit_test(test_what_does_not_come_is_waited_for_so_long),
          cmocka_unit_test(test_a_schema_is_waited_for_so_long),
          cmocka_unit_test(test_a_stop_ends_it),
          cmocka_unit_test(test_orders_of_others_are_refused),
          cmocka_unit_test(test_the_stream_is_polled_between_orders))
