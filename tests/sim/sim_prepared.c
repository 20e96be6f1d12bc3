// SPDX-License-Identifier: Apache-2.0
// Workers that prepare their first claim, as src/job/claim_beside.c does.
#include "log/log_read.h"
#include "sim/sim_check.h"
#include "sim/sim_world.h"

static struct sim_slot *slot_of(struct sim_process *process)
{
    return &process->world->slots[process->index];
}

void sim_slot_take(struct sim_process *process)
{
    struct sim_slot *slot = slot_of(process);
    if (!slot->is_left)
        env_uuid(&process->world->clock.env, slot->name);
    memcpy(process->prepared.folder, slot->name, UUID_TEXT);
    slot->is_clean = false;
}

void sim_slot_leave(struct sim_process *process, bool is_orderly)
{
    struct sim_slot *slot = slot_of(process);
    slot->is_left = !is_orderly;
    slot->is_clean = is_orderly && !process->saw_faults;
}

static enum status prepare(struct sim_process *process, struct err *err)
{
    struct prepared_claim *prepared = &process->prepared;
    struct storage *storage = process->clients[SIM_COMMITTER].storage;
    struct topic *topic = sim_stream_topic(process->stream);
    struct env *env = &process->world->clock.env;
    prepared->has_files = slot_of(process)->is_left;
    if (prepared->has_files)
        TRY(prepared_claim_remove(prepared, storage, err));
    TRY(prepared_claim_read(prepared, &process->job, storage, err));
    if (!storage->renames)
        return ST_OK;
    TRY(prepared_claim_make(prepared, &process->job, topic, env, err));
    if (prepared->job != NULL)
        TRY(prepared_entry_write(prepared->job, storage, err));
    return prepared->claim == NULL ? ST_OK
                                   : prepared_entry_write(prepared->claim, storage, err);
}

void sim_process_prepare(void *context)
{
    struct sim_process *process = context;
    struct err err;
    if (prepare(process, &err) != ST_OK)
        sim_trace(process->world, "%d has no claim prepared: %s", process->index,
                  err.text);
}

// Who ended in good order, without faults, has left nothing; what a late call brings back
// nobody can remove.
void sim_check_slots(struct sim_world *world)
{
    for (int i = 0; i < SIM_MEMBERS_MAX; i++) {
        const struct sim_slot *slot = &world->slots[i];
        struct path folder = path_writer(str_of(slot->name));
        struct err err;
        bool is_there;
        if (slot->is_clean &&
            log_exists(world->view, path_str(&folder), &is_there, &err) == ST_OK &&
            is_there && strstr(buf_cstr(&world->revived), slot->name) == NULL)
            sim_fail(world, "%s is left over", folder.text);
    }
}
