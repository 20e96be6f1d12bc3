// SPDX-License-Identifier: Apache-2.0
// A bounded queue of pointers between threads.
//
// Pushing and popping never wait: full and empty are answers. A caller with nothing else
// to do waits in queue_wait(). Any thread may call anything; without threads it is a
// plain ring. What is still queued at release is not freed: the owner pops it first.
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct queue; // mutex, condition, ring

struct queue *queue_open(size_t capacity);
bool queue_try_push(struct queue *queue, void *item) MUST_USE; // false: full
void *queue_try_pop(struct queue *queue);                      // NULL: empty
size_t queue_count(struct queue *queue);
// Returns once something is queued, or after timeout_ms, or for a queue_wake().
void queue_wait(struct queue *queue, int64_t timeout_ms);
// Returns after timeout_ms, or for a queue_wake().
void queue_sleep(struct queue *queue, int64_t timeout_ms);
// Ends the wait or sleep that is on, or else the next one.
void queue_wake(struct queue *queue);
void queue_free(struct queue *queue);

#endif
