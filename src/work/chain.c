// SPDX-License-Identifier: Apache-2.0
#include "work/chain.h"

#include <assert.h>

#include "work/upload.h"

// Errands.

static int idlest_lane(const struct chain *chain)
{
    int lane = 0;
    for (int i = 1; i < chain->mail->n_lanes; i++)
        if (chain->n_busy[i] < chain->n_busy[lane])
            lane = i;
    return lane;
}

static void send(struct chain *chain, struct link *link, struct message *errand)
{
    errand->turn = link->turn;
    errand->lane = idlest_lane(chain);
    link->n_errands++;
    chain->n_busy[errand->lane]++;
    bool sent = mailbox_try_push(&chain->mail->to_lanes[errand->lane], errand);
    assert(sent); // a mailbox holds all that can be under way
}

static void send_file(struct chain *chain, struct link *link, size_t file)
{
    struct unit *unit = &link->message->draft->unit;
    struct message *errand = message_new(ASK_FILE, 0);
    errand->of_draft = link->message->draft;
    errand->file = file;
    errand->path = upload_name(chain->env, chain->renames, chain->job, unit, file);
    unit->files[file].tmp = arena_str(&unit->arena, path_str(&errand->path));
    send(chain, link, errand);
}

static void send_entry(struct chain *chain, struct link *link)
{
    const struct prepared_entry *prepared = link->message->prepared;
    struct message *errand = message_new(ASK_ENTRY, 0);
    errand->path = prepared->source;
    errand->bytes = arena_str(&errand->arena, buf_as_str(&prepared->made.bytes));
    link->is_entry_under_way = true;
    send(chain, link, errand);
}

static void send_removal(struct chain *chain, struct link *link, const struct path *path)
{
    struct message *errand = message_new(ASK_REMOVE, 0);
    errand->path = *path;
    send(chain, link, errand);
}

// Entries made beforehand.

// The one that was made stands no more. What is still being written is removed when it
// is.
static void drop_entry(struct chain *chain, struct link *link)
{
    struct prepared_entry *prepared = link->message->prepared;
    if (prepared != NULL && prepared->is_written)
        send_removal(chain, link, &prepared->source);
    prepared_free(prepared);
    link->message->prepared = NULL;
}

static void make_entry(struct chain *chain, struct link *link)
{
    struct message *message = link->message;
    message->prepared =
        forecast_make(&chain->forecast, chain->job, chain->env, &message->draft->unit);
    if (message->prepared != NULL)
        send_entry(chain, link);
}

// Those from that place on stand no more. Behind a question to the committer nobody knows
// how the log goes on.
static void make_entries(struct chain *chain, size_t from)
{
    if (chain->is_ending)
        return;
    forecast_rewind(&chain->forecast);
    for (size_t i = 0; i < chain->n; i++) {
        struct link *link = &chain->links[i];
        struct message *message = link->message;
        bool stands = i < from && message->prepared != NULL &&
                      forecast_add(&chain->forecast, message->prepared);
        if (stands)
            continue;
        drop_entry(chain, link);
        if (!link->is_upload)
            break;
        make_entry(chain, link);
    }
}

// The worker's messages.

static bool is_lost(const struct chain *chain, const struct message *message)
{
    return message->generation <= atomic_load(&chain->mail->lost_generation);
}

static bool may_foretell(const struct chain *chain)
{
    for (size_t i = 0; i < chain->n; i++)
        if (!chain->links[i].is_upload)
            return false;
    return chain->renames; // else an entry is made at its place, in its turn
}

static void begin_unit(struct chain *chain, struct link *link)
{
    const struct unit *unit = &link->message->draft->unit;
    link->is_upload = true;
    link->began_ms = link->filled_ms = chain->env->ops->monotonic_ms(chain->env);
    for (size_t i = 0; i < unit->n_files; i++)
        send_file(chain, link, i);
    if (may_foretell(chain))
        make_entry(chain, link);
}

