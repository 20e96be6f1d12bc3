// SPDX-License-Identifier: Apache-2.0
#include "wire/fetcher.h"

#include <stdlib.h>

#include "wire/fetcher_parts.h"
#include "wire/offsets.h"

enum {
    WAIT_MS = 200, // of a broker that has nothing new
    PARTITION_BYTES = 1 << 20,
    ANSWER_BYTES = 8 << 20,
    ANSWERS_MAX = 2,  // of a broker, that wait to be read
    REFUSED_TOLD = 5, // errors in a row, before they are told
    FIRST_PAUSE_MS = 50,
    LAST_PAUSE_MS = 1000,
    FAILURES_TOLD = 3, // of a leader's connection
    SILENT_MS = 2000,  // beyond WAIT_MS, with some patience
};

void wire_fetcher_init(struct wire_fetcher *fetcher, struct wire_cluster *cluster,
                       int64_t buffer_bytes)
{
    *fetcher = (struct wire_fetcher){.cluster = cluster, .buffer_bytes = buffer_bytes};
}

void wire_answered_free(struct wire_answered *answered)
{
    for (size_t i = 0; i < answered->n; i++)
        wire_aborted_release(&answered->slices[i].aborted);
    free(answered->slices);
    buf_release(&answered->body);
    free(answered);
}

void wire_fetcher_pop(struct wire_fetcher *fetcher)
{
    struct wire_answered *answered = fetcher->first;
    fetcher->first = answered->after;
    if (fetcher->first == NULL)
        fetcher->last = NULL;
    answered->broker->n_answers--;
    if (fetcher->spare.capacity == 0) {
        fetcher->spare = answered->body;
        answered->body = (struct buf){0};
    }
    wire_answered_free(answered);
}

void wire_fetcher_stop(struct wire_fetcher *fetcher)
{
    while (fetcher->first != NULL)
        wire_fetcher_pop(fetcher);
    buf_release(&fetcher->spare);
    free(fetcher->partitions);
    fetcher->partitions = NULL;
    fetcher->n = 0;
}

void wire_fetcher_release(struct wire_fetcher *fetcher)
{
    wire_fetcher_stop(fetcher);
}

