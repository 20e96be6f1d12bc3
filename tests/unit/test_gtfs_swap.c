// SPDX-License-Identifier: Apache-2.0
// Extract and rollback, cut off at each call to any storage: the tables are all of the
// old or all of the new feed, or they say that they are between the two.
#include "test.h"

#include "csv_fixture.h"
#include "gtfs_fixture.h"

#include "gtfs/extract.h"
#include "gtfs/swap.h"
#include "memory/storage_fault.h"
#include "memory/storage_mem.h"

enum {
    N_TABLES = 3,
    ROOT = N_TABLES // its place among the storages
};

static const char *const names[] = {"trips", "calendar_dates", "frequencies"};

// Which table has a file in which feed, and what: NULL is none.
static const char *const feeds[][N_TABLES] = {
    {"trip_id\na\n", "trip_id\nb\n", NULL},
    {"trip_id\nc\nd\n", "trip_id\ne\nf\n", "trip_id\ng\n"},
    {"trip_id\nh\n", "trip_id\ni\n", NULL},
};

// Counts the calls to all storages; the one that counts fails, and those after it.
struct cut {
    uint64_t n, at; // at 0: none
    enum fault_kind kind;
};

struct world {
    struct workplace workplace;
    struct arena arena;
    struct schema schema;
    struct storage *storages[N_TABLES + 1];
    struct extract_table tables[N_TABLES];
    struct feed_place places[N_TABLES];
    const char *to[N_TABLES];
    struct cut cut;
    struct err err;
};

static struct fault decide(void *context, UNUSED const struct fault_call *call)
{
    struct cut *cut = context;
    cut->n++;
    if (cut->at == 0 || cut->n < cut->at)
        return (struct fault){0};
    return (struct fault){.kind = cut->n == cut->at ? cut->kind : FAULT_FAIL};
}

static void open_world(struct world *w)
{
    *w = (struct world){0};
    make_workplace(&w->workplace);
    w->schema = schema_of(&w->arena, "trip_id TEXT NOT NULL");
    struct mem_tree *tree = mem_tree_open(env_system());
    struct fault_config config = {.decide = decide, .context = &w->cut};
    for (size_t i = 0; i <= N_TABLES; i++) {
        const char *path =
            i == ROOT ? "/root" : arena_printf(&w->arena, "/root/%s", names[i]);
        w->storages[i] = storage_fault_open(storage_mem_open(tree, path), &config);
    }
    mem_tree_unref(tree);
    for (size_t i = 0; i < N_TABLES; i++) {
        w->tables[i] = (struct extract_table){
            .name = names[i],
            .storage = w->storages[i],
            .schema = &w->schema,
            .optional = i == 2,
            .extension = "csv",
            .reading = {.header = true, .may_be_empty = i == 2},
            .n_rows_before = -1,
        };
        w->places[i] = (struct feed_place){names[i], w->storages[i]};
        w->to[i] = arena_printf(&w->arena, "%s.csv", names[i]);
    }
}

static void close_world(struct world *w)
{
    for (size_t i = 0; i <= N_TABLES; i++)
        w->storages[i]->ops->close(w->storages[i]);
    arena_release(&w->arena);
    remove_workplace(&w->workplace);
}

static enum status extract(struct world *w, size_t index)
{
    struct extract_settings settings = {.max_shrink = 100};
    struct feed_manifest manifest = {0};
    struct feed *feed;
    for (size_t i = 0; i < N_TABLES; i++) {
        char name[64], path[PATH_MAX];
        snprintf(name, sizeof(name), "%s.txt", names[i]);
        place(&w->workplace, name, path);
        unlink(path);
        if (feeds[index][i] != NULL)
            put_file(&w->workplace, name, str_of(feeds[index][i]));
    }
    assert_ok(feed_open(w->workplace.directory, NULL, &feed, &w->err), &w->err);
    enum status rc = gtfs_extract(feed, w->tables, N_TABLES, &settings, w->storages[ROOT],
                                  env_system(), &manifest, &w->err);
    feed_manifest_release(&manifest);
    feed_close(feed);
    return rc;
}

