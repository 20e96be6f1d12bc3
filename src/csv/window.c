// SPDX-License-Identifier: Apache-2.0
#include "csv/window.h"

#include <assert.h>

void csv_window_init(struct csv_window *window, struct reader *reader, int64_t offset,
                     size_t piece_bytes)
{
    *window = (struct csv_window){
        .reader = reader,
        .bytes = BUF_INIT(CSV_RECORD_MAX + 2 * piece_bytes),
        .offset = offset,
        .piece_bytes = piece_bytes,
    };
}

void csv_window_release(struct csv_window *window)
{
    buf_release(&window->bytes);
}

enum status csv_window_fill(struct csv_window *window, struct err *err)
{
    struct buf *bytes = &window->bytes;
    buf_remove_front(bytes, window->at);
    window->at = 0;
    size_t wanted = window->piece_bytes;
    while (wanted > 0 && !window->at_end) {
        char *room = buf_room(bytes, wanted);
        assert(room != NULL); // no record above CSV_RECORD_MAX waits for more
        size_t n;
        enum status rc = window->reader->read(window->reader, room, wanted, &n, err);
        window->has_failed = rc != ST_OK;
        TRY(rc);
        bytes->n += n;
        wanted -= n;
        window->at_end = n == 0;
    }
    return ST_OK;
}

static enum status fill_to(struct csv_window *window, size_t n_bytes, struct err *err)
{
    while (window->bytes.n - window->at < n_bytes && !window->at_end)
        TRY(csv_window_fill(window, err));
    return ST_OK;
}

enum status csv_window_begin(struct csv_window *window, struct err *err)
{
    TRY(fill_to(window, CSV_MAGIC_MAX, err));
    const char *other = csv_no_text(csv_window_rest(window));
    if (other != NULL)
        return err_set(err, ST_DATA, "the file is %s", other);
    size_t n;
    while ((n = csv_bom(csv_window_rest(window))) > 0) { // some tools put one more there
        csv_window_pass(window, n);
        TRY(fill_to(window, n, err));
    }
    return ST_OK;
}

enum csv_scan csv_window_scan(struct csv_window *window, struct csv_line *line)
{
    struct str rest = csv_window_rest(window);
    bool is_long = rest.n > CSV_RECORD_MAX;
    if (is_long)
        rest.n = CSV_RECORD_MAX;
    enum csv_scan scan = csv_scan(rest, window->at_end && !is_long, line);
    return scan == CSV_MORE && is_long ? CSV_TOO_LONG : scan;
}

bool csv_window_pass_line(struct csv_window *window)
{
    struct str rest = csv_window_rest(window);
    size_t n = csv_physical_line(rest);
    csv_window_pass(window, n);
    return (n > 0 && rest.p[n - 1] == '\n') || window->at_end;
}
