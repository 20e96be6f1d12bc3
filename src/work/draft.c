// SPDX-License-Identifier: Apache-2.0
#include "work/draft.h"

#include <assert.h>
#include <stdlib.h>

#include "base/crc32c.h"

static struct draft *make(size_t n_spans, struct str writer, struct str dimension)
{
    struct draft *draft = mem_zalloc(sizeof(*draft));
    struct unit *unit = &draft->unit;
    unit->writer = arena_str(&unit->arena, writer);
    unit->dimension = arena_str(&unit->arena, dimension);
    unit->spans = arena_array(&unit->arena, n_spans, sizeof(*unit->spans));
    unit->n_spans = n_spans;
    unit->files = arena_array(&unit->arena, DRAFT_FILES_MAX, sizeof(*unit->files));
    return draft;
}

static struct span span_at(int32_t partition, int64_t next,
                           const struct record_mark *last, struct leader_epoch epoch)
{
    return (struct span){.partition = partition,
                         .first = next,
                         .next = next,
                         .last = *last,
                         .epoch = epoch};
}

struct draft *draft_new(const struct progress *partitions, size_t n, struct str writer,
                        struct str dimension)
{
    struct draft *draft = make(n, writer, dimension);
    for (size_t i = 0; i < n; i++)
        draft->unit.spans[i] = span_at(partitions[i].partition, partitions[i].next,
                                       &partitions[i].last, partitions[i].epoch);
    return draft;
}

struct draft *draft_after(const struct draft *before)
{
    const struct unit *unit = &before->unit;
    struct draft *draft = make(unit->n_spans, unit->writer, unit->dimension);
    for (size_t i = 0; i < unit->n_spans; i++)
        draft->unit.spans[i] = span_at(unit->spans[i].partition, unit->spans[i].next,
                                       &unit->spans[i].last, unit->spans[i].epoch);
    return draft;
}

enum status draft_note_topic(struct draft *draft, struct str topic_id, struct err *err)
{
    struct unit *unit = &draft->unit;
    bool is_same = str_eq(unit->topic_id, topic_id);
    if (!draft->has_topic)
        unit->topic_id = arena_str(&unit->arena, topic_id);
    else if (!is_same && unit->topic_id.n > 0 && topic_id.n > 0)
        return err_set(err, ST_DATA,
                       "the topic was recreated: it had the id %.*s, and now has %.*s",
                       STR_ARGS(unit->topic_id), STR_ARGS(topic_id));
    else if (!is_same)
        unit->topic_id = (struct str){0};
    draft->has_topic = true;
    return ST_OK;
}

void draft_move(struct draft *draft, struct span *span, int64_t next)
{
    draft->is_moved |= next > span->next;
    span->next = next;
}

static void mark_last(struct span *span, const struct record *record)
{
    span->last = (struct record_mark){
        .offset = record->offset,
        .time_ms = record->time_ms,
        .crc32c = crc32c(crc32c(0, record->key.p, record->key.n), record->value.p,
                         record->value.n),
    };
}

// What is known of the offsets of [span->next, to) that have no record.
static void account(struct span *span, const struct run *run, int64_t to,
                    int64_t n_passed)
{
    int64_t control = 0, aborted = 0;
    if (!run->is_accounted)
        return;
    for (size_t i = 0; i < run->n_passed; i++) {
        const struct run_passed *passed = &run->passed[i];
        int64_t first = passed->first > span->next ? passed->first : span->next;
        int64_t next = passed->next < to ? passed->next : to;
        if (next > first)
            *(passed->is_control ? &control : &aborted) += next - first;
    }
    span->control += control;
    span->aborted += aborted;
    span->hole += n_passed - control - aborted;
}

static struct leader_epoch epoch_before(const struct span *span, const struct run *run,
                                        int64_t to)
{
    if (to == span->next)
        return span->epoch;
    if (run->n_epochs == 0)
        return (struct leader_epoch){0};
    return leader_epoch_of(
        run_epoch_at(run->epochs, run->n_epochs, to, leader_epoch_number(span->epoch)));
}

// A unit that ends within a run ends where the next record begins: in a file no other
// place behind a record can be read from.
void draft_advance(struct draft *draft, struct span *span, const struct run *run,
                   size_t from, size_t next)
{
    int64_t to = next == run->n ? run->next : run->records[next].offset;
    span->data += (int64_t)(next - from);
    int64_t n_passed = to - span->next - (int64_t)(next - from);
    span->skipped += n_passed;
    account(span, run, to, n_passed);
    span->epoch = epoch_before(span, run, to);
    draft_move(draft, span, to);
    if (next > from)
        mark_last(span, &run->records[next - 1]);
}

bool draft_is_empty(const struct draft *draft)
{
    return !draft->is_moved;
}

struct span *draft_span(struct draft *draft, int32_t partition)
{
    struct unit *unit = &draft->unit;
    size_t low = 0, high = unit->n_spans;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (unit->spans[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < unit->n_spans && unit->spans[low].partition == partition;
    return is_there ? &unit->spans[low] : NULL;
}

void draft_add_file(struct draft *draft, const struct entry_file *file,
                    struct spool_file *spool)
{
    struct unit *unit = &draft->unit;
    assert(unit->n_files < DRAFT_FILES_MAX);
    draft->spools[unit->n_files] = spool;
    unit->files[unit->n_files++] = *file;
}

void draft_discard_spool(struct draft *draft, size_t file)
{
    struct spool_file *spool = draft->spools[file];
    draft->spools[file] = NULL;
    if (spool != NULL)
        spool->ops->discard(spool);
}

void draft_free(struct draft *draft)
{
    if (draft == NULL)
        return;
    for (size_t i = 0; i < DRAFT_FILES_MAX; i++)
        draft_discard_spool(draft, i);
    unit_release(&draft->unit);
    free(draft);
}
