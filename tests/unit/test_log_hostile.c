// SPDX-License-Identifier: Apache-2.0
// Entries that somebody forged: each field of each entry of a good log becomes, in turn,
// each of many values, with a checksum that holds. A reader takes the entry or refuses it
// by name; what follows names out of the log touches nothing but the job's own files, and
// no sum overflows (under UBSan).
// test: takes 60
#include "test.h"

#include "base/log.h"
#include "commit/clean.h"
#include "hostile_entry.h"
#include "log/commit_log.h"
#include "log/log_read.h"
#include "log/paths.h"
#include "log/verify.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"
#include "sim/sim_job.h"
#include "sim/sim_patience.h"
#include "sim/sim_random.h"

enum {
    ENTRIES_MAX = 16,
    LAST_TRIED = 4, // a commit with a file and a snapshot
};

struct fixture {
    struct sim_job job;
    struct mem_tree *tree;
    struct storage *storage;
    struct buf good[ENTRIES_MAX];
    int64_t n;
    int n_taken, n_refused;
};

static const char *const precious[] = {"precious/a", "_tramline/tmp/keep/b", "other"};

static void put(struct storage *storage, const char *path, struct str bytes)
{
    struct err err = {0};
    (void)storage->ops->remove(storage, str_of(path), &err);
    assert_ok(storage_write_bytes(storage, str_of(path), bytes, &err), &err);
}

static void load(struct fixture *fix)
{
    struct err err;
    for (fix->n = 0; fix->n < ENTRIES_MAX; fix->n++) {
        struct path path = path_entry(fix->n);
        enum status rc = storage_read_all(fix->storage, path_str(&path), 1 << 20,
                                          &fix->good[fix->n], &err);
        if (rc == ST_NOT_FOUND)
            break;
        assert_ok(rc, &err);
    }
}

// A job, claims, commits with rows and dead letters, and a snapshot in every other entry.
static void set_up(struct fixture *fix, bool by_day)
{
    struct err err = {0};
    *fix = (struct fixture){0};
    log_set_level(LOG_ERROR);
    sim_job_init(&fix->job, 3);
    fix->job.clock.now_ms = 1790000000000;
    fix->job.job.settings.log_snapshot = 2;
    fix->job.job.settings.directory_by_day = by_day;
    fix->job.job.settings.commit_rows = 7;
    for (int i = 0; i < 30; i++)
        sim_job_record(&fix->job, i % 3, i < 2 ? SIM_BAD : SIM_ROWS, 2);
    fix->tree = mem_tree_open(&fix->job.clock.env);
    fix->storage =
        storage_fault_open(storage_mem_open(fix->tree, "/r"), &(struct fault_config){0});
    assert_ok(sim_job_run(&fix->job, fix->storage, &err), &err);
    load(fix);
    assert_true(fix->n > 4);
    for (size_t i = 0; i < ARRAY_LEN(precious); i++)
        put(fix->storage, precious[i], STR_LITERAL("x"));
}

static void tear_down(struct fixture *fix)
{
    for (size_t i = 0; i < ENTRIES_MAX; i++)
        buf_release(&fix->good[i]);
    fix->storage->ops->close(fix->storage);
    mem_tree_unref(fix->tree);
}

static void put_entry(struct fixture *fix, int64_t number, struct str bytes)
{
    struct path path = path_entry(number);
    put(fix->storage, path.text, bytes);
}

// Each takes no more than so many calls.
static void assert_few_calls(const struct fixture *fix, uint64_t before)
{
    assert_in_range(storage_fault_n_calls(fix->storage) - before, 0, 1000);
}

static void recover(struct fixture *fix, struct log_state *state)
{
    struct err err;
    uint64_t before = storage_fault_n_calls(fix->storage);
    enum status rc = log_recover(fix->storage, state, &err);
    assert_true(rc == ST_OK || rc == ST_DATA);
    assert_few_calls(fix, before);
}

// Renames and removes as a worker does after a claim.
static void settle_and_clean(struct fixture *fix, struct log_state *state)
{
    struct sim_patience patience;
    struct err err;
    uint64_t before = storage_fault_n_calls(fix->storage);
    sim_patience_init(&patience, fix->storage, &fix->job.clock, 0);
    enum status rc = clean_folders(&patience.patience, state, "none", &err);
    assert_true(rc == ST_OK || rc == ST_DATA);
    assert_few_calls(fix, before);
    fix->storage->deadline = NULL; // it was the patience's
}

