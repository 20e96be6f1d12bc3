// SPDX-License-Identifier: Apache-2.0
#include "test.h"

#include <time.h>

#include "bytes_storage.h"
#include "csv_fixture.h"

#include "csv/scanner.h"
#include "csv/table.h"

#define TRIPS "trip_id TEXT NOT NULL, route_id TEXT, direction_id INT"

struct fixture {
    struct arena arena;
    struct schema schema;
    struct bytes_storage storage;
    struct rows *rows;
    struct csv_table_options options;
    struct err err;
};

static enum status open_bytes(struct fixture *f, const char *schema, struct str bytes)
{
    f->schema = schema_of(&f->arena, schema);
    f->storage = bytes_storage(bytes);
    return csv_table_open(&f->storage.storage, BYTES_FILE, &f->schema, &f->options,
                          &f->rows, &f->err);
}

static enum status open_table(struct fixture *f, const char *schema, const char *text)
{
    return open_bytes(f, schema, str_of(text));
}

// All rows, each ended by ';'.
static enum status read_rows(struct fixture *f, struct buf *text)
{
    struct batch batch;
    batch_init(&batch, f->schema.n);
    enum status rc;
    do {
        rc = f->rows->ops->next(f->rows, &batch, &f->err);
        for (size_t i = 0; rc == ST_OK && i < batch.n_rows; i++) {
            buf_str(text, row_text(&f->arena, batch_row(&batch, i), f->schema.n));
            buf_char(text, ';');
        }
    } while (rc == ST_OK && batch.n_rows > 0);
    batch_release(&batch);
    return rc;
}

static void close_table(struct fixture *f)
{
    if (f->rows != NULL)
        f->rows->ops->close(f->rows);
    arena_release(&f->arena);
    *f = (struct fixture){.options = f->options};
}

static void assert_rows(struct fixture *f, const char *schema, const char *text,
                        const char *expected)
{
    struct buf rows = {0};
    assert_ok(open_table(f, schema, text), &f->err);
    assert_ok(read_rows(f, &rows), &f->err);
    assert_str(buf_as_str(&rows), expected);
    buf_release(&rows);
}

static void assert_open_error(const char *schema, struct str bytes, const char *message)
{
    struct fixture f = {.options = {.header = true}};
    assert_status(open_bytes(&f, schema, bytes), ST_DATA);
    assert_string_equal(f.err.text, message);
    close_table(&f);
}

static void assert_row_error(const char *schema, struct str bytes, const char *message)
{
    struct fixture f = {.options = {.header = true}};
    struct buf rows = {0};
    assert_ok(open_bytes(&f, schema, bytes), &f.err);
    assert_status(read_rows(&f, &rows), ST_DATA);
    assert_string_equal(f.err.text, message);
    buf_release(&rows);
    close_table(&f);
}

static void test_columns_are_found_by_name(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    assert_rows(&f, TRIPS, "direction_id,trip_id,extra,route_id\n1,a,x,10\n0,b,y,\n",
                "a|10|1;b|NULL|0;");
    close_table(&f);
    assert_rows(&f, TRIPS, "\xEF\xBB\xBF trip_id ,\"route_id \"\r\na,10\r\nb,11",
                "a|10|NULL;b|11|NULL;");
    close_table(&f);
    // Names without text are extra fields, as of a comma at the end of each line.
    assert_rows(&f, TRIPS, "\n\ntrip_id,,\na,,\n", "a|NULL|NULL;");
    close_table(&f);
    assert_rows(&f, TRIPS, "trip_id\n", "");
    close_table(&f);
    // Nor does it matter what extra columns are called.
    assert_rows(&f, TRIPS, "x,trip_id,x,X,Route_id\n1,a,2,3,4\n", "a|NULL|NULL;");
    close_table(&f);
}

