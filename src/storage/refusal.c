// SPDX-License-Identifier: Apache-2.0
#include "storage/refusal.h"

#include <ctype.h>
#include <stdio.h>

#include "core/json.h"

enum {
    VALUES_MAX = 10000 // of a refusal's JSON
};

bool refusal_is(const struct refusal *refusal, const char *exception)
{
    return strcmp(refusal->exception, exception) == 0;
}

bool refusal_says(const struct refusal *refusal, const char *part)
{
    return strstr(refusal->message, part) != NULL;
}

// One line: what follows a line's end is a stack trace. Control characters become blanks.
static void set_message(struct refusal *refusal, struct str text)
{
    struct str line = str_trim(text);
    line = str_trim(str_cut(&line, '\n'));
    size_t n = line.n < MESSAGE_MAX - 1 ? line.n : MESSAGE_MAX - 1;
    for (size_t i = 0; i < n; i++)
        refusal->message[i] = iscntrl((unsigned char)line.p[i]) ? ' ' : line.p[i];
    refusal->message[n] = '\0';
}

static bool read_json(struct str body, struct refusal *ret)
{
    bool is_small = json_check(body, VALUES_MAX, NULL) == ST_OK;
    json_t *root = is_small && body.n ? json_loadb(body.p, body.n, 0, NULL) : NULL;
    const json_t *remote = json_object_get(root, "RemoteException");
    const char *exception = json_string_value(json_object_get(remote, "exception"));
    const char *message = json_string_value(json_object_get(remote, "message"));
    if (exception != NULL)
        snprintf(ret->exception, sizeof(ret->exception), "%s", exception);
    if (message != NULL)
        set_message(ret, str_of(message));
    json_decref(root);
    return exception != NULL;
}

// The text of a page between tags, as far as it says something.
static void read_page(struct str body, struct refusal *ret)
{
    const char *title = body.n ? memmem(body.p, body.n, "<title>", 7) : NULL;
    if (title != NULL) {
        struct str rest = {title + 7, body.n - (size_t)(title + 7 - body.p)};
        set_message(ret, str_cut(&rest, '<'));
    } else if (str_utf8_valid(body) == body.n) {
        set_message(ret, body);
    }
}

static enum refusal_kind kind_of(const struct refusal *refusal)
{
    if (refusal->code < 300)
        return REFUSAL_NONE;
    if (refusal_is(refusal, "StandbyException") ||
        refusal_is(refusal, "ObserverRetryOnActiveException"))
        return REFUSAL_STANDBY;
    if (refusal_is(refusal, "RetriableException") ||
        refusal_is(refusal, "SafeModeException") ||
        refusal_is(refusal, "ServerTooBusyException") ||
        refusal_says(refusal, "Failed to find datanode") || refusal->code == 503 ||
        refusal->code == 429)
        return REFUSAL_BUSY;
    return refusal->code >= 500 ? REFUSAL_UNSURE : REFUSAL_FINAL;
}

void refusal_read(const struct http_answer *answer, struct refusal *ret)
{
    *ret = (struct refusal){.code = answer->code};
    if (answer->code < 300)
        return;
    if (!read_json(buf_as_str(&answer->body), ret))
        read_page(buf_as_str(&answer->body), ret);
    ret->kind = kind_of(ret);
}

// Answers that are not WebHDFS's at all.
static enum status not_webhdfs(const struct refusal *refusal, const char *place,
                               enum refusal_of of, struct err *err)
{
    if (refusal->code == 401 && of == REFUSAL_OF_TICKET)
        return err_set(err, ST_FAIL,
                       "%s: the name node does not accept the Kerberos ticket; get one "
                       "by kinit (klist shows it)",
                       place);
    if (refusal->code == 401)
        return err_set(err, ST_FAIL,
                       "%s: the name node asks for authentication; set auth = 'kerberos'",
                       place);
    if (refusal_says(refusal, IPC_PORT))
        return err_set(err, ST_FAIL,
                       "%s: that is the name node's RPC port; give its HTTP port, by "
                       "default 9870 (dfs.namenode.http-address)",
                       place);
    return err_set(
        err, ST_FAIL,
        "%s: HTTP %d without an answer of WebHDFS%s%s; is a name node there, or "
        "a proxy between?",
        place, refusal->code, refusal->message[0] ? ": " : "", refusal->message);
}

static enum status denied(const struct refusal *refusal, const char *place,
                          enum refusal_of of, struct err *err)
{
    const char *message = refusal->message;
    if (strncmp(message, "Permission denied: ", 19) == 0)
        message += 19;
    return err_set(err, ST_FAIL, "%s: permission denied: %s; %s", place, message,
                   of == REFUSAL_OF_TOKEN ? "get a token of another user"
                   : of == REFUSAL_OF_TICKET
                       ? "get the ticket of another user by kinit"
                       : "give another user by WITH (user = '...')");
}

static bool is_quota(const struct refusal *refusal)
{
    return strstr(refusal->exception, "QuotaExceededException") != NULL ||
           refusal_is(refusal, "QuotaByStorageTypeExceededException");
}

// Its own exception, or one that was met while the caller was found out.
bool refusal_is_of_token(const struct refusal *refusal)
{
    return refusal->code == 401 || refusal_is(refusal, "InvalidToken") ||
           refusal_says(refusal, "InvalidToken") ||
           refusal_says(refusal, "Failed to obtain user group information");
}

enum status refusal_status(const struct refusal *refusal, const char *place,
                           enum refusal_of of, struct err *err)
{
    if (refusal->exception[0] == '\0')
        return not_webhdfs(refusal, place, of, err);
    if (refusal_says(refusal, "Path is not a file"))
        return err_set(err, ST_FAIL, "%s: is a directory; a file is needed there", place);
    if (refusal_says(refusal, "(is not a directory)") ||
        refusal_says(refusal, "Path is not a directory"))
        return err_set(err, ST_FAIL, "%s: %s; a directory is needed there", place,
                       refusal->message);
    if (refusal_is(refusal, "FileNotFoundException"))
        return err_set(err, ST_NOT_FOUND, "%s: is not there", place);
    if (refusal_is(refusal, "FileAlreadyExistsException") ||
        refusal_is(refusal, "AlreadyBeingCreatedException"))
        return err_set(err, ST_EXISTS, "%s: is there already", place);
    if (refusal_is(refusal, "AccessControlException"))
        return denied(refusal, place, of, err);
    if (is_quota(refusal))
        return err_set(err, ST_RETRY, "%s: %s; make room there or raise the quota", place,
                       refusal->message);
    if (refusal_is(refusal, "MaxDirectoryItemsExceededException"))
        return err_set(err, ST_FAIL,
                       "%s: %s; spread the files by WITH (directory = 'day')", place,
                       refusal->message);
    return err_set(err, ST_FAIL, "%s: %s: %s", place, refusal->exception,
                   refusal->message);
}
