// SPDX-License-Identifier: Apache-2.0
#include "work/dead_letter.h"

#include <inttypes.h>

#include "base/text.h"

static void append_bytes(struct buf *ret, const char *name, struct str bytes)
{
    buf_printf(ret, ",\"%s\":", name);
    if (bytes.p == NULL) {
        buf_text(ret, "null");
        return;
    }
    buf_char(ret, '"');
    text_base64(ret, bytes);
    buf_char(ret, '"');
}

void dead_letter_format(const struct dead_letter *letter, struct buf *ret)
{
    const struct record *record = letter->record;
    buf_text(ret, "{\"topic\":");
    text_json(ret, letter->topic);
    buf_printf(ret, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, letter->partition,
               record->offset);
    buf_printf(ret, ",\"time_ms\":%" PRId64, record->time_ms);
    append_bytes(ret, "key", record->key);
    append_bytes(ret, "value", record->value);
    buf_text(ret, ",\"headers\":");
    buf_str(ret, letter->headers.n ? letter->headers : STR_LITERAL("[]"));
    buf_text(ret, ",\"reason\":");
    text_json(ret, letter->reason);
    buf_text(ret, "}\n");
}
