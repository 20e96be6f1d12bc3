// SPDX-License-Identifier: Apache-2.0
#include "sql/variables.h"

#include <stdlib.h>

#include "sql/lex.h"

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.n > 0;
}

static bool find(const struct script *script, struct arena *arena, struct str name,
                 struct expansion *ret)
{
    for (size_t i = 0; i < script->n_variables; i++) {
        if (str_eq(script->variables[i].name, name)) {
            bool from_set = script->variables[i].from_set;
            *ret = (struct expansion){script->variables[i].value, from_set, !from_set};
            return true;
        }
    }
    const char *value = getenv(arena_cstr(arena, name));
    *ret = (struct expansion){.text = str_of(value), .from_outside = true};
    return value != NULL;
}

static bool append_value(const struct script *script, struct report *report, size_t at,
                         struct str name, struct buf *out, struct expansion *ret)
{
    if (!is_name(name)) {
        report_error(report, at, "'${%.*s}' is not a variable", STR_ARGS(name));
        report_hint(report, "write ${NAME} with letters, digits and _, or $${ for the "
                            "characters ${");
        return false;
    }
    struct expansion value;
    if (!find(script, report->arena, name, &value)) {
        report_error(report, at, "variable '%.*s' has no value", STR_ARGS(name));
        report_hint(report, "give --set %.*s=..., or set it in the environment",
                    STR_ARGS(name));
        return false;
    }
    if (str_utf8_valid(value.text) != value.text.n) {
        report_error(report, at, "the value of variable '%.*s' is not UTF-8 text",
                     STR_ARGS(name));
        return false;
    }
    ret->from_set |= value.from_set;
    ret->from_outside |= value.from_outside;
    buf_str(out, value.text);
    return true;
}

// One piece of the literal: a variable, an escape, or a character. Returns its bytes, 0
// after an error.
static size_t expand_piece(const struct script *script, struct report *report, size_t at,
                           struct str rest, struct buf *out, struct expansion *ret)
{
    if (str_starts_with(rest, "$${")) {
        buf_text(out, "${");
        return 3;
    }
    if (!str_starts_with(rest, "${")) {
        buf_char(out, rest.p[0]);
        return 1;
    }
    const char *end = memchr(rest.p, '}', rest.n);
    if (end == NULL) {
        report_error(report, at, "'${' is not closed by '}'");
        report_hint(report, "write $${ for the characters ${");
        return 0;
    }
    struct str name = {rest.p + 2, (size_t)(end - rest.p) - 2};
    return append_value(script, report, at, name, out, ret) ? name.n + 3 : 0;
}

bool variables_expand(const struct script *script, struct report *report, size_t at,
                      struct str literal, struct expansion *ret)
{
    AUTO(buf_release) struct buf out = {0};
    *ret = (struct expansion){0};
    for (size_t i = 0; i < literal.n;) {
        struct str rest = {literal.p + i, literal.n - i};
        size_t n = expand_piece(script, report, at, rest, &out, ret);
        if (n == 0)
            return false;
        i += n;
    }
    ret->text = arena_str(report->arena, buf_as_str(&out));
    return true;
}

// The name of the first variable of a literal, which is cut; p == NULL: there is none.
static struct str next_name(struct str *literal)
{
    while (literal->n > 0) {
        const char *at = memmem(literal->p, literal->n, "${", 2);
        if (at == NULL)
            break;
        bool is_plain = at > literal->p && at[-1] == '$'; // "$${"
        *literal = (struct str){at + 2, literal->n - (size_t)(at + 2 - literal->p)};
        struct str rest = *literal, name = str_cut(&rest, '}');
        if (!is_plain && rest.p != NULL && is_name(name))
            return name;
    }
    return (struct str){0};
}

static bool has(const struct str *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

struct str *variables_used(struct str text, struct arena *arena, size_t *ret_n)
{
    struct str *names = NULL;
    size_t n = 0, capacity = 0;
    for (struct token token = lex_next(text, 0); token.kind != TOKEN_END;
         token = lex_next(text, token.end)) {
        struct str literal = token_text(text, token);
        for (struct str name;
             token.kind == TOKEN_STRING && (name = next_name(&literal)).p != NULL;) {
            if (has(names, n, name))
                continue;
            MEM_GROW(names, n, capacity);
            names[n++] = arena_str(arena, name);
        }
    }
    struct str *ret = arena_array(arena, n, sizeof(*ret));
    for (size_t i = 0; i < n; i++)
        ret[i] = names[i];
    free(names);
    *ret_n = n;
    return ret;
}