static enum status finish(struct world *w)
{
    bool found;
    return feed_swap_finish(w->storages[ROOT], w->places, N_TABLES, env_system(), &found,
                            &w->err);
}

static enum status go_back(struct world *w)
{
    return feed_swap_back(w->storages[ROOT], w->places, N_TABLES, w->to, env_system(),
                          &w->err);
}

static bool is_there(struct storage *st, const char *name)
{
    struct file_info info;
    struct err err;
    return st->ops->stat(st, str_of(name), &info, &err) == ST_OK;
}

static bool is_file(struct storage *st, const char *name, const char *text)
{
    struct buf bytes = {0};
    struct err err;
    enum status rc = storage_read_all(st, str_of(name), 1 << 20, &bytes, &err);
    bool is = text == NULL ? rc == ST_NOT_FOUND
                           : rc == ST_OK && str_is(buf_as_str(&bytes), text);
    buf_release(&bytes);
    return is;
}

// The files and what _feed.json says of them are those of one feed.
static bool is_feed(struct world *w, size_t index)
{
    struct feed_manifest manifest = {0};
    bool is = feed_manifest_read(w->storages[ROOT], &manifest, &w->err) == ST_OK;
    for (size_t i = 0; i < N_TABLES && is; i++) {
        const char *text = feeds[index][i];
        const struct feed_table *said = feed_manifest_find(&manifest, str_of(names[i]));
        is = is_file(w->storages[i], w->to[i], text) && said != NULL &&
             said->present == (text != NULL) &&
             said->size == (int64_t)(text ? strlen(text) : 0);
    }
    feed_manifest_release(&manifest);
    return is;
}

static void heal(struct world *w)
{
    w->cut.at = 0;
    for (size_t i = 0; i <= N_TABLES; i++)
        storage_fault_settle(w->storages[i]);
}

// Of feed 0 or 1, whichever call was the last.
static void assert_whole(struct world *w, uint64_t at)
{
    bool is_told = is_there(w->storages[ROOT], FEED_SWAP_NAME);
    if (!is_told && !is_feed(w, 0) && !is_feed(w, 1))
        fail_msg("call %d, %s: the tables are mixed", (int)at,
                 fault_kind_name(w->cut.kind));
}

// A directory holds the table and what is kept of the version before, nothing else that
// is not temporary.
static void assert_clean(struct world *w)
{
    for (size_t i = 0; i < N_TABLES; i++) {
        struct file_list list = {0};
        struct storage *st = w->storages[i];
        size_t n_kept = 0;
        if (st->ops->list(st, str_of(""), &w->arena, &list, &w->err) != ST_OK)
            list.n = 0;
        for (size_t f = 0; f < list.n; f++) {
            struct str name = list.items[f].name;
            n_kept += str_starts_with(name, "_kept-");
            assert_true(str_is(name, w->to[i]) || str_starts_with(name, "_"));
        }
        assert_in_range(n_kept, 0, 1);
    }
    assert_false(is_there(w->storages[ROOT], FEED_SWAP_NAME));
}

static void cut_off(struct world *w, uint64_t at, enum fault_kind kind)
{
    w->cut = (struct cut){.at = at, .kind = kind};
}

