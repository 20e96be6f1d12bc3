// SPDX-License-Identifier: Apache-2.0
// Any bytes as an entry of the log: an entry or ST_DATA with a text; what was read is
// written and read again the same, its names stay below the result, and a log state takes
// it or refuses it. The checksum is made right first, else nothing would get past it.
//
// Behind a byte 1 stand changes of a good entry: a place, a value, and again.
#include <assert.h>

#include "fuzz_parts.h"

#include "hostile_entry.h"
#include "log/log_state.h"

// A good entry is part of many inputs; each two bytes change it once.
const struct fuzz_budget fuzz_budget = {
    .steps = 300000,
    .steps_a_byte = 10000,
    .bytes = 4 << 20,
    .bytes_a_byte = 20000,
    .held = 1 << 20,
    .held_a_byte = 2000,
};

#define WRITER "11111111-1111-4111-8111-111111111111"
#define OTHER  "22222222-2222-4222-8222-222222222222"

static const char good[] =
    "{\"format\":1,\"checksum\":\"\",\"prev\":"
    "\"00000000000000000000000000000000000000000000000000000000000000aa\","
    "\"number\":8,\"kind\":\"commit\",\"writer\":\"" WRITER "\",\"attempt\":\"" OTHER
    "\",\"worker\":\"host/1/0\",\"time_ms\":1790000000000,"
    "\"job\":{\"cluster\":\"c\",\"topic\":\"t\",\"group\":\"g\",\"name\":\"n\"},"
    "\"plan\":\"p\",\"schema\":\"a TEXT\",\"dimension\":\"d\","
    "\"files_format\":{\"name\":\"csv\",\"options\":{\"header\":\"true\"}},"
    "\"partitions\":[{\"partition\":0,\"first\":100,\"next\":250,\"data\":148,"
    "\"skipped\":2,\"gap\":0,\"ignored\":1,\"rejected\":3,"
    "\"last\":{\"offset\":249,\"time_ms\":-1,\"crc32c\":\"9ae0daaf\"}},"
    "{\"partition\":2,\"first\":0,\"next\":5,\"data\":5,\"skipped\":0,\"gap\":0,"
    "\"ignored\":0,\"rejected\":0}],"
    "\"rows\":1480,\"matched\":144,\"first_batch_ms\":5,\"last_batch_ms\":6,"
    "\"files\":[{\"kind\":\"data\",\"tmp\":\"_tramline/tmp/" WRITER "/" WRITER
    "\",\"name\":\"part-00000000000000000008-0.csv\",\"rows\":1480,\"bytes\":99999,"
    "\"checksum\":\"0123456789abcdef0123456789abcdef\"},"
    "{\"kind\":\"dead\",\"tmp\":\"_tramline/tmp/" WRITER "/" OTHER
    "\",\"name\":\"_tramline/dead/00000000000000000008-1.jsonl\",\"rows\":3,"
    "\"bytes\":9,\"checksum\":\"0123456789abcdef0123456789abcdef\"}],"
    "\"snapshot\":{\"partitions\":[{\"partition\":0,\"next\":100,\"writer\":\"" WRITER
    "\"},{\"partition\":2,\"next\":0,\"writer\":\"\"}],\"pending\":[5,6],\"writers\":["
    "\"" WRITER "\",\"" OTHER "\"]}}";

static void change(const struct places *places, uint8_t place, uint8_t which)
{
    json_t *value = which % 2 ? hostile_name(which / 2) : hostile_value(which / 2);
    if (value != NULL && places->n > 0)
        place_set(places->items[place % places->n], value);
    json_decref(value);
}

// Places are found again after each change: what was changed holds others.
static void make_forged(const uint8_t *changes, size_t n, struct buf *ret)
{
    json_t *entry = json_loadb(good, sizeof(good) - 1, 0, NULL);
    assert(entry != NULL);
    for (size_t i = 0; i + 1 < n && i < 64; i += 2) {
        struct places places = {0};
        places_find(entry, &places);
        change(&places, changes[i], changes[i + 1]);
        free(places.items);
    }
    entry_seal(entry, ret);
    json_decref(entry);
}

static void make_checksum_right(char *text, size_t n)
{
    static const char field[] = "\"checksum\":\"";
    char digits[SHA256_HEX];
    char *place = n > 0 ? memmem(text, n, field, sizeof(field) - 1) : NULL;
    if (place == NULL || (size_t)(text + n - place) < sizeof(field) - 1 + SHA256_HEX)
        return;
    place += sizeof(field) - 1;
    memset(place, '0', SHA256_HEX - 1);
    sha256_hex(text, n, digits);
    memcpy(place, digits, SHA256_HEX - 1);
}

// By other means than entry_check: no way out of the directory, one folder, known
// letters.
static void check_name(struct str name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-_./=";
    assert(name.n > 0 && name.n < 128 && name.p[0] != '/' && name.p[name.n - 1] != '/');
    for (size_t i = 0; i < name.n; i++) {
        assert(memchr(letters, name.p[i], sizeof(letters) - 1) != NULL);
        assert(i == 0 || name.p[i - 1] != name.p[i] || strchr("./", name.p[i]) == NULL);
    }
}

static void check_names(const struct entry *entry)
{
    for (size_t i = 0; i < entry->n_files; i++) {
        const struct entry_file *file = &entry->files[i];
        check_name(file->tmp);
        check_name(file->name);
        assert(str_starts_with(file->tmp, "_tramline/tmp/"));
        assert(str_starts_with(file->name, "part-") ||
               str_starts_with(file->name, "day=") ||
               str_starts_with(file->name, "_tramline/dead/"));
    }
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

static void apply(const struct entry *entry)
{
    struct log_state state = {0};
    struct err err;
    log_state_load(&state, entry);
    enum status rc = log_state_apply(&state, entry, &err);
    assert(rc == ST_OK || rc == ST_DATA);
    log_state_release(&state);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct entry entry;
    struct err err = {0};
    struct buf bytes = {0};
    if (size > 0 && data[0] == 1) {
        make_forged(data + 1, size - 1, &bytes);
    } else {
        buf_append(&bytes, data, size);
        make_checksum_right(bytes.p, bytes.n);
    }
    enum status rc = entry_decode(buf_as_str(&bytes), &arena, &entry, &err);
    if (rc == ST_OK)
        rc = entry_check(&entry, entry.number, &err);
    assert(rc == ST_OK || (rc == ST_DATA && err.text[0] != '\0'));
    if (rc == ST_OK) {
        check_names(&entry);
        check_again(&entry, &arena);
        apply(&entry);
    }
    buf_release(&bytes);
    arena_release(&arena);
}
