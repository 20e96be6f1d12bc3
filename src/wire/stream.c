// SPDX-License-Identifier: Apache-2.0
#include "wire/stream.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/env.h"
#include "wire/events.h"
#include "wire/group.h"
#include "wire/reader.h"
#include "wire/reporter.h"

enum {
    IDLE_MS = 500, // the longest sleep; nothing is looked at that seldom
    PAUSE_MS = 20, // a sleep while something pauses
    STARVED_MS = 5000,
    FAREWELL_MS = 2000, // for the last report
    TROUBLE_TEXT = 1024,
    GROUP_BYTES = 16 << 20, // of an answer to a member
};

struct wire_stream {
    struct stream base; // first: a wire_stream is a stream
    char *client_id;
    struct wire_security *security;
    int wake_fd;
    atomic_bool is_woken; // by wire_wake
    struct wire_cluster cluster;
    struct wire_fetcher fetcher;
    struct wire_reader reader;
    struct wire_reporter reporter;
    struct wire_group *group; // NULL: all partitions are read
    int32_t n_known;          // partitions of the topic, without a group
    int32_t *assigned;        // rising
    size_t n_assigned;
    enum stream_event_kind due;   // to be told by the next poll; IDLE: none
    enum stream_event_kind asked; // told and not answered; IDLE: none
    bool is_reading, is_held;
    int32_t last;  // the partition of the last run
    int64_t first; // and where that began
    char trouble[TROUBLE_TEXT];
    struct pollfd *fds;
    size_t n_fds;
};

static struct wire_stream *wire_of(struct stream *stream)
{
    return (struct wire_stream *)stream;
}

static int64_t now_ms(void)
{
    struct env *env = env_system();
    return env->ops->monotonic_ms(env);
}

static void assign_all(struct wire_stream *wire)
{
    free(wire->assigned);
    wire->n_assigned = (size_t)wire->n_known;
    wire->assigned = mem_array(wire->n_assigned, sizeof(*wire->assigned));
    for (int32_t i = 0; i < wire->n_known; i++)
        wire->assigned[i] = i;
    wire->due = STREAM_ASSIGN;
}

// ---- answers

static enum status take(struct wire_stream *wire, struct wire_broker *broker,
                        const struct wire_call *call, struct str body, struct buf *memory,
                        int64_t now, struct err *err)
{
    switch (call->api) {
    case WIRE_FETCH:
    case WIRE_FETCH_BY_ID:
        return wire_fetcher_take(&wire->fetcher, broker, call, body, memory, now, err);
    case WIRE_LIST_OFFSETS:
        return wire_fetcher_take_low(&wire->fetcher, broker, call, body, now, err);
    case WIRE_EPOCH_END:
        return wire_fetcher_take_end(&wire->fetcher, broker, call, body, now, err);
    case WIRE_METADATA:
        return wire_cluster_take_metadata(&wire->cluster, body, call->version, now, err);
    case WIRE_FIND_COORDINATOR:
    case WIRE_OFFSET_COMMIT:
        wire_reporter_take(&wire->reporter, call, body, now);
        return ST_OK;
    default:
        return ST_OK; // the others are the group's
    }
}

// The answer is taken off its connection first: what it says may end that.
static enum status take_answer(struct wire_stream *wire, struct wire_broker *broker,
                               const struct wire_call *call, struct str body, int64_t now,
                               struct err *err)
{
    struct buf memory = wire->fetcher.spare;
    wire->fetcher.spare = (struct buf){0};
    wire_answer_end(&broker->connection, &memory, now);
    enum status rc = take(wire, broker, call, body, &memory, now, err);
    if (rc == ST_DATA || rc == ST_LIMIT)
        (void)err_context(err, rc, "broker %s:%" PRId32, broker->connection.host,
                          broker->connection.port);
    if (wire->fetcher.spare.capacity == 0)
        wire->fetcher.spare = memory;
    else
        buf_release(&memory);
    return rc;
}

// A broker sends the first batch whole, whatever was asked for: it cannot be read.
static enum status too_large(const struct wire_stream *wire,
                             const struct wire_broker *broker, struct err *err)
{
    return err_set(err, ST_LIMIT,
                   "topic '%s', broker %s:%" PRId32 ": an answer of %" PRId64
                   " bytes is larger than source.buffer, %" PRId64 " bytes",
                   wire->cluster.topic, broker->connection.host, broker->connection.port,
                   broker->connection.over_bytes, wire->cluster.client.most_bytes);
}

