// SPDX-License-Identifier: Apache-2.0
// The log as it will be when all units under way have been committed and nobody else has
// written: so the entries of units can be made, and their bytes be brought into tmp,
// while the units before them are still on their way.
//
// A forecast decides nothing. Whoever publishes an entry makes it anew from the log as it
// is, and takes the bytes that lie in tmp only when they are the same (publish.h). So
// what came otherwise costs a write, never more.
//
// Only for a writer that has claimed all partitions. Where several commit by turns, most
// forecasts would be wrong, and one that has its next entries ready would leave no number
// to those that have to write theirs first.
//
// How: two states, of the log and of its forecast. Owns its memory; zero is none. One
// thread.
#ifndef COMMIT_FORECAST_H
#define COMMIT_FORECAST_H

#include "commit/make_entry.h"
#include "core/storage.h"
#include "log/paths.h"

struct forecast {
    struct log_state log; // as it is told, and with what was handed over since
    struct log_state tip; // with all that was made
    bool is_known;        // the log
};

// Of a unit, which it borrows from.
struct prepared_entry {
    struct made_entry made;
    struct path source; // where its bytes lie, or are to lie
    bool is_written;    // and have been read back
};

void forecast_release(struct forecast *forecast);
// The log is that, now the forecast's; all that was made is forgotten.
void forecast_tell(struct forecast *forecast, struct log_state *log);
// Whether all partitions of the log are that writer's.
bool forecast_is_alone(const struct forecast *forecast, struct str writer);
// Makes the entry of a unit, which comes next; NULL: that is not known.
struct prepared_entry *forecast_make(struct forecast *forecast, const struct job *job,
                                     struct env *env, const struct unit *unit);
// Back to the log: entries that still stand are then added again, in their order.
void forecast_rewind(struct forecast *forecast);
bool forecast_add(struct forecast *forecast, const struct prepared_entry *prepared);
// It is published, as far as the forecast goes.
void forecast_publish(struct forecast *forecast, const struct prepared_entry *prepared);
// Whether the log ends with it.
bool prepared_is_last(const struct prepared_entry *prepared, const struct log_state *log);
// Makes an entry that is to lie in that folder of tmp. Errors: entry_make's.
enum status prepared_make(const struct entry_maker *maker,
                          const struct publish_work *work, struct str folder,
                          struct env *env, struct prepared_entry **ret, struct err *err);
// It was made so long ago that it is made again.
bool prepared_is_old(const struct prepared_entry *prepared, int64_t wall_ms);
void prepared_free(struct prepared_entry *prepared);

// What lies there must be what was sent: an entry that nobody can read would stop the
// job. ST_RETRY: it is not. ST_NOT_FOUND: somebody has removed it.
enum status entry_check_written(struct storage *storage, const struct path *path,
                                struct str bytes, struct err *err);

#endif
