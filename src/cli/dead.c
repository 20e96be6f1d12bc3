// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/row_printer.h"
#include "cli/term.h"
#include "job/run_parts.h"
#include "log/dead_book.h"
#include "work/dead_letter.h"
#include "work/replay.h"

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

struct dead {
    const struct args *args;
    struct pipeline pipeline;
    struct storage *storage;
    struct dead_book book;
    struct dead_filter filter;
    struct reason_group *groups;
    size_t n_groups;
    int64_t n;
};

// Counting.

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

static struct reason_group *find_group(struct dead *dead, struct str reason)
{
    AUTO(buf_release) struct buf pattern = {0};
    char text[REASON_MAX] = "";
    put_pattern(&pattern, reason);
    text[text_visible(buf_as_str(&pattern), text, sizeof(text) - 1)] = '\0';
    for (size_t i = 0; i < dead->n_groups; i++)
        if (strcmp(dead->groups[i].reason, text) == 0)
            return &dead->groups[i];
    if (dead->n_groups == GROUPS_MAX)
        return &dead->groups[GROUPS_MAX - 1];
    struct reason_group *group = &dead->groups[dead->n_groups++];
    bool is_last = dead->n_groups == GROUPS_MAX;
    snprintf(group->reason, sizeof(group->reason), "%s",
             is_last ? "(other reasons)" : text);
    group->first_partition = INT32_MAX;
    group->first_ms = INT64_MAX;
    return group;
}

static enum status count(void *context, const struct dead_record *letter,
                         UNUSED struct err *err)
{
    struct dead *dead = context;
    struct reason_group *group = find_group(dead, letter->reason);
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

static enum status count_all(struct dead *dead, struct err *err)
{
    const struct schema schema = {(struct column *)columns, N_COLUMNS};
    struct row_printer printer;
    const struct letters *letters = &dead->book.letters;
    dead->groups = mem_array(GROUPS_MAX, sizeof(*dead->groups));
    memset(dead->groups, 0, GROUPS_MAX * sizeof(*dead->groups));
    enum status rc =
        dead_book_each(&dead->book, dead->storage, &dead->filter, count, dead, err);
    if (rc == ST_OK) {
        enum row_style style = row_style(args_has(dead->args, "--json"), false,
                                         !args_has(dead->args, "--json"));
        qsort(dead->groups, dead->n_groups, sizeof(*dead->groups), compare_groups);
        row_printer_open(&printer, style, &schema);
        for (size_t i = 0; i < dead->n_groups; i++)
            print_group(&printer, &dead->groups[i]);
        row_printer_close(&printer);
        if (style == ROWS_ALIGNED)
            printf("%s in the log, %s replayed\n",
                   text_counted(letters->n, "letter", "letters"),
                   text_count(letters->n_replayed));
    }
    free(dead->groups);
    return rc;
}

// One letter.

static void print_bytes(const char *name, struct str bytes)
{
    printf("%-9s ", name);
    if (bytes.p == NULL) {
        printf("none\n");
        return;
    }
    term_put(bytes);
    printf("  (%s)\n", text_counted((int64_t)bytes.n, "byte", "bytes"));
}

static enum status print_letter(void *context, const struct dead_record *letter,
                                UNUSED struct err *err)
{
    struct dead *dead = context;
    char time[TEXT_TIME_MAX];
    dead->n++;
    if (args_has(dead->args, "--json")) {
        AUTO(buf_release) struct buf line = {0};
        buf_printf(&line, "{\"letter\":\"%" PRId64 ":%" PRId64 "\",\"replayed\":%s,",
                   letter->entry, letter->line, letter->is_replayed ? "true" : "false");
        AUTO(buf_release) struct buf fields = {0};
        const struct dead_letter as_written = {
            .topic = letter->topic,
            .partition = letter->partition,
            .record = &letter->record,
            .headers = letter->headers,
            .reason = letter->reason,
        };
        dead_letter_format(&as_written, &fields);
        buf_append(&line, fields.p + 1, fields.n - 1); // without its brace
        fwrite(line.p, 1, line.n, stdout);
        return ST_OK;
    }
    printf("letter    %" PRId64 ":%" PRId64 ", of the commit at %s%s\n", letter->entry,
           letter->line, text_time(letter->entry_ms, time).p,
           letter->is_replayed ? "; replayed" : "");
    printf("record    topic ");
    term_put(letter->topic);
    printf(", partition %" PRId32 ", offset %" PRId64, letter->partition,
           letter->record.offset);
    if (letter->record.time_ms >= 0)
        printf(", of %s", text_time(letter->record.time_ms, time).p);
    printf("\nreason    ");
    term_put(letter->reason);
    printf("\nheaders   ");
    term_put(letter->headers);
    putchar('\n');
    print_bytes("key", letter->record.key);
    print_bytes("value", letter->record.value);
    return ST_OK;
}

static enum status show(struct dead *dead, struct err *err)
{
    TRY(dead_book_each(&dead->book, dead->storage, &dead->filter, print_letter, dead,
                       err));
    if (dead->n > 0)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "there is no dead letter %" PRId64 ":%" PRId64
                   " in the log; tramline dead names the newest of each reason",
                   dead->filter.entry, dead->filter.line);
}

