// SPDX-License-Identifier: Apache-2.0
#include "commit/committer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "commit/clean.h"
#include "commit/renames.h"
#include "log/commit_log.h"
#include "log/script_difference.h"

enum {
    LOST_MAX = 3
};

struct committer {
    struct committer_parts parts;
    struct patience patience;
    struct log_state state;
    struct publish publish;
    char writer[UUID_TEXT]; // of the claim made last
    int64_t replay_base;    // the log's end when the letters were looked up
    bool has_tried;         // to claim: nothing is prepared any more
    bool is_claimed;        // the claim holds as far as we know
    bool told_script;       // how it differs from the one before
    bool is_abandoned;      // it does not, and nothing of it can appear any more
    int n_lost;             // times since the last commit that our files were gone
    // Left over: renames of others before a snapshot, so that its pending list is short;
    // folders; old entries.
    bool rename_is_due, clean_is_due, retain_is_due;
};

struct committer *committer_open(const struct committer_parts *parts)
{
    struct committer *com = mem_zalloc(sizeof(*com));
    com->parts = *parts;
    patience_init(&com->patience, &(struct patience_parts){
                                      .storage = parts->storage,
                                      .env = parts->env,
                                      .waiter = parts->waiter,
                                      .deadline = parts->deadline,
                                      .status = parts->status,
                                      .limit_ms = parts->job->settings.storage_retry_ms,
                                      .is_called = parts->is_called,
                                      .context = parts->context,
                                  });
    com->publish = (struct publish){.patience = &com->patience,
                                    .job = parts->job,
                                    .state = &com->state,
                                    .writer = com->writer};
    return com;
}

void committer_free(struct committer *com)
{
    if (com == NULL)
        return;
    com->parts.storage->deadline = NULL;
    log_state_release(&com->state);
    publish_release(&com->publish);
    free(com);
}

bool committer_has_claim(const struct committer *com)
{
    return com->is_claimed;
}

const char *committer_writer(const struct committer *com)
{
    return com->writer;
}

const struct log_state *committer_state(const struct committer *com)
{
    return &com->state;
}

static int64_t wall_ms(const struct committer *com)
{
    return com->parts.env->ops->wall_ms(com->parts.env);
}

static int64_t clock_ms(const struct committer *com)
{
    return com->parts.env->ops->monotonic_ms(com->parts.env);
}

// As it was read beforehand.
static void take_log(struct committer *com)
{
    struct prepared_claim *prepared = com->parts.prepared;
    if (prepared == NULL || com->state.next > 0)
        return;
    log_state_release(&com->state);
    com->state = prepared->log;
    prepared->log = (struct log_state){0};
}

enum status committer_recover(struct committer *com, struct err *err)
{
    struct storage *storage = &com->patience.storage;
    if (!storage->exclusive)
        return err_set(err, ST_USAGE,
                       "%s: this storage cannot rename without overwriting, so results "
                       "there could not be kept free of duplicates",
                       storage->url);
    take_log(com);
    TRY(log_recover(storage, &com->state, err));
    TRY(log_state_check_job(&com->state, com->parts.job, storage->url, err));
    log_debug("the log is read; the next entry is %" PRId64, com->state.next);
    return rename_pending(&com->patience, &com->state, err);
}

// Publishing.

static enum status lost(struct committer *com, struct err *err)
{
    if (++com->n_lost <= LOST_MAX)
        return ST_OK;
    return err_set(err, ST_FAIL,
                   "%s: something keeps removing _tramline/tmp/%s: nothing but "
                   "tramline may change what is below _tramline",
                   com->parts.storage->url, com->writer);
}

static enum status conflict(const struct committer *com, enum publish_outcome outcome)
{
    const char *url = com->parts.storage->url;
    if (outcome == PUBLISH_CONFLICT && com->publish.work->kind == ENTRY_REPLAY)
        return ST_CONFLICT; // the caller says what to do
    if (outcome == PUBLISH_CONFLICT)
        log_info("the partitions are shared anew with another worker: what was read and "
                 "not committed here is read again by whoever has them now");
    else if (outcome == PUBLISH_LOST)
        log_warn("%s: files in tmp are gone before their commit; what they hold is read "
                 "again",
                 url);
    else
        log_warn("%s: the commit log is not the one that was read: reading it again",
                 url);
    return ST_CONFLICT;
}

// The entry of a claim that is gone is made again.
static enum status try_publish(struct committer *com, struct publish_work *work,
                               enum publish_outcome *ret, struct err *err)
{
    do {
        TRY(publish_entry(&com->publish, work, ret, err));
        if (*ret != PUBLISH_LOST)
            return ST_OK;
        TRY(lost(com, err));
        work->prepared = NULL;
    } while (work->unit == NULL);
    return ST_OK;
}

