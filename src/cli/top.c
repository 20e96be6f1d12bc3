// SPDX-License-Identifier: Apache-2.0
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/error_code.h"
#include "cli/screen.h"
#include "cli/term.h"
#include "core/env.h"
#include "core/json.h"
#include "job/lookout.h"
#include "job/stop.h"

enum {
    EVERY_S = 2,
    CLOSING_MS = 5000,
    REASONS_SHOWN = 4,
    NUMBER_WIDTH = 14,
    OWNER_WIDTH = 40
};

// What of a partition is shown, in this order.
enum top_column {
    COLUMN_PARTITION,
    COLUMN_COMMITTED,
    COLUMN_END,
    COLUMN_LAG,
    COLUMN_SECONDS,
    COLUMN_OWNER,
    N_COLUMNS
};

struct shown_column {
    const char *title;
    const char *field;
    char key;
};

static const struct shown_column shown_columns[N_COLUMNS] = {
    [COLUMN_PARTITION] = {"partition", "partition", 'p'},
    [COLUMN_COMMITTED] = {"committed", "committed", 'c'},
    [COLUMN_END] = {"end", "end", 'e'},
    [COLUMN_LAG] = {"lag", "lag_records", 'l'},
    [COLUMN_SECONDS] = {"seconds", "lag_seconds", 's'},
    [COLUMN_OWNER] = {"owner", "owner", 'o'},
};

struct top {
    struct lookout *lookout;
    json_t *look;      // the newest good one; NULL: none yet
    char trouble[600]; // why the newest look failed; empty: it did not
    enum top_column by;
    bool is_reversed;
    size_t scrolled, n_room; // partitions above the page, and on it
    const json_t **order;    // partitions as they are shown
    size_t n_order;
};

// Strings of the look are a stranger's.
static void put_visible(struct buf *out, const json_t *text)
{
    if (json_is_string(text))
        text_put_visible(out, json_as_str(text));
}

static void put_field(struct buf *out, const json_t *object, const char *name)
{
    put_visible(out, json_object_get(object, name));
}

static double number_of(const json_t *partition, enum top_column by)
{
    const json_t *value = json_object_get(partition, shown_columns[by].field);
    return json_is_number(value) ? json_number_value(value) : -1;
}

// The owner; of a server's page whether it is this worker's.
static void put_owner(struct buf *out, const json_t *partition)
{
    if (json_is_true(json_object_get(partition, "is_ours")))
        buf_text(out, "this worker");
    put_field(out, partition, "owner");
}

static int compare_owners(const json_t *a, const json_t *b)
{
    AUTO(buf_release) struct buf x = {0};
    AUTO(buf_release) struct buf y = {0};
    put_owner(&x, a);
    put_owner(&y, b);
    return str_compare(buf_as_str(&x), buf_as_str(&y));
}

// The largest first but for partitions and owners; ties by partition.
static int compare(const void *a, const void *b, void *arg)
{
    const struct top *top = arg;
    const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
    double first = number_of(x, COLUMN_PARTITION) - number_of(y, COLUMN_PARTITION);
    double by = 0;
    if (top->by == COLUMN_OWNER)
        by = compare_owners(x, y);
    else if (top->by != COLUMN_PARTITION)
        by = number_of(y, top->by) - number_of(x, top->by);
    if (by == 0)
        by = first;
    if (top->is_reversed)
        by = -by;
    return by < 0 ? -1 : by > 0;
}

static void sort(struct top *top)
{
    const json_t *partitions = json_object_get(top->look, "partitions");
    free(top->order);
    top->n_order = json_array_size(partitions);
    top->order = mem_array(top->n_order + 1, sizeof(*top->order));
    for (size_t i = 0; i < top->n_order; i++)
        top->order[i] = json_array_get(partitions, i);
    qsort_r(top->order, top->n_order, sizeof(*top->order), compare, top);
}

static void put_cell(struct buf *line, const json_t *partition, enum top_column column)
{
    AUTO(buf_release) struct buf cell = {0};
    double number = number_of(partition, column);
    if (column == COLUMN_OWNER) {
        buf_text(line, "  ");
        put_owner(&cell, partition);
        screen_put_fitted(line, buf_as_str(&cell), OWNER_WIDTH);
        return;
    }
    if (number < 0)
        buf_printf(line, "%*s", NUMBER_WIDTH, "-");
    else if (column == COLUMN_SECONDS)
        buf_printf(line, "%*.1f", NUMBER_WIDTH, number);
    else
        buf_printf(line, "%*.0f", NUMBER_WIDTH, number);
}

