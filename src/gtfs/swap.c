// SPDX-License-Identifier: Apache-2.0
#include "gtfs/swap.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/format.h"
#include "core/json.h"
#include "gtfs/manifest.h"

enum {
    FORMAT = 1,
    SWAP_BYTES = 64 << 20
};

// What _extract.json says; texts live in the JSON.
struct journal {
    json_t *json;
    struct feed_swap swap;
    struct feed_move *moves;
};

static void journal_release(struct journal *journal)
{
    json_decref(journal->json);
    free(journal->moves);
}

static json_t *text_or_null(const char *text)
{
    return text ? json_string(text) : json_null();
}

static json_t *move_json(const struct feed_move *move)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o}", "table", move->table, "to", move->to,
                     "from", text_or_null(move->from), "was", text_or_null(move->was),
                     "kept", text_or_null(move->kept));
}

static char *journal_text(const struct feed_swap *swap)
{
    json_t *moves = json_array();
    for (size_t i = 0; i < swap->n_moves; i++)
        json_array_append_new(moves, move_json(&swap->moves[i]));
    json_t *json =
        json_pack("{s:i, s:o, s:o, s:o, s:b}", "format", FORMAT, "moves", moves, "feed",
                  text_or_null(swap->feed), "kept", text_or_null(swap->kept),
                  "leaves_kept", (int)swap->leaves_kept);
    char *text = json_dumps(json, JSON_INDENT(2));
    json_decref(json);
    return text;
}

static const char *text_of(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static bool take_moves(const json_t *json, struct journal *ret)
{
    const json_t *moves = json_object_get(json, "moves");
    ret->swap.n_moves = json_array_size(moves);
    ret->moves = mem_array(ret->swap.n_moves + 1, sizeof(*ret->moves));
    ret->swap.moves = ret->moves;
    for (size_t i = 0; i < ret->swap.n_moves; i++) {
        const json_t *move = json_array_get(moves, i);
        ret->moves[i] = (struct feed_move){text_of(move, "table"), text_of(move, "from"),
                                           text_of(move, "to"), text_of(move, "was"),
                                           text_of(move, "kept")};
        if (ret->moves[i].table == NULL || ret->moves[i].to == NULL)
            return false;
    }
    return true;
}

// *ret is to be released when it is not NULL.
static enum status read_json(struct storage *root, const char *name, json_t **ret,
                             struct err *err)
{
    AUTO(buf_release) struct buf text = {0};
    *ret = NULL;
    TRY(storage_read_all(root, str_of(name), SWAP_BYTES, &text, err));
    if (json_check(buf_as_str(&text), JSON_VALUES_MAX, err) != ST_OK)
        return err_context(err, ST_DATA, "%s/%s", root->url, name);
    json_t *json = json_loadb(text.p, text.n, 0, NULL);
    if (json_integer_value(json_object_get(json, "format")) == FORMAT) {
        *ret = json;
        return ST_OK;
    }
    json_decref(json);
    return err_set(err, ST_DATA,
                   "%s/%s: not of format %d; remove it, and run extract again", root->url,
                   name, FORMAT);
}

static enum status journal_read(struct storage *root, struct journal *ret,
                                struct err *err)
{
    *ret = (struct journal){0};
    TRY(read_json(root, FEED_SWAP_NAME, &ret->json, err));
    ret->swap.feed = text_of(ret->json, "feed");
    ret->swap.kept = text_of(ret->json, "kept");
    ret->swap.leaves_kept = json_is_true(json_object_get(ret->json, "leaves_kept"));
    if (take_moves(ret->json, ret))
        return ST_OK;
    return err_set(err, ST_DATA,
                   "%s/" FEED_SWAP_NAME
                   ": a table without a name; remove it, and run extract again",
                   root->url);
}

static struct storage *place_of(const struct feed_place *places, size_t n,
                                const char *table)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(places[i].table, table) == 0)
            return places[i].storage;
    return NULL;
}

static enum status unless_missing(enum status rc)
{
    return rc == ST_NOT_FOUND ? ST_OK : rc;
}

