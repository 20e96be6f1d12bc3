// SPDX-License-Identifier: Apache-2.0
// Rows as the values of records: a datum in the Confluent wire format.
#ifndef AVRO_RECORD_ENCODER_H
#define AVRO_RECORD_ENCODER_H

#include "avro/row_format.h"
#include "core/codec.h"

// ST_USAGE as avro_row_format_open.
enum status avro_record_encoder_open(const struct schema *columns,
                                     const struct avro_schema_options *options,
                                     struct record_encoder **ret, struct err *err);

#endif