static void verify(struct fixture *fix)
{
    struct verify_options options = {.checksums = true};
    struct verify_report report = {0};
    struct err err;
    assert_ok(verify_run(fix->storage, &options, &report, &err), &err);
    verify_report_release(&report);
}

static void assert_nothing_else_moved(struct fixture *fix)
{
    struct file_info info;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(precious); i++)
        assert_ok(fix->storage->ops->stat(fix->storage, str_of(precious[i]), &info, &err),
                  &err);
}

static void assert_text_names_it(int64_t number, const struct err *err)
{
    struct path path = path_entry(number);
    const char *end = "put the entry back as it was, or start over with tramline init "
                      "--reset";
    assert_int_equal(err->status, ST_DATA);
    assert_non_null(strstr(err->text, path.text));
    assert_true(str_ends_with(str_of(err->text), end));
}

static void follow(struct fixture *fix)
{
    struct log_state state = {0};
    recover(fix, &state);
    settle_and_clean(fix, &state);
    log_state_release(&state);
    verify(fix);
    assert_nothing_else_moved(fix);
}

// Whether a reader takes it; then all that follows the log runs over it.
static bool is_taken(struct fixture *fix, int64_t number, struct str bytes)
{
    AUTO(arena_release) struct arena arena = {0};
    struct entry entry;
    struct err err = {0};
    put_entry(fix, number, bytes);
    enum status rc = log_read(fix->storage, number, &arena, &entry, &err);
    fix->n_taken += rc == ST_OK;
    fix->n_refused += rc != ST_OK;
    if (rc != ST_OK)
        assert_text_names_it(number, &err);
    else
        follow(fix);
    return rc == ST_OK;
}

static bool is_followed(struct place place, json_t *entry)
{
    if (place.key == NULL) // a writer of a snapshot
        return json_is_string(place_value(place));
    bool is_file_name = strcmp(place.key, "name") == 0 &&
                        place.parent != json_object_get(entry, "job") &&
                        place.parent != json_object_get(entry, "files_format");
    return is_file_name || strcmp(place.key, "tmp") == 0 ||
           strcmp(place.key, "attempt") == 0 ||
           (strcmp(place.key, "writer") == 0 && place.parent == entry);
}

typedef json_t *value_maker(size_t i);

static void try_values(struct fixture *fix, int64_t number, json_t *entry,
                       struct place place, value_maker *make, bool must_be_refused)
{
    AUTO(buf_release) struct buf bytes = {0};
    json_t *good = json_incref(place_value(place));
    json_t *value;
    for (size_t i = 0; (value = make(i)) != NULL; i++) {
        place_set(place, value);
        bool is_same = json_equal(value, good);
        json_decref(value);
        bool taken = is_taken(fix, number, entry_seal(entry, &bytes));
        if (taken && must_be_refused && !is_same)
            fail_msg("entry %d takes value %zu as %s", (int)number, i,
                     place.key != NULL ? place.key : "item");
    }
    place_set(place, good);
    json_decref(good);
}

static void try_entry(struct fixture *fix, int64_t number)
{
    AUTO(buf_release) struct buf bytes = {0};
    struct places places = {0};
    json_t *entry = json_loadb(fix->good[number].p, fix->good[number].n, 0, NULL);
    assert_non_null(entry);
    assert_true(is_taken(fix, number, entry_seal(entry, &bytes)));
    places_find(entry, &places);
    for (size_t i = 0; i < places.n; i++) {
        struct place place = places.items[i];
        try_values(fix, number, entry, place, hostile_name, is_followed(place, entry));
        try_values(fix, number, entry, place, hostile_value, false);
        if (number == LAST_TRIED && place.parent == entry)
            try_values(fix, number, entry, place, hostile_large, false);
    }
    free(places.items);
    json_decref(entry);
    put_entry(fix, number, buf_as_str(&fix->good[number]));
}

static void try_every_field(bool by_day)
{
    struct fixture fix;
    set_up(&fix, by_day);
    for (int64_t number = by_day ? LAST_TRIED : 0; number <= LAST_TRIED; number += 2)
        try_entry(&fix, number);
    print_message("%d taken, %d refused\n", fix.n_taken, fix.n_refused);
    assert_true(fix.n_taken > 50 && fix.n_refused > 1000);
    tear_down(&fix);
}

