// SPDX-License-Identifier: Apache-2.0
#include "log/dead_book.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/text.h"
#include "core/json.h"
#include "log/log_back.h"

enum {
    PIECE_BYTES = 1 << 20,
    VALUE_BYTES = 7 // a value of a letter's JSON takes more: {"key":"","value":""}, is 3
};

// Reading the log: entries come from the newest back.

struct seen_entry {
    struct entry entry; // what of it is needed here
    struct seen_entry *newer;
};

struct reading {
    struct arena arena;
    struct seen_entry *oldest;
    int64_t end;
    size_t n_files;
};

static struct entry keep(struct arena *arena, const struct entry *entry)
{
    struct entry ret = {
        .number = entry->number, .kind = entry->kind, .time_ms = entry->time_ms};
    ret.files = arena_array(arena, entry->n_files, sizeof(*ret.files));
    for (size_t i = 0; i < entry->n_files; i++) {
        if (entry->files[i].kind != FILE_DEAD)
            continue;
        struct entry_file *file = &ret.files[ret.n_files++];
        *file = entry->files[i];
        file->name = arena_str(arena, file->name);
        file->tmp = arena_str(arena, file->tmp);
    }
    ret.replay.n_letters = entry->replay.n_letters;
    ret.replay.letters =
        arena_array(arena, entry->replay.n_letters, sizeof(*ret.replay.letters));
    for (size_t i = 0; i < entry->replay.n_letters; i++)
        ret.replay.letters[i] = entry->replay.letters[i];
    return ret;
}

static enum status see(void *context, const struct entry *entry, UNUSED struct err *err)
{
    struct reading *reading = context;
    if (reading->end == 0)
        reading->end = entry->number + 1;
    if (entry->n_files == 0 && entry->kind != ENTRY_REPLAY)
        return ST_OK;
    struct seen_entry *seen = arena_alloc(&reading->arena, sizeof(*seen));
    *seen = (struct seen_entry){keep(&reading->arena, entry), reading->oldest};
    reading->oldest = seen;
    reading->n_files += seen->entry.n_files;
    return ST_OK;
}

static enum status add_entry(struct dead_book *book, const struct entry *entry,
                             int64_t first, const char *url, struct err *err)
{
    struct replay known = entry->replay;
    while (known.n_letters > 0 && known.letters->entry < first) {
        known.letters++;
        known.n_letters--;
    }
    if (letters_take(&book->letters, &known) != NULL)
        return err_set(err, ST_DATA,
                       "%s: the commit log is damaged: entry %" PRId64 " replays letters "
                       "that are not there, or twice; tramline verify tells more",
                       url, entry->number);
    letters_note(&book->letters, entry);
    for (size_t i = 0; i < entry->n_files; i++)
        book->files[book->n_files++] = (struct dead_file){
            .entry = entry->number,
            .rows = entry->files[i].rows,
            .time_ms = entry->time_ms,
            .name = arena_str(&book->arena, entry->files[i].name),
            .tmp = arena_str(&book->arena, entry->files[i].tmp),
        };
    return ST_OK;
}

static enum status take_all(struct dead_book *book, const struct reading *reading,
                            int64_t first, const char *url, struct err *err)
{
    book->end = reading->end;
    book->files = arena_array(&book->arena, reading->n_files, sizeof(*book->files));
    for (const struct seen_entry *seen = reading->oldest; seen; seen = seen->newer)
        TRY(add_entry(book, &seen->entry, first, url, err));
    return ST_OK;
}

enum status dead_book_read(struct storage *storage, struct dead_book *ret,
                           struct err *err)
{
    struct reading reading = {0};
    int64_t first = 0;
    *ret = (struct dead_book){0};
    enum status rc = log_back(storage, see, &reading, &first, err);
    if (rc == ST_OK)
        rc = take_all(ret, &reading, first, storage->url, err);
    arena_release(&reading.arena);
    return rc;
}

void dead_book_release(struct dead_book *book)
{
    letters_release(&book->letters);
    arena_release(&book->arena);
    *book = (struct dead_book){0};
}

// Reading a file.

