// SPDX-License-Identifier: Apache-2.0
#include "avro/decoder.h"

#include <stdlib.h>

#include "avro/frame.h"
#include "avro/plan.h"

enum {
    PLANS_MAX = 256,             // schema ids at one time; the one longest unused goes
    PLANS_BYTES_MAX = 256 << 20, // of all of them
    REASON_BYTES = 1800          // of a reject
};

// What became of a schema.
struct entry {
    struct schema_key key;
    uint64_t used;          // by the decoder's count of uses
    struct avro_plan *plan; // NULL: unreadable
    char *reason;           // why, when there is no plan
};

struct avro_decoder {
    struct decoder decoder; // first member
    struct avro_reader *reader;
    struct schema_lookup *lookup;
    bool reject_unreadable;
    struct entry entries[PLANS_MAX];
    size_t n_entries;
    struct entry *last;
    uint64_t uses;
};

static void release_entry(struct entry *entry)
{
    avro_plan_free(entry->plan);
    free(entry->reason);
}

static void drop_oldest(struct avro_decoder *d)
{
    struct entry *oldest = &d->entries[0];
    for (size_t i = 1; i < d->n_entries; i++)
        if (d->entries[i].used < oldest->used)
            oldest = &d->entries[i];
    release_entry(oldest);
    *oldest = d->entries[--d->n_entries];
    d->last = NULL;
}

static size_t bytes_of(const struct avro_plan *plan)
{
    return plan == NULL ? 0 : plan->n_bytes;
}

static size_t bytes_of_all(const struct avro_decoder *d)
{
    size_t n_bytes = 0;
    for (size_t i = 0; i < d->n_entries; i++)
        n_bytes += bytes_of(d->entries[i].plan);
    return n_bytes;
}

// A place for that plan; those longest unused make room.
static struct entry *place_for(struct avro_decoder *d, const struct avro_plan *plan)
{
    while (d->n_entries == PLANS_MAX ||
           (d->n_entries > 0 && bytes_of(plan) + bytes_of_all(d) > PLANS_BYTES_MAX))
        drop_oldest(d);
    return &d->entries[d->n_entries++];
}

static struct entry *find_entry(struct avro_decoder *d, const struct schema_key *key)
{
    for (size_t i = 0; i < d->n_entries; i++)
        if (schema_key_eq(&d->entries[i].key, key))
            return &d->entries[i];
    return NULL;
}

static enum status open_plan(struct avro_decoder *d, const struct schema_texts *texts,
                             struct avro_plan **ret, struct err *err)
{
    struct avro_schema *schema;
    TRY(avro_schema_parse(texts->items, texts->n, &schema, err));
    enum status rc = avro_plan_open(schema, d->reader, ret, err);
    avro_schema_free(schema);
    return rc;
}

// ST_OK also for a schema that cannot be read: the entry has the reason.
static enum status look_up(struct avro_decoder *d, const struct schema_key *key,
                           struct entry **ret, struct err *err)
{
    struct schema_texts texts;
    struct avro_plan *plan = NULL;
    char name[SCHEMA_KEY_TEXT];
    schema_key_format(key, name);
    enum status rc = d->lookup->ops->get(d->lookup, key, &texts, err);
    if (rc == ST_OK)
        rc = open_plan(d, &texts, &plan, err);
    if (rc != ST_OK && rc != ST_DATA)
        return err_context(err, rc, "%s", name);
    struct entry *entry = place_for(d, plan);
    *entry = (struct entry){.key = *key, .plan = plan};
    if (rc == ST_DATA)
        entry->reason = mem_printf("%s: %s", name, err->text);
    *ret = entry;
    return ST_OK;
}

static enum status entry_of(struct avro_decoder *d, const struct schema_key *key,
                            struct entry **ret, struct err *err)
{
    struct entry *entry = d->last;
    if (UNLIKELY(entry == NULL || !schema_key_eq(&entry->key, key))) {
        entry = find_entry(d, key);
        if (entry == NULL)
            TRY(look_up(d, key, &entry, err));
        entry->used = ++d->uses;
        d->last = entry;
    }
    *ret = entry;
    return ST_OK;
}

// A record on its way into the batch.
struct place {
    struct batch *batch;
    const struct record *record;
    uint32_t index; // in the run
};

