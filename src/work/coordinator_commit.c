// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "work/coordinator_inside.h"
#include "work/progress.h"
#include "work/topic_check.h"
#include "work/witness.h"

// Is the topic still the one of before? One record that was read before the unit is
// enough (witness.h), or that all have left it in good order.
static enum status look_once(struct coordinator *coordinator, const struct unit *unit,
                             struct err *err)
{
    AUTO(arena_release) struct arena arena = {0};
    struct topic *topic = coordinator->parts.topic;
    const struct log_state *state = committer_state(coordinator->committer);
    struct probe probes[WITNESSES_MAX];
    size_t n = witness_choose(&coordinator->turn, unit, log_state_progress(state, &arena),
                              state->n_partitions, probes);
    enum status result = ST_OK;
    for (size_t i = 0; i < n; i++) {
        enum status rc = topic_check(topic, &probes[i], err);
        if (rc == ST_OK && probes[i].is_seen)
            return ST_OK;
        if (rc != ST_OK && rc != ST_RETRY)
            return rc;
        result = rc == ST_RETRY ? rc : result;
    }
    return result;
}

static enum status look_at_topic(struct coordinator *coordinator, const struct unit *unit,
                                 struct err *err)
{
    int64_t began_ms = coordinator_ms(coordinator), pause_ms = 0;
    enum status rc;
    if (!coordinator->parts.topic->is_shared)
        return ST_OK;
    do {
        rc = look_once(coordinator, unit, err);
    } while (coordinator_again(coordinator, began_ms, &pause_ms, &rc, err));
    return rc;
}

static enum status tell_committed(struct coordinator *coordinator,
                                  const struct order_slot *slot, struct err *err)
{
    AUTO(buf_release) struct buf line = {0};
    struct order_done done = {
        .order = slot->order.number,
        .entry = committer_state(coordinator->committer)->next - 1,
        .rows = slot->unit.rows,
    };
    for (size_t i = 0; i < slot->unit.n_spans; i++)
        done.records += slot->unit.spans[i].data;
    order_done_encode(&done, &line);
    return coordinator_tell(coordinator, buf_as_str(&line), err);
}

// Where a range has ended, if that is further than it was ordered.
static void note_ends(struct coordinator *coordinator, const struct unit *unit)
{
    for (size_t i = 0; i < unit->n_spans; i++) {
        struct coordinated *at = &coordinator->partitions[unit->spans[i].partition];
        if (unit->spans[i].next > at->planned)
            at->planned = unit->spans[i].next;
    }
}

// The claim holds no more, or files in tmp are gone: another's claim ends it all, else
// the work is ordered again.
static enum status after_conflict(struct coordinator *coordinator, struct err *err)
{
    TRY(committer_recover(coordinator->committer, err));
    TRY(coordinator_check_claim(coordinator, err));
    log_warn("what was ordered is ordered again");
    return coordinator_claim(coordinator, err);
}

enum status coordinator_commit(struct coordinator *coordinator, struct err *err)
{
    const struct log_state *state = committer_state(coordinator->committer);
    struct order_slot *slot;
    while ((slot = order_book_ready(&coordinator->book, state)) != NULL) {
        TRY(look_at_topic(coordinator, &slot->unit, err));
        enum status rc = committer_commit(coordinator->committer, &slot->unit, err);
        if (rc == ST_CONFLICT)
            return after_conflict(coordinator, err);
        TRY(rc);
        note_ends(coordinator, &slot->unit);
        TRY(tell_committed(coordinator, slot, err));
        order_book_remove(&coordinator->book, slot);
    }
    return ST_OK;
}
