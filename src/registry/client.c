// SPDX-License-Identifier: Apache-2.0
#include "registry/client.h"

#include <stdlib.h>

#include "core/json.h"
#include "registry/address.h"
#include "registry/wire_http.h"

enum {
    TIMEOUT_MS = 10000,
    PAUSE_MS = 200,  // before the second round; doubled with each
    SHOWN_MAX = 200, // bytes of an answer in a message
    SUBJECT_NOT_FOUND = 40401,
    VERSION_NOT_FOUND = 40402,
    SCHEMA_NOT_FOUND = 40403
};

struct registry_client {
    struct arena arena;
    struct wire_http *http;
    const struct address *addresses;
    size_t n_addresses;
    size_t current;               // the one that answered last
    struct wire_http_login login; // of those without their own
    const struct deadline *deadline;
    int rounds;
    bool is_registrys; // the last answer was one of a registry
    long code;         // its HTTP code; 0: there was none
    struct env *env;
    struct buf answer;
};

static const char *given(struct arena *arena, struct str text)
{
    return text.n ? arena_cstr(arena, text) : NULL;
}

enum status rest_client_open(const struct registry_config *config,
                             struct registry_client **ret, struct err *err)
{
    struct registry_client *client = mem_zalloc(sizeof(*client));
    struct address *addresses;
    enum status rc =
        address_list(config->urls, &client->arena, &addresses, &client->n_addresses, err);
    if (rc != ST_OK) {
        rest_client_close(client);
        return rc;
    }
    client->addresses = addresses;
    client->env = config->env ? config->env : env_system();
    client->answer.limit = REGISTRY_ANSWER_MAX;
    struct wire_http_config http = {
        .ca_file = given(&client->arena, config->ca_file),
        .timeout_ms = config->timeout_ms ? config->timeout_ms : TIMEOUT_MS,
        .deadline = config->deadline,
    };
    client->login = (struct wire_http_login){
        .user = given(&client->arena, config->user),
        .password = given(&client->arena, config->password),
        .token = given(&client->arena, config->token),
    };
    client->deadline = config->deadline;
    client->rounds = config->rounds ? config->rounds : REGISTRY_ROUNDS;
    client->http = wire_http_open(&http);
    *ret = client;
    return ST_OK;
}

void rest_client_close(struct registry_client *client)
{
    if (client == NULL)
        return;
    wire_http_close(client->http);
    buf_release(&client->answer);
    arena_release(&client->arena);
    free(client);
}

int64_t rest_client_now_ms(const struct registry_client *client)
{
    return client->env->ops->monotonic_ms(client->env);
}

void client_encode(struct buf *path, struct str part)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < part.n; i++) {
        unsigned char c = (unsigned char)part.p[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                     (c >= 'a' && c <= 'z') || strchr("-._~", c) != NULL;
        if (plain && c != '\0') {
            buf_char(path, (char)c);
        } else {
            buf_char(path, '%');
            buf_char(path, digits[c >> 4]);
            buf_char(path, digits[c & 15]);
        }
    }
}

// What a registry says is wrong, or the first bytes of what is no registry's answer.
static void describe(const struct registry_client *client, const json_t *json,
                     struct buf *ret)
{
    const char *message = json_string_value(json_object_get(json, "message"));
    if (message != NULL) {
        buf_text(ret, message);
        return;
    }
    struct str text = str_trim(buf_as_str(&client->answer));
    if (text.n > SHOWN_MAX)
        text.n = SHOWN_MAX;
    text.n = str_utf8_valid(text);
    if (text.n == 0)
        buf_text(ret, "no text");
    else
        buf_printf(ret, "'%.*s'", STR_ARGS(text));
}

static bool is_out_of_time(const struct registry_client *client)
{
    return deadline_is_over(client->deadline, rest_client_now_ms(client));
}

static enum status status_of(long code, json_int_t error)
{
    if (code == 404 && error >= SUBJECT_NOT_FOUND && error <= SCHEMA_NOT_FOUND)
        return ST_NOT_FOUND;
    if (code == 409)
        return ST_CONFLICT;
    if (code == 422)
        return ST_DATA;
    return code == 408 || code == 429 || code >= 500 ? ST_RETRY : ST_FAIL;
}

static const char *way_out(long code, json_int_t error)
{
    if (code == 401)
        return "; give registry.user and registry.password, or registry.token";
    if (code == 403)
        return "; these credentials may not do that";
    if (code == 404 && (error < SUBJECT_NOT_FOUND || error > SCHEMA_NOT_FOUND))
        return "; the path of the address may be wrong (Apicurio's ends in "
               "/apis/ccompat/v7)";
    if (code >= 300 && code < 400)
        return "; it redirects: give the address that it redirects to";
    return "";
}

