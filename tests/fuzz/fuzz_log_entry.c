// SPDX-License-Identifier: Apache-2.0
// Any bytes as an entry of the log: an entry or ST_DATA with a text; what was read is
// written and read again the same. The checksum is made right first, else nothing would
// get past it.
#include <assert.h>

#include "fuzz_parts.h"

#include "engine/log_entry.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 20000,
    .steps_a_byte = 500,
    .bytes = 1 << 20,
    .bytes_a_byte = 2000,
    .held = 500000,
    .held_a_byte = 1000,
};

static void make_checksum_right(char *text, size_t n)
{
    static const char field[] = "\"checksum\":\"";
    char digits[SHA256_HEX];
    char *place = memmem(text, n, field, sizeof(field) - 1);
    if (place == NULL || (size_t)(text + n - place) < sizeof(field) - 1 + SHA256_HEX)
        return;
    place += sizeof(field) - 1;
    memset(place, '0', SHA256_HEX - 1);
    sha256_hex(text, n, digits);
    memcpy(place, digits, SHA256_HEX - 1);
}

static void check_again(struct entry *entry, struct arena *arena)
{
    struct buf first = {0}, second = {0};
    struct entry again;
    struct err err;
    enum status rc = entry_encode(entry, &first, &err);
    assert(rc == ST_OK);
    rc = entry_decode(buf_as_str(&first), arena, &again, &err);
    assert(rc == ST_OK);
    rc = entry_encode(&again, &second, &err);
    assert(rc == ST_OK);
    assert(str_eq(buf_as_str(&first), buf_as_str(&second)));
    buf_release(&first);
    buf_release(&second);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct entry entry;
    struct err err = {0};
    char *text = mem_strndup((const char *)data, size);
    make_checksum_right(text, size);
    enum status rc = entry_decode((struct str){text, size}, &arena, &entry, &err);
    assert(rc == ST_OK || (rc == ST_DATA && err.text[0] != '\0'));
    if (rc == ST_OK)
        check_again(&entry, &arena);
    free(text);
    arena_release(&arena);
}
