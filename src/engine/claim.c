// SPDX-License-Identifier: Apache-2.0
#include "engine/claim.h"

#include <stdlib.h>

// An entry that moves nothing: all partitions stand where they start.
static void start_entry(struct claim *claim, struct publish *publish,
                        enum entry_kind kind, const struct source_start *starts, size_t n)
{
    claim->spans = mem_resize(claim->spans, n ? n : 1, sizeof(*claim->spans));
    claim->n_spans = n;
    for (size_t i = 0; i < n; i++)
        claim->spans[i] = (struct span){
            .partition = starts[i].partition,
            .first = starts[i].offset,
            .next = starts[i].offset,
            .last = {.offset = -1},
        };
    publish->kind = kind;
    publish->spans = claim->spans;
    publish->n_spans = n;
    publish->unit = NULL;
    publish_start(publish);
}

static void start_claim(struct claim *claim, struct publish *publish)
{
    start_entry(claim, publish, ENTRY_CLAIM, claim->message->starts,
                claim->message->n_starts);
}

void claim_start(struct claim *claim, struct publish *publish,
                 const struct message *message)
{
    claim->message = message;
    publish->base = message->next_entry;
    if (publish->state->next > 0)
        start_claim(claim, publish);
    else
        start_entry(claim, publish, ENTRY_JOB, message->origins, message->n_origins);
}

bool claim_goes_on(struct claim *claim, struct publish *publish)
{
    if (publish->kind == ENTRY_CLAIM)
        return false;
    publish->base = publish->state->next;
    start_claim(claim, publish);
    return true;
}

enum status claim_step(struct claim *claim, struct publish *publish, struct err *err)
{
    TRY(publish_step(publish, err));
    if (publish->outcome == PUBLISH_DONE)
        claim_goes_on(claim, publish);
    return ST_OK;
}

void claim_release(struct claim *claim)
{
    free(claim->spans);
    *claim = (struct claim){0};
}