// An answer that is no success.
static enum status refused(const struct registry_client *client, long code,
                           const json_t *json, struct err *err)
{
    json_int_t error = json_integer_value(json_object_get(json, "error_code"));
    struct buf text = BUF_INIT(ERR_TEXT_MAX);
    describe(client, json, &text);
    enum status rc = err_set(err, status_of(code, error), "HTTP %ld: %s%s", code,
                             buf_cstr(&text), way_out(code, error));
    buf_release(&text);
    return rc;
}

static enum status take_answer(struct registry_client *client, long code, json_t **ret,
                               struct err *err)
{
    json_error_t why;
    TRY(json_check(buf_as_str(&client->answer), REGISTRY_VALUES_MAX, err));
    json_t *json = json_loadb(client->answer.p ? client->answer.p : "", client->answer.n,
                              JSON_DECODE_ANY, &why);
    bool good = code >= 200 && code < 300;
    client->is_registrys =
        json != NULL && (good || json_object_get(json, "error_code") != NULL);
    if (good && json != NULL) {
        *ret = json;
        return ST_OK;
    }
    enum status rc;
    if (good) {
        struct buf text = {0};
        describe(client, NULL, &text);
        rc = err_set(err, ST_FAIL, "no JSON, but %s: is this a Schema Registry?",
                     buf_cstr(&text));
        buf_release(&text);
    } else {
        rc = refused(client, code, json, err);
    }
    json_decref(json);
    return rc;
}

static const struct wire_http_login *login_of(struct registry_client *client)
{
    const struct address *address = &client->addresses[client->current];
    return address->login.user != NULL ? &address->login : &client->login;
}

// One request to one address; its name in front of what goes wrong.
static enum status ask_one(struct registry_client *client, const char *path,
                           const char *body, json_t **ret, struct err *err)
{
    struct buf url = {0};
    long *code = &client->code;
    *code = 0;
    buf_printf(&url, "%s%s", client->addresses[client->current].url, path);
    buf_clear(&client->answer);
    client->is_registrys = false;
    enum status rc = wire_http_send(client->http, buf_cstr(&url), login_of(client), body,
                                    code, &client->answer, err);
    if (rc == ST_OK)
        rc = take_answer(client, *code, ret, err);
    if (rc != ST_OK)
        rc = err_context(err, rc, "registry: %s %s", body ? "POST" : "GET",
                         buf_cstr(&url));
    buf_release(&url);
    return rc;
}

// Each address once, from the one that answered last, until a registry answers. What may
// heal at one of them may heal.
static enum status ask_round(struct registry_client *client, const char *path,
                             const char *body, json_t **ret, struct err *err)
{
    bool may_heal = false;
    enum status rc = ST_RETRY;
    for (size_t i = 0; i < client->n_addresses; i++) {
        rc = ask_one(client, path, body, ret, err);
        if (rc == ST_OK || is_out_of_time(client) ||
            (rc != ST_RETRY && client->is_registrys))
            return rc;
        may_heal = may_heal || rc == ST_RETRY;
        client->current = (client->current + 1) % client->n_addresses;
    }
    return may_heal ? ST_RETRY : rc;
}

static void pause_ms(struct registry_client *client, int64_t ms)
{
    for (int64_t left = ms; left > 0 && !is_out_of_time(client); left -= PAUSE_MS)
        client->env->ops->sleep_ms(client->env, PAUSE_MS);
}

long client_last_code(const struct registry_client *client)
{
    return client->code;
}

// `too_long`: what an answer that is too long is.
static enum status ask(struct registry_client *client, const char *path,
                       const json_t *body, enum status too_long, json_t **ret,
                       struct err *err)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    enum status rc = ST_RETRY;
    for (int round = 0; round < client->rounds && rc == ST_RETRY; round++) {
        if (round > 0 && is_out_of_time(client))
            break;
        if (round > 0)
            pause_ms(client, PAUSE_MS << (round - 1));
        rc = ask_round(client, path, text, ret, err);
    }
    free(text);
    // Only a schema that was sent can be wrong or in conflict.
    if (body == NULL && (rc == ST_DATA || rc == ST_CONFLICT))
        err->status = rc = ST_FAIL;
    if (rc == ST_LIMIT)
        err->status = rc = too_long;
    return rc;
}

enum status client_ask(struct registry_client *client, const char *path,
                       const json_t *body, json_t **ret, struct err *err)
{
    struct err own;
    return ask(client, path, body, ST_FAIL, ret, err ? err : &own);
}

enum status client_ask_schema(struct registry_client *client, const char *path,
                              json_t **ret, struct err *err)
{
    struct err own;
    return ask(client, path, NULL, ST_DATA, ret, err ? err : &own);
}
