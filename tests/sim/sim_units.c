// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "log/log_back.h"
#include "log/verify.h"
#include "memory/spool_mem.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_event.h"
#include "sim/sim_fiber.h"
#include "sim/sim_job.h"
#include "sim/sim_rows.h"
#include "work/coordinator.h"
#include "work/make_unit.h"

enum {
    COORDINATORS = 2,
    WORKERS = 3,
    ACTORS = COORDINATORS + WORKERS,
    N_PARTITIONS = 3,
    INBOX_MAX = 256,
    FAULTY_STEPS = 4000,
    STEPS_MAX = 100000,
    APPENDED_MAX = 600, // offsets of a partition
    HUNG_MS = 8000      // after its driver is to end a coordinator, retries and all
};

struct sim_line {
    char *text;
    size_t n;
    int64_t at_ms; // when it is there
};

struct sim_actor_of_units {
    struct waiter waiter; // first member
    struct lines lines;
    struct sim_units *sim;
    int number;
    struct sim_fiber *fiber; // NULL: it does not run
    struct wait wait;
    struct deadline deadline, stop; // of all that it does; of what a signal ends
    bool is_dead;
    bool is_stopped;         // by a signal
    int64_t n_calls_to_live; // 0: no death planned
    char last_entry[32];     // of a coordinator, as its last commit told
    int64_t alive_ms;        // its driver is, until then; 0: it did not say
    struct job job;
    struct storage *storage; // fault over mem
    struct sim_stream *stream;
    struct sim_line inbox[INBOX_MAX];
    size_t n_inbox;
    char *given; // the line that receive() gave last
    // Of a worker.
    struct sim_decoder decoder;
    struct executor executor;
    struct file_writer writer;
    struct spool *spool;
    struct engine_status status;
    struct maker maker;
    enum status rc;
    struct err err;
};

struct sim_units {
    struct sim_job *job;
    struct sim_events events;
    struct mem_tree *tree;
    struct storage *view;
    struct sim_random random;
    bool has_faults, is_over;
    struct sim_actor_of_units actors[ACTORS];
    struct storage **orphans;
    size_t n_orphans, orphans_capacity;
    struct sim_units_report *report;
    struct buf *failure;
};

static bool is_worker(const struct sim_actor_of_units *actor)
{
    return actor->number >= COORDINATORS;
}

static void give_up_turn(struct sim_actor_of_units *actor, struct wait wait)
{
    if (actor->is_dead)
        return;
    actor->wait = wait;
    sim_fiber_yield(actor->fiber);
}

static void wait_for(struct waiter *waiter, struct wait wait)
{
    give_up_turn((struct sim_actor_of_units *)waiter, wait);
}

static void on_call(void *context)
{
    give_up_turn(context, (struct wait){WAIT_NOTHING, 0});
}

// The driver.

static void deliver(struct sim_units *sim, struct sim_actor_of_units *to, struct str line)
{
    if (to->n_inbox == INBOX_MAX || (is_worker(to) && to->fiber == NULL))
        return; // lost
    int64_t now_ms = sim->job->clock.now_ms;
    int64_t late_ms = sim->has_faults && sim_chance(&sim->random, 30)
                          ? sim_between(&sim->random, 0, 4000)
                          : 0;
    struct sim_line *item = &to->inbox[to->n_inbox++];
    *item = (struct sim_line){
        .text = mem_array(line.n + 1, 1), .n = line.n, .at_ms = now_ms + late_ms};
    memcpy(item->text, line.p, line.n);
    if (to->wait.kind == WAIT_TIME && to->wait.until_ms > item->at_ms)
        to->wait.until_ms = item->at_ms;
}

static void deliver_lost(struct sim_units *sim, int64_t order)
{
    AUTO(buf_release) struct buf line = {0};
    answer_encode(&(struct answer){.kind = ANSWER_LOST, .order = order}, &line);
    for (int i = 0; i < COORDINATORS; i++)
        deliver(sim, &sim->actors[i], buf_as_str(&line));
    sim->report->n_lost++;
}

