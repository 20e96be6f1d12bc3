// SPDX-License-Identifier: Apache-2.0
#include "registry/address.h"

#include <curl/curl.h>

enum {
    ADDRESSES_MAX = 20
};

static const char *part_of(CURLU *url, CURLUPart part, struct arena *arena)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, CURLU_URLDECODE) != CURLUE_OK || text == NULL)
        return NULL;
    const char *copy = arena_cstr(arena, str_of(text));
    curl_free(text);
    return copy;
}

// The address without what must not be shown.
static const char *shown_of(CURLU *url, struct arena *arena)
{
    char *text = NULL;
    curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    if (curl_url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
        return NULL;
    struct str shown = str_of(text);
    while (str_ends_with(shown, "/"))
        shown.n--;
    const char *copy = arena_cstr(arena, shown);
    curl_free(text);
    return copy;
}

static bool is_http(const char *scheme)
{
    return scheme != NULL &&
           (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
}

static enum status parse(struct str text, struct arena *arena, struct address *ret,
                         struct err *err)
{
    CURLU *url = curl_url();
    bool good = curl_url_set(url, CURLUPART_URL, arena_cstr(arena, text), 0) == CURLUE_OK;
    const char *scheme = good ? part_of(url, CURLUPART_SCHEME, arena) : NULL;
    good = is_http(scheme) && part_of(url, CURLUPART_QUERY, arena) == NULL &&
           part_of(url, CURLUPART_FRAGMENT, arena) == NULL;
    if (good) {
        ret->login.user = part_of(url, CURLUPART_USER, arena);
        ret->login.password = part_of(url, CURLUPART_PASSWORD, arena);
        ret->url = shown_of(url, arena);
    }
    curl_url_cleanup(url);
    if (good)
        return ST_OK;
    // What stands before an @ could be a password.
    bool secret = text.n != 0 && memchr(text.p, '@', text.n) != NULL;
    return err_set(err, ST_USAGE,
                   "registry: '%.*s' is no address; write http://host:port/path",
                   STR_ARGS(secret ? STR_LITERAL("(not shown)") : text));
}

enum status address_list(struct str urls, struct arena *arena, struct address **ret,
                         size_t *ret_n, struct err *err)
{
    struct address *addresses = arena_array(arena, ADDRESSES_MAX, sizeof(*addresses));
    size_t n = 0;
    struct str rest = urls;
    do {
        struct str text = str_trim(str_cut(&rest, ','));
        if (n == ADDRESSES_MAX)
            return err_set(err, ST_USAGE, "registry: more than %d addresses",
                           ADDRESSES_MAX);
        TRY(parse(text, arena, &addresses[n++], err));
    } while (rest.p != NULL);
    *ret = addresses;
    *ret_n = n;
    return ST_OK;
}
