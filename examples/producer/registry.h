// SPDX-License-Identifier: Apache-2.0
// Registers an Avro schema with a Schema Registry (Confluent's REST API).
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdbool.h>
#include <stdint.h>

// The id of the schema, which is there already or is new, under subject TOPIC-value.
// False: told on stderr.
bool registry_register(const char *url, const char *topic, const char *schema,
                       int32_t *ret_id);

#endif
