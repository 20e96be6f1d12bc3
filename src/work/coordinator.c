// SPDX-License-Identifier: Apache-2.0
#include "work/coordinator.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "work/coordinator_inside.h"

enum {
    WAIT_MS = 200,        // for a line
    PAUSE_MAX_MS = 10000, // between two tries
    ALIVE_MAX_MS = 3600000
};

static bool is_to_stop(const struct coordinator *coordinator)
{
    const struct coordinator_parts *parts = &coordinator->parts;
    return deadline_is_over(coordinator->is_ending ? parts->farewell : parts->deadline,
                            coordinator_ms(coordinator));
}

// ST_STOP when it is to end.
static enum status wait_here(struct coordinator *coordinator, int64_t ms)
{
    struct waiter *waiter = coordinator->parts.waiter;
    int64_t until_ms = coordinator_ms(coordinator) + ms;
    while (!is_to_stop(coordinator) && coordinator_ms(coordinator) < until_ms) {
        int64_t left_ms = until_ms - coordinator_ms(coordinator);
        int64_t at_ms =
            coordinator_ms(coordinator) + (left_ms < WAIT_MS ? left_ms : WAIT_MS);
        waiter->wait(waiter, (struct wait){WAIT_TIME, at_ms});
    }
    return is_to_stop(coordinator) ? ST_STOP : ST_OK;
}

// A run --once does not wait for ever.
bool coordinator_again(struct coordinator *coordinator, int64_t began_ms,
                       int64_t *pause_ms, enum status *rc, struct err *err)
{
    const struct job_settings *settings = &coordinator->parts.job->settings;
    int64_t limit_ms = settings->once ? settings->once_timeout_ms : 0;
    if (*rc != ST_RETRY)
        return false;
    if (is_to_stop(coordinator)) {
        *rc = ST_STOP;
        return false;
    }
    if (limit_ms > 0 && coordinator_ms(coordinator) - began_ms >= limit_ms)
        return false;
    if (*pause_ms == 0)
        log_warn("%s; waiting", err->text);
    *pause_ms = *pause_ms == 0 ? 100 : 2 * *pause_ms;
    if (*pause_ms > PAUSE_MAX_MS)
        *pause_ms = PAUSE_MAX_MS;
    if (wait_here(coordinator, *pause_ms) == ST_OK)
        return true;
    *rc = ST_STOP;
    return false;
}

enum status coordinator_tell(struct coordinator *coordinator, struct str line,
                             struct err *err)
{
    struct lines *lines = coordinator->parts.lines;
    if (coordinator->unheard.status != ST_OK)
        return ST_OK;
    enum status rc = lines->ops->send(lines, line, err);
    if (rc == ST_STOP && coordinator->is_ending)
        return ST_OK; // nobody waits for it
    if (rc == ST_OK || rc == ST_STOP)
        return rc;
    coordinator->unheard = *err;
    coordinator->unheard.status = rc;
    return ST_OK;
}

void coordinator_tell_group(struct coordinator *coordinator, const struct unit *unit)
{
    struct stream *teller = coordinator->parts.teller;
    struct stream_event ignored; // it is read by nobody
    struct err err;
    if (teller == NULL)
        return;
    if (unit != NULL) {
        struct stream_start *next = mem_array(unit->n_spans + 1, sizeof(*next));
        for (size_t i = 0; i < unit->n_spans; i++)
            next[i] = (struct stream_start){.partition = unit->spans[i].partition,
                                            .offset = unit->spans[i].next};
        teller->ops->report(teller, next, unit->n_spans);
        free(next);
    }
    bool is_away = teller->ops->poll(teller, 0, &ignored, &err) != ST_OK;
    if (is_away && !coordinator->is_group_away)
        log_warn("the consumer group is not told of the progress: %s", err.text);
    coordinator->is_group_away = is_away;
}

// Answers.

static enum status again(struct coordinator *coordinator, struct order_slot *slot,
                         const char *why, struct err *err)
{
    if (slot->n_given >= GIVEN_MAX)
        return err_set(err, ST_FAIL,
                       "order %" PRId64 " was given out %d times without a unit: %s",
                       slot->order.number, slot->n_given, why);
    log_warn("order %" PRId64 " is given out again: %s", slot->order.number, why);
    slot->is_due = true;
    slot->given_ms =
        coordinator_ms(coordinator) + (100 << (slot->n_given < 4 ? slot->n_given : 3));
    return ST_OK;
}