static enum status work_broker(struct wire_stream *wire, struct wire_broker *broker,
                               int64_t now, struct err *err)
{
    struct wire_call call;
    struct str body;
    for (int i = 0; i < WIRE_CALLS_MAX; i++) { // as many as can be under way
        wire_connection_work(&broker->connection, now, wire_fetcher_room(&wire->fetcher));
        if (broker->connection.over_bytes > 0)
            return too_large(wire, broker, err);
        if (!wire_answer(&broker->connection, &call, &body, now))
            break;
        TRY(take_answer(wire, broker, &call, body, now, err));
    }
    return ST_OK;
}

// All that can be done without waiting.
static enum status work(struct wire_stream *wire, struct err *err)
{
    int64_t now = now_ms();
    for (size_t i = 0; i < wire->cluster.n; i++)
        TRY(work_broker(wire, wire->cluster.brokers[i], now, err));
    TRY(wire_cluster_work(&wire->cluster, now, err));
    if (wire->is_reading && wire->asked == STREAM_IDLE)
        wire_fetcher_work(&wire->fetcher, now);
    wire_reporter_work(&wire->reporter, now);
    bool has_grown =
        wire->group == NULL && wire->cluster.n_leaders > (size_t)wire->n_known;
    if (has_grown && wire->is_reading && wire->asked == STREAM_IDLE) {
        wire->n_known = (int32_t)wire->cluster.n_leaders;
        wire->due = STREAM_REVOKE;
    }
    return ST_OK;
}

// What the group has to say; an assignment of before is the owner's no more.
static enum status look(struct wire_stream *wire, struct err *err)
{
    int32_t *partitions;
    size_t n;
    enum stream_event_kind kind;
    if (wire->group == NULL)
        return ST_OK;
    TRY(wire_group_look(wire->group, &kind, &partitions, &n, err));
    if (kind == STREAM_IDLE)
        return ST_OK;
    wire->due = kind;
    if (kind != STREAM_ASSIGN)
        return ST_OK;
    free(wire->assigned);
    wire->assigned = partitions;
    wire->n_assigned = n;
    return ST_OK;
}

// ---- poll

static void tell_due(struct wire_stream *wire, struct stream_event *ret)
{
    ret->kind = wire->asked = wire->due;
    ret->partitions = wire->assigned;
    ret->n_partitions = wire->n_assigned;
    wire->due = STREAM_IDLE;
}

static enum status next_event(struct wire_stream *wire, struct stream_event *ret,
                              struct err *err)
{
    *ret = (struct stream_event){.kind = STREAM_IDLE};
    if (wire->due != STREAM_IDLE) {
        tell_due(wire, ret);
        return ST_OK;
    }
    if (!wire->is_reading || wire->is_held || wire->asked != STREAM_IDLE ||
        wire_event(&wire->fetcher, ret, wire->trouble, sizeof(wire->trouble)))
        return ST_OK;
    TRY(wire_reader_next(&wire->reader, ret, err));
    wire->last = ret->run.partition;
    wire->first = ret->run.first;
    return ST_OK;
}

static bool is_starved(const struct wire_partition *partition, int64_t now)
{
    return partition->mode == WIRE_READING && now - partition->fed_ms < STARVED_MS &&
           (partition->last_stable < 0 || partition->position < partition->last_stable);
}

static bool is_behind(const struct wire_stream *wire)
{
    int64_t now = now_ms();
    for (size_t i = 0; i < wire->fetcher.n; i++)
        if (is_starved(&wire->fetcher.partitions[i], now))
            return wire->is_reading && !wire->is_held;
    return false;
}

static void sleep_until_woken(struct wire_stream *wire, int64_t ms)
{
    int64_t now = now_ms(), until = now + (ms < IDLE_MS ? ms : IDLE_MS);
    if (wire->n_fds <= wire->cluster.n) {
        wire->n_fds = wire->cluster.n + 1;
        wire->fds = mem_resize(wire->fds, wire->n_fds, sizeof(*wire->fds));
    }
    wire->fds[0] = (struct pollfd){.fd = wire->wake_fd, .events = POLLIN};
    for (size_t i = 0; i < wire->cluster.n; i++)
        wire->fds[i + 1] =
            wire_connection_wait(&wire->cluster.brokers[i]->connection, &until);
    bool is_pausing =
        wire->cluster.ask_at_ms < until || wire_fetcher_is_pausing(&wire->fetcher, now);
    if (is_pausing && until > now + PAUSE_MS)
        until = now + PAUSE_MS;
    poll(wire->fds, wire->cluster.n + 1, until > now ? (int)(until - now) : 0);
}

