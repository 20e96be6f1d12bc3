// SPDX-License-Identifier: Apache-2.0
// Any bytes as the answer to a Fetch, by the topic's name or by its id, taken and read as
// a stream does: runs that follow on, with records that rise in them, or an error with a
// text. The first bytes say the version, records of a run, where reading begins and the
// leader's epoch. What is read on is asked for again, and answered by the same bytes. The
// checksum of a batch is looked over, or nothing behind it would be reached.
#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz_parts.h"

#include "wire/reader.h"

enum {
    PARTITIONS = 4,
    RECORDS = 64,
    BUFFER_BYTES = 1 << 20,
    BY_ID = 13, // the version of Fetch
    FIRST_VERSION = 4,
    ANSWERS = 2,
    LATER_MS = 100000, // no pause is longer
};

const struct fuzz_budget fuzz_budget = {
    .steps = 8 << 20,
    .steps_a_byte = 40000,
    .bytes = 96 << 20,
    .bytes_a_byte = 400000,
    .held = 48 << 20,
    .held_a_byte = 2000,
};

enum status __wrap_wire_batch_check(struct str bytes, const struct wire_batch *batch,
                                    struct err *err);

enum status __wrap_wire_batch_check(UNUSED struct str bytes,
                                    UNUSED const struct wire_batch *batch,
                                    UNUSED struct err *err)
{
    return ST_OK;
}

struct reading {
    enum wire_api api;
    int16_t version;
    struct wire_client client;
    struct wire_cluster cluster;
    struct wire_broker *broker;
    struct wire_fetcher fetcher;
    struct wire_reader reader;
    int other_fd; // of the connection
    int64_t next[PARTITIONS];
};

static bool is_told(enum status rc, const struct err *err)
{
    bool is_known = rc == ST_DATA || rc == ST_LIMIT || rc == ST_FAIL;
    return rc == ST_OK || (is_known && err->text[0] != '\0');
}

// A broker that leads all partitions, and is connected.
static void begin_cluster(struct reading *r, int32_t epoch)
{
    int fds[2];
    r->client = (struct wire_client){
        .id = STR_LITERAL("fuzz"), .timeout_ms = 1000, .most_bytes = BUFFER_BYTES};
    wire_cluster_init(&r->cluster, &r->client, "none:1", "cap-txn4");
    memcpy(r->cluster.topic_id, "an id of 16 byte", WIRE_TOPIC_ID_BYTES);
    if (r->api == WIRE_FETCH_BY_ID)
        memcpy(r->cluster.topic_id_text, "an-id-of-the-topic-xyz", TOPIC_ID_TEXT);
    r->broker = wire_cluster_put(&r->cluster, 0, STR_LITERAL("none"), 2);
    int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
    assert(rc == 0);
    r->broker->connection.fd = fds[0];
    r->other_fd = fds[1];
    r->broker->connection.state = WIRE_READY;
    for (int api = 0; api < WIRE_APIS; api++)
        r->broker->connection.versions.of[api] = -1;
    r->broker->connection.versions.of[r->api] = r->version;
    r->cluster.leaders = mem_array(PARTITIONS, sizeof(*r->cluster.leaders));
    r->cluster.n_leaders = PARTITIONS;
    for (size_t i = 0; i < PARTITIONS; i++)
        r->cluster.leaders[i] = (struct wire_leader){.epoch = epoch};
}

static void begin(struct reading *r, struct str *rest)
{
    struct stream_start starts[PARTITIONS];
    r->version = (int16_t)(FIRST_VERSION + fuzz_byte(rest) % (BY_ID - FIRST_VERSION + 1));
    r->api = r->version == BY_ID ? WIRE_FETCH_BY_ID : WIRE_FETCH;
    size_t run_records = 1 + fuzz_byte(rest) % RECORDS;
    int64_t first = fuzz_byte(rest) % 16;
    begin_cluster(r, (int32_t)(fuzz_byte(rest) % 16) - 1);
    for (int32_t i = 0; i < PARTITIONS; i++) {
        starts[i] = (struct stream_start){.partition = i, .offset = first};
        r->next[i] = first;
    }
    wire_fetcher_init(&r->fetcher, &r->cluster, BUFFER_BYTES);
    wire_fetcher_start(&r->fetcher, starts, PARTITIONS, 0);
    wire_reader_init(&r->reader, &r->fetcher, run_records, true);
}

static void end(struct reading *r)
{
    wire_reader_release(&r->reader);
    wire_fetcher_release(&r->fetcher);
    wire_cluster_release(&r->cluster);
    close(r->other_fd);
}

static void touch(struct str bytes)
{
    volatile char sum = 0; // every byte can be read
    for (size_t i = 0; i < bytes.n; i++)
        sum = (char)(sum + bytes.p[i]);
}

static void check_records(const struct run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        const struct record *record = &run->records[i];
        assert(record->offset >= run->first && record->offset < run->next);
        assert(i == 0 || record->offset > run->records[i - 1].offset);
        touch(record->key);
        touch(record->value);
        touch(record->value_schema);
    }
}

static void check_run(struct reading *r, const struct run *run)
{
    assert(run->partition >= 0 && run->partition < PARTITIONS);
    assert(run->first == r->next[run->partition] && run->next > run->first);
    r->next[run->partition] = run->next;
    check_records(run);
    int64_t least = run->first;
    for (size_t i = 0; i < run->n_passed; i++) {
        const struct run_passed *passed = &run->passed[i];
        assert(passed->first >= least && passed->next > passed->first);
        least = passed->next;
    }
    assert(least <= run->next);
    for (size_t i = 1; i < run->n_epochs; i++)
        assert(run->epochs[i].first > run->epochs[i - 1].first);
    assert((run->topic_id.n > 0) == (r->api == WIRE_FETCH_BY_ID));
}

static enum status read_all(struct reading *r, struct err *err)
{
    struct stream_event event;
    do {
        TRY(wire_reader_next(&r->reader, &event, err));
        if (event.kind == STREAM_RUN)
            check_run(r, &event.run);
    } while (event.kind == STREAM_RUN);
    return ST_OK;
}

static enum status answer(struct reading *r, struct str bytes, int64_t now_ms,
                          struct err *err)
{
    const struct wire_call call = {.api = r->api, .version = r->version};
    int32_t correlation;
    wire_fetcher_work(&r->fetcher, now_ms);
    if (r->broker->connection.n_calls == 0)
        return ST_OK;
    r->broker->connection.n_calls = 0;
    struct str copy = fuzz_copy(bytes), body = copy;
    struct buf memory = {.p = (char *)(uintptr_t)copy.p, .n = copy.n, .capacity = copy.n};
    enum status rc = wire_response_begin(&body, r->api, r->version, &correlation, err);
    if (rc == ST_OK)
        rc = wire_fetcher_take(&r->fetcher, r->broker, &call, body, &memory, now_ms, err);
    buf_release(&memory);
    return rc == ST_OK ? read_all(r, err) : rc;
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct reading r = {0};
    struct err err = {0};
    enum status rc = ST_OK;
    begin(&r, &rest);
    for (int i = 0; i < ANSWERS && rc == ST_OK; i++)
        rc = answer(&r, rest, (int64_t)i * LATER_MS, &err);
    assert(is_told(rc, &err));
    end(&r);
}
