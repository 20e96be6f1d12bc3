// SPDX-License-Identifier: Apache-2.0
// Answers made into runs: batch after batch is checked, decompressed where it must be,
// and its records given as slices of it. A run may be of many batches.
//
// Aborted records, markers and offsets that a compaction left empty are passed: a run's
// [first, next) says so. Plain bytes of compressed batches live as long as their run, in
// memory that is used again. Threads: one owner.
#ifndef WIRE_READER_H
#define WIRE_READER_H

#include "wire/fetcher.h"
#include "wire/record_batch.h"

enum {
    WIRE_PLAINS = 64 // compressed batches in one run, at most
};

struct wire_reader {
    struct wire_fetcher *fetcher; // borrowed
    struct wire_run run;
    struct wire_decompressor decompressor;
    struct buf plains[WIRE_PLAINS];
    size_t n_plains; // in use
    // The batch at the front of the first slice.
    struct wire_batch batch;
    struct wire_records records;
    bool is_open;
    // Of the run: what it passes, and why.
    struct run_passed *passed;
    size_t n_passed, passed_capacity;
    // Its batches' epochs, and that of the batch before it.
    struct run_epoch *epochs;
    size_t n_epochs, epochs_capacity;
    int32_t epoch_before;
};

void wire_reader_init(struct wire_reader *reader, struct wire_fetcher *fetcher,
                      size_t run_records, bool value_schema);
void wire_reader_release(struct wire_reader *reader);
// Nothing of before is read on.
void wire_reader_reset(struct wire_reader *reader);

// Of the batch before an offset that is within the last run, or where it began.
int32_t wire_reader_epoch(const struct wire_reader *reader, int64_t offset);

// STREAM_RUN, or STREAM_IDLE when nothing is there. Ends the borrowing of the last run.
// ST_DATA and ST_LIMIT are final: the text names topic, partition and offset.
enum status wire_reader_next(struct wire_reader *reader, struct stream_event *ret,
                             struct err *err);

#endif
