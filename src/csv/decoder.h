// SPDX-License-Identifier: Apache-2.0
// Stream decoder: one record is one CSV line, its fields are the schema's columns by
// position, or as a header says.
//
// The record's own line end (LF, CR LF, CR) and a byte order mark at its front are no
// data. An unquoted empty field is NULL, a quoted one the empty string (for types other
// than TEXT, which have no empty form, NULL too). Ignored and counted: a record without a
// value, and the header line, i.e. the column names themselves, white space around them
// allowed. Empty fields past the last one are passed. All else that is not a row is a
// reject; its reason names column and value.
// Values borrow the record's bytes; only fields with doubled quotes are copied, to the
// batch's arena. One thread at a time. Errors: decode itself always gives ST_OK.
#ifndef CSV_DECODER_H
#define CSV_DECODER_H

#include "core/codec.h"
#include "core/partial.h"
#include "csv/field.h"
#include "csv/header.h"

struct csv_decoder_options {
    const struct csv_header *header; // NULL: by position; else borrowed as the schema is
    bool trim;                       // of text too, blanks and tabs at its ends are none
    int key;                         // column whose padded texts are counted; -1: none
    // For each column whether its values are wanted; others may be left out, as NULL,
    // when no record can fail by them. NULL: all are. Read by open only.
    const bool *used;
};

// `schema` is borrowed for the decoder's life, `options` (NULL: none) is not. ST_USAGE: a
// column of type BYTES.
enum status csv_decoder_open(const struct schema *schema,
                             const struct csv_decoder_options *options,
                             struct decoder **ret, struct err *err);
// One record as far as it goes: also columns behind one that cannot be read.
void csv_decoder_read_partly(struct decoder *decoder, const struct record *record,
                             struct arena *arena, struct partial_record *ret);

#endif
