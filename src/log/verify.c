// SPDX-License-Identifier: Apache-2.0
#include "log/verify.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "log/partitions.h"
#include "log/paths.h"
#include "log/verifier.h"

// Which entries there are.

// A bucket's entries, by their names, rising.
struct bucket {
    int64_t *numbers;
    size_t n, capacity;
};

static void bucket_free(struct bucket *bucket)
{
    free(bucket->numbers);
    *bucket = (struct bucket){0};
}

// What has another name than an entry has there is none. Names have leading zeros, so
// that their order is that of the numbers.
static void note_path(struct bucket *bucket, struct str path, struct str name)
{
    int64_t number;
    if (!str_to_i64(str_cut(&name, '.'), &number) || number < 0 ||
        number > ENTRY_NUMBER_MAX)
        return;
    struct path entry = path_entry(number);
    if (!str_eq(path_str(&entry), path))
        return;
    MEM_GROW(bucket->numbers, bucket->n, bucket->capacity);
    bucket->numbers[bucket->n++] = number;
}

static enum status list_bucket(struct verifier *verifier, struct str name,
                               struct bucket *ret, struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct file_list list;
    const char *path = arena_printf(&arena, "_tramline/log/%.*s", STR_ARGS(name));
    TRY(verifier_list(verifier, str_of(path), &arena, &list, err));
    bucket_free(ret);
    for (size_t i = 0; i < list.n; i++) {
        struct str file = list.items[i].name;
        note_path(ret, str_of(arena_printf(&arena, "%s/%.*s", path, STR_ARGS(file))),
                  file);
    }
    return ST_OK;
}

static int compare_buckets(const void *a, const void *b)
{
    const struct file_info *x = a, *y = b;
    if (x->name.n != y->name.n)
        return x->name.n < y->name.n ? -1 : 1;
    return str_compare(x->name, y->name);
}

// The directories of buckets, in the order of their numbers.
static enum status list_buckets(struct verifier *verifier, struct arena *arena,
                                struct file_list *ret, struct err *err)
{
    TRY(verifier_list(verifier, STR_LITERAL("_tramline/log"), arena, ret, err));
    if (ret->n)
        qsort(ret->items, ret->n, sizeof(*ret->items), compare_buckets);
    return ST_OK;
}

// By listing, so that an entry that is missing anywhere shows: the first bucket that
// holds something, and the last one.
static enum status find_entries(struct verifier *verifier, const struct file_list *list,
                                struct err *err)
{
    struct bucket bucket AUTO(bucket_free) = {0};
    for (size_t i = 0; i < list->n && bucket.n == 0; i++)
        TRY(list_bucket(verifier, list->items[i].name, &bucket, err));
    if (bucket.n == 0)
        return err_set(err, ST_NOT_FOUND,
                       "%s holds no commit log: nothing has been written there",
                       verifier->storage->url);
    verifier->report->first_entry = bucket.numbers[0];
    bucket_free(&bucket);
    for (size_t i = list->n; i > 0 && bucket.n == 0; i--)
        TRY(list_bucket(verifier, list->items[i - 1].name, &bucket, err));
    verifier->end = bucket.n ? bucket.numbers[bucket.n - 1] + 1 : 0;
    return ST_OK;
}

// One entry after another.

static size_t place_of(const struct verifier *verifier, int32_t partition)
{
    return partitions_place(verifier->partitions, verifier->n_partitions,
                            sizeof(*verifier->partitions), partition);
}

static struct seen_partition *seen(const struct verifier *verifier, int32_t partition)
{
    size_t i = place_of(verifier, partition);
    bool found =
        i < verifier->n_partitions && verifier->partitions[i].partition == partition;
    return found ? &verifier->partitions[i] : NULL;
}

static struct seen_partition *see(struct verifier *verifier, int32_t partition,
                                  int64_t next)
{
    MEM_GROW(verifier->partitions, verifier->n_partitions, verifier->partitions_capacity);
    struct seen_partition *added = &verifier->partitions[place_of(verifier, partition)];
    size_t n_after = verifier->n_partitions++ - (size_t)(added - verifier->partitions);
    memmove(added + 1, added, n_after * sizeof(*added));
    *added = (struct seen_partition){
        .partition = partition, .first = next, .next = next, .writer = {"", 0}};
    return added;
}

