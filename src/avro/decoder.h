// SPDX-License-Identifier: Apache-2.0
// Rows from a stream of Avro records in the Confluent wire format: a zero byte, the
// schema id in four bytes, big-endian, then the datum; or the datum alone, and id or GUID
// in the record's header.
//
// The schema that a record was written with is looked up by that, once, and compiled
// with the reader's into a flat program that fills a row directly; a new id in mid-stream
// is only one more program. Resolution is that of the Avro 1.11 specification; which
// column types read which Avro types says docs/avro.md. One thread at a time.
//
// A record that cannot be read is a reject whose reason names the field by its path. When
// the lookup answers ST_RETRY, decode stops before that record with ST_RETRY.
#ifndef AVRO_DECODER_H
#define AVRO_DECODER_H

#include "core/codec.h"
#include "core/partial.h"
#include "core/schema_lookup.h"

struct avro_decoder_config {
    // Columns of the rows; "a.b" is field b of the record in field a. Copied.
    const struct schema *columns;
    // The reader's schema as JSON, of which the columns are fields. Empty: made from the
    // columns, and then a field's type may be any that the column's type reads, and
    // records match whatever their name.
    struct str reader_schema;
    struct schema_lookup *lookup; // borrowed
    // A schema of which no datum can ever be read: false, decode stops with ST_DATA
    // before the first record written with it; true, each such record is a reject.
    bool reject_unreadable;
};

// ST_USAGE: the reader's schema is none, or the columns do not fit it.
enum status avro_decoder_open(const struct avro_decoder_config *config,
                              struct decoder **ret, struct err *err);

// Whether data of that schema can be read at all, as `check --live` asks before any
// record was seen. ST_DATA names the field's path and both types.
enum status avro_decoder_check(struct decoder *decoder, const struct schema_texts *writer,
                               struct err *err);
// One record as far as it goes: columns before the value that cannot be read. ST_RETRY:
// its schema must be waited for.
enum status avro_decoder_read_partly(struct decoder *decoder, const struct record *record,
                                     struct arena *arena, struct partial_record *ret,
                                     struct err *err);

#endif
