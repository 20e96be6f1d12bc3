// SPDX-License-Identifier: Apache-2.0
#include "wire/cluster.h"

#include <stdlib.h>

enum {
    DEFAULT_PORT = 9092,
    ASK_PAUSE_MS = 300,  // between two answers to Metadata
    MISSING_MAX = 10,    // answers without the topic, before it is gone
    BROKERS_MAX = 10000, // that were ever told
    HEDGE_MS = 1000,     // a broker that says nothing is alone for so long
};

static struct wire_broker *add(struct wire_cluster *cluster, int32_t id, struct str host,
                               int32_t port)
{
    struct wire_broker *broker = mem_zalloc(sizeof(*broker));
    broker->id = id;
    wire_connection_init(&broker->connection, &cluster->client, host, port);
    MEM_GROW(cluster->brokers, cluster->n, cluster->capacity);
    cluster->brokers[cluster->n++] = broker;
    return broker;
}

// One of "host", "host:port", "[::1]:port", each perhaps behind "PLAINTEXT://".
static void add_address(struct wire_cluster *cluster, struct str address)
{
    const char *scheme = address.n ? memmem(address.p, address.n, "://", 3) : NULL;
    if (scheme != NULL)
        address = (struct str){scheme + 3, address.n - (size_t)(scheme + 3 - address.p)};
    size_t host = address.n;
    int64_t port = DEFAULT_PORT;
    for (size_t i = address.n; i > 0 && address.p[i - 1] != ']'; i--)
        if (address.p[i - 1] == ':')
            host = i - 1;
    if (host < address.n &&
        !str_to_i64((struct str){address.p + host + 1, address.n - host - 1}, &port))
        port = DEFAULT_PORT;
    struct str name = {address.p, host};
    if (name.n >= 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = (struct str){name.p + 1, name.n - 2};
    if (name.n > 0)
        add(cluster, -1, name, (int32_t)port);
}

void wire_cluster_init(struct wire_cluster *cluster, const struct wire_client *client,
                       const char *addresses, const char *topic)
{
    *cluster = (struct wire_cluster){
        .client = *client,
        .addresses = mem_strdup(addresses),
        .topic = mem_strdup(topic),
    };
    struct str rest = str_of(cluster->addresses);
    do {
        add_address(cluster, str_trim(str_cut(&rest, ',')));
    } while (rest.p != NULL);
}

void wire_cluster_release(struct wire_cluster *cluster)
{
    for (size_t i = 0; i < cluster->n; i++) {
        wire_connection_release(&cluster->brokers[i]->connection);
        free(cluster->brokers[i]->asked);
        free(cluster->brokers[i]);
    }
    free(cluster->brokers);
    free(cluster->leaders);
    free(cluster->addresses);
    free(cluster->topic);
    *cluster = (struct wire_cluster){0};
}

int64_t wire_broker_quiet_ms(const struct wire_broker *broker, int64_t now_ms)
{
    int64_t left_ms = broker->quiet_until_ms - now_ms;
    return left_ms > 0 ? left_ms : 0;
}

struct wire_broker *wire_cluster_find(const struct wire_cluster *cluster, int32_t id)
{
    for (size_t i = 0; i < cluster->n && id >= 0; i++)
        if (cluster->brokers[i]->id == id)
            return cluster->brokers[i];
    return NULL;
}

struct wire_broker *wire_cluster_any(const struct wire_cluster *cluster)
{
    for (size_t i = 0; i < cluster->n; i++)
        if (wire_connection_can_call(&cluster->brokers[i]->connection))
            return cluster->brokers[i];
    return NULL;
}

bool wire_cluster_is_broker(int32_t id, struct str host, int32_t port)
{
    return id >= 0 && host.n > 0 && memchr(host.p, '\0', host.n) == NULL && port > 0 &&
           port <= UINT16_MAX;
}

struct wire_broker *wire_cluster_put(struct wire_cluster *cluster, int32_t id,
                                     struct str host, int32_t port)
{
    struct wire_broker *broker = wire_cluster_find(cluster, id);
    if (broker == NULL)
        return add(cluster, id, host, port);
    struct wire_connection *connection = &broker->connection;
    if (str_is(host, connection->host) && port == connection->port)
        return broker;
    wire_connection_release(connection);
    wire_connection_init(connection, &cluster->client, host, port);
    return broker;
}

// ---- metadata

void wire_cluster_doubt(struct wire_cluster *cluster, int64_t now_ms)
{
    int64_t at_ms = cluster->answered_ms + ASK_PAUSE_MS;
    at_ms = at_ms > now_ms ? at_ms : now_ms;
    if (at_ms < cluster->ask_at_ms)
        cluster->ask_at_ms = at_ms;
}

void wire_cluster_doubt_leader(struct wire_cluster *cluster, int32_t partition)
{
    if ((size_t)partition < cluster->n_leaders)
        cluster->leaders[partition].is_doubted = true;
}

// One that was begun after that time.
static bool is_connecting(const struct wire_cluster *cluster, int64_t after_ms)
{
    for (size_t i = 0; i < cluster->n; i++) {
        const struct wire_connection *c = &cluster->brokers[i]->connection;
        if (c->state != WIRE_CLOSED && c->state != WIRE_READY && c->opened_ms > after_ms)
            return true;
    }
    return false;
}

static const char *last_problem(const struct wire_cluster *cluster)
{
    const struct wire_connection *last = &cluster->brokers[0]->connection;
    for (size_t i = 0; i < cluster->n; i++) {
        const struct wire_connection *c = &cluster->brokers[i]->connection;
        if (c->n_failures > 0 && c->again_at_ms >= last->again_at_ms)
            last = c;
    }
    return last->problem;
}

enum status wire_cluster_unreachable(const struct wire_cluster *cluster, struct err *err)
{
    const char *problem = last_problem(cluster);
    if (problem[0] == '\0')
        return err_set(err, ST_RETRY,
                       "brokers %s cannot be reached: no answer within %d ms; is that a "
                       "Kafka broker's port?",
                       cluster->addresses, cluster->client.timeout_ms);
    return err_set(err, ST_RETRY, "brokers %s cannot be reached: %s", cluster->addresses,
                   problem);
}

// Waiting would change nothing.
enum status wire_cluster_check_refusal(const struct wire_cluster *cluster,
                                       struct err *err)
{
    for (size_t i = 0; i < cluster->n && cluster->answered_ms == 0; i++)
        if (cluster->brokers[i]->connection.is_refused)
            return err_set(err, ST_FAIL, "brokers %s cannot be reached: %s",
                           cluster->addresses, cluster->brokers[i]->connection.problem);
    return ST_OK;
}

// The next in turn whose pause is over.
static void open_next(struct wire_cluster *cluster, int64_t now_ms)
{
    for (size_t i = 0; i < cluster->n; i++) {
        struct wire_connection *c =
            &cluster->brokers[cluster->turn++ % cluster->n]->connection;
        if (c->state != WIRE_CLOSED || now_ms < c->again_at_ms)
            continue;
        wire_connection_open(c, now_ms);
        cluster->n_tried++;
        return;
    }
}

struct wire_broker *wire_cluster_reach(struct wire_cluster *cluster, int64_t now_ms)
{
    struct wire_broker *broker = wire_cluster_any(cluster);
    if (broker == NULL && !is_connecting(cluster, now_ms - HEDGE_MS))
        open_next(cluster, now_ms);
    return broker;
}

static void ask(struct wire_cluster *cluster, struct wire_broker *broker, int64_t now_ms)
{
    size_t begin;
    struct buf *out = wire_call_begin(&broker->connection, WIRE_METADATA, 0, &begin);
    wire_metadata_ask(out, wire_connection_version(&broker->connection, WIRE_METADATA),
                      str_of(cluster->topic));
    wire_call_end(&broker->connection, begin, wire_broker_quiet_ms(broker, now_ms),
                  now_ms);
    cluster->asked = broker;
}

enum status wire_cluster_work(struct wire_cluster *cluster, int64_t now_ms,
                              struct err *err)
{
    TRY(wire_cluster_check_refusal(cluster, err));
    if (cluster->is_recreated)
        return err_set(err, ST_DATA,
                       "topic '%s' was recreated while it was read; give the result "
                       "another path, or start over with tramline init --reset",
                       cluster->topic);
    if (cluster->asked != NULL && cluster->asked->connection.state != WIRE_READY)
        cluster->asked = NULL;
    if (cluster->asked != NULL || now_ms < cluster->ask_at_ms)
        return ST_OK;
    struct wire_broker *broker = wire_cluster_any(cluster);
    if (broker != NULL) {
        ask(cluster, broker, now_ms);
        return ST_OK;
    }
    if (is_connecting(cluster, now_ms - HEDGE_MS))
        return ST_OK;
    bool all_failed =
        cluster->n_tried >= cluster->n && !is_connecting(cluster, INT64_MIN);
    if (all_failed && !cluster->is_told) {
        cluster->is_told = true;
        return wire_cluster_unreachable(cluster, err);
    }
    open_next(cluster, now_ms);
    return ST_OK;
}

static enum status take_brokers(struct wire_cluster *cluster,
                                const struct wire_metadata *metadata, struct err *err)
{
    for (size_t i = 0; i < metadata->n_brokers; i++) {
        if (cluster->n == BROKERS_MAX)
            return err_set(err, ST_LIMIT, "topic '%s': Metadata: more than %d brokers",
                           cluster->topic, BROKERS_MAX);
        const struct wire_metadata_broker *broker = &metadata->brokers[i];
        if (!wire_cluster_is_broker(broker->id, broker->host, broker->port))
            return err_set(err, ST_DATA, "topic '%s': Metadata: a broker is not right",
                           cluster->topic);
        wire_cluster_put(cluster, broker->id, broker->host, broker->port);
    }
    return ST_OK;
}

static bool is_zero(const uint8_t id[WIRE_TOPIC_ID_BYTES])
{
    static const uint8_t none[WIRE_TOPIC_ID_BYTES];
    return memcmp(id, none, sizeof(none)) == 0;
}

// wire_cluster_work tells of another topic under the name.
static void take_id(struct wire_cluster *cluster, const uint8_t id[WIRE_TOPIC_ID_BYTES])
{
    if (is_zero(id))
        return;
    if (is_zero(cluster->topic_id)) {
        memcpy(cluster->topic_id, id, WIRE_TOPIC_ID_BYTES);
        wire_topic_id_text(id, cluster->topic_id_text);
    }
    cluster->is_recreated |= memcmp(cluster->topic_id, id, WIRE_TOPIC_ID_BYTES) != 0;
}

void wire_cluster_forget_topic(struct wire_cluster *cluster)
{
    memset(cluster->topic_id, 0, sizeof(cluster->topic_id));
    cluster->topic_id_text[0] = '\0';
    cluster->is_recreated = false;
    cluster->n_leaders = 0;
    cluster->n_missing = 0;
}

static enum status take_leaders(struct wire_cluster *cluster,
                                const struct wire_metadata *metadata, struct err *err)
{
    size_t n = metadata->n_partitions;
    struct wire_leader *leaders = mem_array(n, sizeof(*leaders));
    for (size_t i = 0; i < n; i++)
        leaders[i] = (struct wire_leader){-1, -1, false};
    for (size_t i = 0; i < n; i++) {
        const struct wire_metadata_partition *partition = &metadata->partitions[i];
        if (partition->number < 0 || (size_t)partition->number >= n) {
            free(leaders);
            return err_set(err, ST_DATA, "topic '%s': Metadata: a partition is not right",
                           cluster->topic);
        }
        struct wire_leader *leader = &leaders[partition->number];
        *leader = (struct wire_leader){partition->leader, partition->leader_epoch, false};
        size_t number = (size_t)partition->number;
        bool is_old = number < cluster->n_leaders && leader->epoch >= 0 &&
                      leader->epoch < cluster->leaders[number].epoch &&
                      !cluster->leaders[number].is_doubted;
        if (is_old) // by a broker that has not heard of the change
            *leader = cluster->leaders[number];
    }
    free(cluster->leaders);
    cluster->leaders = leaders;
    cluster->n_leaders = n;
    return ST_OK;
}

static enum status take_code(struct wire_cluster *cluster, int16_t code, int64_t now_ms,
                             struct err *err)
{
    bool is_gone = code == WIRE_UNKNOWN_TOPIC_OR_PARTITION;
    cluster->n_missing = is_gone ? cluster->n_missing + 1 : 0;
    if (cluster->n_missing > MISSING_MAX)
        return err_set(err, ST_NOT_FOUND, "topic '%s' is not on the brokers %s",
                       cluster->topic, cluster->addresses);
    if (code == WIRE_TOPIC_AUTHORIZATION_FAILED || code == WIRE_INVALID_TOPIC)
        return err_set(err, ST_FAIL, "topic '%s' cannot be read: %s", cluster->topic,
                       wire_error_name(code).text);
    wire_cluster_doubt(cluster, now_ms);
    return ST_OK;
}

enum status wire_cluster_take_metadata(struct wire_cluster *cluster, struct str body,
                                       int16_t version, int64_t now_ms, struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct wire_metadata metadata;
    cluster->asked = NULL;
    enum status rc =
        wire_metadata_read(body, version, str_of(cluster->topic), &arena, &metadata, err);
    if (rc != ST_OK)
        return err_context(err, rc, "topic '%s'", cluster->topic);
    cluster->n_tried = 0;
    cluster->is_told = false;
    cluster->answered_ms = now_ms;
    cluster->ask_at_ms = now_ms + cluster->refresh_ms;
    TRY(take_brokers(cluster, &metadata, err));
    if (metadata.code != WIRE_OK)
        return take_code(cluster, metadata.code, now_ms, err);
    cluster->n_missing = 0;
    take_id(cluster, metadata.topic_id);
    return take_leaders(cluster, &metadata, err);
}
