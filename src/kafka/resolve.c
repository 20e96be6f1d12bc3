// SPDX-License-Identifier: Apache-2.0
#include "kafka/resolve.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"

// Of two threads, the last of which frees it.
struct question {
    char *node, *service;
    struct addrinfo hints;
    pthread_mutex_t mutex; // of what follows
    pthread_cond_t answered;
    bool is_answered, is_given_up;
    int code, system_error;
    struct addrinfo *found;
};

static struct question *question_new(const char *node, const char *service,
                                     const struct addrinfo *hints)
{
    struct question *q = mem_zalloc(sizeof(*q));
    q->node = mem_strdup(node);
    q->service = mem_strdup(service);
    q->hints = *hints;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->mutex, NULL);
    pthread_cond_init(&q->answered, &attributes);
    pthread_condattr_destroy(&attributes);
    return q;
}

static void question_free(struct question *q)
{
    if (q->found != NULL)
        freeaddrinfo(q->found);
    pthread_cond_destroy(&q->answered);
    pthread_mutex_destroy(&q->mutex);
    free(q->node);
    free(q->service);
    free(q);
}

static void *ask(void *arg)
{
    struct question *q = arg;
    struct addrinfo *found = NULL;
    int code = getaddrinfo(q->node, q->service, &q->hints, &found);
    int system_error = errno;
    pthread_mutex_lock(&q->mutex);
    q->code = code;
    q->system_error = system_error;
    q->found = code == 0 ? found : NULL;
    q->is_answered = true;
    bool is_given_up = q->is_given_up;
    pthread_cond_signal(&q->answered);
    pthread_mutex_unlock(&q->mutex);
    if (is_given_up)
        question_free(q);
    return NULL;
}

// Whether the answer came; otherwise whoever asks for it frees the question.
static bool wait_for_answer(struct question *q, const atomic_bool *is_closing)
{
    pthread_mutex_lock(&q->mutex);
    while (!q->is_answered && !atomic_load(is_closing)) {
        struct timespec until = thread_time_in(RESOLVE_LOOK_MS);
        pthread_cond_timedwait(&q->answered, &q->mutex, &until);
    }
    bool is_answered = q->is_answered;
    q->is_given_up = !is_answered;
    pthread_mutex_unlock(&q->mutex);
    return is_answered;
}

static int look_up(const char *node, const char *service, const struct addrinfo *hints,
                   struct addrinfo **ret, const atomic_bool *is_closing)
{
    struct question *q = question_new(node, service, hints);
    pthread_t thread;
    thread_start(&thread, ask, q);
    pthread_detach(thread);
    if (!wait_for_answer(q, is_closing))
        return EAI_AGAIN;
    int code = q->code;
    *ret = q->found;
    q->found = NULL;
    int system_error = q->system_error;
    question_free(q);
    errno = system_error;
    return code;
}

int resolve(const char *node, const char *service, const struct addrinfo *hints,
            struct addrinfo **ret, const atomic_bool *is_closing)
{
    if (node == NULL) {
        freeaddrinfo(*ret);
        return 0;
    }
    struct addrinfo numeric = *hints; // needs nobody's answer
    numeric.ai_flags |= AI_NUMERICHOST;
    int code = getaddrinfo(node, service, &numeric, ret);
    return code == EAI_NONAME ? look_up(node, service, hints, ret, is_closing) : code;
}
