// SPDX-License-Identifier: Apache-2.0
#include "storage/hdfs_token.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "core/json.h"
#include "storage/scheme.h"

enum {
    VALUES_MAX = 1000 // of a line's JSON
};

bool hdfs_token_is_given(const struct storage_config *config)
{
    return config->auth == STORAGE_AUTH_KERBEROS &&
           (config->tokens != NULL ||
            (config->token_file != NULL && config->token_file[0] != '\0'));
}

char *hdfs_token_storage(const struct storage_url *url)
{
    if (url->is_local)
        return NULL;
    return mem_printf("%s%s", url->scheme->prefix, url->nodes);
}

// Hadoop's are base64 as it stands in URLs.
static bool is_token(struct str text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789+/=_-";
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\0' || strchr(allowed, text.p[i]) == NULL)
            return false;
    return text.n > 0 && text.n <= TOKEN_BYTES_MAX;
}

static struct str text_at(const json_t *object, const char *name)
{
    const json_t *text = json_object_get(object, name);
    return (struct str){json_string_value(text), json_string_length(text)};
}

static bool has_form(const json_t *root)
{
    const json_t *tokens = json_object_get(root, "tokens");
    if (json_integer_value(json_object_get(root, "v")) != 1 || !json_is_array(tokens))
        return false;
    for (size_t i = 0; i < json_array_size(tokens); i++) {
        const json_t *each = json_array_get(tokens, i);
        if (text_at(each, "storage").n == 0 || !is_token(text_at(each, "token")))
            return false;
    }
    return true;
}

// NULL, with the text: it is none. No text has what stands there.
static json_t *parse(struct str text, const char *place, struct err *err)
{
    bool is_json = text.n > 0 && json_check(text, VALUES_MAX, NULL) == ST_OK;
    json_t *root = is_json ? json_loadb(text.p, text.n, 0, NULL) : NULL;
    if (has_form(root))
        return root;
    json_decref(root);
    (void)err_set(err, ST_USAGE,
                  "%s: these are no delegation tokens, as tramline token writes them",
                  place);
    return NULL;
}

enum status hdfs_tokens_check(struct str text, struct err *err)
{
    json_t *root = parse(text, "the tokens", err);
    json_decref(root);
    return root != NULL ? ST_OK : ST_USAGE;
}

// Sets the token of this storage.
static enum status take(struct hdfs_token *token, struct str text, struct err *err)
{
    const char *place = token->file != NULL ? token->file : "the tokens";
    json_t *root = parse(text, place, err);
    if (root == NULL)
        return ST_USAGE;
    const json_t *tokens = json_object_get(root, "tokens");
    struct str found = {0};
    for (size_t i = 0; i < json_array_size(tokens); i++)
        if (str_eq(text_at(json_array_get(tokens, i), "storage"), str_of(token->storage)))
            found = text_at(json_array_get(tokens, i), "token");
    if (found.n > 0) {
        free(token->text);
        token->text = mem_strndup(found.p, found.n);
    }
    json_decref(root);
    if (found.n > 0)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "%s: no delegation token for %s; tramline token asks for one of each "
                   "storage of a script",
                   place, token->storage);
}

enum status hdfs_token_open(struct hdfs_token *token, const struct storage_url *url,
                            const struct storage_config *config, struct err *err)
{
    *token = (struct hdfs_token){.storage = hdfs_token_storage(url)};
    if (config->tokens != NULL)
        return take(token, str_of(config->tokens), err);
    token->file = mem_strdup(config->token_file);
    return ST_OK;
}

void hdfs_token_release(struct hdfs_token *token)
{
    free(token->storage);
    free(token->file);
    free(token->text);
    *token = (struct hdfs_token){0};
}

static enum status check_file(const char *path, const struct stat *seen, struct err *err)
{
    if (!S_ISREG(seen->st_mode))
        return err_set(err, ST_USAGE, "%s: is not a file; tokens are read from one",
                       path);
    if ((seen->st_mode & 077) != 0 || (seen->st_uid != geteuid() && seen->st_uid != 0))
        return err_set(err, ST_USAGE,
                       "%s: the tokens of a file with mode %o are not its owner's "
                       "alone; it must be yours: chmod 600",
                       path, seen->st_mode & 0777);
    if (seen->st_size > TOKENS_BYTES_MAX)
        return err_set(err, ST_USAGE, "%s: has more than %d bytes, which no tokens have",
                       path, TOKENS_BYTES_MAX);
    return ST_OK;
}

static enum status unreadable(const char *path, struct err *err)
{
    return err_set(err, ST_FAIL,
                   "%s: the tokens cannot be read: %s; tramline token writes them", path,
                   strerror(errno));
}

static enum status read_all(int fd, const char *path, struct buf *ret, struct err *err)
{
    ssize_t n = 1;
    while (n > 0 && ret->n <= TOKENS_BYTES_MAX) {
        char piece[4096];
        n = read(fd, piece, sizeof(piece));
        if (n > 0)
            buf_append(ret, piece, (size_t)n);
    }
    return n < 0 ? unreadable(path, err) : ST_OK;
}

static enum status read_file(const char *path, struct buf *ret, struct stat *ret_seen,
                             struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe is refused below
    if (fd < 0 || fstat(fd, ret_seen) != 0)
        return unreadable(path, err);
    enum status rc = check_file(path, ret_seen, err);
    if (rc == ST_OK)
        rc = read_all(fd, path, ret, err);
    close(fd);
    return rc;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

enum status hdfs_token_look(struct hdfs_token *token, struct err *err)
{
    struct stat now;
    bool is_there = token->file != NULL && stat(token->file, &now) == 0;
    if (token->text != NULL && (!is_there || is_same(&now, &token->seen)))
        return ST_OK;
    AUTO(buf_release) struct buf text = {0};
    struct stat seen;
    enum status rc = read_file(token->file, &text, &seen, err);
    if (rc == ST_OK)
        rc = take(token, buf_as_str(&text), err);
    if (rc == ST_OK)
        token->seen = seen;
    return token->text != NULL ? ST_OK : rc;
}

const char *hdfs_token_way_out(const struct hdfs_token *token)
{
    return token->file != NULL
               ? "tramline token writes a new one into storage.token_file, which is "
                 "read again"
               : "start again with a new one of tramline token";
}
