// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <time.h>

enum {
    RING = 16,
    RING_TEXT = 64,
    ESCAPE_MAX = 8 // bytes of "\u202e" and its end
};

// The first character; *ret_n is its bytes. What is not UTF-8 is one byte, and false.
static bool first_character(struct str text, unsigned *ret, size_t *ret_n)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t n = p[0] < 0x80 ? 1 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    bool is_good =
        n <= text.n && (p[0] == 0 || str_utf8_valid((struct str){text.p, n}) == n);
    *ret_n = is_good ? n : 1;
    *ret = n == 1 || !is_good ? p[0] : p[0] & (0x7FU >> n);
    for (size_t i = 1; i < *ret_n; i++)
        *ret = *ret << 6 | (p[i] & 0x3F);
    return is_good;
}

// Control characters, separators of lines, and what turns the direction of writing.
static bool is_hidden(unsigned c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E ||
           c == 0x200F || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) ||
           c == 0xFEFF;
}

static size_t escape(unsigned c, bool is_character, char ret[ESCAPE_MAX])
{
    static const char letters[] = "\tt\nn\rr";
    for (size_t i = 0; is_character && i + 1 < sizeof(letters); i += 2)
        if (c == (unsigned char)letters[i])
            return (size_t)snprintf(ret, ESCAPE_MAX, "\\%c", letters[i + 1]);
    return (size_t)snprintf(ret, ESCAPE_MAX,
                            c < 0x80 || !is_character ? "\\x%02x" : "\\u%04x", c);
}

size_t text_visible(struct str text, char *ret, size_t room)
{
    size_t used = 0;
    while (text.n > 0) {
        unsigned c;
        size_t n;
        char escaped[ESCAPE_MAX];
        bool is_character = first_character(text, &c, &n);
        bool is_plain = is_character && !is_hidden(c);
        size_t n_written = is_plain ? n : escape(c, is_character, escaped);
        if (n_written > room - used)
            break;
        memcpy(ret + used, is_plain ? text.p : escaped, n_written);
        used += n_written;
        text = (struct str){text.p + n, text.n - n};
    }
    return used;
}

