// SPDX-License-Identifier: Apache-2.0
#include "csv/file_records.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 1 << 20
};

static enum status read_file(struct reader *reader, void *p, size_t capacity,
                             size_t *ret_n, struct err *err)
{
    struct file_records *file = (struct file_records *)reader;
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

void file_records_init(struct file_records *file, const char *path, int fd, int64_t size)
{
    *file = (struct file_records){
        .reader = {.read = read_file}, .path = path, .fd = fd, .size = size};
}

void file_records_release(struct file_records *file)
{
    csv_window_release(&file->window);
}

enum status file_records_seek(struct file_records *file, int64_t offset, struct err *err)
{
    csv_window_release(&file->window);
    file->at = offset;
    csv_window_init(&file->window, &file->reader, offset, PIECE_BYTES);
    if (offset > 0)
        return csv_window_fill(&file->window, err);
    enum status rc = csv_window_begin(&file->window, err);
    return rc == ST_DATA ? err_context(err, rc, "%s", file->path) : rc;
}

enum status file_records_find(struct file_records *file, enum file_found *ret,
                              size_t *ret_size, struct err *err)
{
    struct csv_window *window = &file->window;
    struct csv_field field;
    struct csv_line line = {.fields = &field, .capacity = 1};
    *ret = FILE_FOUND_END;
    if (csv_window_is_over(window))
        return ST_OK;
    enum csv_scan scan = csv_window_scan(window, &line);
    *ret = scan == CSV_MORE ? FILE_FOUND_MORE : FILE_FOUND_RECORD;
    *ret_size = line.size;
    if (scan == CSV_MORE)
        return ST_OK;
    if (scan == CSV_LINE) {
        *ret = csv_line_is_blank(&line) ? FILE_FOUND_BLANK : FILE_FOUND_RECORD;
        return ST_OK;
    }
    *ret_size = csv_physical_line(csv_window_rest(window));
    if (*ret_size <= CSV_RECORD_MAX)
        return ST_OK;
    return err_set(err, ST_LIMIT, "%s: the line at byte %lld has more than %d bytes",
                   file->path, (long long)window->offset, CSV_RECORD_MAX);
}

static struct str without_line_end(struct str line)
{
    line.n -= line.n > 0 && line.p[line.n - 1] == '\n';
    line.n -= line.n > 0 && line.p[line.n - 1] == '\r';
    return line;
}

struct record file_records_front(const struct file_records *file, size_t size)
{
    const struct csv_window *window = &file->window;
    struct str line = {csv_window_rest(window).p, size};
    return (struct record){
        .offset = window->offset, .time_ms = -1, .value = without_line_end(line)};
}
