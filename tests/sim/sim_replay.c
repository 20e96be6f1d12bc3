// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/log_read.h"
#include "log/verify.h"
#include "memory/spool_mem.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_fiber.h"
#include "sim/sim_job.h"
#include "sim/sim_rows.h"
#include "work/replay.h"

enum {
    ACTORS = 3,
    ROUNDS = 3, // a worker makes letters before each
    LIVES = 4,  // of an actor in a round
    N_PARTITIONS = 2,
    N_ORPHANS = ACTORS * LIVES * ROUNDS + 1, // and the last one
    STEPS_MAX = 200000
};

struct sim_replayer {
    struct waiter waiter; // first member
    struct sim_replay *sim;
    struct decoder decoder;
    struct executor executor;
    struct file_writer writer;
    struct job job;
    struct spool *spool;
    struct storage *storage; // fault over mem
    struct sim_fiber *fiber;
    struct wait wait;
    bool accepts; // all; else it rejects every second offset again
    bool is_dead;
    int64_t n_calls_to_live; // 0: no death planned
    int n_lives;
    enum status rc;
    struct err err;
    struct replay_report report;
};

struct sim_replay {
    struct sim_job *job;
    struct mem_tree *tree;
    struct storage *view;
    struct sim_random random;
    bool has_faults;
    struct sim_replayer actors[ACTORS];
    struct storage *orphans[N_ORPHANS];
    size_t n_orphans;
    struct sim_replay_report *report;
    struct buf *failure;
};

// Today's script: what was a letter is a row.

static enum status decode(struct decoder *base, const struct run *run, size_t from,
                          struct batch *batch, size_t *ret_next, UNUSED struct err *err)
{
    const struct sim_replayer *actor =
        (const struct sim_replayer *)((char *)base -
                                      offsetof(struct sim_replayer, decoder));
    for (size_t i = from; i < run->n; i++) {
        const struct record *record = &run->records[i];
        if (!actor->accepts && record->offset % 2 == 1) {
            batch_reject(batch, (uint32_t)i, STR_LITERAL("fails again"));
            continue;
        }
        struct str value = arena_str(&batch->arena, record->value);
        ((char *)(uintptr_t)value.p)[0] = 'r';
        batch_add(batch, (uint32_t)i)[0] = value_text(value);
    }
    *ret_next = run->n;
    return ST_OK;
}

static void close_decoder(UNUSED struct decoder *decoder)
{
}

static const struct decoder_ops decoder_ops = {.decode = decode, .close = close_decoder};

// Actors.

static void wait_for(struct waiter *waiter, struct wait wait)
{
    struct sim_replayer *actor = (struct sim_replayer *)waiter;
    actor->wait = wait;
    sim_fiber_yield(actor->fiber);
}

static struct fault make_fault(struct sim_random *random)
{
    static const enum fault_kind kinds[] = {FAULT_REFUSE, FAULT_LOSE, FAULT_DROP,
                                            FAULT_LATE};
    struct fault fault = {.kind = kinds[sim_between(random, 0, 3)]};
    if (fault.kind == FAULT_LATE && sim_chance(random, 50))
        fault.settle_after = (uint64_t)sim_between(random, 1, 20);
    return fault;
}

static struct fault decide(void *context, UNUSED const struct fault_call *call)
{
    struct sim_replayer *actor = context;
    struct sim_replay *sim = actor->sim;
    if (actor->is_dead)
        return (struct fault){.kind = FAULT_FAIL};
    wait_for(&actor->waiter, (struct wait){WAIT_NOTHING, 0});
    if (!sim->has_faults)
        return (struct fault){0};
    if (actor->n_calls_to_live && --actor->n_calls_to_live == 0) {
        actor->is_dead = true; // its last call may still happen
        return make_fault(&sim->random);
    }
    return sim_chance(&sim->random, 4) ? make_fault(&sim->random) : (struct fault){0};
}