static void clear_wake(struct wire_stream *wire)
{
    uint64_t count;
    ssize_t n = read(wire->wake_fd, &count, sizeof(count));
    (void)n; // nothing to read is fine
}

static enum status wire_poll(struct stream *stream, int timeout_ms,
                             struct stream_event *ret, struct err *err)
{
    struct wire_stream *wire = wire_of(stream);
    int64_t end = now_ms() + timeout_ms;
    for (;;) {
        clear_wake(wire);
        TRY(work(wire, err));
        TRY(look(wire, err));
        TRY(next_event(wire, ret, err));
        int64_t left = end - now_ms();
        if (ret->kind != STREAM_IDLE || left <= 0 ||
            atomic_exchange(&wire->is_woken, false)) {
            ret->is_behind = ret->kind == STREAM_IDLE && is_behind(wire);
            return ST_OK;
        }
        sleep_until_woken(wire, left);
    }
}

// ---- start and stop

static void stop_reading(struct wire_stream *wire)
{
    wire->is_reading = false;
    wire_reader_reset(&wire->reader);
    wire_fetcher_stop(&wire->fetcher);
}

static enum status wire_start(struct stream *stream, const struct stream_start *starts,
                              size_t n, UNUSED struct err *err)
{
    struct wire_stream *wire = wire_of(stream);
    stop_reading(wire);
    wire_fetcher_start(&wire->fetcher, starts, n, now_ms());
    wire->is_reading = true;
    wire->asked = STREAM_IDLE;
    return ST_OK;
}

static enum status wire_stop(struct stream *stream, UNUSED struct err *err)
{
    struct wire_stream *wire = wire_of(stream);
    bool is_answer = wire->asked == STREAM_REVOKE || wire->asked == STREAM_LOST;
    stop_reading(wire);
    if (!is_answer)
        return ST_OK;
    wire->asked = STREAM_IDLE;
    if (wire->group != NULL)
        wire_group_gave(wire->group);
    else
        assign_all(wire);
    return ST_OK;
}

static void wire_wake(struct stream *stream)
{
    struct wire_stream *wire = wire_of(stream);
    const uint64_t one = 1;
    atomic_store(&wire->is_woken, true);
    ssize_t n = write(wire->wake_fd, &one, sizeof(one));
    (void)n; // a counter that is full wakes, too
}

static void wire_hold(struct stream *stream, bool held)
{
    wire_of(stream)->is_held = held;
}

// What is left is fetched again: to hold back is rare, and may last for minutes.
static void wire_hold_back(struct stream *stream, int32_t number, size_t n_used)
{
    struct wire_stream *wire = wire_of(stream);
    struct wire_partition *partition = wire_fetcher_find(&wire->fetcher, number);
    const struct wire_run *run = &wire->reader.run;
    assert(partition != NULL && number == wire->last && n_used < run->n);
    int64_t offset = n_used ? run->records[n_used].offset : wire->first;
    wire_fetcher_move(&wire->fetcher, partition, offset,
                      wire_reader_epoch(&wire->reader, offset), WIRE_HELD);
}

static void wire_release(struct stream *stream, int32_t number)
{
    struct wire_stream *wire = wire_of(stream);
    struct wire_partition *partition = wire_fetcher_find(&wire->fetcher, number);
    if (partition != NULL && partition->mode == WIRE_HELD)
        wire_fetcher_move(&wire->fetcher, partition, partition->position,
                          partition->read_epoch, WIRE_READING);
}

static void wire_headers(struct stream *stream, size_t index, struct buf *json)
{
    wire_headers_json(wire_of(stream)->reader.run.headers[index], json);
}

// The next record's time is never at hand: it may be of an aborted transaction.
static void wire_ahead(struct stream *stream, int32_t partition, struct stream_ahead *ret)
{
    *ret = (struct stream_ahead){
        .end = wire_fetcher_end(&wire_of(stream)->fetcher, partition, now_ms()),
        .unread_ms = -1,
    };
}

