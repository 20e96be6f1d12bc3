// SPDX-License-Identifier: Apache-2.0
// A dimension of rows that can be woven. A row of the first table is a piece of its key
// by itself: its lead, and tails that are stored already when they were woven before.
// Rows of one key that stand side by side go through a draft, as all rows do in
// dimension.c.
#include "table/dimension_weave.h"

#include <stdlib.h>

#include "table/dimension_builder.h"
#include "table/weave.h"

enum {
    LOOK_BYTES = 256 << 10, // of rows, between two looks at the memory
    KEY_BYTES = 64          // about what a key takes beside its rows
};

struct weaving {
    struct builder builder;
    struct weave *weave;
    size_t n_unseen; // bytes since the last look
};

// The tails as rows of the draft, behind a lead.
static void draft_rows(struct group_draft *draft, struct str lead,
                       const struct weave_tails *tails)
{
    const char *tail = tails->bytes;
    for (size_t i = 0; i < tails->n_rows; i++) {
        uint32_t n = tails->lengths[i], length = (uint32_t)lead.n + n;
        buf_append(&draft->lengths, &length, sizeof(length));
        buf_str(&draft->bytes, lead);
        buf_append(&draft->bytes, tail, n);
        tail += n;
    }
    draft->n_rows += (uint32_t)tails->n_rows;
}

// Stores tails that were not woven before.
static void place_tails(struct builder *builder, struct weave_tails *tails)
{
    size_t n_common;
    group_draft_clear(&builder->draft);
    draft_rows(&builder->draft, (struct str){0}, tails);
    tails->place =
        group_store_add_tails(&builder->dimension->groups, &builder->draft, &n_common);
    tails->n_common = (uint32_t)n_common;
    group_draft_clear(&builder->draft);
}

static enum status add_alone(struct builder *builder, const struct woven *woven,
                             struct err *err)
{
    struct weave_tails *tails = woven->tails;
    uint32_t group = 0;
    if (tails->place == 0)
        place_tails(builder, tails);
    if (tails->place != 0)
        group = group_store_add_woven(&builder->dimension->groups, woven->lead,
                                      (struct str){tails->bytes, tails->n_common},
                                      tails->place);
    return builder_add_piece(builder, buf_as_str(&builder->next_key), group, err);
}

static enum status count_rows(struct weaving *weaving, const struct woven *woven,
                              struct err *err)
{
    struct builder *builder = &weaving->builder;
    struct dimension_stats *stats = &builder->dimension->stats;
    size_t before = stats->n_rows / PROGRESS_ROWS;
    size_t n_bytes = woven->tails->n_rows * woven->lead.n + woven->tails->n_bytes;
    stats->n_rows += woven->tails->n_rows;
    stats->row_bytes += n_bytes;
    if (stats->n_rows / PROGRESS_ROWS > before)
        builder_tell_progress(builder);
    weaving->n_unseen += n_bytes + KEY_BYTES;
    if (weaving->n_unseen < LOOK_BYTES)
        return ST_OK;
    weaving->n_unseen = 0;
    return builder_check_memory(builder, 0, err);
}

static enum status add_woven(struct weaving *weaving, const struct woven *woven,
                             struct err *err)
{
    struct builder *builder = &weaving->builder;
    weave_keys(weaving->weave, woven->row, builder->row);
    if (!builder_read_key(builder, builder->row)) {
        builder->dimension->stats.n_null_keys += woven->tails->n_rows;
        return ST_OK;
    }
    if (builder_is_drafted(builder) || weave_has_key_again(weaving->weave, woven->row)) {
        TRY(builder_draft_key(builder, err));
        draft_rows(&builder->draft, woven->lead, woven->tails);
    } else {
        TRY(builder_close_draft(builder, err));
        TRY(add_alone(builder, woven, err));
    }
    return count_rows(weaving, woven, err);
}

// A value that has no place in the result: what is wrong is noted row by row.
static bool is_refused(const struct weaving *weaving)
{
    struct row_format *row_format = weaving->builder.row_format;
    bool is = row_format->refused.n > 0;
    row_format->refused = (struct str){0};
    return is || weaving->weave->is_flawed;
}

// *ret_can: all is woven.
static enum status weave_all(struct weaving *weaving, bool *ret_can, struct err *err)
{
    struct woven woven;
    bool more = true;
    while (more) {
        enum status rc = weave_next(weaving->weave, &woven, &more, err);
        *ret_can = rc != ST_LIMIT && !is_refused(weaving);
        if (!*ret_can)
            return ST_OK; // what is too large, too, is told row by row
        TRY(rc);
        if (more)
            TRY(add_woven(weaving, &woven, err));
    }
    return builder_check_memory(&weaving->builder, 0, err);
}

// The only segment of a join's side; NULL: there are several.
static const struct segment *only_segment(const struct builder *builder)
{
    const struct segments *segments = &builder->segments;
    const struct segment *segment = NULL;
    for (size_t i = 0; i < segments->n; i++)
        if (segments->items[i].side == builder->side)
            segment = &segments->items[i];
    return segments->n_of_side[builder->side] == 1 ? segment : NULL;
}

// Begins the weave, where it can be: weaving->weave.
static enum status begin(struct weaving *weaving, const struct segment *segment,
                         struct table_store *store, struct err *err)
{
    const struct native_join *join = weaving->builder.join;
    size_t *outputs = mem_array(segment->n + 1, sizeof(*outputs));
    for (size_t i = 0; i < segment->n; i++)
        outputs[i] = segment->outputs[i].column;
    const struct weave_spec spec = {.query = join->query,
                                    .n_keys = join->n_keys,
                                    .outputs = outputs,
                                    .n_outputs = segment->n,
                                    .first = segment->first,
                                    .ends_row = segment->is_last,
                                    .checks = true};
    enum status rc = ST_OK;
    if (weave_can(&spec))
        rc = weave_open(store, &spec, weaving->builder.row_format, &weaving->weave, err);
    free(outputs);
    return rc;
}

static enum status build(struct weaving *weaving, struct table_store *store,
                         struct dimension **ret, struct err *err)
{
    const struct segment *segment = only_segment(&weaving->builder);
    bool can = false;
    if (segment != NULL)
        TRY(begin(weaving, segment, store, err));
    if (weaving->weave != NULL)
        TRY(weave_all(weaving, &can, err));
    return can ? builder_finish(&weaving->builder, ret, err) : ST_OK;
}

enum status dimension_weave(const struct native_branch *branch, size_t join,
                            struct table_store *store, struct row_format *row_format,
                            const struct dimension_options *options,
                            struct dimension **ret, struct err *err)
{
    const struct native_join *plan = &branch->joins[join];
    struct weaving weaving = {0};
    *ret = NULL;
    if (plan->query == NULL || plan->program != NULL)
        return ST_OK;
    builder_init(&weaving.builder, branch, join, row_format, options);
    enum status rc = build(&weaving, store, ret, err);
    weave_close(weaving.weave);
    builder_release(&weaving.builder);
    return rc;
}
