// SPDX-License-Identifier: Apache-2.0
#include "sql/parse.h"

#include <assert.h>
#include <pg_query.h>

#include "sql/lex.h"
#include "sql/tree.h"

enum {
    // PostgreSQL cuts longer names without a word.
    NAME_BYTES_MAX = 63,
    // The parser's printer recurses: 100,000 operators overflow the stack.
    STATEMENT_TOKENS_MAX = 20000,
    SCRIPT_BYTES_MAX = 4 << 20,
    MESSAGE_BYTES_MAX = 120,
};

// Bytes of the name that a token writes: doubled quotes are one.
static size_t name_bytes(struct str token, bool quoted)
{
    if (!quoted)
        return token.n;
    size_t n = token.n >= 2 ? token.n - 2 : 0;
    for (size_t i = 1; i + 2 < token.n; i++) {
        if (token.p[i] == '"' && token.p[i + 1] == '"') {
            n--;
            i++;
        }
    }
    return n;
}

static bool check_name(struct report *report, struct token token)
{
    struct str name = token_text(report->text, token);
    size_t n = name_bytes(name, token.kind == TOKEN_QUOTED);
    if (n > NAME_BYTES_MAX) {
        report_error(report, token.start, "this name has %zu bytes, the most is %d", n,
                     NAME_BYTES_MAX);
        report_hint(report, "write a shorter name");
        return false;
    }
    if (token.kind == TOKEN_QUOTED && memmem(name.p, name.n, "${", 2) != NULL) {
        report_error(report, token.start, "a variable cannot be a name");
        report_hint(report, "variables stand in string literals only: '${NAME}'");
        return false;
    }
    return true;
}

// Digits and a name without a blank between: PostgreSQL 16's parser reads 0x1F and 1_000,
// others do not.
static bool check_number(struct report *report, struct token token)
{
    struct token next = lex_next(report->text, token.end);
    if (next.kind != TOKEN_NAME || next.start != token.end)
        return true;
    report_error(report, token.start, "'%.*s' is not a number",
                 (int)(next.end - token.start), report->text.p + token.start);
    report_hint(report, "write it in digits, as 31, 0.5 or 1e6");
    return false;
}

// What the parser would not say, or could not bear, or says by its version.
static bool check_tokens(struct report *report, size_t from, size_t to)
{
    bool good = true;
    size_t n = 0;
    struct token token = lex_next(report->text, from);
    while (token.kind != TOKEN_END && token.start < to) {
        if (token.kind == TOKEN_NAME || token.kind == TOKEN_QUOTED)
            good &= check_name(report, token);
        if (token.kind == TOKEN_NUMBER)
            good &= check_number(report, token);
        if (str_starts_with((struct str){report->text.p + token.start, to - token.start},
                            "${")) {
            report_error(report, token.start,
                         "a variable stands outside a string literal");
            report_hint(report, "variables stand in string literals only: '${NAME}'; "
                                "is a ' missing above?");
            return false;
        }
        n += report->text.p[token.start] != ',';
        token = lex_next(report->text, token.end);
    }
    if (n > STATEMENT_TOKENS_MAX) {
        report_error(report, lex_next(report->text, from).start,
                     "this statement has %zu words and signs, the most is %d", n,
                     STATEMENT_TOKENS_MAX);
        report_hint(report, "split it into views");
        good = false;
    }
    return good;
}

