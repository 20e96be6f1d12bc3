// SPDX-License-Identifier: Apache-2.0
// bench_storage URL: uploads, reads and small calls on a storage, by the clock on the
// wall. Everything is made below URL/bench and removed again.
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/env.h"
#include "storage/storage_url.h"

enum {
    FILE_BYTES = 256 << 20,
    PIECE_BYTES = 8 << 20,
    N_CALLS = 200
};

struct pattern {
    struct reader reader;
    struct str bytes;
    int64_t left;
};

static double wall(void)
{
    return (double)env_system()->ops->monotonic_ms(env_system()) / 1000;
}

static enum status read_pattern(struct reader *reader, void *p, size_t capacity,
                                size_t *ret_n, UNUSED struct err *err)
{
    struct pattern *pattern = (struct pattern *)reader;
    size_t n = capacity < pattern->bytes.n ? capacity : pattern->bytes.n;
    if ((int64_t)n > pattern->left)
        n = (size_t)pattern->left;
    memcpy(p, pattern->bytes.p, n);
    pattern->left -= (int64_t)n;
    *ret_n = n;
    return ST_OK;
}

static void upload(struct storage *st, struct str bytes, const char *path)
{
    struct err err;
    struct pattern pattern = {{.read = read_pattern}, bytes, FILE_BYTES};
    bench_must(st->ops->write(st, str_of(path), &pattern.reader, FILE_BYTES, &err), &err);
}

static void read_back(struct storage *st, const char *path)
{
    struct err err;
    AUTO(buf_release) struct buf buf = {0};
    for (int64_t at = 0; at < FILE_BYTES; at += PIECE_BYTES) {
        buf_clear(&buf);
        bench_must(st->ops->read(st, str_of(path), at, PIECE_BYTES, &buf, &err), &err);
    }
}

static void measure_bytes(struct storage *st)
{
    struct err err;
    struct checksum sum;
    double up = 0;
    double down = 0;
    double check = 0;
    AUTO(mem_auto_free) char *bytes = mem_alloc(PIECE_BYTES);
    env_system()->ops->random(env_system(), bytes, PIECE_BYTES);
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        double began = wall();
        upload(st, (struct str){bytes, PIECE_BYTES}, "bench/big");
        double uploaded = wall();
        read_back(st, "bench/big");
        double read = wall();
        bench_must(st->ops->checksum(st, str_of("bench/big"), &sum, &err), &err);
        double checked = wall();
        bench_must(st->ops->remove(st, str_of("bench/big"), &err), &err);
        double mb = FILE_BYTES / 1e6;
        up = mb / (uploaded - began) > up ? mb / (uploaded - began) : up;
        down = mb / (read - uploaded) > down ? mb / (read - uploaded) : down;
        check = mb / (checked - read) > check ? mb / (checked - read) : check;
    }
    bench_result("storage", "upload", up, "MB/s");
    bench_result("storage", "read in 8 MiB pieces", down, "MB/s");
    bench_result("storage", "checksum", check, "MB/s");
}

static void measure_calls(struct storage *st)
{
    struct err err;
    struct file_info info;
    char from[32];
    char to[32];
    double began = wall();
    for (int i = 0; i < N_CALLS; i++) {
        snprintf(from, sizeof(from), "bench/a%d", i);
        bench_must(storage_write_bytes(st, str_of(from), STR_LITERAL("x"), &err), &err);
    }
    double written = wall();
    for (int i = 0; i < N_CALLS; i++) {
        snprintf(from, sizeof(from), "bench/a%d", i);
        snprintf(to, sizeof(to), "bench/b%d", i);
        bench_must(st->ops->publish(st, str_of(from), str_of(to), &err), &err);
    }
    double published = wall();
    for (int i = 0; i < N_CALLS; i++)
        bench_must(st->ops->stat(st, str_of("bench/b0"), &info, &err), &err);
    double looked = wall();
    bench_result("storage", "write of a byte", 1000 * (written - began) / N_CALLS, "ms");
    bench_result("storage", "publish", 1000 * (published - written) / N_CALLS, "ms");
    bench_result("storage", "stat", 1000 * (looked - published) / N_CALLS, "ms");
}

static struct storage *open_storage(const char *url)
{
    struct err err;
    struct storage *st;
    struct storage_config config = {.timeout_ms = 60000};
    bench_must(storage_open(str_of(url), &config, &st, &err), &err);
    return st;
}

int main(int argc, char **argv)
{
    struct err err;
    struct file_info info;
    if (argc != 2) {
        fprintf(stderr, "usage: bench_storage URL\n");
        return 2;
    }
    double began = wall();
    struct storage *st = open_storage(argv[1]);
    enum status rc = st->ops->stat(st, str_of(""), &info, &err);
    bench_result("storage", "open and first call", 1000 * (wall() - began), "ms");
    bench_must(rc == ST_NOT_FOUND ? ST_OK : rc, &err);
    bench_must(st->ops->mkdir(st, str_of("bench"), &err), &err);
    measure_bytes(st);
    measure_calls(st);
    bench_must(st->ops->remove(st, str_of("bench"), &err), &err);
    st->ops->close(st);
    return 0;
}
