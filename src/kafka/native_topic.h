// SPDX-License-Identifier: Apache-2.0
// The topic port (core/topic.h) of client = 'native', and what init and check --live ask:
// wire/lookup.h, by what a script says. Errors and texts are those of topic.h and
// admin.h. Threads: one owner.
#ifndef KAFKA_NATIVE_TOPIC_H
#define KAFKA_NATIVE_TOPIC_H

#include "kafka/admin.h"
#include "kafka/topic.h"

// See kafka_topic_open and the calls that follow it.
enum status native_topic_open(const struct kafka_config *config, struct topic **ret,
                              struct err *err);
bool native_topic_is(const struct topic *topic);
enum status native_topic_group(struct topic *topic, struct group_look *ret,
                               struct err *err);
int32_t native_topic_opened_with(const struct topic *topic);

// See admin.h; each with connections of its own.
enum status native_describe(const struct kafka_config *config, struct kafka_topic *ret,
                            struct err *err);
enum status native_create(const struct kafka_config *config, struct kafka_topic wanted,
                          struct err *err);
enum status native_members(const struct kafka_config *config, const char *group,
                           size_t *ret, struct buf *names, struct err *err);

#endif
