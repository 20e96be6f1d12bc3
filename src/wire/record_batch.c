// SPDX-License-Identifier: Apache-2.0
#include "wire/record_batch.h"

#include <inttypes.h>

#include "base/crc32c.h"
#include "base/text.h"
#include "wire/bytes.h"

enum {
    MAGIC_AT = 16,
    CRC_AT = 17,
    CHECKED_AT = 21, // from here on the checksum counts
    HEADER_BYTES = 61,
    RECORD_BYTES_MIN = 7, // of a length, attributes, two deltas, two lengths, a count
    HEADER_MIN = 2,       // of a record's header: two lengths
    CODEC_MASK = 7,
    LOG_APPEND = 8,
    TRANSACTIONAL = 16,
    CONTROL = 32,
    CONTROL_ABORT = 0,
    VARINT_MAX = 10, // bytes of the longest
};

#define VALUE_SCHEMA "__value_schema_id"

size_t wire_batch_size(struct str bytes)
{
    if (bytes.n < WIRE_BATCH_START)
        return 0;
    struct wire_in in = wire_in_of(bytes);
    wire_in_i64(&in);
    int32_t length = wire_in_i32(&in);
    // One that is too short for a header is an error when it is read.
    return WIRE_BATCH_START + (length > 0 ? (size_t)length : 0);
}

static enum status wrong(const struct wire_batch *batch, const char *what,
                         struct err *err)
{
    return err_set(err, ST_DATA, "the batch at offset %" PRId64 ": %s",
                   batch->base_offset, what);
}

static enum status old_format(const struct wire_batch *batch, int magic, struct err *err)
{
    return err_set(err, ST_DATA,
                   "the batch at offset %" PRId64 " has format %d, of before Kafka 0.11; "
                   "client = 'librdkafka' reads it",
                   batch->base_offset, magic);
}

static void take_attributes(struct wire_batch *batch, int16_t attributes)
{
    batch->codec = (enum wire_codec)(attributes & CODEC_MASK);
    batch->is_log_append = attributes & LOG_APPEND;
    batch->is_transactional = attributes & TRANSACTIONAL;
    batch->is_control = attributes & CONTROL;
}

static enum status check_header(const struct wire_batch *batch, int32_t last_delta,
                                struct err *err)
{
    if (batch->base_offset < 0 || last_delta < 0 ||
        batch->base_offset > INT64_MAX - 1 - last_delta)
        return wrong(batch, "its offsets are not right", err);
    if (batch->n_records < 0 || batch->n_records > (int64_t)last_delta + 1)
        return wrong(batch, "its count of records is not right", err);
    if (wire_codec_name(batch->codec) == NULL)
        return wrong(batch, "its codec is unknown", err);
    return ST_OK;
}

enum status wire_batch_read(struct str bytes, struct wire_batch *ret, struct err *err)
{
    struct wire_in in = wire_in_of(bytes);
    *ret = (struct wire_batch){.base_offset = wire_in_i64(&in)};
    ret->size_bytes = wire_batch_size(bytes);
    wire_in_i32(&in);
    ret->leader_epoch = wire_in_i32(&in);
    int magic = wire_in_i8(&in);
    if (in.wrong == NULL && (magic == 0 || magic == 1))
        return old_format(ret, magic, err);
    if (ret->size_bytes < HEADER_BYTES || ret->size_bytes > bytes.n)
        return wrong(ret, "its length is not right", err);
    if (magic != 2)
        return wrong(ret, "its format is unknown", err);
    wire_in_i32(&in); // the checksum
    take_attributes(ret, wire_in_i16(&in));
    int32_t last_delta = wire_in_i32(&in);
    ret->base_time_ms = wire_in_i64(&in);
    ret->max_time_ms = wire_in_i64(&in);
    ret->producer = wire_in_i64(&in);
    wire_in_i16(&in); // the producer's epoch and sequence
    wire_in_i32(&in);
    ret->n_records = wire_in_i32(&in);
    ret->payload = wire_in_take(&in, ret->size_bytes - HEADER_BYTES);
    TRY(check_header(ret, last_delta, err));
    ret->last_offset = ret->base_offset + last_delta;
    return ST_OK;
}

enum status wire_batch_check(struct str bytes, const struct wire_batch *batch,
                             struct err *err)
{
    struct wire_in in = wire_in_of(bytes);
    wire_in_take(&in, CRC_AT);
    uint32_t crc = (uint32_t)wire_in_i32(&in);
    if (crc32c(0, bytes.p + CHECKED_AT, batch->size_bytes - CHECKED_AT) == crc)
        return ST_OK;
    return wrong(batch, "its bytes do not match their checksum", err);
}

// ---- records

struct cursor {
    const uint8_t *p, *end;
    bool is_cut;
};

static COLD int64_t long_varint(struct cursor *c)
{
    uint64_t bits = 0;
    const uint8_t *p = c->p;
    for (unsigned i = 0; i < VARINT_MAX && p < c->end; i++) {
        uint64_t byte = *p++;
        bits |= (byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            c->p = p;
            return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
        }
    }
    c->is_cut = true;
    return 0;
}