// Ids keep their zeros and signs, exact duplicates stay, white space is data.
static void test_text_is_bytes(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    assert_rows(&f, TRIPS,
                "trip_id,route_id,direction_id\n0012,12,01\n12,0012,+1\n"
                "21M-GLOBAUX-00-S_1_2,1e5,-0\n12,0012,+1\n x , ,\n",
                "0012|12|1;12|0012|1;21M-GLOBAUX-00-S_1_2|1e5|0;12|0012|1; x | |NULL;");
    close_table(&f);
}

// An unquoted empty field is NULL, a quoted one the empty string; both are NULL for what
// is not text.
static void test_empty_and_null_differ(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    assert_rows(&f, TRIPS,
                "trip_id,route_id,direction_id\n\"\",\"\",\"\"\n\"\",,\na,\"\"",
                "||NULL;|NULL|NULL;a||NULL;");
    close_table(&f);
}

static void test_without_a_header_columns_go_by_position(UNUSED void **state)
{
    struct fixture f = {.options = {.header = false}};
    assert_rows(&f, TRIPS,
                "\xEF\xBB\xBF"
                "a,10,1\nb,11,0\n",
                "a|10|1;b|11|0;");
    close_table(&f);
    assert_rows(&f, TRIPS, "", "");
    close_table(&f);
}

static void test_short_rows_are_counted(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    assert_rows(&f, TRIPS, "trip_id,route_id,direction_id\na\n\nb,11\n\r\nc,12,1\n",
                "a|NULL|NULL;b|11|NULL;c|12|1;");
    const struct rows_stats *stats = csv_table_stats(f.rows);
    assert_int_equal(stats->n_rows, 3);
    assert_int_equal(stats->n_short, 2);
    assert_int_equal(stats->n_skipped, 0);
    close_table(&f);
}

static void test_empty_fields_past_the_header_are_counted(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    assert_rows(&f, TRIPS, "trip_id,route_id,direction_id\na,1,1,\nb,2,0\nc,,,,\t,\r\n",
                "a|1|1;b|2|0;c|NULL|NULL;");
    assert_int_equal(csv_table_stats(f.rows)->n_tails, 2);
    assert_int_equal(csv_table_stats(f.rows)->n_short, 0);
    close_table(&f);
    f.options.header = false;
    assert_rows(&f, TRIPS, "a,1,1,,", "a|1|1;");
    assert_int_equal(csv_table_stats(f.rows)->n_tails, 1);
    close_table(&f);
}

// White space and Ctrl-Z, the end of a text file of DOS.
static void test_lines_of_white_space_are_blank(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    assert_rows(&f, TRIPS,
                " \n\t\r\ntrip_id,route_id\na,1\n   \n\t \x0C\r\nb,2\n\x1A\x1A\n \x1A",
                "a|1|NULL;b|2|NULL;");
    assert_int_equal(csv_table_stats(f.rows)->n_short, 0);
    close_table(&f);
    assert_rows(&f, "a TEXT", "a\nx\n  \n\n\"  \"\n\x1A", "x;NULL;  ;");
    close_table(&f);
    f.options.header = false;
    assert_rows(&f, TRIPS, " \na,1,1\n\x1A", "a|1|1;");
    close_table(&f);
}

static void test_padded_fields_are_read(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    assert_rows(&f, TRIPS, "trip_id,route_id,direction_id   \na,1 ,2    \nb,\"2\" , 1\n",
                "a|1 |2;b|2|1;");
    close_table(&f);
    f.options.trim = true;
    assert_rows(&f, TRIPS, "trip_id,route_id\n a\t, 1 \nb,  \n", "a|1|NULL;b|NULL|NULL;");
    close_table(&f);
}

