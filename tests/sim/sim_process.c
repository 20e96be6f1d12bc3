// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_world.h"

#include <inttypes.h>
#include <stdio.h>

#include "job_settings.h"
#include "log/paths.h"
#include "memory/spool_mem.h"
#include "status_name.h"

enum {
    MAX_POLL_MS = 5000,
    IDLE_POLLS_MAX = 100, // in a second
    CALM_STOP_MS = 4000,
    CALL_MS = 10000, // longest wait of the storage by itself
    IDLE_MS = 60000, // of an asker that nobody asks
    NOTICE_MS = 1000 // a call takes notice of a deadline that comes while it waits
};

static enum fault_kind choose_kind(struct sim_random *random, enum fault_op op)
{
    if (op == FAULT_WRITE && sim_chance(random, 20))
        return FAULT_CHANGE;
    int64_t dice = sim_between(random, 0, 99);
    return dice < 25   ? FAULT_REFUSE
           : dice < 50 ? FAULT_LOSE
           : dice < 70 ? FAULT_DROP
                       : FAULT_LATE;
}

static struct fault make_fault(struct sim_world *world, enum fault_kind kind)
{
    struct fault fault = {.kind = kind};
    bool by_hand = sim_chance(&world->random, 50);
    if (kind == FAULT_LATE && !by_hand)
        fault.settle_after = (uint64_t)sim_between(&world->random, 1, 30);
    fault.cut = sim_chance(&world->random, 30);
    fault.cut_bytes = sim_between(&world->random, 0, 30);
    return fault;
}

static struct fault die(struct sim_process *process, enum fault_op op)
{
    struct sim_world *world = process->world;
    process->is_dying = true;
    return make_fault(world, sim_chance(&world->random, 30)
                                 ? FAULT_FAIL
                                 : choose_kind(&world->random, op));
}

static struct fault choose_fault(struct sim_process *process, enum fault_op op)
{
    struct sim_world *world = process->world;
    if (process->is_dying)
        return (struct fault){.kind = FAULT_FAIL};
    if (process->n_calls_to_live && --process->n_calls_to_live == 0)
        return die(process, op);
    bool is_out = world->clock.now_ms < process->outage_until_ms;
    int percent = is_out ? 95 : world->profile.storage_fault_percent;
    if (!world->has_faults || !sim_chance(&world->random, percent))
        return (struct fault){0};
    struct fault fault = make_fault(world, choose_kind(&world->random, op));
    return sim_events_let(&world->events, SIM_FAULT) ? fault : (struct fault){0};
}

// Between an entry and its renames a death is worth most.
static void plan_death(struct sim_process *process, const struct fault_call *call)
{
    struct sim_world *world = process->world;
    bool is_entry =
        (call->op == FAULT_PUBLISH && str_starts_with(call->to, "_tramline/log/")) ||
        (call->op == FAULT_CREATE && str_starts_with(call->path, "_tramline/log/"));
    if (is_entry && world->has_faults &&
        sim_chance(&world->random, world->profile.publish_death_percent) &&
        sim_events_let(&world->events, SIM_DEATH))
        process->n_calls_to_live = sim_between(&world->random, 1, 3);
}

// A folder that was removed comes back when its writer, who does not know, or a late call
// writes there once more.
static void note_folders(struct sim_world *world, const struct fault_call *call,
                         bool is_late)
{
    struct path folder = path_parent(call->path);
    if (call->op == FAULT_REMOVE && strcmp(folder.text, "_tramline/tmp") == 0)
        buf_str(&world->removed, call->path);
    world->n_entries_removed +=
        call->op == FAULT_REMOVE && str_starts_with(call->path, "_tramline/log/");
    if (call->op == FAULT_WRITE &&
        (is_late || strstr(buf_cstr(&world->removed), folder.text) != NULL))
        buf_str(&world->revived, call->path);
}

// A signal that comes while a call is on.
static void maybe_stop(void *context)
{
    struct sim_process *process = context;
    struct sim_world *world = process->world;
    if (world->has_faults && world->profile.stop_permille &&
        sim_between(&world->random, 0, 999) < 1 &&
        sim_events_let(&world->events, SIM_STOP_IN_CALL))
        sim_process_stop(process);
}

