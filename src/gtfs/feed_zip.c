// SPDX-License-Identifier: Apache-2.0
// A feed that is a zip file, by libarchive. Only the reader that goes by the zip's
// directory is used: a cut file has none and is refused, instead of read in part.
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/env.h"
#include "gtfs/feed_kind.h"

enum {
    BLOCK_BYTES = 64 << 10,
    ENTRIES_MAX = 10000,
    DIRECTORY_BYTES_MAX = 16 << 20 // libarchive keeps all of it, four times as long
};

// The zip's bytes for one reader of libarchive, which opens no file itself.
struct zip_input {
    const struct feed *feed;
    int64_t at;
    int64_t n_read;
    bool is_in_directory; // all that was read so far is of it
    enum status rc;       // why reading has failed
    struct err err;
    char piece[BLOCK_BYTES];
};

struct zip_member {
    struct feed_member member;
    struct archive *archive;
    struct zip_input *input;
    int64_t n_before; // bytes read before its own
    const struct feed *feed;
    const char *path;
};

static enum status check_input(const struct zip_input *input, struct err *err)
{
    const struct feed *feed = input->feed;
    struct env *env = env_system();
    if (deadline_is_over(feed->options.deadline, env->ops->monotonic_ms(env)))
        return err_set(err, ST_RETRY, "%s: no time was left to read it", feed->source);
    if (input->is_in_directory && input->n_read > DIRECTORY_BYTES_MAX)
        return err_set(err, ST_LIMIT,
                       "%s: the zip's directory has more than %d bytes; a feed needs few "
                       "files",
                       feed->source, DIRECTORY_BYTES_MAX);
    return ST_OK;
}

static la_ssize_t read_input(UNUSED struct archive *archive, void *context,
                             const void **ret)
{
    struct zip_input *input = context;
    input->rc = check_input(input, &input->err);
    if (input->rc != ST_OK)
        return -1;
    ssize_t n;
    do {
        n = pread(input->feed->fd, input->piece, BLOCK_BYTES, input->at);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        input->rc = err_set(&input->err, ST_FAIL, "%s: cannot be read: %s",
                            input->feed->source, strerror(errno));
        return -1;
    }
    input->at += n;
    input->n_read += n;
    *ret = input->piece;
    return n;
}

static la_int64_t skip_input(UNUSED struct archive *archive, void *context, la_int64_t n)
{
    struct zip_input *input = context;
    input->at += n;
    return n;
}

static la_int64_t seek_input(UNUSED struct archive *archive, void *context,
                             la_int64_t offset, int whence)
{
    struct zip_input *input = context;
    int64_t from = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? input->at
                                        : (int64_t)lseek(input->feed->fd, 0, SEEK_END);
    if (from < 0 || offset < -from || offset > INT64_MAX - from)
        return ARCHIVE_FATAL;
    input->at = from + offset;
    return input->at;
}

// Some of libarchive's texts end in a line break.
static struct str reason(struct archive *archive)
{
    return str_trim(str_of(archive_error_string(archive)));
}

static enum status input_failed(const struct zip_input *input, struct err *err)
{
    return err_set(err, input->rc, "%s", input->err.text);
}

