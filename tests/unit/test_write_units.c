// SPDX-License-Identifier: Apache-2.0
// Units in parts: what is read is told line by line, and what an engine elsewhere made of
// it is written. Here the engine is the test: it says of each record what it is, and
// gives its rows.
#include "test.h"

#include "base/text.h"
#include "csv/row_format.h"
#include "job_settings.h"
#include "memory/spool_mem.h"
#include "memory/storage_mem.h"
#include "sim/sim_clock.h"
#include "sim/sim_codec.h"
#include "sim/sim_event.h"
#include "sim/sim_topic.h"
#include "work/record_line.h"
#include "work/tell_records.h"
#include "work/write_units.h"

#define WRITER "11111111-1111-4111-8111-111111111111"

enum {
    NOW_MS = 1234567
};

// Lines that one end sends and the other receives, or the test gives.
struct test_lines {
    struct lines lines; // first member
    struct buf sent, given;
    size_t used;
};

struct fixture {
    struct waiter waiter; // first member
    struct sim_clock clock;
    struct sim_topic topic;
    struct sim_events events;
    struct sim_stream *stream;
    struct sim_decoder decoder;
    struct file_writer writer;
    struct row_format *row_format;
    struct plan plan;
    struct job job;
    struct engine_status status;
    struct deadline deadline;
    struct mem_tree *tree;
    struct storage *storage;
    struct spool *spool;
    struct order_range range;
    struct order order;
    struct test_lines lines;
};

static enum status receive(struct lines *base, UNUSED int64_t timeout_ms,
                           enum line_event *ret, struct str *ret_line,
                           UNUSED struct err *err)
{
    struct test_lines *lines = (struct test_lines *)base;
    struct str rest = {lines->given.p + lines->used, lines->given.n - lines->used};
    *ret = rest.n == 0 ? LINE_END : LINE_READ;
    *ret_line = str_cut(&rest, '\n');
    lines->used += rest.p != NULL ? ret_line->n + 1 : ret_line->n;
    return ST_OK;
}

static enum status send(struct lines *base, struct str text, UNUSED struct err *err)
{
    buf_str(&((struct test_lines *)base)->sent, text);
    return ST_OK;
}

static const struct lines_ops lines_ops = {.receive = receive, .send = send};

static void wait_for(struct waiter *waiter, struct wait wait)
{
    ((struct fixture *)waiter)->clock.now_ms = wait.until_ms;
}

static void on_call(void *context)
{
    ((struct fixture *)context)->clock.now_ms += 50;
}

static struct column columns[] = {{{"value", 5}, TYPE_TEXT, false},
                                  {{"n", 1}, TYPE_INT, true},
                                  {{"is", 2}, TYPE_BOOLEAN, true}};
static struct column stream_columns[] = {{{"value", 5}, TYPE_TEXT, false}};
static struct table stream_table = {.schema = {stream_columns, 1}};

// Partition 0: records r0.0.2, r0.0.3, r0.0.4, a hole, !, one without a value.
static void set_up(struct fixture *fix)
{
    *fix = (struct fixture){.waiter = {wait_for}};
    sim_clock_init(&fix->clock, 1);
    sim_topic_init(&fix->topic, 1, &fix->clock.random);
    fix->topic.events = &fix->events;
    for (int i = 0; i < 3; i++)
        sim_topic_record(&fix->topic, 0, SIM_ROWS, 1);
    sim_topic_record(&fix->topic, 0, SIM_HOLE, 1);
    sim_topic_record(&fix->topic, 0, SIM_BAD, 1);
    sim_topic_record(&fix->topic, 0, SIM_EMPTY, 1);
    sim_topic_record(&fix->topic, 0, SIM_HOLE, 1);
    fix->stream = sim_stream_open(&fix->topic, &fix->clock);
    sim_stream_on_call(fix->stream, on_call, fix);
    sim_decoder_init(&fix->decoder, &fix->clock.random);
    fix->plan = (struct plan){.stream = &stream_table, .output = {columns, 3}};
    fix->row_format = csv_row_format_open(&fix->plan.output);
    fix->writer = sim_writer;
    fix->writer.row_format = fix->row_format;
    fix->job = (struct job){.plan = STR_LITERAL("plan"),
                            .schema = STR_LITERAL("value TEXT NOT NULL"),
                            .extension = "csv",
                            .dimension = STR_LITERAL("none"),
                            .settings = job_settings_default()};
    fix->tree = mem_tree_open(&fix->clock.env);
    fix->storage = storage_mem_open(fix->tree, "/r");
    fix->spool = spool_mem_open();
    fix->range = (struct order_range){0, 0, 7};
    fix->order = (struct order){.number = 5,
                                .cluster = STR_LITERAL("sim-cluster"),
                                .topic = STR_LITERAL("stop_times"),
                                .plan = STR_LITERAL("plan"),
                                .schema = STR_LITERAL("value TEXT NOT NULL"),
                                .writer = STR_LITERAL(WRITER),
                                .ranges = &fix->range,
                                .n_ranges = 1};
    fix->lines.lines.ops = &lines_ops;
}