// A driver that says so once, and then perhaps no more: it hangs, or the line was lost.
static void deliver_alive(struct sim_units *sim)
{
    AUTO(buf_release) struct buf line = {0};
    answer_encode(&(struct answer){.kind = ANSWER_ALIVE,
                                   .number = sim_between(&sim->random, 1000, 10000)},
                  &line);
    deliver(sim, &sim->actors[sim_between(&sim->random, 0, COORDINATORS - 1)],
            buf_as_str(&line));
}

// An order to some worker; without faults to one that runs.
static void take_order(struct sim_units *sim, struct str line)
{
    int n_times = 1;
    sim->report->n_orders++;
    if (sim->has_faults && sim_chance(&sim->random, 5))
        n_times = (int)sim_between(&sim->random, 0, 2);
    for (int i = 0; i < n_times; i++)
        deliver(sim,
                &sim->actors[COORDINATORS + sim_between(&sim->random, 0, WORKERS - 1)],
                line);
}

// An answer to all coordinators: it is one's, the other does not know of it.
static void take_answer(struct sim_units *sim, struct str line)
{
    int n_times = 1;
    sim->report->n_units++;
    if (sim->has_faults && sim_chance(&sim->random, 30))
        n_times = (int)sim_between(&sim->random, 0, 2);
    sim->report->n_doubled += n_times == 2;
    for (int i = 0; i < n_times; i++)
        for (int j = 0; j < COORDINATORS; j++)
            deliver(sim, &sim->actors[j], line);
}

// Whether it became one entry with the order told before.
static bool is_merged(struct sim_actor_of_units *actor, struct str line)
{
    const char *at = memmem(line.p, line.n, "\"entry\":", 8);
    char entry[sizeof(actor->last_entry)];
    snprintf(entry, sizeof(entry), "%.*s", (int)strcspn(at, ","), at);
    bool is_same = strcmp(entry, actor->last_entry) == 0;
    memcpy(actor->last_entry, entry, sizeof(entry));
    return is_same;
}

static bool says(struct str line, const char *text)
{
    return memmem(line.p, line.n, text, strlen(text)) != NULL;
}

static enum status sim_send(struct lines *base, struct str text, UNUSED struct err *err)
{
    struct sim_actor_of_units *actor =
        (struct sim_actor_of_units *)((char *)base -
                                      offsetof(struct sim_actor_of_units, lines));
    struct sim_units *sim = actor->sim;
    give_up_turn(actor, (struct wait){WAIT_NOTHING, 0});
    if (actor->is_dead)
        return ST_OK;
    struct str line = {text.p, text.n - 1};
    if (is_worker(actor))
        take_answer(sim, line);
    else if (says(line, "\"kind\":\"order\""))
        take_order(sim, line);
    if (!is_worker(actor) && says(line, "\"kind\":\"commit\"")) {
        sim->report->n_commits++;
        sim->report->n_merged += is_merged(actor, line);
    }
    return ST_OK;
}

static void note_alive(struct sim_actor_of_units *actor, struct str line)
{
    if (!is_worker(actor) && says(line, "\"kind\":\"alive\""))
        actor->alive_ms = actor->sim->job->clock.now_ms +
                          strtoll(strstr(line.p, "\"for_ms\":") + 9, NULL, 10);
}

// The first line that is there.
static bool take_line(struct sim_actor_of_units *actor, struct str *ret)
{
    for (size_t i = 0; i < actor->n_inbox; i++) {
        struct sim_line *item = &actor->inbox[i];
        if (item->at_ms > actor->sim->job->clock.now_ms)
            continue;
        free(actor->given);
        actor->given = item->text;
        *ret = (struct str){item->text, item->n};
        note_alive(actor, *ret);
        actor->n_inbox--;
        memmove(item, item + 1, (actor->n_inbox - i) * sizeof(*item));
        return true;
    }
    return false;
}

static int64_t next_line_ms(const struct sim_actor_of_units *actor, int64_t most_ms)
{
    for (size_t i = 0; i < actor->n_inbox; i++)
        if (actor->inbox[i].at_ms < most_ms)
            most_ms = actor->inbox[i].at_ms;
    return most_ms;
}

