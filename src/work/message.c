// SPDX-License-Identifier: Apache-2.0
#include "work/message.h"

#include <stdlib.h>

struct message *message_new(enum message_kind kind, int64_t generation)
{
    struct message *message = mem_zalloc(sizeof(*message));
    message->kind = kind;
    message->generation = generation;
    return message;
}

struct message *message_probes(enum probe_purpose purpose, int64_t generation,
                               size_t n_most)
{
    struct message *message = message_new(ASK_TOPIC, generation);
    message->purpose = purpose;
    message->probes = arena_array(&message->arena, n_most, sizeof(struct probe));
    return message;
}

void message_free(struct message *message)
{
    if (message == NULL)
        return;
    prepared_free(message->prepared);
    if (message->log != NULL)
        log_state_release(message->log);
    free(message->log);
    draft_free(message->draft);
    arena_release(&message->arena);
    free(message);
}
