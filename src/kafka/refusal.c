// SPDX-License-Identifier: Apache-2.0
#include "kafka/refusal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    SCRAM_IS_RIGHT = 0x020601ff // librdkafka 2.6.1, its #4895
};

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

// A TLS alert: after its handshake the client hears that its certificate is not liked.
static bool is_alert(const char *text)
{
    return has(text, "SSL alert number");
}

// A broker that speaks no TLS ends the connection, and so does one that is ended: whether
// that is a refusal librdkafka says by its version.
static bool hangs_up_on_tls(const char *text)
{
    return has(text, "ssl://") &&
           (has(text, ": Disconnected") || has(text, ": Send failed: ") ||
            has(text, ": Receive failed: "));
}

enum refusal refusal_of(rd_kafka_resp_err_t code, const char *text)
{
    if (!code)
        return REFUSAL_NO;
    if (code == RD_KAFKA_RESP_ERR__AUTHENTICATION || is_alert(text))
        return REFUSAL_SURE;
    if (hangs_up_on_tls(text) || has(text, "security.protocol"))
        return REFUSAL_LIKELY;
    return code == RD_KAFKA_RESP_ERR__SSL ? REFUSAL_SURE : REFUSAL_NO;
}

static void scram_hint(const char *mechanism, int version, char *ret, size_t size)
{
    snprintf(
        ret, size,
        "; user name or password are wrong, or it is the Kafka client: brokers from "
        "3.8.1 on refuse the %s of librdkafka before 2.6.1, and this is %d.%d.%d; use "
        "a later one, kafka.sasl.mechanism = 'PLAIN', or a client's certificate",
        mechanism, version >> 24 & 0xff, version >> 16 & 0xff, version >> 8 & 0xff);
}

void refusal_hint(const char *text, const char *mechanism, int version, char *ret,
                  size_t size)
{
    if (strncmp(mechanism, "SCRAM-", 6) == 0 && version < SCRAM_IS_RIGHT &&
        has(text, "SASL authentication error"))
        scram_hint(mechanism, version, ret, size);
    else if (has(text, "certificate verify failed"))
        snprintf(ret, size, "%s",
                 "; kafka.ssl.ca.location must be the CA that signed the broker's "
                 "certificate, and that must name this host");
    else if (is_alert(text))
        snprintf(ret, size, "%s",
                 "; the broker wants a client's certificate that it trusts: see "
                 "kafka.ssl.certificate.location and kafka.ssl.key.location");
    else
        snprintf(ret, size, "%s",
                 "; see the options kafka.security.protocol, kafka.ssl.* and "
                 "kafka.sasl.*");
}