static bool is_by_header(const struct record *record)
{
    return UNLIKELY(record->value_schema.p != NULL);
}

static void put_reason(const struct record *record, struct str reason, struct buf *text)
{
    if (is_by_header(record))
        buf_text(text, "header " FRAME_HEADER ": ");
    buf_str(text, reason);
}

static void reject(const struct place *place, struct str reason)
{
    AUTO(buf_release) struct buf text = BUF_INIT(REASON_BYTES);
    put_reason(place->record, reason, &text);
    batch_reject(place->batch, place->index, buf_as_str(&text));
}

static void put_frame(const struct record *record, struct buf *reason)
{
    if (is_by_header(record))
        frame_describe_header(record->value_schema, reason);
    else
        frame_describe(record->value, reason);
}

static void put_fault(const struct entry *entry, const struct avro_fault *fault,
                      struct buf *reason)
{
    char name[SCHEMA_KEY_TEXT];
    schema_key_format(&entry->key, name);
    buf_printf(reason, "%s: ", name);
    avro_fault_format(entry->plan, fault, reason);
}

static void put_trailing(const struct entry *entry, size_t left, struct buf *reason)
{
    char name[SCHEMA_KEY_TEXT];
    schema_key_format(&entry->key, name);
    buf_printf(reason, "%s: %zu byte%s left behind the last field", name, left,
               left == 1 ? "" : "s");
}

static void decode_datum(const struct place *place, const struct entry *entry,
                         struct str datum)
{
    struct batch *batch = place->batch;
    struct wire wire = wire_of(datum);
    struct avro_fault fault;
    struct value *row = batch_add(batch, place->index);
    bool good = avro_plan_run(entry->plan, 0, &wire, row, &batch->arena, &fault);
    if (LIKELY(good && wire.p == wire.end))
        return;
    batch_drop_last(batch);
    AUTO(buf_release) struct buf reason = BUF_INIT(REASON_BYTES);
    if (!good)
        put_fault(entry, &fault, &reason);
    else
        put_trailing(entry, wire_left(&wire), &reason);
    reject(place, buf_as_str(&reason));
}

// The header comes first, as for Confluent's own deserializers: what stands before a
// datum may only look like a frame.
static bool find_datum(const struct record *record, struct schema_key *ret_key,
                       struct str *ret_datum)
{
    if (!is_by_header(record))
        return frame_parse(record->value, &ret_key->id, ret_datum);
    *ret_datum = record->value;
    return frame_parse_header(record->value_schema, ret_key);
}

static enum status decode_record(struct avro_decoder *d, const struct place *place,
                                 struct err *err)
{
    struct schema_key key;
    struct str datum;
    struct entry *entry;
    if (place->record->value.p == NULL) { // a tombstone
        place->batch->n_ignored++;
        return ST_OK;
    }
    if (!find_datum(place->record, &key, &datum)) {
        AUTO(buf_release) struct buf reason = {0};
        put_frame(place->record, &reason);
        reject(place, buf_as_str(&reason));
        return ST_OK;
    }
    enum status rc = entry_of(d, &key, &entry, err);
    if (rc == ST_NOT_FOUND) {
        reject(place, str_of(err->text));
        return ST_OK;
    }
    TRY(rc);
    if (LIKELY(entry->plan != NULL))
        decode_datum(place, entry, datum);
    else if (d->reject_unreadable)
        reject(place, str_of(entry->reason));
    else
        return err_set(err, ST_DATA, "%s", entry->reason);
    return ST_OK;
}

static enum status avro_decode(struct decoder *decoder, const struct run *run,
                               size_t from, struct batch *batch, size_t *ret_next,
                               struct err *err)
{
    struct avro_decoder *d = (struct avro_decoder *)decoder;
    struct err own; // its text is used on the way
    if (err == NULL)
        err = &own;
    for (size_t i = from; i < run->n; i++) {
        const struct place place = {batch, &run->records[i], (uint32_t)i};
        *ret_next = i;
        if (i % BATCH_LOOK == 0 && i > from && batch_is_full(batch))
            return ST_OK;
        TRY(decode_record(d, &place, err));
    }
    *ret_next = run->n;
    return ST_OK;
}

