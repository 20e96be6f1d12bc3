// SPDX-License-Identifier: Apache-2.0
// bench_avro FEED FOLDER: stop_times in Avro. Datums decoded into five columns, by the
// schema at run time and by code that `tramline codegen` made beforehand; container files
// written and read, for each codec. Leaves the datums and a file for each codec in
// FOLDER, for rival_libavro and rivals_avro.py.
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "avro/decoder.h"
#include "avro/file_writer.h"
#include "avro/frame.h"
#include "avro/record_encoder.h"
#include "avro/table.h"
#include "csv/decoder.h"
#include "memory/lookup_mem.h"
#include "memory/output_mem.h"
#include "stop_times.h" // generated
#include "storage/storage_url.h"

enum {
    RUN_RECORDS = 10000,
    SCHEMA_ID = 1,
    ROW_BUFFER = 256 << 10 // as the engine has it
};

static struct column columns[] = {
    {{"trip_id", sizeof("trip_id") - 1}, TYPE_TEXT, false},
    {{"arrival_time", sizeof("arrival_time") - 1}, TYPE_TEXT, true},
    {{"departure_time", sizeof("departure_time") - 1}, TYPE_TEXT, true},
    {{"stop_id", sizeof("stop_id") - 1}, TYPE_TEXT, true},
    {{"stop_sequence", sizeof("stop_sequence") - 1}, TYPE_INT, true},
};
static const struct schema schema = {columns, ARRAY_LEN(columns)};

static const enum avro_codec codecs[] = {AVRO_CODEC_NULL, AVRO_CODEC_SNAPPY,
                                         AVRO_CODEC_ZSTANDARD, AVRO_CODEC_DEFLATE};
static const char *const codec_names[] = {
    [AVRO_CODEC_NULL] = "null",
    [AVRO_CODEC_DEFLATE] = "deflate",
    [AVRO_CODEC_SNAPPY] = "snappy",
    [AVRO_CODEC_ZSTANDARD] = "zstandard",
};

// All that the rounds share.
struct avro_bench {
    struct bench_records lines;
    struct record *framed; // the lines as framed datums
    struct buf bytes;      // behind them
    struct batch batch;    // a run of rows; its texts are in `lines`
    struct decoder *from_csv, *from_avro;
    struct storage *storage;
    const char *folder;
    enum avro_codec codec;
};

static struct run run_at(const struct avro_bench *bench, const struct record *records,
                         size_t from)
{
    size_t left = bench->lines.n - from;
    return (struct run){.records = records + from,
                        .n = left < RUN_RECORDS ? left : RUN_RECORDS};
}

static void decode_run(struct avro_bench *bench, struct decoder *decoder,
                       const struct record *records, size_t from)
{
    struct run run = run_at(bench, records, from);
    struct err err;
    size_t next;
    batch_clear(&bench->batch);
    bench_must(decoder->ops->decode(decoder, &run, 0, &bench->batch, &next, &err), &err);
    if (bench->batch.n_rows != run.n)
        exit(1);
}

static void put_framed(struct avro_bench *bench, struct record_encoder *encoder)
{
    struct err err;
    size_t *ends = calloc(bench->lines.n, sizeof(*ends));
    for (size_t from = 0; from < bench->lines.n; from += RUN_RECORDS) {
        decode_run(bench, bench->from_csv, bench->lines.records, from);
        for (size_t i = 0; i < bench->batch.n_rows; i++) {
            bench_must(encoder->ops->encode(encoder, batch_row(&bench->batch, i),
                                            &bench->bytes, &err),
                       &err);
            ends[from + i] = bench->bytes.n;
        }
    }
    for (size_t i = 0; i < bench->lines.n; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        bench->framed[i] = bench->lines.records[i];
        bench->framed[i].value = (struct str){bench->bytes.p + begin, ends[i] - begin};
    }
    free(ends);
}

static void open_datums(struct avro_bench *bench)
{
    struct err err;
    struct record_encoder *encoder;
    struct avro_schema_options options = {.schema = str_of(stop_times_schema)};
    bench->framed = calloc(bench->lines.n, sizeof(*bench->framed));
    bench->bytes = BUF_INIT(bench->lines.text.n * 2);
    bench_must(avro_record_encoder_open(&schema, &options, &encoder, &err), &err);
    encoder->schema_id = SCHEMA_ID;
    put_framed(bench, encoder);
    struct schema_lookup *lookup = memory_lookup_open();
    memory_lookup_add(lookup, SCHEMA_ID, encoder->schema);
    struct avro_decoder_config config = {.columns = &schema, .lookup = lookup};
    bench_must(avro_decoder_open(&config, &bench->from_avro, &err), &err);
    decode_run(bench, bench->from_avro, bench->framed, 0);
    lookup->ops->close(lookup); // the schema is known by now
    encoder->ops->close(encoder);
}

