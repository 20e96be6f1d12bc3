// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <pthread.h>
#include <time.h>

#include "base/queue.h"
#include "core/env.h"

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static void test_keeps_order_and_its_limit(UNUSED void **state)
{
    int items[3];
    struct queue *queue = queue_open(2);
    for (int round = 0; round < 3; round++) { // around the ring
        assert_null(queue_try_pop(queue));
        assert_true(queue_try_push(queue, &items[0]));
        assert_true(queue_try_push(queue, &items[1]));
        assert_false(queue_try_push(queue, &items[2]));
        assert_int_equal(queue_count(queue), 2);
        assert_ptr_equal(queue_try_pop(queue), &items[0]);
        assert_ptr_equal(queue_try_pop(queue), &items[1]);
    }
    queue_free(queue);
}

static void test_waiting_ends_by_time(UNUSED void **state)
{
    struct queue *queue = queue_open(1);
    queue_wait(queue, 0);
    queue_wait(queue, 1);
    queue_free(queue);
}

enum {
    N_ITEMS = 20000
};

static void *push_all(void *arg)
{
    static char items[N_ITEMS];
    for (int i = 0; i < N_ITEMS;)
        i += queue_try_push(arg, &items[i]);
    return items;
}

static void test_wakes_who_waits(UNUSED void **state)
{
    struct queue *queue = queue_open(4);
    pthread_t thread;
    void *first = NULL;
    assert_int_equal(pthread_create(&thread, NULL, push_all, queue), 0);
    for (int i = 0; i < N_ITEMS; i++) {
        char *item;
        while ((item = queue_try_pop(queue)) == NULL)
            queue_wait(queue, 60000);
        first = i == 0 ? item : first;
        assert_ptr_equal(item, (char *)first + i);
    }
    pthread_join(thread, NULL);
    queue_free(queue);
}

static void *wake_after_a_moment(void *queue)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    queue_wake(queue);
    return NULL;
}

// Without an item; the wait and the sleep that are on, or the next one, and only that.
static void test_a_wake_ends_one_wait(UNUSED void **state)
{
    static char item;
    struct queue *queue = queue_open(1);
    pthread_t thread;
    int64_t began_ms = now_ms();
    assert_int_equal(pthread_create(&thread, NULL, wake_after_a_moment, queue), 0);
    queue_wait(queue, 60000);
    pthread_join(thread, NULL);
    assert_int_equal(pthread_create(&thread, NULL, wake_after_a_moment, queue), 0);
    queue_sleep(queue, 60000);
    pthread_join(thread, NULL);
    queue_wake(queue);
    queue_sleep(queue, 60000);
    assert_true(now_ms() - began_ms < 50000);
    began_ms = now_ms();
    assert_true(queue_try_push(queue, &item));
    queue_sleep(queue, 200); // neither an item nor the wake of before
    assert_true(now_ms() - began_ms >= 200);
    assert_ptr_equal(queue_try_pop(queue), &item);
    queue_free(queue);
}

TEST_MAIN(cmocka_unit_test(test_keeps_order_and_its_limit),
          cmocka_unit_test(test_waiting_ends_by_time),
          cmocka_unit_test(test_wakes_who_waits),
          cmocka_unit_test(test_a_wake_ends_one_wait))