// The parser counts characters, from 1.
static size_t byte_of_character(struct str text, size_t from, int character)
{
    size_t at = from;
    for (int n = 1; n < character && at < text.n; n++) {
        at++;
        while (at < text.n && (text.p[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

static bool is_one_of(struct str word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(word, str_of(words[i])))
            return true;
    return false;
}

static bool begins_line(struct str text, size_t at)
{
    while (at > 0 && (text.p[at - 1] == ' ' || text.p[at - 1] == '\t'))
        at--;
    return at == 0 || text.p[at - 1] == '\n';
}

static struct token token_before(struct str text, size_t from, size_t at)
{
    struct token before = {0}, token = lex_next(text, from);
    while (token.kind != TOKEN_END && token.start < at) {
        before = token;
        token = lex_next(text, token.end);
    }
    return before;
}

// Whether the statement is good with the word as a quoted name.
static bool is_good_quoted(const struct report *report, size_t from, size_t to,
                           struct token word)
{
    struct str text = report->text;
    char *quoted =
        arena_printf(report->arena, "%.*s\"%.*s\"%.*s", (int)(word.start - from),
                     text.p + from, (int)(word.end - word.start), text.p + word.start,
                     (int)(to - word.end), text.p + word.end);
    PgQueryParseResult parsed = pg_query_parse(quoted);
    bool good = parsed.error == NULL;
    pg_query_free_parse_result(parsed);
    return good;
}

// What may be wrong at `at` in the statement [from, to).
static void syntax_hint(struct report *report, size_t from, size_t to, size_t at)
{
    static const char *const beginnings[] = {"CREATE", "INSERT", "SET"};
    static const char *const clauses[] = {"FROM", "WHERE", "HAVING", "LIMIT", "UNION"};
    struct str text = report->text;
    struct token token = lex_next(text, at);
    struct token before = token_before(text, from, at);
    struct str word = token_text(text, token);
    struct str next = token_text(text, lex_next(text, token.end));
    bool is_clause = is_one_of(word, clauses, ARRAY_LEN(clauses)) ||
                     str_eq_nocase(next, STR_LITERAL("BY"));
    if (before.end > 0 && begins_line(text, at) &&
        is_one_of(word, beginnings, ARRAY_LEN(beginnings)))
        report_hint(report, "end the statement before it with ;");
    else if (before.end > 0 && text.p[before.start] == ',' &&
             (is_clause || str_is(word, ")")))
        report_hint(report, "leave out the comma before it");
    else if (token.kind == TOKEN_NAME && token.end <= to &&
             is_good_quoted(report, from, to, token))
        report_hint(report, "a word of SQL is not a name; quoted it is: \"%.*s\"",
                    STR_ARGS(word));
    else
        report_hint(report, "tramline help sql shows how statements are written");
}

static void syntax_error(struct report *report, size_t from, size_t to,
                         const PgQueryError *error)
{
    size_t at = byte_of_character(report->text, from, error->cursorpos);
    // It quotes what it stopped at, which may be all of the rest.
    struct str message = str_of(error->message);
    struct str line = str_cut(&message, '\n');
    bool cut = message.p != NULL || line.n > MESSAGE_BYTES_MAX;
    if (error->cursorpos <= 0)
        at = lex_next(report->text, from).start;
    report_error(report, at, "%.*s%s",
                 (int)(cut && line.n > MESSAGE_BYTES_MAX ? MESSAGE_BYTES_MAX : line.n),
                 line.p, cut ? "...\"" : "");
    if (strstr(error->message, "subquery in FROM must have an alias") != NULL)
        report_hint(report, "write (SELECT ...) AS name");
    else if (strncmp(error->message, "unterminated", 12) == 0)
        report_hint(report, "it begins here, and its end is missing");
    else
        syntax_hint(report, from, to, at);
}

static bool translate(struct tree *tree, const char *json_text, struct statement *ret)
{
    json_error_t json_error;
    json_t *json = json_loads(json_text, 0, &json_error);
    if (json == NULL) {
        // It goes 2048 levels deep.
        report_error(tree->report, ret->at, "this statement is nested too deeply");
        report_hint(tree->report, "split it into views");
        return false;
    }
    const json_t *stmts = tree_field(json, "stmts");
    assert(json_array_size(stmts) == 1);
    bool good = tree_statement(tree, tree_field(json_array_get(stmts, 0), "stmt"), ret);
    json_decref(json);
    return good;
}

static bool parse_statement(const struct script *script, struct report *report,
                            size_t from, size_t to, struct statement *ret)
{
    ret->at = lex_next(report->text, from).start;
    if (!check_tokens(report, from, to))
        return false;
    char *text =
        arena_cstr(report->arena, (struct str){report->text.p + from, to - from});
    PgQueryParseResult parsed = pg_query_parse(text);
    bool good = parsed.error == NULL;
    if (!good)
        syntax_error(report, from, to, parsed.error);
    struct tree tree = {script, report, from, ret->at};
    if (good)
        good = translate(&tree, parsed.parse_tree, ret);
    pg_query_free_parse_result(parsed);
    return good;
}

static bool check_text(struct report *report)
{
    size_t good = str_utf8_valid(report->text);
    if (good < report->text.n) {
        report_error(report, good, "the script is not UTF-8 text here");
        bool utf16 = str_starts_with(report->text, "\xFF\xFE") ||
                     str_starts_with(report->text, "\xFE\xFF");
        report_hint(report, utf16 ? "it is UTF-16: iconv -f UTF-16 -t UTF-8 converts it"
                                  : "save it as UTF-8");
        return false;
    }
    if (report->text.n > SCRIPT_BYTES_MAX) {
        report_error(report, NOWHERE, "the script has more than %d bytes",
                     SCRIPT_BYTES_MAX);
        report_hint(report, "leave out what its INSERT does not read");
        return false;
    }
    return true;
}

// End of the statement at `from`: its semicolon, or the end of the text. libpg_query's
// own pg_query_split_with_scanner drops statements that hold no keyword, without a word.
static size_t statement_end(struct str text, size_t from)
{
    struct token token = lex_next(text, from);
    while (token.kind != TOKEN_END && text.p[token.start] != ';')
        token = lex_next(text, token.end);
    return token.start;
}

static size_t count_statements(struct str text)
{
    size_t n = 0;
    for (size_t at = 0; at < text.n; n++)
        at = statement_end(text, at) + 1;
    return n;
}

void parse_script(const struct script *script, struct report *report,
                  struct statements *ret)
{
    *ret = (struct statements){.incomplete = !check_text(report)};
    if (ret->incomplete)
        return;
    struct str text = report->text;
    ret->items =
        arena_array(report->arena, count_statements(text) + 1, sizeof(struct statement));
    for (size_t at = 0; at < text.n;) {
        size_t end = statement_end(text, at);
        bool empty = lex_next(text, at).start == end;
        struct statement *statement = &ret->items[ret->n];
        *statement = (struct statement){0};
        if (!empty && parse_statement(script, report, at, end, statement))
            ret->n++;
        else
            ret->incomplete |= !empty;
        at = end + 1;
    }
}
