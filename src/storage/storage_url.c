// SPDX-License-Identifier: Apache-2.0
#include "storage/scheme.h"

#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#define WRONG_SLASHES "it has the wrong number of '/'"

// The ports on which name nodes answer HTTP and HTTPS by default.
#define HTTP_PORT  "9870"
#define HTTPS_PORT "9871"

// "; write /directory, file:///directory, hdfs://... or hdfss://..."
static void add_forms(struct buf *text)
{
    buf_text(text, "; write /directory");
    for (size_t i = 0; storage_schemes[i] != NULL; i++)
        buf_printf(text, "%s%s", storage_schemes[i + 1] != NULL ? ", " : " or ",
                   storage_schemes[i]->form);
}

enum status storage_url_wrong(struct str text, struct str what, struct err *err)
{
    AUTO(buf_release) struct buf forms = {0};
    add_forms(&forms);
    return err_set(err, ST_USAGE, "'%.*s': %.*s%s", STR_ARGS(text), STR_ARGS(what),
                   buf_cstr(&forms));
}

static enum status wrong(struct str text, const char *what, struct err *err)
{
    return storage_url_wrong(text, str_of(what), err);
}

// Takes the last part of a path away.
static void drop_part(struct buf *path)
{
    while (path->n > 0 && path->p[--path->n] != '/')
        continue;
}

void storage_url_append(struct buf *ret, struct str path)
{
    struct str rest = path;
    while (rest.p != NULL) {
        struct str part = str_cut(&rest, '/');
        if (part.n == 0 || str_is(part, "."))
            continue;
        if (str_is(part, "..")) {
            drop_part(ret);
            continue;
        }
        buf_char(ret, '/');
        buf_str(ret, part);
    }
}

static bool is_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (iscntrl((unsigned char)s.p[i]))
            return false;
    return str_utf8_valid(s) == s.n;
}

static enum status set_local(struct str path, struct arena *arena,
                             struct storage_url *ret, struct err *err)
{
    AUTO(buf_release) struct buf full = {0};
    if (path.p[0] != '/') {
        char *here = getcwd(NULL, 0);
        if (here == NULL)
            return err_set(err, ST_USAGE,
                           "'%.*s': the current directory is gone; give "
                           "an absolute path",
                           STR_ARGS(path));
        storage_url_append(&full, str_of(here));
        free(here);
    }
    storage_url_append(&full, path);
    const char *root = arena_cstr(arena, buf_as_str(&full));
    *ret = (struct storage_url){
        .nodes = "",
        .path = root,
        .text = arena_printf(arena, "file://%s", root),
    };
    return ST_OK;
}

static bool is_port(struct str s)
{
    int64_t port;
    return s.n > 0 && isdigit((unsigned char)s.p[0]) && str_to_i64(s, &port) &&
           port >= 1 && port <= 65535;
}

// Index of the last `c`, or the length.
static size_t find_last(struct str s, char c)
{
    for (size_t i = s.n; i > 0; i--)
        if (s.p[i - 1] == c)
            return i - 1;
    return s.n;
}

static bool is_host(struct str host)
{
    const char *marks = host.n > 0 && host.p[0] == '[' ? ":[]%." : ".-_";
    for (size_t i = 0; i < host.n; i++)
        if (!isalnum((unsigned char)host.p[i]) && strchr(marks, host.p[i]) == NULL)
            return false;
    return host.n > 0;
}

// Splits "host:port" or "[::1]:port"; without a port, *ret_port has no pointer.
static void split_node(struct str node, struct str *ret_host, struct str *ret_port)
{
    size_t colon = find_last(node, ':');
    size_t bracket = find_last(node, ']');
    bool has_port = colon < node.n && (bracket == node.n || colon > bracket);
    *ret_host = has_port ? (struct str){node.p, colon} : node;
    *ret_port =
        has_port ? (struct str){node.p + colon + 1, node.n - colon - 1} : (struct str){0};
}

static enum status append_node(struct buf *nodes, struct str node, bool tls,
                               struct str text, struct err *err)
{
    struct str host;
    struct str port;
    if (node.n == 0)
        return wrong(text, "it names no name node", err);
    split_node(node, &host, &port);
    if (!is_host(host)) {
        AUTO(buf_release) struct buf forms = {0};
        add_forms(&forms);
        return err_set(err, ST_USAGE, "'%.*s': '%.*s' is not a host name%s",
                       STR_ARGS(text), STR_ARGS(node), buf_cstr(&forms));
    }
    if (port.p != NULL && !is_port(port)) {
        AUTO(buf_release) struct buf forms = {0};
        add_forms(&forms);
        return err_set(err, ST_USAGE, "'%.*s': '%.*s' is not a port%s", STR_ARGS(text),
                       STR_ARGS(port), buf_cstr(&forms));
    }
    if (nodes->n)
        buf_char(nodes, ',');
    for (size_t i = 0; i < host.n; i++)
        buf_char(nodes, (char)tolower((unsigned char)host.p[i]));
    buf_char(nodes, ':');
    buf_str(nodes, port.p != NULL ? port : str_of(tls ? HTTPS_PORT : HTTP_PORT));
    return ST_OK;
}