// The answer comes late, or not before the deadline: then nobody knows what became of it.
static struct fault answer_slowly(struct sim_client *client, struct fault fault)
{
    struct sim_process *process = client->process;
    struct sim_world *world = process->world;
    int64_t now_ms = world->clock.now_ms;
    if (fault.kind != FAULT_NONE || now_ms >= process->slow_until_ms)
        return fault;
    int64_t takes_ms = sim_between(&world->random, 500, 2 * CALL_MS);
    int64_t left_ms = deadline_left(client->storage->deadline, now_ms, CALL_MS);
    client->busy_until_ms = now_ms + (takes_ms < left_ms ? takes_ms : left_ms);
    if (takes_ms <= left_ms)
        return fault;
    return (struct fault){.kind =
                              sim_chance(&world->random, 50) ? FAULT_LOSE : FAULT_DROP};
}

static struct path path_of(struct str text)
{
    struct path path = {0};
    snprintf(path.text, sizeof(path.text), "%.*s", STR_ARGS(text));
    return path;
}

static struct fault decide(void *context, const struct fault_call *call)
{
    struct sim_client *client = context;
    struct sim_process *process = client->process;
    sim_actor_yield(&client->actor);
    if (process->is_gone)
        return (struct fault){.kind = FAULT_FAIL};
    maybe_stop(process);
    if (call->op == FAULT_WRITE)
        client->written = path_of(call->path);
    struct fault fault = answer_slowly(client, choose_fault(process, call->op));
    note_folders(process->world, call, fault.kind == FAULT_LATE);
    plan_death(process, call);
    sim_trace(process->world, "%d   %s %.*s%s%.*s%s%s", process->index,
              fault_op_name(call->op), STR_ARGS(call->path), call->to.n ? " -> " : "",
              STR_ARGS(call->to), fault.kind ? ": " : "",
              fault.kind ? fault_kind_name(fault.kind) : "");
    return fault;
}

static struct job make_job(struct sim_world *world, bool once)
{
    struct sim_random *random = &world->random;
    static const int64_t snapshots[] = {2, 3, 5, 32};
    struct job job = {
        .identity = {STR_LITERAL("sim-cluster"), STR_LITERAL("stop_times"),
                     STR_LITERAL("g"), STR_LITERAL("sim")},
        .plan = STR_LITERAL("plan"),
        .schema = STR_LITERAL("value TEXT NOT NULL"),
        .extension = "avro",
        .dimension = STR_LITERAL("none"),
        .worker = STR_LITERAL("sim"),
        .settings = job_settings_default(),
    };
    struct job_settings *settings = &job.settings;
    settings->batch_interval_ms = sim_between(random, 10, 200);
    settings->batch_records = sim_between(random, 1, 8);
    settings->commit_interval_ms = sim_between(random, 50, 2000);
    settings->commit_rows = sim_between(random, 5, 60);
    settings->log_snapshot = snapshots[sim_between(random, 0, 3)];
    settings->storage_retry_ms = sim_between(random, 200, 3000);
    settings->revoke_ms = sim_between(random, 100, 3000);
    settings->directory_by_day = sim_chance(random, 20);
    settings->upload_verify = sim_upload_verify();
    if (world->profile.has_retention) {
        settings->log_snapshot = 2;
        settings->log_retention_ms = sim_between(random, 15000, 25000);
    }
    settings->on_error_share = 100;             // a few records are not a share
    if (world->profile.publish_death_percent) { // so that snapshots come meanwhile
        settings->log_snapshot = 2;
        settings->commit_rows = sim_between(random, 5, 15);
    }
    if (world->profile.is_calm)
        settings->revoke_ms = job_settings_default().revoke_ms;
    settings->once = once;
    return job;
}

static void open_storages(struct sim_process *process)
{
    process->n_clients = SIM_LANES + process->mail.n_lanes;
    for (int i = 0; i < process->n_clients; i++) {
        struct sim_client *client = &process->clients[i];
        struct fault_config config = {.decide = decide, .context = client};
        client->process = process;
        client->storage = storage_fault_open(sim_world_storage(process->world), &config);
    }
}

static void open_lane(struct sim_process *process, int i)
{
    struct sim_client *client = &process->clients[SIM_LANES + i];
    sim_actor_open_lane(&client->actor, (struct lane_parts){
                                            .job = &process->job,
                                            .storage = client->storage,
                                            .env = &process->world->clock.env,
                                            .mail = &process->mail,
                                            .number = i,
                                            .status = &process->status,
                                        });
}

