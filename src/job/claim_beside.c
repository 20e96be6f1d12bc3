// SPDX-License-Identifier: Apache-2.0
#include "job/claim_beside.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/thread.h"
#include "core/env.h"
#include "job/stop.h"
#include "job/tables.h"

enum {
    ALL_MS = 60000,  // after that what it has made is too old
    READY_MS = 1000, // once the tables are ready
    LAST_MS = 500,   // for the call that is on, when nobody wants it any more
    DROP_MS = 2000
};

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

// The other entry, on a thread of its own.
struct writing {
    struct prepared_entry *entry;
    struct storage *storage;
    enum status rc;
    struct err err;
};

static void *write_thread(void *arg)
{
    struct writing *writing = arg;
    writing->rc = prepared_entry_write(writing->entry, writing->storage, &writing->err);
    return NULL;
}

// Side by side: most of a write is a wait for the storage.
static enum status write_entries(struct claim_beside *beside, struct err *err)
{
    struct prepared_claim *claim = beside->claim;
    struct writing writing = {.entry = claim->job, .storage = beside->parts.uploads};
    pthread_t thread;
    if (claim->job != NULL)
        thread_start(&thread, write_thread, &writing);
    enum status rc = prepared_entry_write(claim->claim, beside->parts.storage, err);
    if (claim->job != NULL)
        pthread_join(thread, NULL);
    TRY(rc);
    if (writing.rc != ST_OK && err != NULL)
        *err = writing.err;
    return writing.rc;
}

static bool is_unwanted(struct claim_beside *beside)
{
    return atomic_load(&beside->is_unwanted) ||
           deadline_is_over(&beside->deadline, now_ms());
}

static enum status prepare(struct claim_beside *beside, struct err *err)
{
    struct prepared_claim *claim = beside->claim;
    struct storage *storage = beside->parts.storage;
    claim->has_files = beside->parts.slot->is_left; // a crash here may have left some
    if (claim->has_files)
        TRY(prepared_claim_remove(claim, storage, err));
    TRY(prepared_claim_read(claim, &beside->job, storage, err));
    if (is_unwanted(beside) || !storage->renames || !storage->exclusive)
        return ST_OK;
    TRY(tables_version(&beside->pipeline, beside->version, err));
    beside->job.dimension = str_of(beside->version);
    TRY(prepared_claim_make(claim, &beside->job, beside->parts.topic, env_system(), err));
    if (claim->claim == NULL || is_unwanted(beside))
        return ST_OK;
    return write_entries(beside, err);
}

static void *prepare_thread(void *arg)
{
    struct claim_beside *beside = arg;
    struct err err;
    const uint64_t one = 1;
    if (prepare(beside, &err) != ST_OK)
        log_debug("the claim is not prepared: %s", err.text);
    ssize_t n = write(beside->done_fd, &one, sizeof(one));
    (void)n; // it is the first
    return NULL;
}

static void lend(struct claim_beside *beside, const struct deadline *deadline)
{
    beside->parts.storage->deadline = deadline;
    beside->parts.uploads->deadline = deadline;
}

void claim_beside_begin(struct claim_beside *beside,
                        const struct claim_beside_parts *parts)
{
    struct err ignored; // without a descriptor there is nothing beside
    *beside = (struct claim_beside){
        .parts = *parts,
        .pipeline = *parts->pipeline,
        .job = *parts->job,
        .topic_deadline = parts->topic->deadline,
        .done_fd = -1,
    };
    if (stop_open_event(&beside->done_fd, &ignored) != ST_OK)
        return;
    beside->claim = mem_zalloc(sizeof(*beside->claim));
    if (parts->slot->kept != NULL)
        memcpy(beside->claim->folder, parts->slot->kept, UUID_TEXT);
    deadline_set(&beside->deadline, now_ms() + ALL_MS);
    beside->pipeline.deadline = &beside->deadline;
    parts->topic->deadline = &beside->deadline;
    lend(beside, &beside->deadline);
    thread_start(&beside->thread, prepare_thread, beside);
}

// A signal ends it.
static void wait_for_it(const struct claim_beside *beside, int64_t until_ms)
{
    struct pollfd events[] = {{.fd = beside->done_fd, .events = POLLIN},
                              {.fd = stop_fd(), .events = POLLIN}};
    for (int64_t ms = 0; (ms = until_ms - now_ms()) > 0;)
        if (poll(events, ARRAY_LEN(events), (int)ms) > 0)
            return;
}

static void join(struct claim_beside *beside, bool is_wanted)
{
    atomic_store(&beside->is_unwanted, !is_wanted);
    if (is_wanted) {
        wait_for_it(beside, now_ms() + READY_MS);
        atomic_store(&beside->is_unwanted, true);
    }
    deadline_set(&beside->deadline, now_ms() + LAST_MS);
    pthread_join(beside->thread, NULL);
    close(beside->done_fd);
    beside->parts.topic->deadline = beside->topic_deadline;
    lend(beside, beside->parts.pipeline->deadline);
}

void claim_beside_end(struct claim_beside *beside, bool is_wanted,
                      struct prepared_claim **ret)
{
    *ret = NULL;
    if (beside->done_fd < 0)
        return;
    join(beside, is_wanted);
    if (is_wanted) {
        *ret = beside->claim;
        return;
    }
    claim_beside_drop(beside->parts.storage, beside->claim);
    prepared_claim_release(beside->claim);
    free(beside->claim);
}

void claim_beside_drop(struct storage *storage, struct prepared_claim *claim)
{
    const struct deadline *before = storage->deadline;
    struct deadline deadline = {0};
    struct err err;
    if (claim == NULL || !claim->has_files)
        return;
    deadline_set(&deadline, now_ms() + DROP_MS);
    storage->deadline = &deadline;
    if (prepared_claim_remove(claim, storage, &err) != ST_OK)
        log_debug("%s", err.text);
    storage->deadline = before;
}
