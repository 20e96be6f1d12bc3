// SPDX-License-Identifier: Apache-2.0
#include "storage/webhdfs_ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/env.h"
#include "storage/path.h"

enum {
    FIRST_DELAY_MS = 100,
    LAST_DELAY_MS = 3000,
    SLICE_MS = 100, // how often a wait looks at the deadline
    EXCLUDE_MAX = 4096
};

enum outcome {
    DONE,   // a yes, or a no that stays one
    AGAIN,  // nothing happened
    LOST,   // no answer
    FAILED, // err has the final status
};

// All the tries of one operation.
struct attempt {
    struct webhdfs *webhdfs;
    const struct ask *ask;
    struct reply *reply;
    char *place;
    struct buf dead; // data nodes that were not reached, by commas
    size_t into_n;   // bytes that were in ask->into before
    bool blames_name_node;
    int64_t began_ms;
    int64_t delay_ms;
};

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

void reply_release(struct reply *reply)
{
    http_answer_release(&reply->answer);
}

char *webhdfs_place(const struct webhdfs *webhdfs, struct str path)
{
    return storage_path_join(webhdfs->storage.url, path);
}

static const char *active_node(const struct webhdfs *webhdfs)
{
    return webhdfs->nodes[webhdfs->active];
}

static char *name_node_url(const struct attempt *attempt)
{
    const struct webhdfs *webhdfs = attempt->webhdfs;
    struct buf url = {0};
    AUTO(mem_auto_free) char *path = storage_path_join(webhdfs->root, attempt->ask->path);
    buf_printf(&url, "%s://%s/webhdfs/v1", webhdfs->tls ? "https" : "http",
               active_node(webhdfs));
    http_encode(&url, str_of(path), true);
    buf_printf(&url, "?%s", attempt->ask->query);
    if (webhdfs->user[0] != '\0') {
        buf_text(&url, "&user.name=");
        http_encode(&url, str_of(webhdfs->user), false);
    }
    if (attempt->dead.n > 0) {
        buf_text(&url, "&excludedatanodes=");
        http_encode(&url, buf_as_str(&attempt->dead), false);
    }
    return buf_detach(&url);
}

// Splits "http://host:port/..."; false when it is no such thing.
static bool split_location(const char *location, struct str *ret_scheme,
                           struct str *ret_host)
{
    struct str rest = str_of(location);
    *ret_scheme = str_cut(&rest, ':');
    if (rest.n < 3 || rest.p[0] != '/' || rest.p[1] != '/')
        return false;
    rest = (struct str){rest.p + 2, rest.n - 2};
    *ret_host = str_cut(&rest, '/');
    return str_is(*ret_scheme, "http") || str_is(*ret_scheme, "https");
}

// What the user can do, with "; " in front, or "".
static const char *way_out(const struct attempt *attempt, const char *why)
{
    if (strstr(why, "ertificate") != NULL) // "SSL certificate problem: ..."
        return "; give the file of its authority by WITH (\"ca.file\" = '...')";
    if (strstr(why, "wrong version number") != NULL)
        return "; for a server without TLS write hdfs://";
    if (strstr(why, "HTTP/0.9") != NULL)
        return "; for a server with TLS write hdfss://";
    if (!attempt->blames_name_node && strstr(why, "resolve") != NULL)
        return "; the name by which HDFS knows it must be known on this machine";
    if (!attempt->blames_name_node)
        return "; its HTTP port must be reachable from this machine";
    return "";
}

static enum outcome unreachable(const struct attempt *attempt, enum outcome outcome,
                                enum status rc, const char *who, struct err *err)
{
    const char *why = attempt->reply->answer.why;
    (void)err_set(err, rc, "%s: cannot reach %s: %s%s", attempt->place, who, why,
                  way_out(attempt, why));
    return outcome;
}

// Says that `who` ("name node nn1:9870") gave no yes and no final no.
static enum outcome say(const struct attempt *attempt, enum outcome outcome,
                        enum status rc, const char *verb, const char *who,
                        const char *why, struct err *err)
{
    (void)err_set(err, rc, "%s: %s %s: %s", attempt->place, verb, who, why);
    return outcome;
}