static void open_hand(struct sim_process *process, int i)
{
    struct sim_world *world = process->world;
    struct sim_hand *hand = &process->hands[i];
    sim_decoder_init(&hand->decoder, &world->random);
    hand->decoder.fault_percent = process->decoder.fault_percent;
    hand->decoder.events = &world->events;
    hand->executor = sim_executor;
    hand->writer = sim_writer;
    hand->stream = sim_stream_open(&world->topic, &world->clock);
    sim_stream_know(hand->stream, process->knows);
    hand->spool = spool_mem_open();
    sim_stream_on_call(hand->stream, maybe_stop, process);
    int room = process->mail.ahead + 1;
    const struct hand_parts parts = {
        .builder = {.job = &process->job,
                    .topic = sim_stream_topic(process->stream),
                    .stream = sim_stream_port(hand->stream),
                    .decoder = &hand->decoder.decoder,
                    .executor = &hand->executor,
                    .writer = &hand->writer,
                    .spool = hand->spool,
                    .env = &world->clock.env,
                    .status = &process->status,
                    .shares = &process->shares},
        .number = i + 1,
        .of = process->n_hands,
        .room = (room + process->n_hands - 1) / process->n_hands,
        .mail = &process->mail,
        .lead = sim_stream_port(process->stream),
    };
    process->of_hands[i] = hand->hand = hand_open(&parts);
}

static void close_hand(struct sim_hand *hand)
{
    hand_free(hand->hand);
    sim_stream_free(hand->stream);
    hand->spool->ops->close(hand->spool);
}

static void open_engine(struct sim_process *process)
{
    for (int i = 0; i < process->n_hands; i++)
        open_hand(process, i);
    struct worker_parts worker = {
        .job = &process->job,
        .stream = sim_stream_port(process->stream),
        .topic = sim_stream_topic(process->stream),
        .asker = process->asker,
        .decoder = &process->decoder.decoder,
        .executor = &process->executor,
        .writer = &process->writer,
        .spool = process->spool,
        .env = &process->world->clock.env,
        .mail = &process->mail,
        .status = &process->status,
        .hands = process->of_hands,
        .n_hands = (size_t)process->n_hands,
        .shares = process->n_hands ? &process->shares : NULL,
    };
    struct sim_client *clients = process->clients;
    struct uploader_parts uploader = {
        .job = &process->job,
        .storage = clients[SIM_UPLOADER].storage,
        .env = &process->world->clock.env,
        .mail = &process->mail,
        .status = &process->status,
    };
    struct commit_service_parts committer = {
        .job = &process->job,
        .storage = clients[SIM_COMMITTER].storage,
        .topic = sim_stream_topic(process->stream),
        .asker = process->asker,
        .env = &process->world->clock.env,
        .mail = &process->mail,
        .status = &process->status,
        .prepared = &process->prepared,
    };
    process->worker = worker_open(&worker);
    sim_actor_open_uploader(&clients[SIM_UPLOADER].actor, uploader);
    sim_actor_open_committer(&clients[SIM_COMMITTER].actor, committer);
    if (sim_prepares(process->world->seed))
        sim_actor_begin(&clients[SIM_COMMITTER].actor, sim_process_prepare, process);
    for (int i = 0; i < process->mail.n_lanes; i++)
        open_lane(process, i);
}

void sim_process_start(struct sim_process *process, bool once)
{
    struct sim_world *world = process->world;
    int index = process->index;
    *process = (struct sim_process){.world = world, .index = index, .is_up = true};
    process->saw_faults = world->has_faults;
    process->started_ms = process->second_ms = world->clock.now_ms;
    process->job = make_job(world, once);
    mail_init(&process->mail, sim_ahead(world->seed));
    process->n_hands = sim_hands(world->seed);
    sim_decoder_init(&process->decoder, &world->random);
    process->decoder.fault_percent = world->has_faults ? 2 : 0;
    process->decoder.events = &world->events;
    process->executor = sim_executor;
    process->writer = sim_writer;
    process->stream = sim_stream_open(&world->topic, &world->clock);
    process->knows = sim_world_knows(world, index);
    sim_stream_know(process->stream, process->knows);
    process->spool = spool_mem_open();
    sim_stream_on_call(process->stream, maybe_stop, process);
    process->asker = asker_open();
    if (sim_prepares(world->seed))
        sim_slot_take(process);
    open_storages(process);
    open_engine(process);
    sim_trace(world, "%d starts%s", index, once ? " --once" : "");
}

