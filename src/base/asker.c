// SPDX-License-Identifier: Apache-2.0
#include "base/asker.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/thread.h"

struct asker {
    pthread_mutex_t mutex; // of what follows
    pthread_cond_t wanted;
    struct question *questions; // as they came
    bool is_ending;
    bool has_thread;
    pthread_t thread;
};

struct asker *asker_open(void)
{
    struct asker *asker = mem_zalloc(sizeof(*asker));
    pthread_mutex_init(&asker->mutex, NULL);
    pthread_cond_init(&asker->wanted, NULL);
    return asker;
}

static void add(struct asker *asker, struct question *question)
{
    struct question **end = &asker->questions;
    while (*end != NULL)
        end = &(*end)->next;
    question->next = NULL;
    *end = question;
}

static void take_out(struct asker *asker, const struct question *question)
{
    struct question **at = &asker->questions;
    while (*at != question)
        at = &(*at)->next;
    *at = question->next;
}

static struct question *most_urgent(const struct asker *asker)
{
    struct question *found = asker->questions;
    for (struct question *q = found; q != NULL; q = q->next)
        if (q->rank < found->rank)
            found = q;
    return found;
}

void asker_ask(struct asker *asker, struct question *question)
{
    pthread_mutex_lock(&asker->mutex);
    bool is_ending = asker->is_ending;
    if (!is_ending)
        add(asker, question);
    pthread_cond_signal(&asker->wanted);
    pthread_mutex_unlock(&asker->mutex);
    if (is_ending)
        question->ops->dropped(question);
}

void asker_end(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    asker->is_ending = true;
    pthread_cond_signal(&asker->wanted);
    pthread_mutex_unlock(&asker->mutex);
}

static void drop_all(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    struct question *next, *question = asker->questions;
    asker->questions = NULL;
    pthread_mutex_unlock(&asker->mutex);
    for (; question != NULL; question = next) {
        next = question->next;
        question->ops->dropped(question);
    }
}

static struct question *choose(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    struct question *question = asker->is_ending ? NULL : most_urgent(asker);
    pthread_mutex_unlock(&asker->mutex);
    return question;
}

static void give_back(struct asker *asker, struct question *question)
{
    pthread_mutex_lock(&asker->mutex);
    take_out(asker, question);
    pthread_mutex_unlock(&asker->mutex);
    question->ops->answered(question);
}

bool asker_step(struct asker *asker)
{
    struct question *question = choose(asker);
    if (question == NULL)
        return false;
    if (question->ops->ask(question))
        give_back(asker, question);
    return true;
}

bool asker_is_idle(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    bool is_idle = asker->questions == NULL && !asker->is_ending;
    pthread_mutex_unlock(&asker->mutex);
    return is_idle;
}

bool asker_has_ended(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    bool has_ended = asker->is_ending;
    pthread_mutex_unlock(&asker->mutex);
    return has_ended;
}

static void wait_for_question(struct asker *asker)
{
    pthread_mutex_lock(&asker->mutex);
    while (asker->questions == NULL && !asker->is_ending)
        pthread_cond_wait(&asker->wanted, &asker->mutex);
    pthread_mutex_unlock(&asker->mutex);
}

static void *serve(void *context)
{
    struct asker *asker = context;
    while (!asker_has_ended(asker))
        if (!asker_step(asker))
            wait_for_question(asker);
    drop_all(asker);
    return NULL;
}

void asker_start(struct asker *asker)
{
    asker->has_thread = true;
    thread_start(&asker->thread, serve, asker);
}

void asker_join(struct asker *asker)
{
    asker_end(asker);
    if (asker->has_thread)
        pthread_join(asker->thread, NULL);
    asker->has_thread = false;
    drop_all(asker);
}

void asker_close(struct asker *asker)
{
    if (asker == NULL)
        return;
    asker_join(asker);
    pthread_cond_destroy(&asker->wanted);
    pthread_mutex_destroy(&asker->mutex);
    free(asker);
}
