// SPDX-License-Identifier: Apache-2.0
#include "registry/client.h"

#include <stdlib.h>

#include "core/json.h"
#include "http/backoff.h"
#include "registry/address.h"

enum {
    TIMEOUT_MS = 10000,
    SHOWN_MAX = 200, // bytes of an answer in a message
    SUBJECT_NOT_FOUND = 40401,
    VERSION_NOT_FOUND = 40402,
    SCHEMA_NOT_FOUND = 40403
};

struct registry_client {
    struct arena arena;
    struct http *http;
    const struct address *addresses;
    size_t n_addresses;
    size_t current;          // the one that answered last
    struct http_login login; // of those without their own
    int64_t timeout_ms;      // of one answer
    const struct deadline *deadline;
    int rounds;
    bool is_registrys; // the last answer was one of a registry
    long code;         // its HTTP code; 0: there was none
    struct env *env;
    struct http_answer answer;
};

static const char *given(struct arena *arena, struct str text)
{
    return text.n ? arena_cstr(arena, text) : NULL;
}

static struct http *open_http(const char *ca_file)
{
    static const char *const headers[] = {
        "Content-Type: application/vnd.schemaregistry.v1+json",
        "Accept: application/vnd.schemaregistry.v1+json, application/json", NULL};
    struct http_config http = {.ca_file = ca_file, .headers = headers, .proxy = true};
    return http_open(&http);
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
    client->timeout_ms = config->timeout_ms ? config->timeout_ms : TIMEOUT_MS;
    client->login = (struct http_login){
        .user = given(&client->arena, config->user),
        .password = given(&client->arena, config->password),
        .token = given(&client->arena, config->token),
    };
    client->deadline = config->deadline;
    client->rounds = config->rounds ? config->rounds : REGISTRY_ROUNDS;
    client->http = open_http(given(&client->arena, config->ca_file));
    *ret = client;
    return ST_OK;
}

void rest_client_close(struct registry_client *client)
{
    if (client == NULL)
        return;
    http_close(client->http);
    http_answer_release(&client->answer);
    arena_release(&client->arena);
    free(client);
}

int64_t rest_client_now_ms(const struct registry_client *client)
{
    return client->env->ops->monotonic_ms(client->env);
}

// What a registry says is wrong, or the first bytes of what is not a registry's answer.
static void describe(const struct registry_client *client, const json_t *json,
                     struct buf *ret)
{
    const char *message = json_string_value(json_object_get(json, "message"));
    if (message != NULL) {
        buf_text(ret, message);
        return;
    }
    struct str text = str_trim(buf_as_str(&client->answer.body));
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

// An answer that is not a success.
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
    struct str body = buf_as_str(&client->answer.body);
    TRY(json_check(body, REGISTRY_VALUES_MAX, err));
    json_t *json = json_loadb(body.n ? body.p : "", body.n, JSON_DECODE_ANY, &why);
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

static const struct http_login *login_of(const struct registry_client *client)
{
    const struct http_login *own = &client->addresses[client->current].parts.login;
    return own->user != NULL ? own : &client->login;
}

static enum status no_answer(const struct http_answer *answer, enum http_outcome outcome,
                             struct err *err)
{
    const char *why = answer->why;
    switch (answer->trouble) {
    case HTTP_TROUBLE_CERTIFICATE:
        return err_set(
            err, ST_FAIL,
            "%s; if its certificate is signed by an authority of your own, give "
            "that with registry.ca_file",
            why);
    case HTTP_TROUBLE_CA_FILE:
        return err_set(err, ST_FAIL, "registry.ca_file cannot be used: %s", why);
    case HTTP_TROUBLE_TOO_LONG: // a good one may be a schema's
        return err_set(err, answer->code == 200 ? ST_LIMIT : ST_FAIL, "%s", why);
    case HTTP_TROUBLE_NOT_HTTP:
        return err_set(err, ST_FAIL, "%s", why);
    default:
        return err_set(err, outcome == HTTP_HOPELESS ? ST_FAIL : ST_RETRY, "%s", why);
    }
}

// GET, or POST when there is a body. No redirect is followed, so that credentials stay
// with the address that they were given for.
static enum status send(struct registry_client *client, const char *url, const char *body,
                        struct err *err)
{
    struct bytes_reader bytes = bytes_reader(str_of(body ? body : ""));
    struct http_request request = {
        .method = body ? HTTP_POST : HTTP_GET,
        .url = url,
        .login = login_of(client),
        .fresh = body != NULL, // it cannot be read twice
        .body = body ? &bytes.reader : NULL,
        .body_bytes = (int64_t)bytes.rest.n,
        .into_max = REGISTRY_ANSWER_MAX,
        .limits = {.connect_ms = client->timeout_ms,
                   .slow_ms = client->timeout_ms,
                   .slow_bytes = 1,
                   .whole_ms = client->timeout_ms},
        .deadline = client->deadline,
    };
    enum http_outcome outcome = http_send(client->http, &request, &client->answer, err);
    client->code = outcome == HTTP_ANSWERED ? client->answer.code : 0;
    return outcome == HTTP_ANSWERED ? ST_OK : no_answer(&client->answer, outcome, err);
}

// One request to one address; its name in front of what goes wrong.
static enum status ask_one(struct registry_client *client, const char *path,
                           const char *body, json_t **ret, struct err *err)
{
    struct buf url = {0};
    buf_printf(&url, "%s%s", client->addresses[client->current].url, path);
    client->is_registrys = false;
    enum status rc = send(client, buf_cstr(&url), body, err);
    if (rc == ST_OK)
        rc = take_answer(client, client->code, ret, err);
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
    struct http_backoff backoff = {0};
    enum status rc = ST_RETRY;
    for (int round = 0; round < client->rounds && rc == ST_RETRY; round++) {
        if (round > 0 &&
            !http_backoff_pause(&backoff, client->env, INT64_MAX, client->deadline))
            break;
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
