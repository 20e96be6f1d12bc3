// SPDX-License-Identifier: Apache-2.0
// The stream of client = 'native', the default: src/wire, by what a script says with
// librdkafka's names.
//
// What it does not have is refused, and the text names client = 'librdkafka'.
#ifndef KAFKA_NATIVE_H
#define KAFKA_NATIVE_H

#include "core/topic.h"
#include "kafka/config.h"

// ST_USAGE: a property that it does not have.
enum status kafka_native_check(const struct kafka_config *config, struct err *err);
// `topic` is one of kafka_topic_open with the same config: borrowed, and only for the
// call.
enum status kafka_native_open(const struct kafka_config *config, struct topic *topic,
                              struct stream **ret, struct err *err);

#endif
