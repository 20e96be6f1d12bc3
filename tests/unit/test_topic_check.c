// SPDX-License-Identifier: Apache-2.0
// A topic that is recreated while it is read: what was read is looked at again.
#include "test.h"

#include "base/crc32c.h"

#include "sim/sim_job.h"
#include "work/progress.h"
#include "work/topic_check.h"
#include "work/witness.h"

enum {
    N_MANY = 20
};

struct fixture {
    struct sim_job job;
    struct sim_stream *stream;
    struct progress at; // the log has read five records of ten
};

static struct record_mark mark_of(struct fixture *fix, int64_t offset)
{
    struct topic *topic = sim_stream_topic(fix->stream);
    struct record record;
    struct err err = {0};
    assert_ok(topic->ops->fetch(topic, 0, offset, &record, &err), &err);
    return (struct record_mark){offset, record.time_ms,
                                crc32c(0, record.value.p, record.value.n)};
}

static void set_up(struct fixture *fix)
{
    sim_job_init(&fix->job, 1);
    for (int i = 0; i < 10; i++)
        sim_job_record(&fix->job, 0, SIM_ROWS, 1);
    fix->stream = sim_stream_open(&fix->job.topic, &fix->job.clock);
    fix->at = (struct progress){.partition = 0, .next = 5, .last = mark_of(fix, 4)};
}

static void tear_down(struct fixture *fix)
{
    sim_stream_free(fix->stream);
}

static enum status look(struct fixture *fix, struct probe *probe, struct err *err)
{
    *probe = progress_check(&fix->at);
    return topic_check(sim_stream_topic(fix->stream), probe, err);
}

static void test_what_was_read_is_looked_at_again(UNUSED void **state)
{
    struct fixture fix;
    struct probe probe;
    struct err err = {0};
    set_up(&fix);
    assert_ok(look(&fix, &probe, &err), &err);
    assert_true(probe.is_seen);
    fix.job.topic.partitions[0].records[4].value[0] = 'x';
    assert_status(look(&fix, &probe, &err), ST_DATA);
    assert_string_equal(
        err.text, "topic 'stop_times' partition 0 has another record at offset 4 than "
                  "the log has seen there: the topic was recreated or cut since; give "
                  "the result another path, or start over with tramline init --reset");
    tear_down(&fix);
}

static void test_a_topic_that_ends_before_is_another(UNUSED void **state)
{
    struct fixture fix;
    struct probe probe;
    struct err err;
    set_up(&fix);
    fix.job.topic.partitions[0].high = 4;
    assert_status(look(&fix, &probe, &err), ST_DATA);
    assert_non_null(
        strstr(err.text, "ends at offset 4, but the log has read it up to 5"));
    tear_down(&fix);
}

static void test_a_record_that_left_says_nothing(UNUSED void **state)
{
    struct fixture fix;
    struct probe probe;
    struct err err = {0};
    set_up(&fix);
    fix.job.topic.partitions[0].records[4].kind = SIM_HOLE;
    assert_ok(look(&fix, &probe, &err), &err);
    assert_false(probe.is_seen);
    tear_down(&fix);
}

