// SPDX-License-Identifier: Apache-2.0
#include "engine/message.h"

#include <stdlib.h>

struct message *message_new(enum message_kind kind, int64_t generation)
{
    struct message *message = mem_zalloc(sizeof(*message));
    message->kind = kind;
    message->generation = generation;
    return message;
}

void message_free(struct message *message)
{
    if (message == NULL)
        return;
    unit_free(message->unit);
    arena_release(&message->arena);
    free(message);
}