static inline int64_t varint(struct cursor *c)
{
    if (LIKELY(c->p < c->end && *c->p < 0x80)) {
        unsigned bits = *c->p++;
        return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
    }
    if (LIKELY(c->end - c->p >= 2 && c->p[1] < 0x80)) {
        unsigned bits = (c->p[0] & 0x7FU) | (unsigned)c->p[1] << 7;
        c->p += 2;
        return (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
    }
    return long_varint(c);
}

// Bytes behind their length; p == NULL: null, or cut.
static inline struct str slice(struct cursor *c)
{
    int64_t n = varint(c);
    if (UNLIKELY(n > c->end - c->p || n < -1)) {
        c->is_cut = true;
        return (struct str){0};
    }
    if (n < 0)
        return (struct str){0};
    struct str bytes = {(const char *)c->p, (size_t)n};
    c->p += n;
    return bytes;
}

// A record's headers, which end where the record ends; the schema's is its last of that
// name.
static COLD void read_headers(struct cursor *c, int64_t n, struct str *ret_schema)
{
    if (n < 0 || n > (c->end - c->p) / HEADER_MIN)
        c->is_cut = true;
    for (; n > 0 && !c->is_cut; n--) {
        struct str name = slice(c);
        struct str value = slice(c);
        c->is_cut |= name.p == NULL;
        if (str_is(name, VALUE_SCHEMA))
            *ret_schema = value.p ? value : STR_LITERAL("");
    }
}

// All of a record but its length; false: its bytes are not right.
static inline bool read_record(struct cursor *c, const struct wire_batch *batch,
                               struct record *ret, struct str *ret_headers)
{
    c->p++; // attributes, unused
    uint64_t time = (uint64_t)varint(c);
    int64_t offset = varint(c);
    ret->offset = batch->base_offset + (int32_t)offset;
    ret->time_ms = batch->is_log_append ? batch->max_time_ms
                                        : (int64_t)((uint64_t)batch->base_time_ms + time);
    ret->key = slice(c);
    ret->value = slice(c);
    ret->value_schema = (struct str){0};
    int64_t n_headers = varint(c);
    *ret_headers = (struct str){(const char *)c->p, (size_t)(c->end - c->p)};
    if (UNLIKELY(n_headers != 0))
        read_headers(c, n_headers, &ret->value_schema);
    return !c->is_cut && c->p == c->end && offset == (int32_t)offset;
}

void wire_records_begin(struct wire_records *records, const struct wire_batch *batch,
                        struct str plain)
{
    const uint8_t *p = (const uint8_t *)(plain.p ? plain.p : "");
    *records = (struct wire_records){
        .batch = batch,
        .p = p,
        .end = p + plain.n,
        .n_left = batch->n_records,
        .least = batch->base_offset,
    };
}

static COLD enum status wrong_record(const struct wire_records *records, struct err *err)
{
    const struct wire_batch *batch = records->batch;
    return err_set(
        err, ST_DATA,
        "the batch at offset %" PRId64 ": record %" PRId32 " of %" PRId32 " is not right",
        batch->base_offset, batch->n_records - records->n_left + 1, batch->n_records);
}

// The next record, which must have a length, an offset behind the one before, and bytes
// that fill it.
static inline bool next_record(struct wire_records *records, struct record *ret,
                               struct str *ret_headers)
{
    struct cursor c = {records->p, records->end, false};
    int64_t n = varint(&c);
    if (UNLIKELY(c.is_cut || n < RECORD_BYTES_MIN - 1 || n > c.end - c.p))
        return false;
    c.end = c.p + n;
    records->p = c.end;
    return read_record(&c, records->batch, ret, ret_headers) &&
           ret->offset >= records->least && ret->offset <= records->batch->last_offset;
}

enum status wire_records_read(struct wire_records *records, int64_t from,
                              struct wire_run *run, struct err *err)
{
    while (records->n_left > 0 && run->n < run->capacity) {
        struct record *record = &run->records[run->n];
        if (UNLIKELY(!next_record(records, record, &run->headers[run->n])))
            return wrong_record(records, err);
        if (!run->value_schema)
            record->value_schema = (struct str){0};
        records->n_left--;
        records->least = record->offset + 1;
        run->n += record->offset >= from;
    }
    if (records->n_left == 0 && records->p != records->end)
        return wrong(records->batch, "bytes are left behind its records", err);
    return ST_OK;
}

void wire_headers_json(struct str headers, struct buf *json)
{
    struct cursor c = {(const uint8_t *)headers.p, (const uint8_t *)headers.p + headers.n,
                       false};
    if (headers.n == 0)
        return;
    for (const char *before = "["; c.p < c.end; before = ",") {
        struct str name = slice(&c), value = slice(&c);
        buf_text(json, before);
        buf_text(json, "{\"key\":");
        text_json(json, name);
        buf_text(json, value.p == NULL ? ",\"value\":null}" : ",\"value\":\"");
        if (value.p == NULL)
            continue;
        text_base64(json, value);
        buf_text(json, "\"}");
    }
    buf_char(json, ']');
}

enum status wire_batch_is_abort(const struct wire_batch *batch, bool *ret,
                                struct err *err)
{
    struct record record = {0};
    struct str headers;
    struct wire_run run = {.records = &record, .headers = &headers, .capacity = 1};
    struct wire_records records;
    wire_records_begin(&records, batch, batch->payload);
    TRY(wire_records_read(&records, 0, &run, err));
    struct wire_in key = wire_in_of(record.key);
    wire_in_i16(&key); // version of the marker
    *ret = run.n == 1 && wire_in_i16(&key) == CONTROL_ABORT && key.wrong == NULL;
    return ST_OK;
}