static void check_span_sums(struct verifier *verifier, const struct entry *entry,
                            const struct span *span)
{
    if (!span_adds_up(span))
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 ": partition %" PRId32
                      ": the offsets from %" PRId64 " to %" PRId64
                      " do not add up with its records",
                      entry->number, span->partition, span->first, span->next);
    bool is_inside = span->last.offset >= span->first && span->last.offset < span->next;
    if (span->data > 0 && !is_inside)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 ": partition %" PRId32 ": its last record %" PRId64
                      " is not among the offsets from %" PRId64 " to %" PRId64,
                      entry->number, span->partition, span->last.offset, span->first,
                      span->next);
    if (span->gap > 0)
        verifier_find(
            verifier, FINDING_NOTE,
            "entry %" PRId64 ": partition %" PRId32 ": %s had left the topic unread",
            entry->number, span->partition, text_counted(span->gap, "offset", "offsets"));
}

static void check_span(struct verifier *verifier, const struct entry *entry,
                       const struct span *span)
{
    struct seen_partition *before = seen(verifier, span->partition);
    check_span_sums(verifier, entry, span);
    if (before == NULL)
        before = see(verifier, span->partition, span->first);
    if (span->first != before->next)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 ": partition %" PRId32 " begins at %" PRId64
                      ", but the entries before end at %" PRId64 ": %s",
                      entry->number, span->partition, span->first, before->next,
                      span->first > before->next ? "a gap" : "duplicates");
    bool has_claim = str_eq(before->writer, entry->writer);
    if (entry->kind == ENTRY_COMMIT && !has_claim && entry->number > 0 &&
        before->writer.n)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 ": partition %" PRId32
                      " was claimed by another writer before",
                      entry->number, span->partition);
    if (span->next > span->first)
        before->epoch = span->epoch;
    before->next = span->next;
    if (entry->kind != ENTRY_JOB)
        before->writer = arena_str(&verifier->report->arena, entry->writer);
}

static void check_topic_id(struct verifier *verifier, const struct entry *entry)
{
    struct verify_report *report = verifier->report;
    if (entry->topic_id.n == 0)
        return;
    if (report->topic_id.n > 0 && !str_eq(report->topic_id, entry->topic_id))
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 " was read from a topic with the id %.*s, those "
                      "before it from one with the id %.*s: the topic was recreated",
                      entry->number, STR_ARGS(entry->topic_id),
                      STR_ARGS(report->topic_id));
    report->topic_id = arena_str(&report->arena, entry->topic_id);
}

static void check_kind(struct verifier *verifier, const struct entry *entry)
{
    bool moves = entry->n_files > 0 && entry->kind != ENTRY_REPLAY;
    if (entry->kind == ENTRY_REPLAY && entry->n_spans > 0)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 " is a replay and has partitions all the same",
                      entry->number);
    for (size_t i = 0; i < entry->n_spans; i++)
        moves |= entry->spans[i].next != entry->spans[i].first;
    if (entry->kind != ENTRY_COMMIT && moves)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 " is a %s and has data all the same",
                      entry->number, entry_kind_name(entry->kind));
    if ((entry->kind == ENTRY_JOB) != (entry->number == 0))
        verifier_find(verifier, FINDING_ERROR, "entry %" PRId64 " is of kind '%s'",
                      entry->number, entry_kind_name(entry->kind));
    const struct job_identity *job = &verifier->job;
    if (!str_eq(entry->job.cluster, job->cluster) ||
        !str_eq(entry->job.topic, job->topic) || !str_eq(entry->job.group, job->group))
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 " is of another job: topic '%.*s', group '%.*s'",
                      entry->number, STR_ARGS(entry->job.topic),
                      STR_ARGS(entry->job.group));
}

static void check_chain(struct verifier *verifier, const struct entry *entry)
{
    int64_t number = entry->number;
    if (number > verifier->report->first_entry &&
        strcmp(entry->prev, verifier->last_checksum) != 0)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 " does not follow on the entry before it: one of "
                      "them was changed",
                      number);
    memcpy(verifier->last_checksum, entry->checksum, SHA256_HEX);
}

static void check_snapshot(struct verifier *verifier, const struct entry *entry)
{
    const struct snapshot *snapshot = &entry->snapshot;
    for (size_t i = 0; i < snapshot->n_partitions; i++) {
        const struct progress *progress = &snapshot->partitions[i];
        const struct seen_partition *before = seen(verifier, progress->partition);
        if (before == NULL)
            see(verifier, progress->partition, progress->next)->writer =
                arena_str(&verifier->report->arena, progress->writer);
        else if (before->next != progress->next)
            verifier_find(verifier, FINDING_ERROR,
                          "entry %" PRId64 ": its snapshot has partition %" PRId32
                          " at %" PRId64 ", the entries before end at %" PRId64,
                          entry->number, progress->partition, progress->next,
                          before->next);
    }
}

