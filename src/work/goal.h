// SPDX-License-Identifier: Apache-2.0
// The end of a run --once: what was in the topic when it was asked, in all partitions,
// ours or not. It is reached when the log has it, whoever of the workers wrote that.
#ifndef WORK_GOAL_H
#define WORK_GOAL_H

#include "work/message.h"

struct goal {
    bool is_counted;
    struct topic_range *ranges; // by partition; high -1: not known yet
    int32_t n;
    int32_t n_found;
    bool is_reached;        // as of the last goal_look()
    int32_t behind;         // else the first partition that is not
    int64_t behind_next;    // where it stands
    struct progress *known; // where the log stands, to be confirmed
    bool *is_confirmed;
    char topic_id[TOPIC_ID_TEXT]; // as the log tells it
    size_t n_known, n_confirmed;
    int64_t known_entry; // the log's end then
    bool is_checked;     // the topic is known to be the log's
    size_t n_reached;    // of our partitions, in order, those read far enough
    struct {             // as of the last look whether it moves
        int64_t n_read, n_found, entry;
    } seen;
    bool waits_for_topic; // the committer does, with a unit
    char why[512];        // what was last waited for, from below
};

bool goal_is_known(const struct goal *goal);
// What is still to be asked until it is known of the topic. NULL: nothing.
struct message *goal_ask(const struct goal *goal, int64_t generation);
// Looks where the log stands.
void goal_look(struct goal *goal, const struct message *message);
// Reached before anything was read: is what the log has read still in the topic?
void goal_confirm(struct goal *goal, const struct message *message);
bool goal_is_confirmed(const struct goal *goal);
struct message *goal_ask_again(const struct goal *goal, int64_t generation);
// The answers to either.
void goal_told(struct goal *goal, const struct message *message);
// Reading begins, of a topic that was checked.
void goal_begin_read(struct goal *goal);
// Whether all that is ours has been read far enough.
bool goal_is_read(struct goal *goal, const struct unit *unit);
// Until where a partition is to be read: INT64_MAX: not known yet, INT64_MIN: nothing of
// it is.
int64_t goal_end(const struct goal *goal, int32_t partition);
// Whether anything was read, told or written, by whichever worker, since the last call.
bool goal_moves(struct goal *goal, int64_t n_read);
void goal_waits(struct goal *goal, const char *why); // for that, as far as is known
// What is waited for, without a word on how long: "partition 2 ...".
void goal_explain(const struct goal *goal, struct buf *text);
void goal_release(struct goal *goal);

#endif