static bool has_file(const struct unit *unit, struct str tmp)
{
    for (size_t i = 0; i < unit->n_files; i++)
        if (str_eq(unit->files[i].tmp, tmp))
            return true;
    return false;
}

// A unit that nobody waits for: the files of another try go, where they cannot be files
// that an entry names, or that of the unit which was taken.
static void drop_unit(struct coordinator *coordinator, const struct order_slot *taken,
                      const struct unit *unit)
{
    if (!coordinator->parts.storage->renames ||
        !str_is(unit->writer, committer_writer(coordinator->committer)))
        return;
    for (size_t i = 0; taken != NULL && i < unit->n_files; i++)
        if (has_file(&taken->unit, unit->files[i].tmp))
            return;
    committer_drop(coordinator->committer, unit, NULL);
}

// Whether the unit is to be taken all the same.
static bool look_at_tables(struct coordinator *coordinator, const struct unit *unit)
{
    char *seen = coordinator->tables;
    if (str_eq(unit->dimension, coordinator->parts.job->dimension) ||
        str_is(unit->dimension, seen))
        return true;
    coordinator->has_wrong_tables = coordinator->parts.keeps_tables;
    if (coordinator->has_wrong_tables) {
        log_line(LOG_ERROR,
                 "the staged tables have changed; what was made of the ones before is "
                 "committed, then it ends (on_table_change = 'fail')");
        return false;
    }
    snprintf(seen, sizeof(coordinator->tables), "%.*s", STR_ARGS(unit->dimension));
    log_warn("the staged tables have changed; workers that read them since make units of "
             "the new ones");
    return true;
}

static enum status take_unit(struct coordinator *coordinator, struct answer *answer,
                             struct err *err)
{
    struct order_slot *slot = order_book_find(&coordinator->book, answer->order);
    if (slot == NULL || slot->is_made) {
        drop_unit(coordinator, slot, &answer->unit);
        return ST_OK;
    }
    TRY(order_check_unit(&slot->order, &answer->unit,
                         coordinator->parts.topic->ends_anywhere, err));
    if (!look_at_tables(coordinator, &answer->unit)) {
        drop_unit(coordinator, NULL, &answer->unit);
        return ST_OK;
    }
    slot->unit = answer->unit;
    slot->is_made = true;
    slot->is_due = false;
    answer->unit = (struct unit){0};
    return ST_OK;
}

// A driver that hangs keeps its pipes open: what it says is its sign of life.
static void note_alive(struct coordinator *coordinator, int64_t for_ms)
{
    coordinator->alive_for_ms = for_ms < ALIVE_MAX_MS ? for_ms : ALIVE_MAX_MS;
    coordinator->alive_ms = coordinator_ms(coordinator) + coordinator->alive_for_ms;
}

static enum status check_alive(const struct coordinator *coordinator, struct err *err)
{
    if (coordinator->alive_ms == 0 || coordinator_ms(coordinator) < coordinator->alive_ms)
        return ST_OK;
    return err_set(err, ST_FAIL,
                   "the driver has not been heard of for %" PRId64
                   " s: it is taken for dead",
                   coordinator->alive_for_ms / 1000);
}

static enum status worker_failed(const struct answer *answer, struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    enum status rc = answer->exit_code == 2   ? ST_USAGE
                     : answer->exit_code == 3 ? ST_DATA
                                              : ST_FAIL;
    buf_str(&text, answer->text);
    return err_set(err, rc, "a worker failed: %s", buf_cstr(&text));
}

