// SPDX-License-Identifier: Apache-2.0
#include "status/board.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

const int64_t board_bounds_ms[BOARD_BUCKETS - 1] = {5,    10,   25,    50,    100,   250,
                                                    1000, 2500, 10000, 30000, 120000};

void board_view_release(struct board_view *view)
{
    free(view->tables);
    free(view->joins);
    free(view->partitions);
    *view = (struct board_view){0};
}

void board_release(struct board *board)
{
    free(board->by_hand);
    board->by_hand = NULL;
    board_view_release(&board->view);
}

static void *copied(const void *items, size_t n, size_t size)
{
    if (n == 0)
        return NULL;
    void *copy = mem_array(n, size);
    memcpy(copy, items, n * size);
    return copy;
}

static void add_counts(struct join_counts *joins, const struct join_counts *more)
{
    joins->n_hits += more->n_hits;
    joins->n_misses += more->n_misses;
    joins->n_rows += more->n_rows;
    for (size_t i = 0; i < more->missed.n; i++)
        sketch_add_item(&joins->missed, &more->missed.items[i]);
    joins->missed.total += more->missed.total;
}

void board_read(struct board *board, struct board_view *ret)
{
    pthread_mutex_lock(&board->lock);
    *ret = board->view;
    ret->tables = copied(ret->tables, ret->n_tables, sizeof(*ret->tables));
    ret->joins = copied(ret->joins, ret->n_joins, sizeof(*ret->joins));
    for (size_t i = 0; i + 1 < board->n_hands; i++)
        for (size_t j = 0; j < ret->n_joins; j++)
            add_counts(&ret->joins[j], &board->by_hand[i * ret->n_joins + j]);
    ret->partitions =
        copied(ret->partitions, ret->n_partitions, sizeof(*ret->partitions));
    pthread_mutex_unlock(&board->lock);
}

// Texts come from servers and records: one visible line.
static void set_text(char ret[BOARD_TEXT], struct str text)
{
    if (text.n > BOARD_TEXT)
        text.n = BOARD_TEXT;
    ret[text_visible(text, ret, BOARD_TEXT - 1)] = '\0';
}

static void set_event(struct board_event *event, struct str text, int64_t wall_ms)
{
    set_text(event->text, text);
    event->wall_ms = wall_ms;
}

void board_clear(struct board *board)
{
    struct board_view *view = &board->view;
    pthread_mutex_lock(&board->lock);
    free(view->joins);
    free(view->partitions);
    free(board->by_hand);
    board->by_hand = NULL;
    board->n_hands = 0;
    view->joins = NULL;
    view->partitions = NULL;
    view->n_joins = view->n_partitions = 0;
    pthread_mutex_unlock(&board->lock);
}

void board_phase(struct board *board, enum board_phase phase, int64_t wall_ms)
{
    pthread_mutex_lock(&board->lock);
    if (board->view.phase != phase)
        board->view.phase_since_ms = wall_ms;
    board->view.phase = phase;
    pthread_mutex_unlock(&board->lock);
}

void board_waiting(struct board *board, const char *why, int64_t wall_ms)
{
    pthread_mutex_lock(&board->lock);
    set_event(&board->view.waiting, str_of(why), wall_ms);
    pthread_mutex_unlock(&board->lock);
}

void board_waits(struct board *board, bool is_waiting)
{
    pthread_mutex_lock(&board->lock);
    board->n_waiting += is_waiting ? 1 : -1;
    if (board->n_waiting == 0)
        board->view.waiting.wall_ms = 0;
    pthread_mutex_unlock(&board->lock);
}

void board_job(struct board *board, const struct board_job *job)
{
    pthread_mutex_lock(&board->lock);
    board->view.job = *job;
    pthread_mutex_unlock(&board->lock);
}

void board_tables(struct board *board, const struct board_table *tables, size_t n)
{
    pthread_mutex_lock(&board->lock);
    free(board->view.tables);
    board->view.tables = copied(tables, n, sizeof(*tables));
    board->view.n_tables = n;
    pthread_mutex_unlock(&board->lock);
}

void board_joins(struct board *board, const struct join_counts *joins, size_t n,
                 size_t n_hands)
{
    pthread_mutex_lock(&board->lock);
    board->n_hands = n_hands;
    board->by_hand =
        mem_resize(board->by_hand, n * (n_hands - 1) + 1, sizeof(*board->by_hand));
    for (size_t i = 0; i < n * (n_hands - 1); i++)
        board->by_hand[i] = (struct join_counts){0};
    free(board->view.joins);
    board->view.joins = copied(joins, n, sizeof(*joins));
    board->view.n_joins = n;
    pthread_mutex_unlock(&board->lock);
}

