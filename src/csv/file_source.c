// SPDX-License-Identifier: Apache-2.0
#include "csv/file_source.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/queue.h"
#include "base/text.h"

enum {
    RUN_RECORDS = 10000,
    PIECE_BYTES = 1 << 20
};

// Bytes of the file in order, up to the size it had when it was opened.
struct file_reader {
    struct reader reader;
    const char *path;
    int fd;
    int64_t at;
    int64_t size;
};

struct file_source {
    struct source source;
    struct file_reader file;
    struct csv_window window;
    struct csv_header header;
    bool has_header;
    struct record *records; // of the last run
    size_t run_records;     // most of a run
    char *path;
    char *topic;      // the path as UTF-8
    int64_t next;     // where the next run begins
    bool is_assigned; // ASSIGN was given
    bool is_reading;
    bool is_held;
    struct run rest;   // of a run that was used in part; n > 0: it is given again
    bool is_held_back; // and not before release
    struct run last;
    bool has_gap;        // to be told by the next poll
    struct queue *waits; // empty; for its sleep and wake
};

static enum status read_file(struct reader *reader, void *p, size_t capacity,
                             size_t *ret_n, struct err *err)
{
    struct file_reader *file = (struct file_reader *)reader;
    int64_t left = file->size - file->at;
    size_t wanted = (int64_t)capacity < left ? capacity : (size_t)left;
    ssize_t n;
    do {
        n = pread(file->fd, p, wanted, file->at);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ST_FAIL, "%s: cannot be read: %s", file->path,
                       strerror(errno));
    if (n == 0 && wanted > 0)
        return err_set(err, ST_FAIL, "%s: became shorter while it was read", file->path);
    file->at += n;
    *ret_n = (size_t)n;
    return ST_OK;
}

static enum status seek(struct file_source *file, int64_t offset, struct err *err)
{
    csv_window_release(&file->window);
    file->file.at = offset;
    csv_window_init(&file->window, &file->file.reader, offset, PIECE_BYTES);
    if (offset > 0)
        return csv_window_fill(&file->window, err);
    enum status rc = csv_window_begin(&file->window, err);
    return rc == ST_DATA ? err_context(err, rc, "%s", file->path) : rc;
}

static struct str without_line_end(struct str line)
{
    line.n -= line.n > 0 && line.p[line.n - 1] == '\n';
    line.n -= line.n > 0 && line.p[line.n - 1] == '\r';
    return line;
}

enum found {
    FOUND_RECORD,
    FOUND_BLANK,
    FOUND_END,
    FOUND_MORE, // fill the window first
};

// Finds the record at the front and its size; what is no CSV is one physical line.
static enum status find(struct file_source *file, enum found *ret, size_t *ret_size,
                        struct err *err)
{
    struct csv_window *window = &file->window;
    struct csv_field field;
    struct csv_line line = {.fields = &field, .capacity = 1};
    *ret = FOUND_END;
    if (csv_window_is_over(window))
        return ST_OK;
    enum csv_scan scan = csv_window_scan(window, &line);
    *ret = scan == CSV_MORE ? FOUND_MORE : FOUND_RECORD;
    *ret_size = line.size;
    if (scan == CSV_MORE)
        return ST_OK;
    if (scan == CSV_LINE) {
        *ret = csv_line_is_blank(&line) ? FOUND_BLANK : FOUND_RECORD;
        return ST_OK;
    }
    *ret_size = csv_physical_line(csv_window_rest(window));
    if (*ret_size <= CSV_RECORD_MAX)
        return ST_OK;
    return err_set(err, ST_LIMIT, "%s: the line at byte %lld has more than %d bytes",
                   file->path, (long long)window->offset, CSV_RECORD_MAX);
}

static struct record record_of(const struct csv_window *window, size_t size)
{
    struct str line = {csv_window_rest(window).p, size};
    return (struct record){
        .offset = window->offset, .time_ms = -1, .value = without_line_end(line)};
}

