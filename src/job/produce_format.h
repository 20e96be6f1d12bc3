// SPDX-License-Identifier: Apache-2.0
// Rows of a stream's table to records' values: a CSV line, or a framed Avro datum whose
// schema the registry knows.
#ifndef JOB_PRODUCE_FORMAT_H
#define JOB_PRODUCE_FORMAT_H

#include "avro/encoder.h"
#include "job/pipeline.h"

struct produce_format {
    struct encoder *csv;             // or
    struct avro_datum_encoder *avro; // with:
    const char *why_not;             // NULL, or why the stream cannot be written
    struct str subject;              // in the pipeline's arena, as is why_not
    int32_t schema_id, version;      // version 0: the registry did not tell
    bool was_there;
};

// For a stream in Avro, without any contact: schema and subject. One that can be read
// only (nested columns, a part of the schema's fields) has no encoder but why_not.
enum status produce_format_prepare(struct pipeline *pipeline, struct produce_format *ret,
                                   struct err *err);
// The same, and for Avro the schema's id: registers it by the stream's option 'register'.
enum status produce_format_open(struct pipeline *pipeline, struct produce_format *ret,
                                struct err *err);
// Replaces the contents of `value`.
enum status produce_format_row(struct produce_format *format, const struct value *row,
                               size_t n_columns, struct buf *value, struct err *err);
void produce_format_close(struct produce_format *format);

#endif
