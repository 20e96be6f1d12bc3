// SPDX-License-Identifier: Apache-2.0
#include "kafka/message.h"

#include "base/text.h"

struct record message_record(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t time_ms = rd_kafka_message_timestamp(message, &type);
    return (struct record){
        .offset = message->offset,
        .time_ms = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? -1 : time_ms,
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
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
