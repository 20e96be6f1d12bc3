// SPDX-License-Identifier: Apache-2.0
#include "work/write_units.h"

#include <inttypes.h>

#include "base/text.h"
#include "core/json.h"
#include "work/record_line.h"
#include "work/told_row.h"

enum {
    LINE_WAIT_MS = 1000,
    RUN_RECORDS = 2000,
    RUN_BYTES = 8 << 20,       // of records and their rows
    RECORD_BYTES_MAX = 1 << 30 // of one with its rows
};

struct writing {
    const struct write_parts *parts;
    bool is_open;
    struct order order; // that is open
    enum status rc;     // what it came to so far
    struct err why;
    struct buf row; // the lines of one whose end has not come
    size_t n_ended; // of its fields
};

static struct unit_builder *builder_of(const struct writing *writing)
{
    return &writing->parts->maker->builder;
}

// Records that are told become a run.
static enum status take_told(struct writing *writing, struct err *err)
{
    struct told_records *told = writing->parts->told;
    if (told->n_records == 0)
        return ST_OK;
    const struct span *span = draft_span(builder_of(writing)->draft, told->partition);
    const struct run run = {
        .partition = told->partition,
        .first = span->next,
        .next = told->records[told->n_records - 1].offset + 1,
        .records = told->records,
        .n = told->n_records,
    };
    size_t n_used;
    enum status rc = unit_builder_run(builder_of(writing), &run, &n_used, err);
    told_records_clear(told);
    return rc == ST_OK && n_used < run.n ? ST_STOP : rc;
}

static enum status add_record(struct writing *writing, enum told_kind kind,
                              struct str text, struct err *err)
{
    struct told_records *told = writing->parts->told;
    struct record_line line;
    struct str rest = text;
    int64_t partition;
    // Before its bytes are kept.
    (void)str_cut(&rest, '\t');
    (void)str_cut(&rest, '\t');
    bool is_cut = str_to_i64(str_cut(&rest, '\t'), &partition);
    if (told->n_records >= RUN_RECORDS || told->arena.n_bytes >= RUN_BYTES ||
        (is_cut && partition != told->partition))
        TRY(take_told(writing, err));
    TRY(record_line_parse(text, &told->arena, &line, err));
    if (line.order != writing->order.number ||
        draft_span(builder_of(writing)->draft, line.partition) == NULL)
        return err_set(err, ST_DATA, "a record came that is not of the order");
    told->partition = line.partition;
    told_records_add(told, kind, &line.record, line.headers);
    return ST_OK;
}

static enum status add_row(struct writing *writing, struct str text, struct err *err)
{
    struct told_records *told = writing->parts->told;
    int64_t partition, offset;
    bool is = str_to_i64(str_cut(&text, '\t'), &partition) &&
              str_to_i64(str_cut(&text, '\0'), &offset) && text.p != NULL;
    if (!is || told->n_records == 0 || partition != told->partition ||
        offset != told->records[told->n_records - 1].offset ||
        told->notes[told->n_records - 1].kind != TOLD_ROW)
        return err_set(err, ST_DATA, "a row came without its record");
    if (told->arena.n_bytes > RECORD_BYTES_MAX)
        return err_set(err, ST_LIMIT,
                       "partition %" PRId64 " offset %" PRId64
                       ": the record and its rows are more than %d MB; run the script "
                       "by another engine",
                       partition, offset, RECORD_BYTES_MAX >> 20);
    told_records_row(told, text);
    return ST_OK;
}

// What was read, as the reader says; what came of it is known here.
static enum status take_span(struct draft *draft, struct span *span,
                             const struct span *read, struct err *err)
{
    bool is = span->partition == read->partition && span->first == read->first &&
              span->data == read->data && span->next <= read->next &&
              (read->data == 0 || (span->last.offset == read->last.offset &&
                                   span->last.crc32c == read->last.crc32c));
    if (!is)
        return err_set(err, ST_RETRY,
                       "partition %" PRId32 ": %s came to be written, and %s read",
                       span->partition, text_counted(span->data, "record", "records"),
                       text_count(read->data));
    struct span merged = *read;
    merged.ignored = span->ignored;
    merged.rejected = span->rejected;
    draft_move(draft, span, read->next);
    *span = merged;
    return ST_OK;
}

static enum status take_spans(struct writing *writing, const struct unit *read,
                              struct err *err)
{
    struct draft *draft = builder_of(writing)->draft;
    if (draft->unit.n_spans != read->n_spans)
        return err_set(err, ST_DATA, "what was read is not what was ordered");
    for (size_t i = 0; i < read->n_spans; i++)
        TRY(take_span(draft, &draft->unit.spans[i], &read->spans[i], err));
    return ST_OK;
}

static enum status finish(struct writing *writing, const struct unit *read,
                          struct unit *ret, struct err *err)
{
    TRY(take_told(writing, err));
    TRY(take_spans(writing, read, err));
    TRY(maker_finish(writing->parts->maker, ret, err));
    if (ret->first_batch_ms != 0)
        ret->first_batch_ms = ret->last_batch_ms = writing->parts->now_ms;
    return ST_OK;
}

// Orders.

static void close_order(struct writing *writing)
{
    unit_builder_drop(builder_of(writing));
    told_records_clear(writing->parts->told);
    if (writing->is_open)
        order_release(&writing->order);
    writing->is_open = false;
}

