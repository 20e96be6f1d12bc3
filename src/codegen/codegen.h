// SPDX-License-Identifier: Apache-2.0
// C types for an Avro schema: a header and a source that need nothing but the C library.
//
// One struct a record, with init, release, encode, decode and print; enums; tagged
// unions; arrays and maps as pointer and count. What is made compiles as C17 and as C++17
// without a warning; docs/avro.md, "C types", describes it.
#ifndef CODEGEN_CODEGEN_H
#define CODEGEN_CODEGEN_H

#include "base/buf.h"

// `name_prefix` begins every name made, e.g. "gtfs_"; may be empty. The source includes
// "<header_name>". ST_DATA: the text is not a schema, or none of a record; ST_LIMIT: a
// struct would be too large; ST_USAGE: the prefix is not a C name.
enum status avro_codegen(const char *avsc_json, const char *name_prefix,
                         const char *header_name, struct buf *header, struct buf *source,
                         struct err *err);

#endif