static enum status sim_receive(struct lines *base, int64_t timeout_ms,
                               enum line_event *ret, struct str *ret_line,
                               UNUSED struct err *err)
{
    struct sim_actor_of_units *actor =
        (struct sim_actor_of_units *)((char *)base -
                                      offsetof(struct sim_actor_of_units, lines));
    const struct sim_clock *clock = &actor->sim->job->clock;
    int64_t until_ms = clock->now_ms + timeout_ms;
    do {
        *ret = actor->is_dead ? LINE_END : LINE_READ;
        if (actor->is_dead || take_line(actor, ret_line))
            return ST_OK;
        give_up_turn(actor, (struct wait){WAIT_TIME, next_line_ms(actor, until_ms)});
    } while (clock->now_ms < until_ms);
    *ret = actor->is_dead ? LINE_END : LINE_NONE;
    return ST_OK;
}

static const struct lines_ops lines_ops = {.receive = sim_receive, .send = sim_send};

// Actors.

static void kill_actor(struct sim_actor_of_units *actor)
{
    actor->is_dead = true;
    deadline_end(&actor->stop);
    deadline_end(&actor->deadline);
    actor->sim->report->n_deaths++;
}

// As SIGTERM: what was answered may still be committed, for some time.
static void stop_actor(struct sim_actor_of_units *actor)
{
    actor->is_stopped = true;
    deadline_end(&actor->stop);
    deadline_set(&actor->deadline, actor->sim->job->clock.now_ms + 2000);
    actor->sim->report->n_stopped++;
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
    struct sim_actor_of_units *actor = context;
    struct sim_units *sim = actor->sim;
    if (actor->is_dead)
        return (struct fault){.kind = FAULT_FAIL};
    on_call(actor);
    if (actor->is_dead)
        return (struct fault){.kind = FAULT_FAIL};
    if (!sim->has_faults)
        return (struct fault){0};
    if (actor->n_calls_to_live && --actor->n_calls_to_live == 0) {
        kill_actor(actor); // its last call may still happen
        return make_fault(&sim->random);
    }
    return sim_chance(&sim->random, 2) ? make_fault(&sim->random) : (struct fault){0};
}

static void act_as_worker(void *context)
{
    struct sim_actor_of_units *actor = context;
    maker_open(&actor->maker, &(struct maker_parts){
                                  .builder =
                                      {
                                          .job = &actor->job,
                                          .topic = sim_stream_topic(actor->stream),
                                          .stream = sim_stream_port(actor->stream),
                                          .decoder = &actor->decoder.decoder,
                                          .executor = &actor->executor,
                                          .writer = &actor->writer,
                                          .spool = actor->spool,
                                          .env = &actor->sim->job->clock.env,
                                          .status = &actor->status,
                                      },
                                  .storage = actor->storage,
                                  .waiter = &actor->waiter,
                                  .deadline = &actor->deadline,
                                  .patience_ms = 5000,
                              });
    actor->rc = make_units(&actor->maker, &actor->lines, NULL, &actor->err);
    maker_release(&actor->maker);
}

static void act_as_coordinator(void *context)
{
    struct sim_actor_of_units *actor = context;
    struct sim_random *random = &actor->sim->random;
    const struct coordinator_parts parts = {
        .job = &actor->job,
        .storage = actor->storage,
        .topic = sim_stream_topic(actor->stream),
        .env = &actor->sim->job->clock.env,
        .waiter = &actor->waiter,
        .deadline = &actor->stop,
        .farewell = &actor->deadline,
        .status = &actor->status,
        .lines = &actor->lines,
        .order_offsets = sim_between(random, 3, 40),
        .order_least = 2,
        .n_slots = sim_between(random, 0, 4),
        .n_orders = sim_between(random, 1, 6),
        .order_ms = actor->sim->has_faults ? sim_between(random, 3000, 20000) : 1000000,
    };
    actor->rc = coordinate(&parts, &actor->err);
}