static enum outcome judge_refusal(struct attempt *attempt, enum effect effect,
                                  const char *who, struct err *err)
{
    const struct refusal *refusal = &attempt->reply->refusal;
    char why[EXCEPTION_MAX + MESSAGE_MAX + 96];
    bool is_safe_mode = refusal_is(refusal, "SafeModeException");
    snprintf(why, sizeof(why), "HTTP %d%s%s%s%s%s", refusal->code,
             refusal->exception[0] ? ": " : "", refusal->exception,
             refusal->message[0] ? ": " : "", refusal->message,
             is_safe_mode ? " (hdfs dfsadmin -safemode get; are its data nodes up?)"
                          : "");
    switch (refusal->kind) {
    case REFUSAL_STANDBY:
        return say(attempt, AGAIN, ST_RETRY, "not active:", who, why, err);
    case REFUSAL_BUSY:
        return say(attempt, AGAIN, ST_RETRY, "refused by", who, why, err);
    case REFUSAL_UNSURE:
        if (effect == EFFECT_NONE)
            return say(attempt, AGAIN, ST_RETRY, "refused by", who, why, err);
        return say(attempt, LOST, ST_UNKNOWN, "no clear answer from", who, why, err);
    default:
        return DONE;
    }
}

// What became of a request to `who`, a server that was `known` before.
static enum outcome judge(struct attempt *attempt, enum http_outcome outcome,
                          enum effect effect, const char *who, bool *known,
                          struct err *err)
{
    const struct http_answer *answer = &attempt->reply->answer;
    bool no_effect = effect == EFFECT_NONE;
    switch (outcome) {
    case HTTP_ANSWERED:
        *known = true;
        refusal_read(answer, &attempt->reply->refusal);
        return judge_refusal(attempt, effect, who, err);
    case HTTP_NOT_SENT:
        if (answer->doubtful && !*known)
            return unreachable(attempt, FAILED, ST_FAIL, who, err);
        return unreachable(attempt, AGAIN, ST_RETRY, who, err);
    case HTTP_HOPELESS:
        return unreachable(attempt, FAILED, ST_FAIL, who, err);
    case HTTP_LOST:
        if (answer->doubtful && !*known && effect != EFFECT_ONCE)
            return unreachable(attempt, FAILED, ST_FAIL, who, err);
        return say(attempt, no_effect ? AGAIN : LOST, no_effect ? ST_RETRY : ST_UNKNOWN,
                   "no answer from", who, answer->why, err);
    default:
        (void)err_context(err, err->status, "%s", attempt->place);
        return FAILED;
    }
}

// A name node's RPC port tells what it is to a GET alone. It has no effect, whatever the
// URL says.
static bool is_rpc_port(struct attempt *attempt, const char *url)
{
    AUTO(http_answer_release) struct http_answer answer = {0};
    struct http_request request = {.method = HTTP_GET, .url = url, .fresh = true};
    struct refusal refusal;
    if (http_send(attempt->webhdfs->http, &request, &answer, NULL) != HTTP_ANSWERED)
        return false;
    refusal_read(&answer, &refusal);
    if (!refusal_says(&refusal, IPC_PORT))
        return false;
    attempt->reply->refusal = refusal;
    return true;
}

