// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/row_printer.h"
#include "cli/term.h"
#include "core/env.h"
#include "job/diff.h"

enum {
    TOPIC_MS = 30000, // for all that the topic is asked
    LINES_AROUND = 2  // of the query, around what changed
};

#define NAME(text) {text, sizeof(text) - 1}

// The script that it is compared with.
static void print_head(const struct diff *diff)
{
    char time[TEXT_TIME_MAX];
    if (diff->entry < 0) {
        printf("there is no log below ");
        term_put(diff->result);
        printf("\n");
        return;
    }
    printf("%s entry %lld",
           diff_is_same(diff) ? "the same script as in" : "compared with",
           (long long)diff->entry);
    if (diff->time_ms >= 0) {
        printf(" (%.*s, ", STR_ARGS(text_time(diff->time_ms, time)));
        term_put(diff->worker);
        printf(")");
    }
    printf(" of ");
    term_put(diff->result);
    printf("\n");
}

// A table that is as wide as it is.
static void print_rows(const struct column *columns, size_t n_columns,
                       const struct value *rows, size_t n)
{
    const struct schema schema = {(struct column *)columns, n_columns};
    struct row_printer printer;
    row_printer_open(&printer, ROWS_ALIGNED, &schema);
    for (size_t i = 0; i < n; i++)
        row_printer_row(&printer, rows + i * n_columns);
    row_printer_close(&printer);
}

static struct value text_or_null(struct str text)
{
    return text.p != NULL ? value_text(text) : (struct value){0};
}

static void print_columns(const struct script_difference *difference)
{
    static const struct column columns[] = {
        {NAME("column"), TYPE_TEXT, false},
        {NAME("change"), TYPE_TEXT, false},
        {NAME("was"), TYPE_TEXT, true},
        {NAME("is"), TYPE_TEXT, true},
    };
    const size_t width = ARRAY_LEN(columns);
    if (difference->n_columns == 0)
        return;
    struct value *rows = mem_array(difference->n_columns * width, sizeof(*rows));
    for (size_t i = 0; i < difference->n_columns; i++) {
        const struct column_change *column = &difference->columns[i];
        struct value *row = rows + i * width;
        row[0] = value_text(column->name);
        row[1] = value_text(str_of(column_fate_name(column->fate)));
        row[2] = text_or_null(column->was);
        row[3] = text_or_null(column->is);
    }
    printf("\ncolumns of the result\n");
    print_rows(columns, width, rows, difference->n_columns);
    free(rows);
}

static bool is_near_a_change(const struct text_difference *query, size_t i)
{
    size_t from = i > LINES_AROUND ? i - LINES_AROUND : 0;
    for (size_t k = from; k < query->n && k <= i + LINES_AROUND; k++)
        if (query->lines[k].fate != LINE_STAYED)
            return true;
    return false;
}

static void print_line(const struct text_line *line, bool colour)
{
    static const char signs[] = {
        [LINE_STAYED] = ' ', [LINE_GONE] = '-', [LINE_NEW] = '+'};
    const char *begin = line->fate == LINE_GONE ? "\033[31m" : "\033[32m";
    bool is_shown_in_colour = colour && line->fate != LINE_STAYED;
    printf("%s%c ", is_shown_in_colour ? begin : "", signs[line->fate]);
    term_put(line->text);
    printf("%s\n", is_shown_in_colour ? "\033[0m" : "");
}

static void print_query(const struct diff *diff)
{
    const struct text_difference *query = &diff->difference.query;
    bool colour = term_has_colour_out(), was_shown = true;
    if (!diff->difference.query_differs)
        return;
    printf("\nquery\n");
    if (diff->difference.is_known && query->n_gone + query->n_new == 0)
        printf("  its words are the same, what it means is not: a variable, or how this "
               "version reads it\n");
    if (!diff->difference.is_known)
        printf("  it is another\n");
    for (size_t i = 0; i < query->n && query->n_gone + query->n_new > 0; i++) {
        bool is_shown = is_near_a_change(query, i);
        if (!is_shown && was_shown && i > 0)
            printf("...\n");
        if (is_shown)
            print_line(&query->lines[i], colour);
        was_shown = is_shown;
    }
}

