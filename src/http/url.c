// SPDX-License-Identifier: Apache-2.0
#include "http/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stdlib.h>

#include "base/text.h"

// NULL when it has no such part. *ret_good becomes false when the part cannot be decoded.
static const char *part_of(CURLU *url, CURLUPart part, bool decoded, struct arena *arena,
                           bool *ret_good)
{
    char *text = NULL;
    CURLUcode rc = curl_url_get(url, part, &text, decoded ? CURLU_URLDECODE : 0);
    if (rc == CURLUE_URLDECODE)
        *ret_good = false;
    if (rc != CURLUE_OK || text == NULL)
        return NULL;
    const char *copy = arena_cstr(arena, str_of(text));
    curl_free(text);
    return copy;
}

static bool is_local(struct str host)
{
    struct in_addr four;
    char six[64];
    struct in6_addr address;
    if (host.n > 2 && host.n < sizeof(six) && host.p[0] == '[') {
        snprintf(six, sizeof(six), "%.*s", (int)host.n - 2, host.p + 1);
        return inet_pton(AF_INET6, six, &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address);
    }
    if (inet_pton(AF_INET, host.p, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    return str_eq_nocase(host, STR_LITERAL("localhost"));
}

static bool take_apart(CURLU *url, struct arena *arena, struct http_url *ret)
{
    bool good = true;
    const char *scheme = part_of(url, CURLUPART_SCHEME, false, arena, &good);
    const char *host = part_of(url, CURLUPART_HOST, false, arena, &good);
    const char *port = part_of(url, CURLUPART_PORT, false, arena, &good);
    if (scheme == NULL || host == NULL ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return false;
    *ret = (struct http_url){
        .node = port ? arena_printf(arena, "%s:%s", host, port) : host,
        .is_tls = strcmp(scheme, "https") == 0,
        .is_local = is_local(str_of(host)),
        .login.user = part_of(url, CURLUPART_USER, true, arena, &good),
        .login.password = part_of(url, CURLUPART_PASSWORD, true, arena, &good),
        .has_query = part_of(url, CURLUPART_QUERY, false, arena, &good) != NULL,
    };
    curl_url_set(url, CURLUPART_USER, NULL, 0);
    curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    ret->url = part_of(url, CURLUPART_URL, false, arena, &good);
    curl_url_set(url, CURLUPART_QUERY, NULL, 0);
    ret->shown = part_of(url, CURLUPART_URL, false, arena, &good);
    return good && ret->url != NULL && ret->shown != NULL;
}

bool http_url_parse(struct str text, struct arena *arena, struct http_url *ret)
{
    struct http_url parts;
    bool is_text = text.n > 0 && memchr(text.p, '\0', text.n) == NULL;
    CURLU *url = curl_url();
    bool good =
        is_text &&
        curl_url_set(url, CURLUPART_URL, arena_cstr(arena, text), 0) == CURLUE_OK &&
        take_apart(url, arena, &parts);
    curl_url_cleanup(url);
    if (good)
        *ret = parts;
    return good;
}

const char *http_url_shown(struct str text, struct arena *arena)
{
    struct http_url parts;
    if (http_url_parse(text, arena, &parts))
        return parts.shown;
    AUTO(buf_release) struct buf shown = {0};
    size_t n = 0;
    while (n < text.n && text.p[n] != '?' && text.p[n] != '#')
        n++;
    buf_append(&shown, text.p, n);
    char *copy = arena_printf(arena, "%s", buf_cstr(&shown));
    text_hide_logins(copy);
    return copy;
}

bool http_url_leads_to_login(const char *from, const char *location)
{
    AUTO(arena_release) struct arena arena = {0};
    bool good = true;
    CURLU *url = curl_url();
    curl_url_set(url, CURLUPART_URL, from, 0);
    curl_url_set(url, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME);
    bool has_login = part_of(url, CURLUPART_USER, false, &arena, &good) != NULL ||
                     part_of(url, CURLUPART_PASSWORD, false, &arena, &good) != NULL;
    curl_url_cleanup(url);
    return has_login;
}

static void escape_part(struct buf *url, struct str part)
{
    if (part.n == 0) // would be taken for a C string
        return;
    char *text = curl_easy_escape(NULL, part.p, (int)part.n);
    buf_text(url, text);
    curl_free(text);
}

void http_url_escape(struct buf *url, struct str s, bool is_path)
{
    struct str rest = s;
    while (is_path && s.n > 0 && memchr(rest.p, '/', rest.n) != NULL) {
        escape_part(url, str_cut(&rest, '/'));
        buf_char(url, '/');
    }
    escape_part(url, rest);
}