static void drop_inbox(struct sim_actor_of_units *actor)
{
    while (actor->n_inbox > 0)
        free(actor->inbox[--actor->n_inbox].text);
}

static void begin_life(struct sim_units *sim, int number)
{
    struct sim_actor_of_units *actor = &sim->actors[number];
    if (!sim->has_faults)
        drop_inbox(actor);            // a driver that hung is no more
    struct sim_line inbox[INBOX_MAX]; // a coordinator gets what was for the one before
    size_t n_inbox = actor->n_inbox;
    memcpy(inbox, actor->inbox, sizeof(inbox));
    *actor = (struct sim_actor_of_units){.waiter = {wait_for},
                                         .lines = {&lines_ops},
                                         .sim = sim,
                                         .number = number,
                                         .executor = sim_executor,
                                         .writer = sim_writer,
                                         .job = sim->job->job};
    memcpy(actor->inbox, inbox, sizeof(inbox));
    actor->n_inbox = n_inbox;
    actor->job.settings.storage_retry_ms = sim_between(&sim->random, 200, 3000);
    actor->job.settings.log_snapshot = sim_between(&sim->random, 2, 5);
    actor->job.settings.once = !sim->has_faults || sim_chance(&sim->random, 50);
    actor->job.settings.commit_interval_ms = sim_between(&sim->random, 100, 3000);
    if (sim->has_faults && sim_chance(&sim->random, 70))
        actor->n_calls_to_live = sim_between(&sim->random, 1, 400);
    const struct fault_config config = {.decide = decide, .context = actor};
    actor->storage = storage_fault_open(storage_mem_open(sim->tree, "/r"), &config);
    actor->spool = spool_mem_open();
    actor->stream = sim_stream_open(&sim->job->topic, &sim->job->clock);
    sim_stream_on_call(actor->stream, on_call, actor);
    sim_decoder_init(&actor->decoder, &sim->random);
    actor->decoder.fault_percent = sim->has_faults ? 5 : 0;
    actor->fiber =
        sim_fiber_open(is_worker(actor) ? act_as_worker : act_as_coordinator, actor);
}

static bool may_end_so(const struct sim_actor_of_units *actor)
{
    static const char *const texts[] = {
        "(SET storage.retry)",
        "another writer",         // a coordinator or a plain worker
        "was given out 10 times", // whoever would make it dies again and again
        "the driver has not been heard of",
    };
    bool may = actor->is_dead || actor->rc == ST_OK;
    for (size_t i = 0; i < ARRAY_LEN(texts) && !may; i++)
        may = actor->sim->has_faults && strstr(actor->err.text, texts[i]) != NULL;
    // What it does behind a signal has little time, and says where that was too little.
    return may || (actor->sim->has_faults && actor->is_stopped &&
                   strstr(actor->err.text, "no time was left to try again") != NULL);
}

static void end_life(struct sim_units *sim, struct sim_actor_of_units *actor)
{
    if (!may_end_so(actor))
        buf_printf(sim->failure, "%s ends: %s; ",
                   is_worker(actor) ? "a worker" : "a coordinator", actor->err.text);
    sim->report->n_hung += strstr(actor->err.text, "has not been heard of") != NULL;
    sim->report->n_superseded += strstr(actor->err.text, "another writer") != NULL;
    if (is_worker(actor) && sim->has_faults && sim_chance(&sim->random, 70))
        for (size_t i = 0; i < actor->n_inbox; i++) { // the driver knows what it had
            struct order order;
            struct err err;
            struct str line = {actor->inbox[i].text, actor->inbox[i].n};
            if (order_decode(line, &order, &err) == ST_OK)
                deliver_lost(sim, order.number);
            order_release(&order);
        }
    if (is_worker(actor))
        drop_inbox(actor);
    free(actor->given);
    actor->given = NULL;
    sim_fiber_free(actor->fiber);
    actor->fiber = NULL;
    actor->spool->ops->close(actor->spool);
    sim_stream_free(actor->stream);
    MEM_GROW(sim->orphans, sim->n_orphans, sim->orphans_capacity);
    sim->orphans[sim->n_orphans++] = actor->storage; // calls may be on their way
}