void text_base64(struct buf *buf, struct str bytes)
{
    enum {
        PIECE = 3 << 10 // a whole number of threes: no padding within
    };
    while (bytes.n > 0) {
        unsigned char text[PIECE / 3 * 4 + 1];
        size_t n = bytes.n < PIECE ? bytes.n : PIECE;
        int n_text = EVP_EncodeBlock(text, (const unsigned char *)bytes.p, (int)n);
        buf_append(buf, text, (size_t)n_text);
        bytes = (struct str){bytes.p + n, bytes.n - n};
    }
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool text_base64_decode(struct buf *buf, struct str text)
{
    if (text.n % 4 != 0)
        return false;
    for (size_t i = 0; i < text.n; i += 4) {
        int digits[4], n = 4;
        bool is_last = i + 4 == text.n;
        while (is_last && n > 2 && text.p[i + (size_t)n - 1] == '=')
            n--;
        for (int d = 0; d < 4; d++)
            digits[d] = d < n ? base64_digit(text.p[i + (size_t)d]) : 0;
        if (digits[0] < 0 || digits[1] < 0 || digits[2] < 0 || digits[3] < 0)
            return false;
        const char bytes[3] = {(char)(digits[0] << 2 | digits[1] >> 4),
                               (char)(digits[1] << 4 | digits[2] >> 2),
                               (char)(digits[2] << 6 | digits[3])};
        buf_append(buf, bytes, (size_t)n - 1);
    }
    return !buf->full;
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

// Where the login before text[at], an '@', begins, not before text[floor]; `at` when
// there is none.
static size_t login_before(const char *text, size_t floor, size_t at)
{
    size_t from = at;
    while (from > floor && strchr(" \t\n'\"(,<=", text[from - 1]) == NULL)
        from--;
    bool is_url = false;
    for (size_t i = from; i + 1 < at; i++) // behind its scheme: "://", ":/", "//"
        if (text[i + 1] == '/' && (text[i] == ':' || text[i] == '/')) {
            from = i + (text[i] == ':' && text[i + 2] == '/' ? 3 : 2);
            is_url = true;
        }
    bool is_token = is_url && from < at && memchr(text + from, '/', at - from) == NULL;
    return is_token || memchr(text + from, ':', at - from) != NULL ? from : at;
}

// A password may hold an '@', too: the last one before the host's end.
static size_t last_sign(const char *text, size_t at)
{
    for (size_t i = at + 1;
         text[i] != '\0' && strchr("/?# \t\n'\"(),<=", text[i]) == NULL; i++)
        if (text[i] == '@')
            at = i;
    return at;
}

// The first login behind text[floor]: text[*ret_from .. *ret_at), before an '@'.
static bool find_login(const char *text, size_t floor, size_t *ret_from, size_t *ret_at)
{
    for (const char *sign = strchr(text + floor, '@'); sign != NULL;
         sign = strchr(text + floor, '@')) {
        size_t at = (size_t)(sign - text);
        *ret_from = login_before(text, floor, at);
        if (*ret_from < at) {
            *ret_at = last_sign(text, at);
            return true;
        }
        floor = at + 1;
    }
    return false;
}

// False: there was nothing left to hide.
static bool hide_once(char *text)
{
    static const char stars[] = "***";
    bool is_changed = false;
    size_t from, at;
    for (size_t floor = 0; find_login(text, floor, &from, &at); floor = from) {
        size_t n_stars = at - from < sizeof(stars) - 1 ? at - from : sizeof(stars) - 1;
        is_changed =
            is_changed || at - from > n_stars || memcmp(text + from, stars, n_stars) != 0;
        memcpy(text + from, stars, n_stars);
        memmove(text + from + n_stars, text + at, strlen(text + at) + 1);
        from += n_stars + 1;
    }
    return is_changed;
}

// Stars may stand before what is then a part of the same login.
void text_hide_logins(char *text)
{
    while (hide_once(text))
        continue;
}

void text_star_logins(char *text)
{
    size_t from, at;
    for (size_t floor = 0; find_login(text, floor, &from, &at); floor = at + 1)
        memset(text + from, '*', at - from);
}

void text_put_visible(struct buf *buf, struct str text)
{
    size_t most = text.n * TEXT_GROWTH;
    char *room = most > 0 ? buf_room(buf, most) : NULL;
    if (room != NULL)
        buf->n += text_visible(text, room, most);
}

// A run of good UTF-8 without a NUL byte.
static void json_letters(struct buf *buf, struct str text)
{
    while (text.n > 0) {
        unsigned c;
        size_t n;
        (void)first_character(text, &c, &n);
        if (c == '"' || c == '\\')
            buf_char(buf, '\\');
        if (is_hidden(c))
            buf_printf(buf, "\\u%04x", c);
        else
            buf_append(buf, text.p, n);
        text = (struct str){text.p + n, text.n - n};
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

// Numbers.

static _Thread_local char ring[RING][RING_TEXT];
static _Thread_local unsigned ring_at;

static char *next_text(void)
{
    return ring[ring_at++ % RING];
}

const char *text_count(int64_t n)
{
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%lld", (long long)n);
    char *text = next_text();
    int at = 0;
    for (int i = 0; i < length; i++) {
        text[at++] = digits[i];
        int left = length - 1 - i;
        if (left > 0 && left % 3 == 0 && digits[i] != '-')
            text[at++] = ',';
    }
    text[at] = '\0';
    return text;
}

const char *text_counted(int64_t n, const char *one, const char *many)
{
    const char *count = text_count(n);
    char *text = next_text();
    snprintf(text, RING_TEXT, "%s %s", count, n == 1 ? one : many);
    return text;
}

const char *text_bytes(int64_t n)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double size = (double)n;
    size_t unit = 0;
    for (; size >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
        size /= 1024;
    char *text = next_text();
    snprintf(text, RING_TEXT, unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
    return text;
}

const char *text_seconds(int64_t ms)
{
    char *text = next_text();
    snprintf(text, RING_TEXT, "%lld.%lld s", (long long)(ms / 1000),
             (long long)(ms % 1000 / 100));
    return text;
}

struct str text_time(int64_t ms, char ret[TEXT_TIME_MAX])
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t n = strftime(ret, TEXT_TIME_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    n += (size_t)snprintf(ret + n, TEXT_TIME_MAX - n, ".%03dZ", (int)(ms % 1000));
    return (struct str){ret, n};
}

void text_quoted(struct buf *out, struct str s, char quote)
{
    buf_char(out, quote);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == quote)
            buf_char(out, quote);
        buf_char(out, s.p[i]);
    }
    buf_char(out, quote);
}