// Over feed 0 an extract of feed 1 that is cut off; then it is finished, or feed 2 is
// extracted, or all goes back. False past its last call.
static bool check_extract(enum fault_kind kind, uint64_t at, int how)
{
    struct world w;
    open_world(&w);
    assert_ok(extract(&w, 0), &w.err);
    cut_off(&w, at, kind);
    enum status rc = extract(&w, 1);
    bool was_called = w.cut.n >= at;
    heal(&w);
    assert_whole(&w, at);
    assert_true(was_called || is_feed(&w, 1));
    assert_ok(finish(&w), &w.err);
    bool is_new = is_feed(&w, 1);
    assert_true(is_new || is_feed(&w, 0));
    assert_true(is_new || rc != ST_OK);
    if (how == 1) {
        assert_ok(extract(&w, 2), &w.err);
        assert_true(is_feed(&w, 2));
        assert_clean(&w);
        assert_ok(go_back(&w), &w.err);
        assert_true(is_feed(&w, is_new ? 1 : 0));
    } else if (how == 2 && is_new) {
        assert_ok(go_back(&w), &w.err);
        assert_true(is_feed(&w, 0));
        assert_clean(&w);
        assert_status(go_back(&w), ST_NOT_FOUND);
    }
    close_world(&w);
    return was_called;
}

// Feed 1 over feed 0, and a rollback that is cut off.
static bool check_rollback(enum fault_kind kind, uint64_t at)
{
    struct world w;
    open_world(&w);
    assert_ok(extract(&w, 0), &w.err);
    assert_ok(extract(&w, 1), &w.err);
    cut_off(&w, at, kind);
    enum status rc = go_back(&w);
    bool was_called = w.cut.n >= at;
    heal(&w);
    assert_whole(&w, at);
    assert_ok(finish(&w), &w.err);
    assert_true(is_feed(&w, 0) || (rc != ST_OK && is_feed(&w, 1)));
    if (is_feed(&w, 1))
        assert_ok(go_back(&w), &w.err);
    assert_true(is_feed(&w, 0));
    assert_clean(&w);
    assert_ok(extract(&w, 1), &w.err);
    assert_ok(go_back(&w), &w.err);
    assert_true(is_feed(&w, 0));
    close_world(&w);
    return was_called;
}

static const enum fault_kind kinds[] = {FAULT_REFUSE, FAULT_FAIL, FAULT_LOSE, FAULT_DROP,
                                        FAULT_LATE};

static void test_an_extract_that_is_cut_off_leaves_one_feed(UNUSED void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        for (int how = 0; how < 3; how++) {
            uint64_t at = 1;
            while (check_extract(kinds[i], at, how))
                at++;
            assert_in_range(at, 20, 80); // reads, writes, renames of four storages
        }
}

static void test_a_rollback_that_is_cut_off_leaves_one_feed(UNUSED void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        uint64_t at = 1;
        while (check_rollback(kinds[i], at))
            at++;
        assert_in_range(at, 10, 60);
    }
}

// The version before stays that of another feed, however often the same one comes.
static void test_the_same_feed_again_is_no_new_version(UNUSED void **state)
{
    struct world w;
    open_world(&w);
    assert_status(go_back(&w), ST_NOT_FOUND);
    assert_string_equal(w.err.text, "mem:///root: no version before this one is kept; "
                                    "extract the feed that is wanted");
    assert_ok(extract(&w, 0), &w.err);
    assert_status(go_back(&w), ST_NOT_FOUND);
    assert_ok(extract(&w, 1), &w.err);
    for (int i = 0; i < 3; i++)
        assert_ok(extract(&w, 1), &w.err);
    assert_clean(&w);
    assert_ok(go_back(&w), &w.err);
    assert_true(is_feed(&w, 0));
    close_world(&w);
}

// Tables that no extract had staged come back too.
static void test_tables_staged_by_hand_are_kept(UNUSED void **state)
{
    struct world w;
    open_world(&w);
    assert_ok(storage_write_bytes(w.storages[0], str_of("trips.csv"), str_of("by hand"),
                                  &w.err),
              &w.err);
    assert_ok(extract(&w, 1), &w.err);
    assert_ok(go_back(&w), &w.err);
    assert_true(is_file(w.storages[0], "trips.csv", "by hand"));
    assert_false(is_there(w.storages[1], "calendar_dates.csv"));
    assert_false(is_there(w.storages[ROOT], FEED_MANIFEST_NAME));
    close_world(&w);
}

