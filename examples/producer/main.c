// SPDX-License-Identifier: Apache-2.0
// Produces each row of a GTFS stop_times.txt as a typed Avro record:
//   stop_times_producer FILE BROKERS TOPIC REGISTRY_URL
// The type, its encode and the schema are made from stop_times.avsc by tramline codegen.
#include <errno.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "registry.h"
#include "stop_times.h"

enum {
    FLUSH_MS = 60000,
    FRAME_BYTES = 5
};

// Where the columns stand in the file; -1: it has no such column.
struct columns {
    int trip_id, arrival_time, departure_time, stop_id, stop_sequence;
};

struct producer {
    rd_kafka_t *kafka;
    const char *topic;
    int32_t schema_id;
    long n_sent, n_stored, n_failed;
};

static bool read_file(const char *path, char **ret, size_t *ret_n)
{
    FILE *file = fopen(path, "rb");
    size_t capacity = 1 << 20;
    char *bytes = malloc(capacity);
    size_t n = 0;
    while (file != NULL && bytes != NULL) {
        n += fread(bytes + n, 1, capacity - n, file);
        if (n < capacity)
            break;
        char *grown = realloc(bytes, capacity *= 2);
        if (grown == NULL)
            free(bytes);
        bytes = grown;
    }
    bool good = file != NULL && bytes != NULL && !ferror(file);
    if (!good)
        fprintf(stderr, "%s: cannot be read: %s\n", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    *ret = bytes;
    *ret_n = n;
    return good;
}

// A row as a typed record

static struct gtfs_optional_string optional_text(const struct csv *csv, int column)
{
    struct gtfs_optional_string ret = {0};
    if (column < 0 || (size_t)column >= csv->n_fields)
        return ret;
    const struct csv_field *field = &csv->fields[column];
    ret.has = field->n > 0 || field->quoted;
    ret.value = (struct avro_str){field->p, field->n};
    return ret;
}

static bool optional_number(const struct csv *csv, int column,
                            struct gtfs_optional_int *ret)
{
    struct gtfs_optional_string text = optional_text(csv, column);
    char digits[16];
    char *end;
    memset(ret, 0, sizeof(*ret));
    if (!text.has)
        return true;
    if (text.value.n == 0 || text.value.n >= sizeof(digits))
        return false;
    memcpy(digits, text.value.p, text.value.n);
    digits[text.value.n] = '\0';
    long long number = strtoll(digits, &end, 10);
    if (*end != '\0' || number < INT32_MIN || number > INT32_MAX)
        return false;
    ret->has = true;
    ret->value = (int32_t)number;
    return true;
}

// The record borrows the file's bytes. NULL, or what is wrong with the row.
static const char *record_of(const struct csv *csv, const struct columns *columns,
                             struct gtfs_stop_time *ret)
{
    struct gtfs_optional_string trip_id = optional_text(csv, columns->trip_id);
    gtfs_stop_time_init(ret);
    if (!trip_id.has)
        return "trip_id is missing";
    ret->trip_id = trip_id.value;
    ret->arrival_time = optional_text(csv, columns->arrival_time);
    ret->departure_time = optional_text(csv, columns->departure_time);
    ret->stop_id = optional_text(csv, columns->stop_id);
    if (!optional_number(csv, columns->stop_sequence, &ret->stop_sequence))
        return "stop_sequence is not a whole number";
    return NULL;
}

// A record to Kafka

static void on_delivery(rd_kafka_t *kafka, const rd_kafka_message_t *message,
                        void *opaque)
{
    struct producer *producer = opaque;
    (void)kafka;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        producer->n_stored++;
        return;
    }
    if (producer->n_failed++ == 0)
        fprintf(stderr, "topic %s: not stored: %s\n", producer->topic,
                rd_kafka_err2str(message->err));
}

static bool kafka_open(struct producer *producer, const char *brokers)
{
    static const char *const settings[][2] = {
        {"enable.idempotence", "true"},    // each record once, in order
        {"partitioner", "murmur2_random"}, // as Java's producer: equal keys meet
        {"compression.codec", "lz4"},
        {"linger.ms", "50"},
    };
    char why[512] = "";
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, producer);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    bool good = rd_kafka_conf_set(conf, "bootstrap.servers", brokers, why, sizeof(why)) ==
                RD_KAFKA_CONF_OK;
    for (size_t i = 0; good && i < sizeof(settings) / sizeof(settings[0]); i++)
        good = rd_kafka_conf_set(conf, settings[i][0], settings[i][1], why,
                                 sizeof(why)) == RD_KAFKA_CONF_OK;
    if (good)
        producer->kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
    if (producer->kafka == NULL) {
        fprintf(stderr, "kafka: %s\n", why);
        rd_kafka_conf_destroy(conf);
    }
    return producer->kafka != NULL;
}

