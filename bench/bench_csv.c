// SPDX-License-Identifier: Apache-2.0
// How fast CSV is scanned, decoded and encoded: bench_csv STOP_TIMES.txt
//
// The file is in memory, a record a line, in runs of 10,000 as a source gives them. Each
// part is run five times; the best one is told.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "csv/decoder.h"
#include "csv/encoder.h"
#include "csv/scanner.h"

enum {
    ROUNDS = 5,
    RUN_RECORDS = 10000
};

struct lines {
    struct record *records;
    size_t n, capacity, n_bytes;
};

static struct column columns[] = {
    {{"trip_id", sizeof("trip_id") - 1}, TYPE_TEXT, false},
    {{"arrival_time", sizeof("arrival_time") - 1}, TYPE_TEXT, true},
    {{"departure_time", sizeof("departure_time") - 1}, TYPE_TEXT, true},
    {{"stop_id", sizeof("stop_id") - 1}, TYPE_TEXT, true},
    {{"stop_sequence", sizeof("stop_sequence") - 1}, TYPE_INT, true},
};
static const struct schema schema = {columns, ARRAY_LEN(columns)};

static void read_file(const char *path, struct buf *ret)
{
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        perror(path);
        exit(1);
    }
    size_t n;
    char piece[1 << 16];
    while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
        buf_append(ret, piece, n);
    fclose(in);
}

static void cut_lines(struct str rest, struct lines *ret)
{
    while (rest.n > 0) {
        MEM_GROW(ret->records, ret->n, ret->capacity);
        struct str line = str_cut(&rest, '\n');
        ret->records[ret->n++] = (struct record){.value = line};
        ret->n_bytes += line.n + 1;
    }
}

static size_t scan_all(const struct lines *lines, UNUSED void *context)
{
    size_t n_fields = 0;
    struct csv_field fields[8];
    for (size_t i = 0; i < lines->n; i++) {
        struct csv_line line = {.fields = fields, .capacity = ARRAY_LEN(fields)};
        n_fields +=
            csv_scan(lines->records[i].value, true, &line) == CSV_LINE ? line.n : 0;
    }
    return n_fields;
}

static void decode_run(struct decoder *decoder, const struct lines *lines, size_t from,
                       struct batch *batch)
{
    size_t left = lines->n - from;
    struct run run = {.records = lines->records + from,
                      .n = left < RUN_RECORDS ? left : RUN_RECORDS};
    struct err err;
    size_t next;
    batch_clear(batch);
    if (decoder->ops->decode(decoder, &run, 0, batch, &next, &err) != ST_OK)
        abort();
}

static size_t decode_all(const struct lines *lines, void *context)
{
    size_t n_rows = 0;
    struct batch batch;
    batch_init(&batch, schema.n);
    for (size_t from = 0; from < lines->n; from += RUN_RECORDS) {
        decode_run(context, lines, from, &batch);
        n_rows += batch.n_rows;
    }
    batch_release(&batch);
    return n_rows;
}

// The first run's rows, as often as it takes.
static size_t encode_all(const struct lines *lines, void *context)
{
    struct encoder *encoder = csv_encoder_open(&schema, false);
    struct batch batch;
    struct buf out = {0};
    batch_init(&batch, schema.n);
    decode_run(context, lines, 0, &batch);
    for (size_t i = 0; i < lines->n; i++) {
        if (i % RUN_RECORDS == 0)
            buf_clear(&out);
        encoder->ops->fields(encoder, 0, batch_row(&batch, i % batch.n_rows), schema.n,
                             &out);
        encoder->ops->end_row(encoder, &out);
    }
    buf_release(&out);
    batch_release(&batch);
    encoder->ops->close(encoder);
    return lines->n;
}

static int64_t now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static void measure(const char *name, const struct lines *lines, void *context,
                    size_t (*run)(const struct lines *lines, void *context))
{
    int64_t best_us = INT64_MAX;
    size_t n = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = now_us();
        n = run(lines, context);
        int64_t us = now_us() - start;
        best_us = us < best_us ? us : best_us;
    }
    double seconds = (double)best_us / 1e6;
    printf("%-7s %9zu  %6.1f ns a record  %6.2f M records/s  %6.0f MB/s\n", name, n,
           seconds * 1e9 / (double)lines->n, (double)lines->n / seconds / 1e6,
           (double)lines->n_bytes / seconds / 1e6);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: bench_csv STOP_TIMES.txt\n", stderr);
        return 2;
    }
    struct buf bytes = {0};
    struct lines lines = {0};
    struct decoder *decoder;
    struct err err;
    read_file(argv[1], &bytes);
    cut_lines(buf_as_str(&bytes), &lines);
    if (lines.n == 0 || csv_decoder_open(&schema, &decoder, &err) != ST_OK)
        return 1;
    measure("scan", &lines, NULL, scan_all);
    measure("decode", &lines, decoder, decode_all);
    measure("encode", &lines, decoder, encode_all);
    decoder->ops->close(decoder);
    free(lines.records);
    buf_release(&bytes);
    return 0;
}
