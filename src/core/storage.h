// SPDX-License-Identifier: Apache-2.0
// Port: a tree of files that are written whole, and renamed where the storage can.
//
// Paths are '/'-separated, relative to the storage's root, without "." or "..". Every
// call is bounded in time: by the storage's own limits, and by the deadline that the
// owner has set. A status says what is known:
//   ST_OK it happened; ST_RETRY it surely did not, and may succeed later; ST_UNKNOWN no
//   answer, it may have happened or happen later; ST_NOT_FOUND; ST_EXISTS; else final.
//   What changes nothing is never ST_UNKNOWN.
// After a lost answer a storage itself repeats mkdir, remove and replace, never a write
// or a publish.
// A storage may be used by one thread at a time; open a second one for a second thread.
#ifndef CORE_STORAGE_H
#define CORE_STORAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "core/checksum.h"
#include "core/deadline.h"

struct storage;

struct file_info {
    struct str name; // last part of the path; in the arena given to list()
    bool is_directory;
    int64_t size; // bytes
    int64_t modified_ms;
};

struct file_list {
    struct file_info *items; // sorted by name
    size_t n;
};

// A file of this machine without a name, which nobody else writes to and whose owner
// gives it away: a storage may give it the name in the place of a copy.
struct given_file {
    int fd;
    bool is_taken; // it did
};

// Where an upload takes its bytes from; called again and again until *ret_n is 0.
struct reader {
    enum status (*read)(struct reader *reader, void *p, size_t capacity, size_t *ret_n,
                        struct err *err);
    struct given_file *given; // has the same bytes; NULL: none
    // A descriptor of a file that begins with the same bytes, for who can send them from
    // there; NULL: none. It is read beside, by place.
    const int *file;
};

// One that gives bytes in memory, which it borrows.
struct bytes_reader {
    struct reader reader; // first member: a bytes_reader is a reader
    struct str rest;
};
struct bytes_reader bytes_reader(struct str bytes);

struct storage_ops {
    // Makes a new file with all that the reader gives; missing directories are made.
    // ST_EXISTS when the name is taken; never ST_NOT_FOUND: who removes the directory
    // meanwhile makes it ST_RETRY. Good only on ST_OK: after anything else the name
    // may hold a part of the bytes and must not be used again. Durable on return where
    // the storage promises it.
    enum status (*write)(struct storage *storage, struct str path, struct reader *reader,
                         int64_t size_bytes, struct err *err);
    // Exclusive rename: `to` appears whole or not at all, and never over another file.
    // ST_EXISTS: `to` is taken. ST_NOT_FOUND: `from` is not there. The parent of `to`
    // must exist (ST_NOT_FOUND too, the text says which).
    enum status (*publish)(struct storage *storage, struct str from, struct str to,
                           struct err *err);
    // A new file of these bytes: it appears whole or not at all, and never over another
    // one (ST_EXISTS). The parent of `path` must exist. `temporary` is a name that is the
    // caller's alone: a storage that renames puts the bytes there first, and after
    // anything but ST_OK they may still lie there. ST_UNKNOWN: the file may be there, or
    // appear later.
    enum status (*create_exclusive)(struct storage *storage, struct str path,
                                    struct str temporary, struct str bytes,
                                    struct err *err);
    // Rename over what is there, in one step. ST_NOT_FOUND as for publish.
    enum status (*replace)(struct storage *storage, struct str from, struct str to,
                           struct err *err);
    // What a directory holds, not what is below. ST_NOT_FOUND when there is nothing.
    enum status (*list)(struct storage *storage, struct str path, struct arena *arena,
                        struct file_list *ret, struct err *err);
    // `ret->name` is not set. ST_NOT_FOUND when there is nothing. "" is the root.
    enum status (*stat)(struct storage *storage, struct str path, struct file_info *ret,
                        struct err *err);
    enum status (*checksum)(struct storage *storage, struct str path,
                            struct checksum *ret, struct err *err);
    // With its parents; ST_OK also when it is there.
    enum status (*mkdir)(struct storage *storage, struct str path, struct err *err);
    // Appends up to size_bytes from `offset` to `ret`; fewer only at the file's end.
    enum status (*read)(struct storage *storage, struct str path, int64_t offset,
                        size_t size_bytes, struct buf *ret, struct err *err);
    // A file, or a directory with all that is in it; never the root. ST_NOT_FOUND when
    // there is nothing, also because an earlier try whose answer was lost removed it.
    enum status (*remove)(struct storage *storage, struct str path, struct err *err);
    void (*close)(struct storage *storage);
};

struct storage {
    const struct storage_ops *ops;
    char *url;      // for messages and identity; owned
    bool exclusive; // promises that publish and create_exclusive never overwrite
    bool durable;   // promises that what ST_OK said survives a crash of the machine
    // Promises that it can rename. Where it cannot, publish and replace are ST_USAGE, and
    // a file is written under its final name, which nobody can guess: whoever reads goes
    // by what names it, not by what a directory holds.
    bool renames;
    enum checksum_kind checksum_kind; // that checksum() tells
    bool takes_files; // write may give a reader's file a name in the place of a copy
    const struct deadline *deadline; // of its calls; the owner's, NULL: none
};

// For AUTO(storage_auto_close): closes what the variable holds, if it holds something.
static inline void storage_auto_close(struct storage **storage)
{
    if (*storage != NULL)
        (*storage)->ops->close(*storage);
}

// Convenience over the ports; all paths may be printf-made by the caller.
enum status storage_write_bytes(struct storage *storage, struct str path,
                                struct str bytes, struct err *err);
// create_exclusive of a storage that renames: write to `temporary`, then publish.
enum status storage_create_by_rename(struct storage *storage, struct str path,
                                     struct str temporary, struct str bytes,
                                     struct err *err);
// The whole file, at most `limit` bytes (ST_LIMIT past that).
enum status storage_read_all(struct storage *storage, struct str path, size_t limit,
                             struct buf *ret, struct err *err);

// Reads a file in order through a storage, in pieces of piece_bytes.
struct storage_reader {
    struct reader reader; // first member: a storage_reader is a reader
    struct storage *storage;
    struct str path; // borrowed
    int64_t offset;
    struct buf piece;
    size_t piece_at;
    bool at_end;
    size_t piece_bytes;
};
void storage_reader_init(struct storage_reader *reader, struct storage *storage,
                         struct str path, size_t piece_bytes);
void storage_reader_release(struct storage_reader *reader);

#endif