// The Confluent wire format: a zero byte, the schema's id in four, then the datum. `ret`
// has room for the first five.
static bool frame(int32_t schema_id, const struct gtfs_stop_time *record,
                  struct avro_buffer *ret)
{
    const char head[FRAME_BYTES] = {0, (char)(schema_id >> 24), (char)(schema_id >> 16),
                                    (char)(schema_id >> 8), (char)schema_id};
    memcpy(ret->p, head, FRAME_BYTES);
    ret->n = FRAME_BYTES;
    return gtfs_stop_time_encode(record, ret) == AVRO_OK; // behind what is there
}

static bool send_record(struct producer *producer, const struct gtfs_stop_time *record,
                        struct avro_buffer *bytes)
{
    if (!frame(producer->schema_id, record, bytes)) {
        fprintf(stderr, "a record cannot be encoded\n");
        return false;
    }
    for (;;) {
        rd_kafka_resp_err_t rc = rd_kafka_producev(
            producer->kafka, RD_KAFKA_V_TOPIC(producer->topic),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY((void *)(uintptr_t)record->trip_id.p, record->trip_id.n),
            RD_KAFKA_V_VALUE(bytes->p, bytes->n), RD_KAFKA_V_END);
        rd_kafka_poll(producer->kafka, rc == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 100 : 0);
        if (rc == RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        if (rc != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            fprintf(stderr, "topic %s: %s\n", producer->topic, rd_kafka_err2str(rc));
            return false;
        }
    }
    producer->n_sent++;
    return producer->n_failed == 0;
}

// A file to a topic

static bool find_columns(struct csv *csv, const char *path, struct columns *ret)
{
    const char *wrong = "it is empty";
    if (!csv_next(csv, &wrong) || wrong != NULL) {
        fprintf(stderr, "%s: no header line: %s\n", path, wrong ? wrong : "it is empty");
        return false;
    }
    ret->trip_id = csv_find(csv, "trip_id");
    ret->arrival_time = csv_find(csv, "arrival_time");
    ret->departure_time = csv_find(csv, "departure_time");
    ret->stop_id = csv_find(csv, "stop_id");
    ret->stop_sequence = csv_find(csv, "stop_sequence");
    if (ret->trip_id < 0)
        fprintf(stderr, "%s: its header has no trip_id: is it a stop_times.txt?\n", path);
    return ret->trip_id >= 0;
}

static bool produce_rows(struct producer *producer, struct csv *csv, const char *path)
{
    struct columns columns;
    struct gtfs_stop_time record;
    struct avro_buffer bytes = {.p = malloc(FRAME_BYTES), .capacity = FRAME_BYTES};
    const char *wrong = NULL;
    bool good = bytes.p != NULL && find_columns(csv, path, &columns);
    while (good && csv_next(csv, &wrong)) {
        const struct csv_field *first = &csv->fields[0];
        if (wrong == NULL && csv->n_fields == 1 && first->n == 0 && !first->quoted)
            continue; // an empty line
        if (wrong == NULL)
            wrong = record_of(csv, &columns, &record);
        if (wrong != NULL)
            fprintf(stderr, "%s: line %zu: %s\n", path, csv->line, wrong);
        good = wrong == NULL && send_record(producer, &record, &bytes);
    }
    avro_buffer_release(&bytes);
    return good;
}

static bool produce_file(struct producer *producer, const char *path)
{
    char *bytes;
    size_t n;
    struct csv csv;
    bool good = read_file(path, &bytes, &n);
    if (good) {
        csv_init(&csv, bytes, n);
        good = produce_rows(producer, &csv, path);
    }
    rd_kafka_flush(producer->kafka, FLUSH_MS);
    free(bytes);
    return good && producer->n_stored == producer->n_sent;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: %s FILE BROKERS TOPIC REGISTRY_URL\n", argv[0]);
        return 2;
    }
    struct producer producer = {.topic = argv[3]};
    if (!registry_register(argv[4], producer.topic, gtfs_stop_time_schema,
                           &producer.schema_id) ||
        !kafka_open(&producer, argv[2]))
        return 1;
    bool good = produce_file(&producer, argv[1]);
    printf("schema id %d; %ld records sent, %ld stored\n", producer.schema_id,
           producer.n_sent, producer.n_stored);
    rd_kafka_destroy(producer.kafka);
    return good ? 0 : 1;
}
