// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/commit_log.h"
#include "log/log_read.h"
#include "log/paths.h"
#include "log/verify.h"

enum {
    FAILURE_BYTES = 1000 // after so many more of the same says nothing new
};

static void read_log(struct sim_world *world, struct log_state *ret)
{
    struct err err;
    if (log_recover(world->view, ret, &err) != ST_OK)
        sim_fail(world, "recovery: %s", err.text);
}

void sim_check_marks(struct sim_world *world, bool *ret_any, bool *ret_all)
{
    struct log_state state = {0};
    read_log(world, &state);
    *ret_any = false;
    *ret_all = state.n_partitions == (size_t)world->topic.n_partitions;
    for (size_t i = 0; i < state.n_partitions; i++) {
        bool is_marked = state.partitions[i].last.offset >= 0;
        *ret_any |= is_marked;
        *ret_all &= is_marked;
    }
    log_state_release(&state);
}

bool sim_check_read_to(struct sim_world *world, int64_t ret[SIM_PARTITIONS_MAX])
{
    struct log_state state = {0};
    read_log(world, &state);
    bool is_known = state.topic_id[0] != '\0' &&
                    state.n_partitions == (size_t)world->topic.n_partitions;
    for (size_t i = 0; is_known && i < state.n_partitions; i++)
        ret[i] = state.partitions[i].next;
    log_state_release(&state);
    return is_known;
}

// Lines, each with its LF, to be compared as a multiset.
struct lines {
    struct buf text;
    char **items;
    size_t n, capacity;
};

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void lines_sort(struct lines *lines)
{
    buf_cstr(&lines->text);
    for (char *p = lines->text.p; p && *p; p = strchr(p, '\0') + 1) {
        char *end = strchr(p, '\n');
        MEM_GROW(lines->items, lines->n, lines->capacity);
        lines->items[lines->n++] = p;
        *end = '\0';
    }
    if (lines->n)
        qsort(lines->items, lines->n, sizeof(char *), compare);
}

static void lines_release(struct lines *lines)
{
    buf_release(&lines->text);
    free(lines->items);
}

static void compare_lines(struct sim_world *world, const char *what,
                          struct lines *expected, struct lines *found)
{
    lines_sort(expected);
    lines_sort(found);
    size_t i = 0, k = 0;
    while ((i < expected->n || k < found->n) && world->failure.n < FAILURE_BYTES) {
        int order = i == expected->n ? 1
                    : k == found->n  ? -1
                                     : strcmp(expected->items[i], found->items[k]);
        if (order < 0)
            sim_fail(world, "%s %s is missing", what, expected->items[i]);
        if (order > 0)
            sim_fail(world, "%s %s is there once too often", what, found->items[k]);
        i += order <= 0;
        k += order >= 0;
    }
}

// Rows begin with what the record's value does: another partition's number where it is of
// another log.
static void expect_record(const struct sim_record *record, int partition, int64_t offset,
                          struct lines *rows, struct lines *dead)
{
    if (record->kind == SIM_BAD || record->kind == SIM_REFUSED)
        buf_printf(&dead->text, "%d.%" PRId64 "\n", partition, offset);
    for (int i = 0; record->kind == SIM_ROWS && i < record->rows; i++)
        buf_printf(&rows->text, "%d.%" PRId64 ".%d\n", atoi(record->value + 1), offset,
                   i);
}

// The rows are of what came after a cut; before that, each has a row.
static bool has_new(const struct lines *rows, int32_t partition)
{
    char begin[16];
    snprintf(begin, sizeof(begin), "\n%d.", (int)partition + SIM_OTHER_TOPIC);
    struct str text = buf_as_str(&rows->text);
    return str_starts_with(text, begin + 1) ||
           (text.n > 0 && memmem(text.p, text.n, begin, strlen(begin)) != NULL);
}

