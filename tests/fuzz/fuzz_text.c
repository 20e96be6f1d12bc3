// SPDX-License-Identifier: Apache-2.0
// Any bytes as text from outside: what is shown of it is UTF-8 without a control
// character, at most TEXT_GROWTH times as long, and stays as it is when shown again; a
// hidden login stays hidden. JSON of it is UTF-8 too.
#include <assert.h>

#include "fuzz_parts.h"

#include "base/text.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 3000,
    .steps_a_byte = 1500,
    .bytes = 10000,
    .bytes_a_byte = 400,
    .held = 5000,
    .held_a_byte = 200,
};

static void check_visible(struct str text)
{
    size_t most = text.n * TEXT_GROWTH;
    char *once = mem_alloc(most), *twice = mem_alloc(most * TEXT_GROWTH);
    size_t n = text_visible(text, once, most);
    struct str shown = {once, n};
    assert(str_utf8_valid(shown) == n);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)once[i];
        bool is_c1 = c == 0xC2 && (unsigned char)once[i + 1] < 0xA0;
        assert(c >= 0x20 && c != 0x7F && !is_c1);
    }
    assert(text_visible(shown, twice, most * TEXT_GROWTH) == n);
    assert(n == 0 || memcmp(once, twice, n) == 0);
    for (size_t room = 0; room < 20 && room < n; room++) // whole characters only
        assert(str_utf8_valid((struct str){twice, text_visible(text, twice, room)}) <=
               room);
    free(once);
    free(twice);
}

static void check_logins(struct str text)
{
    char *copy = mem_strndup(text.p, text.n), *again;
    size_t before = strlen(copy);
    text_hide_logins(copy);
    assert(strlen(copy) <= before);
    again = mem_strdup(copy);
    text_hide_logins(again);
    assert(strcmp(copy, again) == 0);
    free(copy);
    free(again);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str text = fuzz_copy((struct str){(const char *)data, size});
    struct buf json = {0};
    check_visible(text);
    check_logins(text);
    text_json(&json, text);
    assert(json.n <= 2 + size * TEXT_GROWTH &&
           str_utf8_valid(buf_as_str(&json)) == json.n);
    buf_release(&json);
    free((char *)text.p);
}
