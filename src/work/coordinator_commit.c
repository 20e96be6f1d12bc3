// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "work/coordinator_inside.h"
#include "work/merge_units.h"
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
    const struct log_state *state = committer_state(coordinator->committer);
    if (!coordinator->parts.topic->is_shared)
        return ST_OK;
    if (unit->topic_id.n > 0 && state->topic_id[0] != '\0')
        return log_state_check_topic(state, coordinator->parts.topic->name,
                                     unit->topic_id, err);
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

// How many bytes come of an offset: the newest counts as much as all before.
static void note_bytes(struct coordinator *coordinator, const struct unit *unit)
{
    int64_t bytes = 0, offsets = 0;
    for (size_t i = 0; i < unit->n_files; i++)
        bytes += unit->files[i].bytes;
    for (size_t i = 0; i < unit->n_spans; i++)
        offsets += unit->spans[i].next - unit->spans[i].first;
    coordinator->bytes = (coordinator->bytes + bytes) / 2;
    coordinator->offsets = (coordinator->offsets + offsets) / 2;
}

// The claim holds no more, or files in tmp are gone: another's claim ends it all, else
// the work is ordered again.
static enum status after_conflict(struct coordinator *coordinator, struct err *err)
{
    TRY(committer_recover(coordinator->committer, err));
    TRY(coordinator_check_claim(coordinator, err));
    if (coordinator->is_ending)
        return ST_STOP;
    log_warn("what was ordered is ordered again");
    return coordinator_claim(coordinator, err);
}

static enum status commit(struct coordinator *coordinator, struct order_slot **slots,
                          size_t n, struct err *err)
{
    const struct unit *units[ORDERS_MAX];
    struct unit unit;
    for (size_t i = 0; i < n; i++)
        units[i] = &slots[i]->unit;
    merge_units(units, n, &unit);
    enum status rc = look_at_topic(coordinator, &unit, err);
    if (rc == ST_OK)
        rc = committer_commit(coordinator->committer, &unit, NULL, err);
    if (rc == ST_OK) {
        note_ends(coordinator, &unit);
        note_bytes(coordinator, &unit);
        coordinator_tell_group(coordinator, &unit);
        coordinator_show_unit(coordinator, &unit);
    }
    unit_release(&unit);
    return rc;
}

enum status coordinator_commit(struct coordinator *coordinator, struct err *err)
{
    const struct log_state *state = committer_state(coordinator->committer);
    struct order_slot *slots[ORDERS_MAX];
    size_t n;
    bool is_end = coordinator->has_end || coordinator->is_ending;
    while ((n = order_book_ready(&coordinator->book, state, is_end, slots)) > 0) {
        enum status rc = commit(coordinator, slots, n, err);
        if (rc == ST_CONFLICT)
            return after_conflict(coordinator, err);
        TRY(rc);
        for (size_t i = 0; i < n; i++) {
            if (rc == ST_OK)
                rc = tell_committed(coordinator, slots[i], err);
            order_book_remove(&coordinator->book, slots[i]); // told or not
        }
        TRY(rc);
    }
    return ST_OK;
}
