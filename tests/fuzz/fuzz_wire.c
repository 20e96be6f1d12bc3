// SPDX-License-Identifier: Apache-2.0
// Any bytes as an answer of a broker: the first byte names the request, the second its
// version. Read to the end, or ST_DATA (of ApiVersions ST_RETRY) with a text; nothing
// beyond the bytes is read, and no more memory is taken than they can need.
#include <assert.h>

#include "fuzz_parts.h"

#include "base/arena.h"
#include "wire/admin.h"
#include "wire/fetch.h"
#include "wire/metadata.h"
#include "wire/offsets.h"
#include "wire/sharing.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 1 << 20,
    .steps_a_byte = 2000,
    .bytes = 1 << 20,
    .bytes_a_byte = 200,
    .held = 1 << 20,
    .held_a_byte = 200,
};

static enum status read_fetched(struct str body, int16_t version, struct err *err)
{
    struct wire_aborted aborted = {0};
    struct wire_fetched_in in;
    struct wire_fetched fetched;
    struct str topic =
        version < 13 ? STR_LITERAL("cap-txn4") : STR_LITERAL("an id of 16 byte");
    wire_fetched_begin(&in, body, version);
    while (wire_fetched_next(&in, topic, &fetched, &aborted)) {
        assert(fetched.records.n <= body.n);
        for (size_t i = 1; i < aborted.n; i++)
            assert(aborted.items[i - 1].producer <= aborted.items[i].producer);
        (void)wire_aborted_has(&aborted, 0x22, fetched.last_stable);
    }
    wire_aborted_release(&aborted);
    return wire_fetched_check(&in, err);
}

// The leader shares out what any members want: each partition goes to one of them.
static enum status read_joined(struct str body, int16_t version, struct arena *arena,
                               struct err *err)
{
    struct wire_joined joined;
    struct wire_sharing sharing;
    struct wire_assignment assignment;
    TRY(wire_join_read(body, version, arena, &joined, err));
    TRY(wire_sharing_begin(&joined, arena, &sharing, err));
    for (size_t i = 0; i < sharing.n_topics; i++)
        sharing.topics[i].n_partitions = 3;
    const struct wire_given *given = wire_share(&sharing, 3, arena);
    for (size_t t = 0; t < sharing.n_topics; t++) {
        size_t n = 0;
        for (size_t i = 0; i < sharing.n_members; i++) {
            assert(wire_assignment_read(given[i].assignment, sharing.topics[t].name,
                                        arena, &assignment, err) == ST_OK);
            n += assignment.n;
        }
        assert(n == 3);
    }
    return ST_OK;
}

static enum status read_synced(struct str body, int16_t version, struct arena *arena,
                               struct err *err)
{
    struct wire_assignment assignment;
    struct str bytes;
    int16_t code;
    TRY(wire_sync_read(body, version, &code, &bytes, err));
    TRY(wire_assignment_read(bytes, STR_LITERAL("cap-txn4"), arena, &assignment, err));
    for (size_t i = 1; i < assignment.n; i++)
        assert(assignment.partitions[i - 1] < assignment.partitions[i]);
    return ST_OK;
}

static enum status read_body(enum wire_api api, int16_t version, struct str body,
                             struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct wire_versions versions;
    struct wire_metadata metadata;
    struct wire_coordinator coordinator;
    struct wire_group_seen group;
    struct str text;
    int16_t code;
    int32_t epoch;
    int64_t low;
    switch (api) {
    case WIRE_FETCH:
    case WIRE_FETCH_BY_ID:
        return read_fetched(body, version, err);
    case WIRE_LIST_OFFSETS:
        return wire_low_read(body, version, 0, &code, &low, err);
    case WIRE_METADATA:
        return wire_metadata_read(body, version, STR_LITERAL("cap-txn4"), &arena,
                                  &metadata, err);
    case WIRE_OFFSET_COMMIT:
        return wire_commit_read(body, &code, err);
    case WIRE_FIND_COORDINATOR:
        return wire_coordinator_read(body, &coordinator, err);
    case WIRE_CREATE_TOPICS:
        return wire_create_read(body, &code, &text, err);
    case WIRE_DESCRIBE_GROUPS:
        return wire_group_read(body, version, &group, NULL, err);
    case WIRE_JOIN_GROUP:
        return read_joined(body, version, &arena, err);
    case WIRE_SYNC_GROUP:
        return read_synced(body, version, &arena, err);
    case WIRE_HEARTBEAT:
    case WIRE_LEAVE_GROUP: // of which nothing but the code would be read
        return wire_heartbeat_read(body, version, &code, err);
    case WIRE_EPOCH_END:
        return wire_epoch_end_read(body, 0, &code, &epoch, &low, err);
    case WIRE_API_VERSIONS:
    case WIRE_SASL_HANDSHAKE: // fuzz_sasl
    case WIRE_SASL_AUTHENTICATE:
    case WIRE_APIS:
        break;
    }
    return wire_versions_read(body, &versions, err);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    static const int16_t most[WIRE_APIS] = {12, 5, 12, 2, 2, 0, 1, 1,
                                            4,  9, 4,  5, 5, 2, 3, 13};
    static const int16_t least[WIRE_APIS] = {4, 1, 1, 2, 1, 0, 1, 0,
                                             2, 2, 1, 1, 1, 1, 2, 13};
    struct str rest = {(const char *)data, size};
    enum wire_api api = (enum wire_api)(fuzz_byte(&rest) % WIRE_APIS);
    int16_t version = (int16_t)fuzz_byte(&rest);
    version = (int16_t)(least[api] + version % (most[api] - least[api] + 1));
    struct str bytes = fuzz_copy(rest), body = bytes;
    int32_t correlation;
    struct err err = {0};
    enum status rc = wire_response_begin(&body, api, version, &correlation, &err);
    if (rc == ST_OK)
        rc = read_body(api, version, body, &err);
    assert(rc == ST_OK ||
           ((rc == ST_DATA || rc == ST_RETRY || rc == ST_LIMIT) && err.text[0] != '\0'));
    free((char *)(uintptr_t)bytes.p);
}
