// SPDX-License-Identifier: Apache-2.0
// Encoders for what a script writes, and tables written whole.
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include "core/codec.h"
#include "core/rows.h"
#include "core/storage.h"
#include "sql/plan.h"

// The encoder of a table's format. `schema` is borrowed for its life; `plan_hash` goes
// into the metadata of Avro files, "" for none.
enum status sink_encoder_open(const struct table *table, const struct schema *schema,
                              const char *plan_hash, struct encoder **ret,
                              struct err *err);

// Writes rows as the one file of a table's directory: a temporary name, then one rename.
enum status sink_write_table(struct storage *storage, const struct table *table,
                             struct rows *rows, int64_t *ret_n, struct err *err);

#endif
