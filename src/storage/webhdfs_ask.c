// SPDX-License-Identifier: Apache-2.0
#include "storage/webhdfs_ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "core/env.h"
#include "http/backoff.h"
#include "http/url.h"
#include "storage/path.h"

enum {
    CONNECT_MS = 10000,
    SLOWEST_BYTES_MS = 64, // 64 KiB a second
    EXCLUDE_MAX = 4096,
    TOKEN_PIECE = 16 // bytes of a token that no text may have
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
    struct buf dead;          // data nodes that were not reached, by commas
    struct err why_unreached; // of the last of them
    size_t into_n;            // bytes that were in ask->into before
    bool blames_name_node;
    int64_t began_ms;
    struct http_backoff backoff;
};

// Appends what comes to a buffer.
struct buf_sink {
    struct http_sink sink;
    struct buf *buf;
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
    http_url_escape(&url, str_of(path), true);
    buf_printf(&url, "?%s", attempt->ask->query);
    if (webhdfs->user[0] != '\0') {
        buf_text(&url, "&user.name=");
        http_url_escape(&url, str_of(webhdfs->user), false);
    }
    if (webhdfs->by_token) {
        buf_text(&url, "&delegation=");
        http_url_escape(&url, str_of(webhdfs->token.text), false);
    }
    if (attempt->dead.n > 0) {
        buf_text(&url, "&excludedatanodes=");
        http_url_escape(&url, buf_as_str(&attempt->dead), false);
    }
    return buf_detach(&url);
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

// The token is refused, so nothing happened. If another one has come into the file, it is
// the next to be tried.
static enum outcome judge_token(struct attempt *attempt, const char *who, const char *why,
                                struct err *err)
{
    struct hdfs_token *token = &attempt->webhdfs->token;
    AUTO(mem_auto_free) char *refused = mem_strdup(token->text);
    struct err unread = {0};
    if (hdfs_token_look(token, &unread) == ST_OK && strcmp(refused, token->text) != 0)
        return say(attempt, AGAIN, ST_RETRY, "the delegation token is refused by", who,
                   why, err);
    (void)err_set(err, ST_FAIL, "%s: %s does not accept the delegation token: %s; %s",
                  attempt->place, who, why, hdfs_token_way_out(token));
    return FAILED;
}

// Also only a piece of it: the words may be cut, or quote less.
static bool says_token(const struct refusal *refusal, const char *token)
{
    char piece[TOKEN_PIECE + 1] = "";
    size_t n = token != NULL ? strlen(token) : 0;
    for (size_t at = 0; at == 0 || at + TOKEN_PIECE <= n; at++) {
        snprintf(piece, sizeof(piece), "%s", n > 0 ? token + at : "");
        if (piece[0] && refusal_says(refusal, piece))
            return true;
    }
    return false;
}

// A server may put into words what it was asked.
static void hide_token(struct attempt *attempt)
{
    const char *token = attempt->webhdfs->token.text;
    struct refusal *refusal = &attempt->reply->refusal;
    if (refusal->message[0] && says_token(refusal, token))
        snprintf(refusal->message, sizeof(refusal->message),
                 "its words are left out: they have the token");
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
    bool is_no = refusal->kind == REFUSAL_FINAL || refusal->kind == REFUSAL_UNSURE;
    if (attempt->webhdfs->by_token && is_no && refusal_is_of_token(refusal))
        return judge_token(attempt, who, why, err);
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
    bool is_doubtful = http_is_doubtful(answer->trouble) && !*known;
    switch (outcome) {
    case HTTP_ANSWERED:
        *known = true;
        if (answer->code == 307 && attempt->ask->by_data_node &&
            attempt->blames_name_node)
            return DONE; // it tells the way
        refusal_read(answer, &attempt->reply->refusal);
        hide_token(attempt);
        return judge_refusal(attempt, effect, who, err);
    case HTTP_NOT_SENT:
        if (is_doubtful)
            return unreachable(attempt, FAILED, ST_FAIL, who, err);
        return unreachable(attempt, AGAIN, ST_RETRY, who, err);
    case HTTP_HOPELESS:
        return unreachable(attempt, FAILED, ST_FAIL, who, err);
    case HTTP_LOST:
        if (is_doubtful && effect != EFFECT_ONCE)
            return unreachable(attempt, FAILED, ST_FAIL, who, err);
        if (answer->trouble == HTTP_TROUBLE_TOO_LONG && no_effect)
            return say(attempt, FAILED, ST_FAIL, "refused what came from", who,
                       answer->why, err);
        return say(attempt, no_effect ? AGAIN : LOST, no_effect ? ST_RETRY : ST_UNKNOWN,
                   "no answer from", who, answer->why, err);
    default:
        (void)err_context(err, err->status, "%s", attempt->place);
        return FAILED;
    }
}

static struct http_limits limits_of(const struct webhdfs *webhdfs, int64_t n_bytes)
{
    int64_t timeout_ms = webhdfs->timeout_ms;
    return (struct http_limits){
        .connect_ms = timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS,
        .slow_ms = timeout_ms,
        .slow_bytes = 1,
        .whole_ms = timeout_ms + n_bytes / SLOWEST_BYTES_MS,
    };
}

// A name node's RPC port tells what it is to a GET alone. It has no effect, whatever the
// URL says.
static bool is_rpc_port(struct attempt *attempt, const char *url)
{
    AUTO(http_answer_release) struct http_answer answer = {0};
    struct http_request request = {
        .method = HTTP_GET,
        .url = url,
        .fresh = true,
        .into_max = JSON_MAX,
        .limits = limits_of(attempt->webhdfs, 0),
        .deadline = attempt->webhdfs->storage.deadline,
    };
    struct refusal refusal;
    if (http_send(attempt->webhdfs->http, &request, &answer, NULL) != HTTP_ANSWERED)
        return false;
    refusal_read(&answer, &refusal);
    if (!refusal_says(&refusal, IPC_PORT))
        return false;
    attempt->reply->refusal = refusal;
    return true;
}

// No data node is left for the name node to send to. If that is because those that were
// not reached are left out, what tells is why, not that there is no other.
static void begin_with_all_data_nodes(struct attempt *attempt, struct err *err)
{
    if (attempt->dead.n > 0 && err != NULL)
        *err = attempt->why_unreached;
    buf_clear(&attempt->dead);
}

static enum outcome ask_name_node(struct attempt *attempt, struct err *err)
{
    struct webhdfs *webhdfs = attempt->webhdfs;
    const struct ask *ask = attempt->ask;
    attempt->blames_name_node = true;
    if (webhdfs->by_token && hdfs_token_look(&webhdfs->token, err) != ST_OK) {
        (void)err_context(err, ST_FAIL, "%s", attempt->place);
        return FAILED;
    }
    // A name node that only tells the way has no effect.
    enum effect effect = ask->by_data_node ? EFFECT_NONE : ask->effect;
    AUTO(mem_auto_free) char *url = name_node_url(attempt);
    AUTO(mem_auto_free) char *who = mem_printf("name node %s", active_node(webhdfs));
    struct http_request request = {
        .method = ask->method,
        .url = url,
        .sign_in = true,
        .fresh = effect != EFFECT_NONE,
        .into_max = JSON_MAX,
        .limits = limits_of(webhdfs, 0),
        .deadline = webhdfs->storage.deadline,
    };
    enum http_outcome sent =
        http_send(webhdfs->http, &request, &attempt->reply->answer, err);
    const struct http_answer *answer = &attempt->reply->answer;
    bool is_unknown = sent == HTTP_LOST && http_is_doubtful(answer->trouble) &&
                      !webhdfs->name_node_known;
    if (is_unknown && ask->method != HTTP_GET && is_rpc_port(attempt, url))
        return DONE;
    enum outcome outcome =
        judge(attempt, sent, effect, who, &webhdfs->name_node_known, err);
    if (outcome == AGAIN &&
        refusal_says(&attempt->reply->refusal, "Failed to find datanode"))
        begin_with_all_data_nodes(attempt, err);
    return outcome;
}

// `err` says why.
static void exclude(struct attempt *attempt, const char *node, const struct err *err)
{
    if (err != NULL)
        attempt->why_unreached = *err;
    struct str rest = str_of(node);
    struct str host = str_cut(&rest, ':'); // the name node knows it by another port
    if (attempt->dead.n > 0)
        buf_char(&attempt->dead, ',');
    buf_str(&attempt->dead, host);
}

static enum status append(struct http_sink *sink, struct str bytes, struct err *err)
{
    struct buf *buf = ((struct buf_sink *)sink)->buf;
    buf_str(buf, bytes);
    return buf_check(buf, "the answer", err);
}

static enum outcome send_to_data_node(struct attempt *attempt, const char *url,
                                      const char *node, struct err *err)
{
    struct webhdfs *webhdfs = attempt->webhdfs;
    const struct ask *ask = attempt->ask;
    AUTO(mem_auto_free) char *who = mem_printf("data node %s", node);
    struct buf_sink into = {{.write = append}, ask->into};
    int64_t into_bytes = ask->into ? (int64_t)ask->into_bytes : JSON_MAX;
    int64_t n_bytes = ask->into ? into_bytes : ask->body_bytes;
    struct http_request request = {
        .method = ask->method,
        .url = url,
        .fresh = ask->effect != EFFECT_NONE,
        .body = ask->body,
        .body_bytes = ask->body_bytes,
        .framed = ask->into != NULL,
        .into = ask->into ? &into.sink : NULL,
        .into_max = into_bytes,
        .limits = limits_of(webhdfs, n_bytes),
        .deadline = webhdfs->storage.deadline,
    };
    attempt->blames_name_node = false;
    enum http_outcome sent =
        http_send(webhdfs->http, &request, &attempt->reply->answer, err);
    enum outcome outcome =
        judge(attempt, sent, ask->effect, who, &webhdfs->data_node_known, err);
    if (sent == HTTP_NOT_SENT)
        exclude(attempt, node, err);
    // The reader cannot be read twice.
    return outcome == AGAIN && attempt->reply->answer.body_read ? FAILED : outcome;
}

static enum outcome follow(struct attempt *attempt, struct err *err)
{
    struct http_answer *answer = &attempt->reply->answer;
    AUTO(arena_release) struct arena arena = {0};
    struct http_url to;
    if (answer->code != 307 || answer->location == NULL ||
        !http_url_parse(str_of(answer->location), &arena, &to)) {
        (void)err_set(err, ST_FAIL,
                      "%s: HTTP %d and no way to a data node; is a name node "
                      "there?",
                      attempt->place, answer->code);
        return FAILED;
    }
    if (attempt->webhdfs->tls && !to.is_tls) {
        (void)err_set(err, ST_FAIL,
                      "%s: the name node sends to data node %s without TLS; "
                      "set dfs.http.policy = HTTPS_ONLY there or use hdfs://",
                      attempt->place, to.node);
        return FAILED;
    }
    if (to.login.user != NULL || to.login.password != NULL) {
        (void)err_set(err, ST_FAIL,
                      "%s: the name node sends to data node %s with a user in the URL, "
                      "which WebHDFS does not; is a name node there, or a proxy between?",
                      attempt->place, to.node);
        return FAILED;
    }
    AUTO(mem_auto_free) char *url = answer->location;
    answer->location = NULL; // its text lives on while the answer is used again
    return send_to_data_node(attempt, url, to.node, err);
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
    if (http_backoff_pause(&attempt->backoff, env_system(), left_ms, deadline))
        return ST_OK;
    return give_up(attempt, ST_RETRY, err);
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
    };
    *reply = (struct reply){0};
    enum status rc = try_until_done(&attempt, err != NULL ? err : &unwanted);
    buf_release(&attempt.dead);
    return rc;
}
