// SPDX-License-Identifier: Apache-2.0
// Cuts bytes into CSV records and fields (RFC 4180), without copying.
//
// A record ends with LF or CR LF, or with the bytes (then also with CR). A quote opens a
// quoted field only as its first byte; elsewhere it is data, as other readers have it.
// Commas, line breaks and doubled quotes inside quotes are data; blanks and tabs between
// a closing quote and the delimiter are passed. Pure; any thread.
#ifndef CSV_SCANNER_H
#define CSV_SCANNER_H

#include "base/arena.h"
#include "base/str.h"

enum {
    CSV_SEPARATOR = ',',
    CSV_RECORD_MAX = 16 << 20 // bytes; so an unclosed quote cannot eat memory
};

struct csv_field {
    const char *p; // without the outer quotes
    uint32_t n;
    bool quoted;
    bool doubled; // holds doubled quotes: see csv_text
};

enum csv_scan {
    CSV_LINE,        // a whole record
    CSV_MORE,        // the bytes end inside of it (never with at_end)
    CSV_UNCLOSED,    // a quote was opened and the bytes are over
    CSV_AFTER_QUOTE, // a closing quote is followed by neither comma nor line end
    CSV_STRAY_CR,    // CR outside quotes that is not part of a line end
    CSV_CR_CR_LF,    // a line end with a CR too many, as of a text file converted twice
    CSV_TOO_LONG,    // longer than CSV_RECORD_MAX (by csv/window.h, not by csv_scan)
};

struct csv_line {
    struct csv_field *fields; // the caller's, at least one
    size_t capacity;
    size_t n;        // fields, also those past the capacity; on an error those before it
    size_t size;     // bytes with the line end
    size_t n_breaks; // line feeds among them
    bool plain;      // surely ASCII without NUL, all of it: no need to check for UTF-8
    bool has_quotes; // anywhere
};

// Scans the record at the front of bytes (at most CSV_RECORD_MAX of them, at least one).
// at_end: no more bytes will follow. Set line->fields and capacity before; the rest is
// set here.
enum csv_scan csv_scan(struct str bytes, bool at_end, struct csv_line *line);

// Nothing but white space and Ctrl-Z, which ends a text file of DOS. Also when n is 0.
bool csv_is_blank(struct str text);

static inline bool csv_line_is_blank(const struct csv_line *line)
{
    const struct csv_field *first = &line->fields[0];
    return line->n == 1 && !first->quoted &&
           csv_is_blank((struct str){first->p, first->n});
}

// Whether a whole line of `bytes` has more than n fields and all beyond them are empty,
// as where each line ends with commas. fields[n] must have been stored.
bool csv_line_has_empty_tail(const struct csv_line *line, size_t n, struct str bytes);

// Bytes of the physical line at the front, its line feed too: where to go on after an
// error.
size_t csv_physical_line(struct str bytes);

static inline struct str csv_raw(struct csv_field field)
{
    return (struct str){field.p, field.n};
}

// The field's text with doubled quotes made single; only those are copied to the arena.
struct str csv_text(struct csv_field field, struct arena *arena);

// 3 when the bytes begin with the UTF-8 byte order mark, else 0.
static inline size_t csv_bom(struct str bytes)
{
    return bytes.n >= 3 && memcmp(bytes.p, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

// What bytes are that begin as no CSV does, and how to make it: "UTF-16, not UTF-8; ...".
// NULL when there is nothing to say. CSV_MAGIC_MAX bytes are enough to tell.
const char *csv_no_text(struct str bytes);
enum {
    CSV_MAGIC_MAX = 10
};

#endif
