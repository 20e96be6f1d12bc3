// SPDX-License-Identifier: Apache-2.0
// The parts of an Avro container file, read in order (Avro 1.11, "Object Container
// Files"): header, then blocks. Errors name the file, block and byte position.
#ifndef AVRO_CONTAINER_H
#define AVRO_CONTAINER_H

#include "avro/compress.h"
#include "core/storage.h"

#define AVRO_MAGIC "Obj\x01"

enum {
    AVRO_MAGIC_BYTES = 4,
    AVRO_SYNC_BYTES = 16,
    AVRO_HEADER_MAX = 16 << 20 // bytes of metadata
};

struct avro_pair {
    struct str key, value;
};

struct avro_container {
    struct storage *storage; // borrowed
    char *path;
    struct buf piece; // bytes of the file from `base` on
    size_t at;        // of the piece
    int64_t base;     // position in the file
    bool at_end;      // the storage has no more
    struct avro_pair *metadata;
    size_t n_metadata, metadata_capacity;
    struct arena arena; // the metadata's bytes
    uint8_t sync[AVRO_SYNC_BYTES];
    struct avro_decompressor decompressor;
    int64_t n_blocks; // read so far
    int64_t block_at; // position of the newest one
    struct buf block; // its plain bytes
    int64_t n_rows;   // in it
};

// Reads the header; the storage is borrowed, the path copied.
enum status avro_container_open(struct storage *storage, struct str path,
                                struct avro_container **ret, struct err *err);
// False when there is no such metadata.
bool avro_container_get(const struct avro_container *c, struct str key, struct str *ret);
// Reads the next block into c->block; *ret is false behind the last one.
enum status avro_container_next(struct avro_container *c, bool *ret, struct err *err);
// ST_DATA with "file, block 3 at byte 4711: text".
enum status avro_container_wrong(const struct avro_container *c, struct err *err,
                                 const char *fmt, ...) PRINTF_LIKE(3, 4);
void avro_container_free(struct avro_container *c);

#endif