static void test_every_field_has_every_value(UNUSED void **state)
{
    try_every_field(false);
}

static void test_every_field_of_files_by_day_has_every_value(UNUSED void **state)
{
    try_every_field(true);
}

// Several fields at once: counts that are large together.
static void test_large_numbers_side_by_side(UNUSED void **state)
{
    static const json_int_t large[] = {0, 1, ENTRY_NUMBER_MAX / 2, ENTRY_NUMBER_MAX - 1,
                                       ENTRY_NUMBER_MAX};
    AUTO(buf_release) struct buf bytes = {0};
    struct fixture fix;
    struct sim_random random = {1};
    set_up(&fix, false);
    for (int round = 0; round < 1000; round++) {
        struct places places = {0};
        int64_t number = sim_between(&random, 0, 4);
        json_t *entry = json_loadb(fix.good[number].p, fix.good[number].n, 0, NULL);
        places_find(entry, &places);
        for (size_t i = 0; i < places.n; i++) {
            json_t *value = place_value(places.items[i]);
            bool is_head = places.items[i].parent == entry;
            if (json_is_integer(value) && !is_head && sim_chance(&random, 40))
                json_integer_set(value, large[sim_between(&random, 0, 4)]);
        }
        is_taken(&fix, number, entry_seal(entry, &bytes));
        free(places.items);
        json_decref(entry);
        put_entry(&fix, number, buf_as_str(&fix.good[number]));
    }
    print_message("%d taken, %d refused\n", fix.n_taken, fix.n_refused);
    assert_true(fix.n_taken > 20 && fix.n_refused > 50);
    tear_down(&fix);
}

// What is said. Each case spoils a good entry in one way.

#define WRITER "11111111-1111-4111-8111-111111111111"
#define OTHER  "22222222-2222-4222-8222-222222222222"
#define TMP    "_tramline/tmp/" WRITER "/" OTHER

struct sample {
    struct span spans[2];
    struct entry_file files[2];
    struct progress progress[1];
    int64_t pending[2];
    struct str writers[1];
    struct entry entry;
};

static void make_sample(struct sample *s)
{
    *s = (struct sample){
        .spans = {{.next = 9, .data = 9, .rejected = 3, .last = {.offset = 8}},
                  {.partition = 1, .last = {.offset = -1}}},
        .files = {{FILE_DATA,
                   STR_LITERAL(TMP),
                   STR_LITERAL("part-00000000000000000007-0.csv"),
                   5,
                   99,
                   {0}},
                  {FILE_DEAD,
                   STR_LITERAL(TMP),
                   STR_LITERAL("_tramline/dead/00000000000000000007-1.jsonl"),
                   3,
                   9,
                   {0}}},
        .progress = {{.writer = STR_LITERAL(WRITER), .last = {.offset = -1}}},
        .pending = {5, 6},
        .writers = {STR_LITERAL(WRITER)},
        .entry = {.number = 7,
                  .kind = ENTRY_COMMIT,
                  .writer = STR_LITERAL(WRITER),
                  .attempt = STR_LITERAL(OTHER),
                  .time_ms = 1790000000000,
                  .n_spans = 2,
                  .rows = 5,
                  .n_files = 2,
                  .has_snapshot = true},
    };
    s->entry.spans = s->spans;
    s->entry.files = s->files;
    s->entry.snapshot = (struct snapshot){.partitions = s->progress,
                                          .n_partitions = 1,
                                          .pending = s->pending,
                                          .n_pending = 2,
                                          .writers = s->writers,
                                          .n_writers = 1};
}

static void spoil(struct sample *s, int i)
{
    switch (i) {
    case 0:
        s->files[1].tmp = STR_LITERAL("/etc/passwd");
        break;
    case 1:
        s->files[0].name = STR_LITERAL("day=../part-00000000000000000007-0.csv");
        break;
    case 2:
        s->files[1].name = STR_LITERAL("_tramline/dead/00000000000000000008-1.jsonl");
        break;
    case 3:
        s->writers[0] = STR_LITERAL("..");
        break;
    case 4:
        s->spans[0].data = s->spans[1].data = ENTRY_NUMBER_MAX;
        break;
    case 5:
        s->pending[1] = 7;
        break;
    case 6:
        s->entry.time_ms = 253402300800000;
        break;
    case 7:
        s->entry.attempt = STR_LITERAL(OTHER "x");
        break;
    case 8:
        s->entry.number = 8;
        break;
    }
}