// Mostly the same for all entries: then it is kept once.
static struct str keep_schema(const struct verifier *verifier, struct str schema)
{
    const struct named_file *last =
        verifier->n_files ? &verifier->files[verifier->n_files - 1] : NULL;
    if (last != NULL && str_eq(last->schema, schema))
        return last->schema;
    return arena_str(&verifier->report->arena, schema);
}

static void note_file(struct verifier *verifier, const struct entry *entry,
                      const struct entry_file *file)
{
    struct arena *arena = &verifier->report->arena;
    MEM_GROW(verifier->files, verifier->n_files, verifier->files_capacity);
    struct named_file named = {.number = entry->number, .file = *file};
    named.file.name = arena_str(arena, file->name);
    named.file.tmp = arena_str(arena, file->tmp);
    named.schema = keep_schema(verifier, entry->schema);
    named.format = file_format_copy(arena, &entry->format);
    verifier->files[verifier->n_files++] = named;
}

static void check_entry_files(struct verifier *verifier, const struct entry *entry)
{
    int64_t rows = 0, dead = 0, rejected = entry->replay.rejected;
    for (size_t i = 0; i < entry->n_files; i++) {
        const struct entry_file *file = &entry->files[i];
        *(file->kind == FILE_DATA ? &rows : &dead) += file->rows;
        note_file(verifier, entry, file);
    }
    for (size_t i = 0; i < entry->n_spans; i++)
        rejected += entry->spans[i].rejected;
    if (rows != entry->rows || dead != rejected)
        verifier_find(
            verifier, FINDING_ERROR,
            "entry %" PRId64 ": its files hold %s and %s, but it counts %" PRId64
            " and %" PRId64,
            entry->number, text_counted(rows, "row", "rows"),
            text_counted(dead, "dead letter", "dead letters"), entry->rows, rejected);
}

// Of a forged log there may be more than a number holds.
static void add(int64_t *sum, int64_t count)
{
    *sum = count > 0 && *sum > INT64_MAX - count ? INT64_MAX : *sum + count;
}

static void count_span(struct verify_report *report, const struct span *span)
{
    add(&report->records, span->data);
    add(&report->ignored, span->ignored);
    add(&report->rejected, span->rejected);
    add(&report->skipped, span->skipped > span->gap ? span->skipped - span->gap : 0);
    add(&report->control, span->control);
    add(&report->aborted, span->aborted);
    add(&report->hole, span->hole);
    add(&report->gap, span->gap);
}

static void count_entry(struct verify_report *report, const struct entry *entry)
{
    report->n_entries++;
    report->n_commits += entry->kind == ENTRY_COMMIT;
    report->n_claims += entry->kind == ENTRY_CLAIM;
    report->n_replays += entry->kind == ENTRY_REPLAY;
    add(&report->replayed, entry->replay.records);
    add(&report->again, entry->replay.rejected);
    add(&report->rows, entry->rows);
    add(&report->matched, entry->matched);
    for (size_t i = 0; i < entry->n_spans; i++)
        count_span(report, &entry->spans[i]);
    for (size_t i = 0; i < entry->n_files; i++) {
        bool is_data = entry->files[i].kind == FILE_DATA;
        report->n_data_files += is_data;
        report->n_dead_files += !is_data;
        add(&report->bytes, is_data ? entry->files[i].bytes : 0);
    }
}

// Of letters whose entry was removed nothing is known any more.
static void check_replay(struct verifier *verifier, const struct entry *entry)
{
    struct replay known = entry->replay;
    int64_t done;
    while (known.n_letters > 0 && known.letters->entry < verifier->report->first_entry) {
        known.letters++;
        known.n_letters--;
    }
    const struct letter_range *refused = letters_take(&verifier->letters, &known);
    if (refused != NULL)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 " replays letters of entry %" PRId64
                      " from %" PRId64
                      " on that are not there, or that another replay took",
                      entry->number, refused->entry, refused->first);
    if (__builtin_add_overflow(entry->replay.ignored, entry->replay.rejected, &done) ||
        done > entry->replay.records || entry->matched > entry->replay.records - done)
        verifier_find(verifier, FINDING_ERROR,
                      "entry %" PRId64 ": what became of its letters does not add up",
                      entry->number);
}

static void keep_job(struct verifier *verifier, const struct entry *entry)
{
    struct arena *arena = &verifier->report->arena;
    verifier->job = (struct job_identity){
        .cluster = arena_str(arena, entry->job.cluster),
        .topic = arena_str(arena, entry->job.topic),
        .group = arena_str(arena, entry->job.group),
    };
}