// docs/commit-log.md, "Publish entry N": steps 2 to 4, and 5 where it cannot go on.
static enum status publish(struct committer *com, struct publish_work *work,
                           struct err *err)
{
    enum publish_outcome outcome;
    struct err ignored;
    bool is_published;
    enum status rc = try_publish(com, work, &outcome, err);
    if (rc == ST_OK && outcome == PUBLISH_DONE)
        return ST_OK;
    if (rc == ST_OK)
        rc = conflict(com, outcome);
    com->is_claimed = false;
    com->is_abandoned = publish_abandon(&com->publish, &is_published, &ignored) == ST_OK;
    if (!com->is_abandoned || !is_published)
        return rc;
    com->is_claimed = work->kind == ENTRY_COMMIT;
    com->is_abandoned = false;
    return ST_OK;
}

static enum status publish_claim(struct committer *com, struct publish_work work,
                                 const struct prepared_entry *prepared, struct err *err)
{
    work.prepared = prepared;
    enum status rc = publish(com, &work, err);
    free((struct span *)work.spans);
    return rc;
}

// What a person wants to see in the log of a run that does something else than before.
static void tell_script(struct committer *com)
{
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf text = {0};
    if (com->told_script)
        return;
    com->told_script = true;
    const struct script_difference difference =
        script_difference(&com->state, com->parts.job, &arena);
    if (script_difference_is_none(&difference))
        return;
    script_difference_say(&difference, &text);
    log_info("the script is not that of entry %" PRId64 ": %s", com->state.script.entry,
             buf_cstr(&text));
}

// NULL: the claim has nothing prepared.
static const struct prepared_claim *take_prepared(struct committer *com)
{
    const struct prepared_claim *prepared = com->has_tried ? NULL : com->parts.prepared;
    com->has_tried = true;
    return prepared != NULL && prepared->claim != NULL ? prepared : NULL;
}

enum status committer_claim(struct committer *com, const struct claim *claim,
                            struct err *err)
{
    static const struct prepared_claim nothing;
    int64_t base = claim->base;
    const struct prepared_claim *prepared = take_prepared(com);
    if (prepared != NULL)
        memcpy(com->writer, prepared->writer, UUID_TEXT);
    else
        env_uuid(com->parts.env, com->writer);
    prepared = prepared != NULL ? prepared : &nothing;
    com->is_claimed = com->is_abandoned = false;
    if (com->state.next == 0) {
        TRY(publish_claim(com,
                          claim_work(ENTRY_JOB, claim->origins, claim->n_origins, base),
                          prepared->job, err));
        base = com->state.next;
    }
    tell_script(com);
    TRY(publish_claim(com, claim_work(ENTRY_CLAIM, claim->starts, claim->n_starts, base),
                      prepared->claim, err));
    com->is_claimed = true;
    com->clean_is_due = true;
    log_info("entry %" PRId64 ": claims %s as writer %s", com->state.next - 1,
             text_counted((int64_t)claim->n_starts, "partition", "partitions"),
             com->writer);
    return ST_OK;
}

static void count_commit(struct committer *com, const struct unit *unit)
{
    struct engine_status *status = com->parts.status;
    int64_t records = 0, bytes = 0;
    for (size_t i = 0; i < unit->n_spans; i++)
        records += unit->spans[i].data;
    for (size_t i = 0; i < unit->n_files; i++)
        bytes += unit->files[i].kind == FILE_DATA ? unit->files[i].bytes : 0;
    atomic_fetch_add(&status->n_commits, 1);
    atomic_fetch_add(&status->committed_records, records);
    atomic_fetch_add(&status->committed_rows, unit->rows);
    atomic_fetch_add(&status->committed_bytes, bytes);
    atomic_store(&status->last_commit_ms, wall_ms(com));
    board_commit(&status->board, COMMIT_DONE, wall_ms(com),
                 com->publish.made.entry.number);
}

static void show_phases(struct committer *com, int64_t publish_ms, int64_t rename_ms)
{
    struct board *board = &com->parts.status->board;
    board_commit_phase(board, COMMIT_PUBLISH, publish_ms);
    board_commit_phase(board, COMMIT_RENAME, rename_ms);
}

enum status committer_commit(struct committer *com, const struct unit *unit,
                             const struct prepared_entry *prepared, struct err *err)
{
    const struct entry *entry = &com->publish.made.entry;
    struct publish_work work = {.kind = ENTRY_COMMIT,
                                .spans = unit->spans,
                                .n_spans = unit->n_spans,
                                .unit = unit,
                                .prepared = prepared};
    int64_t began_ms = clock_ms(com);
    TRY(publish(com, &work, err));
    com->n_lost = 0;
    int64_t published_ms = clock_ms(com);
    count_commit(com, unit);
    com->retain_is_due |= entry->has_snapshot;
    TRY(rename_files(&com->patience, entry, err)); // step 6
    show_phases(com, published_ms - began_ms, clock_ms(com) - published_ms);
    log_state_renamed(&com->state, entry->number);
    log_debug("entry %" PRId64 ": commits %s", entry->number,
              text_counted(unit->rows, "row", "rows"));
    bool is_snapshot_next = com->state.next % com->parts.job->settings.log_snapshot == 0;
    com->rename_is_due = is_snapshot_next && com->state.n_pending;
    return ST_OK;
}

