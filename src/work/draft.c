// SPDX-License-Identifier: Apache-2.0
#include "work/draft.h"

#include <assert.h>
#include <stdlib.h>

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
