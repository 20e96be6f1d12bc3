// SPDX-License-Identifier: Apache-2.0
// A feed that is a zip file, by libarchive. Only the reader that goes by the zip's
// directory is used: a cut file has none and is refused, instead of read in part.
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdlib.h>

#include "gtfs/feed_kind.h"

enum {
    BLOCK_BYTES = 64 << 10,
    ENTRIES_MAX = 10000
};

struct zip_member {
    struct feed_member member;
    struct archive *archive;
    const struct feed *feed;
    const char *path;
};

// Some of libarchive's texts end in a line break.
static struct str reason(struct archive *archive)
{
    return str_trim(str_of(archive_error_string(archive)));
}

// "begins with ..." tells a page of HTML from a broken zip.
static enum status not_a_zip(const struct feed *feed, struct archive *archive,
                             struct err *err)
{
    char text[33] = "";
    FILE *file = fopen(feed->location, "r");
    size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file != NULL)
        fclose(file);
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '.';
    return err_set(err, ST_DATA,
                   "%s: not a zip file that can be read (%.*s); it begins with '%s'",
                   feed->source, STR_ARGS(reason(archive)), text);
}

static enum status open_archive(const struct feed *feed, struct archive **ret,
                                struct err *err)
{
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        abort(); // out of memory
    archive_read_support_format_zip_seekable(archive);
    if (archive_read_open_filename(archive, feed->location, BLOCK_BYTES) != ARCHIVE_OK) {
        enum status rc = not_a_zip(feed, archive, err);
        archive_read_free(archive);
        return rc;
    }
    *ret = archive;
    return ST_OK;
}

// Names without the flag of UTF-8 may be of any code page: what is not UTF-8 is shown.
static const char *shown_path(struct feed *feed, const char *path)
{
    AUTO(buf_release) struct buf text = {0};
    struct str rest = str_of(path);
    while (rest.n > 0) {
        size_t good = str_utf8_valid(rest);
        buf_append(&text, rest.p, good);
        rest = (struct str){rest.p + good, rest.n - good};
        if (rest.n > 0) {
            buf_printf(&text, "\\x%02X", (unsigned char)rest.p[0]);
            rest = (struct str){rest.p + 1, rest.n - 1};
        }
    }
    return arena_cstr(&feed->arena, buf_as_str(&text));
}

static const char *path_of(struct feed *feed, struct archive_entry *entry)
{
    const char *path = archive_entry_pathname_utf8(entry);
    if (path != NULL)
        return path;
    path = archive_entry_pathname(entry);
    return path ? shown_path(feed, path) : "";
}

static enum status list_entries(struct feed *feed, struct archive *archive,
                                struct err *err)
{
    for (size_t index = 0; index < ENTRIES_MAX; index++) {
        struct archive_entry *entry;
        int rc = archive_read_next_header(archive, &entry);
        if (rc == ARCHIVE_EOF)
            return ST_OK;
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) // a warning: a name not in UTF-8
            return not_a_zip(feed, archive, err);
        if (archive_entry_filetype(entry) == AE_IFREG)
            feed_add(feed, path_of(feed, entry), index, archive_entry_size(entry));
    }
    return err_set(err, ST_LIMIT, "%s: more than %d files in it", feed->source,
                   ENTRIES_MAX);
}

static enum status list_zip(struct feed *feed, struct err *err)
{
    struct archive *archive;
    TRY(open_archive(feed, &archive, err));
    // libarchive takes names for text of the thread's locale, which is "C" in this
    // program: it drops those that are not ASCII. For this thread and this while it is
    // UTF-8, and only where characters are concerned.
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    enum status rc = list_entries(feed, archive, err);
    archive_read_free(archive);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return rc;
}

// libarchive compares size and checksum with the zip's.
static enum status read_member(struct reader *reader, void *p, size_t capacity,
                               size_t *ret_n, struct err *err)
{
    struct zip_member *zip = (struct zip_member *)reader;
    la_ssize_t n = archive_read_data(zip->archive, p, capacity);
    if (n < 0)
        return err_set(err, ST_DATA, "%s: %s: cannot be unpacked: %.*s",
                       zip->feed->source, zip->path, STR_ARGS(reason(zip->archive)));
    *ret_n = (size_t)n;
    return ST_OK;
}

static void close_member(struct feed_member *base)
{
    struct zip_member *zip = (struct zip_member *)base;
    archive_read_free(zip->archive);
    free(zip);
}

// Goes to entry `index` of the archive.
static enum status go_to(const struct feed *feed, struct archive *archive, size_t index,
                         struct err *err)
{
    for (size_t i = 0; i <= index; i++) {
        struct archive_entry *entry;
        int rc = archive_read_next_header(archive, &entry);
        if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
            return not_a_zip(feed, archive, err);
    }
    return ST_OK;
}

static enum status open_member(struct feed *feed, const struct feed_entry *entry,
                               struct feed_member **ret, struct err *err)
{
    struct archive *archive;
    TRY(open_archive(feed, &archive, err));
    enum status rc = go_to(feed, archive, entry->index, err);
    if (rc != ST_OK) {
        archive_read_free(archive);
        return rc;
    }
    struct zip_member *zip = mem_zalloc(sizeof(*zip));
    zip->member = (struct feed_member){{read_member}, entry->size, close_member};
    zip->archive = archive;
    zip->feed = feed;
    zip->path = entry->path;
    *ret = &zip->member;
    return ST_OK;
}

const struct feed_kind feed_zip = {
    .list = list_zip,
    .open = open_member,
};
