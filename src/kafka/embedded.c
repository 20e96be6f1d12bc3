// SPDX-License-Identifier: Apache-2.0
#include "kafka/embedded.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>

#include "base/mem.h"
#include "kafka/client.h"

enum {
    LIST_OFFSETS = 2, // the request's key
    LIST_OFFSETS_MAX = 3,
};

struct kafka_embedded {
    struct kafka_client client; // the mock cluster lives in a handle
    rd_kafka_mock_cluster_t *cluster;
};

// librdkafka keeps signals away from its other threads, but from the cluster's not: one
// that arrives there ends its poll, the thread and the brokers, and the close waits for
// it forever.
static rd_kafka_mock_cluster_t *cluster_without_signals(rd_kafka_t *rk)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(rk, 1);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return cluster;
}

enum status kafka_embedded_open(struct kafka_embedded **ret, struct err *err)
{
    const struct kafka_config nowhere = {.brokers = ""};
    struct conf_properties none = {0};
    rd_kafka_conf_t *conf;
    TRY(conf_new(&nowhere, none, none, &conf, err));
    struct kafka_embedded *embedded = mem_zalloc(sizeof(*embedded));
    enum status rc =
        client_open(&embedded->client, &nowhere, RD_KAFKA_PRODUCER, conf, err);
    if (rc == ST_OK) {
        embedded->cluster = cluster_without_signals(embedded->client.rk);
        assert(embedded->cluster != NULL); // else librdkafka ends itself
        // Later versions have an epoch, for which it writes eight bytes, not four.
        rd_kafka_mock_set_apiversion(embedded->cluster, LIST_OFFSETS, 0,
                                     LIST_OFFSETS_MAX);
    }
    if (rc != ST_OK) {
        kafka_embedded_close(embedded);
        return rc;
    }
    *ret = embedded;
    return ST_OK;
}

const char *kafka_embedded_brokers(const struct kafka_embedded *embedded)
{
    return rd_kafka_mock_cluster_bootstraps(embedded->cluster);
}

enum status kafka_embedded_create_topic(struct kafka_embedded *embedded,
                                        const char *topic, int32_t partitions,
                                        struct err *err)
{
    rd_kafka_resp_err_t code =
        rd_kafka_mock_topic_create(embedded->cluster, topic, partitions, 1);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return err_set(err, ST_EXISTS, "topic '%s' is there already", topic);
    assert(!code);
    return ST_OK;
}

void kafka_embedded_close(struct kafka_embedded *embedded)
{
    if (embedded == NULL)
        return;
    if (embedded->cluster != NULL)
        rd_kafka_mock_cluster_destroy(embedded->cluster);
    client_close(&embedded->client);
    mem_auto_free(&embedded);
}
