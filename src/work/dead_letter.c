// SPDX-License-Identifier: Apache-2.0
#include "work/dead_letter.h"

#include "base/json_put.h"

void dead_letter_put(const struct dead_letter *letter, struct buf *out)
{
    const struct record *record = letter->record;
    json_put_text(out, "topic", letter->topic);
    json_put_number(out, "partition", letter->partition);
    json_put_number(out, "offset", record->offset);
    json_put_number(out, "time_ms", record->time_ms);
    json_put_base64(out, "key", record->key);
    json_put_base64(out, "value", record->value);
    json_put_raw(out, "headers", letter->headers.n ? letter->headers : STR_LITERAL("[]"));
    json_put_text(out, "reason", letter->reason);
}

void dead_letter_format(const struct dead_letter *letter, struct buf *ret)
{
    json_put_open(ret, NULL, '{');
    dead_letter_put(letter, ret);
    json_put_close(ret, '}');
    buf_char(ret, '\n');
}
