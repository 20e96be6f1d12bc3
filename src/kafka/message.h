// SPDX-License-Identifier: Apache-2.0
// librdkafka's message as a record of the stream port. Pure.
#ifndef KAFKA_MESSAGE_H
#define KAFKA_MESSAGE_H

#include <librdkafka/rdkafka.h>

#include "base/buf.h"
#include "core/stream.h"

// Borrows from the message. No key and an empty key stay apart, so do values. The headers
// are only looked at for `value_schema`.
struct record message_record(const rd_kafka_message_t *message, bool value_schema);
// False: the message surely has no header __value_schema_id. `next` is the one behind it,
// or NULL. To ask librdkafka costs an allocation also where there is no header at all,
// 0.1 us, a third of what a record of Avro takes; so it is asked where it may have one.
bool message_may_have_header(const rd_kafka_message_t *message,
                             const rd_kafka_message_t *next);
// Appends [{"key":"k","value":"<base64>"}]; nothing when there are no headers.
void message_headers(const rd_kafka_message_t *message, struct buf *json);

#endif
