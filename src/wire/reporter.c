// SPDX-License-Identifier: Apache-2.0
#include "wire/reporter.h"

#include <stdlib.h>

#include "wire/offsets.h"

enum {
    TRIES_MAX = 20,
    PAUSE_MS = 100, // before the next try
};

void wire_reporter_init(struct wire_reporter *reporter, struct wire_cluster *cluster,
                        const char *group)
{
    *reporter = (struct wire_reporter){
        .cluster = cluster, .group = mem_strdup(group), .coordinator = -1};
}

void wire_reporter_release(struct wire_reporter *reporter)
{
    free(reporter->next);
    free(reporter->group);
    *reporter = (struct wire_reporter){0};
}

static void put(struct wire_reporter *reporter, struct stream_start next)
{
    for (size_t i = 0; i < reporter->n; i++) {
        if (reporter->next[i].partition == next.partition) {
            reporter->next[i] = next;
            return;
        }
    }
    MEM_GROW(reporter->next, reporter->n, reporter->capacity);
    reporter->next[reporter->n++] = next;
}

void wire_reporter_tell(struct wire_reporter *reporter, const struct stream_start *next,
                        size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(reporter, next[i]);
    reporter->is_due |= n > 0;
    reporter->n_tries = 0;
}

bool wire_reporter_is_busy(const struct wire_reporter *reporter)
{
    return reporter->asked != NULL || reporter->is_due;
}

static bool knows(const struct wire_broker *broker, enum wire_api api)
{
    return wire_connection_version(&broker->connection, api) >= 0;
}

static void find_coordinator(struct wire_reporter *reporter, int64_t now_ms)
{
    struct wire_broker *broker = wire_cluster_any(reporter->cluster);
    size_t begin;
    if (broker == NULL)
        return;
    if (!knows(broker, WIRE_FIND_COORDINATOR)) {
        reporter->is_due = false;
        return;
    }
    struct buf *out =
        wire_call_begin(&broker->connection, WIRE_FIND_COORDINATOR, 0, &begin);
    wire_coordinator_ask(out, str_of(reporter->group));
    wire_call_end(&broker->connection, begin, wire_broker_quiet_ms(broker, now_ms),
                  now_ms);
    reporter->asked = broker;
}

// A coordinator that is only being found, loads its group or cannot be reached: the same
// once more.
static void try_again(struct wire_reporter *reporter, int64_t now_ms)
{
    reporter->coordinator = -1;
    reporter->is_due = ++reporter->n_tries < TRIES_MAX;
    reporter->again_at_ms = now_ms + PAUSE_MS;
}

static void commit(struct wire_reporter *reporter, struct wire_broker *broker,
                   int64_t now_ms)
{
    size_t begin;
    wire_connection_open(&broker->connection, now_ms);
    if (broker->connection.state == WIRE_CLOSED)
        try_again(reporter, now_ms);
    if (!wire_connection_can_call(&broker->connection))
        return;
    reporter->is_due = false;
    if (!knows(broker, WIRE_OFFSET_COMMIT))
        return;
    AUTO(arena_release) struct arena arena = {0};
    struct wire_identity identity = {
        .group = str_of(reporter->group), .member = STR_LITERAL(""), .generation = -1};
    if (reporter->membership != NULL &&
        !wire_group_identity(reporter->membership, &arena, &identity))
        return;
    struct buf *out = wire_call_begin(&broker->connection, WIRE_OFFSET_COMMIT, 0, &begin);
    wire_commit_ask(out, &identity, str_of(reporter->cluster->topic), reporter->next,
                    reporter->n);
    wire_call_end(&broker->connection, begin, wire_broker_quiet_ms(broker, now_ms),
                  now_ms);
    reporter->asked = broker;
}

void wire_reporter_work(struct wire_reporter *reporter, int64_t now_ms)
{
    if (reporter->asked != NULL && reporter->asked->connection.state != WIRE_READY) {
        reporter->asked = NULL;
        try_again(reporter, now_ms);
    }
    if (reporter->asked != NULL || !reporter->is_due || now_ms < reporter->again_at_ms)
        return;
    struct wire_broker *broker =
        wire_cluster_find(reporter->cluster, reporter->coordinator);
    if (broker != NULL)
        commit(reporter, broker, now_ms);
    else
        find_coordinator(reporter, now_ms);
}

static bool take_coordinator(struct wire_reporter *reporter, struct str body)
{
    struct wire_coordinator found;
    if (wire_coordinator_read(body, &found, NULL) != ST_OK || found.code != WIRE_OK ||
        !wire_cluster_is_broker(found.id, found.host, found.port))
        return false;
    wire_cluster_put(reporter->cluster, found.id, found.host, found.port);
    reporter->coordinator = found.id;
    return true;
}

static bool is_about_coordinator(int16_t code)
{
    return code == WIRE_COORDINATOR_LOADS || code == WIRE_COORDINATOR_NOT_AVAILABLE ||
           code == WIRE_NOT_COORDINATOR;
}

void wire_reporter_take(struct wire_reporter *reporter, const struct wire_call *call,
                        struct str body, int64_t now_ms)
{
    int16_t code;
    reporter->asked = NULL;
    bool is_taken =
        call->api == WIRE_FIND_COORDINATOR
            ? take_coordinator(reporter, body)
            : wire_commit_read(body, &code, NULL) == ST_OK && !is_about_coordinator(code);
    if (!is_taken)
        try_again(reporter, now_ms);
}
