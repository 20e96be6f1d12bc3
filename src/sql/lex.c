// SPDX-License-Identifier: Apache-2.0
#include "sql/lex.h"

static char at(struct str text, size_t i)
{
    return i < text.n ? text.p[i] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           ((unsigned char)c & 0x80);
}

static bool is_name_part(char c)
{
    return is_name_start(c) || is_digit(c) || c == '$';
}

static size_t skip_line(struct str text, size_t i)
{
    while (i < text.n && text.p[i] != '\n')
        i++;
    return i;
}

// Block comments nest, as in PostgreSQL.
static size_t skip_block(struct str text, size_t i)
{
    size_t depth = 0;
    while (i < text.n) {
        bool opens = at(text, i) == '/' && at(text, i + 1) == '*';
        bool closes = at(text, i) == '*' && at(text, i + 1) == '/';
        i += opens || closes ? 2 : 1;
        depth += opens;
        if (closes && --depth == 0)
            return i;
    }
    return text.n;
}

static size_t skip_blank(struct str text, size_t i)
{
    for (;;) {
        char c = at(text, i);
        if (i < text.n && (c == ' ' || (c >= '\t' && c <= '\r')))
            i++;
        else if (c == '-' && at(text, i + 1) == '-')
            i = skip_line(text, i);
        else if (c == '/' && at(text, i + 1) == '*')
            i = skip_block(text, i);
        else
            return i;
    }
}

// Past the quote that closes what begins at `i`; doubled quotes do not close.
static size_t quoted_end(struct str text, size_t i, char quote, bool backslash)
{
    for (i++; i < text.n; i++) {
        if (backslash && text.p[i] == '\\')
            i++;
        else if (text.p[i] == quote && at(text, i + 1) == quote)
            i++;
        else if (text.p[i] == quote)
            return i + 1;
    }
    return text.n;
}

// End of the opening $tag$ at `i`, or `i` when it is none.
static size_t dollar_tag_end(struct str text, size_t i)
{
    size_t end = i + 1;
    if (is_digit(at(text, end)))
        return i;
    while (is_name_part(at(text, end)) && at(text, end) != '$')
        end++;
    return at(text, end) == '$' ? end + 1 : i;
}

static size_t dollar_quoted_end(struct str text, size_t i, size_t body)
{
    size_t n = body - i;
    for (size_t end = body; end + n <= text.n; end++)
        if (memcmp(text.p + end, text.p + i, n) == 0)
            return end + n;
    return text.n;
}

static size_t number_end(struct str text, size_t i)
{
    while (is_digit(at(text, i)) || at(text, i) == '.')
        i++;
    bool exponent = at(text, i) == 'e' || at(text, i) == 'E';
    size_t sign = i + 1 + (at(text, i + 1) == '-' || at(text, i + 1) == '+');
    if (!exponent || !is_digit(at(text, sign)))
        return i;
    while (is_digit(at(text, sign)))
        sign++;
    return sign;
}

static size_t name_end(struct str text, size_t i)
{
    while (i < text.n && is_name_part(text.p[i]))
        i++;
    return i;
}

struct token lex_next(struct str text, size_t from)
{
    size_t i = skip_blank(text, from);
    if (i >= text.n)
        return (struct token){TOKEN_END, text.n, text.n};
    char c = text.p[i];
    if (c == '\'')
        return (struct token){TOKEN_STRING, i, quoted_end(text, i, '\'', false)};
    if ((c == 'e' || c == 'E') && at(text, i + 1) == '\'')
        return (struct token){TOKEN_STRING, i, quoted_end(text, i + 1, '\'', true)};
    if (c == '"')
        return (struct token){TOKEN_QUOTED, i, quoted_end(text, i, '"', false)};
    if (c == '$' && dollar_tag_end(text, i) > i)
        return (struct token){TOKEN_STRING, i,
                              dollar_quoted_end(text, i, dollar_tag_end(text, i))};
    if (is_digit(c) || (c == '.' && is_digit(at(text, i + 1))))
        return (struct token){TOKEN_NUMBER, i, number_end(text, i)};
    if (is_name_start(c))
        return (struct token){TOKEN_NAME, i, name_end(text, i)};
    return (struct token){TOKEN_SIGN, i, i + 1};
}
