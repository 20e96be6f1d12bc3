// SPDX-License-Identifier: Apache-2.0
#include "base/json_put.h"

#include <inttypes.h>

#include "base/text.h"

static void begin(struct buf *out, const char *name)
{
    bool is_first = out->n == 0 || strchr("{[:\n", out->p[out->n - 1]) != NULL;
    buf_text(out, is_first ? "" : ",");
    if (name != NULL)
        buf_printf(out, "\"%s\":", name);
}

void json_put_open(struct buf *out, const char *name, char bracket)
{
    begin(out, name);
    buf_char(out, bracket);
}

void json_put_close(struct buf *out, char bracket)
{
    buf_char(out, bracket);
}

void json_put_text(struct buf *out, const char *name, struct str text)
{
    begin(out, name);
    text_json(out, text);
}

void json_put_text_or_null(struct buf *out, const char *name, struct str text)
{
    if (text.p != NULL)
        json_put_text(out, name, text);
    else
        json_put_null(out, name);
}

void json_put_base64(struct buf *out, const char *name, struct str bytes)
{
    if (bytes.p == NULL) {
        json_put_null(out, name);
        return;
    }
    begin(out, name);
    buf_char(out, '"');
    text_base64(out, bytes);
    buf_char(out, '"');
}

void json_put_number(struct buf *out, const char *name, int64_t number)
{
    begin(out, name);
    buf_i64(out, number);
}

void json_put_known(struct buf *out, const char *name, int64_t number)
{
    if (number < 0)
        json_put_null(out, name);
    else
        json_put_number(out, name, number);
}

void json_put_real(struct buf *out, const char *name, double real, int places)
{
    begin(out, name);
    buf_printf(out, "%.*f", places, real);
}

void json_put_seconds(struct buf *out, const char *name, int64_t ms)
{
    if (ms < 0) {
        json_put_null(out, name);
        return;
    }
    begin(out, name);
    buf_printf(out, "%" PRId64 ".%03" PRId64, ms / 1000, ms % 1000);
}

void json_put_bool(struct buf *out, const char *name, bool is)
{
    begin(out, name);
    buf_text(out, is ? "true" : "false");
}

void json_put_null(struct buf *out, const char *name)
{
    begin(out, name);
    buf_text(out, "null");
}

void json_put_raw(struct buf *out, const char *name, struct str json)
{
    begin(out, name);
    buf_str(out, json);
}

void json_put_name(struct buf *out, struct str name)
{
    begin(out, NULL);
    text_json(out, name);
    buf_char(out, ':');
}