// What was read behind the place of a cut was all there before it, or all of it came
// after.
static const struct sim_record *record_of(const struct sim_topic *topic, int32_t p,
                                          int64_t offset, bool is_new)
{
    const struct sim_partition *part = &topic->partitions[p];
    bool is_old = topic->is_recreated || (part->is_cut && !is_new);
    return is_old ? &topic->first_ones[p].records[offset] : &part->records[offset];
}

// Of a topic that was recreated or cut later: what the log says to have read.
static void expect(struct sim_world *world, const struct lines *found, struct lines *rows,
                   struct lines *dead)
{
    const struct sim_topic *topic = &world->topic;
    struct log_state state = {0};
    bool is_other = topic->is_recreated || topic->is_cut;
    if (is_other)
        read_log(world, &state);
    for (int32_t p = 0; p < topic->n_partitions; p++) {
        const struct log_partition *known = log_state_find(&state, p);
        bool is_new = has_new(found, p);
        bool is_old = topic->is_recreated || (topic->partitions[p].is_cut && !is_new);
        int64_t high = (is_old ? topic->first_ones : topic->partitions)[p].high;
        int64_t end = high;
        if (is_other)
            end = known == NULL ? 0 : known->next < high ? known->next : high;
        for (int64_t o = 0; o < end; o++)
            expect_record(record_of(topic, p, o, is_new), p, o, rows, dead);
    }
    log_state_release(&state);
}

static void add_rows(struct sim_world *world, struct str text, const char *path,
                     struct lines *rows)
{
    struct str begin = STR_LITERAL("BEGIN\n"), end = STR_LITERAL("END\n");
    if (!str_starts_with(text, begin.p) || !str_ends_with(text, end.p)) {
        sim_fail(world, "%s is not whole", path);
        return;
    }
    buf_append(&rows->text, text.p + begin.n, text.n - begin.n - end.n);
}

static void add_dead(struct sim_world *world, struct str text, const char *path,
                     struct lines *dead)
{
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        int partition;
        int64_t offset;
        const char *place = memmem(line.p, line.n, "\"partition\"", 11);
        if (place == NULL || sscanf(place, "\"partition\":%d,\"offset\":%" SCNd64,
                                    &partition, &offset) != 2)
            sim_fail(world, "%s: not a dead letter: %.*s", path, STR_ARGS(line));
        else
            buf_printf(&dead->text, "%d.%" PRId64 "\n", partition, offset);
    }
}

static void read_file(struct sim_world *world, const char *path, struct lines *rows,
                      struct lines *dead)
{
    struct buf bytes = {0};
    struct err err;
    if (storage_read_all(world->view, str_of(path), 1 << 24, &bytes, &err) != ST_OK)
        sim_fail(world, "%s", err.text);
    else if (rows)
        add_rows(world, buf_as_str(&bytes), path, rows);
    else
        add_dead(world, buf_as_str(&bytes), path, dead);
    buf_release(&bytes);
}

// All files of a directory whose names begin so, and of its day=… directories.
static void read_directory(struct sim_world *world, const char *directory,
                           struct lines *rows, struct lines *dead)
{
    struct arena arena = {0};
    struct file_list list;
    struct err err;
    enum status rc =
        world->view->ops->list(world->view, str_of(directory), &arena, &list, &err);
    for (size_t i = 0; rc == ST_OK && i < list.n; i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s%s%s", directory, *directory ? "/" : "",
                 list.items[i].name.p);
        if (str_starts_with(list.items[i].name, "day="))
            read_directory(world, path, rows, dead);
        else if (!list.items[i].is_directory)
            read_file(world, path, rows, dead);
    }
    arena_release(&arena);
}

