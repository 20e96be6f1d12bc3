// SPDX-License-Identifier: Apache-2.0
#include "job/letter_columns.h"

#include "core/env.h"
#include "log/letter_headers.h"

enum {
    PAUSE_MS = 50
};
#define SCHEMA_HEADER "__value_schema_id"

enum status letter_columns_open(struct pipeline *pipeline, struct letter_columns *ret,
                                struct err *err)
{
    *ret = (struct letter_columns){.stream = pipeline->plan->stream};
    return stream_open_decoder(pipeline, &ret->parts, err);
}

void letter_columns_close(struct letter_columns *columns)
{
    stream_close(&columns->parts);
}

enum status letter_columns_read(struct letter_columns *columns,
                                const struct dead_record *letter, struct arena *arena,
                                struct partial_record *ret, struct err *err)
{
    struct env *env = env_system();
    const struct format_records *records = format_of(&columns->stream->format)->records;
    struct record record = letter->record;
    int64_t until_ms = env->ops->monotonic_ms(env) + LETTER_PATIENCE_MS;
    if (columns->parts.lookup != NULL)
        record.value_schema = letter_header_value(letter->headers, SCHEMA_HEADER, arena);
    for (;;) {
        enum status rc =
            records->read_partly(columns->parts.decoder, &record, arena, ret, err);
        if (rc != ST_RETRY || env->ops->monotonic_ms(env) >= until_ms)
            return rc;
        env->ops->sleep_ms(env, PAUSE_MS);
    }
}

static enum status is_equal(void *context, const struct dead_record *letter, bool *ret,
                            struct err *err)
{
    struct letter_test *test = context;
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf text = {0};
    struct partial_record record;
    TRY(letter_columns_read(&test->columns, letter, &arena, &record, err));
    const struct partial_column *column = &record.columns[test->column];
    if (column->value.kind != VALUE_NULL)
        value_format(column->value, &text);
    *ret = column->is_read && str_eq(buf_as_str(&text), test->value);
    return ST_OK;
}

static enum status no_column(const struct table *stream, struct str name, struct err *err)
{
    AUTO(buf_release) struct buf names = {0};
    for (size_t i = 0; i < stream->schema.n; i++)
        buf_printf(&names, "%s%.*s", i > 0 ? ", " : "",
                   STR_ARGS(stream->schema.columns[i].name));
    return err_set(err, ST_USAGE,
                   "--where takes reason=TEXT or COLUMN=VALUE, and %.*s has no column "
                   "'%.*s'; it has %s",
                   STR_ARGS(stream->name), STR_ARGS(name), buf_cstr(&names));
}

enum status letter_test_open(struct pipeline *pipeline, struct str column,
                             struct str value, struct letter_test *ret,
                             struct dead_filter *filter, struct err *err)
{
    const struct table *stream = pipeline->plan->stream;
    int at = schema_find(&stream->schema, column);
    if (at < 0)
        return no_column(stream, column, err);
    ret->column = (size_t)at;
    ret->value = value;
    filter->test = is_equal;
    filter->context = ret;
    return letter_columns_open(pipeline, &ret->columns, err);
}