static void test_columns_that_the_header_lacks_are_told(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    assert_rows(&f, TRIPS, "trip_id,Route_Id\na,1\n", "a|NULL|NULL;");
    assert_string_equal(csv_table_stats(f.rows)->absent,
                        "route_id (the nearest is Route_Id), direction_id");
    close_table(&f);
    assert_rows(&f, TRIPS, "direction_id,trip_id,route_id\n", "");
    assert_null(csv_table_stats(f.rows)->absent);
    close_table(&f);
    // A name that is a column's own is no other's.
    assert_rows(&f, "note_fr TEXT, note_en TEXT", "note_en\nx\n", "NULL|x;");
    assert_string_equal(csv_table_stats(f.rows)->absent, "note_fr");
    close_table(&f);
    assert_rows(&f, TRIPS,
                "\xEF\xBB\xBF\xEF\xBB\xBFtrip_id,route_id,direction_id\na,1,2\n",
                "a|1|2;");
    assert_null(csv_table_stats(f.rows)->absent);
    close_table(&f);
}

static void test_an_empty_file_may_be_one_without_rows(UNUSED void **state)
{
    static const char *const empty[] = {"", "\n \n", "\xEF\xBB\xBF", "\x1A"};
    struct fixture f = {.options = {.header = true, .may_be_empty = true}};
    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        assert_rows(&f, TRIPS, empty[i], "");
        assert_true(csv_table_stats(f.rows)->is_empty);
        close_table(&f);
    }
    assert_rows(&f, TRIPS, "trip_id\n", "");
    assert_false(csv_table_stats(f.rows)->is_empty);
    close_table(&f);
    assert_status(open_table(&f, TRIPS, "tripid\n"), ST_DATA);
    close_table(&f);
}

static void
test_blank_lines_are_null_in_a_file_of_one_nullable_column(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    assert_rows(&f, "a TEXT", "a\nx\n\n\"\"\n", "x;NULL;;");
    close_table(&f);
    assert_rows(&f, "a TEXT NOT NULL", "a\nx\n\ny\n\n", "x;y;");
    close_table(&f);
}