static void act(void *context)
{
    struct sim_replayer *actor = context;
    struct topic topic = {.cluster = actor->job.identity.cluster,
                          .name = actor->job.identity.topic};
    const struct dead_filter all = {0};
    const struct replay_parts parts = {
        .job = &actor->job,
        .topic = &topic,
        .decoder = &actor->decoder,
        .executor = &actor->executor,
        .writer = &actor->writer,
        .spool = actor->spool,
        .storage = actor->storage,
        .env = &actor->sim->job->clock.env,
        .waiter = &actor->waiter,
    };
    actor->rc = replay_letters(&parts, &all, &actor->report, &actor->err);
}

static void begin_life(struct sim_replay *sim, struct sim_replayer *actor)
{
    int n_lives = actor->n_lives;
    *actor =
        (struct sim_replayer){.waiter = {wait_for}, .sim = sim, .n_lives = n_lives + 1};
    actor->decoder =
        (struct decoder){.ops = &decoder_ops, .schema = sim_writer.row_format->schema};
    actor->executor = sim_executor;
    actor->writer = sim_writer;
    actor->job = sim->job->job;
    actor->job.settings.storage_retry_ms = sim_between(&sim->random, 200, 3000);
    actor->job.settings.log_snapshot = sim_between(&sim->random, 2, 5);
    actor->accepts = !sim->has_faults || sim_chance(&sim->random, 50);
    if (sim->has_faults && sim_chance(&sim->random, 60))
        actor->n_calls_to_live = sim_between(&sim->random, 1, 60);
    const struct fault_config config = {.decide = decide, .context = actor};
    actor->storage = storage_fault_open(storage_mem_open(sim->tree, "/r"), &config);
    actor->spool = spool_mem_open();
    actor->fiber = sim_fiber_open(act, actor);
}

static void complain(struct sim_replay *sim, const char *what, int64_t a, int64_t b)
{
    buf_printf(sim->failure, "%s %" PRId64 ".%" PRId64 "; ", what, a, b);
}

static void end_life(struct sim_replay *sim, struct sim_replayer *actor)
{
    const char *text = actor->err.text;
    bool may_fail = actor->is_dead || strstr(text, "(SET storage.retry)") != NULL;
    sim->report->n_deaths += actor->is_dead;
    sim->report->n_conflicts += actor->rc == ST_CONFLICT;
    if (actor->rc == ST_OK && actor->report.entry >= 0) {
        sim->report->n_replays++;
        sim->report->n_again += (int)actor->report.rejected;
    }
    if (actor->rc != ST_OK && actor->rc != ST_CONFLICT && !may_fail)
        buf_printf(sim->failure, "a replay ends: %s; ", text);
    sim_fiber_free(actor->fiber);
    actor->spool->ops->close(actor->spool);
    sim->orphans[sim->n_orphans++] = actor->storage; // calls may be on their way
    actor->fiber = NULL;
}

static void settle_some(struct sim_replay *sim)
{
    for (size_t i = 0; i < sim->n_orphans; i++)
        if (sim_chance(&sim->random, 2) && storage_fault_n_late(sim->orphans[i]) > 0)
            (void)!storage_fault_settle_one(sim->orphans[i], 0);
}

static bool step(struct sim_replay *sim)
{
    int32_t awake[ACTORS], n = 0, n_left = 0;
    int64_t now_ms = sim->job->clock.now_ms;
    for (int32_t i = 0; i < ACTORS; i++) {
        struct sim_replayer *actor = &sim->actors[i];
        n_left += actor->fiber != NULL;
        if (actor->fiber != NULL &&
            (actor->wait.kind == WAIT_NOTHING || actor->wait.until_ms <= now_ms))
            awake[n++] = i;
    }
    sim->job->clock.now_ms += n > 0 ? 1 : 50;
    if (n == 0)
        return n_left > 0;
    struct sim_replayer *actor = &sim->actors[awake[sim_between(&sim->random, 0, n - 1)]];
    actor->wait = (struct wait){WAIT_NOTHING, 0};
    if (!sim_fiber_resume(actor->fiber)) {
        end_life(sim, actor);
        if (sim->has_faults && actor->n_lives < LIVES)
            begin_life(sim, actor);
    }
    return true;
}

