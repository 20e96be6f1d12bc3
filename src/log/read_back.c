// SPDX-License-Identifier: Apache-2.0
#include "log/read_back.h"

#include <stdlib.h>

enum {
    PIECE_BYTES = 4 << 20
};

static enum status read_pieces(struct reader *reader, int64_t most_bytes, char *piece,
                               struct checksummer *sum, int64_t *ret_bytes,
                               struct err *err)
{
    int64_t n_bytes = 0;
    for (size_t n = 1; n > 0 && n_bytes <= most_bytes; n_bytes += (int64_t)n) {
        TRY(reader->read(reader, piece, PIECE_BYTES, &n, err));
        checksummer_add(sum, piece, n);
    }
    *ret_bytes = n_bytes;
    return ST_OK;
}

enum status read_back(struct storage *storage, struct str path, int64_t most_bytes,
                      enum checksum_kind kind, int64_t *ret_bytes,
                      struct checksum *ret_sum, struct err *err)
{
    struct storage_reader reader;
    struct checksummer *sum = checksummer_open(kind);
    char *piece = mem_alloc(PIECE_BYTES);
    storage_reader_init(&reader, storage, path, PIECE_BYTES);
    enum status rc = read_pieces(&reader.reader, most_bytes, piece, sum, ret_bytes, err);
    if (rc == ST_OK)
        checksummer_finish(sum, ret_sum);
    storage_reader_release(&reader);
    checksummer_free(sum);
    free(piece);
    return rc;
}