static void test_headers_that_do_not_fit_are_refused(UNUSED void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"route_id,tripid\n1,2\n",
         "mem:/t.csv: column trip_id is NOT NULL and not in the "
         "header; the nearest there is 'tripid'"},
        {"x,y\n1,2\n",
         "mem:/t.csv: column trip_id is NOT NULL and not in the header, which has 'x', "
         "'y'; a file without a header line is read with header = false"},
        {"Trip_ID\n1\n",
         "mem:/t.csv: column trip_id is NOT NULL and not in the header; the "
         "nearest there is 'Trip_ID'"},
        {"trip_id,route_id,trip_id\n", "mem:/t.csv: column trip_id stands twice in the "
                                       "header, as field 1 and 3"},
        {"", "mem:/t.csv: the file is empty; a header line was expected"},
        {"\n\n", "mem:/t.csv: the file is empty; a header line was expected"},
        {"trip_id,\"route\n", "mem:/t.csv: the header line: field 2: unclosed quote"},
        {"trip_id,\xFF\n", "mem:/t.csv: the header's name '\\xFF' is not UTF-8"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_open_error(TRIPS, str_of(bad[i].text), bad[i].message);
    assert_open_error("a TEXT, b TEXT", str_of("1,2\n3,4\n"),
                      "mem:/t.csv: none of the columns is in the header, which has '1', "
                      "'2'; a file without a header line is read with header = false");
    assert_open_error("z TEXT", str_of("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v\n"),
                      "mem:/t.csv: none of the columns is in the header, which has 'a', "
                      "'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', "
                      "'o', 'p', 'q', 'r', 's', 't' and 2 more; a file without a header "
                      "line is read with header = false");
    assert_open_error(TRIPS, (struct str){"\xFF\xFEt\0r\0", 6},
                      "mem:/t.csv: the file is UTF-16, not UTF-8; convert it first, for "
                      "example: iconv -f UTF-16 -t UTF-8");
    static const struct {
        const char *bytes, *message;
    } others[] = {
        {"\x1F\x8B\x08\x08zzzzzzzz", "packed by gzip; unpack it first: gunzip"},
        {"PK\x03\x04zzzzzzzz", "a zip; unpack it first: unzip"},
        {"\x28\xB5\x2F\xFDzzzzzzzz", "packed by zstd; unpack it first: unzstd"},
        {"\xFD"
         "7zXZzzzzzz",
         "packed by xz; unpack it first: unxz"},
        {"BZh91AY&SYzz", "packed by bzip2; unpack it first: bunzip2"},
        {"Obj\x01zzzzzzzz", "an Avro container file; that is format = 'avro'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        char message[128];
        snprintf(message, sizeof(message), "mem:/t.csv: the file is %s",
                 others[i].message);
        assert_open_error(TRIPS, str_of(others[i].bytes), message);
    }
    assert_open_error(TRIPS, str_of("trip_id,route_id\ra,b\rc,d\r"),
                      "mem:/t.csv: the lines end with CR alone; mend the file: tr '\\r' "
                      "'\\n'");
    assert_open_error(
        TRIPS, str_of("trip_id,route_id\r\r\na,b\r\r\n"),
        "mem:/t.csv: the header line: the line ends with CR CR LF; mend the "
        "file: sed 's/\\r*$//'");
    assert_open_error(TRIPS, (struct str){"\xFE\xFF\0t\0r", 6},
                      "mem:/t.csv: the file is UTF-16, not UTF-8; convert it first, for "
                      "example: iconv -f UTF-16 -t UTF-8");
}

static void test_a_header_has_10000_fields_at_most(UNUSED void **state)
{
    struct buf text = {0};
    for (int i = 0; i < 10000; i++)
        buf_char(&text, ',');
    buf_char(&text, '\n');
    assert_open_error(TRIPS, buf_as_str(&text),
                      "mem:/t.csv: the header has 10001 fields; at most 10000 are read");
    buf_release(&text);
}

// 900 columns, 10,000 names, each column near one: only the first few are compared with
// all.
static void test_the_nearest_names_of_ten_absent_columns_are_told(UNUSED void **state)
{
    struct buf columns = {0}, header = {0};
    buf_text(&columns, "trip_id TEXT NOT NULL");
    for (int i = 0; i < 900; i++)
        buf_printf(&columns, ", a_column_that_is_not_there_%04d TEXT", i);
    buf_text(&header, "trip_id");
    for (int i = 0; i < 900; i++)
        buf_printf(&header, ",a_column_that_is_not_there_x%03d", i);
    for (int i = 901; i < 10000; i++)
        buf_printf(&header, ",another_name_of_some_length_%04d", i);
    buf_char(&header, '\n');
    struct fixture f = {.options = {.header = true}};
    assert_ok(open_bytes(&f, buf_cstr(&columns), buf_as_str(&header)), &f.err);
    const char *absent = csv_table_stats(f.rows)->absent;
    assert_non_null(strstr(absent, "a_column_that_is_not_there_0001 (the nearest is "
                                   "a_column_that_is_not_there_x001), "));
    assert_non_null(strstr(absent, ", a_column_that_is_not_there_0899"));
    size_t n_told = 0;
    for (const char *p = absent; (p = strstr(p, "(the nearest is ")) != NULL; p++)
        n_told++;
    assert_int_equal(n_told, 10);
    buf_release(&columns);
    buf_release(&header);
    close_table(&f);
}

static void test_rows_that_do_not_fit_name_line_and_column(UNUSED void **state)
{
    static const struct {
        const char *text, *message;
    } bad[] = {
        {"trip_id,direction_id\na,1\nb,x7\n",
         "mem:/t.csv:3: column direction_id: 'x7' is not an INT; on_error = 'skip' "
         "leaves such rows out"},
        {"trip_id,route_id\n\"a\nb\",\"\n\"\n\n,1\n",
         "mem:/t.csv:6: column trip_id is NOT NULL and has no value; on_error = 'skip' "
         "leaves such rows out"},
        {"trip_id,x\na,1,2\n",
         "mem:/t.csv:2: 3 fields for 2 columns of the header: the first too many is '2'; "
         "on_error = 'skip' leaves such rows out"},
        {"trip_id,route_id\na,F\xEAte\n",
         "mem:/t.csv:2: column route_id: 'F\\xEAte' is not UTF-8; on_error = 'skip' "
         "leaves such rows out"},
        {"x,route_id,trip_id\na,\"b\nc,d\n",
         "mem:/t.csv:2: column route_id: unclosed quote; on_error = 'skip' leaves such "
         "rows out"},
        {"route_id,trip_id\n10\n", "mem:/t.csv:2: column trip_id is NOT NULL and has no "
                                   "value; on_error = 'skip' leaves such rows out"},
        {"trip_id,direction_id\na,3000000000\n",
         "mem:/t.csv:2: column direction_id: '3000000000' is out of the range of INT; "
         "on_error = 'skip' leaves such rows out"},
        {"x,trip_id\n\"a\"b,c\n",
         "mem:/t.csv:2: field 1: text after the closing quote; a "
         "quote inside quotes is written twice; on_error = 'skip' leaves such rows out"},
        {"trip_id,route_id\na\rb\rc\r",
         "mem:/t.csv:2: column trip_id: a carriage return without a line feed; quote the "
         "field, or where it ends the line, mend the file: tr '\\r' '\\n'; on_error = "
         "'skip' leaves such rows out"},
        {"trip_id,route_id\na,b\r\r\n",
         "mem:/t.csv:2: the line ends with CR CR LF; mend the file: sed 's/\\r*$//'; "
         "on_error = 'skip' leaves such rows out"},
        {"trip_id,route_id\na,b,,\"\"\n",
         "mem:/t.csv:2: 4 fields for 2 columns of the header: the first too many is ''; "
         "on_error = 'skip' leaves such rows out"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_row_error(TRIPS, str_of(bad[i].text), bad[i].message);
}

static void test_bad_rows_can_be_left_out(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true, .skip_errors = true}};
    assert_rows(&f, TRIPS,
                "trip_id,route_id,direction_id\n"
                "a,1,1\n"
                ",2,1\n"    // no key
                "b,\"3,1\n" // a stray quote: costs this line only
                "c,4,1\n"
                "d,\"5\"x,1\n"
                "e,6,1,9\n"
                "f,7,1",
                "a|1|1;c|4|1;f|7|1;");
    const struct rows_stats *stats = csv_table_stats(f.rows);
    assert_int_equal(stats->n_rows, 3);
    assert_int_equal(stats->n_skipped, 4);
    assert_int_equal(stats->n_messages, 4);
    assert_string_equal(stats->messages[1],
                        "mem:/t.csv:4: column route_id: unclosed quote");
    assert_string_equal(stats->messages[3], "mem:/t.csv:7: 4 fields for 3 columns of the "
                                            "header: the first too many is '9'");
    close_table(&f);
}

static void test_only_the_first_messages_are_kept(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true, .skip_errors = true}};
    struct buf text = {0};
    buf_text(&text, "trip_id,direction_id\n");
    for (int i = 0; i < 100; i++)
        buf_text(&text, "a,x\n");
    assert_rows(&f, TRIPS, buf_cstr(&text), "");
    assert_int_equal(csv_table_stats(f.rows)->n_skipped, 100);
    assert_int_equal(csv_table_stats(f.rows)->n_messages, ROWS_MESSAGES);
    buf_release(&text);
    close_table(&f);
}