static void cut_clients(struct sim_process *process)
{
    struct sim_actor *actors[SIM_CLIENTS], *committer = NULL;
    int n = 0;
    for (int i = 0; i < process->n_clients; i++)
        if (i == SIM_COMMITTER)
            committer = &process->clients[i].actor;
        else
            actors[n++] = &process->clients[i].actor;
    sim_actor_cut_all(actors, n);
    sim_actor_cut_all(&committer, 1); // what the others hand on is before its end
}

static void close_client(struct sim_client *client)
{
    struct sim_world *world = client->process->world;
    sim_actor_free(&client->actor);
    if (storage_fault_n_late(client->storage) && world->n_orphans < SIM_ORPHANS_MAX)
        world->orphans[world->n_orphans++] = client->storage;
    else
        client->storage->ops->close(client->storage);
}

static bool has_ended(const struct sim_process *process)
{
    for (int i = 0; i < process->n_clients; i++)
        if (process->clients[i].actor.wait.kind != WAIT_DONE)
            return false;
    for (int i = 0; i < process->n_hands; i++)
        if (process->hands[i].wait.kind != WAIT_DONE)
            return false;
    return process->worker_wait.kind == WAIT_DONE &&
           process->asker_wait.kind == WAIT_DONE;
}

static bool has_ended_well(const struct sim_process *process)
{
    struct err ignored;
    return has_ended(process) && !process->is_dying &&
           sim_actor_result(&process->clients[SIM_COMMITTER].actor, &ignored) == ST_OK;
}

// All is lost but the storage, and what is still on its way there.
void sim_process_crash(struct sim_process *process)
{
    struct sim_world *world = process->world;
    sim_trace(world, "%d is gone", process->index);
    if (sim_prepares(world->seed))
        sim_slot_leave(process, has_ended_well(process));
    process->is_gone = true;
    cut_clients(process);
    for (int i = 0; i < process->n_clients; i++)
        close_client(&process->clients[i]);
    prepared_claim_release(&process->prepared);
    worker_free(process->worker);
    for (int i = 0; i < process->n_hands; i++)
        close_hand(&process->hands[i]);
    shares_release(&process->shares);
    asker_close(process->asker);
    mail_release(&process->mail);
    sim_stream_free(process->stream);
    process->spool->ops->close(process->spool);
    process->is_up = false;
    if (world->profile.is_calm && world->has_faults)
        sim_group_change(world); // it has left
}

static void wake(struct wait *wait)
{
    if (wait->kind != WAIT_DONE)
        *wait = (struct wait){WAIT_NOTHING, 0};
}

static void wake_all(struct sim_process *process)
{
    wake(&process->worker_wait);
    for (int i = 0; i < process->n_hands; i++)
        wake(&process->hands[i].wait);
    for (int i = 0; i < process->n_clients; i++)
        wake(&process->clients[i].actor.wait);
}

static void hurry(struct sim_client *client)
{
    int64_t now_ms = client->process->world->clock.now_ms;
    int64_t most_ms = client->busy_until_ms - now_ms;
    if (most_ms > 0)
        client->busy_until_ms =
            now_ms + deadline_left(client->storage->deadline, now_ms, most_ms) +
            NOTICE_MS;
}

void sim_process_stop(struct sim_process *process)
{
    if (!process->is_up || process->stopped_ms)
        return;
    sim_trace(process->world, "%d is to stop", process->index);
    process->stopped_ms = process->world->clock.now_ms;
    worker_stop(process->worker, process->world->profile.is_calm
                                     ? CALM_STOP_MS
                                     : process->job.settings.revoke_ms);
    wake_all(process);
    for (int i = 0; i < process->n_clients; i++)
        hurry(&process->clients[i]);
    process->is_woken = true;
}

// By any lane, or by the uploader where there is none.
static const struct path *last_written(struct sim_process *process)
{
    struct sim_random *random = &process->world->random;
    int i = process->mail.n_lanes == 0
                ? SIM_UPLOADER
                : (int)sim_between(random, SIM_LANES, process->n_clients - 1);
    return &process->clients[i].written;
}

bool sim_process_reads(const struct sim_process *process, int32_t partition)
{
    for (int i = 0; i < process->n_hands; i++)
        if (sim_stream_reads(process->hands[i].stream, partition))
            return true;
    return sim_stream_reads(process->stream, partition);
}

// While it publishes nobody could tell: it has just looked.
void sim_process_sweep(struct sim_process *process)
{
    const struct path *written = last_written(process);
    struct storage *view = process->world->view;
    struct err err;
    if (process->is_up && written->text[0] &&
        process->clients[SIM_COMMITTER].actor.wait.kind == WAIT_MAIL &&
        view->ops->remove(view, path_str(written), &err) == ST_OK)
        sim_trace(process->world, "%d has lost %s", process->index, written->text);
}

