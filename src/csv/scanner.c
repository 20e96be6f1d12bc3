// SPDX-License-Identifier: Apache-2.0
#include "csv/scanner.h"

#include "base/byte_mask.h"

static const struct byte_set special = {',', '"', '\r', '\n'};

// Walks from one special byte to the next.
struct cursor {
    struct str bytes;
    size_t base;   // where the current word begins
    size_t next;   // where the next one does
    uint64_t hits; // special bytes of the current word that were not taken yet
    bool plain;
};

// Position of the next special byte, bytes.n when there is none.
static inline size_t next_hit(struct cursor *cursor)
{
    while (cursor->hits == 0) {
        size_t left = cursor->bytes.n - cursor->next;
        if (left == 0)
            return cursor->bytes.n;
        size_t n = left < BYTE_MASK_MAX ? left : BYTE_MASK_MAX;
        cursor->base = cursor->next;
        cursor->next += n;
        cursor->hits =
            byte_mask(cursor->bytes.p + cursor->base, n, special, &cursor->plain);
    }
    size_t at = cursor->base + (size_t)__builtin_ctzll(cursor->hits);
    cursor->hits &= cursor->hits - 1;
    return at;
}

// Blanks and tabs up to a delimiter or the end.
COLD static bool are_blanks(struct str bytes, size_t from, size_t to)
{
    while (from < to && (bytes.p[from] == ' ' || bytes.p[from] == '\t'))
        from++;
    return from == to && (to == bytes.n || bytes.p[to] != '"');
}

// Finds the closing quote; *at goes from the opening one to the delimiter.
static enum csv_scan scan_quoted(struct cursor *cursor, bool at_end, size_t *at,
                                 struct csv_field *field, size_t *n_breaks)
{
    struct str bytes = cursor->bytes;
    size_t start = *at + 1;
    *field = (struct csv_field){.p = bytes.p + start, .quoted = true};
    for (;;) {
        size_t hit = next_hit(cursor);
        if (hit == bytes.n)
            return at_end ? CSV_UNCLOSED : CSV_MORE;
        if (bytes.p[hit] == '\n')
            ++*n_breaks;
        if (bytes.p[hit] != '"')
            continue;
        if (hit + 1 == bytes.n && !at_end)
            return CSV_MORE; // it may be doubled
        field->n = (uint32_t)(hit - start);
        *at = next_hit(cursor);
        if (*at != hit + 1)
            return are_blanks(bytes, hit + 1, *at) ? CSV_LINE : CSV_AFTER_QUOTE;
        if (*at == bytes.n || bytes.p[*at] != '"')
            return CSV_LINE;
        field->doubled = true;
    }
}

// Scans a field with a quote at *at, which goes on to the delimiter. A quote that is not
// the first byte is data.
NOINLINE static enum csv_scan scan_quote(struct cursor *cursor, size_t start, bool at_end,
                                         size_t *at, struct csv_field *field,
                                         size_t *n_breaks)
{
    struct str bytes = cursor->bytes;
    if (*at == start)
        return scan_quoted(cursor, at_end, at, field, n_breaks);
    while (*at < bytes.n && bytes.p[*at] == '"')
        *at = next_hit(cursor);
    *field = (struct csv_field){.p = bytes.p + start, .n = (uint32_t)(*at - start)};
    return CSV_LINE;
}

// A CR at `at` that no line feed follows at once.
COLD static enum csv_scan stray_cr(struct str bytes, size_t at, bool at_end)
{
    size_t next = at + 1;
    while (next < bytes.n && bytes.p[next] == '\r')
        next++;
    if (next == bytes.n && next > at + 1 && !at_end)
        return CSV_MORE;
    bool ends = next < bytes.n && next > at + 1 && bytes.p[next] == '\n';
    return ends ? CSV_CR_CR_LF : CSV_STRAY_CR;
}

