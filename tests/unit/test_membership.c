// SPDX-License-Identifier: Apache-2.0
// From partitions that are given to partitions that are read: what is to be done next,
// for each answer. Values in, values out.
#include "test.h"

#include "base/log.h"
#include "job_settings.h"
#include "work/membership.h"

enum {
    NOW = 5000
};

struct fixture {
    struct job_settings settings;
    struct membership membership;
};

static void set_up(struct fixture *fix)
{
    *fix = (struct fixture){.settings = job_settings_default()};
    membership_init(&fix->membership, &fix->settings);
    log_set_level(LOG_ERROR);
}

static void tear_down(struct fixture *fix)
{
    membership_release(&fix->membership);
    log_set_level(LOG_INFO);
}

static void assert_next(const struct fixture *fix, enum membership_act act)
{
    assert_int_equal(membership_next(&fix->membership), act);
}

// That is next, and is done.
static void do_next(struct fixture *fix, enum membership_act act)
{
    assert_next(fix, act);
    membership_done(&fix->membership);
}

// As the committer answers, of entries up to there.
static void tell_log(struct fixture *fix, int64_t next_entry,
                     const struct progress *progress, size_t n)
{
    struct message *message = message_new(TELL_STATE, fix->membership.generation);
    message->next_entry = next_entry;
    message->progress = arena_array(&message->arena, n, sizeof(*progress));
    if (n)
        memcpy(message->progress, progress, n * sizeof(*progress));
    message->n_progress = n;
    membership_log(&fix->membership, message, NOW);
    message_free(message);
}

// The question that is next, answered for all partitions but one (-1: for all): each has
// offsets [low, high), low = 100 + partition.
static bool tell_topic(struct fixture *fix, int32_t silent, int64_t now_ms)
{
    assert_next(fix, MEMBERSHIP_ASK_TOPIC);
    struct message *message = membership_probes(&fix->membership);
    membership_done(&fix->membership);
    assert_next(fix, MEMBERSHIP_WAIT);
    for (size_t i = 0; i < message->n_probes; i++) {
        struct probe *probe = &message->probes[i];
        probe->is_answered = probe->partition != silent;
        probe->count = 3;
        probe->range = (struct topic_range){100 + probe->partition, 200};
        probe->offset = 150 + probe->partition;
    }
    if (silent >= 0)
        (void)err_set(&message->err, ST_RETRY, "no answer");
    bool is_whole = membership_told(&fix->membership, message, now_ms);
    message_free(message);
    return is_whole;
}

static void assert_starts(const struct fixture *fix, const struct stream_start *expected,
                          size_t n)
{
    AUTO(arena_release) struct arena arena = {0};
    struct stream_start *starts = membership_starts(&fix->membership, &arena);
    assert_int_equal(fix->membership.n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(starts[i].partition, expected[i].partition);
        assert_int_equal(starts[i].offset, expected[i].offset);
    }
}

// Claims and is told the writer's name; then reads.
static void claim_and_start(struct fixture *fix)
{
    do_next(fix, MEMBERSHIP_ASK_CLAIM);
    assert_next(fix, MEMBERSHIP_WAIT);
    struct message *message = message_new(TELL_CLAIMED, fix->membership.generation);
    message->writer = str_of("w1");
    membership_claimed(&fix->membership, message);
    message_free(message);
    do_next(fix, MEMBERSHIP_START_STREAM);
    assert_next(fix, MEMBERSHIP_WAIT);
    assert_int_equal(fix->membership.phase, MEMBERSHIP_READING);
    assert_string_equal(fix->membership.writer, "w1");
}

static const struct progress of_log[] = {
    {.partition = 0, .next = 110, .last = {109, 77, 5}},
    {.partition = 1, .next = 190, .last = {189, 78, 6}},
};

