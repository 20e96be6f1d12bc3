// SPDX-License-Identifier: Apache-2.0
// librdkafka's configuration of one handle: what the script sets, over our defaults,
// under what exactly-once needs and no script may change. Pure; any thread.
#ifndef KAFKA_CONF_H
#define KAFKA_CONF_H

#include <librdkafka/rdkafka.h>

#include "kafka/config.h"

struct conf_properties {
    const struct kafka_property *items;
    size_t n;
};

// The caller owns *ret. ST_USAGE: the script sets what does not exist or is not its own.
enum status conf_new(const struct kafka_config *config, struct conf_properties defaults,
                     struct conf_properties fixed, rd_kafka_conf_t **ret,
                     struct err *err);
// Sets one more; name and value are known to be right.
void conf_set(rd_kafka_conf_t *conf, const char *name, const char *value);
void conf_set_number(rd_kafka_conf_t *conf, const char *name, int64_t value);

#endif