struct letter_reader {
    const struct dead_file *file;
    const char *url;
    struct storage_reader reader;
    struct buf line;
    struct buf bytes; // key and value
    struct buf headers;
    char piece[64 << 10];
    size_t n_piece, at;
    json_t *json;
};

static enum status wrong(const struct letter_reader *reader, int64_t line,
                         struct err *err)
{
    return err_set(err, ST_DATA,
                   "%s/%.*s: line %" PRId64 " is not a dead letter; tramline verify "
                   "--deep tells whether the file was changed",
                   reader->url, STR_ARGS(reader->file->name), line);
}

// ST_OK with an empty line: the end.
static enum status next_line(struct letter_reader *reader, struct err *err)
{
    buf_clear(&reader->line);
    for (;;) {
        if (reader->at == reader->n_piece) {
            struct reader *from = &reader->reader.reader;
            reader->at = 0;
            TRY(from->read(from, reader->piece, sizeof(reader->piece), &reader->n_piece,
                           err));
            if (reader->n_piece == 0)
                return ST_OK;
        }
        const char *begin = reader->piece + reader->at;
        size_t n = reader->n_piece - reader->at;
        const char *end = memchr(begin, '\n', n);
        n = end != NULL ? (size_t)(end - begin) + 1 : n;
        buf_append(&reader->line, begin, n);
        reader->at += n;
        if (end != NULL)
            return ST_OK;
    }
}

// `at`: where in `bytes` it begins; SIZE_MAX: null. False: neither that nor base64.
static bool take_bytes(struct letter_reader *reader, const char *name, size_t *ret_at,
                       size_t *ret_n)
{
    const json_t *value = json_object_get(reader->json, name);
    *ret_at = SIZE_MAX;
    *ret_n = 0;
    if (json_is_null(value))
        return true;
    *ret_at = reader->bytes.n;
    if (!json_is_string(value) || !text_base64_decode(&reader->bytes, json_as_str(value)))
        return false;
    *ret_n = reader->bytes.n - *ret_at;
    return true;
}

static struct str bytes_at(const struct letter_reader *reader, size_t at, size_t n)
{
    if (at == SIZE_MAX)
        return (struct str){0};
    return n > 0 ? (struct str){reader->bytes.p + at, n} : STR_LITERAL("");
}

static int64_t whole(const struct letter_reader *reader, const char *name, bool *good)
{
    const json_t *value = json_object_get(reader->json, name);
    *good &= json_is_integer(value);
    return json_integer_value(value);
}

static struct str text_of(const struct letter_reader *reader, const char *name,
                          bool *good)
{
    const json_t *value = json_object_get(reader->json, name);
    *good &= json_is_string(value);
    return json_is_string(value) ? json_as_str(value) : (struct str){0};
}

// Nothing of it that a terminal obeys: jansson leaves DEL as it is.
static void put_headers(const json_t *array, struct buf *ret)
{
    char *text = json_dumps(array, JSON_COMPACT | JSON_ENSURE_ASCII);
    for (const char *c = text != NULL ? text : "[]"; *c != '\0'; c++)
        if (*c == 0x7F)
            buf_text(ret, "\\u007f");
        else
            buf_char(ret, *c);
    free(text);
}

static bool parse(struct letter_reader *reader, struct dead_record *ret)
{
    struct err ignored;
    bool good = true;
    size_t key, n_key, value, n_value;
    json_decref(reader->json);
    reader->json = NULL;
    buf_clear(&reader->bytes);
    buf_clear(&reader->headers);
    if (reader->line.full || json_check(buf_as_str(&reader->line),
                                        reader->line.n / VALUE_BYTES, &ignored) != ST_OK)
        return false;
    reader->json = json_loadb(reader->line.p, reader->line.n, 0, NULL);
    ret->topic = text_of(reader, "topic", &good);
    ret->reason = text_of(reader, "reason", &good);
    int64_t partition = whole(reader, "partition", &good);
    ret->record.offset = whole(reader, "offset", &good);
    ret->record.time_ms = whole(reader, "time_ms", &good);
    good &= take_bytes(reader, "key", &key, &n_key);
    good &= take_bytes(reader, "value", &value, &n_value);
    if (!good || partition < 0 || partition >= ENTRY_PARTITION_MAX ||
        ret->record.offset < 0 || ret->record.offset > ENTRY_NUMBER_MAX)
        return false;
    ret->partition = (int32_t)partition;
    ret->record.key = bytes_at(reader, key, n_key);
    ret->record.value = bytes_at(reader, value, n_value);
    put_headers(json_object_get(reader->json, "headers"), &reader->headers);
    ret->headers = buf_as_str(&reader->headers);
    return !reader->headers.full;
}

