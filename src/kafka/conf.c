// SPDX-License-Identifier: Apache-2.0
#include "kafka/conf.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "kafka/native_security.h"

enum {
    CLIENT_ID_MAX = 256
};

// What no script may set, and what to do instead or why.
static const struct {
    const char *name;
    const char *why;
} reserved[] = {
    {"auto.offset.reset", "an offset that left the topic is never skipped; see on_gap"},
    {"bootstrap.servers", "use the option brokers"},
    {"check.crcs", "records are always checked"},
    {"enable.auto.commit", "progress is kept with the result"},
    {"enable.auto.offset.store", "progress is kept with the result"},
    {"enable.idempotence", "records are always published idempotently"},
    {"enable.partition.eof", "the end of a partition must be seen"},
    {"group.id", "use the option group"},
    {"group.instance.id", "a worker leaves the group when it ends"},
    {"isolation.level", "only committed records are read"},
    {"max.poll.interval.ms", "it follows from session.timeout"},
    {"metadata.broker.list", "use the option brokers"},
    {"partition.assignment.strategy", "all workers of a group must agree on it"},
    {"partitioner", "keys go where Java's clients put them"},
    {"queued.max.messages.kbytes", "use SET source.buffer"},
    {"queued.min.messages", "use SET source.buffer"},
    {"session.timeout.ms", "use the option session.timeout"},
};

static enum status check_reserved(const char *name, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (strcmp(name, reserved[i].name) == 0)
            return err_set(err, ST_USAGE, "option 'kafka.%s' cannot be set: %s", name,
                           reserved[i].why);
    }
    return ST_OK;
}

static enum status unknown_property(rd_kafka_conf_t *conf, const char *name,
                                    struct err *err)
{
    size_t n; // names and values in turn
    const char **dump = rd_kafka_conf_dump(conf, &n);
    const char **names = mem_array(n / 2 + 1, sizeof(*names));
    for (size_t i = 0; i < n / 2; i++)
        names[i] = dump[2 * i];
    const char *nearest = str_nearest(str_of(name), names, n / 2);
    enum status rc =
        nearest == NULL
            ? err_set(err, ST_USAGE, "option 'kafka.%s': the Kafka client has no '%s'",
                      name, name)
            : err_set(err, ST_USAGE,
                      "option 'kafka.%s': the Kafka client has no '%s'; did you mean "
                      "'kafka.%s'?",
                      name, name, nearest);
    mem_auto_free(&names);
    rd_kafka_conf_dump_free(dump, n);
    return rc;
}

// librdkafka would name a file that is missing by a number of OpenSSL, and wait for
// whoever writes to a pipe. Certificates may lie in a directory.
static enum status check_file(const struct kafka_property *wish, struct err *err)
{
    struct str name = str_of(wish->name);
    bool is_file = (str_starts_with(name, "ssl.") && str_ends_with(name, ".location") &&
                    strcmp(wish->value, "probe") != 0) ||
                   str_is(name, "sasl.kerberos.keytab");
    struct stat info;
    const char *why = NULL;
    if (is_file && (access(wish->value, R_OK) != 0 || stat(wish->value, &info) != 0))
        why = strerror(errno);
    else if (is_file && !S_ISDIR(info.st_mode))
        why = file_is_no_file(&info);
    return why == NULL ? ST_OK
                       : err_set(err, ST_USAGE, "option 'kafka.%s': %s: %s", wish->name,
                                 wish->value, why);
}

static enum status set_wish(rd_kafka_conf_t *conf, const struct kafka_property *wish,
                            struct err *err)
{
    TRY(check_reserved(wish->name, err));
    if (native_is_own_property(wish->name))
        return ST_OK;
    TRY(check_file(wish, err));
    char text[512];
    switch (rd_kafka_conf_set(conf, wish->name, wish->value, text, sizeof(text))) {
    case RD_KAFKA_CONF_OK:
        return ST_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        return unknown_property(conf, wish->name, err);
    default:
        return err_set(err, ST_USAGE, "option 'kafka.%s': %s", wish->name, text);
    }
}

void conf_set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    rd_kafka_conf_res_t result = rd_kafka_conf_set(conf, name, value, NULL, 0);
    assert(result == RD_KAFKA_CONF_OK);
}

void conf_set_number(rd_kafka_conf_t *conf, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, value);
    conf_set(conf, name, text);
}

