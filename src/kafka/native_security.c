// SPDX-License-Identifier: Apache-2.0
#include "kafka/native_security.h"

#include <strings.h>

#define TOKEN_FILE    "sasl.oauthbearer.token.file"
#define TOKEN_COMMAND "sasl.oauthbearer.token.command"

static const char *const taken[] = {
    "client.id",
    "topic.metadata.refresh.interval.ms",
    "security.protocol",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.certificate.pem",
    "ssl.key.location",
    "ssl.key.pem",
    "ssl.key.password",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.endpoint.identification.algorithm",
    "sasl.mechanism",
    "sasl.mechanisms",
    "sasl.username",
    "sasl.password",
    "sasl.kerberos.service.name",
    "sasl.kerberos.principal",
    "sasl.kerberos.keytab",
    TOKEN_FILE,
    TOKEN_COMMAND,
};

// Of what publishes records, which is librdkafka's with each client: they say nothing of
// reading.
static const char *const publishers[] = {
    "acks",
    "batch.num.messages",
    "batch.size",
    "compression.codec",
    "compression.level",
    "compression.type",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.gapless.guarantee",
    "linger.ms",
    "message.max.bytes",
    "message.send.max.retries",
    "message.timeout.ms",
    "queue.buffering.backpressure.threshold",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queuing.strategy",
    "request.required.acks",
    "request.timeout.ms",
    "retries",
    "sticky.partitioning.linger.ms",
    "transaction.timeout.ms",
};

bool native_is_own_property(const char *name)
{
    return strcmp(name, TOKEN_FILE) == 0 || strcmp(name, TOKEN_COMMAND) == 0;
}

struct str native_property(const struct kafka_config *config, const char *name)
{
    struct str value = {0};
    for (size_t i = 0; i < config->n_properties; i++)
        if (strcmp(config->properties[i].name, name) == 0)
            value = str_of(config->properties[i].value);
    return value;
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
    bool is = false;
    for (size_t i = 0; i < n; i++)
        is |= strcmp(name, names[i]) == 0;
    return is;
}

enum status native_check_properties(const struct kafka_config *config, struct err *err)
{
    for (size_t i = 0; i < config->n_properties; i++) {
        const char *name = config->properties[i].name;
        if (!is_one_of(name, taken, ARRAY_LEN(taken)) &&
            !is_one_of(name, publishers, ARRAY_LEN(publishers)))
            return err_set(
                err, ST_USAGE,
                "option 'kafka.%s' is not one of client = 'native'; write "
                "client = 'librdkafka', or see the documentation on security for those "
                "that it takes",
                name);
    }
    return ST_OK;
}

static bool has_kerberos(const struct kafka_config *config)
{
    bool has = false;
    for (size_t i = 0; i < config->n_properties; i++)
        has |= str_starts_with(str_of(config->properties[i].name), "sasl.kerberos.");
    return has;
}

static enum status mechanism_of(const struct kafka_config *config,
                                enum wire_mechanism *ret, struct err *err)
{
    static const enum wire_mechanism all[] = {WIRE_PLAIN, WIRE_SCRAM_SHA_256,
                                              WIRE_SCRAM_SHA_512, WIRE_OAUTHBEARER,
                                              WIRE_GSSAPI};
    struct str name = native_property(config, "sasl.mechanism");
    if (name.p == NULL)
        name = native_property(config, "sasl.mechanisms");
    if (name.p == NULL && has_kerberos(config)) // librdkafka's default, where it is meant
        name = STR_LITERAL("GSSAPI");
    if (name.p == NULL)
        return err_set(err, ST_USAGE,
                       "option 'kafka.sasl.mechanism' is missing: PLAIN, SCRAM-SHA-256, "
                       "SCRAM-SHA-512, OAUTHBEARER or GSSAPI");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (str_is(name, wire_mechanism_name(all[i]))) {
            *ret = all[i];
            return ST_OK;
        }
    }
    return err_set(err, ST_USAGE,
                   "option 'kafka.sasl.mechanism': client = 'native' has PLAIN, "
                   "SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER and GSSAPI, not '%.*s'",
                   STR_ARGS(name));
}

static enum status take_protocol(const struct kafka_config *config,
                                 struct wire_security_config *ret, struct err *err)
{
    static const struct {
        const char *name;
        bool has_tls, has_sasl;
    } protocols[] = {
        {"plaintext", false, false},
        {"ssl", true, false},
        {"sasl_plaintext", false, true},
        {"sasl_ssl", true, true},
    };
    struct str name = native_property(config, "security.protocol");
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
        if (!str_eq_nocase(name, str_of(protocols[i].name)))
            continue;
        ret->has_tls = protocols[i].has_tls;
        return protocols[i].has_sasl ? mechanism_of(config, &ret->mechanism, err) : ST_OK;
    }
    if (name.p == NULL)
        return ST_OK;
    return err_set(err, ST_USAGE, "option 'kafka.%s': '%.*s'", "security.protocol",
                   STR_ARGS(name)); // the value's own check says more
}

static enum status take_host_check(const struct kafka_config *config,
                                   struct wire_security_config *ret, struct err *err)
{
    struct str name = native_property(config, "ssl.endpoint.identification.algorithm");
    ret->takes_any_host = str_is(name, "none");
    if (name.p == NULL || ret->takes_any_host || str_is(name, "https"))
        return ST_OK;
    return err_set(err, ST_USAGE, "option 'kafka.%s': '%.*s'",
                   "ssl.endpoint.identification.algorithm", STR_ARGS(name));
}

static struct wire_kerberos_config kerberos_of(const struct kafka_config *config)
{
    return (struct wire_kerberos_config){
        .service = native_property(config, "sasl.kerberos.service.name").p,
        .principal = native_property(config, "sasl.kerberos.principal").p,
        .keytab = native_property(config, "sasl.kerberos.keytab").p,
    };
}

enum status native_security_of(const struct kafka_config *config,
                               struct wire_security_config *ret, struct err *err)
{
    *ret = (struct wire_security_config){
        .user = native_property(config, "sasl.username").p,
        .password = native_property(config, "sasl.password").p,
        .token_file = native_property(config, TOKEN_FILE).p,
        .token_command = native_property(config, TOKEN_COMMAND).p,
        .kerberos = kerberos_of(config),
        .ca = native_property(config, "ssl.ca.location").p,
        .ca_pem = native_property(config, "ssl.ca.pem").p,
        .certificate = native_property(config, "ssl.certificate.location").p,
        .certificate_pem = native_property(config, "ssl.certificate.pem").p,
        .key = native_property(config, "ssl.key.location").p,
        .key_pem = native_property(config, "ssl.key.pem").p,
        .key_password = native_property(config, "ssl.key.password").p,
        .keystore = native_property(config, "ssl.keystore.location").p,
        .keystore_password = native_property(config, "ssl.keystore.password").p,
    };
    TRY(take_host_check(config, ret, err));
    return take_protocol(config, ret, err);
}