static enum status take_answer(struct coordinator *coordinator, struct answer *answer,
                               struct err *err)
{
    if (answer->kind == ANSWER_SLOTS) {
        coordinator->slots = answer->number;
        return ST_OK;
    }
    if (answer->kind == ANSWER_ALIVE) {
        note_alive(coordinator, answer->number);
        return ST_OK;
    }
    struct order_slot *slot = order_book_find(&coordinator->book, answer->order);
    if (answer->kind == ANSWER_UNIT)
        return take_unit(coordinator, answer, err);
    if (answer->order >= 0 && (slot == NULL || slot->is_made || slot->is_due))
        return ST_OK; // of a try that nobody waits for
    if (answer->kind == ANSWER_LOST)
        return again(coordinator, slot, "whoever worked on it is lost", err);
    AUTO(buf_release) struct buf text = {0};
    buf_str(&text, answer->text);
    if (answer->may_retry && slot != NULL)
        return again(coordinator, slot, buf_cstr(&text), err);
    return worker_failed(answer, err);
}

static enum status take_line(struct coordinator *coordinator, struct str line,
                             bool may_be_cut, struct err *err)
{
    struct answer answer;
    bool is_answer = answer_decode(line, &answer, err) == ST_OK;
    if (!is_answer && may_be_cut) {
        log_warn("the input ended within a line, which is left out");
        return ST_OK;
    }
    if (!is_answer)
        return err_context(err, ST_DATA, "a line that was to be an answer");
    enum status rc = take_answer(coordinator, &answer, err);
    answer_release(&answer);
    return rc;
}

// Orders.

static enum status give(struct coordinator *coordinator, struct order_slot *slot,
                        struct err *err)
{
    AUTO(buf_release) struct buf line = {0};
    order_encode(&slot->order, &line);
    slot->is_due = false;
    slot->n_given++;
    slot->given_ms = coordinator_ms(coordinator);
    return coordinator_tell(coordinator, buf_as_str(&line), err);
}

// What was given out together is a job of the driver's.
static enum status tell_trigger(struct coordinator *coordinator, int64_t n_orders,
                                int64_t n_ranges, int64_t n_offsets, struct err *err)
{
    AUTO(buf_release) struct buf line = {0}, label = {0};
    if (n_orders == 0 || coordinator->slots == 0)
        return ST_OK;
    buf_printf(&label, "entry %" PRId64 ": %s, %s",
               committer_state(coordinator->committer)->next,
               text_counted(n_ranges, "range", "ranges"),
               text_counted(n_offsets, "offset", "offsets"));
    order_trigger_encode(&(struct order_trigger){.trigger = ++coordinator->n_triggers,
                                                 .orders = n_orders,
                                                 .label = buf_as_str(&label)},
                         &line);
    return coordinator_tell(coordinator, buf_as_str(&line), err);
}

static int64_t offsets_of(const struct order *order)
{
    int64_t n = 0;
    for (size_t i = 0; i < order->n_ranges; i++)
        n += order->ranges[i].next - order->ranges[i].first;
    return n;
}

static enum status give_orders(struct coordinator *coordinator, struct err *err)
{
    int64_t now_ms = coordinator_ms(coordinator);
    int64_t n_orders = 0, n_ranges = 0, n_offsets = 0;
    for (size_t i = 0; i < coordinator->book.n; i++) {
        struct order_slot *slot = coordinator->book.slots[i];
        bool is_late = !slot->is_made && !slot->is_due &&
                       now_ms - slot->given_ms >= coordinator->parts.order_ms;
        if (is_late)
            TRY(again(coordinator, slot, "there was no answer in time", err));
        if (!slot->is_due || now_ms < slot->given_ms)
            continue;
        TRY(give(coordinator, slot, err));
        n_orders++;
        n_ranges += (int64_t)slot->order.n_ranges;
        n_offsets += offsets_of(&slot->order);
    }
    return tell_trigger(coordinator, n_orders, n_ranges, n_offsets, err);
}

// The whole.

static enum status take_lines(struct coordinator *coordinator, int64_t ms,
                              struct err *err)
{
    struct lines *lines = coordinator->parts.lines;
    enum line_event event;
    struct str line;
    do {
        TRY(lines->ops->receive(lines, ms, &event, &line, err));
        if (event == LINE_READ || event == LINE_LAST)
            TRY(take_line(coordinator, line, event == LINE_LAST, err));
        ms = 0;
    } while (event == LINE_READ);
    coordinator->has_end |= event == LINE_END || event == LINE_LAST;
    return ST_OK;
}