// `rest` is what stands after "hdfs://".
static enum status set_webhdfs(struct str text, struct str rest, bool tls,
                               struct arena *arena, struct storage_url *ret,
                               struct err *err)
{
    AUTO(buf_release) struct buf nodes = {0};
    AUTO(buf_release) struct buf path = {0};
    struct str names = str_cut(&rest, '/');
    if (memchr(names.p, '@', names.n) != NULL)
        return err_set(err, ST_USAGE,
                       "a user cannot stand in a URL (hdfs://***@...); "
                       "give the user by WITH (user = '...')");
    while (names.p != NULL)
        TRY(append_node(&nodes, str_cut(&names, ','), tls, text, err));
    storage_url_append(&path, rest);
    *ret = (struct storage_url){
        .tls = tls,
        .nodes = arena_cstr(arena, buf_as_str(&nodes)),
        .path = arena_cstr(arena, buf_as_str(&path)),
    };
    ret->text =
        arena_printf(arena, "%s://%s%s", tls ? "hdfss" : "hdfs", ret->nodes, ret->path);
    return ST_OK;
}

enum status storage_url_local(struct str text, struct str rest, struct arena *arena,
                              struct storage_url *ret, struct err *err)
{
    if (rest.n == 0 || rest.p[0] != '/')
        return wrong(text, WRONG_SLASHES, err);
    return set_local(rest, arena, ret, err);
}

enum status storage_url_hdfs(struct str text, struct str rest, struct arena *arena,
                             struct storage_url *ret, struct err *err)
{
    return set_webhdfs(text, rest, false, arena, ret, err);
}

enum status storage_url_hdfss(struct str text, struct str rest, struct arena *arena,
                              struct storage_url *ret, struct err *err)
{
    return set_webhdfs(text, rest, true, arena, ret, err);
}

static enum status refuse_scheme(struct str text, struct err *err)
{
    struct str rest = text;
    struct str scheme = str_cut(&rest, ':');
    if (str_is(scheme, "webhdfs") || str_is(scheme, "swebhdfs"))
        return err_set(err, ST_USAGE, "'%.*s': write %s:// for %.*s://", STR_ARGS(text),
                       scheme.p[0] == 's' ? "hdfss" : "hdfs", STR_ARGS(scheme));
    AUTO(buf_release) struct buf forms = {0};
    add_forms(&forms);
    return err_set(err, ST_USAGE, "'%.*s': '%.*s' is not a storage that is known%s",
                   STR_ARGS(text), STR_ARGS(scheme), buf_cstr(&forms));
}

// "file" of "file://..."
static bool is_of_scheme(struct str text, const struct storage_scheme *scheme)
{
    size_t n = strcspn(scheme->prefix, ":") + 1;
    return text.n >= n && memcmp(text.p, scheme->prefix, n) == 0;
}

static enum status parse_as(const struct storage_scheme *scheme, struct str text,
                            struct arena *arena, struct storage_url *ret, struct err *err)
{
    size_t n = strlen(scheme->prefix);
    if (!str_starts_with(text, scheme->prefix))
        return wrong(text, WRONG_SLASHES, err);
    struct str rest = {text.p + n, text.n - n};
    TRY(scheme->parse(text, rest, arena, ret, err));
    ret->scheme = scheme;
    ret->is_local = scheme->is_local;
    return ST_OK;
}

// "word:" at the front, as in "file:" or "s3:"; a path may hold ':' behind a '/'.
static bool has_scheme(struct str text)
{
    size_t i = 0;
    while (i < text.n && (isalnum((unsigned char)text.p[i]) || strchr("+-.", text.p[i])))
        i++;
    return i > 0 && i + 1 < text.n && text.p[i] == ':' && text.p[i + 1] == '/';
}

enum status storage_url_parse(struct str text, struct arena *arena,
                              struct storage_url *ret, struct err *err)
{
    if (text.n == 0)
        return wrong(text, "it is empty", err);
    if (!is_text(text))
        return err_set(err, ST_USAGE, "a path holds control characters or is not UTF-8");
    for (size_t i = 0; storage_schemes[i] != NULL; i++)
        if (is_of_scheme(text, storage_schemes[i]))
            return parse_as(storage_schemes[i], text, arena, ret, err);
    if (has_scheme(text))
        return refuse_scheme(text, err);
    if (str_is(text, "~") || str_starts_with(text, "~/"))
        return err_set(err, ST_USAGE, "'%.*s': ~ is not replaced; write ${HOME}",
                       STR_ARGS(text));
    TRY(set_local(text, arena, ret, err));
    ret->scheme = storage_schemes[0];
    ret->is_local = true;
    return ST_OK;
}