static void test_a_script_that_does_not_fit_is_told(UNUSED void **state)
{
    struct world w;
    open_world(&w);
    assert_ok(extract(&w, 0), &w.err);
    assert_ok(extract(&w, 1), &w.err);
    w.to[0] = "trips.avro";
    assert_status(go_back(&w), ST_DATA);
    assert_string_equal(
        w.err.text, "mem:///root/_kept.json: the version before has trips.csv, and "
                    "table trips is now staged as trips.avro; go back with the script "
                    "of that time");
    w.to[0] = "trips.csv";
    w.places[1].table = "stops";
    assert_status(go_back(&w), ST_DATA);
    assert_string_equal(w.err.text, "mem:///root/_kept.json: the version before has no "
                                    "table stops; go back with the script of that time");
    assert_true(is_feed(&w, 1));
    w.places[1].table = "calendar_dates";
    for (uint64_t at = 1; !is_there(w.storages[ROOT], FEED_SWAP_NAME); at++) {
        cut_off(&w, at, FAULT_FAIL);
        assert_true(extract(&w, 2) != ST_OK);
        heal(&w);
    }
    assert_true(str_starts_with(str_of(w.err.text),
                                "the tables are not all replaced yet; run extract again, "
                                "which finishes it: "));
    bool found;
    assert_status(
        feed_swap_finish(w.storages[ROOT], w.places, 1, env_system(), &found, &w.err),
        ST_DATA);
    assert_string_equal(w.err.text,
                        "mem:///root/_extract.json: an extract of another script was cut "
                        "off; this one has no table calendar_dates: run that one again");
    assert_status(extract(&w, 2), ST_CONFLICT);
    assert_string_equal(w.err.text, "mem:///root/_extract.json: another extract is at "
                                    "work; run this one again when it is done");
    close_world(&w);
}

static void test_files_of_another_form_are_told(UNUSED void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"{oops",
         "mem:///root/_extract.json: not of format 1; remove it, and run extract "
         "again"},
        {"{\"format\": 2}",
         "mem:///root/_extract.json: not of format 1; remove it, and run "
         "extract again"},
        {"{\"format\": 1, \"moves\": [{}]}",
         "mem:///root/_extract.json: a table without a name; remove it, and run extract "
         "again"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct world w;
        open_world(&w);
        assert_ok(storage_write_bytes(w.storages[ROOT], str_of(FEED_SWAP_NAME),
                                      str_of(bad[i].text), &w.err),
                  &w.err);
        assert_status(finish(&w), ST_DATA);
        assert_string_equal(w.err.text, bad[i].message);
        close_world(&w);
    }
}

// A value takes 250 bytes of memory however short its text is.
static void test_files_are_bounded_before_they_are_read(UNUSED void **state)
{
    AUTO(buf_release) struct buf text = {0};
    struct world w;
    open_world(&w);
    for (int i = 0; i < 501; i++)
        buf_text(&text, "[");
    assert_ok(storage_write_bytes(w.storages[ROOT], str_of(FEED_SWAP_NAME),
                                  buf_as_str(&text), &w.err),
              &w.err);
    assert_status(finish(&w), ST_DATA);
    assert_string_equal(w.err.text,
                        "mem:///root/_extract.json: more than 500 levels at byte 500");
    close_world(&w);
}

TEST_MAIN(cmocka_unit_test(test_files_are_bounded_before_they_are_read),
          cmocka_unit_test(test_an_extract_that_is_cut_off_leaves_one_feed),
          cmocka_unit_test(test_a_rollback_that_is_cut_off_leaves_one_feed),
          cmocka_unit_test(test_the_same_feed_again_is_no_new_version),
          cmocka_unit_test(test_tables_staged_by_hand_are_kept),
          cmocka_unit_test(test_a_script_that_does_not_fit_is_told),
          cmocka_unit_test(test_files_of_another_form_are_told))
