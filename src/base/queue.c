// SPDX-License-Identifier: Apache-2.0
#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    void **items; // a ring
    size_t capacity;
    size_t first;
    size_t n;
    bool is_woken;
};

struct queue *queue_open(size_t capacity)
{
    struct queue *queue = mem_zalloc(sizeof(*queue));
    queue->items = mem_array(capacity, sizeof(void *));
    queue->capacity = capacity;
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->filled, &attr);
    pthread_condattr_destroy(&attr);
    return queue;
}

bool queue_try_push(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->mutex);
    bool room = queue->n < queue->capacity;
    if (room) {
        queue->items[(queue->first + queue->n++) % queue->capacity] = item;
        pthread_cond_signal(&queue->filled);
    }
    pthread_mutex_unlock(&queue->mutex);
    return room;
}

void *queue_try_pop(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    void *item = NULL;
    if (queue->n) {
        item = queue->items[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->n--;
    }
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

size_t queue_count(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    size_t n = queue->n;
    pthread_mutex_unlock(&queue->mutex);
    return n;
}

static void wait_until(struct queue *queue, struct timespec end, bool ends_by_item)
{
    pthread_mutex_lock(&queue->mutex);
    int rc = 0;
    while (!(ends_by_item && queue->n) && !queue->is_woken && rc == 0)
        rc = pthread_cond_timedwait(&queue->filled, &queue->mutex, &end);
    queue->is_woken = false;
    pthread_mutex_unlock(&queue->mutex);
}

void queue_wait(struct queue *queue, int64_t timeout_ms)
{
    wait_until(queue, thread_time_in(timeout_ms), true);
}

void queue_sleep(struct queue *queue, int64_t timeout_ms)
{
    wait_until(queue, thread_time_in(timeout_ms), false);
}

void queue_wake(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->is_woken = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_mutex_unlock(&queue->mutex);
}

void queue_free(struct queue *queue)
{
    if (queue == NULL)
        return;
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->mutex);
    free(queue->items);
    free(queue);
}
