// SPDX-License-Identifier: Apache-2.0
#include "table/group_store.h"

#include "base/word.h"

void group_store_init(struct group_store *store)
{
    *store = (struct group_store){0};
    blob_store_init(&store->groups);
    blob_store_init(&store->tails);
}

void group_store_release(struct group_store *store)
{
    blob_store_release(&store->groups);
    blob_store_release(&store->tails);
    buf_release(&store->new_group);
    buf_release(&store->new_tails);
}

void group_store_finish(struct group_store *store)
{
    blob_store_finish(&store->groups);
    blob_store_finish(&store->tails);
    buf_release(&store->new_group);
    buf_release(&store->new_tails);
}

size_t group_store_bytes(const struct group_store *store)
{
    return blob_store_bytes(&store->groups) + blob_store_bytes(&store->tails);
}

void group_draft_clear(struct group_draft *draft)
{
    draft->n_rows = 0;
    draft->flaw = 0;
    buf_clear(&draft->lengths);
    buf_clear(&draft->bytes);
}

void group_draft_release(struct group_draft *draft)
{
    buf_release(&draft->lengths);
    buf_release(&draft->bytes);
}

void group_draft_flaw(struct group_draft *draft, uint32_t flaw)
{
    if (draft->flaw == 0)
        draft->flaw = flaw;
}

static size_t n_lengths(const struct group_draft *draft)
{
    return draft->lengths.n / sizeof(uint32_t);
}

static uint32_t *lengths_of(const struct group_draft *draft)
{
    return (uint32_t *)(void *)draft->lengths.p;
}

static size_t n_equal(const char *a, const char *b, size_t n)
{
    size_t i = 0;
    while (i + WORD_BYTES <= n && word_load(a + i) == word_load(b + i))
        i += WORD_BYTES;
    while (i < n && a[i] == b[i])
        i++;
    return i;
}

static size_t sum(const uint32_t *lengths, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += lengths[i];
    return total;
}

// Bytes that the first pieces of all rows begin with.
static size_t common_prefix(const struct group_draft *draft)
{
    if (n_lengths(draft) == 0)
        return 0;
    size_t n_pieces = n_lengths(draft) / draft->n_rows;
    const uint32_t *lengths = lengths_of(draft);
    const char *first = draft->bytes.p, *row = first;
    size_t n = lengths[0];
    for (uint32_t i = 1; i < draft->n_rows; i++) {
        row += sum(lengths, n_pieces);
        lengths += n_pieces;
        n = n_equal(first, row, n < lengths[0] ? n : lengths[0]);
    }
    return n;
}

// Takes the prefix away from all rows.
static void cut_prefix(struct group_draft *draft, size_t n_prefix)
{
    if (n_prefix == 0)
        return;
    size_t n_pieces = n_lengths(draft) / draft->n_rows;
    uint32_t *lengths = lengths_of(draft);
    const char *from = draft->bytes.p;
    char *to = draft->bytes.p;
    for (uint32_t i = 0; i < draft->n_rows; i++, lengths += n_pieces) {
        size_t n = sum(lengths, n_pieces) - n_prefix;
        memmove(to, from + n_prefix, n);
        from += n_prefix + n;
        to += n;
        lengths[0] -= (uint32_t)n_prefix;
    }
    draft->bytes.n = (size_t)(to - draft->bytes.p);
}

static uint32_t add_tails(struct group_store *store, const struct group_draft *draft)
{
    const struct tails header = {.n_rows = draft->n_rows,
                                 .flaw = draft->flaw,
                                 .n_lengths = (uint32_t)n_lengths(draft),
                                 .n_bytes = (uint32_t)draft->bytes.n};
    buf_clear(&store->new_tails);
    buf_append(&store->new_tails, &header, sizeof(header));
    buf_str(&store->new_tails, buf_as_str(&draft->lengths));
    buf_str(&store->new_tails, buf_as_str(&draft->bytes));
    return store->new_tails.full
               ? 0
               : blob_store_add(&store->tails, buf_as_str(&store->new_tails));
}

uint32_t group_store_add(struct group_store *store, struct group_draft *draft)
{
    if (draft->lengths.full || draft->bytes.full)
        return 0;
    if (draft->n_rows == 0)
        draft->flaw = FLAW_NO_ROWS;
    struct group group = {.n_prefix = (uint32_t)common_prefix(draft)};
    struct buf *bytes = &store->new_group;
    buf_clear(bytes);
    buf_append(bytes, &group, sizeof(group));
    buf_append(bytes, draft->bytes.p, group.n_prefix);
    cut_prefix(draft, group.n_prefix);
    group.tails = add_tails(store, draft);
    if (group.tails == 0 || bytes->full)
        return 0;
    memcpy(bytes->p, &group, sizeof(group));
    return blob_store_add(&store->groups, buf_as_str(bytes));
}

uint32_t group_store_add_tails(struct group_store *store, struct group_draft *draft,
                               size_t *ret_n_common)
{
    *ret_n_common = 0;
    if (draft->lengths.full || draft->bytes.full)
        return 0;
    *ret_n_common = common_prefix(draft);
    cut_prefix(draft, *ret_n_common);
    return add_tails(store, draft);
}

uint32_t group_store_add_woven(struct group_store *store, struct str lead,
                               struct str common, uint32_t tails)
{
    const struct group group = {.n_prefix = (uint32_t)(lead.n + common.n),
                                .tails = tails};
    struct buf *bytes = &store->new_group;
    buf_clear(bytes);
    buf_append(bytes, &group, sizeof(group));
    buf_str(bytes, lead);
    buf_str(bytes, common);
    return bytes->full ? 0 : blob_store_add(&store->groups, buf_as_str(bytes));
}

void group_store_get(const struct group_store *store, uint32_t at,
                     struct group_draft *draft)
{
    const struct group *group = group_at(store, at);
    const struct tails *tails = tails_of(store, group);
    if (tails->n_rows == 0)
        return;
    size_t n_pieces = tails->n_lengths / tails->n_rows;
    const uint32_t *lengths = tails->lengths;
    const char *from = tails_bytes(tails);
    for (uint32_t i = 0; i < tails->n_rows; i++, lengths += n_pieces) {
        size_t n = sum(lengths, n_pieces);
        buf_append(&draft->bytes, group->prefix, group->n_prefix);
        buf_append(&draft->bytes, from, n);
        from += n;
        size_t before = draft->lengths.n;
        buf_append(&draft->lengths, lengths, n_pieces * sizeof(uint32_t));
        if (n_pieces > 0 && !draft->lengths.full)
            lengths_of(draft)[before / sizeof(uint32_t)] += group->n_prefix;
    }
    draft->n_rows += tails->n_rows;
    group_draft_flaw(draft, tails->flaw);
}
