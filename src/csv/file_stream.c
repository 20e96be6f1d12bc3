// SPDX-License-Identifier: Apache-2.0
#include "csv/file_stream.h"

#include <stdlib.h>

#include "base/queue.h"
#include "csv/file_records.h"
#include "csv/file_topic.h"

enum {
    RUN_RECORDS = 10000
};

struct file_stream {
    struct stream stream;
    struct file_records file;
    struct csv_header header;
    bool has_header;
    struct record *records; // of the last run
    size_t run_records;     // most of a run
    int64_t next;           // where the next run begins
    bool is_assigned;       // ASSIGN was given
    bool is_reading;
    bool is_held;
    struct run rest;   // of a run that was used in part; n > 0: it is given again
    bool is_held_back; // and not before release
    struct run last;
    bool has_gap;        // to be told by the next poll
    struct queue *waits; // empty; for its sleep and wake
};

// As many records as are in the window; fills it only while there is none.
static enum status collect(struct file_stream *file, struct run *run, struct err *err)
{
    size_t n = 0;
    while (n < file->run_records) {
        enum file_found found;
        size_t size;
        TRY(file_records_find(&file->file, &found, &size, err));
        if (found == FILE_FOUND_END || (found == FILE_FOUND_MORE && n > 0))
            break;
        if (found == FILE_FOUND_MORE) {
            TRY(csv_window_fill(&file->file.window, err));
            continue;
        }
        if (found == FILE_FOUND_RECORD)
            file->records[n++] = file_records_front(&file->file, size);
        csv_window_pass(&file->file.window, size);
    }
    *run = file->last = (struct run){
        .first = file->next,
        .next = file->file.window.offset,
        .records = file->records,
        .n = n,
    };
    file->next = run->next;
    return ST_OK;
}

static void assign(struct file_stream *file, struct stream_event *ret)
{
    static const int32_t partitions[] = {0};
    file->is_assigned = true;
    ret->kind = STREAM_ASSIGN;
    ret->partitions = partitions;
    ret->n_partitions = ARRAY_LEN(partitions);
}

static void tell_gap(struct file_stream *file, struct stream_event *ret)
{
    file->has_gap = false;
    ret->kind = STREAM_GAP;
    ret->gap = (struct stream_gap){.partition = 0, .wanted = file->next, .low = 0};
}

static enum status poll_file(struct stream *stream, int timeout_ms,
                             struct stream_event *ret, struct err *err)
{
    struct file_stream *file = (struct file_stream *)stream;
    *ret = (struct stream_event){.kind = STREAM_IDLE};
    if (!file->is_assigned) {
        assign(file, ret);
    } else if (file->has_gap) {
        tell_gap(file, ret);
    } else if (!file->is_reading || file->is_held || file->is_held_back ||
               (file->next == file->file.size && file->rest.n == 0)) {
        queue_sleep(file->waits, timeout_ms);
    } else if (file->rest.n > 0) {
        ret->kind = STREAM_RUN;
        ret->run = file->last = file->rest;
        file->rest = (struct run){0};
    } else {
        TRY(collect(file, &ret->run, err));
        ret->kind = STREAM_RUN;
    }
    return ST_OK;
}

static enum status stop(struct stream *stream, UNUSED struct err *err)
{
    struct file_stream *file = (struct file_stream *)stream;
    file->is_reading = file->is_held_back = false;
    file->rest = (struct run){0};
    file->has_gap = false;
    return ST_OK;
}

static enum status start(struct stream *stream, const struct stream_start *starts,
                         size_t n, struct err *err)
{
    struct file_stream *file = (struct file_stream *)stream;
    TRY(stop(stream, err));
    if (n == 0)
        return ST_OK;
    file->next = starts[0].offset;
    file->has_gap = file->next < 0 || file->next > file->file.size;
    if (file->has_gap)
        return ST_OK;
    file->is_reading = true;
    return file_records_seek(&file->file, file->next, err);
}

static void wake(struct stream *stream)
{
    queue_wake(((struct file_stream *)stream)->waits);
}

static void hold(struct stream *stream, bool held)
{
    ((struct file_stream *)stream)->is_held = held;
}

static void hold_back(struct stream *stream, UNUSED int32_t partition, size_t n_used)
{
    struct file_stream *file = (struct file_stream *)stream;
    const struct run *last = &file->last;
    file->is_held_back = true;
    file->rest = (struct run){
        .first = n_used ? last->records[n_used].offset : last->first,
        .next = last->next,
        .records = last->records + n_used,
        .n = last->n - n_used,
    };
}

static void release(struct stream *stream, UNUSED int32_t partition)
{
    ((struct file_stream *)stream)->is_held_back = false;
}

static void headers(UNUSED struct stream *stream, UNUSED size_t index,
                    UNUSED struct buf *json)
{
    // A line has none.
}

static void ahead(UNUSED struct stream *stream, UNUSED int32_t partition,
                  struct stream_ahead *ret)
{
    *ret = (struct stream_ahead){-1, -1}; // the topic knows how large the file is
}

static void report(UNUSED struct stream *stream, UNUSED const struct stream_start *next,
                   UNUSED size_t n)
{
    // Nobody watches a file's lag.
}

static void stream_close(struct stream *stream)
{
    struct file_stream *file = (struct file_stream *)stream;
    if (file == NULL)
        return;
    file_records_release(&file->file);
    csv_header_release(&file->header);
    queue_free(file->waits);
    free(file->records);
    free(file);
}

static const struct stream_ops csv_file_stream_ops = {
    .poll = poll_file,
    .start = start,
    .stop = stop,
    .wake = wake,
    .hold = hold,
    .hold_back = hold_back,
    .release = release,
    .headers = headers,
    .ahead = ahead,
    .report = report,
    .close = stream_close,
};

void csv_file_stream_limit(struct stream *stream, size_t run_records)
{
    ((struct file_stream *)stream)->run_records =
        run_records < RUN_RECORDS ? run_records : RUN_RECORDS;
}

static enum status read_header(struct file_stream *file, const struct schema *schema,
                               struct err *err)
{
    TRY(file_records_seek(&file->file, 0, err)); // refuses what is not text
    if (schema == NULL)
        return ST_OK;
    enum status rc = csv_header_read(&file->file.window, schema, &file->header, err);
    file->has_header = rc == ST_OK;
    return rc == ST_DATA ? err_context(err, rc, "%s", file->file.path) : rc;
}

enum status csv_file_stream_open(struct topic *topic, const struct schema *schema,
                                 struct stream **ret, struct err *err)
{
    struct csv_file opened = csv_file_topic_file(topic);
    struct file_stream *file = mem_zalloc(sizeof(*file));
    file_records_init(&file->file, opened.path, opened.fd, opened.size);
    file->records = mem_array(RUN_RECORDS, sizeof(*file->records));
    file->run_records = RUN_RECORDS;
    file->waits = queue_open(1);
    file->stream = (struct stream){.ops = &csv_file_stream_ops};
    enum status rc = read_header(file, schema, err);
    if (rc == ST_OK)
        *ret = &file->stream;
    else
        stream_close(&file->stream);
    return rc;
}

const struct csv_header *csv_file_stream_header(const struct stream *stream)
{
    const struct file_stream *file = (const struct file_stream *)stream;
    bool is_one = stream->ops == &csv_file_stream_ops;
    return is_one && file->has_header ? &file->header : NULL;
}
