// SPDX-License-Identifier: Apache-2.0
// URLs of http and https, taken apart by libcurl. Pure; any thread.
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/arena.h"
#include "base/buf.h"
#include "http/client.h"

struct http_url {
    const char *url;         // to be asked for: without credentials and fragment
    const char *shown;       // the same without its query, which may hold a key
    const char *node;        // "host:port", or "host" when it says no port
    struct http_login login; // empty: it has none
    bool is_tls;
    bool has_query;
    bool is_local; // this machine: localhost, 127.0.0.0/8, [::1]
};

// False when the text is no such URL. What is set belongs to the arena.
bool http_url_parse(struct str text, struct arena *arena, struct http_url *ret);

// For messages: whatever stands for an address, without credentials, query and fragment,
// also when it is mistyped. Belongs to the arena.
const char *http_url_shown(struct str text, struct arena *arena);

// Whether a redirect from a URL, perhaps a relative one, has a user or password in it.
bool http_url_leads_to_login(const char *from, const char *location);

// Appends `s`, percent-encoded (RFC 3986); '/' stays as it is if `is_path`.
void http_url_escape(struct buf *url, struct str s, bool is_path);

// Whether somebody between here and there could read a login for this URL.
static inline bool http_url_is_exposed(const struct http_url *url)
{
    return !url->is_tls && !url->is_local;
}

#endif
