// SPDX-License-Identifier: Apache-2.0
#include "gtfs/extract.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "core/format.h"
#include "gtfs/feed_kind.h"
#include "gtfs/swap.h"

#define OLD_MS (INT64_C(24) * 3600 * 1000)

// One run: the tables and what was made for each of them.
struct extract {
    struct feed *feed;
    const struct extract_table *tables;
    size_t n_tables;
    const struct extract_settings *settings;
    struct storage *root;
    struct env *env;
    struct feed_manifest manifest; // its tables are in the order of ours
    char **temporaries;            // staged and not yet renamed; NULL: none
    struct feed_place *places;     // the same tables, for gtfs/swap.h
    struct feed_move *moves;
};

// Passes a member's bytes on, counting them and their checksum, and tells progress.
struct counting_reader {
    struct reader reader;
    struct feed_member *member;
    const char *name;
    struct feed_progress *progress; // NULL: nobody is told
    struct checksummer *sum;
    int64_t n_bytes;
};

static enum status read_counting(struct reader *reader, void *p, size_t capacity,
                                 size_t *ret_n, struct err *err)
{
    struct counting_reader *counting = (struct counting_reader *)reader;
    TRY(counting->member->reader.read(&counting->member->reader, p, capacity, ret_n,
                                      err));
    checksummer_add(counting->sum, p, *ret_n);
    counting->n_bytes += (int64_t)*ret_n;
    if (counting->progress != NULL)
        counting->progress->bytes(counting->progress, counting->name, counting->n_bytes,
                                  counting->member->size);
    return ST_OK;
}

static char *member_name(const struct extract_table *table)
{
    return mem_printf("%s.txt", table->name);
}

char *extract_file_name(const struct extract_table *table)
{
    return mem_printf("%s.%s", table->name, table->extension);
}

static enum status count_rows(struct rows *rows, int64_t *ret, struct err *err)
{
    struct batch batch;
    batch_init(&batch, rows->schema->n);
    enum status rc;
    *ret = 0;
    do {
        rc = rows->ops->next(rows, &batch, err);
        *ret += (int64_t)batch.n_rows;
    } while (rc == ST_OK && batch.n_rows > 0);
    batch_release(&batch);
    return rc;
}

static enum status read_rows(struct extract *extract, size_t index, const char *name,
                             struct feed_member *member, struct err *err)
{
    const struct extract_table *table = &extract->tables[index];
    const struct extract_settings *settings = extract->settings;
    struct feed_table *staged = &extract->manifest.tables[index];
    AUTO(mem_auto_free)
    char *shown = mem_printf("%s: %s", feed_source(extract->feed), name);
    struct rows *rows;
    TRY(csv_table_read(&member->reader, shown, table->schema, &table->reading, &rows,
                       err));
    enum status rc = count_rows(rows, &staged->n_rows, err);
    staged->present = !csv_table_stats(rows)->is_empty;
    if (rc == ST_OK && settings->read != NULL)
        settings->read(settings->context, table, rows);
    rows->ops->close(rows);
    return rc;
}

// Every row, as a job will read it.
static enum status read_table(struct extract *extract, size_t index, struct err *err)
{
    const struct extract_table *table = &extract->tables[index];
    AUTO(mem_auto_free) char *name = member_name(table);
    extract->manifest.tables[index].n_rows = 0;
    if (!feed_has(extract->feed, name))
        return table->optional
                   ? ST_OK
                   : err_set(err, ST_NOT_FOUND,
                             "%s: no member %s; a table that a feed may lack is declared "
                             "with optional = true",
                             feed_source(extract->feed), name);
    struct feed_member *member;
    TRY(feed_member_open(extract->feed, name, &member, err));
    enum status rc = read_rows(extract, index, name, member, err);
    feed_member_close(member);
    return rc;
}

