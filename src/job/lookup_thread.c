// SPDX-License-Identifier: Apache-2.0
#include "job/lookup_thread.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/asker.h"
#include "base/thread.h"
#include "core/env.h"

enum answer_state {
    ANSWER_WANTED,
    ANSWER_THERE
};

// A schema that was asked for; the answer goes to whoever asks next.
struct answer {
    struct question question; // first: an answer is a question
    struct lookup_thread *thread;
    struct schema_key key;
    enum answer_state state;
    struct err err;             // err.status: of the answer
    int64_t asked_ms, there_ms; // monotonic, since when
    struct arena arena;
    struct schema_texts texts; // in the arena
};

struct lookup_thread {
    struct registry *registry; // the asker's
    struct deadline deadline;  // of the registry's requests: the close ends them
    struct asker *asker;
    pthread_mutex_t mutex; // of what follows
    pthread_cond_t there;
    struct answer *answers[LOOKUP_ASKED_MAX]; // oldest first
    size_t n;
};

// One of those that ask by that thread.
struct seat {
    struct schema_lookup lookup; // first member
    struct lookup_thread *thread;
    bool is_first;      // the thread ends with it
    struct arena given; // borrowed by the last caller
};

static void answer_free(struct answer *answer)
{
    if (answer == NULL)
        return;
    arena_release(&answer->arena);
    free(answer);
}

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

static struct answer *find(struct lookup_thread *t, const struct schema_key *key)
{
    for (size_t i = 0; i < t->n; i++)
        if (schema_key_eq(&t->answers[i]->key, key))
            return t->answers[i];
    return NULL;
}

static void take_out(struct lookup_thread *t, const struct answer *answer)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->answers[i] != answer)
            t->answers[kept++] = t->answers[i];
    t->n = kept;
}

static void copy_texts(struct answer *answer, struct schema_texts texts)
{
    struct str *items = arena_array(&answer->arena, texts.n, sizeof(*items));
    for (size_t i = 0; i < texts.n; i++)
        items[i] = arena_str(&answer->arena, texts.items[i]);
    answer->texts = (struct schema_texts){items, texts.n};
}

// Without the lock: nobody else touches an answer that is wanted.
static bool ask(struct question *question)
{
    struct answer *answer = (struct answer *)question;
    struct schema_lookup *registry = registry_lookup(answer->thread->registry);
    struct schema_texts texts;
    answer->err = (struct err){0};
    enum status rc = registry->ops->get(registry, &answer->key, &texts, &answer->err);
    answer->err.status = rc;
    if (rc == ST_OK)
        copy_texts(answer, texts);
    return true;
}

static void answered(struct question *question)
{
    struct answer *answer = (struct answer *)question;
    struct lookup_thread *t = answer->thread;
    pthread_mutex_lock(&t->mutex);
    answer->state = ANSWER_THERE;
    answer->there_ms = now_ms();
    pthread_cond_broadcast(&t->there);
    pthread_mutex_unlock(&t->mutex);
}

// It is freed with the lookup, which is being closed.
static void dropped(UNUSED struct question *question)
{
}

static const struct question_ops answer_ops = {
    .ask = ask,
    .answered = answered,
    .dropped = dropped,
};

// What the registry did not have or could not give, so long ago that it may by now.
static bool is_stale(const struct answer *answer)
{
    return answer->state == ANSWER_THERE && answer->err.status != ST_OK &&
           now_ms() - answer->there_ms > LOOKUP_FRESH_MS;
}

static void make_room(struct lookup_thread *t)
{
    for (size_t i = 0; t->n == LOOKUP_ASKED_MAX && i < t->n; i++) {
        struct answer *answer = t->answers[i];
        if (answer->state != ANSWER_THERE) // nobody came back for it
            continue;
        take_out(t, answer);
        answer_free(answer);
    }
}

// NULL: there are too many questions.
static struct answer *ask_for(struct lookup_thread *t, const struct schema_key *key)
{
    make_room(t);
    if (t->n == LOOKUP_ASKED_MAX)
        return NULL;
    struct answer *answer = mem_zalloc(sizeof(*answer));
    answer->question.ops = &answer_ops;
    answer->thread = t;
    answer->key = *key;
    answer->asked_ms = now_ms();
    t->answers[t->n++] = answer;
    asker_ask(t->asker, &answer->question);
    return answer;
}

