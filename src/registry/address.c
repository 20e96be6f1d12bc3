// SPDX-License-Identifier: Apache-2.0
#include "registry/address.h"

enum {
    ADDRESSES_MAX = 20
};

static enum status parse(struct str text, struct arena *arena, struct address *ret,
                         struct err *err)
{
    struct http_url url;
    if (http_url_parse(text, arena, &url) && !url.has_query) {
        struct str shown = str_of(url.shown);
        while (str_ends_with(shown, "/"))
            shown.n--;
        *ret = (struct address){arena_cstr(arena, shown), url};
        return ST_OK;
    }
    // What stands before an @ could be a password.
    bool secret = text.n != 0 && memchr(text.p, '@', text.n) != NULL;
    return err_set(err, ST_USAGE,
                   "registry: '%.*s' is not an address; write http://host:port/path",
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
