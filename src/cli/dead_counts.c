// SPDX-License-Identifier: Apache-2.0
#include "cli/dead_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/row_printer.h"

enum {
    GROUPS_MAX = 1000,
    REASON_MAX = 200, // bytes of a group's
    N_COLUMNS = 6
};

// Letters whose reasons differ in values only.
struct reason_group {
    char reason[REASON_MAX];
    int64_t n, n_replayed;
    int32_t first_partition, last_partition;
    int64_t first_ms, last_ms;
    int64_t entry, line; // of the newest
};

struct counts {
    struct reason_group *groups;
    size_t n_groups;
};

// What is quoted becomes '...', a number N.
static void put_pattern(struct buf *out, struct str reason)
{
    for (size_t i = 0; i < reason.n; i++) {
        char c = reason.p[i];
        const char *end =
            c == '\'' ? memchr(reason.p + i + 1, '\'', reason.n - i - 1) : NULL;
        if (end != NULL) {
            buf_text(out, "'...'");
            i = (size_t)(end - reason.p);
        } else if (c >= '0' && c <= '9') {
            buf_char(out, 'N');
            while (i + 1 < reason.n && reason.p[i + 1] >= '0' && reason.p[i + 1] <= '9')
                i++;
        } else {
            buf_char(out, c);
        }
    }
}

static struct reason_group *find_group(struct counts *counts, struct str reason)
{
    AUTO(buf_release) struct buf pattern = {0};
    char text[REASON_MAX] = "";
    put_pattern(&pattern, reason);
    text[text_visible(buf_as_str(&pattern), text, sizeof(text) - 1)] = '\0';
    for (size_t i = 0; i < counts->n_groups; i++)
        if (strcmp(counts->groups[i].reason, text) == 0)
            return &counts->groups[i];
    if (counts->n_groups == GROUPS_MAX)
        return &counts->groups[GROUPS_MAX - 1];
    struct reason_group *group = &counts->groups[counts->n_groups++];
    bool is_last = counts->n_groups == GROUPS_MAX;
    snprintf(group->reason, sizeof(group->reason), "%s",
             is_last ? "(other reasons)" : text);
    group->first_partition = INT32_MAX;
    group->first_ms = INT64_MAX;
    return group;
}

static enum status count(void *context, const struct dead_record *letter,
                         UNUSED struct err *err)
{
    struct counts *counts = context;
    struct reason_group *group = find_group(counts, letter->reason);
    group->n++;
    group->n_replayed += letter->is_replayed;
    if (letter->partition < group->first_partition)
        group->first_partition = letter->partition;
    if (letter->partition > group->last_partition)
        group->last_partition = letter->partition;
    if (letter->entry_ms < group->first_ms)
        group->first_ms = letter->entry_ms;
    if (letter->entry_ms > group->last_ms)
        group->last_ms = letter->entry_ms;
    group->entry = letter->entry;
    group->line = letter->line;
    return ST_OK;
}

static int compare_groups(const void *a, const void *b)
{
    const struct reason_group *x = a, *y = b;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return strcmp(x->reason, y->reason);
}

#define NAME(text) {text, sizeof(text) - 1}
static const struct column columns[N_COLUMNS] = {
    {NAME("letters"), TYPE_BIGINT, false},  {NAME("reason"), TYPE_TEXT, false},
    {NAME("partitions"), TYPE_TEXT, false}, {NAME("first"), TYPE_TEXT, false},
    {NAME("last"), TYPE_TEXT, false},       {NAME("newest"), TYPE_TEXT, false},
};

static void print_group(struct row_printer *printer, const struct reason_group *group)
{
    char first[TEXT_TIME_MAX], last[TEXT_TIME_MAX], partitions[32], newest[48];
    snprintf(partitions, sizeof(partitions),
             group->first_partition == group->last_partition ? "%" PRId32
                                                             : "%" PRId32 "-%" PRId32,
             group->first_partition, group->last_partition);
    snprintf(newest, sizeof(newest), "%" PRId64 ":%" PRId64, group->entry, group->line);
    const struct value row[N_COLUMNS] = {
        value_int(group->n),
        value_text(str_of(group->reason)),
        value_text(str_of(partitions)),
        value_text(text_time(group->first_ms, first)),
        value_text(text_time(group->last_ms, last)),
        value_text(str_of(newest)),
    };
    row_printer_row(printer, row);
}

static void print_counts(struct counts *counts, bool is_json,
                         const struct letters *letters)
{
    const struct schema schema = {(struct column *)columns, N_COLUMNS};
    enum row_style style = row_style(is_json, false, !is_json);
    struct row_printer printer;
    qsort(counts->groups, counts->n_groups, sizeof(*counts->groups), compare_groups);
    if (counts->n_groups > 0)
        row_printer_open(&printer, style, &schema);
    for (size_t i = 0; i < counts->n_groups; i++)
        print_group(&printer, &counts->groups[i]);
    if (counts->n_groups > 0) // else not even a head
        row_printer_close(&printer);
    if (style == ROWS_ALIGNED)
        printf("%s in the log, %s replayed\n",
               text_counted(letters->n, "letter", "letters"),
               text_count(letters->n_replayed));
}

enum status dead_counts(struct dead_book *book, struct storage *storage,
                        const struct dead_filter *filter, bool is_json, struct err *err)
{
    struct counts counts = {.groups = mem_array(GROUPS_MAX, sizeof(*counts.groups))};
    memset(counts.groups, 0, GROUPS_MAX * sizeof(*counts.groups));
    enum status rc = dead_book_each(book, storage, filter, count, &counts, err);
    if (rc == ST_OK)
        print_counts(&counts, is_json, &book->letters);
    free(counts.groups);
    return rc;
}