// Replaying.

static void tell_replay(const struct replay_report *report)
{
    int64_t gone = report->records - report->ignored - report->rejected - report->matched;
    printf("entry %" PRId64 ": %s replayed: %s gave %s, %s matched nothing, %s ignored, "
           "%s failed again\n",
           report->entry, text_counted(report->records, "letter", "letters"),
           text_count(report->matched), text_counted(report->rows, "row", "rows"),
           text_count(gone), text_count(report->ignored), text_count(report->rejected));
    if (report->has_more)
        printf("there are more: an entry takes %s; replay again\n",
               text_count(REPLAY_LETTERS_MAX));
}

static void wait_here(UNUSED struct waiter *waiter, struct wait wait)
{
    struct env *env = env_system();
    int64_t ms = wait.until_ms - env->ops->monotonic_ms(env);
    if (wait.kind != WAIT_NOTHING && ms > 0)
        env->ops->sleep_ms(env, ms);
}

static enum status replay_from(struct run_parts *parts, const struct dead_filter *filter,
                               struct replay_report *ret, struct err *err)
{
    struct waiter waiter = {wait_here};
    const struct replay_parts replay = {
        .job = &parts->job,
        .topic = parts->stream.topic,
        .decoder = parts->stream.decoder,
        .executor = parts->executor,
        .encoder = parts->encoder,
        .spool = parts->spool,
        .storage = parts->storage,
        .env = env_system(),
        .waiter = &waiter,
    };
    return replay_letters(&replay, filter, ret, err);
}

static enum status replay(struct dead *dead, struct err *err)
{
    struct run_parts parts = {0};
    struct replay_report report;
    enum status rc = run_parts_open_aside(&dead->pipeline, &parts, err);
    if (rc == ST_OK)
        rc = replay_from(&parts, &dead->filter, &report, err);
    run_parts_release(&parts);
    if (rc == ST_CONFLICT)
        return err_set(err, ST_FAIL,
                       "nothing of this replay was committed, since another one was "
                       "meanwhile, or its files were removed; say it again for what is "
                       "left");
    TRY(rc);
    if (report.entry >= 0)
        tell_replay(&report);
    else
        printf("nothing to replay: no letter that is asked for is left that was not "
               "replayed before\n");
    return ST_OK;
}

// The command line.

static enum status wrong_where(const char *flag, const char *takes, const char *text,
                               struct err *err)
{
    return err_set(err, ST_USAGE, "%s takes %s, not '%s'", flag, takes, text);
}