// A feed that is cut off or half made looks like a good one with fewer rows.
static enum status check_rows(const struct extract *extract, size_t index,
                              struct err *err)
{
    const struct extract_table *table = &extract->tables[index];
    const char *source = feed_source(extract->feed);
    int64_t n = extract->manifest.tables[index].n_rows, before = table->n_rows_before;
    int max = extract->settings->max_shrink;
    if (extract->settings->force)
        return ST_OK;
    if (n == 0 && !table->optional)
        return err_set(err, ST_DATA,
                       "%s: %s.txt has no rows; if that is right, run extract with "
                       "--force, or declare the table with optional = true",
                       source, table->name);
    if (before <= 0 || (double)n >= (double)before * (100 - max) / 100)
        return ST_OK;
    return err_set(
        err, ST_DATA,
        "%s: %s.txt has %s, the staged table %lld: it lost more than "
        "extract.max_shrink = '%d%%'; if that is right, run extract with --force",
        source, table->name, text_counted(n, "row", "rows"), (long long)before, max);
}

// What lies there is what was sent.
static enum status compare(const struct extract_table *table, const char *path,
                           const struct feed_table *sent, struct err *err)
{
    struct storage *st = table->storage;
    struct checksum there;
    TRY(st->ops->checksum(st, str_of(path), &there, err));
    enum status rc = checksum_check_kinds(&there, &sent->checksum, err);
    if (rc != ST_OK)
        return err_context(err, rc, "%s/%s", st->url, path);
    if (checksum_eq(&sent->checksum, &there))
        return ST_OK;
    return err_set(err, ST_FAIL,
                   "%s/%s: differs from the %lld bytes that were sent; run extract again",
                   st->url, path, (long long)sent->size);
}

// The temporary name under which the table's next file is made.
static struct str new_temporary(struct extract *extract, size_t index)
{
    char uuid[UUID_TEXT];
    env_uuid(extract->env, uuid);
    free(extract->temporaries[index]);
    extract->temporaries[index] = mem_printf("_tmp-%s", uuid);
    return str_of(extract->temporaries[index]);
}

static enum status stage(struct extract *extract, size_t index, struct err *err)
{
    const struct extract_table *table = &extract->tables[index];
    struct feed_table *staged = &extract->manifest.tables[index];
    AUTO(mem_auto_free) char *name = member_name(table);
    if (!staged->present)
        return ST_OK;
    struct feed_member *member;
    struct storage *st = table->storage;
    TRY(st->ops->mkdir(st, str_of(""), err));
    TRY(feed_member_open(extract->feed, name, &member, err));
    struct counting_reader counting = {
        .reader = {.read = read_counting},
        .member = member,
        .name = name,
        .progress = extract->feed->options.progress,
        .sum = checksummer_open(st->checksum_kind),
    };
    enum status rc = st->ops->write(st, new_temporary(extract, index), &counting.reader,
                                    member->size, err);
    staged->size = counting.n_bytes;
    checksummer_finish(counting.sum, &staged->checksum);
    staged->from = staged->checksum;
    checksummer_free(counting.sum);
    feed_member_close(member);
    return rc == ST_OK ? compare(table, extract->temporaries[index], staged, err) : rc;
}

static enum status convert(struct extract *extract, size_t index, struct err *err)
{
    const struct extract_table *table = &extract->tables[index];
    struct feed_table *staged = &extract->manifest.tables[index];
    struct storage *st = table->storage;
    if (!staged->present || table->convert == NULL)
        return ST_OK;
    AUTO(mem_auto_free) char *csv = mem_strdup(extract->temporaries[index]);
    struct feed_file made;
    enum status rc = table->convert(table->context, str_of(csv),
                                    new_temporary(extract, index), &made, err);
    struct err ignored; // a later run removes what is left
    (void)!st->ops->remove(st, str_of(csv), &ignored);
    TRY(rc);
    staged->size = made.size;
    staged->checksum = made.checksum;
    return compare(table, extract->temporaries[index], staged, err);
}