static enum status tell_end(struct coordinator *coordinator, const char *why,
                            struct err *err)
{
    AUTO(buf_release) struct buf line = {0};
    struct lines *lines = coordinator->parts.lines;
    orders_end_encode(why, &line);
    return lines->ops->send(lines, buf_as_str(&line), err);
}

// Orders that are answered need not be made again, also of a trigger that is not whole.
static enum status commit_last(struct coordinator *coordinator, struct err *err)
{
    coordinator->is_ending = true;
    coordinator_show_phase(coordinator, BOARD_STOPPING);
    coordinator->parts.topic->deadline = coordinator->parts.farewell;
    enum status rc = take_lines(coordinator, 0, err);
    if (rc == ST_OK)
        rc = coordinator_commit(coordinator, err);
    if (rc == ST_RETRY || rc == ST_UNKNOWN)
        log_warn("%s", err->text); // there was no time for more
    return rc == ST_OK || rc == ST_RETRY || rc == ST_UNKNOWN ? ST_STOP : rc;
}

static enum status end_with_tables(struct coordinator *coordinator, struct err *err)
{
    enum status rc = commit_last(coordinator, err);
    if (rc != ST_STOP)
        return rc;
    return err_set(err, ST_FAIL,
                   "the staged tables changed while the job ran; what "
                   "was read is committed; run it again");
}

static enum status run(struct coordinator *coordinator, struct err *err)
{
    TRY(coordinator_claim(coordinator, err));
    while (!coordinator_is_done(coordinator)) {
        if (coordinator->has_end)
            return ST_STOP;
        if (is_to_stop(coordinator))
            return commit_last(coordinator, err);
        if (coordinator->has_wrong_tables)
            return end_with_tables(coordinator, err);
        coordinator_show_phase(coordinator, BOARD_READING);
        coordinator_sweep(coordinator);
        TRY(coordinator_plan(coordinator, err));
        TRY(give_orders(coordinator, err));
        int64_t ms = committer_tidy(coordinator->committer) ? 0 : WAIT_MS;
        TRY(take_lines(coordinator, ms, err));
        TRY(check_alive(coordinator, err));
        TRY(coordinator_commit(coordinator, err));
        coordinator_tell_group(coordinator, NULL);
        *err = coordinator->unheard;
        TRY(err->status);
    }
    TRY(coordinator_tell_progress(coordinator, err));
    return tell_end(coordinator, NULL, err);
}

static void tell_left(const struct coordinator *coordinator)
{
    if (coordinator->book.n > 0)
        log_info("%s not committed; the offsets are read again",
                 text_counted((int64_t)coordinator->book.n, "order was", "orders were"));
}

static void end(struct coordinator *coordinator)
{
    struct err ignored;
    tell_left(coordinator);
    while (committer_tidy_last(coordinator->committer))
        continue;
    if (committer_has_claim(coordinator->committer) &&
        committer_recover(coordinator->committer, &ignored) != ST_OK)
        return;
    committer_leave(coordinator->committer);
}

static bool nobody_calls(UNUSED void *context)
{
    return false;
}

enum status coordinate(const struct coordinator_parts *parts, struct err *err)
{
    struct coordinator coordinator = {.parts = *parts, .slots = parts->n_slots};
    assert(parts->n_orders > 0 && parts->n_orders <= ORDERS_MAX);
    coordinator.committer = committer_open(&(struct committer_parts){
        .job = parts->job,
        .storage = parts->storage,
        .env = parts->env,
        .waiter = parts->waiter,
        .deadline = parts->farewell,
        .status = parts->status,
        .is_called = nobody_calls,
    });
    coordinator.ordered_ms = coordinator_ms(&coordinator);
    enum status rc = run(&coordinator, err);
    struct err ignored;
    if (coordinator.is_superseded && coordinator.unheard.status == ST_OK)
        (void)tell_end(&coordinator, "claimed", &ignored);
    end(&coordinator);
    coordinator_show_phase(&coordinator, BOARD_STOPPED);
    board_clear(&parts->status->board);
    order_book_clear(&coordinator.book);
    committer_free(coordinator.committer);
    free(coordinator.partitions);
    return rc == ST_STOP ? ST_OK : rc;
}