static bool take_pair(const char *text, int64_t *ret_first, int64_t *ret_second)
{
    struct str rest = str_of(text);
    struct str first = str_cut(&rest, ':');
    return rest.p != NULL && str_to_i64(first, ret_first) && *ret_first >= 0 &&
           str_to_i64(rest, ret_second) && *ret_second >= 0;
}

static bool take_offsets(const char *text, struct dead_filter *filter)
{
    struct str rest = str_of(text);
    struct str partition = str_cut(&rest, ':');
    struct str first = str_cut(&rest, '-');
    int64_t number;
    if (!str_to_i64(partition, &number) || number < 0 || number > INT32_MAX ||
        !str_to_i64(first, &filter->first))
        return false;
    filter->has_offsets = true;
    filter->partition = (int32_t)number;
    filter->last = filter->first;
    return (rest.p == NULL || str_to_i64(rest, &filter->last)) && filter->first >= 0 &&
           filter->last >= filter->first;
}

static enum status take_filter(const struct args *args, struct dead_filter *filter,
                               struct err *err)
{
    const char *where = args_text(args, "--where", NULL);
    const char *offsets = args_text(args, "--offsets", NULL);
    const char *name = args_text(args, "--show", NULL);
    filter->with_replayed = args_has(args, "--all") || name != NULL;
    if (where != NULL && !str_starts_with(str_of(where), "reason="))
        return wrong_where("--where", "reason=TEXT", where, err);
    if (where != NULL)
        filter->reason = str_of(where + strlen("reason="));
    if (offsets != NULL && !take_offsets(offsets, filter))
        return wrong_where("--offsets", "PARTITION:OFFSET or PARTITION:FIRST-LAST",
                           offsets, err);
    filter->has_name = name != NULL;
    if (name != NULL && !take_pair(name, &filter->entry, &filter->line))
        return wrong_where("--show", "ENTRY:LINE, the name of a letter", name, err);
    if (args_has(args, "--replay") && (name != NULL || args_has(args, "--all")))
        return err_set(err, ST_USAGE,
                       "--replay takes what was not replayed before, by --where and "
                       "--offsets; leave out %s",
                       name != NULL ? "--show" : "--all");
    return ST_OK;
}

static enum status look(struct dead *dead, struct err *err)
{
    TRY(pipeline_storage(&dead->pipeline, &dead->pipeline.plan->sink->options,
                         &dead->storage, err));
    TRY(dead_book_read(dead->storage, &dead->book, err));
    return dead->filter.has_name ? show(dead, err) : count_all(dead, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct dead dead = {.args = args};
    TRY(take_filter(args, &dead.filter, err));
    TRY(args_script(args, 0, &dead.pipeline, err));
    // No stop flag: a signal may end it where it is, as a crash may.
    enum status status = pipeline_need_insert(&dead.pipeline, err);
    if (status == ST_OK)
        status = args_has(args, "--replay") ? replay(&dead, err) : look(&dead, err);
    dead_book_release(&dead.book);
    if (dead.storage != NULL)
        dead.storage->ops->close(dead.storage);
    pipeline_release(&dead.pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--show", "ENTRY:LINE", "one letter: its record, headers, reason"},
    {"--where", "reason=TEXT", "only letters whose reason has this text in it"},
    {"--offsets", "P:FIRST-LAST", "only letters of these offsets of a partition"},
    {"--all", NULL, "also letters that were replayed"},
    {"--replay", NULL,
     "run their bytes through today's script; commit rows and marks at once"},
    {"--json", NULL, "as JSON lines: a reason each, or with --show the letter"},
};

const struct command command_dead = {
    .name = "dead",
    .arguments = "PIPELINE.sql",
    .about = "Count the dead letters by reason, show one, replay them",
    .more =
        "Reasons that differ only in what is quoted or in numbers count as one. "
        "--replay takes each\nletter once, however often it is said; what fails again "
        "stays a letter, with its new reason.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