static struct answer *find_fresh(struct lookup_thread *t, const struct schema_key *key)
{
    struct answer *answer = find(t, key);
    if (answer == NULL || !is_stale(answer))
        return answer;
    take_out(t, answer);
    answer_free(answer);
    return NULL;
}

static enum status give(struct seat *seat, struct answer *answer,
                        struct schema_texts *ret, struct err *err)
{
    enum status rc = answer->err.status;
    take_out(seat->thread, answer);
    seat->given = answer->arena;
    answer->arena = (struct arena){0};
    *ret = answer->texts;
    if (err != NULL)
        *err = answer->err;
    answer_free(answer);
    return rc;
}

// Whoever waits may find that another seat has taken the answer: then the registry knows
// the schema, or it is asked for again.
static enum status find_or_ask(struct seat *seat, const struct schema_key *key,
                               struct schema_texts *ret, struct err *err)
{
    struct lookup_thread *t = seat->thread;
    struct timespec until = thread_time_in(LOOKUP_PATIENCE_MS);
    for (;;) {
        struct answer *answer = find_fresh(t, key);
        if (answer != NULL && answer->state == ANSWER_THERE)
            return give(seat, answer, ret, err);
        if (answer == NULL) {
            enum status rc = registry_known(t->registry, key, &seat->given, ret, err);
            if (rc != ST_RETRY)
                return rc;
            answer = ask_for(t, key);
        }
        if (answer == NULL || now_ms() - answer->asked_ms >= LOOKUP_PATIENCE_MS ||
            pthread_cond_timedwait(&t->there, &t->mutex, &until) != 0)
            return err_set(err, ST_RETRY, "registry: no answer yet");
    }
}

static enum status get(struct schema_lookup *lookup, const struct schema_key *key,
                       struct schema_texts *ret, struct err *err)
{
    struct seat *seat = (struct seat *)lookup;
    arena_release(&seat->given);
    pthread_mutex_lock(&seat->thread->mutex);
    enum status rc = find_or_ask(seat, key, ret, err);
    pthread_mutex_unlock(&seat->thread->mutex);
    return rc;
}

static void close_thread(struct lookup_thread *t)
{
    deadline_end(&t->deadline);
    asker_close(t->asker);
    for (size_t i = 0; i < t->n; i++)
        answer_free(t->answers[i]);
    registry_close(t->registry);
    pthread_cond_destroy(&t->there);
    pthread_mutex_destroy(&t->mutex);
    free(t);
}

static void close_seat(struct schema_lookup *lookup)
{
    struct seat *seat = (struct seat *)lookup;
    if (seat->is_first)
        close_thread(seat->thread);
    arena_release(&seat->given);
    free(seat);
}

static const struct schema_lookup_ops seat_ops = {
    .get = get,
    .close = close_seat,
};

static struct seat *seat_open(struct lookup_thread *t)
{
    struct seat *seat = mem_zalloc(sizeof(*seat));
    seat->lookup.ops = &seat_ops;
    seat->thread = t;
    return seat;
}

static void init_condition(struct lookup_thread *t)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&t->mutex, NULL);
    pthread_cond_init(&t->there, &attributes);
    pthread_condattr_destroy(&attributes);
}

enum status lookup_thread_open(const struct registry_config *config,
                               struct schema_lookup **ret, struct err *err)
{
    struct lookup_thread *t = mem_zalloc(sizeof(*t));
    struct registry_config own = *config;
    own.deadline = &t->deadline;
    own.rounds = 1;
    enum status rc = registry_open(&own, &t->registry, err);
    if (rc != ST_OK) {
        free(t);
        return rc;
    }
    init_condition(t);
    t->asker = asker_open();
    asker_start(t->asker);
    struct seat *first = seat_open(t);
    first->is_first = true;
    *ret = &first->lookup;
    return ST_OK;
}

struct schema_lookup *lookup_thread_beside(struct schema_lookup *of)
{
    return &seat_open(((struct seat *)of)->thread)->lookup;
}