static void test_what_is_refused_is_named(UNUSED void **state)
{
    static const char *const texts[] = {
        "field 'tmp' of file 1 is '/etc/passwd', not _tramline/tmp/, its writer and a "
        "UUID",
        "field 'name' of file 0 is 'day=../part-00000000000000000007-0.csv', not the "
        "name of this entry's data file",
        "field 'name' of file 1 is '_tramline/dead/00000000000000000008-1.jsonl', not "
        "the name of this entry's dead letters",
        "field 'writers' is not a UUID",
        "its numbers add up to more than 10^18",
        "field 'pending' has 7 behind 5, entries before this one rise",
        "field 'time_ms' is not before the year 10000",
        "field 'attempt' is not a UUID",
        "says that it is entry 8",
    };
    struct sample s;
    struct err err = {0};
    make_sample(&s);
    assert_ok(entry_check(&s.entry, 7, &err), &err);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        make_sample(&s);
        spoil(&s, (int)i);
        assert_status(entry_check(&s.entry, 7, &err), ST_DATA);
        assert_string_equal(err.text, texts[i]);
    }
}

// A file that lies at its place from the start has that name and no other.
static void test_a_file_at_its_place_has_one_name(UNUSED void **state)
{
    struct sample s;
    struct err err;
    make_sample(&s);
    struct path made =
        path_part_made(s.entry.writer, "00000000-0000-4000-8000-00000000000b", "csv", -1);
    s.files[0].tmp = path_str(&made);
    assert_status(entry_check(&s.entry, 7, &err), ST_DATA);
    char text[256];
    snprintf(text, sizeof(text),
             "field 'name' of file 0 is '%.*s', not its 'tmp', where the file lies for "
             "good",
             STR_ARGS(s.files[0].name));
    assert_string_equal(err.text, text);
    s.files[0].name = s.files[0].tmp;
    assert_ok(entry_check(&s.entry, 7, &err), &err);
}

// Its own name is said in part only, else the rest would not fit.
static void test_a_long_name_is_said_in_part(UNUSED void **state)
{
    struct sample s;
    struct err err;
    char name[3000];
    memset(name, 'n', sizeof(name));
    make_sample(&s);
    s.files[0].name = (struct str){name, sizeof(name)};
    assert_status(entry_check(&s.entry, 7, &err), ST_DATA);
    char text[256];
    snprintf(text, sizeof(text),
             "field 'name' of file 0 is '%.120s'..., not the name of this entry's data "
             "file",
             name);
    assert_string_equal(err.text, text);
}

#define DAMAGED "the commit log is damaged: entry 7 "
#define VERIFY  "; tramline verify tells more"

static void assert_state_refuses(struct sample *s, int64_t next, const char *text)
{
    struct log_state state = {.next = next};
    struct err err;
    assert_status(log_state_check(&state, &s->entry, &err), ST_DATA);
    assert_string_equal(err.text, text);
}

static void test_what_does_not_add_up_is_not_applied(UNUSED void **state)
{
    struct sample s;
    struct log_state good = {.next = 7};
    struct err err;
    make_sample(&s);
    assert_ok(log_state_check(&good, &s.entry, &err), &err);
    assert_state_refuses(&s, 8, DAMAGED "stands at the place of another one" VERIFY);
    s.entry.kind = ENTRY_CLAIM;
    assert_state_refuses(&s, 7, DAMAGED "has data and is not a commit" VERIFY);
    make_sample(&s);
    s.entry.kind = ENTRY_JOB;
    s.entry.n_files = s.entry.n_spans = 0;
    assert_state_refuses(&s, 7, DAMAGED "is of a kind that does not stand there" VERIFY);
    make_sample(&s);
    s.files[0].rows++;
    assert_state_refuses(&s, 7, DAMAGED "has other rows than its files" VERIFY);
    make_sample(&s);
    s.files[1].rows++;
    assert_state_refuses(&s, 7, DAMAGED "has other rows than its files" VERIFY);
    make_sample(&s);
    s.spans[0].ignored = 7; // with those rejected more than were read
    assert_state_refuses(&s, 7, DAMAGED "has offsets that do not add up" VERIFY);
    make_sample(&s);
    s.spans[0].gap = 1; // of none skipped
    assert_state_refuses(&s, 7, DAMAGED "has offsets that do not add up" VERIFY);
}

