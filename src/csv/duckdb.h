// SPDX-License-Identifier: Apache-2.0
// For `tramline generate duckdb`. Inside src/csv.
#ifndef CSV_DUCKDB_H
#define CSV_DUCKDB_H

#include "core/format.h"

// See `duckdb` in core/format.h.
void csv_duckdb(const struct format_table *table, struct str files, struct buf *ret);

#endif