static void check_entry(struct verifier *verifier, const struct entry *entry)
{
    if (entry->number == verifier->report->first_entry)
        keep_job(verifier, entry);
    check_chain(verifier, entry);
    check_kind(verifier, entry);
    check_topic_id(verifier, entry);
    if (entry->has_snapshot) {
        check_snapshot(verifier, entry);
        int64_t removable = entry_removable(entry);
        if (removable > verifier->removable)
            verifier->removable = removable;
    }
    for (size_t i = 0; i < entry->n_spans; i++)
        check_span(verifier, entry, &entry->spans[i]);
    check_entry_files(verifier, entry);
    if (entry->kind == ENTRY_REPLAY)
        check_replay(verifier, entry);
    letters_note(&verifier->letters, entry);
    count_entry(verifier->report, entry);
}

static enum status verify_entry(struct verifier *verifier, int64_t number,
                                struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct entry entry;
    struct err why;
    enum status rc = log_read(verifier->storage, number, &arena, &entry, &why);
    if (rc == ST_OK)
        check_entry(verifier, &entry);
    else if (rc == ST_NOT_FOUND)
        verifier_find(verifier, FINDING_ERROR, "entry %" PRId64 " is not there", number);
    else if (rc == ST_DATA)
        verifier_find(verifier, FINDING_ERROR, "entry %" PRId64 ": %s", number, why.text);
    else
        return err_set(err, rc, "%s", why.text);
    verifier_progress(verifier, number - verifier->report->first_entry + 1);
    return ST_OK;
}

static void report_partitions(struct verifier *verifier)
{
    struct verify_report *report = verifier->report;
    report->n_partitions = verifier->n_partitions;
    report->partitions =
        arena_array(&report->arena, report->n_partitions, sizeof(*report->partitions));
    for (size_t i = 0; i < verifier->n_partitions; i++)
        report->partitions[i] = (struct verify_partition){
            verifier->partitions[i].partition,
            verifier->partitions[i].first,
            verifier->partitions[i].next,
            verifier->partitions[i].epoch,
        };
}

// Removal goes from the oldest bucket on, and only where a snapshot covers all of it.
static void check_beginning(struct verifier *verifier)
{
    int64_t first = verifier->report->first_entry;
    if (first > 0 && bucket_of(first - 1) >= bucket_of(verifier->removable))
        verifier_find(verifier, FINDING_ERROR,
                      "the log begins at entry %" PRId64
                      ": those before it are gone, and no snapshot covers them",
                      first);
}

static void tell_missing(struct verifier *verifier, int64_t first, int64_t next)
{
    if (next == first + 1)
        verifier_find(verifier, FINDING_ERROR, "entry %" PRId64 " is not there", first);
    else if (next > first)
        verifier_find(verifier, FINDING_ERROR,
                      "entries %" PRId64 " to %" PRId64 " are not there", first,
                      next - 1);
}

// From `*expected` on, as far as the bucket goes.
static enum status verify_bucket(struct verifier *verifier, struct str name,
                                 int64_t *expected, struct err *err)
{
    struct bucket bucket AUTO(bucket_free) = {0};
    TRY(list_bucket(verifier, name, &bucket, err));
    for (size_t i = 0; i < bucket.n; i++) {
        int64_t number = bucket.numbers[i];
        if (number < *expected || number >= verifier->end)
            continue;
        tell_missing(verifier, *expected, number);
        TRY(verify_entry(verifier, number, err));
        *expected = number + 1;
    }
    return ST_OK;
}

// Entry by entry as they are listed: a number far away costs no more than a near one.
static enum status verify_entries(struct verifier *verifier, struct err *err)
{
    struct arena arena AUTO(arena_release) = {0};
    struct file_list list;
    TRY(list_buckets(verifier, &arena, &list, err));
    TRY(find_entries(verifier, &list, err));
    int64_t expected = verifier->report->first_entry;
    for (size_t i = 0; i < list.n; i++)
        TRY(verify_bucket(verifier, list.items[i].name, &expected, err));
    tell_missing(verifier, expected, verifier->end);
    return ST_OK;
}

static enum status verify_all(struct verifier *verifier, struct err *err)
{
    TRY(verify_entries(verifier, err));
    check_beginning(verifier);
    report_partitions(verifier);
    return verify_files(verifier, err);
}

enum status verify_run(struct storage *storage, const struct verify_options *options,
                       struct verify_report *ret, struct err *err)
{
    struct verifier verifier = {.storage = storage, .options = options, .report = ret};
    *ret = (struct verify_report){0};
    ret->findings = arena_array(&ret->arena, FINDINGS_MAX, sizeof(struct finding));
    enum status rc = verify_all(&verifier, err);
    free(verifier.partitions);
    free(verifier.files);
    letters_release(&verifier.letters);
    return rc;
}

void verify_report_release(struct verify_report *report)
{
    arena_release(&report->arena);
    *report = (struct verify_report){0};
}
