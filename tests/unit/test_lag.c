// SPDX-License-Identifier: Apache-2.0
// The lag, of ends that the stream tells and of those that the topic is asked for.
#include "test.h"

#include <unistd.h>

#include "sim/sim_clock.h"
#include "work/lag.h"

enum {
    N = 3,
    OTHERS = 2, // partitions of another worker: 3 and 4
};

static struct fixture {
    struct stream stream;
    struct topic topic;
    struct sim_clock clock;
    struct engine_status status;
    struct pacer pacer;
    struct lag lag;
    struct span spans[N];
    struct unit unit;
    struct stream_ahead ahead[N]; // what the stream tells
    FILE *said;
    int stderr_fd;
} fix;

static void ahead(UNUSED struct stream *stream, int32_t partition,
                  struct stream_ahead *ret)
{
    *ret = fix.ahead[partition];
}

static const struct stream_ops ops = {.ahead = ahead};

// Ours are 0 to 2, read up to offset 10, the last record written a second before.
static void set_up(bool is_whole)
{
    fix = (struct fixture){.stream = {.ops = &ops}, .topic = {.name = str_of("t")}};
    struct progress log[N + OTHERS];
    sim_clock_init(&fix.clock, 1);
    lag_init(&fix.lag, &(struct lag_parts){
                           .stream = &fix.stream,
                           .topic = &fix.topic,
                           .env = &fix.clock.env,
                           .status = &fix.status,
                           .pacer = &fix.pacer,
                           .is_whole = is_whole,
                       });
    for (int32_t p = 0; p < N + OTHERS; p++)
        log[p] = (struct progress){
            .partition = p, .next = 10, .last = {9, SIM_EPOCH_MS - 1000, 0}};
    lag_reset(&fix.lag, log, N);
    lag_learn(&fix.lag, log, N + OTHERS);
    for (int32_t p = 0; p < N; p++) {
        fix.spans[p] = (struct span){
            .partition = p, .first = 10, .next = 10, .last = {9, SIM_EPOCH_MS - 1000, 0}};
        fix.ahead[p] = (struct stream_ahead){-1, -1};
    }
    fix.unit = (struct unit){.spans = fix.spans, .n_spans = N};
    fix.said = tmpfile();
    fix.stderr_fd = dup(STDERR_FILENO);
    dup2(fileno(fix.said), STDERR_FILENO);
}

static void tear_down(void)
{
    dup2(fix.stderr_fd, STDERR_FILENO);
    close(fix.stderr_fd);
    fclose(fix.said);
    lag_release(&fix.lag);
    board_release(&fix.status.board);
}

// What was said since the last call.
static const char *said(void)
{
    static char text[4096];
    size_t n = 0;
    rewind(fix.said);
    n = fread(text, 1, sizeof(text) - 1, fix.said);
    text[n] = '\0';
    rewind(fix.said);
    assert_int_equal(ftruncate(fileno(fix.said), 0), 0);
    return text;
}

// A worker's steps of so long: how often each partition was asked about. Nobody answers
// but by `end`; -1: the answer is that there is none.
static void pass(int64_t ms, int64_t end, int ret_asked[N + OTHERS])
{
    memset(ret_asked, 0, (N + OTHERS) * sizeof(*ret_asked));
    for (int64_t until_ms = fix.clock.now_ms + ms; fix.clock.now_ms < until_ms;
         fix.clock.now_ms += 50) {
        lag_look(&fix.lag, &fix.unit);
        struct message *message = lag_ask(&fix.lag, &fix.unit, 1);
        if (message == NULL)
            continue;
        struct probe *probe = &message->probes[0];
        assert_int_equal(message->n_probes, 1);
        ret_asked[probe->partition]++;
        probe->is_answered = end >= 0;
        probe->range.high = end;
        probe->time_ms = -1;
        if (end < 0)
            (void)err_set(&message->err, ST_RETRY, "nobody");
        lag_told(&fix.lag, message, &fix.unit);
        message_free(message);
    }
}

static struct board_lag shown(void)
{
    struct board_view view;
    board_read(&fix.status.board, &view);
    struct board_lag lag = board_lag(&view, SIM_EPOCH_MS + fix.clock.now_ms);
    board_view_release(&view);
    return lag;
}

static void test_ends_that_the_stream_tells_are_not_asked_for(UNUSED void **state)
{
    int asked[N + OTHERS];
    set_up(false);
    for (int i = 0; i < N; i++)
        fix.ahead[i].end = 10 + i;
    pass(60000, 50, asked);
    for (int i = 0; i < N; i++)
        assert_int_equal(asked[i], 0);
    assert_int_equal(shown().n_records, 3);
    assert_in_range(shown().ms, 60500, 61000);
    tear_down();
}

