// SPDX-License-Identifier: Apache-2.0
// What the benchmark programs share: a clock, result lines, records in memory.
//
// A result is one JSON object a line on stdout; bench/run collects them into a table.
// Each figure is the best of BENCH_ROUNDS rounds, since all noise makes it worse. Time is
// CPU time: then other work on the machine matters less.
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "core/stream.h"

enum {
    BENCH_ROUNDS = 5
};

double bench_cpu(void); // seconds of CPU time, all threads

// {"bench": "join", "name": "native", "value": 7.1, "unit": "M records/s"}
void bench_result(const char *bench, const char *name, double value, const char *unit);

// Ends the program with the text of err unless rc is ST_OK.
void bench_must(enum status rc, const struct err *err);

// The lines of a file as records of a stream, with its header left out.
struct bench_records {
    struct buf text;
    struct record *records;
    size_t n;
};
void bench_records_open(struct bench_records *records, const char *path);
void bench_records_release(struct bench_records *records);

#endif
