// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "wire/admin.h"
#include "wire/lookup_parts.h"
#include "wire/offsets.h"

enum {
    ANY_NUMBER = -1, // of partitions
};

// ---- a new topic

struct creation {
    struct str topic;
    struct wire_shape wanted;
    int timeout_ms;
};

static void put_create(const void *arg, UNUSED int16_t version, struct buf *out)
{
    const struct creation *creation = arg;
    wire_create_ask(out, creation->topic, creation->wanted.partitions,
                    creation->wanted.replication, creation->timeout_ms);
}

static enum status status_of_creation(int16_t code)
{
    switch (code) {
    case WIRE_OK:
        return ST_OK;
    case WIRE_TOPIC_ALREADY_EXISTS:
        return ST_EXISTS;
    case WIRE_INVALID_PARTITIONS:
    case WIRE_INVALID_REPLICATION_FACTOR:
    case WIRE_INVALID_TOPIC:
        return ST_USAGE;
    default:
        return wire_lookup_passes(code) ? ST_RETRY : ST_FAIL;
    }
}

static enum status create(struct wire_lookup *lookup, const struct creation *creation,
                          int64_t end_ms, struct err *err)
{
    const struct wire_question question = {.api = WIRE_CREATE_TOPICS,
                                           .put = put_create,
                                           .arg = creation,
                                           .wait_ms = creation->timeout_ms};
    int16_t version, code;
    struct str body, text;
    struct wire_shape shape;
    TRY(wire_lookup_look(lookup, end_ms, &shape, &code, err)); // names the controller
    bool is_there =
        wire_cluster_find(&lookup->asking.cluster, lookup->controller) != NULL;
    TRY(wire_ask(&lookup->asking, is_there ? lookup->controller : WIRE_ANY, &question,
                 end_ms, &version, &body, err));
    TRY(wire_create_read(body, &code, &text, err));
    if (code == WIRE_OK)
        return ST_OK;
    char visible[256];
    const struct wire_error name = wire_error_name(code);
    size_t n = text_visible(text, visible, sizeof(visible));
    return err_set(err, status_of_creation(code), "topic '%s' on %s: %s%s%.*s",
                   wire_lookup_topic(lookup), lookup->asking.cluster.addresses, name.text,
                   n > 0 ? ": " : "", (int)n, visible);
}

// The brokers answer before all of them know.
static enum status wait_for_shape(struct wire_lookup *lookup, int32_t partitions,
                                  struct err *err)
{
    int64_t end_ms = wire_lookup_end(lookup);
    do {
        struct wire_shape shape = {0};
        enum status rc = wire_lookup_shape_by(lookup, end_ms, &shape, err);
        if (rc == ST_OK && shape.leaderless == 0 &&
            (partitions == ANY_NUMBER || shape.partitions == partitions))
            return ST_OK;
        if (rc != ST_OK && rc != ST_NOT_FOUND && rc != ST_RETRY)
            return rc;
        if (deadline_is_over(lookup->asking.deadline, wire_asking_now_ms()))
            return wire_asking_out_of_time(&lookup->asking, err);
        wire_asking_pause(WIRE_LOOKUP_PAUSE_MS);
    } while (!wire_lookup_is_over(lookup, end_ms));
    return err_set(err, ST_RETRY, "topic '%s' on %s: not ready within %d ms",
                   wire_lookup_topic(lookup), lookup->asking.cluster.addresses,
                   lookup->timeout_ms);
}

enum status wire_lookup_create(struct wire_lookup *lookup, struct wire_shape wanted,
                               struct err *err)
{
    int64_t end_ms = wire_lookup_end(lookup);
    const struct creation creation = {str_of(wire_lookup_topic(lookup)), wanted,
                                      lookup->timeout_ms};
    enum status rc = create(lookup, &creation, end_ms, err);
    while (rc == ST_RETRY && !wire_lookup_is_over(lookup, end_ms)) {
        wire_asking_pause(WIRE_LOOKUP_PAUSE_MS);
        rc = create(lookup, &creation, end_ms, err);
    }
    if (rc == ST_EXISTS) { // made by another, perhaps a moment ago
        TRY(wait_for_shape(lookup, ANY_NUMBER, err));
        return ST_EXISTS;
    }
    TRY(rc);
    return wait_for_shape(lookup, wanted.partitions, err);
}

// ---- the group

static void put_coordinator(const void *arg, UNUSED int16_t version, struct buf *out)
{
    wire_coordinator_ask(out, str_of(arg));
}

static void put_group(const void *arg, int16_t version, struct buf *out)
{
    wire_group_ask(out, version, str_of(arg));
}

static enum status group_said(const struct wire_lookup *lookup, const char *group,
                              int16_t code, struct err *err)
{
    return err_set(err, wire_lookup_passes(code) ? ST_RETRY : ST_FAIL,
                   "group '%s' on %s: %s", group, lookup->asking.cluster.addresses,
                   wire_error_name(code).text);
}

static enum status find_coordinator(struct wire_lookup *lookup, const char *group,
                                    int64_t end_ms, int32_t *ret, struct err *err)
{
    const struct wire_question question = {
        .api = WIRE_FIND_COORDINATOR, .put = put_coordinator, .arg = group};
    struct wire_coordinator found;
    int16_t version;
    struct str body;
    TRY(wire_ask(&lookup->asking, WIRE_ANY, &question, end_ms, &version, &body, err));
    TRY(wire_coordinator_read(body, &found, err));
    if (found.code != WIRE_OK)
        return group_said(lookup, group, found.code, err);
    if (!wire_cluster_is_broker(found.id, found.host, found.port))
        return err_set(err, ST_DATA, "group '%s': its coordinator is not right", group);
    wire_cluster_put(&lookup->asking.cluster, found.id, found.host, found.port);
    *ret = found.id;
    return ST_OK;
}

static enum status describe(struct wire_lookup *lookup, const char *group, int64_t end_ms,
                            struct wire_group_seen *ret, struct buf *names,
                            struct err *err)
{
    const struct wire_question question = {
        .api = WIRE_DESCRIBE_GROUPS, .put = put_group, .arg = group};
    int16_t version;
    struct str body;
    int32_t coordinator = WIRE_ANY;
    TRY(find_coordinator(lookup, group, end_ms, &coordinator, err));
    TRY(wire_ask(&lookup->asking, coordinator, &question, end_ms, &version, &body, err));
    TRY(wire_group_read(body, version, ret, names, err));
    if (ret->code != WIRE_OK && ret->code != WIRE_GROUP_ID_NOT_FOUND)
        return group_said(lookup, group, ret->code, err);
    return ST_OK;
}

// A broker that has just begun to look after the group asks for patience.
enum status wire_lookup_group(struct wire_lookup *lookup, const char *group,
                              size_t *ret_members, bool *ret_stable, struct buf *names,
                              struct err *err)
{
    int64_t end_ms = wire_lookup_end(lookup);
    struct wire_group_seen found;
    enum status rc = describe(lookup, group, end_ms, &found, names, err);
    while (rc == ST_RETRY && !wire_lookup_is_over(lookup, end_ms)) {
        wire_asking_pause(WIRE_LOOKUP_PAUSE_MS);
        rc = describe(lookup, group, end_ms, &found, names, err);
    }
    TRY(rc);
    *ret_members = found.members;
    *ret_stable = str_is(found.state, "Stable");
    return ST_OK;
}