// `at` is the delimiter after the last field.
static enum csv_scan end_line(struct str bytes, size_t at, bool at_end,
                              struct csv_line *line)
{
    line->size = at + 1;
    if (at < bytes.n && bytes.p[at] == '\n') {
        line->n_breaks++;
        return CSV_LINE;
    }
    if (at + 1 < bytes.n && bytes.p[at + 1] == '\n') {
        line->size = at + 2;
        line->n_breaks++;
        return CSV_LINE;
    }
    if (at + 1 < bytes.n) {
        line->n--; // the CR is in the last field
        return stray_cr(bytes, at, at_end);
    }
    line->size = bytes.n;
    return at_end ? CSV_LINE : CSV_MORE;
}

enum csv_scan csv_scan(struct str bytes, bool at_end, struct csv_line *line)
{
    struct cursor cursor = {.bytes = bytes, .plain = true};
    enum csv_scan scan = CSV_LINE;
    size_t n = 0;
    size_t n_breaks = 0;
    size_t start = 0;
    size_t at;
    line->has_quotes = false;
    for (;;) {
        at = next_hit(&cursor);
        struct csv_field field = {.p = bytes.p + start, .n = (uint32_t)(at - start)};
        if (UNLIKELY(at < bytes.n && bytes.p[at] == '"')) {
            struct csv_field found; // not `field`, which stays in registers
            size_t end = at;
            line->has_quotes = true;
            scan = scan_quote(&cursor, start, at_end, &end, &found, &n_breaks);
            if (scan != CSV_LINE)
                break;
            at = end;
            field = found;
        }
        if (LIKELY(n < line->capacity))
            line->fields[n] = field;
        n++;
        if (at == bytes.n || bytes.p[at] != ',')
            break;
        start = at + 1;
    }
    line->n = n;
    line->n_breaks = n_breaks;
    line->plain = cursor.plain;
    return LIKELY(scan == CSV_LINE) ? end_line(bytes, at, at_end, line) : scan;
}

size_t csv_physical_line(struct str bytes)
{
    const char *end = bytes.n ? memchr(bytes.p, '\n', bytes.n) : NULL;
    return end ? (size_t)(end - bytes.p) + 1 : bytes.n;
}

struct str csv_text(struct csv_field field, struct arena *arena)
{
    if (LIKELY(!field.doubled))
        return csv_raw(field);
    char *text = arena_alloc(arena, field.n);
    size_t n = 0;
    for (size_t i = 0; i < field.n; i++) {
        text[n++] = field.p[i];
        i += field.p[i] == '"'; // a quote in here is the first of two
    }
    return (struct str){text, n};
}

bool csv_is_blank(struct str text)
{
    size_t i = 0;
    while (i < text.n && (text.p[i] == ' ' || (text.p[i] >= '\t' && text.p[i] <= '\r') ||
                          text.p[i] == '\x1A'))
        i++;
    return i == text.n;
}

bool csv_line_has_empty_tail(const struct csv_line *line, size_t n, struct str bytes)
{
    if (line->n <= n || line->fields[n].quoted)
        return false;
    size_t i = (size_t)(line->fields[n].p - bytes.p);
    while (i < line->size && (bytes.p[i] == ',' || bytes.p[i] == ' ' ||
                              (bytes.p[i] >= '\t' && bytes.p[i] <= '\r')))
        i++;
    return i == line->size;
}

const char *csv_no_text(struct str bytes)
{
    static const struct {
        const char *magic, *text;
    } known[] = {
#define UTF16 "UTF-16, not UTF-8; convert it first, for example: iconv -f UTF-16 -t UTF-8"
        {"\xFF\xFE", UTF16},
        {"\xFE\xFF", UTF16},
#undef UTF16
        {"\x1F\x8B", "packed by gzip; unpack it first: gunzip"},
        {"PK\x03\x04", "a zip; unpack it first: unzip"},
        {"\x28\xB5\x2F\xFD", "packed by zstd; unpack it first: unzstd"},
        {"\xFD\x37zXZ", "packed by xz; unpack it first: unxz"},
        {"Obj\x01", "an Avro container file; that is format = 'avro'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_starts_with(bytes, known[i].magic))
            return known[i].text;
    bool is_bzip2 = bytes.n >= CSV_MAGIC_MAX && memcmp(bytes.p, "BZh", 3) == 0 &&
                    memcmp(bytes.p + 4, "1AY&SY", 6) == 0;
    return is_bzip2 ? "packed by bzip2; unpack it first: bunzip2" : NULL;
}