static void put_titles(const struct top *top, struct buf *page)
{
    buf_text(page, SCREEN_REVERSED);
    for (int c = 0; c < N_COLUMNS; c++) {
        char title[32];
        snprintf(title, sizeof(title), "%s%s", shown_columns[c].title,
                 (int)top->by != c  ? ""
                 : top->is_reversed ? "^"
                                    : "*");
        if (c == COLUMN_OWNER)
            buf_printf(page, "  %-*s", OWNER_WIDTH, title);
        else
            buf_printf(page, "%*s", NUMBER_WIDTH, title);
    }
    buf_char(page, '\n');
}

static void put_partitions(struct top *top, size_t n_lines, struct buf *page)
{
    top->n_room = n_lines > 0 ? n_lines : 1;
    size_t most = top->n_order > top->n_room ? top->n_order - top->n_room : 0;
    if (top->scrolled > most)
        top->scrolled = most;
    put_titles(top, page);
    for (size_t i = 0; i < top->n_room && top->scrolled + i < top->n_order; i++) {
        for (int c = 0; c < N_COLUMNS; c++)
            put_cell(page, top->order[top->scrolled + i], (enum top_column)c);
        buf_char(page, '\n');
    }
}

static void put_number(struct buf *page, const json_t *object, const char *name,
                       const char *before, const char *behind)
{
    const json_t *value = json_object_get(object, name);
    if (json_is_number(value))
        buf_printf(page, "%s%.10g%s", before, json_number_value(value), behind);
}

static void put_head(const struct top *top, struct buf *page)
{
    const json_t *job = json_object_get(top->look, "job");
    buf_text(page, "tramline top  ");
    put_field(page, job, "name");
    buf_text(page, ": topic ");
    put_field(page, job, "topic");
    buf_text(page, " to ");
    put_field(page, job, "result");
    buf_text(page, "\nverdict  ");
    put_field(page, top->look, "verdict");
    buf_char(page, '\n');
}

static void put_reasons(const struct top *top, struct buf *page)
{
    const json_t *reasons = json_object_get(top->look, "reasons");
    size_t n = json_array_size(reasons);
    for (size_t i = 0; i < n && i < REASONS_SHOWN; i++) {
        const json_t *reason = json_array_get(reasons, i);
        buf_text(page, "  ");
        put_field(page, reason, "level");
        buf_text(page, ": ");
        put_field(page, reason, "text");
        buf_char(page, '\n');
    }
}

static void put_numbers(const struct top *top, struct buf *page)
{
    const json_t *lag = json_object_get(top->look, "lag");
    const json_t *rates = json_object_get(top->look, "rates");
    const json_t *commit = json_object_get(top->look, "commit");
    buf_text(page, "lag      ");
    put_number(page, lag, "records", "", " records");
    put_number(page, lag, "seconds", ", ", " s");
    put_number(page, rates, "records_per_second", "; ", " records/s in");
    put_number(page, rates, "rows_per_second", ", ", " rows/s out");
    buf_char(page, '\n');
    if (!json_is_object(commit))
        return;
    put_number(page, commit, "entry", "commit   entry ", ", by ");
    put_field(page, commit, "worker");
    put_number(page, commit, "records", ": ", " records");
    put_number(page, commit, "rows", ", ", " rows");
    put_number(page, commit, "unmatched", ", ", " unmatched");
    put_number(page, commit, "rejected", ", ", " dead letters");
    buf_char(page, '\n');
}

static size_t count_lines(const struct buf *page)
{
    size_t n = 0;
    for (size_t i = 0; i < page->n; i++)
        n += page->p[i] == '\n';
    return n;
}

static void draw(struct top *top)
{
    AUTO(buf_release) struct buf page = {0};
    if (top->look == NULL) {
        buf_text(&page, top->trouble[0] ? "tramline top" : "tramline top  looking ...");
        buf_char(&page, '\n');
    } else {
        put_head(top, &page);
        put_reasons(top, &page);
        put_numbers(top, &page);
    }
    if (top->trouble[0]) {
        buf_text(&page, "no answer: ");
        text_put_visible(&page, str_of(top->trouble));
        buf_char(&page, '\n');
    }
    size_t n_around = count_lines(&page) + 3, lines = screen_lines();
    buf_char(&page, '\n');
    put_partitions(top, lines > n_around ? lines - n_around : 1, &page);
    buf_text(&page, "q quit  sort: p c e l s o  r reverse  up, down, page: scroll");
    screen_show(buf_as_str(&page));
}

// ST_STOP: there is no new one.
static enum status next_look(struct lookout *lookout, json_t **ret, struct err *err)
{
    AUTO(buf_release) struct buf json = {0};
    TRY(lookout_take(lookout, &json, err));
    *ret = NULL;
    if (json_check(buf_as_str(&json), JSON_VALUES_MAX, err) == ST_OK)
        *ret = json_loadb(json.p, json.n, 0, NULL);
    if (json_is_array(json_object_get(*ret, "partitions")))
        return ST_OK;
    json_decref(*ret);
    return err_set(err, ST_DATA, "the answer is not the status of a job");
}

