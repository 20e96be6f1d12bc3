// SPDX-License-Identifier: Apache-2.0
// Record batches, format 2, read in place (Kafka protocol guide, "Record Batch",
// "Record", "Control Batches"; KIP-98, headers: KIP-82).
//
// A batch has 61 bytes of header, of which the checksum covers what follows it, then
// records, perhaps compressed as a whole. Records are made into slices of the batch, or
// of the plain bytes that the caller had it decompressed into: borrowed from there. The
// formats of brokers before 0.11 (magic 0 and 1) are refused. Batches of aborted
// transactions and markers are the caller's to leave out (aborted.h).
//
// Errors: ST_DATA, a text that names the batch's offset; the caller puts topic and
// partition before it. Threads: none of its own.
#ifndef WIRE_RECORD_BATCH_H
#define WIRE_RECORD_BATCH_H

#include "core/stream.h"
#include "wire/decompress.h"

enum {
    WIRE_BATCH_START = 12, // bytes before what a batch's length counts
};

struct wire_batch {
    int64_t base_offset, last_offset;
    int32_t leader_epoch; // -1: unknown
    size_t size_bytes;    // of all of it
    enum wire_codec codec;
    bool is_log_append; // all records have max_time_ms
    bool is_transactional, is_control;
    int64_t base_time_ms, max_time_ms;
    int64_t producer;
    int32_t n_records;
    struct str payload; // the records, maybe compressed
};

// Bytes that the batch at the front has by its header; 0: too few are there to tell.
size_t wire_batch_size(struct str bytes);
// The header of the batch at the front, which is there as a whole, without a look at its
// checksum.
enum status wire_batch_read(struct str bytes, struct wire_batch *ret, struct err *err);
// ST_DATA: its bytes are not what the broker or producer had written.
enum status wire_batch_check(struct str bytes, const struct wire_batch *batch,
                             struct err *err);

// The records of a batch, from the first to the last. `plain` are its payload's plain
// bytes.
struct wire_records {
    const struct wire_batch *batch; // borrowed
    const uint8_t *p, *end;
    int32_t n_left;
    int64_t least; // the next one's offset, or a later one
};

// Where records go; both have room for `capacity`.
struct wire_run {
    struct record *records;
    struct str *headers; // of each: their bytes behind the count, checked; n == 0: none
    size_t n, capacity;
    bool value_schema; // records tell their header __value_schema_id
};

void wire_records_begin(struct wire_records *records, const struct wire_batch *batch,
                        struct str plain);
// Appends records whose offset is at least `from` until there is no more room, or the
// batch has ended: then n_left is 0.
enum status wire_records_read(struct wire_records *records, int64_t from,
                              struct wire_run *run, struct err *err);
// Appends them as JSON, as stream_ops.headers says; of those in struct wire_run.
void wire_headers_json(struct str headers, struct buf *json);

// Of a control batch. ABORT ends the producer's transaction; others are of no interest.
enum status wire_batch_is_abort(const struct wire_batch *batch, bool *ret,
                                struct err *err);

#endif
