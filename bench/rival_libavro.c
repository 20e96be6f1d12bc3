// SPDX-License-Identifier: Apache-2.0
// rival_libavro FOLDER AVSC: the datums and files that bench_avro left in FOLDER, by
// Avro's own C library. Knows nothing of ours.
#include <avro.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    ROUNDS = 3,
    FIELDS = 5,
    BLOCK_BYTES = 256 << 10
};

struct datums {
    char *bytes;
    const char **p;
    uint32_t *sizes;
    size_t n;
};

static const char *folder;
static avro_schema_t schema;

static void must(int rc)
{
    if (rc == 0)
        return;
    fprintf(stderr, "rival_libavro: %s\n", avro_strerror());
    exit(1);
}

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static char *load(const char *path, size_t *ret_n)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    size_t n = (size_t)ftell(file);
    char *bytes = malloc(n + 1);
    rewind(file);
    *ret_n = fread(bytes, 1, n, file);
    bytes[*ret_n] = '\0';
    fclose(file);
    return bytes;
}

static void load_datums(struct datums *datums)
{
    char path[4096];
    size_t size;
    snprintf(path, sizeof(path), "%s/stop_times.datums", folder);
    datums->bytes = load(path, &size);
    datums->p = calloc(size / 4 + 1, sizeof(*datums->p));
    datums->sizes = calloc(size / 4 + 1, sizeof(*datums->sizes));
    for (size_t at = 0; at < size; datums->n++) {
        memcpy(&datums->sizes[datums->n], datums->bytes + at, 4);
        datums->p[datums->n] = datums->bytes + at + 4;
        at += 4 + datums->sizes[datums->n];
    }
}

// What our decoder gives: each column's text or number, or that it is null.
static size_t take_columns(avro_value_t *row)
{
    size_t sum = 0;
    for (size_t i = 0; i < FIELDS; i++) {
        avro_value_t field, branch;
        const char *text;
        size_t n;
        int32_t number;
        must(avro_value_get_by_index(row, i, &field, NULL));
        branch = field;
        if (avro_value_get_type(&field) == AVRO_UNION)
            must(avro_value_get_current_branch(&field, &branch));
        switch (avro_value_get_type(&branch)) {
        case AVRO_STRING:
            must(avro_value_get_string(&branch, &text, &n));
            sum += n;
            break;
        case AVRO_INT32:
            must(avro_value_get_int(&branch, &number));
            sum += (size_t)number;
            break;
        default:
            break;
        }
    }
    return sum;
}

// `row` is read into; `seen`, where it is not NULL, is looked at.
static void decode_all(const struct datums *datums, avro_value_t *row, avro_value_t *seen)
{
    avro_reader_t reader = avro_reader_memory("", 0);
    size_t sum = 0;
    for (size_t i = 0; i < datums->n; i++) {
        avro_reader_memory_set_source(reader, datums->p[i], datums->sizes[i]);
        must(avro_value_reset(row));
        must(avro_value_read(reader, row));
        if (seen != NULL)
            sum += take_columns(seen);
    }
    avro_reader_free(reader);
    if (seen != NULL && sum == 0)
        exit(1);
}

static void tell(const char *name, size_t n, double seconds)
{
    printf("{\"bench\": \"avro\", \"name\": \"%s\", \"value\": %.4g, \"unit\": "
           "\"M records/s\"}\n",
           name, (double)n / seconds / 1e6);
    fflush(stdout);
}

static void measure_decode(const char *name, const struct datums *datums,
                           avro_value_t *row, avro_value_t *seen)
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();
        decode_all(datums, row, seen);
        double seconds = cpu_seconds() - start;
        best = seconds < best ? seconds : best;
    }
    tell(name, datums->n, best);
}