// What happened to a part that has ended.
static void look_at_end(struct sim_process *process, enum status rc, const char *text)
{
    struct sim_world *world = process->world;
    if (rc == ST_OK || process->is_dying)
        return;
    bool is_other = world->topic.is_recreated || world->topic.is_cut;
    if (is_other && rc == ST_DATA && strstr(text, "recreated") != NULL)
        return;
    if (world->topic.is_cut && rc == ST_DATA && strstr(text, "cut back") != NULL)
        return;
    if (world->profile.sweep_permille && strstr(text, "something keeps removing") != NULL)
        return;
    bool gave_up = strstr(text, "(SET storage.retry)") != NULL ||
                   strstr(text, "no time was left to try again") != NULL;
    if (!gave_up || !process->saw_faults)
        sim_fail(world, "process %d ended with %s: %s", process->index, status_name(rc),
                 text);
}

static bool is_awake(const struct sim_process *process, struct wait wait,
                     const struct mailbox *box)
{
    int64_t now_ms = process->world->clock.now_ms;
    switch (wait.kind) {
    case WAIT_NOTHING:
        return true;
    case WAIT_MAIL:
        return now_ms >= wait.until_ms || !mailbox_is_empty(box);
    case WAIT_TIME:
        return now_ms >= wait.until_ms;
    case WAIT_DONE:
        break;
    }
    return false;
}

static bool worker_is_awake(const struct sim_process *process)
{
    return is_awake(process, process->worker_wait, &process->mail.to_worker) &&
           (process->worker_wait.kind != WAIT_NOTHING ||
            sim_stream_is_ready(process->stream));
}

static void step_worker(struct sim_process *process, UNUSED struct sim_client *client)
{
    struct err err = {0};
    process->worker_wait = worker_step(process->worker);
    if (process->worker_wait.kind == WAIT_DONE)
        look_at_end(process, worker_result(process->worker, &err), err.text);
}

static bool hand_is_awake(const struct sim_process *process, const struct sim_hand *hand)
{
    switch (hand->wait.kind) {
    case WAIT_NOTHING:
        return sim_stream_is_ready(hand->stream) || hand_is_ordered(hand->hand);
    case WAIT_DONE:
        return false;
    default:
        return process->world->clock.now_ms >= hand->wait.until_ms ||
               hand_is_ordered(hand->hand);
    }
}

static void step_client(UNUSED struct sim_process *process, struct sim_client *client)
{
    struct err err = {0};
    sim_actor_step(&client->actor);
    if (client->actor.wait.kind == WAIT_DONE)
        look_at_end(client->process, sim_actor_result(&client->actor, &err), err.text);
}

static void step_asker(struct sim_process *process, UNUSED struct sim_client *client)
{
    if (asker_step(process->asker))
        process->asker_wait = (struct wait){WAIT_NOTHING, 0};
    else if (asker_has_ended(process->asker))
        process->asker_wait = (struct wait){WAIT_DONE, 0};
    else
        process->asker_wait =
            (struct wait){WAIT_MAIL, process->world->clock.now_ms + IDLE_MS};
}

static bool asker_is_awake(const struct sim_process *process)
{
    struct wait wait = process->asker_wait;
    return wait.kind == WAIT_NOTHING ||
           (wait.kind == WAIT_MAIL && (!asker_is_idle(process->asker) ||
                                       process->world->clock.now_ms >= wait.until_ms));
}

static void check_hand(struct sim_process *process, struct sim_hand *hand)
{
    hand->n_idle += sim_stream_take_idle(hand->stream);
    if (hand->n_idle > IDLE_POLLS_MAX)
        sim_fail(process->world,
                 "a hand of process %d polls in vain all the time: %d times in a second",
                 process->index, hand->n_idle);
}

