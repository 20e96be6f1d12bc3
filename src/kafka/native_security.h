// SPDX-License-Identifier: Apache-2.0
// What of a script's "kafka.<name>" the native client takes, and what it says of the
// rest: write client = 'librdkafka'. Names and values are librdkafka's. Threads: none.
#ifndef KAFKA_NATIVE_SECURITY_H
#define KAFKA_NATIVE_SECURITY_H

#include "kafka/config.h"
#include "wire/security.h"

// Properties of the native client alone, for tokens; librdkafka knows them not.
bool native_is_own_property(const char *name);

struct str native_property(const struct kafka_config *config, const char *name);
// ST_USAGE: the text names the property.
enum status native_check_properties(const struct kafka_config *config, struct err *err);
// The texts are the config's. No file is read: see wire_security_open.
enum status native_security_of(const struct kafka_config *config,
                               struct wire_security_config *ret, struct err *err);

#endif