// What the log knows is checked and read from there; what it does not, from its
// beginning.
static void test_the_log_says_where_to_start(UNUSED void **state)
{
    static struct fixture fix;
    set_up(&fix);
    assert_next(&fix, MEMBERSHIP_WAIT);
    membership_given(&fix.membership, (int32_t[]){0, 2}, 2);
    do_next(&fix, MEMBERSHIP_ASK_LOG);
    assert_next(&fix, MEMBERSHIP_WAIT);
    tell_log(&fix, 5, of_log, 2);
    struct message *message = membership_probes(&fix.membership);
    assert_int_equal(message->n_probes, 2);
    assert_int_equal(message->probes[0].kind, PROBE_CHECK);
    assert_int_equal(message->probes[0].next, 110);
    assert_int_equal(message->probes[0].last.offset, 109);
    assert_int_equal(message->probes[1].next, -1);
    assert_int_equal(message->probes[1].last.offset, -1);
    message_free(message);
    assert_true(tell_topic(&fix, -1, NOW));
    message = membership_claim(&fix.membership);
    assert_int_equal(message->next_entry, 5);
    assert_int_equal(message->n_starts, 2);
    assert_int_equal(message->n_origins, 0);
    message_free(message);
    assert_starts(&fix, (struct stream_start[]){{0, 110, {0}}, {2, 102, {0}}}, 2);
    claim_and_start(&fix);
    tear_down(&fix);
}

static void check_origins(enum start start, int64_t first)
{
    static struct fixture fix;
    set_up(&fix);
    fix.settings.start = start;
    membership_given(&fix.membership, (int32_t[]){1}, 1);
    do_next(&fix, MEMBERSHIP_ASK_LOG);
    tell_log(&fix, 0, NULL, 0);
    assert_true(tell_topic(&fix, -1, NOW)); // how many: 3
    struct message *message = membership_probes(&fix.membership);
    assert_int_equal(message->n_probes, 3);
    message_free(message);
    assert_false(tell_topic(&fix, 2, NOW)); // one has no answer
    assert_false(tell_topic(&fix, 2, NOW + 60000));
    message = membership_probes(&fix.membership);
    assert_int_equal(message->n_probes, 1); // only that one is asked again
    assert_int_equal(message->probes[0].partition, 2);
    message_free(message);
    assert_true(tell_topic(&fix, -1, NOW + 60000));
    assert_true(tell_topic(&fix, -1, NOW + 60000)); // the check
    message = membership_claim(&fix.membership);
    assert_int_equal(message->next_entry, 0);
    assert_int_equal(message->n_origins, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(message->origins[i].partition, i);
        int64_t rise = start == START_LATEST ? 0 : i;
        assert_int_equal(message->origins[i].offset, first + rise);
    }
    message_free(message);
    int64_t rise = start == START_LATEST ? 0 : 1;
    assert_starts(&fix, (struct stream_start[]){{1, first + rise, {0}}}, 1);
    claim_and_start(&fix);
    tear_down(&fix);
}

// With no log entry 0 says where each partition begins, also those of others.
static void test_an_empty_log_fixes_the_start_of_all(UNUSED void **state)
{
    check_origins(START_EARLIEST, 100);
    check_origins(START_LATEST, 200);
    check_origins(START_TIME, 150);
}

// After two seconds those that answer are read, and the others asked about.
static void test_partitions_without_answer_are_late(UNUSED void **state)
{
    static struct fixture fix;
    set_up(&fix);
    membership_given(&fix.membership, (int32_t[]){0, 1, 2}, 3);
    do_next(&fix, MEMBERSHIP_ASK_LOG);
    tell_log(&fix, 5, of_log, 2);
    assert_false(tell_topic(&fix, 1, NOW + 1999));
    assert_true(tell_topic(&fix, 1, NOW + 2000));
    assert_starts(&fix, (struct stream_start[]){{0, 110, {0}}, {2, 102, {0}}}, 2);
    claim_and_start(&fix);
    struct message *message = membership_ask_late(&fix.membership);
    assert_int_equal(message->n_probes, 1);
    assert_int_equal(message->probes[0].partition, 1);
    message_free(message);
    membership_again(&fix.membership); // it answers now
    assert_int_equal(fix.membership.n, 3);
    assert_int_equal(fix.membership.n_late, 0);
    do_next(&fix, MEMBERSHIP_STOP_STREAM);
    do_next(&fix, MEMBERSHIP_ASK_LOG);
    tell_log(&fix, 5, of_log, 2);
    assert_true(tell_topic(&fix, -1, NOW));
    assert_starts(
        &fix, (struct stream_start[]){{0, 110, {0}}, {1, 190, {0}}, {2, 102, {0}}}, 3);
    tear_down(&fix);
}

