// SPDX-License-Identifier: Apache-2.0
#include "job/letter_topic.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "core/connector.h"
#include "job/stop.h"
#include "log/letter_headers.h"

struct letter_topic {
    struct producer *producer;
    struct arena arena; // of one letter
    int64_t n_sent, n_too_large;
    bool is_stopped;
};

static enum status no_brokers(const struct connector *connector, struct err *err)
{
    return err_set(err, ST_USAGE,
                   "--to-topic publishes to the brokers of the script's stream, and one "
                   "of connector = '%s' has none; --replay takes letters of any stream",
                   connector->options.name);
}

// The stream's options with another topic.
static enum status with_topic(const struct options *of_stream, const char *topic,
                              struct arena *arena, struct options *ret, struct err *err)
{
    const struct connector *connector = connector_of(of_stream);
    size_t n = connector->options.n;
    *ret = (struct options){
        .group = of_stream->group,
        .values = arena_array(arena, n, sizeof(*ret->values)),
        .arena = arena,
    };
    memcpy(ret->values, of_stream->values, n * sizeof(*ret->values));
    const struct option_def *def =
        option_find(&connector->options, str_of(connector->place));
    enum status rc = connector->options.check(connector->place, str_of(topic), err);
    if (rc == ST_OK)
        rc = options_set(ret, def, str_of(topic), err);
    return rc == ST_OK ? rc : err_context(err, rc, "--to-topic");
}

enum status letter_topic_open(struct pipeline *pipeline, const char *topic,
                              struct letter_topic **ret, struct err *err)
{
    struct stream_request request = pipeline_stream(pipeline);
    const struct connector *connector = connector_of(request.options);
    AUTO(arena_release) struct arena arena = {0};
    struct options options;
    if (connector->admin == NULL)
        return no_brokers(connector, err);
    TRY(with_topic(request.options, topic, &arena, &options, err));
    request.options = &options;
    struct producer *producer;
    enum status rc = connector->admin->open_producer(&request, &producer, err);
    if (rc == ST_NOT_FOUND)
        return err_set(err, rc,
                       "--to-topic: topic '%s' is not on the brokers, and none is made "
                       "for letters; make it with the brokers' own tool",
                       topic);
    TRY(rc);
    *ret = mem_zalloc(sizeof(**ret));
    (*ret)->producer = producer;
    return ST_OK;
}

static enum status send(void *context, const struct dead_record *letter, struct err *err)
{
    struct letter_topic *topic = context;
    size_t n;
    topic->is_stopped = stop_is_asked();
    if (topic->is_stopped)
        return ST_STOP;
    arena_clear(&topic->arena);
    const struct letter_header *headers =
        letter_headers(letter->headers, &topic->arena, &n);
    struct produced_header *produced = arena_array(&topic->arena, n, sizeof(*produced));
    for (size_t i = 0; i < n; i++)
        produced[i] = (struct produced_header){headers[i].key.p, headers[i].value};
    const struct produced record = {
        .key = letter->record.key,
        .value = letter->record.value,
        .headers = produced,
        .n_headers = n,
    };
    enum status rc = topic->producer->ops->produce(topic->producer, &record, err);
    if (rc == ST_LIMIT) {
        log_warn("letter %" PRId64 ":%" PRId64 " is not published: %s", letter->entry,
                 letter->line, err->text);
        topic->n_too_large++;
        return ST_OK;
    }
    TRY(rc);
    topic->n_sent++;
    return ST_OK;
}

enum status letter_topic_publish(struct letter_topic *topic, struct storage *storage,
                                 const struct dead_filter *filter,
                                 struct letter_topic_report *ret, struct err *err)
{
    struct producer *producer = topic->producer;
    struct dead_book book = {0};
    struct err flush_err = {0};
    enum status rc = dead_book_read(storage, &book, err);
    if (rc == ST_OK)
        rc = dead_book_each(&book, storage, filter, send, topic, err);
    if (rc == ST_OK && topic->is_stopped)
        rc = err_set(err, ST_STOP, "stopped by a signal");
    dead_book_release(&book);
    struct delivery delivery;
    enum status flushed =
        producer->ops->flush(producer, stop_farewell(), &delivery, &flush_err);
    *ret = (struct letter_topic_report){.sent = topic->n_sent - delivery.unsent,
                                        .acknowledged = delivery.acknowledged,
                                        .unsent = delivery.unsent};
    if (rc != ST_OK)
        return rc;
    if (flushed == ST_OK && topic->n_too_large > 0)
        return err_set(err, ST_DATA,
                       "%s too large for the producer, and %s not published; raise "
                       "kafka.message.max.bytes of the stream, and the topic's "
                       "max.message.bytes",
                       text_counted(topic->n_too_large, "letter is", "letters are"),
                       topic->n_too_large == 1 ? "is" : "are");
    *err = flush_err;
    return flushed;
}

void letter_topic_close(struct letter_topic *topic)
{
    if (topic == NULL)
        return;
    topic->producer->ops->close(topic->producer);
    arena_release(&topic->arena);
    free(topic);
}
