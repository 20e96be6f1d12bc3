// SPDX-License-Identifier: Apache-2.0
// What a connection's last words mean: whether the brokers refused us, and the way out.
// Pure; any thread.
#ifndef KAFKA_REFUSAL_H
#define KAFKA_REFUSAL_H

#include <librdkafka/rdkafka.h>
#include <stddef.h>

enum refusal {
    REFUSAL_NO,
    REFUSAL_LIKELY, // a broker that ends at this moment gives the same words
    REFUSAL_SURE,   // trying again changes nothing
};

enum refusal refusal_of(rd_kafka_resp_err_t code, const char *text);
// What to do about it, "; see ...". `mechanism` of SASL as it is configured; `version` of
// librdkafka as rd_kafka_version() tells it.
void refusal_hint(const char *text, const char *mechanism, int version, char *ret,
                  size_t size);

#endif
