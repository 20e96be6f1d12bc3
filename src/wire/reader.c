// SPDX-License-Identifier: Apache-2.0
#include "wire/reader.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    PLAIN_RUN_BYTES = 8 << 20,   // of one run's batches, before it is ended
    PLAIN_KEPT_BYTES = 16 << 20, // of memory, from run to run
};

void wire_reader_init(struct wire_reader *reader, struct wire_fetcher *fetcher,
                      size_t run_records, bool value_schema)
{
    *reader = (struct wire_reader){
        .fetcher = fetcher,
        .run = {.capacity = run_records, .value_schema = value_schema},
    };
    reader->run.records = mem_array(run_records, sizeof(*reader->run.records));
    reader->run.headers = mem_array(run_records, sizeof(*reader->run.headers));
}

void wire_reader_reset(struct wire_reader *reader)
{
    reader->is_open = false;
    reader->run.n = 0;
    reader->n_plains = 0;
    for (size_t i = 0; i < WIRE_PLAINS; i++)
        buf_release(&reader->plains[i]);
}

void wire_reader_release(struct wire_reader *reader)
{
    wire_reader_reset(reader);
    wire_decompressor_release(&reader->decompressor);
    free(reader->run.records);
    free(reader->run.headers);
    free(reader->passed);
    free(reader->epochs);
    *reader = (struct wire_reader){0};
}

static enum status in_partition(const struct wire_reader *reader,
                                const struct wire_partition *partition, enum status rc,
                                struct err *err)
{
    return err_context(err, rc, "topic '%s', partition %" PRId32,
                       reader->fetcher->cluster->topic, partition->number);
}

// ---- plain bytes

// Those of the batch that is being read stay; the last run's others are free.
static void free_plains(struct wire_reader *reader)
{
    size_t n_kept = 0;
    if (reader->is_open && reader->batch.codec != WIRE_NONE) {
        struct buf open = reader->plains[reader->n_plains - 1];
        reader->plains[reader->n_plains - 1] = reader->plains[0];
        reader->plains[0] = open;
        n_kept = 1;
    }
    size_t n_bytes = 0;
    for (size_t i = n_kept; i < reader->n_plains; i++) {
        buf_clear(&reader->plains[i]);
        n_bytes += reader->plains[i].capacity;
        if (n_bytes > PLAIN_KEPT_BYTES)
            buf_release(&reader->plains[i]);
    }
    reader->n_plains = n_kept;
}

static bool has_plain_room(const struct wire_reader *reader)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < reader->n_plains; i++)
        n_bytes += reader->plains[i].n;
    return reader->n_plains < WIRE_PLAINS && n_bytes < PLAIN_RUN_BYTES;
}

static enum status decompress(struct wire_reader *reader, struct str *ret,
                              struct err *err)
{
    struct buf *plain = &reader->plains[reader->n_plains++];
    buf_clear(plain);
    plain->limit = (size_t)reader->fetcher->buffer_bytes;
    TRY(wire_decompress(&reader->decompressor, reader->batch.codec, reader->batch.payload,
                        plain, err));
    *ret = buf_as_str(plain);
    return ST_OK;
}

// ---- batches

static void end_batch(struct wire_reader *reader, struct wire_slice *slice, int64_t *next)
{
    size_t size = reader->batch.size_bytes;
    reader->is_open = false;
    slice->rest = (struct str){slice->rest.p + size, slice->rest.n - size};
    if (reader->batch.last_offset >= *next)
        *next = reader->batch.last_offset + 1;
    slice->least = reader->batch.last_offset + 1;
}

// What the run passes from there on is of the batch at the front.
static void note_epoch(struct wire_reader *reader, int64_t first)
{
    int32_t epoch = reader->batch.leader_epoch;
    if (reader->n_epochs > 0 && reader->epochs[reader->n_epochs - 1].epoch == epoch)
        return;
    MEM_GROW(reader->epochs, reader->n_epochs, reader->epochs_capacity);
    reader->epochs[reader->n_epochs++] = (struct run_epoch){first, epoch};
}

int32_t wire_reader_epoch(const struct wire_reader *reader, int64_t offset)
{
    return run_epoch_at(reader->epochs, reader->n_epochs, offset, reader->epoch_before);
}

static enum status begin_records(struct wire_reader *reader, struct err *err)
{
    struct str plain = reader->batch.payload;
    if (reader->batch.codec != WIRE_NONE)
        TRY(decompress(reader, &plain, err));
    wire_records_begin(&reader->records, &reader->batch, plain);
    reader->is_open = true;
    return ST_OK;
}

// Its offsets from `next` on bring no record.
static void note_passed(struct wire_reader *reader, int64_t next)
{
    const struct wire_batch *batch = &reader->batch;
    int64_t first = batch->base_offset > next ? batch->base_offset : next;
    if (batch->last_offset < first)
        return;
    MEM_GROW(reader->passed, reader->n_passed, reader->passed_capacity);
    reader->passed[reader->n_passed++] = (struct run_passed){
        .first = first,
        .next = batch->last_offset + 1,
        .is_control = batch->is_control,
    };
}