// The one that is not told only, each ten seconds.
static void test_an_end_that_is_not_told_is_asked_for(UNUSED void **state)
{
    int asked[N + OTHERS];
    set_up(false);
    fix.ahead[0].end = fix.ahead[2].end = 10;
    pass(60000, 14, asked);
    assert_int_equal(asked[0] + asked[2], 0);
    assert_in_range(asked[1], 5, 20);
    assert_int_equal(shown().n_records, 4);
    fix.ahead[1].end = 12;
    pass(60000, 14, asked);
    assert_int_equal(asked[1], 0);
    assert_int_equal(shown().n_records, 2);
    tear_down();
}

// With a status server partitions of others are asked about, and ours are not.
static void test_those_of_others_are_asked_for(UNUSED void **state)
{
    int asked[N + OTHERS];
    set_up(true);
    for (int i = 0; i < N; i++)
        fix.ahead[i].end = 11;
    pass(10000, 15, asked);
    for (int i = 0; i < N; i++)
        assert_int_equal(asked[i], 0);
    assert_in_range(asked[3], 15, 40);
    assert_in_range(asked[4], 15, 40);
    assert_int_equal(shown().n_records, N * 1 + OTHERS * 5);
    tear_down();
}

// A record that waits in the stream has its age, not that of the last one before a pause.
static void test_the_lag_is_that_of_the_next_record(UNUSED void **state)
{
    int asked[N + OTHERS];
    set_up(true);
    for (int i = 0; i < N; i++)
        fix.ahead[i].end = 10;
    fix.clock.now_ms += 100000;
    pass(1000, 10, asked);
    assert_int_equal(shown().ms, 0);
    fix.ahead[1] = (struct stream_ahead){12, SIM_EPOCH_MS + fix.clock.now_ms - 300};
    pass(1000, 10, asked);
    assert_in_range(shown().ms, 1300, 1400);
    tear_down();
}

static void
test_brokers_that_answer_again_are_said_by_what_is_fetched(UNUSED void **state)
{
    int asked[N + OTHERS];
    set_up(false);
    for (int i = 0; i < N; i++)
        fix.ahead[i].end = 10;
    fix.ahead[1].end = fix.ahead[2].end = -1;
    pass(100000, -1, asked);
    assert_true(asked[1] > 0 && asked[2] > 0);
    const char *text = said();
    assert_memory_equal(text + strlen(text) - strlen("warn  nobody; waiting for them\n"),
                        "warn  nobody; waiting for them\n", 31);
    fix.ahead[1].end = 10;
    pass(1000, -1, asked);
    assert_null(strstr(said(), "again"));
    fix.ahead[2].end = 10;
    pass(1000, -1, asked);
    assert_non_null(strstr(said(), "info  topic 't': its brokers answer again\n"));
    pass(60000, -1, asked);
    assert_string_equal(said(), "");
    tear_down();
}

// By what is fetched, or by whatever else comes; once.
static void test_brokers_that_come_back_are_said_once(UNUSED void **state)
{
    int asked[N + OTHERS];
    set_up(false);
    for (int i = 0; i < N; i++)
        fix.ahead[i].end = 10;
    pass(1000, -1, asked);
    lag_sign(&fix.lag);
    assert_string_equal(said(), "");
    lag_away(&fix.lag);
    pass(1000, -1, asked);
    assert_non_null(strstr(said(), "info  topic 't': its brokers answer again\n"));
    lag_away(&fix.lag);
    lag_reset(&fix.lag, NULL, 0); // the membership is lost
    lag_sign(&fix.lag);
    lag_sign(&fix.lag);
    const char *text = said(), *first = strstr(text, "answer again\n");
    assert_non_null(first);
    assert_null(strstr(first + 1, "answer again\n"));
    tear_down();
}

TEST_MAIN(cmocka_unit_test(test_brokers_that_come_back_are_said_once),
          cmocka_unit_test(test_ends_that_the_stream_tells_are_not_asked_for),
          cmocka_unit_test(test_an_end_that_is_not_told_is_asked_for),
          cmocka_unit_test(test_those_of_others_are_asked_for),
          cmocka_unit_test(test_the_lag_is_that_of_the_next_record),
          cmocka_unit_test(test_brokers_that_answer_again_are_said_by_what_is_fetched))
