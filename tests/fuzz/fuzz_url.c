// SPDX-License-Identifier: Apache-2.0
// Any bytes as addresses, parted by a zero byte: of storages, of registries, of feeds.
// Each is read or refused with a text; one spelling reads back as itself; a place shares
// its files with itself; what is shown has no login.
#include <assert.h>

#include "fuzz_parts.h"

#include "base/text.h"
#include "http/url.h"
#include "registry/address.h"
#include "storage/overlap.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 20000,
    .steps_a_byte = 1000,
    .bytes = 1 << 20,
    .bytes_a_byte = 500,
    .held = 500000,
    .held_a_byte = 300,
};

static bool parse(struct str text, struct arena *arena, struct storage_url *ret)
{
    struct err err = {0};
    enum status rc = storage_url_parse(text, arena, ret, &err);
    assert(rc == ST_OK || (rc == ST_USAGE && err.text[0] != '\0'));
    return rc == ST_OK;
}

static void check_storage(struct str a_text, struct str b_text)
{
    struct arena arena = {0};
    struct storage_url a, b, again;
    if (parse(a_text, &arena, &a)) {
        assert(a.path[0] == '/' || a.path[0] == '\0');
        bool reads = parse(str_of(a.text), &arena, &again);
        assert(reads || a.path[0] == '\0'); // a root has no spelling of its own
        if (reads) {
            assert(strcmp(a.text, again.text) == 0);
            assert(storage_overlap(&a, &again) == STORAGE_SAME);
        }
        if (parse(b_text, &arena, &b)) {
            enum storage_overlap one = storage_overlap(&a, &b);
            enum storage_overlap other = storage_overlap(&b, &a);
            assert((one == STORAGE_HOLDS) == (other == STORAGE_INSIDE));
            assert((one == STORAGE_SAME) == (other == STORAGE_SAME));
        }
    }
    arena_release(&arena);
}

// No user, no password before the host.
static void check_no_login(const char *url)
{
    const char *host = strstr(url, "://");
    assert(host != NULL);
    assert(memchr(host, '@', 3 + strcspn(host + 3, "/")) == NULL);
}

static void check_registry(struct str text)
{
    struct arena arena = {0};
    struct address *addresses;
    size_t n;
    struct err err = {0};
    enum status rc = address_list(text, &arena, &addresses, &n, &err);
    assert(rc == ST_OK || (rc == ST_USAGE && err.text[0] != '\0'));
    for (size_t i = 0; rc == ST_OK && i < n; i++)
        check_no_login(addresses[i].url);
    arena_release(&arena);
}

static void check_feed(struct str text)
{
    struct arena arena = {0};
    struct http_url url;
    const char *shown = http_url_shown(text, &arena);
    assert(strpbrk(shown, "?#") == NULL);
    if (http_url_parse(text, &arena, &url)) {
        check_no_login(url.url);
        check_no_login(url.shown);
        assert(strcmp(url.shown, shown) == 0);
    }
    arena_release(&arena);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct str a = fuzz_part(&rest), b = fuzz_part(&rest);
    check_storage(a, b);
    check_registry(a);
    check_feed(a);
    free((char *)a.p);
    free((char *)b.p);
}