static int compare_partitions(const void *a, const void *b)
{
    const struct wire_partition *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static int64_t answer_bytes(const struct wire_fetcher *fetcher)
{
    int64_t quarter = fetcher->buffer_bytes / 4;
    return quarter < ANSWER_BYTES ? quarter : ANSWER_BYTES;
}

void wire_fetcher_start(struct wire_fetcher *fetcher, const struct stream_start *starts,
                        size_t n, int64_t now_ms)
{
    wire_fetcher_stop(fetcher);
    int64_t max_bytes = answer_bytes(fetcher);
    fetcher->partitions = mem_array(n, sizeof(*fetcher->partitions));
    fetcher->n = n;
    for (size_t i = 0; i < n; i++)
        fetcher->partitions[i] = (struct wire_partition){
            .number = starts[i].partition,
            .token = ++fetcher->token,
            .position = starts[i].offset,
            .fetch_offset = starts[i].offset,
            .read_epoch = leader_epoch_number(starts[i].epoch),
            .last_epoch = leader_epoch_number(starts[i].epoch),
            .seen_epoch = -1,
            .end_epoch = -1,
            .told_offset = -1,
            .last_stable = -1,
            .fed_ms = now_ms,
            .max_bytes =
                (int32_t)(max_bytes < PARTITION_BYTES ? max_bytes : PARTITION_BYTES),
        };
    if (n > 1)
        qsort(fetcher->partitions, n, sizeof(*fetcher->partitions), compare_partitions);
}

struct wire_partition *wire_fetcher_find(const struct wire_fetcher *fetcher,
                                         int32_t number)
{
    const struct wire_partition wanted = {.number = number};
    if (fetcher->n == 0)
        return NULL;
    return bsearch(&wanted, fetcher->partitions, fetcher->n, sizeof(wanted),
                   compare_partitions);
}

void wire_fetcher_move(struct wire_fetcher *fetcher, struct wire_partition *partition,
                       int64_t offset, int32_t epoch, enum wire_mode mode)
{
    partition->token = ++fetcher->token;
    partition->position = partition->fetch_offset = offset;
    partition->read_epoch = partition->last_epoch = epoch;
    partition->end_epoch = -1;
    partition->mode = mode;
}

// ---- memory

int64_t wire_fetcher_room(struct wire_fetcher *fetcher)
{
    int64_t room = fetcher->buffer_bytes;
    for (size_t i = 0; i < fetcher->cluster->n; i++)
        room -= (int64_t)fetcher->cluster->brokers[i]->connection.body.capacity;
    for (const struct wire_answered *a = fetcher->first; a != NULL; a = a->after)
        room -= (int64_t)a->body.capacity;
    if (room < (int64_t)fetcher->spare.capacity + fetcher->buffer_bytes / 4)
        buf_release(&fetcher->spare);
    return room - (int64_t)fetcher->spare.capacity;
}

// ---- asking

const struct wire_leader *wire_fetcher_leader(const struct wire_fetcher *fetcher,
                                              const struct wire_partition *partition)
{
    static const struct wire_leader none = {-1, -1, false};
    size_t number = (size_t)partition->number;
    return number < fetcher->cluster->n_leaders ? &fetcher->cluster->leaders[number]
                                                : &none;
}

static bool is_due(const struct wire_partition *partition, int64_t now_ms)
{
    return partition->mode == WIRE_READING && now_ms >= partition->again_at_ms;
}

void wire_fetcher_refuse(struct wire_fetcher *fetcher, struct wire_partition *partition,
                         int16_t code, int64_t now_ms)
{
    int64_t pause_ms = FIRST_PAUSE_MS;
    for (int i = 0; i < partition->n_refused && pause_ms < LAST_PAUSE_MS; i++)
        pause_ms *= 2;
    partition->again_at_ms = now_ms + pause_ms;
    partition->code = code;
    partition->is_trouble_due |= ++partition->n_refused == REFUSED_TOLD;
    if (partition->n_refused >= REFUSED_TOLD)
        wire_cluster_doubt_leader(fetcher->cluster, partition->number);
    wire_cluster_doubt(fetcher->cluster, now_ms);
}

static void add_asked(struct wire_fetcher *fetcher, struct wire_broker *broker, size_t at)
{
    const struct wire_partition *partition = &fetcher->partitions[at];
    MEM_GROW(broker->asked, broker->n_asked, broker->asked_capacity);
    broker->asked[broker->n_asked++] = (struct wire_asked){
        .partition = at,
        .token = partition->token,
        .epoch = wire_fetcher_leader(fetcher, partition)->epoch,
    };
}

// Whether the leader has what was read is to be asked first.
static bool is_doubtful(const struct wire_fetcher *fetcher,
                        const struct wire_broker *broker,
                        const struct wire_partition *partition)
{
    const int16_t tells_itself = 12;
    int32_t epoch = wire_fetcher_leader(fetcher, partition)->epoch;
    const struct wire_connection *c = &broker->connection;
    return partition->last_epoch >= 0 && epoch >= 0 && epoch != partition->last_epoch &&
           epoch != partition->seen_epoch &&
           wire_connection_version(c, WIRE_FETCH) < tells_itself &&
           wire_connection_version(c, WIRE_EPOCH_END) >= 0;
}

// The broker's partitions that are due, from the one whose turn it is.
static void choose(struct wire_fetcher *fetcher, struct wire_broker *broker,
                   int64_t now_ms)
{
    broker->n_asked = 0;
    for (size_t i = 0; i < fetcher->n; i++) {
        size_t at = (fetcher->turn + i) % fetcher->n;
        const struct wire_partition *partition = &fetcher->partitions[at];
        if (wire_fetcher_leader(fetcher, partition)->broker == broker->id &&
            is_due(partition, now_ms) && !is_doubtful(fetcher, broker, partition))
            add_asked(fetcher, broker, at);
    }
}

static int32_t max_bytes_of(const struct wire_fetcher *fetcher,
                            const struct wire_broker *broker)
{
    int32_t most = (int32_t)answer_bytes(fetcher);
    for (size_t i = 0; i < broker->n_asked; i++) {
        int32_t bytes = fetcher->partitions[broker->asked[i].partition].max_bytes;
        most = bytes > most ? bytes : most;
    }
    return most;
}

static bool has_id(const struct wire_fetcher *fetcher)
{
    return fetcher->cluster->topic_id_text[0] != '\0';
}

struct str wire_fetcher_topic(const struct wire_fetcher *fetcher, enum wire_api api)
{
    const struct wire_cluster *cluster = fetcher->cluster;
    if (api == WIRE_FETCH_BY_ID)
        return (struct str){(const char *)cluster->topic_id, WIRE_TOPIC_ID_BYTES};
    return str_of(cluster->topic);
}

static void send_fetch(struct wire_fetcher *fetcher, struct wire_broker *broker,
                       int64_t now_ms)
{
    struct wire_connection *connection = &broker->connection;
    bool is_by_id =
        has_id(fetcher) && wire_connection_version(connection, WIRE_FETCH_BY_ID) >= 0;
    enum wire_api api = is_by_id ? WIRE_FETCH_BY_ID : WIRE_FETCH;
    int16_t version = wire_connection_version(connection, api);
    const struct wire_fetch fetch = {
        .topic = wire_fetcher_topic(fetcher, api),
        .wait_ms = WAIT_MS,
        .max_bytes = max_bytes_of(fetcher, broker),
    };
    size_t begin;
    struct buf *out = wire_call_begin(connection, api, 0, &begin);
    wire_fetch_begin(out, version, &fetch, broker->n_asked);
    for (size_t i = 0; i < broker->n_asked; i++) {
        int32_t epoch = broker->asked[i].epoch;
        const struct wire_partition *partition =
            &fetcher->partitions[broker->asked[i].partition];
        const struct wire_fetch_partition wanted = {
            .number = partition->number,
            .leader_epoch = epoch,
            .offset = partition->fetch_offset,
            .last_epoch = epoch >= 0 ? partition->last_epoch : -1,
            .max_bytes = partition->max_bytes,
        };
        wire_fetch_add(out, version, &wanted);
    }
    wire_fetch_end(out, version);
    fetcher->turn = (broker->asked[0].partition + 1) % fetcher->n;
    wire_call_end(connection, begin, WAIT_MS, now_ms);
}

static void ask_low(struct wire_fetcher *fetcher, const struct wire_partition *partition,
                    struct wire_connection *connection, int64_t now_ms)
{
    size_t begin;
    struct buf *out =
        wire_call_begin(connection, WIRE_LIST_OFFSETS, partition->number, &begin);
    wire_low_ask(out, wire_connection_version(connection, WIRE_LIST_OFFSETS),
                 str_of(fetcher->cluster->topic), partition->number,
                 wire_fetcher_leader(fetcher, partition)->epoch);
    wire_call_end(connection, begin, 0, now_ms);
}

static void ask_end(struct wire_fetcher *fetcher, struct wire_partition *partition,
                    struct wire_connection *connection, int64_t now_ms)
{
    size_t begin;
    struct buf *out =
        wire_call_begin(connection, WIRE_EPOCH_END, partition->number, &begin);
    partition->end_epoch = wire_fetcher_leader(fetcher, partition)->epoch;
    wire_epoch_end_ask(out, wire_connection_version(connection, WIRE_EPOCH_END),
                       str_of(fetcher->cluster->topic), partition->number,
                       partition->end_epoch, partition->last_epoch);
    wire_call_end(connection, begin, 0, now_ms);
}

// Of its leader a question about the partition can be asked, and is not yet.
static bool can_ask(const struct wire_fetcher *fetcher, const struct wire_broker *broker,
                    const struct wire_partition *partition, enum wire_api api)
{
    return wire_fetcher_leader(fetcher, partition)->broker == broker->id &&
           wire_connection_can_call(&broker->connection) &&
           !wire_connection_is_calling(&broker->connection, api, partition->number);
}

static void ask_ends(struct wire_fetcher *fetcher, struct wire_broker *broker,
                     int64_t now_ms)
{
    for (size_t i = 0; i < fetcher->n; i++) {
        struct wire_partition *partition = &fetcher->partitions[i];
        if (is_due(partition, now_ms) && is_doubtful(fetcher, broker, partition) &&
            can_ask(fetcher, broker, partition, WIRE_EPOCH_END))
            ask_end(fetcher, partition, &broker->connection, now_ms);
    }
}

static void ask_lows(struct wire_fetcher *fetcher, struct wire_broker *broker,
                     int64_t now_ms)
{
    for (size_t i = 0; i < fetcher->n; i++) {
        struct wire_partition *partition = &fetcher->partitions[i];
        if (partition->mode == WIRE_GAP && !partition->is_low_known &&
            now_ms >= partition->again_at_ms &&
            can_ask(fetcher, broker, partition, WIRE_LIST_OFFSETS))
            ask_low(fetcher, partition, &broker->connection, now_ms);
    }
}

static bool is_fetching(const struct wire_broker *broker)
{
    return wire_connection_is_calling(&broker->connection, WIRE_FETCH, 0) ||
           wire_connection_is_calling(&broker->connection, WIRE_FETCH_BY_ID, 0);
}

// The connection is gone, and with it what was under way.
static void lose(struct wire_fetcher *fetcher, struct wire_broker *broker, int64_t now_ms)
{
    bool is_loss =
        broker->connection.n_failures >= FAILURES_TOLD && !broker->is_loss_told;
    for (size_t i = 0; i < fetcher->n; i++) {
        struct wire_partition *partition = &fetcher->partitions[i];
        if (wire_fetcher_leader(fetcher, partition)->broker != broker->id)
            continue;
        partition->is_trouble_due |= is_loss;
        if (is_loss)
            wire_cluster_doubt_leader(fetcher->cluster, partition->number);
        if (broker->connection.n_failures > 0)
            wire_cluster_doubt(fetcher->cluster, now_ms);
    }
    broker->is_loss_told |= is_loss;
}

static bool is_leader(const struct wire_fetcher *fetcher,
                      const struct wire_broker *broker)
{
    for (size_t i = 0; i < fetcher->n; i++)
        if (wire_fetcher_leader(fetcher, &fetcher->partitions[i])->broker == broker->id)
            return true;
    return false;
}

static void work_broker(struct wire_fetcher *fetcher, struct wire_broker *broker,
                        int64_t now_ms)
{
    struct wire_connection *connection = &broker->connection;
    if (broker->id >= 0 && connection->state != WIRE_READY)
        lose(fetcher, broker, now_ms);
    if (broker->id < 0 || !is_leader(fetcher, broker))
        return;
    wire_connection_open(connection, now_ms);
    if (!wire_connection_can_call(connection) || now_ms < broker->quiet_until_ms)
        return;
    ask_lows(fetcher, broker, now_ms);
    ask_ends(fetcher, broker, now_ms);
    if (is_fetching(broker) || broker->n_answers >= ANSWERS_MAX)
        return;
    choose(fetcher, broker, now_ms);
    if (broker->n_asked > 0 && wire_connection_can_call(connection))
        send_fetch(fetcher, broker, now_ms);
}

static void find_leaderless(struct wire_fetcher *fetcher, int64_t now_ms)
{
    for (size_t i = 0; i < fetcher->n && fetcher->cluster->n_leaders > 0; i++) {
        struct wire_partition *partition = &fetcher->partitions[i];
        int32_t leader = wire_fetcher_leader(fetcher, partition)->broker;
        if (is_due(partition, now_ms) &&
            wire_cluster_find(fetcher->cluster, leader) == NULL)
            wire_fetcher_refuse(fetcher, partition, WIRE_LEADER_NOT_AVAILABLE, now_ms);
    }
}

void wire_fetcher_work(struct wire_fetcher *fetcher, int64_t now_ms)
{
    find_leaderless(fetcher, now_ms);
    for (size_t i = 0; i < fetcher->cluster->n; i++)
        work_broker(fetcher, fetcher->cluster->brokers[i], now_ms);
}

int64_t wire_fetcher_end(const struct wire_fetcher *fetcher, int32_t number,
                         int64_t now_ms)
{
    const struct wire_partition *partition = wire_fetcher_find(fetcher, number);
    bool is_known = partition != NULL && partition->mode == WIRE_READING &&
                    now_ms - partition->told_ms < SILENT_MS;
    return is_known ? partition->last_stable : -1;
}

bool wire_fetcher_is_pausing(const struct wire_fetcher *fetcher, int64_t now_ms)
{
    for (size_t i = 0; i < fetcher->n; i++)
        if (fetcher->partitions[i].again_at_ms > now_ms)
            return true;
    for (size_t i = 0; i < fetcher->cluster->n; i++) {
        const struct wire_broker *broker = fetcher->cluster->brokers[i];
        if (broker->quiet_until_ms > now_ms ||
            (broker->connection.state == WIRE_CLOSED && is_leader(fetcher, broker)))
            return true;
    }
    return false;
}