static void tear_down(struct fixture *fix)
{
    fix->row_format->ops->close(fix->row_format);
    fix->spool->ops->close(fix->spool);
    fix->storage->ops->close(fix->storage);
    mem_tree_unref(fix->tree);
    sim_stream_free(fix->stream);
    free(fix->events.items);
    buf_release(&fix->lines.sent);
    buf_release(&fix->lines.given);
}

static struct maker_parts maker_parts(struct fixture *fix)
{
    return (struct maker_parts){
        .builder = {.job = &fix->job,
                    .topic = sim_stream_topic(fix->stream),
                    .stream = sim_stream_port(fix->stream),
                    .decoder = &fix->decoder.decoder,
                    .writer = &fix->writer,
                    .spool = fix->spool,
                    .env = &fix->clock.env,
                    .status = &fix->status},
        .storage = fix->storage,
        .waiter = &fix->waiter,
        .deadline = &fix->deadline,
        .patience_ms = 3000,
    };
}

// What --part read prints for the order.
static void read_order(struct fixture *fix)
{
    struct err err = {0};
    struct record_teller teller;
    struct maker maker;
    struct maker_parts parts = maker_parts(fix);
    buf_clear(&fix->lines.given);
    buf_clear(&fix->lines.sent);
    fix->lines.used = 0;
    order_encode(&fix->order, &fix->lines.given);
    record_teller_open(&teller, fix->decoder.decoder.schema, parts.builder.stream,
                       &fix->lines.lines);
    parts.builder.decoder = &teller.decoder;
    parts.builder.executor = &teller.executor;
    parts.shown_order = &teller.order;
    maker_open(&maker, &parts);
    assert_ok(make_units(&maker, &fix->lines.lines, NULL, &err), &err);
    maker_release(&maker);
    record_teller_release(&teller);
}

static enum status write_given(struct fixture *fix, struct err *err)
{
    struct told_records told;
    struct maker maker;
    struct maker_parts parts = maker_parts(fix);
    told_records_open(&told, &fix->plan, &fix->decoder.decoder, fix->row_format,
                      STR_LITERAL("stop_times"));
    parts.builder.decoder = &told.decoder.decoder;
    parts.builder.executor = &told.executor.executor;
    parts.builder.stream = &told.stream.stream;
    maker_open(&maker, &parts);
    buf_clear(&fix->lines.sent);
    fix->lines.used = 0;
    const struct write_parts writing = {
        .maker = &maker, .told = &told, .lines = &fix->lines.lines, .now_ms = NOW_MS};
    enum status rc = write_units(&writing, err);
    maker_release(&maker);
    told_records_release(&told);
    return rc;
}

// ^ stands for a NUL.
static void put_rows(struct buf *out, const char *rows)
{
    for (; *rows != '\0'; rows++)
        buf_char(out, *rows == '^' ? '\0' : *rows);
}

// The engine: `kinds` of the records in their order, and rows of the records that are
// such; `without`: a line of the reader's that gets lost, from 0, -1: none.
static void enrich(struct fixture *fix, const char *kinds, const char *const *rows,
                   int without)
{
    AUTO(buf_release) struct buf read = fix->lines.sent;
    fix->lines.sent = (struct buf){0};
    buf_clear(&fix->lines.given);
    order_encode(&fix->order, &fix->lines.given);
    struct str rest = buf_as_str(&read);
    for (int i = 0; rest.n > 0; i++) {
        struct str line = str_cut(&rest, '\n');
        if (i == without)
            continue;
        if (line.p[0] != '{') {
            buf_printf(&fix->lines.given, "%c\t", *kinds);
            kinds++;
        }
        buf_str(&fix->lines.given, line);
        buf_char(&fix->lines.given, '\n');
        if (line.p[0] != '{' && kinds[-1] == 'r')
            put_rows(&fix->lines.given, *rows++);
    }
}