static void wire_report(struct stream *stream, const struct stream_start *next, size_t n)
{
    wire_reporter_tell(&wire_of(stream)->reporter, next, n);
}

// ---- open and close

// The last report is on its way before the connection ends.
static void say_farewell(struct wire_stream *wire)
{
    int64_t end = now_ms() + FAREWELL_MS;
    stop_reading(wire);
    while (wire_reporter_is_busy(&wire->reporter) && now_ms() < end) {
        clear_wake(wire);
        if (work(wire, NULL) != ST_OK)
            return;
        if (wire_reporter_is_busy(&wire->reporter))
            sleep_until_woken(wire, end - now_ms());
    }
}

static void wire_close(struct stream *stream)
{
    struct wire_stream *wire = wire_of(stream);
    if (wire->wake_fd >= 0) {
        say_farewell(wire);
        wire_group_close(wire->group);
        wire_reader_release(&wire->reader);
        wire_fetcher_release(&wire->fetcher);
        wire_reporter_release(&wire->reporter);
        wire_cluster_release(&wire->cluster);
        close(wire->wake_fd);
    }
    wire_security_close(wire->security);
    free(wire->fds);
    free(wire->assigned);
    free(wire->client_id);
    free(wire);
}

static const struct stream_ops wire_stream_ops = {
    .poll = wire_poll,
    .start = wire_start,
    .stop = wire_stop,
    .wake = wire_wake,
    .hold = wire_hold,
    .hold_back = wire_hold_back,
    .release = wire_release,
    .headers = wire_headers,
    .ahead = wire_ahead,
    .report = wire_report,
    .close = wire_close,
};

static enum status join(struct wire_stream *wire, const struct wire_config *config,
                        const struct wire_client *client, struct err *err)
{
    const struct wire_group_config group = {
        .brokers = config->brokers,
        .topic = config->topic,
        .client = {.id = client->id,
                   .timeout_ms = client->timeout_ms,
                   .wake_fd = client->wake_fd,
                   .most_bytes = GROUP_BYTES,
                   .security = client->security},
        .refresh_ms = config->refresh_ms,
        .member = {.group = config->group,
                   .instance = config->instance,
                   .session_ms = config->session_ms,
                   .max_poll_ms = config->max_poll_ms,
                   .wanted = config->members},
    };
    return wire_group_open(&group, &wire->group, err);
}

static enum status open_parts(struct wire_stream *wire, const struct wire_config *config,
                              struct err *err)
{
    const struct wire_client client = {
        .id = str_of(wire->client_id),
        .timeout_ms = config->timeout_ms,
        .wake_fd = wire->wake_fd,
        .most_bytes = config->buffer_bytes,
        .security = wire->security,
    };
    wire_cluster_init(&wire->cluster, &client, config->brokers, config->topic);
    wire->cluster.refresh_ms = config->refresh_ms;
    wire_fetcher_init(&wire->fetcher, &wire->cluster, config->buffer_bytes);
    wire_reader_init(&wire->reader, &wire->fetcher, config->run_records,
                     config->value_schema);
    wire_reporter_init(&wire->reporter, &wire->cluster, config->group);
    if (config->is_member)
        TRY(join(wire, config, &client, err));
    else
        assign_all(wire);
    wire->reporter.membership = wire->group;
    return ST_OK;
}

enum status wire_stream_open(const struct wire_config *config, struct stream **ret,
                             struct err *err)
{
    struct wire_security *security;
    TRY(wire_security_open(&config->security, &security, err));
    struct wire_stream *wire = mem_zalloc(sizeof(*wire));
    wire->security = security;
    wire->base = (struct stream){.ops = &wire_stream_ops};
    wire->client_id = mem_strdup(config->client_id);
    wire->n_known = config->n_partitions;
    wire->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wire->wake_fd < 0) {
        enum status rc = err_set(err, ST_FAIL,
                                 "topic '%s': no file descriptor: %s; raise the limit of "
                                 "open files (ulimit -n)",
                                 config->topic, strerror(errno));
        wire_close(&wire->base);
        return rc;
    }
    enum status rc = open_parts(wire, config, err);
    if (rc != ST_OK) {
        wire_close(&wire->base);
        return rc;
    }
    *ret = &wire->base;
    return ST_OK;
}