// As many records as are in the window; fills it only while there is none.
static enum status collect(struct file_source *file, struct run *run, struct err *err)
{
    size_t n = 0;
    while (n < file->run_records) {
        enum found found;
        size_t size;
        TRY(find(file, &found, &size, err));
        if (found == FOUND_END || (found == FOUND_MORE && n > 0))
            break;
        if (found == FOUND_MORE) {
            TRY(csv_window_fill(&file->window, err));
            continue;
        }
        if (found == FOUND_RECORD)
            file->records[n++] = record_of(&file->window, size);
        csv_window_pass(&file->window, size);
    }
    *run = file->last = (struct run){
        .first = file->next,
        .next = file->window.offset,
        .records = file->records,
        .n = n,
    };
    file->next = run->next;
    return ST_OK;
}

static void assign(struct file_source *file, struct source_event *ret)
{
    static const int32_t partitions[] = {0};
    file->is_assigned = true;
    ret->kind = SOURCE_ASSIGN;
    ret->partitions = partitions;
    ret->n_partitions = ARRAY_LEN(partitions);
}

static void tell_gap(struct file_source *file, struct source_event *ret)
{
    file->has_gap = false;
    ret->kind = SOURCE_GAP;
    ret->gap = (struct source_gap){.partition = 0, .wanted = file->next, .low = 0};
}

static enum status poll_file(struct source *source, int timeout_ms,
                             struct source_event *ret, struct err *err)
{
    struct file_source *file = (struct file_source *)source;
    *ret = (struct source_event){.kind = SOURCE_IDLE};
    if (!file->is_assigned) {
        assign(file, ret);
    } else if (file->has_gap) {
        tell_gap(file, ret);
    } else if (!file->is_reading || file->is_held || file->is_held_back ||
               (file->next == file->file.size && file->rest.n == 0)) {
        queue_sleep(file->waits, timeout_ms);
    } else if (file->rest.n > 0) {
        ret->kind = SOURCE_RUN;
        ret->run = file->last = file->rest;
        file->rest = (struct run){0};
    } else {
        TRY(collect(file, &ret->run, err));
        ret->kind = SOURCE_RUN;
    }
    return ST_OK;
}

static enum status stop(struct source *source, UNUSED struct err *err)
{
    struct file_source *file = (struct file_source *)source;
    file->is_reading = file->is_held_back = false;
    file->rest = (struct run){0};
    file->has_gap = false;
    return ST_OK;
}

static enum status start(struct source *source, const struct source_start *starts,
                         size_t n, struct err *err)
{
    struct file_source *file = (struct file_source *)source;
    TRY(stop(source, err));
    if (n == 0)
        return ST_OK;
    file->next = starts[0].offset;
    file->has_gap = file->next < 0 || file->next > file->file.size;
    if (file->has_gap)
        return ST_OK;
    file->is_reading = true;
    return seek(file, file->next, err);
}

static void wake(struct source *source)
{
    queue_wake(((struct file_source *)source)->waits);
}

static void hold(struct source *source, bool held)
{
    ((struct file_source *)source)->is_held = held;
}

static void hold_back(struct source *source, UNUSED int32_t partition, size_t n_used)
{
    struct file_source *file = (struct file_source *)source;
    const struct run *last = &file->last;
    file->is_held_back = true;
    file->rest = (struct run){
        .first = n_used ? last->records[n_used].offset : last->first,
        .next = last->next,
        .records = last->records + n_used,
        .n = last->n - n_used,
    };
}

static void release(struct source *source, UNUSED int32_t partition)
{
    ((struct file_source *)source)->is_held_back = false;
}

static enum status count(UNUSED struct source *source, int32_t *ret,
                         UNUSED struct err *err)
{
    *ret = 1;
    return ST_OK;
}

static enum status range(struct source *source, UNUSED int32_t partition,
                         struct source_range *ret, UNUSED struct err *err)
{
    *ret = (struct source_range){0, ((struct file_source *)source)->file.size};
    return ST_OK;
}

static enum status offset_at(struct source *source, UNUSED int32_t partition,
                             UNUSED int64_t time_ms, UNUSED int64_t *ret, struct err *err)
{
    return err_set(err, ST_FAIL,
                   "%s: records of a file have no time; a start at a time needs a Kafka "
                   "topic",
                   ((struct file_source *)source)->path);
}