static void replay_all(struct sim_replay *sim, int n_actors)
{
    for (int i = 0; i < n_actors; i++) {
        sim->actors[i].n_lives = 0;
        begin_life(sim, &sim->actors[i]);
    }
    int n_steps = 0;
    while (step(sim) && ++n_steps < STEPS_MAX)
        settle_some(sim);
    if (n_steps == STEPS_MAX)
        buf_text(sim->failure, "the replays do not end; ");
}

static void make_letters(struct sim_replay *sim)
{
    struct err err;
    for (int i = 0; i < 12; i++) {
        enum sim_record_kind kind = sim_chance(&sim->random, 30)   ? SIM_ROWS
                                    : sim_chance(&sim->random, 50) ? SIM_BAD
                                                                   : SIM_REFUSED;
        sim_job_record(sim->job, (int32_t)sim_between(&sim->random, 0, N_PARTITIONS - 1),
                       kind, (int)sim_between(&sim->random, 0, 3));
    }
    if (sim_job_run(sim->job, sim->view, &err) != ST_OK)
        buf_printf(sim->failure, "a worker ends: %s; ", err.text);
}

// The result.

static void check_log(struct sim_replay *sim)
{
    struct dead_book book;
    struct verify_report report;
    struct err err;
    const struct verify_options options = {.checksums = true};
    if (dead_book_read(sim->view, &book, &err) != ST_OK)
        buf_printf(sim->failure, "%s; ", err.text);
    else if (book.letters.n != book.letters.n_replayed)
        complain(sim, "letters are left:", book.letters.n, book.letters.n_replayed);
    dead_book_release(&book);
    if (verify_run(sim->view, &options, &report, &err) != ST_OK)
        buf_printf(sim->failure, "verify: %s; ", err.text);
    for (size_t i = 0; i < report.n_findings; i++)
        if (report.findings[i].kind == FINDING_ERROR)
            buf_printf(sim->failure, "verify: %s; ", report.findings[i].text.p);
    verify_report_release(&report);
}

static void run(struct sim_replay *sim)
{
    for (int round = 0; round < ROUNDS; round++) {
        make_letters(sim);
        sim->has_faults = true;
        replay_all(sim, ACTORS);
        sim->has_faults = false;
        for (size_t i = 0; i < sim->n_orphans; i++)
            storage_fault_settle(sim->orphans[i]);
    }
    make_letters(sim); // its worker also moves the files of replays that died
    replay_all(sim, 1);
    sim_rows_check(sim->view, &sim->job->topic, true, sim->failure);
    check_log(sim);
}

bool sim_replay_run(uint64_t seed, struct sim_replay_report *report, struct buf *failure)
{
    struct sim_replay *sim = mem_zalloc(sizeof(*sim));
    sim->job = mem_zalloc(sizeof(*sim->job));
    sim_job_init(sim->job, N_PARTITIONS);
    sim->job->job.settings.on_error_share = 100;
    sim->tree = mem_tree_open(&sim->job->clock.env);
    sim->view = storage_mem_open(sim->tree, "/r");
    sim->random = sim_random_at(seed, 0, 0);
    sim->report = report;
    sim->failure = failure;
    buf_clear(failure);
    run(sim);
    for (size_t i = 0; i < sim->n_orphans; i++)
        sim->orphans[i]->ops->close(sim->orphans[i]);
    sim->view->ops->close(sim->view);
    mem_tree_unref(sim->tree);
    free(sim->job);
    free(sim);
    return failure->n == 0;
}