// Files that the log names.
static void read_named(struct sim_world *world, struct lines *rows, struct lines *dead)
{
    struct err err;
    for (int64_t number = 0;; number++) {
        struct arena arena AUTO(arena_release) = {0};
        struct entry entry;
        enum status rc = log_read(world->view, number, &arena, &entry, &err);
        if (rc != ST_OK && rc != ST_NOT_FOUND)
            sim_fail(world, "%s", err.text);
        if (rc != ST_OK)
            return;
        for (size_t i = 0; i < entry.n_files; i++) {
            bool is_data = entry.files[i].kind == FILE_DATA;
            char path[256];
            snprintf(path, sizeof(path), "%.*s", STR_ARGS(entry.files[i].name));
            read_file(world, path, is_data ? rows : NULL, dead);
        }
    }
}

// What an entry says of the offsets that it skipped, by what the topic has.
static void check_account(struct sim_world *world, const struct entry *entry,
                          const struct span *span)
{
    const struct sim_topic *topic = &world->topic;
    const struct sim_partition *part = topic->is_recreated
                                           ? &topic->first_ones[span->partition]
                                           : &topic->partitions[span->partition];
    int64_t n[SIM_PASSED_KINDS] = {0};
    if (topic->is_cut && part->is_cut && span->next > part->cut_to)
        return; // it may be of before
    for (int64_t o = span->first; o < span->next && o < part->high; o++)
        if (part->records[o].kind == SIM_HOLE)
            n[sim_passed_of(o)]++;
    bool is_known = span->partition % 2 == 0;
    if (span->gap == 0 && (span->control != (is_known ? n[SIM_CONTROL] : 0) ||
                           span->aborted != (is_known ? n[SIM_ABORTED] : 0) ||
                           span->hole != (is_known ? n[SIM_COMPACTED] : 0)))
        sim_fail(world, "entry %" PRId64 ", partition %d: it skipped other offsets",
                 entry->number, (int)span->partition);
}

static void check_accounts(struct sim_world *world)
{
    for (int64_t number = 0;; number++) {
        struct arena arena AUTO(arena_release) = {0};
        struct entry entry;
        enum status rc = log_read(world->view, number, &arena, &entry, NULL);
        if (rc != ST_OK) // what is wrong is told by others; old buckets may be gone
            return;
        for (size_t i = 0; i < entry.n_spans; i++)
            check_account(world, &entry, &entry.spans[i]);
    }
}

static void find(struct sim_world *world, struct lines *rows, struct lines *dead)
{
    if (world->profile.is_flat) {
        read_named(world, rows, dead);
    } else {
        read_directory(world, "", rows, NULL);
        read_directory(world, "_tramline/dead", NULL, dead);
    }
}

bool sim_check_is_lost(struct sim_world *world, int32_t partition)
{
    const struct sim_partition *part = &world->topic.partitions[partition];
    struct lines rows = {0}, dead = {0};
    struct log_state state = {0};
    read_log(world, &state);
    find(world, &rows, &dead);
    const struct log_partition *known = log_state_find(&state, partition);
    bool is_lost = part->is_cut && known != NULL && known->next > part->cut_to &&
                   !has_new(&rows, partition);
    lines_release(&rows);
    lines_release(&dead);
    log_state_release(&state);
    return is_lost;
}

static void check_data(struct sim_world *world)
{
    struct lines rows = {0}, dead = {0}, found_rows = {0}, found_dead = {0};
    find(world, &found_rows, &found_dead);
    expect(world, &found_rows, &rows, &dead);
    check_accounts(world);
    compare_lines(world, "row", &rows, &found_rows);
    compare_lines(world, "dead letter", &dead, &found_dead);
    lines_release(&rows);
    lines_release(&dead);
    lines_release(&found_rows);
    lines_release(&found_dead);
}

// How many lines are rows, whatever wrote them.
static enum status count_rows(void *context, const struct verify_file *file, int64_t *ret,
                              struct err *err)
{
    struct sim_world *world = context;
    struct buf bytes AUTO(buf_release) = {0};
    TRY(storage_read_all(world->view, file->path, 1 << 24, &bytes, err));
    *ret = -2; // BEGIN and END
    for (size_t i = 0; i < bytes.n; i++)
        *ret += bytes.p[i] == '\n';
    return ST_OK;
}

