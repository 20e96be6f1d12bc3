// SPDX-License-Identifier: Apache-2.0
#include "job/clear_text.h"

#include "base/log.h"
#include "http/url.h"
#include "storage/storage_url.h"

static void tell(const char *what, const char *where, const char *way_out)
{
    log_warn("%s to %s in clear text, which others on the way can read; %s", what, where,
             way_out);
}

static void tell_registry(const struct options *format, struct arena *arena)
{
    bool has_token = options_text(format, "registry.token").n > 0;
    bool has_user = options_text(format, "registry.user").n > 0;
    struct str rest = options_text(format, "registry");
    while (rest.n > 0) {
        struct http_url url;
        if (!http_url_parse(str_trim(str_cut(&rest, ',')), arena, &url) ||
            !http_url_is_exposed(&url))
            continue;
        if (url.login.user == NULL && has_token)
            tell("the registry's token goes", url.shown, "give an https:// address");
        else if (url.login.user != NULL || has_user)
            tell("the registry's user and password go", url.shown,
                 "give an https:// address");
    }
}

static bool is_exposed_node(struct str node, struct arena *arena)
{
    struct http_url url;
    const char *text = arena_printf(arena, "http://%.*s", STR_ARGS(node));
    return http_url_parse(str_of(text), arena, &url) && http_url_is_exposed(&url);
}

// With Kerberos a name node's redirect holds a delegation token. Each once: `told` has
// the name nodes that it was said of.
static void tell_storage(const struct options *options, struct buf *told,
                         struct arena *arena)
{
    struct storage_url url;
    struct err ignored;
    if (!options_is(options, "auth", "kerberos") ||
        storage_url_parse(options_text(options, "path"), arena, &url, &ignored) !=
            ST_OK ||
        url.is_local || url.tls)
        return;
    struct str rest = str_of(url.nodes);
    const char *nodes = arena_printf(arena, "hdfs://%s", url.nodes);
    if (!is_exposed_node(str_cut(&rest, ','), arena) ||
        strstr(buf_cstr(told), nodes) != NULL)
        return;
    buf_printf(told, "%s ", nodes);
    tell("Kerberos' delegation tokens go", nodes, "write hdfss://");
}

void clear_text_tell_script(const struct plan *plan)
{
    AUTO(arena_release) struct arena arena = {0};
    if (plan->stream != NULL && format_of(&plan->stream->format)->schemas != NULL)
        tell_registry(&plan->stream->format, &arena);
    AUTO(buf_release) struct buf told = {0};
    for (size_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i].kind != TABLE_STREAM)
            tell_storage(&plan->tables[i].options, &told, &arena);
    for (size_t i = 0; i < plan->n_views; i++)
        if (plan->views[i].materialized)
            tell_storage(&plan->views[i].options, &told, &arena);
}

void clear_text_tell_feed(const char *location)
{
    AUTO(arena_release) struct arena arena = {0};
    struct http_url url;
    bool is_url = http_url_parse(str_of(location), &arena, &url);
    if (is_url && url.login.user != NULL && http_url_is_exposed(&url))
        tell("the feed's user and password go", url.shown, "give an https:// URL");
}
