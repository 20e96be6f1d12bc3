// SPDX-License-Identifier: Apache-2.0
// Functions over text, as PostgreSQL means them, for SQLite. Inside src/sql.
#ifndef SQL_SQLITE_TEXT_H
#define SQL_SQLITE_TEXT_H

#include <sqlite3.h>

#include "base/str.h"

// Borrowed until the function returns.
struct str sqlite_text(sqlite3_value *value);

void sqlite_substr(sqlite3_context *context, int argc, sqlite3_value **argv);
void sqlite_left(sqlite3_context *context, int argc, sqlite3_value **argv);
void sqlite_right(sqlite3_context *context, int argc, sqlite3_value **argv);
void sqlite_lpad(sqlite3_context *context, int argc, sqlite3_value **argv);
void sqlite_starts_with(sqlite3_context *context, int argc, sqlite3_value **argv);
void sqlite_replace(sqlite3_context *context, int argc, sqlite3_value **argv);
void sqlite_split_part(sqlite3_context *context, int argc, sqlite3_value **argv);
void sqlite_gtfs_seconds(sqlite3_context *context, int argc, sqlite3_value **argv);
void sqlite_gtfs_time(sqlite3_context *context, int argc, sqlite3_value **argv);

#endif
