// SPDX-License-Identifier: Apache-2.0
// Any bytes as record batches, or, by the first byte, as bytes of one codec: records in
// the order of their offsets that lie in the bytes, or ST_DATA or ST_LIMIT with a text.
// The checksum of a batch that it does not match is looked over, or nothing behind it
// would be reached.
#include <assert.h>

#include "fuzz_parts.h"

#include "wire/aborted.h"
#include "wire/record_batch.h"

enum {
    RECORDS = 256,
    LIMIT = 1 << 20,
};

const struct fuzz_budget fuzz_budget = {
    .steps = 4 << 20,
    .steps_a_byte = 20000,
    .bytes = 48 << 20,
    .bytes_a_byte = 200000,
    .held = 24 << 20,
    .held_a_byte = 1000,
};

static bool is_told(enum status rc, const struct err *err)
{
    return rc == ST_OK || ((rc == ST_DATA || rc == ST_LIMIT) && err->text[0] != '\0');
}

static void check_records(const struct wire_run *run, const struct wire_batch *batch)
{
    struct buf json = {0};
    for (size_t i = 0; i < run->n; i++) {
        const struct record *record = &run->records[i];
        assert(record->offset >= batch->base_offset &&
               record->offset <= batch->last_offset);
        assert(i == 0 || record->offset > run->records[i - 1].offset);
        volatile char sum = 0; // every byte can be read
        for (size_t k = 0; k < record->key.n; k++)
            sum = (char)(sum + record->key.p[k]);
        for (size_t k = 0; k < record->value.n; k++)
            sum = (char)(sum + record->value.p[k]);
        buf_clear(&json);
        wire_headers_json(run->headers[i], &json);
        assert(json.n == 0 || (json.p[0] == '[' && json.p[json.n - 1] == ']'));
    }
    buf_release(&json);
}

static enum status read_records(const struct wire_batch *batch, struct str plain,
                                struct err *err)
{
    static struct record records[RECORDS];
    static struct str headers[RECORDS];
    struct wire_run run = {.records = records,
                           .headers = headers,
                           .capacity = RECORDS,
                           .value_schema = true};
    struct wire_records in;
    wire_records_begin(&in, batch, plain);
    do {
        run.n = 0;
        TRY(wire_records_read(&in, batch->base_offset, &run, err));
        check_records(&run, batch);
    } while (in.n_left > 0);
    return ST_OK;
}

static enum status decompress(enum wire_codec codec, struct str bytes, struct buf *plain,
                              struct err *err)
{
    struct wire_decompressor decompressor = {0};
    *plain = BUF_INIT(LIMIT);
    enum status rc = wire_decompress(&decompressor, codec, bytes, plain, err);
    assert(plain->capacity <= LIMIT);
    wire_decompressor_release(&decompressor);
    return rc;
}

static enum status read_batch(struct str bytes, size_t *ret_size, struct err *err)
{
    struct wire_batch batch;
    struct buf plain = {0};
    TRY(wire_batch_read(bytes, &batch, err));
    *ret_size = batch.size_bytes;
    struct err ignored;
    (void)is_told(wire_batch_check(bytes, &batch, &ignored), &ignored);
    bool is_abort;
    if (batch.is_control)
        return wire_batch_is_abort(&batch, &is_abort, err);
    enum status rc = decompress(batch.codec, batch.payload, &plain, err);
    if (rc == ST_OK)
        rc = read_records(&batch, buf_as_str(&plain), err);
    buf_release(&plain);
    return rc;
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    unsigned codec = fuzz_byte(&rest);
    struct str bytes = fuzz_copy(rest);
    struct err err = {0};
    if (codec > WIRE_NONE && codec <= WIRE_ZSTD) {
        struct buf plain;
        enum status rc = decompress((enum wire_codec)codec, bytes, &plain, &err);
        assert(is_told(rc, &err));
        buf_release(&plain);
    }
    enum status rc = ST_OK;
    for (rest = bytes; rc == ST_OK;) {
        size_t n = wire_batch_size(rest);
        if (n == 0 || n > rest.n)
            break;
        rc = read_batch(rest, &n, &err);
        assert(is_told(rc, &err));
        rest = (struct str){rest.p + n, rest.n - n};
    }
    free((char *)(uintptr_t)bytes.p);
}