// Without any that answers there is nothing to read without.
static void test_nothing_is_claimed_while_none_answers(UNUSED void **state)
{
    static struct fixture fix;
    set_up(&fix);
    membership_given(&fix.membership, (int32_t[]){1}, 1);
    do_next(&fix, MEMBERSHIP_ASK_LOG);
    tell_log(&fix, 5, of_log, 2);
    for (int i = 0; i < 100; i++)
        assert_false(tell_topic(&fix, 1, NOW + 10000 * i));
    assert_true(tell_topic(&fix, -1, NOW));
    assert_next(&fix, MEMBERSHIP_ASK_CLAIM);
    tear_down(&fix);
}

// At whatever moment partitions come, go or are taken by somebody else.
static void test_what_was_asked_before_does_not_count(UNUSED void **state)
{
    static struct fixture fix;
    for (int at = 0; at < 4; at++) {
        set_up(&fix);
        membership_given(&fix.membership, (int32_t[]){0}, 1);
        if (at > 0)
            do_next(&fix, MEMBERSHIP_ASK_LOG);
        if (at > 1)
            tell_log(&fix, 5, of_log, 2);
        if (at > 2)
            (void)tell_topic(&fix, -1, NOW);
        int64_t before = fix.membership.generation;
        assert_true(membership_forget(&fix.membership) > before);
        membership_given(&fix.membership, (int32_t[]){1, 2}, 2);
        do_next(&fix, MEMBERSHIP_ASK_LOG);
        membership_again(&fix.membership);
        do_next(&fix, MEMBERSHIP_STOP_STREAM);
        do_next(&fix, MEMBERSHIP_ASK_LOG);
        membership_let_go(&fix.membership);
        assert_int_equal(fix.membership.n, 0);
        do_next(&fix, MEMBERSHIP_STOP_STREAM);
        assert_next(&fix, MEMBERSHIP_WAIT);
        assert_int_equal(fix.membership.phase, MEMBERSHIP_NONE);
        membership_given(&fix.membership, NULL, 0); // more members than partitions
        do_next(&fix, MEMBERSHIP_START_STREAM);
        tear_down(&fix);
    }
}

static void test_a_unit_moves_the_positions(UNUSED void **state)
{
    static struct fixture fix;
    struct span spans[] = {{.partition = 0, .next = 150, .last = {149, 1, 2}},
                           {.partition = 2, .next = 130, .last = {129, 3, 4}}};
    set_up(&fix);
    membership_given(&fix.membership, (int32_t[]){0, 2}, 2);
    do_next(&fix, MEMBERSHIP_ASK_LOG);
    tell_log(&fix, 5, of_log, 2);
    assert_true(tell_topic(&fix, -1, NOW));
    claim_and_start(&fix);
    membership_keep(&fix.membership, &(struct unit){.spans = spans, .n_spans = 2});
    membership_start_again(&fix.membership);
    assert_starts(&fix, (struct stream_start[]){{0, 150, {0}}, {2, 130, {0}}}, 2);
    do_next(&fix, MEMBERSHIP_START_STREAM);
    assert_next(&fix, MEMBERSHIP_WAIT);
    tear_down(&fix);
}

static void test_pauses_after_conflicts_grow(UNUSED void **state)
{
    static const int64_t expected[] = {200,  400,   800,   1600, 3200,
                                       6400, 12800, 25600, 25600};
    static struct fixture fix;
    set_up(&fix);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_int_equal(membership_conflict(&fix.membership), expected[i]);
    membership_committed(&fix.membership);
    assert_int_equal(membership_conflict(&fix.membership), 200);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_the_log_says_where_to_start),
          cmocka_unit_test(test_an_empty_log_fixes_the_start_of_all),
          cmocka_unit_test(test_partitions_without_answer_are_late),
          cmocka_unit_test(test_nothing_is_claimed_while_none_answers),
          cmocka_unit_test(test_what_was_asked_before_does_not_count),
          cmocka_unit_test(test_a_unit_moves_the_positions),
          cmocka_unit_test(test_pauses_after_conflicts_grow))
