// SPDX-License-Identifier: Apache-2.0
// Commits what others make: claims all partitions, gives out orders (log/order.h), takes
// units, and publishes them in the order of the log. docs/units.md has the protocol.
//
// How: one loop of plain code that blocks. Whose result comes late, twice or never
// matters to nobody: the first good unit of an order counts, and waits until its first
// offsets are the log's next. When another writer claims one of its partitions it ends
// and claims nothing back.
//
// Threads: one. Errors: final ones; nothing is lost by them, since what is not committed
// is read again.
#ifndef WORK_COORDINATOR_H
#define WORK_COORDINATOR_H

#include "commit/engine_status.h"
#include "commit/wait.h"
#include "core/env.h"
#include "core/lines.h"
#include "core/storage.h"
#include "core/topic.h"
#include "log/job.h"

// All borrowed. job.settings.once: end when all that was in the topic is committed.
struct coordinator_parts {
    const struct job *job;
    struct storage *storage; // its root is the result directory
    struct topic *topic;
    struct stream *teller; // held; its group is told what is committed; NULL: nobody is
    struct env *env;
    struct waiter *waiter;
    const struct deadline *deadline; // of all that is not finished all the same
    const struct deadline *farewell; // of the storage
    struct engine_status *status;
    struct lines *lines;
    int64_t order_offsets; // of an order, all its ranges together
    int64_t order_least;   // offsets that are not shared out among several orders
    int64_t n_slots;       // orders that the driver has made at a time: a trigger; 0: it
                           // takes each for itself
    int64_t n_orders;      // under way at a time; ORDERS_MAX at most
    bool is_shown;         // by a status server
    bool keeps_tables; // other tables than the job's end it, once the rest is committed
    int64_t order_ms;  // until one that is not answered is given out again
};

enum status coordinate(const struct coordinator_parts *parts, struct err *err);

#endif
