// SPDX-License-Identifier: Apache-2.0
// Ports: bytes to rows and rows to bytes. Pure: no I/O but a decoder's schema registry,
// which is given to it from outside. One thread at a time.
#ifndef CORE_CODEC_H
#define CORE_CODEC_H

#include "core/batch.h"
#include "core/stream.h"

struct decoder;

struct decoder_ops {
    // Decodes records [from, run->n) of a run into the batch (rows, rejects, n_ignored),
    // all of them; or up to *ret_next, when the batch is full, or when something must be
    // waited for (a schema): then the status is ST_RETRY and err says what for. A record
    // becomes one row, one reject, or is ignored. Values borrow from the records or the
    // batch's arena.
    enum status (*decode)(struct decoder *decoder, const struct run *run, size_t from,
                          struct batch *batch, size_t *ret_next, struct err *err);
    void (*close)(struct decoder *decoder);
};

struct decoder {
    const struct decoder_ops *ops;
    const struct schema *schema; // of the rows; borrowed for the decoder's life
    size_t n_tails; // records so far that had empty fields past the last column
    // Keys so far that had blanks or tabs at their ends; from any thread. NULL: nobody
    // counts them.
    const struct padded_texts *padded;
};

// A row as the value of a record.
struct record_encoder;

struct record_encoder_ops {
    // Appends it. ST_DATA: a value has no form in the schema; `out` is as it was.
    enum status (*encode)(struct record_encoder *encoder, const struct value *row,
                          struct buf *out, struct err *err);
    void (*close)(struct record_encoder *encoder);
};

struct record_encoder {
    const struct record_encoder_ops *ops;
    struct str schema; // for the registry, as text; empty: there is none
    int32_t schema_id; // that the registry has given it; set before the first row
};

// An encoder writes files of one schema. A row is made of its columns in order, so that
// pieces of a row may be encoded beforehand (a dimension's columns) and put together by
// copying bytes: fields(c0..ck) then fields(ck+1..cn) then end_row.
struct encoder;

struct encoder_ops {
    // Appends columns [first, first + n) of a row. `values[0]` is column `first`. The
    // bytes depend on the arguments alone, those of end_row on nothing: they may be kept.
    void (*fields)(struct encoder *encoder, size_t first, const struct value *values,
                   size_t n, struct buf *row);
    void (*end_row)(struct encoder *encoder, struct buf *row);
    // A file: begin, rows again and again, end. All append to `out`, which the caller
    // empties between calls as it likes. `rows` are whole rows made by the calls above.
    enum status (*begin)(struct encoder *encoder, struct buf *out, struct err *err);
    enum status (*rows)(struct encoder *encoder, struct str rows, size_t n_rows,
                        struct buf *out, struct err *err);
    enum status (*end)(struct encoder *encoder, struct buf *out, struct err *err);
    // Where a file's rows come from, as JSON, in the file's header. Before begin: the
    // longest note that may come; begin keeps room for it. Between begin and end: appends
    // to `front` what is to be put over the front of the file, as long as it was; nothing
    // when the format has no place for a note.
    void (*note)(struct encoder *encoder, struct str note, struct buf *front);
    void (*close)(struct encoder *encoder);
};

enum {
    FRONT_BYTES = 512 // a front's length is a multiple of it: that of a checksum's chunks
};

struct encoder {
    const struct encoder_ops *ops;
    const struct schema *schema; // borrowed for the encoder's life
    const char *extension;       // "csv", "avro"
    // != 0: a row is its fields with this between them, so that bytes of a record that
    // has them so may be copied into it (`raws` of core/batch.h).
    char separator;
    // Why a value that fields() was given since the last end_row has no form in the
    // file's schema ("column 'day': '2026-13-01' is not a date"); empty when all have
    // one. The maker of the row drops it and clears this; rows() refuses to write while
    // it is set. Borrowed until the next call of fields().
    struct str refused;
};

#endif
