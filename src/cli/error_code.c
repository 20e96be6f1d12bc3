// SPDX-License-Identifier: Apache-2.0
#include "cli/error_code.h"

#include <ctype.h>
#include <stdio.h>
#include <unistd.h>

#include "base/json_put.h"
#include "base/text.h"

extern const char error_codes[]; // error_codes.txt, embedded by the build

enum {
    HEAD_CODE = 3,   // "TL1" stands for all that begin so
    LETTERS_MIN = 8, // of its own; a text with fewer names nothing
    LINE_MAX_BYTES = 16384
};

static bool next_code(struct str *rest, struct error_code *ret)
{
    while (rest->n > 0) {
        struct str line = str_cut(rest, '\n');
        struct str code = str_cut(&line, '\t');
        if (code.n == 0 || code.n >= ERROR_CODE_MAX || str_is(line, "gone"))
            continue;
        *ret = (struct error_code){.format = line};
        memcpy(ret->code, code.p, code.n);
        if (rest->n > 0 && rest->p[0] == '\t') {
            line = str_cut(rest, '\n');
            (void)str_cut(&line, '\t');
            ret->why = str_cut(&line, '\t');
            ret->way_out = line;
        }
        return true;
    }
    return false;
}

// Takes the conversion off that `format` begins with, "%-10.*s": false when it is "%%".
static bool skip_conversion(struct str *format)
{
    size_t n = 1;
    while (n < format->n && strchr("-+ #0123456789.*hlzjt", format->p[n]) != NULL)
        n++;
    n += n < format->n;
    bool is_percent = n == 2 && format->p[1] == '%';
    *format = (struct str){format->p + n, format->n - n};
    return !is_percent;
}

// The next piece of a format that stands in its texts as it is, unescaped.
static struct str next_piece(struct str *format, char *room, size_t size)
{
    size_t n = 0;
    while (format->n > 0 && n < size) {
        char c = format->p[0];
        if (c == '%') {
            if (skip_conversion(format))
                break;
            room[n++] = '%';
            continue;
        }
        size_t taken = 1;
        if (c == '\\' && format->n > 1) {
            c = format->p[1] == 'n' ? '\n' : format->p[1] == 't' ? '\t' : format->p[1];
            taken = 2;
        }
        room[n++] = c;
        *format = (struct str){format->p + taken, format->n - taken};
    }
    return (struct str){room, n};
}

// How many letters of the format's own the text has, in its order; 0: not all of them.
static size_t likeness(struct str format, struct str text)
{
    char room[1024];
    size_t letters = 0;
    while (format.n > 0) {
        struct str piece = next_piece(&format, room, sizeof(room));
        if (piece.n == 0)
            continue;
        const char *at = text.n ? memmem(text.p, text.n, piece.p, piece.n) : NULL;
        if (at == NULL)
            return 0;
        size_t end = (size_t)(at - text.p) + piece.n;
        text = (struct str){text.p + end, text.n - end};
        for (size_t i = 0; i < piece.n; i++)
            letters += isalpha((unsigned char)piece.p[i]) != 0;
    }
    return letters;
}

bool error_code_find(struct str text, struct error_code *ret)
{
    struct str rest = str_of(error_codes);
    struct error_code code;
    size_t most = LETTERS_MIN - 1;
    while (next_code(&rest, &code)) {
        size_t letters = strlen(code.code) > HEAD_CODE ? likeness(code.format, text) : 0;
        if (letters > most) {
            most = letters;
            *ret = code;
        }
    }
    return most >= LETTERS_MIN;
}

bool error_code_get(const char *name, struct error_code *ret)
{
    struct str rest = str_of(error_codes);
    while (next_code(&rest, ret))
        if (strcasecmp(ret->code, name) == 0)
            return true;
    return false;
}

bool error_code_near(const char *name, struct error_code *ret)
{
    struct str rest = str_of(error_codes), digits = str_of(name);
    struct error_code code;
    int64_t asked, number, least = INT64_MAX;
    if (strncasecmp(name, "TL", 2) != 0)
        return false;
    digits = (struct str){digits.p + 2, digits.n - 2};
    if (!str_to_i64(digits, &asked) || asked < 0)
        return false;
    while (next_code(&rest, &code)) {
        if (strlen(code.code) <= HEAD_CODE || !str_to_i64(str_of(code.code + 2), &number))
            continue;
        int64_t apart = number > asked ? number - asked : asked - number;
        if (apart < least) {
            least = apart;
            *ret = code;
        }
    }
    return least < INT64_MAX;
}

struct str error_code_about(const struct error_code *code)
{
    struct error_code head = *code, found;
    head.code[HEAD_CODE] = '\0';
    return error_code_get(head.code, &found) ? found.format : (struct str){0};
}

// X of "did you mean X?"
static struct str suggestion_of(struct str text)
{
    static const char ask[] = "did you mean ";
    const char *at = text.n ? memmem(text.p, text.n, ask, strlen(ask)) : NULL;
    if (at == NULL)
        return (struct str){0};
    struct str rest = {at + strlen(ask), text.n - (size_t)(at + strlen(ask) - text.p)};
    return str_cut(&rest, '?');
}

static void put_text(struct buf *out, const char *name, struct str text)
{
    if (text.n > 0)
        json_put_text(out, name, text);
}

void error_line(struct buf *ret, const char *command, int exit_code, struct str text,
                struct str hint, const struct error_place *place)
{
    struct error_code code;
    json_put_open(ret, NULL, '{');
    json_put_text(ret, "level", str_of(exit_code == 0 ? "info" : "error"));
    put_text(ret, "command", str_of(command));
    if (text.n > 0 && error_code_find(text, &code))
        json_put_text(ret, "code", str_of(code.code));
    json_put_number(ret, "exit_code", exit_code);
    put_text(ret, "text", text);
    put_text(ret, "hint", hint);
    struct str suggestion = suggestion_of(hint.n ? hint : text);
    put_text(ret, "suggestion", suggestion.n ? suggestion : suggestion_of(text));
    if (place != NULL) {
        put_text(ret, "file", place->file);
        json_put_number(ret, "line", (int64_t)place->line);
        json_put_number(ret, "column", (int64_t)place->column);
        put_text(ret, "near", place->near);
    }
    json_put_close(ret, '}');
    buf_char(ret, '\n');
}

void error_line_print(const char *command, int exit_code, struct str text,
                      struct str hint, const struct error_place *place)
{
    AUTO(buf_release) struct buf line = BUF_INIT(LINE_MAX_BYTES * TEXT_GROWTH);
    error_line(&line, command, exit_code, text, hint, place);
    (void)!write(STDERR_FILENO, line.p, line.n);
}
