// SPDX-License-Identifier: Apache-2.0
// Opens the stream of a script: its source and its decoder.
#ifndef JOB_STREAM_H
#define JOB_STREAM_H

#include "core/codec.h"
#include "core/source.h"
#include "csv/header.h"
#include "job/pipeline.h"

struct stream {
    struct source *source;
    struct decoder *decoder;
    const struct decoder *csv;    // the same, when it is one of CSV
    struct schema_lookup *lookup; // NULL for CSV
};

// The decoder of a stream's table, over a lookup that it borrows: NULL for CSV; and a
// file's header: NULL where fields go by position. `key` is the column that joins, empty
// when there is none; `used` as in csv/decoder.h.
enum status stream_decoder_open(const struct table *table, struct schema_lookup *lookup,
                                const struct csv_header *header, struct str key,
                                const bool *used, struct decoder **ret, struct err *err);
// The source of a table with connector 'file'; says which columns its header lacks.
enum status stream_file_open(const struct table *table, struct source **ret,
                             struct err *err);
// What can be wrong with the stream, without any contact: no registry, a schema's file
// that the columns do not fit, SASL without a mechanism.
enum status stream_check(const struct table *table, struct err *err);
enum status stream_open(struct pipeline *pipeline, struct stream *ret, struct err *err);
// The source alone, for a look beside a running job: no member of its group. The caller
// closes it.
enum status stream_look_open(struct pipeline *pipeline, struct source **ret,
                             struct err *err);
void stream_close(struct stream *stream);

#endif
