// SPDX-License-Identifier: Apache-2.0
// The staged tables go from one version to another: all or none, whenever it is cut off.
//
// What is to be done is first written to _extract.json beside _feed.json, by an exclusive
// rename: from then on it is only ever finished, by whoever comes next. While it is there
// the tables may be of two versions, and nobody reads them. Each file that is replaced
// may be kept, under a name of its own (_kept-<uuid>.csv); _kept.json says which version
// they are, and is what a rollback goes back to. Every step can be done twice, also by
// two at once.
//
//   _extract.json  {"format": 1, "moves": [{"table": "trips", "to": "trips.csv",
//                   "from": "_tmp-<uuid>", "was": "trips.csv", "kept":
//                   "_kept-<uuid>.csv"}], "feed": "<text of _feed.json>", "kept": "<text
//                   of _kept.json>"}
//   _kept.json     {"format": 1, "feed": "<text of _feed.json>",
//                   "tables": [{"name": "trips", "was": "trips.csv", "kept": "..."}]}
//
// One thread. Errors: of the storage, and ST_DATA for files that are not as above.
#ifndef GTFS_SWAP_H
#define GTFS_SWAP_H

#include "core/env.h"
#include "core/storage.h"

#define FEED_SWAP_NAME "_extract.json"
#define FEED_KEPT_NAME "_kept.json"

struct feed_place {
    const char *table;
    struct storage *storage; // root: the table's directory
};

// Texts are NUL-terminated; NULL where there is none.
struct feed_move {
    const char *table;
    const char *from; // the new file; NULL: the table gets none
    const char *to;   // its name; any other file of the table goes
    const char *was;  // the file that is there
    const char *kept; // where it goes; NULL: nowhere
};

struct feed_swap {
    const struct feed_move *moves;
    size_t n_moves;
    const char *feed; // the new _feed.json; NULL: there is none
    // The new _kept.json; NULL: there is none, and what is kept goes.
    const char *kept;
    bool leaves_kept; // _kept.json stays as it is
};

// Publishes _extract.json and finishes it. ST_CONFLICT: another one is there. Unless
// *ret_begun nothing happened; it may be set on an error too: then the files named in
// `from` must stay.
enum status feed_swap_run(struct storage *root, const struct feed_place *places, size_t n,
                          const struct feed_swap *swap, struct env *env, bool *ret_begun,
                          struct err *err);
// Finishes what another one began; *ret_found is whether there was anything.
enum status feed_swap_finish(struct storage *root, const struct feed_place *places,
                             size_t n, struct env *env, bool *ret_found, struct err *err);

// The text of _kept.json for the files of these moves.
char *feed_kept_text(const struct feed_move *moves, size_t n, const char *feed);
// Goes back to what is kept. ST_NOT_FOUND: nothing is. ST_DATA: it is not of these
// tables. `to` is for each place the name that its file has today.
enum status feed_swap_back(struct storage *root, const struct feed_place *places,
                           size_t n, const char *const *to, struct env *env,
                           struct err *err);

#endif
