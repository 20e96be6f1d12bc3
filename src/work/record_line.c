// SPDX-License-Identifier: Apache-2.0
#include "work/record_line.h"

#include <inttypes.h>

#include "base/text.h"

static void put_bytes(struct buf *out, struct str bytes)
{
    buf_char(out, '\t');
    if (bytes.p == NULL)
        buf_char(out, '-');
    else
        text_base64(out, bytes);
}

void record_line_put(const struct record_line *line, struct buf *out)
{
    const struct record *record = &line->record;
    buf_printf(out, "%" PRId64 "\t%" PRId64 "\t%" PRId32 "\t%" PRId64 "\t%" PRId64,
               line->order, line->number, line->partition, record->offset,
               record->time_ms);
    put_bytes(out, record->value);
    put_bytes(out, record->key);
    buf_char(out, '\t');
    buf_str(out, line->headers);
}

static bool cut_number(struct str *text, int64_t *ret)
{
    return str_to_i64(str_cut(text, '\t'), ret);
}

static bool cut_bytes(struct str *text, struct arena *arena, struct str *ret)
{
    struct str field = str_cut(text, '\t');
    *ret = (struct str){0};
    if (str_is(field, "-"))
        return true;
    AUTO(buf_release) struct buf bytes = {0};
    if (field.p == NULL || !text_base64_decode(&bytes, field))
        return false;
    *ret = arena_str(arena, buf_as_str(&bytes));
    return true;
}

enum status record_line_parse(struct str text, struct arena *arena,
                              struct record_line *ret, struct err *err)
{
    *ret = (struct record_line){0};
    struct record *record = &ret->record;
    int64_t partition = -1;
    bool is = cut_number(&text, &ret->order) && cut_number(&text, &ret->number) &&
              cut_number(&text, &partition) && cut_number(&text, &record->offset) &&
              cut_number(&text, &record->time_ms) &&
              cut_bytes(&text, arena, &record->value) &&
              cut_bytes(&text, arena, &record->key) && text.p != NULL && partition >= 0 &&
              partition <= INT32_MAX && record->offset >= 0;
    if (!is)
        return err_set(err, ST_DATA, "a line is no record that --part read has told");
    ret->partition = (int32_t)partition;
    ret->headers = arena_str(arena, text);
    return ST_OK;
}