// A leader without the records of epoch 1 from offset 3 on has taken others, so that it
// reaches as far as before; record 4 has left.
static void test_a_log_that_was_cut_back_is_told(UNUSED void **state)
{
    struct fixture fix;
    struct probe probe;
    struct err err = {0};
    set_up(&fix);
    struct sim_partition *part = &fix.job.topic.partitions[0];
    sim_stream_know(fix.stream, SIM_EPOCHS);
    part->epoch = 1;
    for (int i = 0; i < 10; i++)
        part->records[i].epoch = i < 2 ? 0 : 1;
    fix.at.epoch = leader_epoch_of(1);
    assert_ok(look(&fix, &probe, &err), &err);
    sim_topic_cut(&fix.job.topic, 0, 3);
    for (int i = 0; i < 10; i++)
        sim_topic_record(&fix.job.topic, 0, SIM_ROWS, 1);
    part->records[4].kind = SIM_HOLE;
    assert_status(look(&fix, &probe, &err), ST_DATA);
    assert_string_equal(
        err.text,
        "topic 'stop_times' partition 0: the log has read it up to offset 5, but from "
        "offset 3 on its leader has something else: it was cut back (an unclean election "
        "of "
        "a leader) or recreated; give the result another path, or start over with "
        "tramline init --reset");
    fix.at.epoch = leader_epoch_of(7);
    assert_status(look(&fix, &probe, &err), ST_DATA);
    assert_string_equal(
        err.text,
        "topic 'stop_times' partition 0: the log has read it up to offset 5, in epoch 7 "
        "of its leaders, of which this one knows nothing: it was cut back or recreated; "
        "give the result another path, or start over with tramline init --reset");
    fix.at.epoch = (struct leader_epoch){0};
    assert_ok(look(&fix, &probe, &err), &err); // nobody could tell
    tear_down(&fix);
}

static void test_another_id_is_told(UNUSED void **state)
{
    struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    sim_stream_know(fix.stream, SIM_ID);
    struct probe probe = progress_check(&fix.at);
    snprintf(probe.topic_id, sizeof(probe.topic_id), "simulated-topic--first");
    assert_ok(topic_check(sim_stream_topic(fix.stream), &probe, &err), &err);
    snprintf(probe.topic_id, sizeof(probe.topic_id), "simulated-topic-zeroth");
    assert_status(topic_check(sim_stream_topic(fix.stream), &probe, &err), ST_DATA);
    assert_string_equal(
        err.text, "topic 'stop_times' was recreated: its id is simulated-topic--first, "
                  "and the log has read one with the id simulated-topic-zeroth; give the "
                  "result another path, or start over with tramline init --reset");
    tear_down(&fix);
}

// Of many partitions those that were read last, and others each time: one that does not
// answer is not asked alone for ever.
static void test_witnesses_are_the_newest_and_others_in_turn(UNUSED void **state)
{
    struct progress at[N_MANY];
    struct probe probes[WITNESSES_MAX];
    struct span spans[N_MANY] = {0};
    struct unit unit = {.spans = spans, .n_spans = N_MANY / 2};
    size_t turn = 0;
    bool was_asked[N_MANY] = {false};
    for (int32_t i = 0; i < N_MANY; i++)
        at[i] = (struct progress){
            .partition = i, .next = 50, .last = {.offset = 40, .time_ms = 100 - i}};
    for (int32_t i = 0; i < N_MANY; i++)
        spans[i].partition = i;
    at[0].last.offset = -1; // never read
    for (int round = 0; round < N_MANY; round++) {
        size_t n = witness_choose(&turn, &unit, at, N_MANY, probes);
        assert_int_equal(n, WITNESSES_MAX);
        assert_int_equal(probes[0].partition, 1);
        assert_int_equal(probes[0].next, 41);
        for (size_t i = 0; i < n; i++)
            was_asked[probes[i].partition] = true;
    }
    assert_false(was_asked[0]);
    for (int32_t i = 1; i < N_MANY; i++)
        assert_true(was_asked[i]);
    unit.n_spans = 1;
    assert_int_equal(witness_choose(&turn, &unit, at, 3, probes), 2);
    assert_int_equal(witness_choose(&turn, &unit, at, 1, probes), 0);
}

TEST_MAIN(cmocka_unit_test(test_what_was_read_is_looked_at_again),
          cmocka_unit_test(test_a_topic_that_ends_before_is_another),
          cmocka_unit_test(test_a_record_that_left_says_nothing),
          cmocka_unit_test(test_a_log_that_was_cut_back_is_told),
          cmocka_unit_test(test_another_id_is_told),
          cmocka_unit_test(test_witnesses_are_the_newest_and_others_in_turn))
