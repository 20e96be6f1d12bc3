// SPDX-License-Identifier: Apache-2.0
#include "work/look.h"

#include "base/log.h"
#include "commit/retry.h"
#include "work/progress.h"
#include "work/witness.h"

enum {
    LAST_PAUSE_MS = 100, // between two looks before the end
    ANSWER_MS = 60000    // a wait for mail that comes sooner
};

// One look that has to be repeated until it is answered.
struct looking {
    struct look *look;
    const struct unit *unit;
    int64_t generation;
    struct retry retry;
    bool is_waiting;
};

static int64_t now_ms(const struct look *look)
{
    struct env *env = look->inbox->env;
    return env->ops->monotonic_ms(env);
}

static bool is_unwanted(const struct looking *looking)
{
    const struct inbox *inbox = looking->look->inbox;
    return inbox->has_end || atomic_load(&inbox->mail->generation) != looking->generation;
}

// The records to look at; NULL: nothing was ever read.
static struct message *choose(struct looking *looking)
{
    struct look *look = looking->look;
    const struct log_state *state = committer_state(look->committer);
    struct message *message =
        message_probes(PROBES_LOOK, looking->generation, WITNESSES_MAX);
    const struct progress *log = log_state_progress(state, &message->arena);
    message->ends_when_seen = true;
    message->n_probes = witness_choose(&look->turn, looking->unit, log,
                                       state->n_partitions, message->probes);
    if (message->n_probes > 0)
        return message;
    message_free(message);
    return NULL;
}

// NULL: the unit has become unwanted.
static struct message *wait_for_answer(struct looking *looking)
{
    struct inbox *inbox = looking->look->inbox;
    struct message *answer;
    while ((answer = inbox_answer(inbox)) == NULL && !is_unwanted(looking))
        inbox_wait(inbox, now_ms(looking->look) + ANSWER_MS);
    return answer;
}

// An answer to a question of before, which nobody waited for, comes first.
static struct message *ask(struct looking *looking, struct message *probes)
{
    struct look *look = looking->look;
    struct inbox *inbox = look->inbox;
    while (inbox->is_asked) {
        struct message *late = wait_for_answer(looking);
        if (late == NULL) {
            message_free(probes);
            return NULL;
        }
        message_free(late);
    }
    inbox->is_asked = true;
    probes_ask(probes, look->asker, look->topic, inbox->mail, &inbox->mail->to_committer);
    return wait_for_answer(looking);
}

// One record is there, or all have left the topic in good order.
static bool is_same(const struct message *answer)
{
    for (size_t i = 0; i < answer->n_probes; i++)
        if (answer->probes[i].is_seen)
            return true;
    return answer->err.status == ST_OK && answer->n_asked == answer->n_probes;
}

static void set_waiting(struct looking *looking, bool is_waiting)
{
    if (is_waiting != looking->is_waiting)
        atomic_fetch_add(&looking->look->status->n_waiting, is_waiting ? 1 : -1);
    looking->is_waiting = is_waiting;
}

// Says once what is waited for, here and to the worker.
static void tell(struct looking *looking, const struct err *why)
{
    struct message *message;
    if (looking->is_waiting)
        return;
    log_warn("%s; waiting", why->text);
    set_waiting(looking, true);
    message = message_new(TELL_WAITING, looking->generation);
    message->err = *why;
    inbox_tell(looking->look->inbox, message);
}

// Before the end there is hardly time: then looks follow soon.
static void pause(struct looking *looking)
{
    struct look *look = looking->look;
    const struct deadline *deadline = &look->inbox->mail->deadline;
    int64_t now = now_ms(look), until_ms = now + LAST_PAUSE_MS;
    if (!deadline_is_set(deadline))
        (void)retry_again(&looking->retry, now, now, INT64_MAX, &until_ms);
    bool was_set = deadline_is_set(deadline);
    while (now_ms(look) < until_ms && !is_unwanted(looking) &&
           deadline_is_set(deadline) == was_set) {
        struct message *late = inbox_answer(look->inbox);
        message_free(late);
        inbox_wait(look->inbox, until_ms);
    }
}

static enum status look_once(struct looking *looking, enum look_outcome *ret,
                             bool *ret_done, struct err *err)
{
    struct look *look = looking->look;
    struct message *probes = choose(looking);
    *ret_done = true;
    *ret = LOOK_SAME;
    if (probes == NULL)
        return ST_OK;
    struct message *answer = ask(looking, probes);
    *ret = LOOK_UNWANTED;
    if (answer == NULL)
        return ST_OK;
    bool same = is_same(answer);
    *err = answer->err;
    message_free(answer);
    *ret = LOOK_SAME;
    if (same)
        return ST_OK;
    if (err->status == ST_OK) { // not asked to its end: nobody wants to know any more
        *ret = LOOK_UNWANTED;
        return ST_OK;
    }
    if (err->status != ST_RETRY)
        return err->status;
    *ret = LOOK_LATE;
    *ret_done = deadline_is_over(&look->inbox->mail->deadline, now_ms(look));
    return ST_OK;
}

// All of the unit was asked for by its topic's id.
static bool is_known(const struct looking *looking)
{
    const struct log_state *state = committer_state(looking->look->committer);
    return looking->unit->topic_id.n > 0 && state->topic_id[0] != '\0';
}

static enum status look_at_id(const struct looking *looking, enum look_outcome *ret,
                              struct err *err)
{
    *ret = LOOK_SAME;
    return log_state_check_topic(committer_state(looking->look->committer),
                                 looking->look->topic->name, looking->unit->topic_id,
                                 err);
}

static enum status look_until(struct looking *looking, enum look_outcome *ret,
                              struct err *err)
{
    bool is_done;
    while (!is_unwanted(looking)) {
        if (is_known(looking))
            return look_at_id(looking, ret, err);
        TRY(look_once(looking, ret, &is_done, err));
        if (is_done)
            return ST_OK;
        tell(looking, err);
        pause(looking);
        TRY(committer_recover(looking->look->committer, err));
    }
    *ret = LOOK_UNWANTED;
    *err = (struct err){0};
    return ST_OK;
}

enum status look_at_topic(struct look *look, const struct unit *unit, int64_t generation,
                          enum look_outcome *ret, struct err *err)
{
    struct looking looking = {.look = look, .unit = unit, .generation = generation};
    *ret = LOOK_SAME;
    if (!look->topic->is_shared)
        return ST_OK;
    enum status rc = look_until(&looking, ret, err);
    set_waiting(&looking, false);
    return rc;
}
