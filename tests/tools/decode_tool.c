// SPDX-License-Identifier: Apache-2.0
// What the decoder of a stream's format makes of records, for the end to end tests.
//
//   decode_tool    a line of JSON on stdin: {"script": SCRIPT, "records": [HEX | null..]}
//
// and for each record a line on stdout: {"row": [VALUE..]}, {"bad": REASON} or {}:
// passed.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/format.h"
#include "sql/plan.h"

static void die(const char *text)
{
    fprintf(stderr, "decode_tool: %s\n", text);
    exit(1);
}

static unsigned digit(char c)
{
    return c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

static struct str bytes_of(const char *hex, struct arena *arena)
{
    size_t n = strlen(hex) / 2;
    char *bytes = arena_alloc(arena, n + 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    return (struct str){bytes, n};
}

static json_t *json_of(struct value v)
{
    switch ((enum value_kind)v.kind) {
    case VALUE_TEXT:
        return json_stringn(v.p, v.n);
    case VALUE_INT:
        return json_integer(v.i);
    case VALUE_REAL:
        return json_real(v.r);
    case VALUE_BOOL:
        return json_boolean(v.i);
    default:
        return json_null();
    }
}

static void print(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

static void print_record(const struct batch *batch)
{
    json_t *line = json_object();
    for (size_t i = 0; i < batch->n_rows; i++) {
        json_t *row = json_array();
        for (size_t c = 0; c < batch->n_columns; c++)
            json_array_append_new(row, json_of(batch_row(batch, i)[c]));
        json_object_set_new(line, "row", row);
    }
    if (batch->n_rejects > 0)
        json_object_set_new(
            line, "bad",
            json_stringn(batch->rejects[0].reason.p, batch->rejects[0].reason.n));
    print(line);
}

static void decode_each(const struct table *stream, const json_t *records)
{
    struct err err = {0};
    struct decoder *decoder;
    const struct decoder_request request = {0};
    const struct format_table table = plan_format_table(stream);
    if (format_of(&stream->format)
            ->records->open_decoder(&table, &request, &decoder, &err) != ST_OK)
        die(err.text);
    for (size_t i = 0; i < json_array_size(records); i++) {
        AUTO(arena_release) struct arena arena = {0};
        AUTO(batch_release) struct batch batch;
        const json_t *hex = json_array_get(records, i);
        struct record record = {0};
        if (json_is_string(hex))
            record.value = bytes_of(json_string_value(hex), &arena);
        const struct run run = {.next = 1, .records = &record, .n = 1};
        size_t next;
        batch_init(&batch, stream->schema.n);
        if (decoder->ops->decode(decoder, &run, 0, &batch, &next, &err) != ST_OK)
            die(err.text);
        print_record(&batch);
    }
    decoder->ops->close(decoder);
}

int main(void)
{
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan;
    json_t *job = json_loadf(stdin, 0, NULL);
    const char *text = json_string_value(json_object_get(job, "script"));
    if (text == NULL)
        die("no script");
    struct script script = {.name = STR_LITERAL("script"), .text = str_of(text)};
    if (plan_parse(&script, &plan, &report) != ST_OK)
        die(buf_cstr(&report));
    decode_each(plan->stream, json_object_get(job, "records"));
    plan_free(plan);
    json_decref(job);
    return 0;
}
