// SPDX-License-Identifier: Apache-2.0
// Connector 'kafka'. Inside src/kafka.
#ifndef KAFKA_CONNECTOR_H
#define KAFKA_CONNECTOR_H

#include "core/connector.h"
#include "kafka/config.h"

// Borrows from the request; the properties live in the arena.
struct kafka_config kafka_config_of(const struct stream_request *request,
                                    struct arena *arena);

extern const struct connector_admin kafka_connector_admin;   // connector_admin.c
extern const struct connector_client kafka_connector_client; // connector_client.c
extern const struct connector kafka_connector;

#endif
