// SPDX-License-Identifier: Apache-2.0
// How many processors there are: at least one, and a quota is rounded up.
#include "test.h"

#include <sched.h>

#include "base/cores.h"

static void test_quota_is_rounded_up(UNUSED void **state)
{
    assert_int_equal(cores_of_quota("max 100000\n"), 0);
    assert_int_equal(cores_of_quota("200000 100000\n"), 2);
    assert_int_equal(cores_of_quota("150000 100000\n"), 2);
    assert_int_equal(cores_of_quota("1 100000\n"), 1);
    assert_int_equal(cores_of_quota("9223372036854775807 1\n"), INT32_MAX);
    assert_int_equal(cores_of_quota(""), 0);
    assert_int_equal(cores_of_quota("0 0"), 0);
}

static void test_affinity_counts(UNUSED void **state)
{
    cpu_set_t before, one;
    assert_return_code(sched_getaffinity(0, sizeof(before), &before), 0);
    assert_in_range(cores_available(), 1, CPU_COUNT(&before));
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    assert_return_code(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(cores_available(), 1);
    assert_return_code(sched_setaffinity(0, sizeof(before), &before), 0);
}

TEST_MAIN(cmocka_unit_test(test_quota_is_rounded_up),
          cmocka_unit_test(test_affinity_counts))