// For a person.

// Whether the program had passed the column's value when it failed: it reads in order.
static bool was_reached(const struct avro_plan *plan, size_t column, uint32_t pc)
{
    for (uint32_t at = 0; at < plan->skip_pc; at++) {
        const struct avro_op *op = &plan->ops[at];
        bool fills = op->code > OP_CHECK_ENUM || op->code == OP_CONSTANT;
        if (fills && op->column == column)
            return at < pc;
    }
    return true; // of a type that is always null
}

static void read_datum(struct avro_decoder *d, const struct entry *entry,
                       struct str datum, struct arena *arena, struct buf *reason,
                       struct partial_record *ret)
{
    const struct schema *schema = d->decoder.schema;
    struct wire wire = wire_of(datum);
    struct avro_fault fault;
    struct value *row = arena_array(arena, schema->n, sizeof(*row));
    bool good = avro_plan_run(entry->plan, 0, &wire, row, arena, &fault);
    const char *path = good ? "" : entry->plan->paths[fault.pc];
    for (size_t i = 0; i < schema->n; i++)
        ret->columns[i] = (struct partial_column){
            .is_read = good || (was_reached(entry->plan, i, fault.outer_pc) &&
                                !str_is(schema->columns[i].name, path)),
            .value = row[i],
        };
    size_t n_read = good ? datum.n - wire_left(&wire) : fault.at;
    ret->rest = (struct str){0};
    if (good && n_read == datum.n)
        return;
    ret->rest = (struct str){datum.p + n_read, datum.n - n_read};
    if (good)
        put_trailing(entry, datum.n - n_read, reason);
    else
        put_fault(entry, &fault, reason);
}

enum status avro_decoder_read_partly(struct decoder *decoder, const struct record *record,
                                     struct arena *arena, struct partial_record *ret,
                                     struct err *err)
{
    struct avro_decoder *d = (struct avro_decoder *)decoder;
    AUTO(buf_release) struct buf reason = BUF_INIT(REASON_BYTES);
    struct schema_key key;
    struct str datum;
    struct entry *entry;
    *ret = (struct partial_record){
        .columns = arena_array(arena, decoder->schema->n, sizeof(*ret->columns)),
        .rest = record->value,
    };
    enum status rc = ST_OK;
    if (record->value.p == NULL)
        buf_text(&reason, "it has no value");
    else if (!find_datum(record, &key, &datum))
        put_frame(record, &reason);
    else if ((rc = entry_of(d, &key, &entry, err)) != ST_OK)
        buf_text(&reason, err->text);
    else if (entry->plan == NULL)
        buf_text(&reason, entry->reason);
    else
        read_datum(d, entry, datum, arena, &reason, ret);
    if (reason.n > 0) {
        AUTO(buf_release) struct buf text = BUF_INIT(REASON_BYTES);
        put_reason(record, buf_as_str(&reason), &text);
        ret->error = arena_str(arena, buf_as_str(&text));
    }
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static void avro_close(struct decoder *decoder)
{
    struct avro_decoder *d = (struct avro_decoder *)decoder;
    for (size_t i = 0; i < d->n_entries; i++)
        release_entry(&d->entries[i]);
    avro_reader_free(d->reader);
    free(d);
}

static const struct decoder_ops avro_ops = {
    .decode = avro_decode,
    .close = avro_close,
};

enum status avro_decoder_open(const struct avro_decoder_config *config,
                              struct decoder **ret, struct err *err)
{
    struct avro_reader *reader;
    TRY(avro_reader_open(config->columns, config->reader_schema, &reader, err));
    struct avro_decoder *d = mem_zalloc(sizeof(*d));
    d->decoder = (struct decoder){.ops = &avro_ops, .schema = &reader->columns};
    d->reader = reader;
    d->lookup = config->lookup;
    d->reject_unreadable = config->reject_unreadable;
    *ret = &d->decoder;
    return ST_OK;
}

enum status avro_decoder_check(struct decoder *decoder, const struct schema_texts *writer,
                               struct err *err)
{
    struct avro_plan *plan;
    TRY(open_plan((struct avro_decoder *)decoder, writer, &plan, err));
    avro_plan_free(plan);
    return ST_OK;
}