static void get_answer(struct fixture *fix, struct answer *ret)
{
    struct err err = {0};
    struct str sent = buf_as_str(&fix->lines.sent);
    struct str line = str_cut(&sent, '\n');
    assert_ok(answer_decode(line, ret, &err), &err);
    assert_int_equal(sent.n, 0);
    assert_int_equal(ret->order, 5);
}

static void read_file(const struct fixture *fix, const struct entry_file *file,
                      struct buf *ret)
{
    struct err err = {0};
    assert_ok(fix->storage->ops->read(fix->storage, file->tmp, 0, (size_t)file->bytes,
                                      ret, &err),
              &err);
    buf_char(ret, '\0');
}

static void assert_file(const struct fixture *fix, const struct entry_file *file,
                        const char *text)
{
    AUTO(buf_release) struct buf bytes = {0};
    read_file(fix, file, &bytes);
    assert_string_equal(bytes.p, text);
}

static void assert_in_file(const struct fixture *fix, const struct entry_file *file,
                           const char *text)
{
    AUTO(buf_release) struct buf bytes = {0};
    read_file(fix, file, &bytes);
    if (strstr(bytes.p, text) == NULL)
        fail_msg("%s", bytes.p);
}

static const char *const good_rows[] = {
    "+\t0\t0^a\n\"é^-7^true^\n+\t0\t0^^\1^\1^\n",
    "",
    "+\t0\t2^b^2147483647^false^\n",
};

static void test_rows_of_an_engine_become_a_unit(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    struct answer answer;
    set_up(&fix);
    read_order(&fix);
    enrich(&fix, "rrrbi", good_rows, -1);
    assert_ok(write_given(&fix, &err), &err);
    get_answer(&fix, &answer);
    assert_int_equal(answer.kind, ANSWER_UNIT);
    const struct span *span = &answer.unit.spans[0];
    assert_int_equal(span->first, 0);
    assert_int_equal(span->next, 7);
    assert_int_equal(span->data, 5);
    assert_int_equal(span->skipped, 2);
    assert_int_equal(span->ignored, 1);
    assert_int_equal(span->rejected, 1);
    assert_int_equal(span->last.offset, 5);
    assert_int_equal(answer.unit.rows, 3);
    assert_int_equal(answer.unit.matched, 2);
    assert_int_equal(answer.unit.first_batch_ms, NOW_MS);
    assert_int_equal(answer.unit.last_batch_ms, NOW_MS);
    assert_int_equal(answer.unit.n_files, 2);
    assert_file(&fix, &answer.unit.files[0],
                "BEGIN\n\"a\n\"\"é\",-7,true\n\"\",,\nb,2147483647,false\nEND\n");
    assert_in_file(&fix, &answer.unit.files[1], "\"reason\":\"not a value\"");
    answer_release(&answer);
    tear_down(&fix);
}

// What goes wrong: the order's answer says it, and no file is left.
static void expect_error(const char *kinds, const char *const *rows, int without,
                         const char *text, bool may_retry)
{
    static struct fixture fix;
    struct err err = {0};
    struct answer answer;
    set_up(&fix);
    read_order(&fix);
    enrich(&fix, kinds, rows, without);
    assert_ok(write_given(&fix, &err), &err);
    get_answer(&fix, &answer);
    assert_int_equal(answer.kind, ANSWER_ERROR);
    if (strstr(arena_cstr(&answer.arena, answer.text), text) == NULL)
        fail_msg("%.*s", STR_ARGS(answer.text));
    assert_int_equal(answer.may_retry, may_retry);
    answer_release(&answer);
    tear_down(&fix);
}