static void complain(struct sim_units *sim, const char *what, int64_t a, int64_t b)
{
    buf_printf(sim->failure, "%s %" PRId64 ".%" PRId64 "; ", what, a, b);
}

static void settle_some(struct sim_units *sim)
{
    size_t from = sim->n_orphans > 20 ? sim->n_orphans - 20 : 0;
    for (size_t i = from; i < sim->n_orphans; i++)
        if (sim_chance(&sim->random, 2) && storage_fault_n_late(sim->orphans[i]) > 0)
            (void)!storage_fault_settle_one(sim->orphans[i], 0);
}

// One that is awake takes its turn; time goes on where nobody is.
static void step(struct sim_units *sim)
{
    int32_t awake[ACTORS], n = 0;
    int64_t now_ms = sim->job->clock.now_ms;
    for (int32_t i = 0; i < ACTORS; i++) {
        struct sim_actor_of_units *actor = &sim->actors[i];
        if (actor->fiber != NULL && (actor->is_dead || actor->wait.kind == WAIT_NOTHING ||
                                     actor->wait.until_ms <= now_ms))
            awake[n++] = i;
    }
    sim->job->clock.now_ms += n > 0 ? 1 : 20;
    if (n == 0)
        return;
    struct sim_actor_of_units *actor =
        &sim->actors[awake[sim_between(&sim->random, 0, n - 1)]];
    actor->wait = (struct wait){WAIT_NOTHING, 0};
    if (!sim_fiber_resume(actor->fiber))
        end_life(sim, actor);
}

static void append(struct sim_units *sim)
{
    int32_t p = (int32_t)sim_between(&sim->random, 0, N_PARTITIONS - 1);
    if (sim->job->topic.partitions[p].high < APPENDED_MAX)
        sim_topic_append(&sim->job->topic, p, sim_between(&sim->random, 1, 10));
}

static void run_plain(struct sim_units *sim)
{
    struct err err;
    int fault_percent = sim->job->topic.fault_percent;
    sim->report->n_plain++;
    sim->job->topic.fault_percent = 0;
    if (sim_job_run(sim->job, sim->view, &err) != ST_OK)
        buf_printf(sim->failure, "a plain worker ends: %s; ", err.text);
    sim->job->topic.fault_percent = fault_percent;
}

static void check_hung(struct sim_units *sim)
{
    for (int i = 0; i < COORDINATORS; i++) {
        struct sim_actor_of_units *actor = &sim->actors[i];
        if (actor->fiber != NULL && !actor->is_dead && actor->alive_ms > 0 &&
            sim->job->clock.now_ms > actor->alive_ms + HUNG_MS)
            complain(sim, "a coordinator outlives its driver:", i, actor->alive_ms);
    }
}

// What a driver and chance do between two steps.
static void meddle(struct sim_units *sim)
{
    struct sim_random *random = &sim->random;
    for (int i = 0; i < ACTORS; i++) {
        struct sim_actor_of_units *actor = &sim->actors[i];
        if (actor->fiber == NULL && sim_between(random, 0, 999) < (i == 1 ? 2 : 50))
            begin_life(sim, i);
        else if (actor->fiber != NULL && !actor->is_dead &&
                 sim_between(random, 0, 9999) < 8)
            kill_actor(actor);
        else if (actor->fiber != NULL && !actor->is_stopped && !is_worker(actor) &&
                 sim_between(random, 0, 9999) < 5)
            stop_actor(actor);
    }
    if (sim_chance(random, 5))
        append(sim);
    if (sim_between(random, 0, 9999) < 10)
        deliver_alive(sim);
    if (sim_between(random, 0, 9999) < 5)
        run_plain(sim);
    settle_some(sim);
}

static void end_all(struct sim_units *sim)
{
    bool goes_on = true;
    for (int i = 0; i < ACTORS; i++)
        if (sim->actors[i].fiber != NULL && !sim->actors[i].is_dead)
            kill_actor(&sim->actors[i]);
    while (goes_on) {
        goes_on = false;
        for (int i = 0; i < ACTORS; i++)
            goes_on |= sim->actors[i].fiber != NULL;
        step(sim);
    }
}