static void measure_decodes(const struct datums *datums)
{
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_value_iface_t *resolver = avro_resolved_writer_new(schema, schema);
    avro_value_t row, resolved;
    if (resolver == NULL)
        must(1);
    must(avro_generic_value_new(class, &row));
    must(avro_resolved_writer_new_value(resolver, &resolved));
    avro_resolved_writer_set_dest(&resolved, &row);
    measure_decode("libavro: generic value", datums, &row, NULL);
    measure_decode("libavro: generic value, its columns", datums, &row, &row);
    measure_decode("libavro: resolved, its columns", datums, &resolved, &row);
    avro_value_decref(&resolved);
    avro_value_decref(&row);
    avro_value_iface_decref(resolver);
    avro_value_iface_decref(class);
}

static void path_of(const char *kind, const char *codec, char *ret, size_t size)
{
    snprintf(ret, size, "%s/%s-%s.avro", folder, kind, codec);
}

// The rows of a file, again and again, into a new one.
static size_t write_all(const char *codec, avro_value_t *rows, size_t n_rows, size_t n)
{
    char path[4096];
    avro_file_writer_t writer;
    path_of("libavro", codec, path, sizeof(path));
    must(avro_file_writer_create_with_codec(path, schema, &writer, codec, BLOCK_BYTES));
    for (size_t i = 0; i < n; i++)
        must(avro_file_writer_append_value(writer, &rows[i % n_rows]));
    must(avro_file_writer_close(writer));
    return n;
}

static size_t read_all(const char *codec, avro_value_t *row)
{
    char path[4096];
    avro_file_reader_t reader;
    size_t n = 0;
    path_of("stop_times", codec, path, sizeof(path));
    must(avro_file_reader(path, &reader));
    while (avro_value_reset(row) == 0 && avro_file_reader_read_value(reader, row) == 0) {
        take_columns(row);
        n++;
    }
    must(avro_file_reader_close(reader));
    return n;
}

static void measure_codec(const char *codec, const struct datums *datums,
                          avro_value_t *rows, size_t n_rows)
{
    char name[64];
    double start = cpu_seconds();
    size_t n = write_all(codec, rows, n_rows, datums->n);
    snprintf(name, sizeof(name), "libavro: %s: write", codec);
    tell(name, n, cpu_seconds() - start);
    start = cpu_seconds();
    n = read_all(codec, &rows[0]);
    if (n != datums->n) {
        fprintf(stderr, "rival_libavro: %zu rows of %zu\n", n, datums->n);
        exit(1);
    }
    snprintf(name, sizeof(name), "libavro: %s: read", codec);
    tell(name, n, cpu_seconds() - start);
}

static void measure_files(const struct datums *datums)
{
    static const char *const codecs[] = {"null", "snappy", "deflate"};
    enum {
        ROWS = 10000
    };
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_value_t *rows = calloc(ROWS, sizeof(*rows));
    size_t n = datums->n < ROWS ? datums->n : ROWS;
    avro_reader_t reader = avro_reader_memory("", 0);
    for (size_t i = 0; i < n; i++) {
        avro_reader_memory_set_source(reader, datums->p[i], datums->sizes[i]);
        must(avro_generic_value_new(class, &rows[i]));
        must(avro_value_read(reader, &rows[i]));
    }
    avro_reader_free(reader);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
        measure_codec(codecs[i], datums, rows, n);
    for (size_t i = 0; i < n; i++)
        avro_value_decref(&rows[i]);
    free(rows);
    avro_value_iface_decref(class);
}

int main(int argc, char **argv)
{
    struct datums datums = {0};
    size_t size;
    if (argc != 3) {
        fputs("usage: rival_libavro FOLDER AVSC\n", stderr);
        return 2;
    }
    folder = argv[1];
    char *json = load(argv[2], &size);
    must(avro_schema_from_json_length(json, size, &schema));
    load_datums(&datums);
    measure_decodes(&datums);
    measure_files(&datums);
    avro_schema_decref(schema);
    free(datums.bytes);
    free(datums.p);
    free(datums.sizes);
    free(json);
    return 0;
}