// The file that the table is staged as, NULL when there is none.
static enum status find_staged(const struct extract_table *table, struct arena *arena,
                               const char **ret, struct err *err)
{
    struct storage *st = table->storage;
    *ret = NULL;
    for (size_t i = 0; i < n_formats && *ret == NULL; i++) {
        const struct format_files *files = formats[i]->files;
        if (files == NULL)
            continue;
        const char *name = arena_printf(arena, "%s.%s", table->name, files->extension);
        struct file_info info;
        enum status rc = st->ops->stat(st, str_of(name), &info, err);
        if (rc != ST_NOT_FOUND)
            TRY(rc);
        if (rc == ST_OK)
            *ret = name;
    }
    return ST_OK;
}

static enum status make_moves(struct extract *extract, struct err *err)
{
    struct arena *arena = &extract->manifest.arena;
    char uuid[UUID_TEXT];
    env_uuid(extract->env, uuid);
    for (size_t i = 0; i < extract->n_tables; i++) {
        const struct extract_table *table = &extract->tables[i];
        struct feed_move *move = &extract->moves[i];
        *move = (struct feed_move){
            .table = table->name,
            .from = extract->temporaries[i],
            .to = arena_printf(arena, "%s.%s", table->name, table->extension),
        };
        TRY(find_staged(table, arena, &move->was, err));
        if (move->was != NULL)
            move->kept = arena_printf(arena, "_kept-%s%s", uuid, strrchr(move->was, '.'));
    }
    return ST_OK;
}

// What _feed.json says now; nothing where there is none that can be read. *ret_text is
// NULL then.
static enum status read_feed(struct storage *root, struct feed_manifest *ret,
                             struct buf *text, const char **ret_text, struct err *err)
{
    *ret_text = NULL;
    enum status rc = feed_manifest_read(root, ret, err);
    if (rc != ST_OK)
        return rc == ST_NOT_FOUND || rc == ST_DATA ? ST_OK : rc;
    TRY(storage_read_all(root, str_of(FEED_MANIFEST_NAME), FEED_MANIFEST_BYTES, text,
                         err));
    *ret_text = buf_cstr(text);
    return ST_OK;
}

// Made of the same bytes; those of Avro files differ each time.
static bool is_same(const struct feed_manifest *a, const struct feed_manifest *b)
{
    bool is = a->n_tables == b->n_tables;
    for (size_t i = 0; i < a->n_tables && is; i++) {
        const struct feed_table *one = &a->tables[i];
        const struct feed_table *other = feed_manifest_find(b, one->name);
        is = other != NULL && one->present == other->present &&
             str_eq(one->path, other->path) && checksum_eq(&one->from, &other->from);
    }
    return is;
}

// The same tables once more replace themselves: the version before stays the one to go
// back to.
static void keep_nothing(struct extract *extract)
{
    for (size_t i = 0; i < extract->n_tables; i++)
        extract->moves[i].kept = NULL;
}

static bool has_staged(const struct extract *extract)
{
    bool has = false;
    for (size_t i = 0; i < extract->n_tables; i++)
        has = has || extract->moves[i].was != NULL;
    return has;
}

static enum status replace_all(struct extract *extract, struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    AUTO(feed_manifest_release) struct feed_manifest old = {0};
    const char *before;
    TRY(read_feed(extract->root, &old, &text, &before, err));
    TRY(make_moves(extract, err));
    AUTO(mem_auto_free) char *feed = feed_manifest_text(&extract->manifest);
    bool same = before != NULL && is_same(&extract->manifest, &old);
    if (same)
        keep_nothing(extract);
    AUTO(mem_auto_free)
    char *kept = feed_kept_text(extract->moves, extract->n_tables, before);
    struct feed_swap swap = {
        .moves = extract->moves,
        .n_moves = extract->n_tables,
        .feed = feed,
        .kept = kept,
        .leaves_kept = same || !has_staged(extract),
    };
    bool begun;
    enum status rc = feed_swap_run(extract->root, extract->places, extract->n_tables,
                                   &swap, extract->env, &begun, err);
    for (size_t i = 0; i < extract->n_tables && begun; i++) {
        free(extract->temporaries[i]); // the file is not ours any more
        extract->temporaries[i] = NULL;
    }
    return rc;
}

