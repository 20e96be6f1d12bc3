// SPDX-License-Identifier: Apache-2.0
// Lines over standard input and output: pieces, the end, limits.
#include "test.h"

#include <fcntl.h>
#include <unistd.h>

#include "job/stdio_lines.h"
#include "job/stop.h"

struct fixture {
    int own[2];  // what stood there before
    int to[2];   // its input
    int from[2]; // its output
    struct stdio_lines stdio;
};

static void set_up(struct fixture *fix, size_t line_max)
{
    struct err err = {0};
    assert_ok(stop_catch(&err), &err);
    assert_int_equal(pipe(fix->to), 0);
    assert_int_equal(pipe(fix->from), 0);
    fflush(stdout);
    for (int i = 0; i < 2; i++)
        fix->own[i] = dup(i);
    dup2(fix->to[0], STDIN_FILENO);
    dup2(fix->from[1], STDOUT_FILENO);
    stdio_lines_open(&fix->stdio, line_max, 200);
}

// Standard output is the test's again: what follows may assert.
static void tear_down(struct fixture *fix)
{
    stdio_lines_close(&fix->stdio);
    for (int i = 0; i < 2; i++) {
        dup2(fix->own[i], i);
        close(fix->own[i]);
        close(fix->to[i]);
        close(fix->from[i]);
    }
}

struct got {
    enum status rc;
    enum line_event event;
    char text[64];
    struct err err;
};

static struct got receive(struct fixture *fix, int64_t timeout_ms)
{
    struct got got = {0};
    struct str line = {0};
    struct lines *lines = &fix->stdio.lines;
    got.rc = lines->ops->receive(lines, timeout_ms, &got.event, &line, &got.err);
    if (got.rc == ST_OK && (got.event == LINE_READ || got.event == LINE_LAST))
        snprintf(got.text, sizeof(got.text), "%.*s", STR_ARGS(line));
    return got;
}

static void put(struct fixture *fix, const char *text)
{
    ssize_t n = write(fix->to[1], text, strlen(text));
    (void)n; // a pipe has room for so little
}

static void test_lines_come_in_pieces(UNUSED void **state)
{
    struct fixture fix;
    struct got got[6];
    set_up(&fix, 1000);
    put(&fix, "one\ntwo\nth");
    got[0] = receive(&fix, 1000);
    got[1] = receive(&fix, 1000);
    got[2] = receive(&fix, 10);
    put(&fix, "ree\n\nlast");
    close(fix.to[1]);
    fix.to[1] = dup(fix.to[0]); // for tear_down
    got[3] = receive(&fix, 1000);
    got[4] = receive(&fix, 1000);
    got[5] = receive(&fix, 1000);
    struct got end = receive(&fix, 1000);
    tear_down(&fix);
    assert_string_equal(got[0].text, "one");
    assert_string_equal(got[1].text, "two");
    assert_int_equal(got[2].event, LINE_NONE);
    assert_string_equal(got[3].text, "three");
    assert_int_equal(got[4].event, LINE_READ);
    assert_string_equal(got[4].text, "");
    assert_int_equal(got[5].event, LINE_LAST);
    assert_string_equal(got[5].text, "last");
    assert_int_equal(end.event, LINE_END);
}

static void test_a_line_has_a_limit(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 10);
    put(&fix, "12345678901");
    struct got got = receive(&fix, 1000);
    tear_down(&fix);
    assert_status(got.rc, ST_DATA);
    assert_string_equal(got.err.text, "standard input: a line is longer than 10 bytes");
}

static void test_what_cannot_be_read(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, 10);
    int fd = open("/", O_RDONLY | O_DIRECTORY);
    dup2(fd, STDIN_FILENO);
    close(fd);
    struct got got = receive(&fix, 1000);
    tear_down(&fix);
    assert_status(got.rc, ST_FAIL);
    assert_string_equal(got.err.text, "cannot read standard input: Is a directory");
}

static void test_nobody_reads(UNUSED void **state)
{
    static char text[1 << 20];
    struct fixture fix;
    struct err err;
    set_up(&fix, 10);
    memset(text, 'x', sizeof(text));
    struct lines *lines = &fix.stdio.lines;
    fix.stdio.send_ms = 1000;
    enum status rc = lines->ops->send(lines, (struct str){text, sizeof(text)}, &err);
    tear_down(&fix);
    assert_status(rc, ST_FAIL);
    assert_string_equal(err.text, "nobody has read standard output for 1 s");
}

static void test_what_cannot_be_written(UNUSED void **state)
{
    struct fixture fix;
    struct err err;
    set_up(&fix, 10);
    int other = open("/dev/full", O_WRONLY);
    dup2(other, STDOUT_FILENO);
    close(other);
    struct lines *lines = &fix.stdio.lines;
    enum status rc = lines->ops->send(lines, STR_LITERAL("a line\n"), &err);
    tear_down(&fix);
    assert_status(rc, ST_FAIL);
    assert_string_equal(err.text,
                        "cannot write to standard output: No space left on device");
}

TEST_MAIN(cmocka_unit_test(test_lines_come_in_pieces),
          cmocka_unit_test(test_a_line_has_a_limit),
          cmocka_unit_test(test_what_cannot_be_read), cmocka_unit_test(test_nobody_reads),
          cmocka_unit_test(test_what_cannot_be_written))
