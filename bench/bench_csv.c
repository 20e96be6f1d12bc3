// SPDX-License-Identifier: Apache-2.0
// bench_csv FEED: CSV scanned, decoded and encoded, a record a line, in runs of 10,000 as
// a source gives them.
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "csv/decoder.h"
#include "csv/row_format.h"
#include "csv/scanner.h"

enum {
    RUN_RECORDS = 10000
};

static struct column columns[] = {
    {{"trip_id", sizeof("trip_id") - 1}, TYPE_TEXT, false},
    {{"arrival_time", sizeof("arrival_time") - 1}, TYPE_TEXT, true},
    {{"departure_time", sizeof("departure_time") - 1}, TYPE_TEXT, true},
    {{"stop_id", sizeof("stop_id") - 1}, TYPE_TEXT, true},
    {{"stop_sequence", sizeof("stop_sequence") - 1}, TYPE_INT, true},
};
static const struct schema schema = {columns, ARRAY_LEN(columns)};

static size_t scan_all(const struct bench_records *records, UNUSED void *context)
{
    size_t n_fields = 0;
    struct csv_field fields[8];
    for (size_t i = 0; i < records->n; i++) {
        struct csv_line line = {.fields = fields, .capacity = ARRAY_LEN(fields)};
        n_fields +=
            csv_scan(records->records[i].value, true, &line) == CSV_LINE ? line.n : 0;
    }
    return n_fields;
}

static void decode_run(struct decoder *decoder, const struct bench_records *records,
                       size_t from, struct batch *batch)
{
    size_t left = records->n - from;
    struct run run = {.records = records->records + from,
                      .n = left < RUN_RECORDS ? left : RUN_RECORDS};
    struct err err;
    size_t next;
    batch_clear(batch);
    if (decoder->ops->decode(decoder, &run, 0, batch, &next, &err) != ST_OK)
        abort();
}

static size_t decode_all(const struct bench_records *records, void *context)
{
    size_t n_rows = 0;
    struct batch batch;
    batch_init(&batch, schema.n);
    for (size_t from = 0; from < records->n; from += RUN_RECORDS) {
        decode_run(context, records, from, &batch);
        n_rows += batch.n_rows;
    }
    batch_release(&batch);
    return n_rows;
}

// The first run's rows, as often as it takes.
static size_t encode_all(const struct bench_records *records, void *context)
{
    struct row_format *row_format = csv_row_format_open(&schema);
    struct batch batch;
    struct buf out = {0};
    batch_init(&batch, schema.n);
    decode_run(context, records, 0, &batch);
    for (size_t i = 0; i < records->n; i++) {
        if (i % RUN_RECORDS == 0)
            buf_clear(&out);
        row_format->ops->fields(row_format, 0, batch_row(&batch, i % batch.n_rows),
                                schema.n, &out);
        row_format->ops->end_row(row_format, &out);
    }
    buf_release(&out);
    batch_release(&batch);
    row_format->ops->close(row_format);
    return records->n;
}

static void measure(const char *name, const struct bench_records *records, void *context,
                    size_t (*run)(const struct bench_records *records, void *context))
{
    double best = 0;
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        double start = bench_cpu();
        if (run(records, context) == 0)
            exit(1);
        double rate = (double)records->n / (bench_cpu() - start);
        best = rate > best ? rate : best;
    }
    bench_result("csv", name, best / 1e6, "M records/s");
}

int main(int argc, char **argv)
{
    char path[4096];
    struct bench_records records;
    struct decoder *decoder;
    struct err err;
    if (argc != 2) {
        fputs("usage: bench_csv FEED\n", stderr);
        return 2;
    }
    snprintf(path, sizeof(path), "%s/stop_times.txt", argv[1]);
    bench_records_open(&records, path);
    bench_must(csv_decoder_open(&schema, NULL, &decoder, &err), &err);
    measure("scan", &records, NULL, scan_all);
    measure("decode", &records, decoder, decode_all);
    measure("encode", &records, decoder, encode_all);
    decoder->ops->close(decoder);
    bench_records_release(&records);
    return 0;
}