// Without faults: one coordinator and the workers come to an end, and no order is given
// out twice.
static void finish(struct sim_units *sim)
{
    int n_orders = sim->report->n_orders, n_commits = sim->report->n_commits;
    for (int i = 0; i < ACTORS; i++)
        if (i == 0 || i >= COORDINATORS)
            begin_life(sim, i);
    int n_steps = 0;
    while (sim->actors[0].fiber != NULL && ++n_steps < STEPS_MAX)
        step(sim);
    if (n_steps == STEPS_MAX)
        buf_text(sim->failure, "the coordinator does not end; ");
    n_orders = sim->report->n_orders - n_orders;
    n_commits = sim->report->n_commits - n_commits;
    if (n_orders != n_commits)
        complain(sim, "orders and commits without faults:", n_orders, n_commits);
    end_all(sim);
}

// The result.

// A letter's name is its entry and its line.
static enum status check_dead(void *context, const struct entry *entry,
                              UNUSED struct err *err)
{
    struct sim_units *sim = context;
    int n_dead = 0;
    for (size_t i = 0; i < entry->n_files; i++)
        n_dead += entry->files[i].kind == FILE_DEAD;
    if (n_dead > 1)
        complain(sim, "files of letters in one entry:", n_dead, entry->number);
    return ST_OK;
}

static void check_log(struct sim_units *sim)
{
    int64_t first;
    struct verify_report report;
    struct err err;
    const struct verify_options options = {.checksums = true};
    if (verify_run(sim->view, &options, &report, &err) != ST_OK)
        buf_printf(sim->failure, "verify: %s; ", err.text);
    for (size_t i = 0; i < report.n_findings; i++)
        if (report.findings[i].kind == FINDING_ERROR)
            buf_printf(sim->failure, "verify: %s; ", report.findings[i].text.p);
    verify_report_release(&report);
    if (log_back(sim->view, check_dead, sim, &first, &err) != ST_OK)
        buf_printf(sim->failure, "%s; ", err.text);
}

static void run(struct sim_units *sim)
{
    for (int i = 0; i < 20; i++)
        append(sim);
    sim->has_faults = true;
    sim->job->topic.fault_percent = 2;
    for (int i = 0; i < FAULTY_STEPS && sim->failure->n == 0; i++) {
        meddle(sim);
        step(sim);
        check_hung(sim);
    }
    end_all(sim);
    sim->has_faults = false;
    sim->job->topic.fault_percent = 0;
    for (size_t i = 0; i < sim->n_orphans; i++)
        storage_fault_settle(sim->orphans[i]);
    if (sim->failure->n == 0)
        finish(sim);
    sim_rows_check(sim->view, &sim->job->topic, false, sim->failure);
    check_log(sim);
}

bool sim_units_run(uint64_t seed, struct sim_units_report *report, struct buf *failure)
{
    struct sim_units *sim = mem_zalloc(sizeof(*sim));
    sim->job = mem_zalloc(sizeof(*sim->job));
    sim_job_init(sim->job, N_PARTITIONS);
    sim->job->job.settings.on_error_share = 100;
    sim->job->topic.events = &sim->events;
    sim->tree = mem_tree_open(&sim->job->clock.env);
    sim->view = storage_mem_open(sim->tree, "/r");
    sim->random = sim_random_at(seed, 0, 0);
    sim->job->topic.random = &sim->random;
    sim->report = report;
    sim->failure = failure;
    buf_clear(failure);
    run(sim);
    for (int i = 0; i < ACTORS; i++)
        drop_inbox(&sim->actors[i]);
    for (size_t i = 0; i < sim->n_orphans; i++)
        sim->orphans[i]->ops->close(sim->orphans[i]);
    sim->view->ops->close(sim->view);
    mem_tree_unref(sim->tree);
    free(sim->events.items);
    free(sim->orphans);
    free(sim->job);
    free(sim);
    return failure->n == 0;
}