static void take_look(struct top *top)
{
    struct err err = {0};
    json_t *look;
    enum status rc = next_look(top->lookout, &look, &err);
    if (rc == ST_STOP)
        return;
    snprintf(top->trouble, sizeof(top->trouble), "%s", rc == ST_OK ? "" : err.text);
    if (rc != ST_OK)
        return;
    json_decref(top->look);
    top->look = look;
    sort(top);
}

static void scroll(struct top *top, int key)
{
    size_t page = top->n_room, at = top->scrolled;
    if (key == KEY_UP)
        at -= at > 0;
    else if (key == KEY_PAGE_UP)
        at -= at > page ? page : at;
    else if (key == KEY_HOME)
        at = 0;
    else if (key == KEY_DOWN)
        at++;
    else if (key == KEY_PAGE_DOWN)
        at += page;
    else if (key == KEY_END)
        at = top->n_order;
    top->scrolled = at; // drawing limits it
}

static void take_key(struct top *top, int key)
{
    scroll(top, key);
    if (key == 'r')
        top->is_reversed = !top->is_reversed;
    for (int c = 0; c < N_COLUMNS; c++)
        if (key == shown_columns[c].key)
            top->by = (enum top_column)c;
    sort(top);
}

static enum status show(struct lookout *lookout, struct err *err)
{
    struct top top = {.lookout = lookout};
    TRY(screen_open(err));
    for (int key = 0; key != 'q';) {
        draw(&top);
        key = screen_wait(lookout_fd(lookout), EVERY_S * 1000);
        take_key(&top, key);
        take_look(&top);
    }
    screen_close();
    json_decref(top.look);
    free(top.order);
    return ST_OK;
}

// A line a look. One that fails is an error on stderr, and does not end it.
static enum status print_looks(struct lookout *lookout, int64_t n, struct err *err)
{
    enum status rc = ST_OK;
    for (int64_t i = 0; i < n;) {
        struct pollfd fd = {.fd = lookout_fd(lookout), .events = POLLIN};
        json_t *look;
        (void)poll(&fd, 1, EVERY_S * 1000);
        rc = next_look(lookout, &look, err);
        if (rc == ST_STOP)
            continue;
        i++;
        if (rc == ST_OK) {
            json_dumpf(look, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15));
            putchar('\n');
            fflush(stdout);
            json_decref(look);
        } else if (i < n) {
            error_line_print("top", cli_exit_code(rc), str_of(err->text), (struct str){0},
                             NULL);
        }
    }
    return rc; // of the last one
}

static bool is_url(const char *text)
{
    return strstr(text, "://") != NULL;
}

static enum status run(const struct args *args, struct err *err)
{
    int64_t every_s, n_looks;
    bool as_json = args_has(args, "--json");
    struct pipeline pipeline;
    struct lookout *lookout = NULL;
    const char *where = args->positional[0];
    TRY(args_number(args, "--every", 1, EVERY_S, &every_s, err));
    if (every_s > 3600)
        every_s = 3600;
    TRY(args_number(args, "--limit", 1, INT64_MAX, &n_looks, err));
    if (args_has(args, "--limit") && !as_json)
        return err_set(err, ST_USAGE, "--limit is for --json; a page ends by the key q");
    if (!as_json)
        TRY(screen_check(err));
    if (!is_url(where))
        TRY(args_script(args, 0, &pipeline, err));
    enum status status = lookout_open(is_url(where) ? NULL : &pipeline, where,
                                      every_s * 1000, &lookout, err);
    if (status == ST_OK)
        status = as_json ? print_looks(lookout, n_looks, err) : show(lookout, err);
    // A look that does not end must not hold up the end.
    stop_guard(cli_exit_code(status), "", CLOSING_MS);
    lookout_close(lookout);
    if (!is_url(where))
        pipeline_release(&pipeline);
    stop_guard_end();
    return status;
}

static const struct flag flags[] = {
    {"--every", "S", "seconds between two looks (default 2)"},
    {"--json", NULL, "a line a look on stdout, until a signal; needs no terminal"},
    {"--limit", "N", "with --json: so many looks, then stop"},
};

const struct command command_top = {
    .name = "top",
    .arguments = "PIPELINE.sql|URL",
    .about = "Show how a job stands, again and again",
    .more =
        "On a terminal: verdict, lag, the newest commit and the partitions, sorted "
        "by a key. In the\nplace of the script may stand the address of a job's status "
        "server (SET status.listen).",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
