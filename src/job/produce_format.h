// SPDX-License-Identifier: Apache-2.0
// Rows of a stream's table to records' values, in the stream's format; where that has
// schemas, with one that the registry knows.
#ifndef JOB_PRODUCE_FORMAT_H
#define JOB_PRODUCE_FORMAT_H

#include "job/pipeline.h"

struct produce_format {
    struct record_encoder *encoder; // NULL: the stream can only be read
    const char *why_not;            // then the reason
    // Of a format with schemas, in the pipeline's arena, as is why_not.
    struct str subject;
    int32_t version; // 0: the registry did not tell
    bool was_there;
};

// For a format with schemas, without any contact: schema and subject. A stream that can
// be read only (nested columns, a part of the schema's fields) has no encoder but
// why_not.
enum status produce_format_prepare(struct pipeline *pipeline, struct produce_format *ret,
                                   struct err *err);
// The same of any format, and the schema's id: registers it by the stream's option
// 'register'.
enum status produce_format_open(struct pipeline *pipeline, struct produce_format *ret,
                                struct err *err);
void produce_format_close(struct produce_format *format);

#endif
