// SPDX-License-Identifier: Apache-2.0
// librdkafka's message as a record of the source port. Pure.
#ifndef KAFKA_MESSAGE_H
#define KAFKA_MESSAGE_H

#include <librdkafka/rdkafka.h>

#include "base/buf.h"
#include "core/source.h"

// Borrows from the message. No key and an empty key stay apart, so do values.
struct record message_record(const rd_kafka_message_t *message);
// Appends [{"key":"k","value":"<base64>"}]; nothing when there are no headers.
void message_headers(const rd_kafka_message_t *message, struct buf *json);

#endif