static enum status answer(struct writing *writing, enum status rc, struct unit *unit,
                          const struct err *why, struct err *err)
{
    const struct write_parts *parts = writing->parts;
    int64_t number = writing->order.number;
    close_order(writing);
    return rc == ST_OK ? answer_unit(parts->lines, number, unit, err)
                       : answer_error(parts->lines, number, rc, parts->code_of, why, err);
}

static enum status open_order(struct writing *writing, struct str line, struct err *err)
{
    TRY(order_decode(line, &writing->order, err));
    writing->is_open = true;
    writing->why = (struct err){0};
    maker_begin(writing->parts->maker, &writing->order);
    writing->rc = maker_check(writing->parts->maker, &writing->order, &writing->why);
    return ST_OK;
}

// The reader's error is the order's answer as it is.
static enum status end_order(struct writing *writing, struct str line, struct err *err)
{
    struct answer read;
    struct unit unit = {0};
    TRY(answer_decode(line, &read, err));
    if (read.kind != ANSWER_UNIT) {
        AUTO(buf_release) struct buf text = {0};
        read.order = writing->order.number;
        answer_encode(&read, &text);
        answer_release(&read);
        close_order(writing);
        return writing->parts->lines->ops->send(writing->parts->lines, buf_as_str(&text),
                                                err);
    }
    if (writing->rc == ST_OK)
        writing->rc = finish(writing, &read.unit, &unit, &writing->why);
    answer_release(&read);
    return answer(writing, writing->rc, &unit, &writing->why, err);
}

// A reader that did not begin: its end is this one's.
static bool is_end_of_reader(struct str line, enum status *ret, struct err *err)
{
    json_error_t why;
    json_t *json = json_loadb(line.p, line.n, 0, &why);
    const json_t *code = json_object_get(json, "exit_code");
    const json_t *text = json_object_get(json, "text");
    bool is = json_is_integer(code) && json_is_string(text);
    if (is) {
        enum status rc = json_integer_value(code) == 2   ? ST_USAGE
                         : json_integer_value(code) == 3 ? ST_DATA
                                                         : ST_FAIL;
        *ret = err_set(err, rc, "%.*s", STR_ARGS(json_as_str(text)));
    }
    json_decref(json);
    return is;
}

static enum status take_json(struct writing *writing, struct str line, struct err *err)
{
    enum status rc;
    if (is_end_of_reader(line, &rc, err))
        return rc;
    return writing->is_open ? end_order(writing, line, err)
                            : open_order(writing, line, err);
}

static enum status take_fields(struct writing *writing, struct str line, struct err *err)
{
    static const char kinds[] = {
        [TOLD_ROW] = 'r', [TOLD_IGNORED] = 'i', [TOLD_BAD] = 'b'};
    struct str rest = {line.p + 2, line.n - 2};
    if (line.p[0] == '+')
        return add_row(writing, rest, err);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (line.p[0] == kinds[i])
            return add_record(writing, (enum told_kind)i, rest, err);
    return err_set(err, ST_DATA, "a line is neither a record nor a row");
}

// Whether a row is whole with this line, which becomes all of it.
static bool gather_row(struct writing *writing, struct str *line)
{
    size_t n_fields = writing->parts->told->plan->output.n + 1; // one is its record
    struct buf *row = &writing->row;
    bool is_new = row->n == 0;
    writing->n_ended = (is_new ? 0 : writing->n_ended) + told_row_ends(*line);
    if (is_new && writing->n_ended >= n_fields)
        return true;
    if (!is_new)
        buf_char(row, '\n');
    buf_str(row, *line);
    *line = buf_as_str(row);
    return writing->n_ended >= n_fields;
}

// What is wrong with one order is its answer, once its end has come.
static enum status take_line(struct writing *writing, struct str line, struct err *err)
{
    bool is_row = writing->row.n > 0;
    if (!is_row && line.n > 0 && line.p[0] == '{')
        return take_json(writing, line, err);
    if (!is_row && (line.n < 2 || line.p[1] != '\t' || !writing->is_open))
        return err_set(err, ST_DATA, "a line is of no order");
    if ((is_row || line.p[0] == '+') && !gather_row(writing, &line))
        return ST_OK;
    if (writing->rc == ST_OK)
        writing->rc = take_fields(writing, line, &writing->why);
    buf_clear(&writing->row);
    return writing->rc == ST_STOP ? ST_STOP : ST_OK;
}

// Input that ends within an order has lost something.
static enum status take_end(struct writing *writing, struct err *err)
{
    struct err why;
    if (!writing->is_open)
        return ST_OK;
    enum status rc =
        err_set(&why, ST_RETRY, "the records of an order came without its end");
    return answer(writing, rc, NULL, &why, err);
}

static enum status take_lines(struct writing *writing, struct err *err)
{
    const struct write_parts *parts = writing->parts;
    const struct maker_parts *maker = &parts->maker->parts;
    struct env *env = maker->builder.env;
    while (!deadline_is_over(maker->deadline, env->ops->monotonic_ms(env))) {
        enum line_event event;
        struct str line;
        TRY(parts->lines->ops->receive(parts->lines, LINE_WAIT_MS, &event, &line, err));
        if (event == LINE_END)
            return take_end(writing, err);
        if (event != LINE_NONE)
            TRY(take_line(writing, line, err));
    }
    return ST_STOP;
}

enum status write_units(const struct write_parts *parts, struct err *err)
{
    struct writing writing = {.parts = parts};
    enum status rc = take_lines(&writing, err);
    close_order(&writing);
    buf_release(&writing.row);
    return rc == ST_STOP ? ST_OK : rc;
}
