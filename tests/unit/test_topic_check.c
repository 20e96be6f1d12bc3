// SPDX-License-Identifier: Apache-2.0
// A topic that is made anew while it is read: what was read is looked at again.
#include "test.h"

#include "engine/topic_check.h"
#include "sim/sim_job.h"

struct fixture {
    struct sim_job job;
    struct sim_source *source;
    struct witness witness;
    struct unit *unit;
};

static struct record_mark mark_of(struct fixture *fix, int64_t offset)
{
    struct source *source = sim_source_port(fix->source);
    struct record record;
    struct err err = {0};
    assert_ok(source->ops->fetch(source, 0, offset, &record, &err), &err);
    return (struct record_mark){offset, record.time_ms,
                                crc32c(0, record.value.p, record.value.n)};
}

// Ten records, of which the log has five; the unit has read two more.
static void set_up(struct fixture *fix)
{
    sim_job_init(&fix->job, 1);
    for (int i = 0; i < 10; i++)
        sim_job_record(&fix->job, 0, SIM_ROWS, 1);
    fix->source = sim_source_open(&fix->job.topic, &fix->job.clock);
    struct progress at = {.partition = 0, .next = 5, .last = mark_of(fix, 4)};
    witness_begin(&fix->witness, &at, 1);
    fix->unit = unit_new(&at, 1);
    fix->unit->spans[0].next = 7;
    fix->unit->spans[0].data = 2;
    fix->unit->spans[0].last = mark_of(fix, 6);
}

static void tear_down(struct fixture *fix)
{
    unit_free(fix->unit);
    sim_source_free(fix->source);
}

static enum status look(struct fixture *fix, struct err *err)
{
    return witness_look(&fix->witness, sim_source_port(fix->source), fix->unit, err);
}

static void make_anew(struct fixture *fix)
{
    for (int i = 0; i < 10; i++)
        fix->job.topic.partitions[0].records[i].value[0] = 'x';
}

static void test_what_was_read_is_looked_at_again(UNUSED void **state)
{
    struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    assert_ok(look(&fix, &err), &err);
    assert_int_equal(fix.witness.mark.offset, 6);
    make_anew(&fix);
    assert_status(look(&fix, &err), ST_DATA);
    assert_string_equal(
        err.text, "topic 'stop_times' partition 0 has another record at offset 6 than "
                  "the log has seen there: the topic was made anew or cut since; give "
                  "the result another path, or start over with tramline init --reset");
    tear_down(&fix);
}

static void test_the_first_look_is_at_what_the_log_has(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    make_anew(&fix);
    assert_status(look(&fix, &err), ST_DATA);
    assert_non_null(strstr(err.text, "another record at offset 4 "));
    tear_down(&fix);
}

static void test_a_topic_that_ends_before_is_another(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix);
    fix.job.topic.partitions[0].high = 4;
    assert_status(look(&fix, &err), ST_DATA);
    assert_non_null(
        strstr(err.text, "ends at offset 4, but the log has read it up to 5"));
    tear_down(&fix);
}

static void test_a_record_that_left_says_nothing(UNUSED void **state)
{
    struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    fix.job.topic.partitions[0].records[4].kind = SIM_HOLE;
    assert_ok(look(&fix, &err), &err);
    assert_int_equal(fix.witness.mark.offset, 6);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_what_was_read_is_looked_at_again),
          cmocka_unit_test(test_the_first_look_is_at_what_the_log_has),
          cmocka_unit_test(test_a_topic_that_ends_before_is_another),
          cmocka_unit_test(test_a_record_that_left_says_nothing))
