// SPDX-License-Identifier: Apache-2.0
#include "kafka/message.h"

#include "base/text.h"

#define VALUE_SCHEMA "__value_schema_id"

// Of that header in a record: their number, the name with its length, a length.
enum {
    HEADER_BYTES_MIN = 1 + 1 + sizeof(VALUE_SCHEMA) - 1 + 1
};

static const char *begin_of(const rd_kafka_message_t *message)
{
    return message->key_len > 0 ? message->key : message->payload;
}

// librdkafka gives keys and values where they stand in what the broker sent, and there a
// record's headers follow on its value: where another record's bytes begin sooner than
// the header could end, it is not there.
bool message_may_have_header(const rd_kafka_message_t *message,
                             const rd_kafka_message_t *next)
{
    if (next == NULL || next->err || message->payload == NULL || begin_of(next) == NULL)
        return true;
    uintptr_t end = (uintptr_t)message->payload + message->len;
    uintptr_t begin = (uintptr_t)begin_of(next);
    return begin < end || begin - end >= HEADER_BYTES_MIN;
}

static struct str value_schema_of(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, VALUE_SCHEMA, &value, &size) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
        return (struct str){0};
    return value ? (struct str){value, size} : STR_LITERAL("");
}

struct record message_record(const rd_kafka_message_t *message, bool value_schema)
{
    rd_kafka_timestamp_type_t type;
    int64_t time_ms = rd_kafka_message_timestamp(message, &type);
    return (struct record){
        .offset = message->offset,
        .time_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : time_ms,
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
        .value_schema = value_schema ? value_schema_of(message) : (struct str){0},
    };
}

void message_headers(const rd_kafka_message_t *message, struct buf *json)
{
    rd_kafka_headers_t *headers; // the message's own
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return;
    const char *name;
    const void *value;
    size_t size;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                       RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        buf_text(json, i == 0 ? "[{\"key\":" : ",{\"key\":");
        text_json(json, str_of(name));
        buf_text(json, value == NULL ? ",\"value\":null}" : ",\"value\":\"");
        if (value == NULL)
            continue;
        text_base64(json, (struct str){value, size});
        buf_text(json, "\"}");
    }
    if (rd_kafka_header_cnt(headers) > 0)
        buf_char(json, ']');
}