static void test_an_open_quote_does_not_eat_memory(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true, .skip_errors = true}};
    size_t n = CSV_RECORD_MAX + (8 << 20);
    char *bytes = malloc(n);
    memset(bytes, 'x', n);
    memcpy(bytes, "trip_id\n\"", 9);
    bytes[n - 3] = '\n'; // one long line, then "x\n"
    bytes[n - 1] = '\n';
    struct buf rows = {0};
    assert_ok(open_bytes(&f, TRIPS, (struct str){bytes, n}), &f.err);
    assert_ok(read_rows(&f, &rows), &f.err);
    assert_str(buf_as_str(&rows), "x|NULL|NULL;");
    assert_string_equal(
        csv_table_stats(f.rows)->messages[0],
        "mem:/t.csv:2: column trip_id: a record of more than 16 MiB; is a "
        "quote left open?");
    buf_release(&rows);
    close_table(&f);
    free(bytes);
}

static void test_pieces_of_any_size_give_the_same_rows(UNUSED void **state)
{
    static const char text[] = "\xEF\xBB\xBFtrip_id,route_id,direction_id\r\n"
                               "\"a,\"\"1\"\"\",\"line\r\nbreak\",1\r\n"
                               "\r\n"
                               "b,F\xC3\xAAte,\r\n"
                               "c,,0";
    for (size_t piece = 1; piece < sizeof(text) + 1; piece++) {
        struct fixture f = {.options = {.header = true, .piece_bytes = piece}};
        assert_rows(&f, TRIPS, text,
                    "a,\"1\"|line\r\nbreak|1;b|F\xC3\xAAte|NULL;c|NULL|0;");
        close_table(&f);
    }
}