// No entry ever named its files. Of a claim of which nothing can appear any more all that
// lies in the folder goes, tries that failed as well. What cannot be removed now a later
// claim removes, or verify tells of it.
void committer_drop(struct committer *com, const struct unit *unit,
                    const struct prepared_entry *prepared)
{
    bool is_all = com->is_abandoned && str_is(unit->writer, com->writer);
    struct err err;
    enum status rc = is_all ? publish_remove_folder(&com->publish, &err)
                            : publish_remove_files(&com->publish, unit, prepared, &err);
    if (rc != ST_OK)
        log_debug("%s", err.text);
}

void committer_leave(struct committer *com)
{
    struct err err;
    bool is_ours = com->is_claimed && com->state.n_pending == 0;
    com->is_claimed = false;
    if (is_ours && publish_remove_folder(&com->publish, &err) != ST_OK)
        log_debug("%s", err.text);
}

void committer_begin_replay(struct committer *com)
{
    env_uuid(com->parts.env, com->writer);
    com->is_claimed = false;
    com->replay_base = com->state.next;
}

enum status committer_replay(struct committer *com, const struct unit *unit,
                             const struct replay *replay, struct err *err)
{
    const struct entry *entry = &com->publish.made.entry;
    struct publish_work work = {
        .kind = ENTRY_REPLAY, .unit = unit, .replay = replay, .base = com->replay_base};
    TRY(publish(com, &work, err));
    TRY(rename_files(&com->patience, entry, err));
    log_state_renamed(&com->state, entry->number);
    log_info("entry %" PRId64 ": replays %s", entry->number,
             text_counted(replay->records, "dead letter", "dead letters"));
    com->writer[0] = '\0'; // nothing is left in its folder that would be needed
    com->clean_is_due = true;
    return ST_OK;
}

// What is left over.

static enum status rename_left_over(struct committer *com, struct err *err)
{
    return rename_pending(&com->patience, &com->state, err);
}

static enum status clean_left_over(struct committer *com, struct err *err)
{
    return clean_folders(&com->patience, &com->state, com->writer, err);
}

static enum status retain_left_over(struct committer *com, struct err *err)
{
    int64_t keep_ms = com->parts.job->settings.log_retention_ms;
    if (!com->patience.storage.renames)
        return ST_OK; // readers go by the log: it is what names the files
    return clean_entries(&com->patience.storage, &com->state, wall_ms(com) - keep_ms,
                         err);
}

static enum status remove_prepared(struct committer *com, struct err *err)
{
    return prepared_claim_remove(com->parts.prepared, &com->patience.storage, err);
}

// Where it was broken off it begins again when there is time.
static bool tidy(struct committer *com, bool *is_due,
                 enum status (*fn)(struct committer *, struct err *))
{
    struct err err;
    if (!*is_due)
        return false;
    com->patience.is_leisure = true;
    enum status rc = fn(com, &err);
    com->patience.is_leisure = false;
    *is_due = rc == ST_STOP;
    if (rc != ST_OK && rc != ST_STOP)
        log_warn("cleaning is left for later: %s", err.text);
    return true;
}

// Of a worker that got no partitions, as long as it might be taken.
static bool prepared_is_wanted(const struct committer *com)
{
    const struct prepared_claim *prepared = com->parts.prepared;
    return !com->has_tried && !prepared_claim_is_old(prepared, wall_ms(com));
}

static bool tidy_prepared(struct committer *com)
{
    struct prepared_claim *prepared = com->parts.prepared;
    return prepared != NULL && tidy(com, &prepared->has_files, remove_prepared);
}

static bool tidy_all_but_entries(struct committer *com)
{
    return tidy(com, &com->rename_is_due, rename_left_over) ||
           tidy(com, &com->clean_is_due, clean_left_over);
}

bool committer_tidy_last(struct committer *com)
{
    return tidy_all_but_entries(com) || tidy_prepared(com);
}

bool committer_tidy(struct committer *com)
{
    return tidy_all_but_entries(com) ||
           (com->parts.prepared != NULL && !prepared_is_wanted(com) &&
            tidy_prepared(com)) ||
           tidy(com, &com->retain_is_due, retain_left_over);
}

void committer_drop_prepared(struct committer *com)
{
    struct err err;
    com->patience.is_leisure = true;
    if (com->parts.prepared != NULL && com->parts.prepared->has_files &&
        remove_prepared(com, &err) != ST_OK)
        log_debug("%s", err.text);
    com->patience.is_leisure = false;
}
