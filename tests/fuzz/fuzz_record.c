// SPDX-License-Identifier: Apache-2.0
// Any bytes as a record: topic, key, headers' name, value, parted by zero bytes. Its dead
// letter is one line of JSON, and of a bounded length; what a frame is not is described.
#include <assert.h>
#include <jansson.h>

#include "fuzz_parts.h"

#include "avro/frame.h"
#include "base/text.h"
#include "work/dead_letter.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 5000,
    .steps_a_byte = 800,
    .bytes = 50000,
    .bytes_a_byte = 1000,
    .held = 20000,
    .held_a_byte = 400,
};

enum {
    LETTER_BYTES = 400, // beside what is the record's
    GROWTH = 8
};

static void check_letter(const struct record *record, struct str topic, struct str reason)
{
    struct buf headers = {0}, line = {0};
    buf_text(&headers, "[{\"key\":");
    text_json(&headers, reason);
    buf_text(&headers, ",\"value\":null}]");
    struct dead_letter letter = {.topic = topic,
                                 .partition = 3,
                                 .record = record,
                                 .headers = buf_as_str(&headers),
                                 .reason = reason};
    dead_letter_format(&letter, &line);
    size_t n = topic.n + record->key.n + record->value.n + 2 * reason.n;
    assert(line.n <= LETTER_BYTES + GROWTH * n);
    assert(line.n > 0 && memchr(line.p, '\n', line.n) == line.p + line.n - 1);
    json_t *json = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
    assert(json_is_object(json));
    json_decref(json);
    buf_release(&headers);
    buf_release(&line);
}

static void check_frame(struct str value)
{
    struct buf text = {0};
    struct str datum;
    struct schema_key key;
    int32_t id;
    if (frame_parse(value, &id, &datum)) {
        frame_put(id, &text);
        assert(id > 0 && text.n + datum.n == value.n);
        assert(memcmp(text.p, value.p, text.n) == 0);
        buf_clear(&text);
    }
    frame_describe(value, &text);
    assert(text.n > 0 && text.n < 500 && str_utf8_valid(buf_as_str(&text)) == text.n);
    buf_clear(&text);
    if (!frame_parse_header(value, &key)) {
        frame_describe_header(value, &text);
        assert(text.n > 0 && text.n < 500);
    }
    buf_release(&text);
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct str topic = fuzz_part(&rest), key = fuzz_part(&rest);
    struct str reason = fuzz_part(&rest), value = fuzz_copy(rest);
    struct record record = {
        .offset = (int64_t)size, .time_ms = -1, .key = key, .value = value};
    check_letter(&record, topic, reason);
    record.key = (struct str){0};
    record.value = (struct str){0};
    check_letter(&record, topic, reason);
    check_frame(value);
    free((char *)topic.p);
    free((char *)key.p);
    free((char *)reason.p);
    free((char *)value.p);
}