static struct value option_value(struct str value, bool is_given, bool is_secret,
                                 struct arena *arena)
{
    if (is_secret)
        return is_given ? value_text(STR_LITERAL("(secret)")) : (struct value){0};
    if (value.p == NULL || is_given)
        return text_or_null(value);
    return value_text(str_of(arena_printf(arena, "%.*s (default)", STR_ARGS(value))));
}

static void print_options(const struct script_difference *difference)
{
    static const struct column columns[] = {
        {NAME("of"), TYPE_TEXT, false},
        {NAME("option"), TYPE_TEXT, false},
        {NAME("was"), TYPE_TEXT, true},
        {NAME("is"), TYPE_TEXT, true},
    };
    const size_t width = ARRAY_LEN(columns);
    AUTO(arena_release) struct arena arena = {0};
    if (difference->n_options == 0)
        return;
    struct value *rows = mem_array(difference->n_options * width, sizeof(*rows));
    for (size_t i = 0; i < difference->n_options; i++) {
        const struct option_change *option = &difference->options[i];
        struct value *row = rows + i * width;
        row[0] = value_text(option->table.n ? option->table : STR_LITERAL("SET"));
        row[1] = value_text(option->name);
        row[2] = option_value(option->was, option->was_given, option->is_secret, &arena);
        row[3] = option_value(option->is, option->is_given, option->is_secret, &arena);
    }
    printf("\noptions\n");
    print_rows(columns, width, rows, difference->n_options);
    free(rows);
}

static void print_text(const struct diff *diff)
{
    print_head(diff);
    print_columns(&diff->difference);
    print_query(diff);
    print_options(&diff->difference);
    if (diff->entry >= 0 && !diff->difference.is_known)
        printf("\nnot known: the options of then, and the words of the query; an older "
               "program made that entry\n");
    printf("\nat the next start\n");
    for (size_t i = 0; i < diff->n_effects; i++) {
        printf("  ");
        if (strcmp(diff->effects[i].code, "refused") == 0)
            printf("refused: ");
        term_put(str_of(diff->effects[i].text));
        printf("\n");
    }
}

// As diff(1): 1 is for what differs, so trouble is 2, or 3 where the data is wrong.
static enum status trouble(struct err *err)
{
    if (err->status != ST_DATA)
        err->status = ST_USAGE;
    return err->status;
}

static enum status print_diff(const struct args *args, struct pipeline *pipeline,
                              struct err *err)
{
    AUTO(diff_release) struct diff diff = {0};
    struct deadline deadline = {0};
    deadline_set(&deadline, env_system()->ops->monotonic_ms(env_system()) + TOPIC_MS);
    if (diff_script(pipeline, &deadline, &diff, err) != ST_OK)
        return trouble(err);
    if (args_has(args, "--json")) {
        AUTO(buf_release) struct buf json = {0};
        diff_json(&diff, &json);
        fwrite(json.p, 1, json.n, stdout);
    } else {
        print_text(&diff);
    }
    *err = (struct err){0}; // what differs was printed, and is no failure
    return diff_is_same(&diff) ? ST_OK : ST_FAIL;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline;
    TRY(args_script(args, 0, &pipeline, err));
    // No stop flag: it only reads, so a signal may end it where it is.
    pipeline.is_hurried = true;
    enum status status = print_diff(args, &pipeline, err);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--json", NULL, "as one JSON object"},
};

const struct command command_diff = {
    .name = "diff",
    .arguments = "PIPELINE.sql",
    .about = "Say what a script would change, by what its log last ran with",
    .more = "Columns of the result, query and options are compared, and it is said what "
            "the next start\nwould do. Also while nothing runs; changes nothing.",
    .exit_codes = "0 it is the same, 1 it differs, 2 wrong usage or no answer, 3 the log "
                  "has errors",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
