// SPDX-License-Identifier: Apache-2.0
#include "gtfs/extract.h"

#include <stdlib.h>

#include "base/mem.h"
#include "csv/header.h"
#include "gtfs/feed_kind.h"

#define OLD_MS (INT64_C(24) * 3600 * 1000)

enum {
    HEADER_PIECE = 64 << 10
};

// One run: the tables and what was made for each of them.
struct extract {
    struct feed *feed;
    const struct extract_table *tables;
    size_t n_tables;
    struct env *env;
    struct feed_manifest manifest; // its tables are in the order of ours
    char **temporaries;            // staged and not yet renamed; NULL: none
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

static const char *const extensions[] = {"csv", "avro"}; // that a table may be staged as

static const char *extension_of(const struct extract_table *table)
{
    return table->extension ? table->extension : "csv";
}

static bool is_present(const struct extract *extract, const struct extract_table *table)
{
    AUTO(mem_auto_free) char *name = member_name(table);
    return feed_has(extract->feed, name);
}

static enum status check_header(struct feed *feed, const char *name,
                                const struct schema *schema, struct err *err)
{
    struct feed_member *member;
    TRY(feed_member_open(feed, name, &member, err));
    struct csv_window window;
    struct csv_header header = {0};
    csv_window_init(&window, &member->reader, 0, HEADER_PIECE);
    enum status rc = csv_window_begin(&window, err);
    if (rc == ST_OK)
        rc = csv_header_read(&window, schema, &header, err);
    if (rc == ST_DATA)
        rc = err_context(err, rc, "%s: %s", feed_source(feed), name);
    csv_header_release(&header);
    csv_window_release(&window);
    feed_member_close(member);
    return rc;
}

static enum status check_table(const struct extract *extract,
                               const struct extract_table *table, struct err *err)
{
    AUTO(mem_auto_free) char *name = member_name(table);
    if (!feed_has(extract->feed, name))
        return table->optional
                   ? ST_OK
                   : err_set(err, ST_NOT_FOUND,
                             "%s: no member %s; a table that a feed may lack is declared "
                             "with optional = true",
                             feed_source(extract->feed), name);
    if (table->schema == NULL || !table->header)
        return ST_OK;
    return check_header(extract->feed, name, table->schema, err);
}

// What lies there is what was sent.
static enum status compare(const struct extract_table *table, const char *path,
                           const struct feed_table *sent, struct err *err)
{
    struct storage *st = table->storage;
    struct checksum there;
    TRY(st->ops->checksum(st, str_of(path), &there, err));
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
    TRY(feed_member_open(extract->feed, name, &member, err));
    struct counting_reader counting = {
        .reader = {read_counting},
        .member = member,
        .name = name,
        .progress = extract->feed->options.progress,
        .sum = checksummer_open(CHECKSUM_BLOCK_BYTES),
    };
    struct storage *st = table->storage;
    enum status rc = st->ops->write(st, new_temporary(extract, index), &counting.reader,
                                    member->size, err);
    staged->size = counting.n_bytes;
    checksummer_finish(counting.sum, &staged->checksum);
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

static enum status remove_file(const struct extract_table *table, const char *extension,
                               struct err *err)
{
    AUTO(mem_auto_free) char *name = mem_printf("%s.%s", table->name, extension);
    enum status rc = table->storage->ops->remove(table->storage, str_of(name), err);
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static enum status replace(struct extract *extract, size_t index, struct err *err)
{
    const struct extract_table *table = &extract->tables[index];
    struct storage *st = table->storage;
    const char *kept = NULL;
    if (extract->temporaries[index] != NULL) {
        kept = extension_of(table);
        AUTO(mem_auto_free) char *name = mem_printf("%s.%s", table->name, kept);
        TRY(st->ops->replace(st, str_of(extract->temporaries[index]), str_of(name), err));
        free(extract->temporaries[index]);
        extract->temporaries[index] = NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(extensions); i++)
        if (kept == NULL || strcmp(kept, extensions[i]) != 0)
            TRY(remove_file(table, extensions[i], err));
    return ST_OK;
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
        if (!file->is_directory && is_old && str_starts_with(file->name, "_tmp-"))
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
                                        table->name, extension_of(table))),
            .present = is_present(extract, table),
        };
    }
}

static enum status run(struct extract *extract, struct storage *root, struct err *err)
{
    for (size_t i = 0; i < extract->n_tables; i++)
        TRY(check_table(extract, &extract->tables[i], err));
    init_manifest(extract);
    for (size_t i = 0; i < extract->n_tables; i++)
        TRY(stage(extract, i, err));
    for (size_t i = 0; i < extract->n_tables; i++)
        TRY(convert(extract, i, err));
    for (size_t i = 0; i < extract->n_tables; i++)
        TRY(replace(extract, i, err));
    for (size_t i = 0; i < extract->n_tables; i++)
        remove_old(extract->tables[i].storage, extract->manifest.time_ms);
    char uuid[UUID_TEXT];
    env_uuid(extract->env, uuid);
    return feed_manifest_write(root, &extract->manifest, uuid, err);
}

enum status gtfs_extract(struct feed *feed, const struct extract_table *tables,
                         size_t n_tables, struct storage *root, struct env *env,
                         struct feed_manifest *ret, struct err *err)
{
    struct extract extract = {
        .feed = feed, .tables = tables, .n_tables = n_tables, .env = env};
    extract.temporaries = mem_array(n_tables + 1, sizeof(*extract.temporaries));
    enum status rc = run(&extract, root, err);
    remove_temporaries(&extract);
    if (rc == ST_OK)
        *ret = extract.manifest;
    else
        feed_manifest_release(&extract.manifest);
    return rc;
}