static void set_all(rd_kafka_conf_t *conf, struct conf_properties properties)
{
    for (size_t i = 0; i < properties.n; i++)
        conf_set(conf, properties.items[i].name, properties.items[i].value);
}

static bool is_set(const struct kafka_config *config, const char *prefix)
{
    for (size_t i = 0; i < config->n_properties; i++)
        if (str_starts_with(str_of(config->properties[i].name), prefix))
            return true;
    return false;
}

static bool conf_is(const rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[64];
    size_t size = sizeof(text);
    return rd_kafka_conf_get(conf, name, text, &size) == RD_KAFKA_CONF_OK &&
           strcmp(text, value) == 0;
}

// librdkafka's default is Kerberos, of which it would miss a key table; without a source
// of tokens it would wait for one for ever.
static enum status check_sasl(const struct kafka_config *config,
                              const rd_kafka_conf_t *conf, struct err *err)
{
    if (!conf_is(conf, "security.protocol", "sasl_ssl") &&
        !conf_is(conf, "security.protocol", "sasl_plaintext"))
        return ST_OK;
    if (!is_set(config, "sasl.mechanism") && !is_set(config, "sasl.kerberos."))
        return err_set(err, ST_USAGE,
                       "option 'kafka.sasl.mechanism' is missing: PLAIN, SCRAM-SHA-256, "
                       "SCRAM-SHA-512, OAUTHBEARER or GSSAPI");
    if (conf_is(conf, "sasl.mechanism", "OAUTHBEARER") &&
        !conf_is(conf, "enable.sasl.oauthbearer.unsecure.jwt", "true") &&
        !conf_is(conf, "sasl.oauthbearer.method", "oidc"))
        return err_set(err, ST_USAGE,
                       "option 'kafka.sasl.mechanism': OAUTHBEARER needs a source of "
                       "tokens, kafka.sasl.oauthbearer.method = 'oidc'");
    return ST_OK;
}

static enum status check_own_properties(const struct kafka_config *config,
                                        struct err *err)
{
    for (size_t i = 0; i < config->n_properties; i++) {
        const char *name = config->properties[i].name;
        if (!native_is_own_property(name))
            continue;
        if (!config->is_native)
            return err_set(err, ST_USAGE, "option 'kafka.%s' wants client = 'native'",
                           name);
        return err_set(
            err, ST_USAGE,
            "option 'kafka.%s' is of client = 'native': records are published "
            "by librdkafka, which takes no tokens so; publish them with another "
            "mechanism, or with another tool",
            name);
    }
    return ST_OK;
}

static enum status set_wishes(const struct kafka_config *config, rd_kafka_conf_t *conf,
                              struct err *err)
{
    for (size_t i = 0; i < config->n_properties; i++)
        TRY(set_wish(conf, &config->properties[i], err));
    return ST_OK;
}

static void set_client_id(rd_kafka_conf_t *conf, const char *instance)
{
    char id[CLIENT_ID_MAX];
    snprintf(id, sizeof(id), "tramline%s%s", instance ? "/" : "",
             instance ? instance : "");
    conf_set(conf, "client.id", id);
}

enum status conf_new(const struct kafka_config *config, struct conf_properties defaults,
                     struct conf_properties fixed, rd_kafka_conf_t **ret, struct err *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set_client_id(conf, config->instance);
    set_all(conf, defaults);
    enum status rc = set_wishes(config, conf, err);
    if (rc != ST_OK) {
        rd_kafka_conf_destroy(conf);
        return rc;
    }
    set_all(conf, fixed);
    conf_set(conf, "bootstrap.servers", config->brokers);
    *ret = conf;
    return ST_OK;
}

enum status kafka_config_check(const struct kafka_config *config, struct err *err)
{
    rd_kafka_conf_t *conf;
    struct conf_properties none = {0};
    TRY(conf_new(config, none, none, &conf, err));
    rd_kafka_conf_destroy(conf);
    return ST_OK;
}

enum status kafka_config_check_sasl(const struct kafka_config *config, struct err *err)
{
    rd_kafka_conf_t *conf;
    struct conf_properties none = {0};
    if (conf_new(config, none, none, &conf, NULL) != ST_OK)
        return ST_OK; // told for the property by itself
    enum status rc = check_own_properties(config, err);
    if (rc == ST_OK)
        rc = check_sasl(config, conf, err);
    rd_kafka_conf_destroy(conf);
    return rc;
}