void chain_add(struct chain *chain, struct message *message)
{
    assert(chain->n < CHAIN_MAX);
    struct link *link = &chain->links[chain->n++];
    *link = (struct link){.message = message, .turn = chain->n_turns++};
    chain->is_ending |= message->kind == ASK_END;
    if (message->kind == ASK_UNIT && !chain->is_ending && !is_lost(chain, message))
        begin_unit(chain, link);
}

// Answers.

static size_t place_of(const struct chain *chain, int64_t turn)
{
    for (size_t i = 0; i < chain->n; i++)
        if (chain->links[i].turn == turn)
            return i;
    assert(false); // with an errand under way it stays in the row
    return 0;
}

static void take_file(struct chain *chain, size_t place, const struct message *errand)
{
    struct link *link = &chain->links[place];
    struct unit *unit = &link->message->draft->unit;
    struct entry_file *file = &unit->files[errand->file];
    link->filled_ms = chain->env->ops->monotonic_ms(chain->env);
    if (errand->err.status != ST_OK)
        link->err = errand->err;
    if (str_eq(file->tmp, path_str(&errand->path)))
        return;
    file->tmp = arena_str(&unit->arena, path_str(&errand->path));
    if (link->message->prepared != NULL)
        make_entries(chain, place);
}

static void take_entry(struct chain *chain, struct link *link,
                       const struct message *errand)
{
    struct prepared_entry *prepared = link->message->prepared;
    bool is_of_now =
        prepared != NULL && strcmp(prepared->source.text, errand->path.text) == 0;
    if (is_of_now)
        prepared->is_written = errand->err.status == ST_OK;
    else if (!chain->is_ending)
        send_removal(chain, link, &errand->path);
}

static void take_errand(struct chain *chain, const struct message *errand)
{
    size_t place = place_of(chain, errand->turn);
    struct link *link = &chain->links[place];
    link->n_errands--;
    chain->n_busy[errand->lane]--;
    if (errand->kind == ASK_FILE)
        take_file(chain, place, errand);
    else if (errand->kind == ASK_ENTRY)
        take_entry(chain, link, errand);
}

static void take_log(struct chain *chain, struct message *message)
{
    chain->is_handed = false;
    if (message->log == NULL)
        return;
    forecast_tell(&chain->forecast, message->log);
    if (chain->renames)
        make_entries(chain, 0);
}

void chain_answer(struct chain *chain, struct message *message)
{
    if (message->kind == TELL_DONE)
        take_log(chain, message);
    else
        take_errand(chain, message);
    message_free(message);
}

// On to the committer.

static struct message *take_link(struct chain *chain, size_t place, struct err *err)
{
    struct link link = chain->links[place];
    struct message *message = link.message;
    for (size_t i = place + 1; i < chain->n; i++)
        chain->links[i - 1] = chain->links[i];
    chain->n--;
    *err = link.err;
    if (message->kind != ASK_END) {
        chain->is_handed = true;
        forecast_publish(&chain->forecast, message->prepared);
    }
    if (link.is_upload && link.err.status == ST_OK)
        board_commit_phase(&chain->status->board, COMMIT_UPLOAD,
                           link.filled_ms - link.began_ms);
    return message;
}

struct message *chain_next(struct chain *chain, struct err *err)
{
    size_t place = chain_first(chain);
    if (place == SIZE_MAX || (chain->is_handed && !chain->is_ending))
        return NULL;
    return take_link(chain, place, err);
}

void chain_end_lanes(struct chain *chain)
{
    for (int i = 0; i < chain->mail->n_lanes; i++) {
        bool sent = mailbox_try_push(&chain->mail->to_lanes[i], message_new(ASK_END, 0));
        assert(sent);
    }
}

void chain_release(struct chain *chain)
{
    for (size_t i = 0; i < chain->n; i++)
        message_free(chain->links[i].message);
    forecast_release(&chain->forecast);
}