static void check_verify(struct sim_world *world)
{
    struct verify_options options = {
        .checksums = true, .count_rows = count_rows, .context = world};
    struct verify_report report;
    struct err err;
    enum status rc = verify_run(world->view, &options, &report, &err);
    if (rc != ST_OK)
        sim_fail(world, "verify: %s", err.text);
    for (size_t i = 0; rc == ST_OK && i < report.n_findings; i++)
        if (report.findings[i].kind == FINDING_ERROR)
            sim_fail(world, "verify: %s", report.findings[i].text.p);
    if (rc == ST_OK && report.n_unmoved)
        sim_fail(world, "verify: %d files are still in tmp", (int)report.n_unmoved);
    verify_report_release(&report);
}

// Rows of a partition come in the order of its records, file after file as the log has
// them.
static void check_rows_order(struct sim_world *world, struct str text,
                             int64_t last[SIM_PARTITIONS_MAX])
{
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        int partition, row;
        int64_t offset;
        if (sscanf(line.p, "%d.%" SCNd64 ".%d", &partition, &offset, &row) != 3)
            continue;
        bool is_of_cut = world->topic.is_cut && partition >= SIM_OTHER_TOPIC;
        partition -= is_of_cut ? SIM_OTHER_TOPIC : 0;
        if (partition >= SIM_PARTITIONS_MAX) {
            if (world->failure.n < FAILURE_BYTES)
                sim_fail(world, "row %.*s of another topic is there once too often",
                         STR_ARGS(line));
            continue;
        }
        int64_t place = 10 * offset + row;
        if (place <= last[partition])
            sim_fail(world, "row %.*s is out of order", STR_ARGS(line));
        last[partition] = place;
    }
}

static void check_entry_order(struct sim_world *world, const struct entry *entry,
                              int64_t last[SIM_PARTITIONS_MAX])
{
    for (size_t i = 0; i < entry->n_files; i++) {
        struct buf bytes AUTO(buf_release) = {0};
        struct err err;
        if (entry->files[i].kind == FILE_DATA &&
            storage_read_all(world->view, entry->files[i].name, 1 << 24, &bytes, &err) ==
                ST_OK)
            check_rows_order(world, str_of(buf_cstr(&bytes)), last);
    }
}

static void check_order(struct sim_world *world)
{
    int64_t last[SIM_PARTITIONS_MAX] = {-1, -1, -1, -1};
    struct err err;
    int64_t end;
    if (log_find_end(world->view, &end, &err) != ST_OK)
        return;
    for (int64_t number = 0; number < end; number++) {
        struct arena arena AUTO(arena_release) = {0};
        struct entry entry;
        if (log_read(world->view, number, &arena, &entry, &err) == ST_OK)
            check_entry_order(world, &entry, last);
    }
}

// The folders that the last claims had to remove: of the writers that the newest snapshot
// lists, or that came after it, and that own nothing.
static void check_folders(struct sim_world *world)
{
    struct log_state state = {0};
    struct err err;
    bool is_there;
    read_log(world, &state);
    for (size_t i = 0; i < state.n_writers; i++) {
        const char *writer = state.writers[i].uuid;
        struct path folder = path_writer(str_of(writer));
        enum status rc = log_exists(world->view, path_str(&folder), &is_there, &err);
        if (rc == ST_OK && is_there && !log_state_is_owner(&state, writer) &&
            strstr(buf_cstr(&world->revived), writer) == NULL)
            sim_fail(world, "%s is left over", folder.text);
    }
    log_state_release(&state);
}

void sim_check(struct sim_world *world)
{
    check_data(world);
    check_order(world);
    check_verify(world);
    sim_check_slots(world);
    if (!world->topic.is_recreated &&
        !world->topic.is_cut) // who cleans up has claimed something before
        check_folders(world);
}
