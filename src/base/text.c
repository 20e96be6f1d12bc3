// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

void text_base64(struct buf *buf, struct str bytes)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
        unsigned char in[3] = {0};
        memcpy(in, bytes.p + i, n);
        char out[4] = {
            letters[in[0] >> 2],
            letters[(in[0] & 3) << 4 | in[1] >> 4],
            n > 1 ? letters[(in[1] & 15) << 2 | in[2] >> 6] : '=',
            n > 2 ? letters[in[2] & 63] : '=',
        };
        buf_append(buf, out, 4);
    }
}

static const char replacement[] = "\xEF\xBF\xBD"; // U+FFFD

void text_utf8(struct buf *buf, struct str name)
{
    while (name.n > 0) {
        size_t n = str_utf8_valid(name);
        const char *mark = n ? memmem(name.p, n, replacement, 3) : NULL;
        if (mark != NULL)
            n = (size_t)(mark - name.p);
        buf_append(buf, name.p, n);
        if (n < name.n)
            buf_printf(buf, "%s%02X", replacement, (unsigned char)name.p[n++]);
        name = (struct str){name.p + n, name.n - n};
    }
}

// A run of good UTF-8 without a NUL byte.
static void json_letters(struct buf *buf, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            buf_char(buf, '\\');
        if (c < 0x20)
            buf_printf(buf, "\\u%04x", c);
        else
            buf_char(buf, (char)c);
    }
}

void text_json(struct buf *buf, struct str text)
{
    buf_char(buf, '"');
    while (text.n > 0) {
        size_t n = str_utf8_valid(text);
        json_letters(buf, (struct str){text.p, n});
        if (n < text.n) {
            buf_text(buf, replacement);
            n++;
        }
        text = (struct str){text.p + n, text.n - n};
    }
    buf_char(buf, '"');
}