// A member that polls too seldom is out; one that polls all the time burns a core.
static void check_member(struct sim_process *process)
{
    struct sim_world *world = process->world;
    int64_t now_ms = world->clock.now_ms;
    int64_t awake_ms = process->stalled_until_ms > process->started_ms
                           ? process->stalled_until_ms
                           : process->started_ms;
    int64_t polled_ms = sim_stream_polled_ms(process->stream);
    if (polled_ms < awake_ms)
        polled_ms = awake_ms;
    if (process->worker_wait.kind != WAIT_DONE && process->stopped_ms == 0 &&
        now_ms > polled_ms + MAX_POLL_MS)
        sim_fail(world,
                 "process %d was not polled for %d ms: it is not a member any more",
                 process->index, (int)(now_ms - polled_ms));
    process->n_idle += sim_stream_take_idle(process->stream);
    for (int i = 0; i < process->n_hands; i++)
        check_hand(process, &process->hands[i]);
    if (process->n_idle > IDLE_POLLS_MAX)
        sim_fail(world, "process %d polls in vain all the time: %d times in a second",
                 process->index, process->n_idle);
    if (now_ms < process->second_ms + 1000 && process->n_idle <= IDLE_POLLS_MAX)
        return;
    process->second_ms = now_ms;
    process->n_idle = 0;
    for (int i = 0; i < process->n_hands; i++)
        process->hands[i].n_idle = 0;
}

static bool client_is_awake(const struct sim_client *client)
{
    return client->process->world->clock.now_ms >= client->busy_until_ms &&
           is_awake(client->process, client->actor.wait, client->actor.box);
}

struct step {
    void (*take)(struct sim_process *process, struct sim_client *client);
    struct sim_client *client;
    struct sim_hand *hand; // it steps
};

bool sim_process_step(struct sim_process *process)
{
    struct sim_world *world = process->world;
    if (!process->is_up || world->clock.now_ms < process->stalled_until_ms)
        return false;
    check_member(process);
    struct step steps[SIM_CLIENTS + SIM_HANDS_MAX + 2];
    int n = 0;
    if (worker_is_awake(process))
        steps[n++] = (struct step){step_worker, NULL, NULL};
    for (int i = 0; i < process->n_clients; i++)
        if (client_is_awake(&process->clients[i]))
            steps[n++] = (struct step){step_client, &process->clients[i], NULL};
    if (asker_is_awake(process))
        steps[n++] = (struct step){step_asker, NULL, NULL};
    for (int i = 0; i < process->n_hands; i++)
        if (hand_is_awake(process, &process->hands[i]))
            steps[n++] = (struct step){NULL, NULL, &process->hands[i]};
    if (n == 0)
        return false;
    process->is_woken = false;
    const struct step *step = &steps[sim_between(&world->random, 0, n - 1)];
    if (step->hand != NULL)
        step->hand->wait = hand_step(step->hand->hand);
    else
        step->take(process, step->client);
    if (process->is_woken) // within the step: its wait ends at once
        wake_all(process);
    if (process->is_dying || has_ended(process))
        sim_process_crash(process);
    return true;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// By itself, or since there is mail, which it reads as soon as it is free.
static int64_t wakes_ms(struct wait wait, const struct mailbox *box)
{
    if (wait.kind == WAIT_DONE)
        return INT64_MAX;
    return wait.kind == WAIT_MAIL && !mailbox_is_empty(box) ? 0 : wait.until_ms;
}

static int64_t hand_wakes_ms(const struct sim_hand *hand)
{
    if (hand->wait.kind == WAIT_DONE)
        return INT64_MAX;
    if (hand_is_ordered(hand->hand))
        return 0;
    return hand->wait.kind == WAIT_NOTHING ? sim_stream_wakes_ms(hand->stream)
                                           : hand->wait.until_ms;
}

int64_t sim_process_wakes_ms(const struct sim_process *process)
{
    const struct mail *mail = &process->mail;
    if (!process->is_up)
        return INT64_MAX;
    int64_t ms = process->worker_wait.kind == WAIT_NOTHING
                     ? sim_stream_wakes_ms(process->stream)
                     : wakes_ms(process->worker_wait, &mail->to_worker);
    for (int i = 0; i < process->n_clients; i++) {
        const struct sim_client *client = &process->clients[i];
        int64_t client_ms = wakes_ms(client->actor.wait, client->actor.box);
        ms = least(ms,
                   client_ms < client->busy_until_ms ? client->busy_until_ms : client_ms);
    }
    for (int i = 0; i < process->n_hands; i++)
        ms = least(ms, hand_wakes_ms(&process->hands[i]));
    if (process->asker_wait.kind == WAIT_MAIL && !asker_is_idle(process->asker))
        ms = least(ms, 0);
    else if (process->asker_wait.kind != WAIT_DONE)
        ms = least(ms, process->asker_wait.until_ms);
    return ms < process->stalled_until_ms ? process->stalled_until_ms : ms;
}
