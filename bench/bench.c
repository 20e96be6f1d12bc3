// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "status_name.h"

double bench_cpu(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void bench_result(const char *bench, const char *name, double value, const char *unit)
{
    printf("{\"bench\": \"%s\", \"name\": \"%s\", \"value\": %.4g, \"unit\": \"%s\"}\n",
           bench, name, value, unit);
    fflush(stdout);
}

void bench_must(enum status rc, const struct err *err)
{
    if (rc == ST_OK)
        return;
    fprintf(stderr, "bench: %s: %s\n", status_name(rc), err->text);
    exit(1);
}

static void read_file(const char *path, struct buf *text)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    size_t size = (size_t)info.st_size;
    *text = BUF_INIT(size + 1);
    char *room = buf_room(text, size);
    text->n = fread(room, 1, size, file);
    fclose(file);
}

void bench_records_open(struct bench_records *records, const char *path)
{
    *records = (struct bench_records){0};
    read_file(path, &records->text);
    struct str rest = buf_as_str(&records->text);
    size_t capacity = 0;
    str_cut(&rest, '\n');
    while (rest.n > 0) {
        MEM_GROW(records->records, records->n, capacity);
        struct record *record = &records->records[records->n];
        *record = (struct record){.offset = (int64_t)records->n, .time_ms = -1};
        record->value = str_cut(&rest, '\n');
        records->n++;
    }
}

void bench_records_release(struct bench_records *records)
{
    buf_release(&records->text);
    free(records->records);
    *records = (struct bench_records){0};
}
