// SPDX-License-Identifier: Apache-2.0
#include "table/asked.h"

#include "core/value_row.h"

static void forget(struct asked *asked)
{
    key_index_release(&asked->known);
    blob_store_release(&asked->answers);
    key_index_init(&asked->known);
    blob_store_init(&asked->answers);
}

enum status asked_open(struct asked *asked, const struct native_asked *plan,
                       struct sqlite_host *host, struct err *err)
{
    *asked = (struct asked){.plan = plan, .host = host};
    batch_init(&asked->rows, plan->schema.n);
    value_row_format_init(&asked->row_format, &plan->schema);
    forget(asked);
    return sqlite_host_query(host, plan->sql, &plan->schema, &asked->query, err);
}

void asked_close(struct asked *asked)
{
    if (asked->plan == NULL)
        return;
    if (asked->query != NULL)
        asked->query->ops->close(asked->query);
    batch_release(&asked->rows);
    key_index_release(&asked->known);
    blob_store_release(&asked->answers);
    buf_release(&asked->key);
    buf_release(&asked->answer);
    *asked = (struct asked){0};
}

static void encode(struct asked *asked, const struct value *values, size_t n,
                   struct buf *ret)
{
    buf_clear(ret);
    asked->row_format.ops->fields(&asked->row_format, 0, values, n, ret);
}

size_t asked_bytes(const struct asked *asked)
{
    return key_index_bytes(&asked->known) + blob_store_bytes(&asked->answers);
}

static void remember(struct asked *asked, uint64_t hash, const struct value answer[2])
{
    encode(asked, answer, 2, &asked->answer);
    struct key_slot *slot = key_index_add(&asked->known, hash, buf_as_str(&asked->key));
    slot->value = blob_store_add(&asked->answers, buf_as_str(&asked->answer));
    if (asked_bytes(asked) > ASKED_MEMORY_MAX)
        forget(asked);
}

static struct value copied(struct value value, struct arena *arena)
{
    if (value.kind == VALUE_TEXT || value.kind == VALUE_BYTES)
        value.p = arena_str(arena, value_str(value)).p;
    return value;
}

static bool recall(const struct asked *asked, uint64_t hash, struct arena *arena,
                   struct value ret[2])
{
    static const size_t places[] = {0, 1};
    uint32_t at = key_index_find(&asked->known, hash, buf_as_str(&asked->key));
    if (at == 0)
        return false;
    value_decode(blob_at(&asked->answers, at)->bytes, places, 2, ret);
    ret[0] = copied(ret[0], arena);
    ret[1] = copied(ret[1], arena);
    return true;
}

// Why there is no answer, to be told behind "the query fails: ".
static struct str reason_of(struct arena *arena, const struct err *err)
{
    static const char fails[] = "the query fails: ", query[] = "the query ";
    struct str text = str_of(err->text);
    if (str_starts_with(text, fails))
        return arena_str(arena, str_of(err->text + strlen(fails)));
    if (str_starts_with(text, query))
        return str_of(arena_printf(arena, "it %s", err->text + strlen(query)));
    return arena_str(arena, text);
}

// Asks SQLite. False when the limit ended it.
static bool ask(struct asked *asked, const struct value *parameters, size_t n,
                struct query_limit *limit, struct value ret[2])
{
    struct err err = {0};
    asked->n_run++;
    sqlite_host_set_deadline(asked->host, limit->until_ms);
    sqlite_host_bind(asked->query, parameters, n);
    enum status rc = asked->query->ops->next(asked->query, &asked->rows, &err);
    if (rc == ST_STOP)
        limit->end = QUERY_STOPPED;
    if (rc != ST_OK && !query_limit_ask(limit))
        return false;
    ret[0] = ret[1] = (struct value){0};
    if (rc == ST_OK)
        ret[0] = batch_row(&asked->rows, 0)[0];
    else
        ret[1] = value_text(reason_of(&asked->rows.arena, &err));
    return true;
}

bool asked_answer(struct asked *asked, const struct value *parameters, size_t n,
                  int64_t now_ms, struct query_limit *limit, struct arena *arena,
                  struct value ret[2])
{
    if (asked->plan->reads_now && asked->now_ms != now_ms) {
        forget(asked);
        asked->now_ms = now_ms;
        sqlite_host_set_now(asked->host, now_ms);
    }
    encode(asked, parameters, n, &asked->key);
    uint64_t hash = hash64(asked->key.p, asked->key.n);
    if (recall(asked, hash, arena, ret))
        return true;
    if (!ask(asked, parameters, n, limit, ret))
        return false;
    ret[0] = copied(ret[0], arena);
    ret[1] = copied(ret[1], arena);
    remember(asked, hash, ret);
    return true;
}
