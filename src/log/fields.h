// SPDX-License-Identifier: Apache-2.0
// Fields of JSON objects, as entries and units have them. Inside src/log.
#ifndef LOG_FIELDS_H
#define LOG_FIELDS_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/json.h"
#include "log/unit.h"

// A text that is not UTF-8 becomes null, which no reader takes.
json_t *json_of_text(struct str text);
void put_text(json_t *object, const char *key, struct str text);
void put_number(json_t *object, const char *key, int64_t number);
// Of a record mark the key is "last", and it is left out when no record was read.
void put_mark(json_t *object, const struct record_mark *mark);
// Left out where they are not known.
void put_epoch(json_t *object, struct leader_epoch epoch);
void put_topic_id(json_t *object, struct str id);
void put_work(json_t *object, const struct unit *unit); // "partitions" to "files"
json_t *unit_json(const struct unit *unit);
// Appends the text of the object, and an LF.
void fields_append(const json_t *object, struct buf *ret);

// What decoding goes with: the first thing that was wrong stays in err.
struct decoding {
    struct arena *arena;
    struct err *err;
    enum status rc;
    bool has_names; // files have their final names: those of an entry
};

void wrong(struct decoding *dec, const char *key, const char *wanted);
struct str get_text(struct decoding *dec, const json_t *object, const char *key);
int64_t get_number(struct decoding *dec, const json_t *object, const char *key);
int32_t get_partition(struct decoding *dec, const json_t *object);
const json_t *get_array(struct decoding *dec, const json_t *object, const char *key);
void get_hex(struct decoding *dec, const json_t *object, const char *key, size_t n_digits,
             char *ret);
struct record_mark get_mark(struct decoding *dec, const json_t *object);
struct leader_epoch get_epoch(struct decoding *dec, const json_t *object);
struct str get_topic_id(struct decoding *dec, const json_t *object);
void get_work(struct decoding *dec, const json_t *object, struct unit *ret);
// Looks at it as unit_decode does.
enum status unit_of_json(const json_t *object, struct unit *ret, struct err *err);

// Checks. ST_DATA with the words for a file's name, and for partitions that do not rise.
enum status wrong_name(const char *field, size_t index, struct str name,
                       const char *wanted, struct err *err);
enum status check_order(int64_t before, int64_t partition, struct err *err);

#endif