static enum status remove_others(struct storage *st, const struct feed_move *move,
                                 struct err *err)
{
    for (size_t i = 0; i < n_formats; i++) {
        const struct format_files *files = formats[i]->files;
        if (files == NULL)
            continue;
        AUTO(mem_auto_free)
        char *name = mem_printf("%s.%s", move->table, files->extension);
        if (move->from == NULL || strcmp(name, move->to) != 0)
            TRY(unless_missing(st->ops->remove(st, str_of(name), err)));
    }
    return ST_OK;
}

// Whoever has done a step already has left nothing to do. That the old file was moved
// away is seen by its new name, which is taken only once: so it is never the new file.
static enum status make_move(struct storage *st, const struct feed_move *move,
                             struct err *err)
{
    if (move->was != NULL && move->kept != NULL) {
        enum status rc = st->ops->publish(st, str_of(move->was), str_of(move->kept), err);
        TRY(unless_missing(rc == ST_EXISTS ? ST_OK : rc));
    }
    if (move->from != NULL)
        TRY(unless_missing(
            st->ops->replace(st, str_of(move->from), str_of(move->to), err)));
    return remove_others(st, move, err);
}

static enum status write_text(struct storage *root, const char *name, const char *text,
                              struct env *env, struct err *err)
{
    char uuid[UUID_TEXT];
    env_uuid(env, uuid);
    AUTO(mem_auto_free) char *temporary = mem_printf("_tmp-%s", uuid);
    if (text == NULL)
        return unless_missing(root->ops->remove(root, str_of(name), err));
    TRY(storage_write_bytes(root, str_of(temporary), str_of(text), err));
    return root->ops->replace(root, str_of(temporary), str_of(name), err);
}

// Files that are kept no more. What cannot be listed or removed is left to the next one.
static void remove_kept(struct storage *st, const struct feed_move *move)
{
    struct arena arena = {0};
    struct file_list list = {0};
    struct err ignored;
    if (st->ops->list(st, str_of(""), &arena, &list, &ignored) != ST_OK)
        list.n = 0;
    for (size_t i = 0; i < list.n; i++) {
        struct str name = list.items[i].name;
        bool is_wanted = move->kept != NULL && str_is(name, move->kept);
        if (str_starts_with(name, "_kept-") && !is_wanted)
            (void)!st->ops->remove(st, name, &ignored);
    }
    arena_release(&arena);
}

static enum status find_places(struct storage *root, const struct feed_place *places,
                               size_t n, const struct feed_swap *swap, struct err *err)
{
    for (size_t i = 0; i < swap->n_moves; i++)
        if (place_of(places, n, swap->moves[i].table) == NULL)
            return err_set(err, ST_DATA,
                           "%s/" FEED_SWAP_NAME ": an extract of another script was cut "
                           "off; this one has no table %s: run that one again",
                           root->url, swap->moves[i].table);
    return ST_OK;
}

static enum status finish(struct storage *root, const struct feed_place *places, size_t n,
                          const struct feed_swap *swap, struct env *env, struct err *err)
{
    TRY(find_places(root, places, n, swap, err));
    for (size_t i = 0; i < swap->n_moves; i++)
        TRY(make_move(place_of(places, n, swap->moves[i].table), &swap->moves[i], err));
    if (!swap->leaves_kept)
        TRY(write_text(root, FEED_KEPT_NAME, swap->kept, env, err));
    TRY(write_text(root, FEED_MANIFEST_NAME, swap->feed, env, err));
    TRY(unless_missing(root->ops->remove(root, str_of(FEED_SWAP_NAME), err)));
    for (size_t i = 0; i < swap->n_moves && !swap->leaves_kept; i++)
        remove_kept(place_of(places, n, swap->moves[i].table), &swap->moves[i]);
    return ST_OK;
}

enum status feed_swap_finish(struct storage *root, const struct feed_place *places,
                             size_t n, struct env *env, bool *ret_found, struct err *err)
{
    struct journal journal;
    *ret_found = false;
    enum status rc = journal_read(root, &journal, err);
    if (rc == ST_OK) {
        *ret_found = true;
        rc = finish(root, places, n, &journal.swap, env, err);
    }
    journal_release(&journal);
    return unless_missing(rc);
}

