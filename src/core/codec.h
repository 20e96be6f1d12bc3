// SPDX-License-Identifier: Apache-2.0
// Ports: records to rows and rows to records. Pure: no I/O but a decoder's schema
// registry, which is given to it from outside. One thread at a time.
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

#endif