// A batch that the owner has read already, of an aborted transaction, or a marker.
static enum status is_passed(struct wire_reader *reader, struct wire_slice *slice,
                             int64_t next, bool *ret, struct err *err)
{
    const struct wire_batch *batch = &reader->batch;
    *ret = true;
    if (batch->is_control) {
        bool is_abort;
        TRY(wire_batch_is_abort(batch, &is_abort, err));
        if (is_abort)
            wire_aborted_end(&slice->aborted, batch->producer, batch->last_offset);
        return ST_OK;
    }
    bool is_aborted =
        batch->is_transactional &&
        wire_aborted_has(&slice->aborted, batch->producer, batch->last_offset);
    *ret = is_aborted || batch->last_offset < next;
    return ST_OK;
}

// The batch at the front becomes the open one, or is passed. *ret_full: the run has to
// end first.
static enum status open_batch(struct wire_reader *reader, struct wire_slice *slice,
                              int64_t *next, bool *ret_full, struct err *err)
{
    struct wire_batch *batch = &reader->batch;
    bool passed;
    TRY(wire_batch_read(slice->rest, batch, err));
    if (batch->base_offset < slice->least)
        return err_set(err, ST_DATA,
                       "the batch at offset %" PRId64 " comes behind offset %" PRId64,
                       batch->base_offset, slice->least - 1);
    if (wire_slice_is_too_new(slice, batch->leader_epoch))
        return err_set(err, ST_DATA,
                       "the batch at offset %" PRId64 " is of epoch %" PRId32
                       ", and its leader is of epoch %" PRId32,
                       batch->base_offset, batch->leader_epoch, slice->most_epoch);
    *ret_full = batch->codec != WIRE_NONE && !has_plain_room(reader);
    if (*ret_full)
        return ST_OK;
    TRY(wire_batch_check(slice->rest, batch, err));
    TRY(is_passed(reader, slice, *next, &passed, err));
    if (batch->last_offset >= *next)
        note_epoch(reader, batch->base_offset);
    if (passed) {
        note_passed(reader, *next);
        end_batch(reader, slice, next);
    } else {
        TRY(begin_records(reader, err));
    }
    return ST_OK;
}

static enum status read_open(struct wire_reader *reader, struct wire_slice *slice,
                             int64_t *next, struct err *err)
{
    TRY(wire_records_read(&reader->records, *next, &reader->run, err));
    if (reader->records.n_left == 0)
        end_batch(reader, slice, next);
    else
        *next = reader->records.least > *next ? reader->records.least : *next;
    return ST_OK;
}

static enum status read_slice(struct wire_reader *reader, struct wire_slice *slice,
                              int64_t *next, struct err *err)
{
    bool is_full = false;
    while (!is_full && reader->run.n < reader->run.capacity &&
           (reader->is_open || slice->rest.n > 0)) {
        if (reader->is_open)
            TRY(read_open(reader, slice, next, err));
        else
            TRY(open_batch(reader, slice, next, &is_full, err));
    }
    return ST_OK;
}

// ---- runs

// The first slice that is still wanted; NULL: there is none.
static struct wire_slice *front(struct wire_reader *reader)
{
    struct wire_fetcher *fetcher = reader->fetcher;
    while (fetcher->first != NULL) {
        struct wire_answered *answered = fetcher->first;
        for (; answered->next < answered->n; answered->next++) {
            struct wire_slice *slice = &answered->slices[answered->next];
            bool is_wanted = fetcher->partitions[slice->partition].token == slice->token;
            if (is_wanted && (reader->is_open || slice->rest.n > 0))
                return slice;
            reader->is_open = false;
        }
        wire_fetcher_pop(fetcher);
    }
    return NULL;
}

// By which the run's records were asked for; all of a run are of one answer.
static struct str topic_id(const struct wire_reader *reader)
{
    const struct wire_fetcher *fetcher = reader->fetcher;
    return fetcher->first->is_by_id ? str_of(fetcher->cluster->topic_id_text)
                                    : (struct str){0};
}

enum status wire_reader_next(struct wire_reader *reader, struct stream_event *ret,
                             struct err *err)
{
    ret->kind = STREAM_IDLE;
    struct wire_slice *slice;
    while (ret->kind == STREAM_IDLE && (slice = front(reader)) != NULL) {
        struct wire_partition *partition = &reader->fetcher->partitions[slice->partition];
        free_plains(reader);
        reader->run.n = 0;
        reader->n_passed = reader->n_epochs = 0;
        reader->epoch_before = partition->read_epoch;
        int64_t first = partition->position;
        if (reader->is_open)
            note_epoch(reader, first);
        enum status rc = read_slice(reader, slice, &partition->position, err);
        if (rc != ST_OK)
            return in_partition(reader, partition, rc, err);
        if (partition->position == first)
            continue;
        partition->read_epoch = wire_reader_epoch(reader, partition->position);
        ret->kind = STREAM_RUN;
        ret->run = (struct run){
            .partition = partition->number,
            .first = first,
            .next = partition->position,
            .records = reader->run.records,
            .n = reader->run.n,
            .passed = reader->passed,
            .n_passed = reader->n_passed,
            .is_accounted = true,
            .epochs = reader->epochs,
            .n_epochs = reader->n_epochs,
            .topic_id = topic_id(reader),
        };
    }
    return ST_OK;
}