static bool is_wanted(const struct dead_filter *filter, const struct dead_record *letter)
{
    if (letter->is_replayed && !filter->with_replayed)
        return false;
    if (filter->has_partition && letter->partition != filter->partition)
        return false;
    if (filter->has_offsets &&
        (letter->record.offset < filter->first || letter->record.offset > filter->last))
        return false;
    return filter->reason.n == 0 ||
           (letter->reason.n > 0 && memmem(letter->reason.p, letter->reason.n,
                                           filter->reason.p, filter->reason.n) != NULL);
}

struct visit {
    struct dead_book *book;
    struct storage *storage;
    const struct dead_filter *filter;
    enum status (*each)(void *context, const struct dead_record *letter, struct err *err);
    void *context;
};

static enum status visit_lines(const struct visit *visit, struct letter_reader *reader,
                               struct err *err)
{
    const struct dead_file *file = reader->file;
    const struct dead_filter *filter = visit->filter;
    for (int64_t line = 0; line < file->rows; line++) {
        struct dead_record letter = {
            .entry = file->entry,
            .line = line,
            .entry_ms = file->time_ms,
            .is_replayed = letters_is_taken(&visit->book->letters, file->entry, line),
        };
        TRY(next_line(reader, err));
        if (filter->has_name && line != filter->line)
            continue;
        if (!parse(reader, &letter))
            return wrong(reader, line, err);
        bool is_taken = is_wanted(filter, &letter);
        if (is_taken && filter->test != NULL)
            TRY(filter->test(filter->context, &letter, &is_taken, err));
        if (is_taken)
            TRY(visit->each(visit->context, &letter, err));
    }
    return ST_OK;
}

// At its place, or, where its rename was not seen done yet, still in tmp.
static enum status visit_file(const struct visit *visit, const struct dead_file *file,
                              struct err *err)
{
    struct file_info info;
    struct str path = file->name;
    enum status rc = visit->storage->ops->stat(visit->storage, path, &info, err);
    if (rc == ST_NOT_FOUND) {
        path = file->tmp;
        rc = visit->storage->ops->stat(visit->storage, path, &info, err);
    }
    if (rc == ST_NOT_FOUND)
        return err_set(err, ST_DATA,
                       "%s/%.*s is missing, and with it %s; "
                       "tramline verify tells more",
                       visit->storage->url, STR_ARGS(file->name),
                       text_counted(file->rows, "dead letter", "dead letters"));
    TRY(rc);
    struct letter_reader *reader = mem_zalloc(sizeof(*reader));
    reader->file = file;
    reader->url = visit->storage->url;
    storage_reader_init(&reader->reader, visit->storage, path, PIECE_BYTES);
    rc = visit_lines(visit, reader, err);
    storage_reader_release(&reader->reader);
    buf_release(&reader->line);
    buf_release(&reader->bytes);
    buf_release(&reader->headers);
    json_decref(reader->json);
    free(reader);
    return rc;
}

enum status dead_book_each(
    struct dead_book *book, struct storage *storage, const struct dead_filter *filter,
    enum status (*each)(void *context, const struct dead_record *letter, struct err *err),
    void *context, struct err *err)
{
    const struct visit visit = {book, storage, filter, each, context};
    for (size_t i = 0; i < book->n_files; i++) {
        const struct dead_file *file = &book->files[i];
        bool is_wanted_file =
            file->time_ms >= filter->since_ms &&
            (filter->until_ms == 0 || file->time_ms < filter->until_ms) &&
            (filter->before == 0 || file->entry < filter->before) &&
            (!filter->has_name || file->entry == filter->entry);
        enum status rc = is_wanted_file ? visit_file(&visit, file, err) : ST_OK;
        if (rc != ST_OK)
            return rc == ST_STOP ? ST_OK : rc;
    }
    return ST_OK;
}
