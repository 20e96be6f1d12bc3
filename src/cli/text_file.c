// SPDX-License-Identifier: Apache-2.0
#include "cli/text_file.h"

#include <errno.h>
#include <stdio.h>

enum {
    TEXT_BYTES_MAX = 4 << 20
};

enum status text_file_read(const char *path, struct buf *ret, struct err *err)
{
    FILE *stream = fopen(path, "rb");
    if (stream == NULL)
        return err_set(err, ST_USAGE, "cannot open %s: %s", path, strerror(errno));
    char *room = buf_room(ret, TEXT_BYTES_MAX);
    size_t n = room ? fread(room, 1, TEXT_BYTES_MAX, stream) : 0;
    bool bad = ferror(stream);
    fclose(stream);
    ret->n += n;
    if (bad)
        return err_set(err, ST_USAGE, "cannot read %s: is it a file?", path);
    if (n == TEXT_BYTES_MAX)
        return err_set(err, ST_USAGE, "%s has more than %d bytes", path,
                       TEXT_BYTES_MAX - 1);
    return ST_OK;
}