static void remove_temporaries(struct extract *extract)
{
    for (size_t i = 0; i < extract->n_tables; i++) {
        struct storage *st = extract->tables[i].storage;
        const char *name = extract->temporaries[i];
        struct err ignored; // a later run removes what is left
        if (name != NULL)
            (void)!st->ops->remove(st, str_of(name), &ignored);
        free(extract->temporaries[i]);
    }
    free(extract->temporaries);
}

// To the letter: what others keep there is left alone.
static bool is_temporary(struct str name)
{
    size_t n = strlen("_tmp-");
    return str_starts_with(name, "_tmp-") &&
           env_is_uuid((struct str){name.p + n, name.n - n});
}

// Temporary files of runs that were killed. What cannot be listed is left alone.
static void remove_old(struct storage *st, int64_t now_ms)
{
    struct arena arena = {0};
    struct file_list list = {0};
    struct err ignored;
    if (st->ops->list(st, str_of(""), &arena, &list, &ignored) != ST_OK)
        list.n = 0;
    for (size_t i = 0; i < list.n; i++) {
        const struct file_info *file = &list.items[i];
        bool is_old = file->modified_ms < now_ms - OLD_MS;
        if (!file->is_directory && is_old && is_temporary(file->name))
            (void)!st->ops->remove(st, file->name, &ignored);
    }
    arena_release(&arena);
}

static void init_manifest(struct extract *extract)
{
    struct feed_manifest *manifest = &extract->manifest;
    struct arena *arena = &manifest->arena;
    manifest->source = arena_str(arena, str_of(feed_source(extract->feed)));
    manifest->time_ms = extract->env->ops->wall_ms(extract->env);
    manifest->n_tables = extract->n_tables;
    manifest->tables =
        arena_array(arena, extract->n_tables + 1, sizeof(struct feed_table));
    for (size_t i = 0; i < extract->n_tables; i++) {
        const struct extract_table *table = &extract->tables[i];
        manifest->tables[i] = (struct feed_table){
            .name = arena_str(arena, str_of(table->name)),
            .path = str_of(arena_printf(arena, "%s/%s.%s", table->storage->url,
                                        table->name, table->extension)),
        };
    }
}

static enum status run(struct extract *extract, struct err *err)
{
    init_manifest(extract);
    for (size_t i = 0; i < extract->n_tables; i++)
        TRY(read_table(extract, i, err));
    for (size_t i = 0; i < extract->n_tables; i++)
        TRY(check_rows(extract, i, err));
    for (size_t i = 0; i < extract->n_tables; i++)
        TRY(stage(extract, i, err));
    for (size_t i = 0; i < extract->n_tables; i++)
        TRY(convert(extract, i, err));
    TRY(replace_all(extract, err));
    for (size_t i = 0; i < extract->n_tables; i++)
        remove_old(extract->tables[i].storage, extract->manifest.time_ms);
    return ST_OK;
}

enum status gtfs_extract(struct feed *feed, const struct extract_table *tables,
                         size_t n_tables, const struct extract_settings *settings,
                         struct storage *root, struct env *env, struct feed_manifest *ret,
                         struct err *err)
{
    struct extract extract = {
        .feed = feed,
        .tables = tables,
        .n_tables = n_tables,
        .settings = settings,
        .root = root,
        .env = env,
        .temporaries = mem_array(n_tables + 1, sizeof(*extract.temporaries)),
        .places = mem_array(n_tables + 1, sizeof(*extract.places)),
        .moves = mem_array(n_tables + 1, sizeof(*extract.moves)),
    };
    for (size_t i = 0; i < n_tables; i++)
        extract.places[i] = (struct feed_place){tables[i].name, tables[i].storage};
    enum status rc = run(&extract, err);
    remove_temporaries(&extract);
    free(extract.places);
    free(extract.moves);
    if (rc == ST_OK)
        *ret = extract.manifest;
    else
        feed_manifest_release(&extract.manifest);
    return rc;
}