static void test_what_is_lost_or_doubled_on_the_way_is_an_error(UNUSED void **state)
{
    static const char *const rows[] = {"", "", ""};
    static const char *const strange[] = {"+\t0\t1^a^1^true^\n", "", ""};
    static const char *const twice[] = {"r\t5\t9\t0\t0\t0\tcjAuMC4x\t-\t\n", "", ""};
    static const char *const more[] = {"+\t0\t0^a^1^true^^\n", "", ""};
    static const char *const cut[] = {"+\t0\t0^a^1\n", "", ""};
    static const char *const typed[] = {"+\t0\t0^a^x^true^\n", "", ""};
    static const char *const odd[] = {"x\t\n", "", ""};
    static const char *const other[] = {"r\t6\t9\t0\t1\t0\tcg==\t-\t\n", "", ""};
    static const char *const away[] = {"r\t5\t9\t7\t1\t0\tcg==\t-\t\n", "", ""};
    expect_error("rrbi", rows, 0, "partition 0: 4 records came to be written, and 5 read",
                 true);
    expect_error("rrrb", rows, 4, "partition 0: 4 records came to be written, and 5 read",
                 true);
    expect_error("rrrbi", rows, 5, "the records of an order came without its end", true);
    expect_error("rrrbi", strange, -1, "a row came without its record", false);
    expect_error("rrrbi", twice, -1, "offsets do not follow", false);
    expect_error("rrrbi", more, -1,
                 "Spark SQL gave a row of other fields than the columns of the result",
                 false);
    expect_error("rrrbi", cut, -1, "the records of an order came without its end", true);
    expect_error("rrrbi", typed, -1,
                 "Spark SQL gave a value of another type for column 'n'", false);
    expect_error("rrrbi", odd, -1, "a line is neither a record nor a row", false);
    expect_error("rrrbi", other, -1, "a record came that is not of the order", false);
    expect_error("rrrbi", away, -1, "a record came that is not of the order", false);
}

static void test_an_engine_that_takes_a_record_otherwise_is_an_error(UNUSED void **state)
{
    static const char *const rows[] = {"", "", "", ""};
    expect_error("rrrri", rows, -1,
                 "topic 'stop_times' partition 0 offset 4: this record is a row by Spark "
                 "SQL, and bad by this "
                 "program; run the script by another engine, and report it",
                 false);
    expect_error("rbrbi", rows, -1,
                 "partition 0 offset 1: this record is bad by Spark SQL, and a row by",
                 false);
    expect_error("rirbi", rows, -1, "is none by Spark SQL, and a row by", false);
    expect_error("rrrbb", rows, -1, "is bad by Spark SQL, and none by", false);
}

// NULL in a NOT NULL column: as any executor's reject.
static void test_what_has_no_place_in_the_result_is_a_letter(UNUSED void **state)
{
    static struct fixture fix;
    static const char *const rows[] = {"+\t0\t0^a^\1^\1^\n+\t0\t0^\1^1^\1^\n",
                                       "+\t0\t1^b^\1^\1^\n", ""};
    struct err err = {0};
    struct answer answer;
    set_up(&fix);
    read_order(&fix);
    enrich(&fix, "rrrbi", rows, -1);
    assert_ok(write_given(&fix, &err), &err);
    get_answer(&fix, &answer);
    assert_int_equal(answer.kind, ANSWER_UNIT);
    assert_int_equal(answer.unit.spans[0].rejected, 2);
    assert_int_equal(answer.unit.rows, 1);
    assert_int_equal(answer.unit.matched, 1);
    assert_in_file(&fix, &answer.unit.files[1],
                   "column 'value' is NULL, not TEXT NOT NULL");
    answer_release(&answer);
    tear_down(&fix);
}

static void test_an_error_of_the_reader_is_the_answer(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    struct answer answer;
    set_up(&fix);
    order_encode(&fix.order, &fix.lines.given);
    buf_text(&fix.lines.given,
             "r\t5\t0\t0\t0\t0\tcg==\t-\t\n"
             "{\"v\":1,\"kind\":\"error\",\"order\":5,\"status\":\"retry\",\"code\":\"\","
             "\"text\":\"no broker\"}\n");
    assert_ok(write_given(&fix, &err), &err);
    get_answer(&fix, &answer);
    assert_int_equal(answer.kind, ANSWER_ERROR);
    assert_true(answer.may_retry);
    assert_true(str_is(answer.text, "no broker"));
    answer_release(&answer);
    tear_down(&fix);
}

static void expect_end(const char *given, const char *text)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    buf_text(&fix.lines.given, given);
    assert_int_equal(write_given(&fix, &err), ST_DATA);
    assert_string_equal(err.text, text);
    tear_down(&fix);
}

static void test_lines_of_no_order_are_the_end(UNUSED void **state)
{
    expect_end("r\t5\t0\t0\t0\t0\tcg==\t-\t\n", "a line is of no order");
    expect_end("x\n", "a line is of no order");
    expect_end("\n", "a line is of no order");
}

