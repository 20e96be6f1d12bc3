// SPDX-License-Identifier: Apache-2.0
#include "cli/dead_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"
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

static void put_base64(struct buf *out, struct str bytes)
{
    if (bytes.p == NULL) {
        buf_text(out, "null");
        return;
    }
    buf_char(out, '"');
    text_base64(out, bytes);
    buf_char(out, '"');
}

static void put_column(const struct column *column, const struct partial_column *read,
                       struct buf *out)
{
    struct value value = read->value;
    buf_text(out, "{\"name\":");
    text_json(out, column->name);
    if (!read->is_read) {
        buf_text(out, ",\"bytes\":");
        put_base64(out, read->bytes);
    } else if (value.kind == VALUE_NULL) {
        buf_text(out, ",\"value\":null");
    } else {
        buf_text(out, ",\"value\":");
        if (value.kind == VALUE_TEXT || value.kind == VALUE_BYTES)
            text_json(out, value_str(value));
        else
            value_format(value, out);
    }
    buf_char(out, '}');
}

static void put_today(const struct show *show, struct buf *out)
{
    const struct schema *schema = &show->pipeline->plan->stream->schema;
    const struct partial_record *today = &show->today;
    buf_text(out, "\"today\":{\"error\":");
    if (today->error.n > 0)
        text_json(out, today->error);
    else
        buf_text(out, "null");
    buf_text(out, ",\"columns\":[");
    for (size_t i = 0; i < schema->n && today->columns != NULL; i++) {
        buf_text(out, i > 0 ? "," : "");
        put_column(&schema->columns[i], &today->columns[i], out);
    }
    buf_text(out, "],\"rest\":");
    put_base64(out, today->rest);
    buf_text(out, "},");
}

static void print_json(const struct show *show, const struct dead_record *letter)
{
    AUTO(buf_release) struct buf line = {0};
    AUTO(buf_release) struct buf fields = {0};
    const struct dead_letter as_written = {
        .topic = letter->topic,
        .partition = letter->partition,
        .record = &letter->record,
        .headers = letter->headers,
        .reason = letter->reason,
    };
    buf_printf(&line, "{\"letter\":\"%" PRId64 ":%" PRId64 "\",\"replayed\":%s,",
               letter->entry, letter->line, letter->is_replayed ? "true" : "false");
    put_today(show, &line);
    dead_letter_format(&as_written, &fields);
    buf_append(&line, fields.p + 1, fields.n - 1); // without its brace
    fwrite(line.p, 1, line.n, stdout);
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