// "begins with ..." tells a page of HTML from a broken zip.
static enum status not_a_zip(const struct zip_input *input, struct archive *archive,
                             struct err *err)
{
    const struct feed *feed = input->feed;
    char text[33] = "";
    if (input->rc != ST_OK)
        return input_failed(input, err);
    ssize_t n = pread(feed->fd, text, sizeof(text) - 1, 0);
    for (ssize_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            text[i] = '.';
    return err_set(err, ST_DATA,
                   "%s: not a zip file that can be read (%.*s); it begins with '%s'",
                   feed->source, STR_ARGS(reason(archive)), text);
}

static void close_archive(struct archive *archive, struct zip_input *input)
{
    archive_read_free(archive);
    free(input);
}

static enum status open_archive(const struct feed *feed, struct archive **ret,
                                struct zip_input **ret_input, struct err *err)
{
    struct archive *archive = archive_read_new();
    if (archive == NULL)
        abort(); // out of memory
    struct zip_input *input = mem_zalloc(sizeof(*input));
    input->feed = feed;
    input->is_in_directory = true;
    archive_read_support_format_zip_seekable(archive);
    archive_read_set_read_callback(archive, read_input);
    archive_read_set_skip_callback(archive, skip_input);
    archive_read_set_seek_callback(archive, seek_input);
    archive_read_set_callback_data(archive, input);
    if (archive_read_open1(archive) != ARCHIVE_OK) {
        enum status rc = not_a_zip(input, archive, err);
        close_archive(archive, input);
        return rc;
    }
    *ret = archive;
    *ret_input = input;
    return ST_OK;
}

// The first one comes when the directory was read.
static enum status next_entry(struct archive *archive, struct zip_input *input,
                              struct archive_entry **ret, struct err *err)
{
    *ret = NULL;
    int rc = archive_read_next_header(archive, ret);
    input->is_in_directory = false;
    if (rc == ARCHIVE_EOF) {
        *ret = NULL;
        return ST_OK;
    }
    return rc == ARCHIVE_OK || rc == ARCHIVE_WARN // a warning: a name not in UTF-8
               ? ST_OK
               : not_a_zip(input, archive, err);
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
                                struct zip_input *input, struct err *err)
{
    for (size_t index = 0; index < ENTRIES_MAX; index++) {
        struct archive_entry *entry;
        TRY(next_entry(archive, input, &entry, err));
        if (entry == NULL)
            return ST_OK;
        if (archive_entry_filetype(entry) == AE_IFREG)
            feed_add(feed, path_of(feed, entry), index, archive_entry_size(entry));
    }
    return err_set(err, ST_LIMIT, "%s: more than %d files in it", feed->source,
                   ENTRIES_MAX);
}

static enum status list_zip(struct feed *feed, struct err *err)
{
    struct archive *archive;
    struct zip_input *input;
    TRY(open_archive(feed, &archive, &input, err));
    // libarchive takes names for text of the thread's locale, which is "C" in this
    // program: it drops those that are not ASCII. For this thread and this while it is
    // UTF-8, and only where characters are concerned.
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    enum status rc = list_entries(feed, archive, input, err);
    close_archive(archive, input);
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
    if (n < 0 && zip->input->rc != ST_OK)
        return input_failed(zip->input, err);
    if (n < 0)
        return err_set(err, ST_DATA, "%s: %s: cannot be unpacked: %.*s",
                       zip->feed->source, zip->path, STR_ARGS(reason(zip->archive)));
    *ret_n = (size_t)n;
    return ST_OK;
}

static void close_member(struct feed_member *base)
{
    struct zip_member *zip = (struct zip_member *)base;
    close_archive(zip->archive, zip->input);
    free(zip);
}

// In whole blocks, the first of which began before it.
static int64_t packed(const struct feed_member *member)
{
    const struct zip_member *zip = (const struct zip_member *)member;
    return zip->input->n_read - zip->n_before + BLOCK_BYTES;
}

// Goes to entry `index` of the archive.
static enum status go_to(struct archive *archive, struct zip_input *input, size_t index,
                         struct err *err)
{
    for (size_t i = 0; i <= index; i++) {
        struct archive_entry *entry;
        TRY(next_entry(archive, input, &entry, err));
        if (entry == NULL)
            return not_a_zip(input, archive, err);
    }
    return ST_OK;
}

static enum status open_member(struct feed *feed, const struct feed_entry *entry,
                               struct feed_member **ret, struct err *err)
{
    struct archive *archive;
    struct zip_input *input;
    TRY(open_archive(feed, &archive, &input, err));
    enum status rc = go_to(archive, input, entry->index, err);
    if (rc != ST_OK) {
        close_archive(archive, input);
        return rc;
    }
    struct zip_member *zip = mem_zalloc(sizeof(*zip));
    zip->member = (struct feed_member){{.read = read_member}, entry->size, close_member};
    zip->archive = archive;
    zip->input = input;
    zip->n_before = input->n_read;
    zip->feed = feed;
    zip->path = entry->path;
    *ret = &zip->member;
    return ST_OK;
}

const struct feed_kind feed_zip = {
    .list = list_zip,
    .open = open_member,
    .packed = packed,
};
