// SPDX-License-Identifier: Apache-2.0
#include "kafka/ends.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/str.h"

enum {
    SILENT_US =
        2000000, // of a broker; a fetch waits 50 ms for news, or as the script says
    FOREIGN_MAX = 1 << 20 // partitions of a topic, far beyond what brokers bear
};

static int64_t setting(const rd_kafka_t *rk, const char *name)
{
    char text[24];
    size_t size = sizeof(text);
    int64_t number = 0;
    rd_kafka_conf_res_t result =
        rd_kafka_conf_get(rd_kafka_conf((rd_kafka_t *)(uintptr_t)rk), name, text, &size);
    bool is_number = result == RD_KAFKA_CONF_OK && str_to_i64(str_of(text), &number);
    assert(is_number);
    return number;
}

void ends_init(struct kafka_ends *ends, const rd_kafka_t *rk, const char *topic)
{
    *ends = (struct kafka_ends){
        .topic = topic,
        .queued_most = setting(rk, "queued.min.messages"),
        .queued_bytes_most = setting(rk, "queued.max.messages.kbytes") * 1024,
        .interval_ms = setting(rk, "statistics.interval.ms"),
    };
}

void ends_release(struct kafka_ends *ends)
{
    free(ends->items);
    *ends = (struct kafka_ends){0};
}

void ends_forget(struct kafka_ends *ends)
{
    ends->n = 0;
}

static int64_t number_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : -1;
}

static bool text_is(const json_t *object, const char *name, const char *wanted)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL && strcmp(text, wanted) == 0;
}

// Something came from it a moment ago.
static bool is_alive(json_t *brokers, int64_t id)
{
    const char *name;
    json_t *broker;
    json_object_foreach(brokers, name, broker)
    {
        int64_t silent_us = number_of(broker, "rxidle");
        if (number_of(broker, "nodeid") == id && text_is(broker, "state", "UP") &&
            silent_us >= 0 && silent_us < SILENT_US)
            return true;
    }
    return false;
}

static bool is_fetched(const struct kafka_ends *ends, json_t *brokers,
                       const json_t *partition)
{
    return text_is(partition, "fetch_state", "active") &&
           number_of(partition, "fetchq_cnt") < ends->queued_most &&
           number_of(partition, "fetchq_size") < ends->queued_bytes_most &&
           is_alive(brokers, number_of(partition, "broker"));
}

static void set_end(struct kafka_ends *ends, size_t number, int64_t end)
{
    if (number >= ends->n) {
        ends->items = mem_resize(ends->items, number + 1, sizeof(*ends->items));
        while (ends->n <= number)
            ends->items[ends->n++] = -1;
    }
    ends->items[number] = end;
}

// One that has not been fetched yet has a negative number for its end.
static void take(struct kafka_ends *ends, json_t *brokers, json_t *partition)
{
    int64_t number = number_of(partition, "partition");
    int64_t end = number_of(partition, "ls_offset");
    if (number < 0 || number >= FOREIGN_MAX)
        return; // librdkafka's own, of no partition
    set_end(ends, (size_t)number, is_fetched(ends, brokers, partition) ? end : -1);
}

void ends_take(struct kafka_ends *ends, const char *text, size_t n, int64_t now_ms)
{
    json_error_t error;
    json_t *root = json_loadb(text, n, 0, &error);
    json_t *topics = json_object_get(root, "topics");
    json_t *brokers = json_object_get(root, "brokers");
    json_t *ours = json_object_get(json_object_get(topics, ends->topic), "partitions");
    const char *name;
    json_t *partition;
    ends_forget(ends);
    json_object_foreach(ours, name, partition) take(ends, brokers, partition);
    ends->told_ms = now_ms;
    json_decref(root);
}

int64_t ends_of(const struct kafka_ends *ends, int32_t partition, int64_t now_ms)
{
    bool is_told = (size_t)partition < ends->n &&
                   now_ms - ends->told_ms < 2 * ends->interval_ms + SILENT_US / 1000;
    int64_t end = is_told ? ends->items[partition] : -1;
    return end < 0 ? -1 : end;
}
