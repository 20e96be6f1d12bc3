// SPDX-License-Identifier: Apache-2.0
// Avro container files (Avro 1.11, "Object Container Files"). A note becomes metadata,
// tramline.offsets; the header keeps room for it.
#ifndef AVRO_FILE_WRITER_H
#define AVRO_FILE_WRITER_H

#include "avro/compress.h"
#include "avro/row_format.h"
#include "core/env.h"
#include "core/file_writer.h"

struct avro_file_options {
    struct avro_schema_options schema;
    enum avro_codec codec;
    // Of a block before compression; 0: 256 kB. Rows that come in pieces of at most so
    // many bytes need not be looked at: that halves the time of a file without a codec.
    size_t block_bytes;
    struct str plan; // becomes metadata, tramline.plan; empty: there is none
    struct env *env; // gives each file's sync marker; NULL: the system's
};

// ST_USAGE as avro_row_format_open.
enum status avro_file_writer_open(const struct schema *columns,
                                  const struct avro_file_options *options,
                                  struct file_writer **ret, struct err *err);

#endif