static FILE *create(const struct avro_bench *bench, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", bench->folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

// Of each datum its length in four bytes, in this machine's order, and its bytes.
static void save_datums(const struct avro_bench *bench)
{
    FILE *file = create(bench, "stop_times.datums");
    for (size_t i = 0; i < bench->lines.n; i++) {
        struct str value = bench->framed[i].value;
        uint32_t n = (uint32_t)(value.n - FRAME_BYTES);
        fwrite(&n, sizeof(n), 1, file);
        fwrite(value.p + FRAME_BYTES, 1, n, file);
    }
    fclose(file);
}

static void decode_all(struct avro_bench *bench)
{
    for (size_t from = 0; from < bench->lines.n; from += RUN_RECORDS)
        decode_run(bench, bench->from_avro, bench->framed, from);
}

static void decode_generated(struct avro_bench *bench)
{
    for (size_t i = 0; i < bench->lines.n; i++) {
        struct str value = bench->framed[i].value;
        struct stop_times row;
        if (stop_times_decode(value.p + FRAME_BYTES, value.n - FRAME_BYTES, &row, NULL) !=
            AVRO_OK)
            exit(1);
        stop_times_release(&row);
    }
}

static struct file_writer *open_writer(const struct avro_bench *bench)
{
    struct err err;
    struct file_writer *writer;
    struct avro_file_options options = {.schema = {.schema = str_of(stop_times_schema)},
                                        .codec = bench->codec};
    bench_must(avro_file_writer_open(&schema, &options, &writer, &err), &err);
    return writer;
}

static void move_out(struct memory_output *to, FILE *file)
{
    if (file != NULL)
        fwrite(to->file.p, 1, to->file.n, file);
    buf_clear(&to->file);
}

// Rows of the first run, as often as it takes; `file` may be NULL.
static void write_rows(struct avro_bench *bench, FILE *file)
{
    struct err err;
    struct file_writer *writer = open_writer(bench);
    struct row_format *row_format = writer->row_format;
    struct buf rows = {0};
    struct memory_output to = {0};
    size_t n_rows = 0;
    memory_output_begin(&to);
    bench_must(writer->ops->begin(writer, &to.output, 0, &err), &err);
    for (size_t i = 0; i < bench->lines.n; i++) {
        row_format->ops->fields(row_format, 0,
                                batch_row(&bench->batch, i % bench->batch.n_rows),
                                schema.n, &rows);
        row_format->ops->end_row(row_format, &rows);
        n_rows++;
        if (rows.n < ROW_BUFFER - 100 && i + 1 < bench->lines.n)
            continue;
        bench_must(writer->ops->rows(writer, buf_as_str(&rows), n_rows, &err), &err);
        move_out(&to, file);
        buf_clear(&rows);
        n_rows = 0;
    }
    bench_must(writer->ops->finish(writer, (struct str){0}, &err), &err);
    move_out(&to, file);
    buf_release(&rows);
    memory_output_release(&to);
    writer->ops->close(writer);
}

static void write_all(struct avro_bench *bench)
{
    write_rows(bench, NULL);
}

static void read_all(struct avro_bench *bench)
{
    struct err err;
    struct rows *rows;
    struct batch batch;
    char name[64];
    size_t n = 0;
    struct avro_table_options options = {.columns = &schema};
    snprintf(name, sizeof(name), "stop_times-%s.avro", codec_names[bench->codec]);
    bench_must(avro_table_open(bench->storage, str_of(name), &options, &rows, &err),
               &err);
    batch_init(&batch, schema.n);
    do {
        bench_must(rows->ops->next(rows, &batch, &err), &err);
        n += batch.n_rows;
    } while (batch.n_rows != 0);
    if (n != bench->lines.n)
        exit(1);
    batch_release(&batch);
    rows->ops->close(rows);
}

static void measure(struct avro_bench *bench, const char *name,
                    void (*run)(struct avro_bench *bench))
{
    double best = 0;
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        double start = bench_cpu();
        run(bench);
        double rate = (double)bench->lines.n / (bench_cpu() - start);
        best = rate > best ? rate : best;
    }
    bench_result("avro", name, best / 1e6, "M records/s");
}

static void measure_codec(struct avro_bench *bench, enum avro_codec codec)
{
    char name[64];
    bench->codec = codec;
    snprintf(name, sizeof(name), "stop_times-%s.avro", codec_names[codec]);
    FILE *file = create(bench, name);
    decode_run(bench, bench->from_csv, bench->lines.records, 0);
    write_rows(bench, file);
    double bytes = (double)ftell(file);
    fclose(file);
    snprintf(name, sizeof(name), "%s: a record in the file", codec_names[codec]);
    bench_result("avro", name, bytes / (double)bench->lines.n, "bytes");
    snprintf(name, sizeof(name), "%s: write", codec_names[codec]);
    measure(bench, name, write_all);
    snprintf(name, sizeof(name), "%s: read", codec_names[codec]);
    measure(bench, name, read_all);
}

int main(int argc, char **argv)
{
    char path[4096];
    struct err err;
    if (argc != 3) {
        fputs("usage: bench_avro FEED FOLDER\n", stderr);
        return 2;
    }
    struct avro_bench bench = {.folder = argv[2]};
    struct storage_config config = {0};
    snprintf(path, sizeof(path), "%s/stop_times.txt", argv[1]);
    bench_records_open(&bench.lines, path);
    batch_init(&bench.batch, schema.n);
    bench_must(csv_decoder_open(&schema, NULL, &bench.from_csv, &err), &err);
    bench_must(storage_open(str_of(argv[2]), &config, &bench.storage, &err), &err);
    open_datums(&bench);
    save_datums(&bench);
    measure(&bench, "decode to columns", decode_all);
    measure(&bench, "decode by generated code", decode_generated);
    for (size_t i = 0; i < ARRAY_LEN(codecs); i++)
        measure_codec(&bench, codecs[i]);
    bench.from_csv->ops->close(bench.from_csv);
    bench.from_avro->ops->close(bench.from_avro);
    bench.storage->ops->close(bench.storage);
    batch_release(&bench.batch);
    buf_release(&bench.bytes);
    free(bench.framed);
    bench_records_release(&bench.lines);
    return 0;
}
