// SPDX-License-Identifier: Apache-2.0
// When a worker does what: times in, times out.
#include "test.h"

#include "work/pacer.h"

enum {
    NOW = 100000
};

static struct pacer made(void)
{
    struct pacer pacer;
    pacer_init(&pacer);
    return pacer;
}

static void test_without_timers_a_wait_is_a_second(UNUSED void **state)
{
    struct pacer pacer = made();
    assert_int_equal(pacer_next_ms(&pacer, NOW), 1000);
    assert_true(pacer_is_due(&pacer, TIMER_READ, 0));
    assert_false(pacer_is_due(&pacer, TIMER_UNIT, INT64_MAX - 1));
    assert_int_equal(pacer_nap_until(NOW, 50), NOW + 50);
    assert_int_equal(pacer_nap_until(NOW, 9999), NOW + 1000);
}

// The four at the front end a wait, none of the others; one that is over ends it at once.
static void test_the_first_timer_ends_a_wait(UNUSED void **state)
{
    for (enum timer timer = 0; timer < TIMERS_N; timer++) {
        struct pacer pacer = made();
        bool ends = timer <= TIMER_ANSWER;
        pacer_set(&pacer, timer, NOW + 300);
        assert_int_equal(pacer_next_ms(&pacer, NOW), ends ? 300 : 1000);
        assert_int_equal(pacer_next_ms(&pacer, NOW - 5000), 1000);
        assert_false(pacer_is_due(&pacer, timer, NOW + 299));
        assert_true(pacer_is_due(&pacer, timer, NOW + 300));
        if (timer != TIMER_READ) // that it is time to read is no reason not to wait
            assert_int_equal(pacer_next_ms(&pacer, NOW + 400), ends ? 0 : 1000);
    }
    struct pacer pacer = made();
    pacer_set(&pacer, TIMER_READ, NOW + 700);
    pacer_set(&pacer, TIMER_UNIT, NOW + 200);
    pacer_set(&pacer, TIMER_ANSWER, NOW + 50);
    assert_int_equal(pacer_next_ms(&pacer, NOW), 50);
    pacer_set(&pacer, TIMER_ANSWER, PACER_NEVER);
    assert_int_equal(pacer_next_ms(&pacer, NOW), 200);
}

// A partition can only be tried where it is read: else the loop would spin until then.
static void test_what_is_held_back_waits_for_reading(UNUSED void **state)
{
    struct pacer pacer = made();
    pacer_set(&pacer, TIMER_HELD, NOW - 1);
    pacer_set(&pacer, TIMER_READ, NOW + 400);
    assert_int_equal(pacer_next_ms(&pacer, NOW), 400);
    assert_int_equal(pacer_next_ms(&pacer, NOW + 400), 0);
}

static void test_pauses_grow_until_it_goes_well(UNUSED void **state)
{
    static const int64_t expected[] = {100,  200,  400,   800,  1600,
                                       3200, 6400, 10000, 10000};
    struct pacer pacer = made();
    pacer_set(&pacer, TIMER_GOAL, 7);
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        assert_int_equal(pacer_again(&pacer, TIMER_GOAL, NOW), NOW + expected[i]);
        assert_int_equal(pacer_is_first(&pacer, TIMER_GOAL), i == 0);
    }
    assert_true(pacer_is_due(&pacer, TIMER_GOAL, 7)); // whoever asked sets it
    assert_int_equal(pacer_again(&pacer, TIMER_LATE, NOW), NOW + 100); // has its own
    pacer_went_well(&pacer, TIMER_GOAL);
    assert_int_equal(pacer_again(&pacer, TIMER_GOAL, NOW), NOW + 100);
}

static void polled(struct pacer *pacer, enum stream_event_kind kind, bool is_behind,
                   int64_t now_ms)
{
    struct stream_event event = {.kind = kind, .is_behind = is_behind};
    pacer_polled(pacer, &event, now_ms, 500);
}

static void test_a_batch_takes_what_is_there(UNUSED void **state)
{
    struct pacer pacer = made();
    pacer_set(&pacer, TIMER_UNIT, NOW + 300);
    assert_int_equal(pacer_poll_ms(&pacer, NOW), 300); // for one to begin
    polled(&pacer, STREAM_IDLE, true, NOW + 10);
    assert_int_equal(pacer_poll_ms(&pacer, NOW + 10), 290);
    polled(&pacer, STREAM_RUN, false, NOW + 20);
    assert_int_equal(pacer_poll_ms(&pacer, NOW + 20), 0);
    polled(&pacer, STREAM_RUN, false, NOW + 30);
    polled(&pacer, STREAM_IDLE, true, NOW + 40); // more is on its way
    assert_int_equal(pacer_poll_ms(&pacer, NOW + 40), 20);
    polled(&pacer, STREAM_TROUBLE, false, NOW + 50);
    assert_int_equal(pacer_poll_ms(&pacer, NOW + 50), 0);
    assert_true(pacer_is_due(&pacer, TIMER_READ, NOW + 50));
    polled(&pacer, STREAM_IDLE, false, NOW + 60);
    assert_false(pacer_is_due(&pacer, TIMER_READ, NOW + 519)); // it began at 20
    assert_true(pacer_is_due(&pacer, TIMER_READ, NOW + 520));
    assert_int_equal(pacer_poll_ms(&pacer, NOW + 60), 240);
    polled(&pacer, STREAM_RUN, false, NOW + 600); // the next
    pacer_begin(&pacer);
    assert_true(pacer_is_due(&pacer, TIMER_READ, 0));
    assert_int_equal(pacer_poll_ms(&pacer, NOW), 300);
}

TEST_MAIN(cmocka_unit_test(test_without_timers_a_wait_is_a_second),
          cmocka_unit_test(test_the_first_timer_ends_a_wait),
          cmocka_unit_test(test_what_is_held_back_waits_for_reading),
          cmocka_unit_test(test_pauses_grow_until_it_goes_well),
          cmocka_unit_test(test_a_batch_takes_what_is_there))