static enum outcome ask_name_node(struct attempt *attempt, struct err *err)
{
    struct webhdfs *webhdfs = attempt->webhdfs;
    const struct ask *ask = attempt->ask;
    // A name node that only tells the way has no effect.
    enum effect effect = ask->by_data_node ? EFFECT_NONE : ask->effect;
    AUTO(mem_auto_free) char *url = name_node_url(attempt);
    AUTO(mem_auto_free) char *who = mem_printf("name node %s", active_node(webhdfs));
    struct http_request request = {
        .method = ask->method,
        .url = url,
        .sign_in = true,
        .fresh = effect != EFFECT_NONE,
        .deadline = webhdfs->storage.deadline,
    };
    attempt->blames_name_node = true;
    enum http_outcome sent =
        http_send(webhdfs->http, &request, &attempt->reply->answer, err);
    const struct http_answer *answer = &attempt->reply->answer;
    bool is_unknown = sent == HTTP_LOST && answer->doubtful && !webhdfs->name_node_known;
    if (is_unknown && ask->method != HTTP_GET && is_rpc_port(attempt, url))
        return DONE;
    enum outcome outcome =
        judge(attempt, sent, effect, who, &webhdfs->name_node_known, err);
    if (outcome == AGAIN &&
        refusal_says(&attempt->reply->refusal, "Failed to find datanode"))
        buf_clear(&attempt->dead); // none is left: begin anew with all of them
    return outcome;
}

static void exclude(struct attempt *attempt, struct str node)
{
    struct str host = str_cut(&node, ':'); // the name node knows it by another port
    if (attempt->dead.n > 0)
        buf_char(&attempt->dead, ',');
    buf_str(&attempt->dead, host);
}

static enum outcome send_to_data_node(struct attempt *attempt, const char *url,
                                      struct str node, struct err *err)
{
    struct webhdfs *webhdfs = attempt->webhdfs;
    const struct ask *ask = attempt->ask;
    AUTO(mem_auto_free) char *who = mem_printf("data node %.*s", STR_ARGS(node));
    struct http_request request = {
        .method = ask->method,
        .url = url,
        .fresh = ask->effect != EFFECT_NONE,
        .body = ask->body,
        .body_bytes = ask->body_bytes,
        .into = ask->into,
        .into_max = ask->into ? attempt->into_n + ask->into_bytes : 0,
        .deadline = webhdfs->storage.deadline,
    };
    attempt->blames_name_node = false;
    enum http_outcome sent =
        http_send(webhdfs->http, &request, &attempt->reply->answer, err);
    if (sent == HTTP_NOT_SENT)
        exclude(attempt, node);
    enum outcome outcome =
        judge(attempt, sent, ask->effect, who, &webhdfs->data_node_known, err);
    // The reader cannot be read twice.
    return outcome == AGAIN && attempt->reply->answer.body_read ? FAILED : outcome;
}

static enum outcome follow(struct attempt *attempt, struct err *err)
{
    struct http_answer *answer = &attempt->reply->answer;
    struct str scheme;
    struct str node;
    if (answer->code != 307 || answer->location == NULL ||
        !split_location(answer->location, &scheme, &node)) {
        (void)err_set(err, ST_FAIL,
                      "%s: HTTP %d and no way to a data node; is a name node "
                      "there?",
                      attempt->place, answer->code);
        return FAILED;
    }
    if (attempt->webhdfs->tls && !str_is(scheme, "https")) {
        (void)err_set(err, ST_FAIL,
                      "%s: the name node sends to data node %.*s without TLS; "
                      "set dfs.http.policy = HTTPS_ONLY there or use hdfs://",
                      attempt->place, STR_ARGS(node));
        return FAILED;
    }
    AUTO(mem_auto_free) char *url = answer->location;
    answer->location = NULL; // its text lives on while the answer is used again
    return send_to_data_node(attempt, url, node, err);
}

static enum outcome try_once(struct attempt *attempt, struct err *err)
{
    if (attempt->ask->into != NULL)
        attempt->ask->into->n = attempt->into_n;
    attempt->reply->refusal = (struct refusal){0};
    enum outcome outcome = ask_name_node(attempt, err);
    if (outcome != DONE || !attempt->ask->by_data_node ||
        attempt->reply->refusal.kind != REFUSAL_NONE)
        return outcome;
    return follow(attempt, err);
}

static bool is_out_of_time(const struct webhdfs *webhdfs)
{
    return deadline_is_over(webhdfs->storage.deadline, now_ms());
}

// Between half of the delay and all of it, so that many workers do not come at once.
static int64_t with_jitter(int64_t delay_ms)
{
    uint32_t chance;
    env_system()->ops->random(env_system(), &chance, sizeof(chance));
    return delay_ms / 2 + (int64_t)(chance % (uint32_t)(delay_ms / 2 + 1));
}