// Passing a bad line must not move the bytes that earlier rows of the batch borrow.
static void test_a_bad_line_leaves_rows_before_it_alone(UNUSED void **state)
{
    for (size_t piece = 1; piece < 40; piece++) {
        struct fixture f = {.options = {.skip_errors = true, .piece_bytes = piece}};
        assert_rows(&f, "a TEXT", "first\n\"a\"b and more\nlast\n", "first;last;");
        close_table(&f);
    }
}

static void test_a_missing_file_is_not_found(UNUSED void **state)
{
    struct fixture f = {.options = {.header = true}};
    f.schema = schema_of(&f.arena, TRIPS);
    f.storage = bytes_storage(str_of("x"));
    assert_status(csv_table_open(&f.storage.storage, str_of("other.csv"), &f.schema,
                                 &f.options, &f.rows, &f.err),
                  ST_NOT_FOUND);
    assert_string_equal(f.err.text, "mem:/other.csv: not found");
    close_table(&f);
}

// Records that are read in one pass beside those of a file with one more column, which
// are scanned: the rows are the same, and what is told of them.

static uint64_t chance_state = 11;

static size_t chance(size_t n)
{
    chance_state = chance_state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(chance_state >> 33) % n;
}

static void add_record(struct buf *plain, struct buf *scanned)
{
    static const char *const texts[] = {
        "",
        "a",
        "T100",
        "a b",
        " padded",
        "tab\t",
        "\"q\"",
        "\"a,b\"",
        "\"x\"\"y\"",
        "\"l1\nl2\"",
        "\xC3\xA9",
        "\xFF",
        "it's",
        "in\"side",
        "\x01",
        "C\rR",
        "a text of more than 64 bytes, which is as many as are looked at at once"};
    static const char *const numbers[] = {
        "",           "0",          "7",
        "007",        "-3",         " 12 ",
        "2147483647", "2147483648", "1234567890123456789",
        "x"};
    AUTO(buf_release) struct buf record = {0};
    size_t n = chance(8) == 0 ? 3 + chance(3) : 4;
    for (size_t i = 0; i < n; i++) {
        bool is_number = i == 1 || i == 2, is_odd = chance(4) == 0;
        buf_text(&record, i > 0 ? "," : "");
        if (is_number)
            buf_text(&record, numbers[is_odd ? chance(ARRAY_LEN(numbers)) : 2]);
        else
            buf_text(&record, texts[is_odd ? chance(ARRAY_LEN(texts)) : 2]);
    }
    if (chance(20) == 0)
        buf_clear(&record);
    if (record.n > 0)
        buf_text(scanned, "more,");
    buf_text(&record, chance(5) == 0 ? "\r\n" : "\n");
    buf_str(plain, buf_as_str(&record));
    buf_str(scanned, buf_as_str(&record));
}