static enum status fetch(struct source *source, UNUSED int32_t partition, int64_t offset,
                         struct record *ret, struct err *err)
{
    struct file_source *file = (struct file_source *)source;
    enum found found = FOUND_END;
    size_t size = 0;
    if (offset >= 0 && offset < file->file.size) {
        TRY(seek(file, offset, err));
        TRY(find(file, &found, &size, err));
        while (found == FOUND_MORE) {
            TRY(csv_window_fill(&file->window, err));
            TRY(find(file, &found, &size, err));
        }
    }
    if (found != FOUND_RECORD)
        return err_set(err, ST_NOT_FOUND, "%s: no record at byte %lld", file->path,
                       (long long)offset);
    *ret = record_of(&file->window, size);
    return ST_OK;
}

static void headers(UNUSED struct source *source, UNUSED size_t index,
                    UNUSED struct buf *json)
{
    // A line has none.
}

static void report(UNUSED struct source *source, UNUSED const struct source_start *next,
                   UNUSED size_t n)
{
    // Nobody watches a file's lag.
}

static void source_close(struct source *source)
{
    struct file_source *file = (struct file_source *)source;
    if (file == NULL)
        return;
    csv_window_release(&file->window);
    csv_header_release(&file->header);
    queue_free(file->waits);
    free(file->records);
    close(file->file.fd);
    free(file->path);
    free(file->topic);
    free(file);
}

static const struct source_ops csv_file_source_ops = {
    .poll = poll_file,
    .start = start,
    .stop = stop,
    .wake = wake,
    .hold = hold,
    .hold_back = hold_back,
    .release = release,
    .count = count,
    .range = range,
    .offset_at = offset_at,
    .fetch = fetch,
    .headers = headers,
    .report = report,
    .close = source_close,
};

static enum status open_file(const char *path, int *ret_fd, int64_t *ret_size,
                             struct err *err)
{
    const char *why = file_open(path, ret_fd, ret_size);
    return why == NULL ? ST_OK
                       : err_set(err, errno == ENOENT ? ST_NOT_FOUND : ST_FAIL,
                                 "%s: cannot be opened: %s", path, why);
}

void csv_file_source_limit(struct source *source, size_t run_records)
{
    ((struct file_source *)source)->run_records =
        run_records < RUN_RECORDS ? run_records : RUN_RECORDS;
}

static enum status read_header(struct file_source *file, const struct schema *schema,
                               struct err *err)
{
    TRY(seek(file, 0, err)); // refuses what is no text
    if (schema == NULL)
        return ST_OK;
    enum status rc = csv_header_read(&file->window, schema, &file->header, err);
    file->has_header = rc == ST_OK;
    return rc == ST_DATA ? err_context(err, rc, "%s", file->path) : rc;
}

enum status csv_file_source_open(const char *path, const struct schema *schema,
                                 struct source **ret, struct err *err)
{
    int fd = -1;
    int64_t size = 0;
    TRY(open_file(path, &fd, &size, err));
    struct file_source *file = mem_zalloc(sizeof(*file));
    char *absolute = realpath(path, NULL);
    file->path = absolute ? absolute : mem_strdup(path);
    file->file = (struct file_reader){{read_file}, file->path, fd, 0, size};
    file->records = mem_array(RUN_RECORDS, sizeof(*file->records));
    file->run_records = RUN_RECORDS;
    struct buf topic = {0};
    text_utf8(&topic, str_of(file->path));
    file->topic = buf_detach(&topic);
    file->waits = queue_open(1);
    file->source = (struct source){.ops = &csv_file_source_ops,
                                   .cluster = STR_LITERAL("file"),
                                   .topic = str_of(file->topic)};
    enum status rc = read_header(file, schema, err);
    if (rc == ST_OK)
        *ret = &file->source;
    else
        source_close(&file->source);
    return rc;
}

const struct csv_header *csv_file_source_header(const struct source *source)
{
    const struct file_source *file = (const struct file_source *)source;
    return file->has_header ? &file->header : NULL;
}
