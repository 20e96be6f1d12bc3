// SPDX-License-Identifier: Apache-2.0
// What every unit test includes: cmocka, and a main that runs the cases of one file.
// TEST_CASE=keeps_order in the environment runs the cases whose name contains that.
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/str.h"
#include "status_name.h"

#define assert_ok(call, err)                                                         \
    do {                                                                             \
        enum status assert_status_ = (call);                                         \
        if (assert_status_ != ST_OK)                                                 \
            fail_msg("%s: %s: %s", #call, status_name(assert_status_), (err)->text); \
    } while (0)

#define assert_status(call, expected) \
    assert_string_equal(status_name(call), status_name(expected))

#define assert_str(s, text)                                                    \
    do {                                                                       \
        struct str assert_str_ = (s);                                          \
        if (!str_is(assert_str_, (text)))                                      \
            fail_msg("\"%.*s\" is not \"%s\"", STR_ARGS(assert_str_), (text)); \
    } while (0)

// Ends the case; the reason stands at the end of ./dev test.
#define skip_because(...)               \
    do {                                \
        printf("skipped: "__VA_ARGS__); \
        puts("");                       \
        skip();                         \
    } while (0)

// Before the cases: lines of both streams keep their order, only the cases that TEST_CASE
// names run. For a main of one's own, too.
UNUSED static void test_begin(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    static char pattern[256];
    const char *only = getenv("TEST_CASE");
    if (only == NULL)
        return;
    snprintf(pattern, sizeof(pattern), "*%s*", only);
    cmocka_set_test_filter(pattern);
}

#define TEST_MAIN(...) TEST_MAIN_HDFS("", __VA_ARGS__)

// Cases of this pattern want a real HDFS: they run where TRAMLINE_HDFS names one, in
// c_real.
#define TEST_MAIN_HDFS(pattern, ...)                      \
    int main(void)                                        \
    {                                                     \
        const struct CMUnitTest tests[] = {__VA_ARGS__};  \
        test_begin();                                     \
        if (getenv("TRAMLINE_HDFS") == NULL)              \
            cmocka_set_skip_filter(pattern);              \
        return cmocka_run_group_tests(tests, NULL, NULL); \
    }

#endif
