// SPDX-License-Identifier: Apache-2.0
#include "cli/dead_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/json_print.h"
#include "cli/term.h"
#include "job/letter_columns.h"
#include "log/letter_headers.h"
#include "work/dead_letter.h"

enum {
    NAME_WIDTH = 9
};

struct show {
    struct pipeline *pipeline;
    bool is_json;
    struct arena arena;
    struct letter_columns columns;
    struct partial_record today; // columns NULL: nothing could be tried
    int64_t n;
};

// Without a decoder, as when the registry does not answer, the rest is shown all the
// same.
static void read_today(struct show *show, const struct dead_record *letter)
{
    struct err err;
    enum status rc = letter_columns_open(show->pipeline, &show->columns, &err);
    if (rc == ST_OK)
        rc =
            letter_columns_read(&show->columns, letter, &show->arena, &show->today, &err);
    if (rc == ST_OK)
        return;
    show->today = (struct partial_record){
        .error = arena_str(&show->arena, str_of(err.text)),
    };
}

// For people.

static void print_bytes(const char *name, struct str bytes)
{
    printf("%-*s ", NAME_WIDTH, name);
    if (bytes.p == NULL) {
        printf("none\n");
        return;
    }
    term_put(bytes);
    printf("  (%s)\n", text_counted((int64_t)bytes.n, "byte", "bytes"));
}

static void print_headers(struct show *show, struct str json)
{
    size_t n;
    const struct letter_header *headers = letter_headers(json, &show->arena, &n);
    if (n == 0)
        printf("%-*s none\n", NAME_WIDTH, "headers");
    for (size_t i = 0; i < n; i++) {
        printf("%-*s ", NAME_WIDTH, i == 0 ? "headers" : "");
        term_put(headers[i].key);
        printf(headers[i].value.p != NULL ? " = " : " without a value");
        term_put(headers[i].value);
        putchar('\n');
    }
}

static void print_column(const struct column *column, const struct partial_column *read,
                         size_t width)
{
    size_t used = str_display_width(column->name);
    printf("%*s ", NAME_WIDTH, "");
    term_put(column->name);
    printf("%*s  ", (int)(width > used ? width - used : 0), "");
    if (!read->is_read) {
        printf(read->bytes.p != NULL ? "not read: " : "not read");
        term_put(read->bytes);
    } else if (read->value.kind == VALUE_NULL) {
        printf("NULL");
    } else {
        AUTO(buf_release) struct buf text = {0};
        value_format(read->value, &text);
        term_put(buf_as_str(&text));
    }
    putchar('\n');
}

static void print_today(const struct show *show)
{
    const struct schema *schema = &show->pipeline->plan->stream->schema;
    const struct partial_record *today = &show->today;
    size_t width = 0;
    printf("%-*s ", NAME_WIDTH, "today");
    if (today->error.n > 0)
        term_put(today->error);
    else
        printf("it can be read");
    putchar('\n');
    for (size_t i = 0; i < schema->n; i++) {
        size_t used = str_display_width(schema->columns[i].name);
        width = used > width ? used : width;
    }
    for (size_t i = 0; i < schema->n && today->columns != NULL; i++)
        print_column(&schema->columns[i], &today->columns[i], width);
    if (today->rest.p != NULL)
        print_bytes("not read", today->rest);
}

static void print_text(struct show *show, const struct dead_record *letter)
{
    char time[TEXT_TIME_MAX];
    printf("letter    %" PRId64 ":%" PRId64 ", of the commit at %s%s\n", letter->entry,
           letter->line, text_time(letter->entry_ms, time).p,
           letter->is_replayed ? "; replayed" : "");
    printf("record    topic ");
    term_put(letter->topic);
    printf(", partition %" PRId32 ", offset %" PRId64, letter->partition,
           letter->record.offset);
    if (letter->record.time_ms >= 0)
        printf(", of %s", text_time(letter->record.time_ms, time).p);
    printf("\nreason    ");
    term_put(letter->reason);
    putchar('\n');
    print_headers(show, letter->headers);
    print_bytes("key", letter->record.key);
    print_bytes("value", letter->record.value);
    print_today(show);
}

// For programs.

static void put_column(const struct column *column, const struct partial_column *read,
                       struct buf *out)
{
    json_put_open(out, NULL, '{');
    json_put_text(out, "name", column->name);
    if (read->is_read)
        value_json(out, "value", read->value);
    else
        json_put_base64(out, "bytes", read->bytes);
    json_put_close(out, '}');
}

static void put_today(const struct show *show, struct buf *out)
{
    const struct schema *schema = &show->pipeline->plan->stream->schema;
    const struct partial_record *today = &show->today;
    struct str error = today->error;
    json_put_open(out, "today", '{');
    json_put_text_or_null(out, "error", error.n > 0 ? error : (struct str){0});
    json_put_open(out, "columns", '[');
    for (size_t i = 0; i < schema->n && today->columns != NULL; i++)
        put_column(&schema->columns[i], &today->columns[i], out);
    json_put_close(out, ']');
    json_put_base64(out, "rest", today->rest);
    json_put_close(out, '}');
}

static void print_json(const struct show *show, const struct dead_record *letter)
{
    AUTO(buf_release) struct buf line = {0};
    const struct dead_letter as_written = {
        .topic = letter->topic,
        .partition = letter->partition,
        .record = &letter->record,
        .headers = letter->headers,
        .reason = letter->reason,
    };
    json_put_open(&line, NULL, '{');
    buf_printf(&line, "\"letter\":\"%" PRId64 ":%" PRId64 "\"", letter->entry,
               letter->line);
    json_put_bool(&line, "replayed", letter->is_replayed);
    put_today(show, &line);
    dead_letter_put(&as_written, &line);
    json_put_close(&line, '}');
    json_print(&line);
}

static enum status show_letter(void *context, const struct dead_record *letter,
                               UNUSED struct err *err)
{
    struct show *show = context;
    show->n++;
    read_today(show, letter);
    if (show->is_json)
        print_json(show, letter);
    else
        print_text(show, letter);
    return ST_OK;
}

enum status dead_show(struct pipeline *pipeline, struct dead_book *book,
                      struct storage *storage, const struct dead_filter *filter,
                      bool is_json, struct err *err)
{
    struct show show = {.pipeline = pipeline, .is_json = is_json};
    enum status rc = dead_book_each(book, storage, filter, show_letter, &show, err);
    letter_columns_close(&show.columns);
    arena_release(&show.arena);
    if (rc != ST_OK || show.n > 0)
        return rc;
    return err_set(err, ST_USAGE,
                   "there is no dead letter %" PRId64 ":%" PRId64
                   " in the log; tramline dead names the newest of each reason",
                   filter->entry, filter->line);
}