// What the program would never say twice, or in another order.

static json_t *part_of(json_t *entry, const char *a, const char *b)
{
    return b != NULL ? json_object_get(json_object_get(entry, a), b)
                     : json_object_get(entry, a);
}

static void assert_list_refused(struct fixture *fix, const char *a, const char *b,
                                size_t n, const char *text)
{
    AUTO(buf_release) struct buf bytes = {0};
    AUTO(arena_release) struct arena arena = {0};
    struct entry entry;
    struct err err = {0};
    json_t *json = json_loadb(fix->good[4].p, fix->good[4].n, 0, NULL);
    json_t *list = part_of(json, a, b);
    json_t *first = json_array_get(list, 0);
    assert_non_null(first);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_deep_copy(first));
    assert_false(is_taken(fix, 4, entry_seal(json, &bytes)));
    assert_int_equal(log_read(fix->storage, 4, &arena, &entry, &err), ST_DATA);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s", err.text);
    json_decref(json);
}

static void test_lists_rise_and_have_an_end(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, false);
    assert_list_refused(&fix, "partitions", NULL, 1, "field 'partition' has ");
    assert_list_refused(&fix, "partitions", NULL, 1, ", partitions rise");
    assert_list_refused(&fix, "snapshot", "partitions", 1,
                        "field 'partition' has 0 behind 2, partitions rise");
    assert_list_refused(&fix, "snapshot", "writers", 1,
                        "field 'writers' has one of them twice");
    assert_list_refused(&fix, "files", NULL, 2048,
                        "field 'files' has 2049 files, an entry has at most 2048");
    assert_list_refused(&fix, "snapshot", "partitions", 50000,
                        "field 'partition' has 0 behind 2, partitions rise");
    assert_list_refused(&fix, "files", NULL, 200000, "as JSON: more than 1000000 values");
    tear_down(&fix);
}

// Bytes.

static void assert_bytes_refused(struct fixture *fix, struct str bytes, const char *text)
{
    AUTO(arena_release) struct arena arena = {0};
    struct entry entry;
    struct err err = {0};
    assert_false(is_taken(fix, 3, bytes));
    assert_int_equal(log_read(fix->storage, 3, &arena, &entry, &err), ST_DATA);
    if (strstr(err.text, text) == NULL)
        fail_msg("%s", err.text);
}

static void test_an_entry_of_100_mb_is_refused(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix, false);
    size_t n = 100 << 20;
    char *text = mem_alloc(n);
    memset(text, '[', n);
    assert_bytes_refused(&fix, (struct str){text, n}, "more than 67108864 bytes");
    assert_bytes_refused(&fix, (struct str){text, 4 << 20},
                         "as JSON: more than 500 levels");
    memset(text, ',', n);
    assert_bytes_refused(&fix, (struct str){text, 60 << 20},
                         "as JSON: more than 1000000 values");
    free(text);
    tear_down(&fix);
}

// A file far away in the log's directory: only what is there is read.
static void test_a_number_far_away_costs_nothing(UNUSED void **state)
{
    struct fixture fix;
    struct verify_options options = {0};
    struct verify_report report = {0};
    struct err err;
    set_up(&fix, false);
    put_entry(&fix, ENTRY_NUMBER_MAX, STR_LITERAL("{}"));
    assert_ok(verify_run(fix.storage, &options, &report, &err), &err);
    char text[128];
    snprintf(text, sizeof(text), "entries %d to 999999999999999999 are not there",
             (int)fix.n);
    assert_str(report.findings[0].text, text);
    assert_non_null(strstr(report.findings[1].text.p, "field 'format'"));
    verify_report_release(&report);
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_every_field_has_every_value),
          cmocka_unit_test(test_every_field_of_files_by_day_has_every_value),
          cmocka_unit_test(test_large_numbers_side_by_side),
          cmocka_unit_test(test_what_is_refused_is_named),
          cmocka_unit_test(test_a_file_at_its_place_has_one_name),
          cmocka_unit_test(test_a_long_name_is_said_in_part),
          cmocka_unit_test(test_what_does_not_add_up_is_not_applied),
          cmocka_unit_test(test_lists_rise_and_have_an_end),
          cmocka_unit_test(test_an_entry_of_100_mb_is_refused),
          cmocka_unit_test(test_a_number_far_away_costs_nothing))