static void test_what_was_read_is_what_was_ordered(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    struct answer answer;
    struct order_range two[] = {{0, 0, 7}, {1, 0, 7}};
    set_up(&fix);
    read_order(&fix);
    fix.order.ranges = two;
    fix.order.n_ranges = 2;
    static const char *const rows[] = {"", "", ""};
    enrich(&fix, "rrrbi", rows, -1);
    assert_ok(write_given(&fix, &err), &err);
    get_answer(&fix, &answer);
    assert_true(str_is(answer.text, "what was read is not what was ordered"));
    answer_release(&answer);
    tear_down(&fix);
}

static void test_the_end_of_a_reader_that_did_not_begin_is_the_end(UNUSED void **state)
{
    static struct fixture fix;
    struct err err = {0};
    set_up(&fix);
    buf_text(&fix.lines.given, "{\"exit_code\":2,\"text\":\"wrong script\"}\n");
    order_encode(&fix.order, &fix.lines.given);
    assert_int_equal(write_given(&fix, &err), ST_USAGE);
    assert_string_equal(err.text, "wrong script");
    assert_int_equal(fix.lines.sent.n, 0);
    tear_down(&fix);
}

static void test_a_record_comes_back_from_its_line(UNUSED void **state)
{
    static const struct str texts[] = {
        {NULL, 0}, {"", 0}, {"a\tb\n\0c", 6}, {"-", 1}, {"\xff\xfe", 2}};
    struct err err = {0};
    AUTO(arena_release) struct arena arena = {0};
    AUTO(buf_release) struct buf text = {0};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            struct record_line line = {
                INT64_MAX,
                INT64_MAX - 1,
                INT32_MAX,
                {.offset = 7, .time_ms = -1, .key = texts[k], .value = texts[i]},
                k % 2 ? STR_LITERAL("[{}]") : STR_LITERAL("")};
            struct record_line back;
            buf_clear(&text);
            record_line_put(&line, &text);
            assert_null(memchr(text.p, '\n', text.n));
            assert_ok(record_line_parse(buf_as_str(&text), &arena, &back, &err), &err);
            assert_int_equal(back.order, INT64_MAX);
            assert_int_equal(back.number, INT64_MAX - 1);
            assert_int_equal(back.partition, INT32_MAX);
            assert_int_equal(back.record.offset, 7);
            assert_int_equal(back.record.time_ms, -1);
            assert_true(str_eq(back.headers, line.headers));
            assert_true(str_eq(back.record.key, texts[k]));
            assert_true(str_eq(back.record.value, texts[i]));
            assert_int_equal(back.record.key.p == NULL, texts[k].p == NULL);
            assert_int_equal(back.record.value.p == NULL, texts[i].p == NULL);
        }
}

static void test_what_is_no_record_line_is_refused(UNUSED void **state)
{
    static const char *const texts[] = {"",
                                        "x",
                                        "1",
                                        "1\t2",
                                        "1\t0\t2\t3\t4",
                                        "1\t0\t2\t3\t4\t-\t-",
                                        "1\t0\t-2\t3\t4\t-\t-\t",
                                        "1\t0\t2\t-3\t4\t-\t-\t",
                                        "1\t0\t2\t3\t4\tx!\t-\t",
                                        "1\t0\t2\t3\t4\t-\t=\t",
                                        "1\t0\t4294967296\t3\t4\t-\t-\t",
                                        "1\tx\t2\t3\t4\t-\t-\t",
                                        "99999999999999999999\t0\t2\t3\t4\t-\t-\t"};
    AUTO(arena_release) struct arena arena = {0};
    struct record_line line;
    struct err err = {0};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(record_line_parse(str_of(texts[i]), &arena, &line, &err),
                         ST_DATA);
        assert_string_equal(err.text, "a line is no record that --part read has told");
    }
}

TEST_MAIN(cmocka_unit_test(test_rows_of_an_engine_become_a_unit),
          cmocka_unit_test(test_what_is_lost_or_doubled_on_the_way_is_an_error),
          cmocka_unit_test(test_an_engine_that_takes_a_record_otherwise_is_an_error),
          cmocka_unit_test(test_what_has_no_place_in_the_result_is_a_letter),
          cmocka_unit_test(test_an_error_of_the_reader_is_the_answer),
          cmocka_unit_test(test_lines_of_no_order_are_the_end),
          cmocka_unit_test(test_what_was_read_is_what_was_ordered),
          cmocka_unit_test(test_the_end_of_a_reader_that_did_not_begin_is_the_end),
          cmocka_unit_test(test_a_record_comes_back_from_its_line),
          cmocka_unit_test(test_what_is_no_record_line_is_refused))