static void sleep_in_time(const struct webhdfs *webhdfs, int64_t ms)
{
    for (int64_t end_ms = now_ms() + ms; !is_out_of_time(webhdfs);) {
        int64_t left_ms = end_ms - now_ms();
        if (left_ms <= 0)
            return;
        env_system()->ops->sleep_ms(env_system(),
                                    left_ms < SLICE_MS ? left_ms : SLICE_MS);
    }
}

// The end of all tries: `err` has the last one's text.
static enum status give_up(const struct attempt *attempt, enum status rc, struct err *err)
{
    bool may_have_happened = attempt->reply->lost && attempt->ask->effect != EFFECT_NONE;
    struct err last = err != NULL ? *err : (struct err){0};
    int64_t tried_ms = now_ms() - attempt->began_ms;
    if (tried_ms >= 1000)
        (void)err_set(err, rc, "%s; tried for %lld s", last.text,
                      (long long)tried_ms / 1000);
    if (err != NULL)
        err->status = may_have_happened ? ST_UNKNOWN : rc;
    return may_have_happened ? ST_UNKNOWN : rc;
}

// ST_OK: try again now.
static enum status wait_for_next(struct attempt *attempt, struct err *err)
{
    const struct webhdfs *webhdfs = attempt->webhdfs;
    const struct deadline *deadline = webhdfs->storage.deadline;
    int64_t most_ms = attempt->began_ms + webhdfs->retry_ms - now_ms();
    int64_t left_ms = deadline_left(deadline, now_ms(), most_ms);
    if (left_ms <= 0)
        return give_up(attempt, ST_RETRY, err);
    if (webhdfs->on_retry != NULL && err != NULL && !deadline_is_set(deadline))
        webhdfs->on_retry(webhdfs->context, err, left_ms);
    int64_t delay_ms = with_jitter(attempt->delay_ms);
    sleep_in_time(webhdfs, delay_ms < left_ms ? delay_ms : left_ms);
    attempt->delay_ms *= 2;
    if (attempt->delay_ms > LAST_DELAY_MS)
        attempt->delay_ms = LAST_DELAY_MS;
    return is_out_of_time(webhdfs) ? give_up(attempt, ST_RETRY, err) : ST_OK;
}

static enum status try_until_done(struct attempt *attempt, struct err *err)
{
    struct webhdfs *webhdfs = attempt->webhdfs;
    for (size_t n_blamed = 0;;) {
        enum outcome outcome = try_once(attempt, err);
        if (outcome == DONE)
            return ST_OK;
        if (outcome == FAILED || (outcome == LOST && attempt->ask->effect == EFFECT_ONCE))
            return err->status;
        attempt->reply->lost |= outcome == LOST;
        if (attempt->blames_name_node)
            webhdfs->active = (webhdfs->active + 1) % webhdfs->n_nodes;
        // The other name nodes are asked at once, then there is a wait.
        if (attempt->blames_name_node && ++n_blamed % webhdfs->n_nodes != 0)
            continue;
        TRY(wait_for_next(attempt, err));
    }
}

enum status webhdfs_ask(struct webhdfs *webhdfs, const struct ask *ask,
                        struct reply *reply, struct err *err)
{
    struct err unwanted; // the tries read the status from it
    AUTO(mem_auto_free) char *place = webhdfs_place(webhdfs, ask->path);
    struct attempt attempt = {
        .webhdfs = webhdfs,
        .ask = ask,
        .reply = reply,
        .place = place,
        .dead = BUF_INIT(EXCLUDE_MAX),
        .into_n = ask->into ? ask->into->n : 0,
        .began_ms = now_ms(),
        .delay_ms = FIRST_DELAY_MS,
    };
    *reply = (struct reply){0};
    enum status rc = try_until_done(&attempt, err != NULL ? err : &unwanted);
    buf_release(&attempt.dead);
    return rc;
}