static struct board_partition *find(struct board_view *view, int32_t partition)
{
    size_t low = 0, high = view->n_partitions;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (view->partitions[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there =
        low < view->n_partitions && view->partitions[low].partition == partition;
    return is_there ? &view->partitions[low] : NULL;
}

static void advance(struct board_partition *partition, const struct board_batch *batch)
{
    if (batch->first.offset >= 0 && partition->n_pending < BOARD_PENDING)
        partition->pending[partition->n_pending++] = batch->first;
    if (batch->last.offset >= 0)
        partition->read_time_ms = batch->last.time_ms;
    partition->read = batch->next;
    if (partition->end >= 0 && partition->end < batch->next)
        partition->end = batch->next;
}

static void copy_joins(struct board *board, const struct board_batch *batch)
{
    const struct join_counts *joins = batch->joins;
    size_t n = board->view.n_joins;
    struct join_counts *shown =
        batch->hand == 0 ? board->view.joins : &board->by_hand[(batch->hand - 1) * n];
    for (size_t i = 0; i < n; i++) {
        bool has_missed = joins[i].missed.total != shown[i].missed.total;
        size_t size = has_missed ? sizeof(*joins) : offsetof(struct join_counts, missed);
        memcpy(&shown[i], &joins[i], size);
    }
}

void board_batch(struct board *board, const struct board_batch *batch)
{
    struct board_view *view = &board->view;
    pthread_mutex_lock(&board->lock);
    for (size_t i = 0; i < OUTCOMES_N; i++)
        view->n_records[i] += batch->n_records[i];
    for (size_t i = 0; i < REJECT_REASONS_N; i++)
        view->n_rejects[i] += batch->n_rejects[i];
    view->n_rows += batch->n_rows;
    view->n_bytes += batch->n_bytes;
    if (batch->joins != NULL)
        copy_joins(board, batch);
    struct board_partition *partition = find(view, batch->partition);
    if (partition != NULL)
        advance(partition, batch);
    pthread_mutex_unlock(&board->lock);
}

void board_reject(struct board *board, enum reject_reason reason, int32_t partition,
                  int64_t offset, struct str text, struct str value, int64_t wall_ms)
{
    struct board_reject *last = &board->view.last_reject;
    pthread_mutex_lock(&board->lock);
    last->reason = reason;
    last->partition = partition;
    last->offset = offset;
    set_event(&last->event, text, wall_ms);
    set_text(last->sample, value);
    pthread_mutex_unlock(&board->lock);
}

static struct board_partition *add(struct board_view *view, int32_t number)
{
    size_t n = view->n_partitions, at = n;
    view->partitions = mem_resize(view->partitions, n + 2, sizeof(*view->partitions));
    while (at > 0 && view->partitions[at - 1].partition > number) {
        view->partitions[at] = view->partitions[at - 1];
        at--;
    }
    view->n_partitions++;
    view->partitions[at] = (struct board_partition){.partition = number,
                                                    .committed = -1,
                                                    .committed_time_ms = -1,
                                                    .read_time_ms = -1,
                                                    .end = -1,
                                                    .unread = {-1, -1}};
    return &view->partitions[at];
}

void board_watch(struct board *board, bool is_whole)
{
    pthread_mutex_lock(&board->lock);
    board->view.is_ours_only = !is_whole;
    pthread_mutex_unlock(&board->lock);
}

// What was read of it and not committed is read again, by whoever.
static void let_go(struct board_partition *partition)
{
    if (partition->n_pending > 0)
        partition->unread = partition->pending[0];
    if (partition->is_ours && partition->committed >= 0)
        partition->read = partition->committed;
    partition->read_time_ms = partition->committed_time_ms;
    partition->n_pending = 0;
    partition->is_ours = false;
}

static void let_all_go(struct board_view *view)
{
    for (size_t i = 0; i < view->n_partitions; i++)
        let_go(&view->partitions[i]);
}

void board_let_go(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    let_all_go(&board->view);
    pthread_mutex_unlock(&board->lock);
}

static void take(struct board_view *view, const struct board_partition *ours)
{
    struct board_partition *partition = find(view, ours->partition);
    if (partition == NULL)
        partition = add(view, ours->partition);
    partition->is_ours = true;
    partition->read = partition->committed = ours->read;
    partition->read_time_ms = partition->committed_time_ms = ours->committed_time_ms;
    if (partition->end >= 0 && partition->end < ours->read)
        partition->end = ours->read;
}

void board_assign(struct board *board, const struct board_partition *ours, size_t n)
{
    pthread_mutex_lock(&board->lock);
    let_all_go(&board->view);
    for (size_t i = 0; i < n; i++)
        take(&board->view, &ours[i]);
    pthread_mutex_unlock(&board->lock);
}

static void drop_pending(struct board_partition *partition)
{
    size_t n = 0;
    for (size_t i = 0; i < partition->n_pending; i++)
        if (partition->pending[i].offset >= partition->committed)
            partition->pending[n++] = partition->pending[i];
    partition->n_pending = n;
}

void board_committed(struct board *board, int32_t number, struct board_mark last,
                     int64_t next)
{
    pthread_mutex_lock(&board->lock);
    struct board_partition *partition = find(&board->view, number);
    if (partition == NULL)
        partition = add(&board->view, number);
    partition->committed = next;
    if (last.offset >= 0)
        partition->committed_time_ms = last.time_ms;
    if (!partition->is_ours)
        partition->read = next;
    drop_pending(partition);
    pthread_mutex_unlock(&board->lock);
}

void board_end(struct board *board, int32_t number, int64_t end, struct board_mark unread)
{
    pthread_mutex_lock(&board->lock);
    struct board_partition *partition = find(&board->view, number);
    if (partition != NULL) {
        partition->end = end > partition->read ? end : partition->read;
        partition->unread = unread;
    }
    pthread_mutex_unlock(&board->lock);
}

void board_commit(struct board *board, enum commit_result result, int64_t wall_ms,
                  int64_t entry)
{
    pthread_mutex_lock(&board->lock);
    board->view.n_commits[result]++;
    if (result == COMMIT_DONE) {
        board->view.last_commit_ms = wall_ms;
        board->view.last_entry = entry;
    }
    pthread_mutex_unlock(&board->lock);
}

void board_commit_phase(struct board *board, enum commit_phase phase, int64_t ms)
{
    size_t bucket = 0;
    while (bucket < BOARD_BUCKETS - 1 && ms > board_bounds_ms[bucket])
        bucket++;
    pthread_mutex_lock(&board->lock);
    struct board_phase_time *time = &board->view.phases[phase];
    time->n_of_bucket[bucket]++;
    time->sum_ms += ms;
    time->last_ms = ms;
    time->n++;
    pthread_mutex_unlock(&board->lock);
}

void board_failure(struct board *board, const char *text, int64_t wall_ms)
{
    pthread_mutex_lock(&board->lock);
    set_event(&board->view.failure, str_of(text), wall_ms);
    pthread_mutex_unlock(&board->lock);
}

void board_retry(struct board *board)
{
    pthread_mutex_lock(&board->lock);
    board->view.n_retries++;
    pthread_mutex_unlock(&board->lock);
}

void board_retrying(struct board *board, bool is_retrying)
{
    pthread_mutex_lock(&board->lock);
    board->view.n_retrying += is_retrying ? 1 : -1;
    pthread_mutex_unlock(&board->lock);
}

// The lag.

static bool is_unread(const struct board_partition *partition)
{
    return partition->end > partition->read;
}

// When the oldest record was written that is not committed; -1: unknown. There is one.
static int64_t oldest_ms(const struct board_partition *partition)
{
    if (partition->n_pending > 0)
        return partition->pending[0].time_ms;
    if (partition->unread.offset >= partition->read && partition->unread.time_ms >= 0)
        return partition->unread.time_ms;
    return partition->read_time_ms >= 0 ? partition->read_time_ms
                                        : partition->committed_time_ms;
}

struct board_lag board_partition_lag(const struct board_partition *partition,
                                     int64_t wall_ms)
{
    bool is_behind = partition->n_pending > 0 || is_unread(partition);
    struct board_lag lag = {.committed_ms = partition->committed_time_ms,
                            .is_known = partition->end >= 0};
    int64_t end = is_unread(partition) ? partition->end : partition->read;
    if (!is_behind)
        return lag;
    if (partition->committed >= 0 && end > partition->committed)
        lag.n_records = end - partition->committed;
    lag.committed_ms = oldest_ms(partition);
    if (lag.committed_ms >= 0 && wall_ms > lag.committed_ms)
        lag.ms = wall_ms - lag.committed_ms;
    return lag;
}

struct board_lag board_lag(const struct board_view *view, int64_t wall_ms)
{
    struct board_lag lag = {.committed_ms = -1, .is_known = true};
    int64_t oldest = INT64_MAX;
    size_t n = 0;
    for (size_t i = 0; i < view->n_partitions; i++) {
        const struct board_partition *partition = &view->partitions[i];
        if (view->is_ours_only && !partition->is_ours)
            continue;
        n++;
        struct board_lag one = board_partition_lag(partition, wall_ms);
        bool is_behind = partition->n_pending > 0 || is_unread(partition);
        lag.is_known &= partition->end >= 0;
        lag.n_records += one.n_records;
        lag.ms = one.ms > lag.ms ? one.ms : lag.ms;
        if (is_behind && one.committed_ms >= 0 && one.committed_ms < oldest)
            oldest = one.committed_ms;
        if (one.committed_ms > lag.committed_ms)
            lag.committed_ms = one.committed_ms;
    }
    if (oldest != INT64_MAX)
        lag.committed_ms = oldest;
    lag.is_known &= n > 0;
    return lag;
}
