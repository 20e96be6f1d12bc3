// SPDX-License-Identifier: Apache-2.0
// The formats that the program reads and writes: one const table each, which stands in
// the folder of its format; src/adapters lists them. Nobody else compares their names:
// what a format can do is whether it has the part for it, what it wants are its options.
//
// An opener borrows what it is given for the life of what it opens, but for the request
// itself, options and names. Any thread.
#ifndef CORE_FORMAT_H
#define CORE_FORMAT_H

#include "core/codec.h"
#include "core/file_writer.h"
#include "core/option.h"
#include "core/partial.h"
#include "core/rows.h"
#include "core/schema_lookup.h"

struct storage; // core/storage.h
struct topic;   // core/topic.h

// A table as its format sees it.
struct format_table {
    struct str name;
    const struct schema *columns;
    const struct options *options; // of the format
};

struct decoder_request {
    struct schema_lookup *lookup; // of a format with schemas; NULL: no record will come
    const struct stream *stream;  // of the records; NULL: not open
    struct str key;               // column that joins; empty: none
    // For each column whether its values are wanted; others may be left out, as NULL,
    // when no record can fail by them. NULL: all are. Read by open only.
    const bool *used;
};

// Values of a stream's records.
struct format_records {
    enum status (*open_decoder)(const struct format_table *table,
                                const struct decoder_request *request,
                                struct decoder **ret, struct err *err);
    // ST_USAGE: the stream can only be read; the text says why.
    enum status (*open_encoder)(const struct format_table *table,
                                struct record_encoder **ret, struct err *err);
    // Reads with a decoder that open_decoder gave what can be read of one record. Of
    // errors only ST_RETRY: something must be waited for (a schema); err says what for.
    enum status (*read_partly)(struct decoder *decoder, const struct record *record,
                               struct arena *arena, struct partial_record *ret,
                               struct err *err);
};

// Of records whose schemas a Schema Registry has. The format's options then have those of
// the registry: "registry" and what begins with it, "subject", "register".
struct format_schemas {
    // Appends the full name of the record that the table's schema is.
    enum status (*record_name)(const struct format_table *table, struct buf *ret,
                               struct err *err);
    // Whether data of that schema can be read at all. ST_DATA says why not.
    enum status (*check)(struct decoder *decoder, const struct schema_texts *writer,
                         struct err *err);
    // What names the schema of a record that can be decoded; whether its header does.
    bool (*key_of)(const struct record *record, struct schema_key *ret);
};

struct rows_request {
    bool skip_errors;  // leave out rows that cannot be read, count them
    bool may_be_empty; // a file of no bytes is one without rows
};

// Files: tables, materialized views and the result.
struct format_files {
    const char *extension; // "csv"
    // Whether the columns fit what the options name; reads no table.
    enum status (*check)(const struct format_table *table, struct err *err);
    enum status (*open_rows)(const struct format_table *table,
                             const struct rows_request *request, struct storage *storage,
                             struct str path, struct rows **ret, struct err *err);
    // Of rows that open_rows gave; up to date after each next, valid until close.
    const struct rows_stats *(*stats)(const struct rows *rows);
    // Appends the call of DuckDB's function that reads files of the table; `setup` is
    // what it needs before, as statements. Of `tramline generate duckdb`.
    const char *duckdb_setup;
    void (*duckdb)(const struct format_table *table, struct str files, struct buf *ret);
    // The bytes of rows as the writer takes them.
    enum status (*open_row_format)(const struct format_table *table,
                                   struct row_format **ret, struct err *err);
    // `plan_hash` tells files of one plan, "" for none.
    enum status (*open_writer)(const struct format_table *table, const char *plan_hash,
                               struct file_writer **ret, struct err *err);
};

// A local file as a bounded stream.
struct format_file_stream {
    enum status (*open_topic)(const char *path, struct topic **ret, struct err *err);
    // Over that topic, of runs with at most `run_records`; says in the log which columns
    // the file lacks.
    enum status (*open)(const struct format_table *table, struct topic *topic,
                        size_t run_records, struct stream **ret, struct err *err);
};

struct format {
    struct option_group options; // first member; its name is the format's
    const char *title;           // in messages: "CSV"
    unsigned lacks;              // types that it cannot hold, 1U << TYPE_BYTES
    bool is_of_feeds; // GTFS feeds are written in it: extract keeps a member's bytes
    bool is_of_spark; // sql/print_spark_decode.c has its records as Spark SQL
    const struct format_records *records;         // NULL: no stream has it
    const struct format_schemas *schemas;         // NULL: no registry is asked
    const struct format_files *files;             // NULL: no table and no result has it
    const struct format_file_stream *file_stream; // NULL: connector 'file' has none
    // The columns that a table has which leaves them out, in the arena: none when the
    // options name nothing that tells them. NULL: none ever.
    enum status (*columns)(const struct options *options, struct arena *arena,
                           struct schema *ret, struct err *err);
};

// src/adapters/formats.c
extern const struct format *const formats[];
extern const size_t n_formats;
const struct format *format_find(struct str name); // NULL: there is none of this name

// The format whose options these are; NULL: of none, as behind an error of the script.
static inline const struct format *format_of(const struct options *options)
{
    return (const struct format *)options->group;
}

#endif