enum status feed_swap_run(struct storage *root, const struct feed_place *places, size_t n,
                          const struct feed_swap *swap, struct env *env, bool *ret_begun,
                          struct err *err)
{
    char uuid[UUID_TEXT];
    env_uuid(env, uuid);
    *ret_begun = false;
    AUTO(mem_auto_free) char *temporary = mem_printf("_tmp-%s", uuid);
    AUTO(mem_auto_free) char *text = journal_text(swap);
    enum status rc = root->ops->create_exclusive(root, str_of(FEED_SWAP_NAME),
                                                 str_of(temporary), str_of(text), err);
    *ret_begun = rc == ST_OK || rc == ST_UNKNOWN;
    if (rc == ST_EXISTS)
        return err_set(err, ST_CONFLICT,
                       "%s/" FEED_SWAP_NAME ": another extract is at work; run this one "
                       "again when it is done",
                       root->url);
    TRY(rc);
    if (finish(root, places, n, swap, env, err) == ST_OK)
        return ST_OK;
    return err_context(err, err->status,
                       "the tables are not all replaced yet; run extract again, which "
                       "finishes it");
}

char *feed_kept_text(const struct feed_move *moves, size_t n, const char *feed)
{
    json_t *tables = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            tables, json_pack("{s:s, s:o, s:o}", "name", moves[i].table, "was",
                              text_or_null(moves[i].was), "kept",
                              text_or_null(moves[i].was ? moves[i].kept : NULL)));
    json_t *json = json_pack("{s:i, s:o, s:o}", "format", FORMAT, "feed",
                             text_or_null(feed), "tables", tables);
    char *text = json_dumps(json, JSON_INDENT(2));
    json_decref(json);
    return text;
}

static const json_t *find_kept(const json_t *kept, const char *table)
{
    const json_t *tables = json_object_get(kept, "tables");
    for (size_t i = 0; i < json_array_size(tables); i++) {
        const json_t *one = json_array_get(tables, i);
        if (text_of(one, "name") != NULL && strcmp(text_of(one, "name"), table) == 0)
            return one;
    }
    return NULL;
}

static enum status make_back(struct storage *root, const json_t *kept,
                             const struct feed_place *place, const char *to,
                             struct feed_move *ret, struct err *err)
{
    const json_t *one = find_kept(kept, place->table);
    if (one == NULL)
        return err_set(err, ST_DATA,
                       "%s/" FEED_KEPT_NAME ": the version before has no table %s; go "
                       "back with the script of that time",
                       root->url, place->table);
    const char *was = text_of(one, "was");
    if (was != NULL && strcmp(was, to) != 0)
        return err_set(err, ST_DATA,
                       "%s/" FEED_KEPT_NAME
                       ": the version before has %s, and table %s is "
                       "now staged as %s; go back with the script of that time",
                       root->url, was, place->table, to);
    *ret =
        (struct feed_move){.table = place->table, .from = text_of(one, "kept"), .to = to};
    return ST_OK;
}

static enum status go_back(struct storage *root, const json_t *kept,
                           const struct feed_place *places, size_t n,
                           const char *const *to, struct env *env, struct err *err)
{
    AUTO(mem_auto_free)
    struct feed_move *moves = mem_array(n + 1, sizeof(*moves));
    for (size_t i = 0; i < n; i++)
        TRY(make_back(root, kept, &places[i], to[i], &moves[i], err));
    struct feed_swap swap = {.moves = moves, .n_moves = n, .feed = text_of(kept, "feed")};
    bool begun; // all files stay in any case
    return feed_swap_run(root, places, n, &swap, env, &begun, err);
}

enum status feed_swap_back(struct storage *root, const struct feed_place *places,
                           size_t n, const char *const *to, struct env *env,
                           struct err *err)
{
    json_t *kept;
    enum status rc = read_json(root, FEED_KEPT_NAME, &kept, err);
    if (rc == ST_NOT_FOUND)
        return err_set(err, rc,
                       "%s: no version before this one is kept; extract the feed that is "
                       "wanted",
                       root->url);
    TRY(rc);
    rc = go_back(root, kept, places, n, to, env, err);
    json_decref(kept);
    return rc;
}