static void read_file(struct fixture *f, struct buf *file, size_t piece_bytes,
                      struct buf *rows)
{
    f->options = (struct csv_table_options){
        .header = true, .skip_errors = true, .piece_bytes = piece_bytes};
    assert_ok(open_bytes(f, "a TEXT, b INT, c BIGINT, d TEXT", buf_as_str(file)),
              &f->err);
    assert_ok(read_rows(f, rows), &f->err);
}

static void test_records_in_one_pass_are_those_that_are_scanned(UNUSED void **state)
{
    for (size_t round = 0; round < 300; round++) {
        AUTO(buf_release) struct buf plain = {0}, scanned = {0}, a = {0}, b = {0};
        struct fixture f = {0}, g = {0};
        buf_text(&plain, "a,b,c,d\n");
        buf_text(&scanned, "other,a,b,c,d\n");
        for (size_t n = chance(60); n > 0; n--)
            add_record(&plain, &scanned);
        if (chance(3) == 0)
            buf_text(&plain, "last,1,2,x");
        if (plain.p[plain.n - 1] != '\n')
            buf_text(&scanned, "more,last,1,2,x");
        size_t piece_bytes = 1 + chance(round % 2 ? 100 : 4000);
        read_file(&f, &plain, piece_bytes, &a);
        read_file(&g, &scanned, piece_bytes, &b);
        if (!str_eq(buf_as_str(&a), buf_as_str(&b)))
            fail_msg("%s: in one pass\n%s\nscanned\n%s", buf_cstr(&plain), buf_cstr(&a),
                     buf_cstr(&b));
        const struct rows_stats *one = csv_table_stats(f.rows),
                                *other = csv_table_stats(g.rows);
        assert_int_equal(one->n_rows, other->n_rows);
        assert_int_equal(one->n_short, other->n_short);
        assert_int_equal(one->n_tails, other->n_tails);
        assert_int_equal(one->n_skipped, other->n_skipped);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(one->padded[i].n, other->padded[i].n);
        close_table(&f);
        close_table(&g);
    }
}

TEST_MAIN(cmocka_unit_test(test_columns_are_found_by_name),
          cmocka_unit_test(test_text_is_bytes),
          cmocka_unit_test(test_empty_and_null_differ),
          cmocka_unit_test(test_a_header_has_10000_fields_at_most),
          cmocka_unit_test(test_the_nearest_names_of_ten_absent_columns_are_told),
          cmocka_unit_test(test_without_a_header_columns_go_by_position),
          cmocka_unit_test(test_short_rows_are_counted),
          cmocka_unit_test(test_empty_fields_past_the_header_are_counted),
          cmocka_unit_test(test_lines_of_white_space_are_blank),
          cmocka_unit_test(test_padded_fields_are_read),
          cmocka_unit_test(test_columns_that_the_header_lacks_are_told),
          cmocka_unit_test(test_an_empty_file_may_be_one_without_rows),
          cmocka_unit_test(test_blank_lines_are_null_in_a_file_of_one_nullable_column),
          cmocka_unit_test(test_headers_that_do_not_fit_are_refused),
          cmocka_unit_test(test_rows_that_do_not_fit_name_line_and_column),
          cmocka_unit_test(test_bad_rows_can_be_left_out),
          cmocka_unit_test(test_only_the_first_messages_are_kept),
          cmocka_unit_test(test_an_open_quote_does_not_eat_memory),
          cmocka_unit_test(test_pieces_of_any_size_give_the_same_rows),
          cmocka_unit_test(test_a_bad_line_leaves_rows_before_it_alone),
          cmocka_unit_test(test_a_missing_file_is_not_found),
          cmocka_unit_test(test_records_in_one_pass_are_those_that_are_scanned))
