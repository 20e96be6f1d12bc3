// SPDX-License-Identifier: Apache-2.0
// What each format and each connector of the lists keeps, whichever they are: a new one
// is tried by its line in src/adapters.
#include "test.h"

#include "core/connector.h"
#include "memory/lookup_mem.h"
#include "memory/output_mem.h"
#include "memory/storage_mem.h"
#include "sql/plan.h"

enum {
    ROUNDS = 200,
    ROWS_MAX = 40
};

// The lists.

static void test_names_are_words_and_unique(UNUSED void **state)
{
    for (size_t i = 0; i < n_option_groups(); i++) {
        struct str name = str_of(option_group_at(i)->name);
        for (size_t c = 0; c < name.n && i > 0; c++)
            assert_in_range(name.p[c], 'a', 'z');
        for (size_t j = 0; j < i; j++)
            assert_false(str_is(name, option_group_at(j)->name));
    }
    for (size_t i = 0; i < n_formats; i++)
        for (size_t j = 0; j < i && formats[i]->files != NULL; j++)
            assert_false(
                formats[j]->files != NULL &&
                strcmp(formats[i]->files->extension, formats[j]->files->extension) == 0);
}

// Both stand in one WITH.
static void test_a_connector_and_its_format_share_no_option(UNUSED void **state)
{
    for (size_t c = 0; c < n_connectors; c++) {
        for (size_t f = 0; f < n_formats; f++) {
            const struct option_group *options = &formats[f]->options;
            for (size_t i = 0; i < options->n; i++)
                assert_null(
                    option_find(&connectors[c]->options, str_of(options->defs[i].name)));
        }
    }
}

static void test_a_format_is_for_something(UNUSED void **state)
{
    for (size_t i = 0; i < n_formats; i++) {
        assert_true(formats[i]->records != NULL || formats[i]->files != NULL);
        assert_true(formats[i]->schemas == NULL || formats[i]->records != NULL);
        assert_non_null(formats[i]->title);
    }
}

// What src/job asks of such options.
static void test_formats_with_schemas_have_the_options_of_a_registry(UNUSED void **state)
{
    static const char *const names[] = {
        "registry",         "registry.user",    "registry.password", "registry.token",
        "registry.ca_file", "registry.timeout", "registry.unknown",  "registry.retry",
        "subject",          "register",
    };
    for (size_t f = 0; f < n_formats; f++)
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            assert_int_equal(option_find(&formats[f]->options, str_of(names[i])) != NULL,
                             formats[f]->schemas != NULL);
}

static void check_type(const struct connector *connector, const char *name,
                       enum option_type type)
{
    const struct option_def *def = option_find(&connector->options, str_of(name));
    assert_non_null(def);
    assert_int_equal(def->type, type);
}

static void test_connectors_have_the_options_that_are_asked_for(UNUSED void **state)
{
    for (size_t i = 0; i < n_connectors; i++) {
        const struct connector *connector = connectors[i];
        check_type(connector, "format", OPTION_FORMAT);
        check_type(connector, connector->place, OPTION_TEXT);
        if (connector->stream == NULL) {
            check_type(connector, "optional", OPTION_BOOLEAN);
            check_type(connector, "on_error", OPTION_CHOICE);
            check_type(connector, "directory", OPTION_CHOICE);
            check_type(connector, "user", OPTION_TEXT);
        }
        if (connector->admin != NULL)
            check_type(connector, "partitions", OPTION_INT);
    }
    assert_null(connector_of_files()->stream);
}

// A format without the part for it is refused by name, whatever its options.
static void test_a_connector_takes_what_it_can_use(UNUSED void **state)
{
    static const struct format nothing = {.options = {.name = "nothing"}};
    for (size_t i = 0; i < n_connectors; i++)
        assert_false(connectors[i]->takes(&nothing));
    for (size_t i = 0; i < n_formats; i++)
        assert_int_equal(connector_of_files()->takes(formats[i]),
                         formats[i]->files != NULL);
}

// Each connector with each format, as a script.

static void put_required(const struct option_group *group, struct buf *text)
{
    for (size_t i = 0; i < group->n; i++)
        if ((group->defs[i].flags & OPTION_REQUIRED) &&
            group->defs[i].type != OPTION_FORMAT)
            buf_printf(text, ", \"%s\" = 'some'", group->defs[i].name);
}

static void check_script(const struct connector *connector, const struct format *format)
{
    AUTO(buf_release) struct buf text = {0};
    AUTO(buf_release) struct buf report = {0};
    AUTO(buf_release) struct buf names = {0};
    AUTO(buf_release) struct buf wanted = {0};
    buf_printf(&text, "CREATE TABLE t (a TEXT) WITH (connector = '%s', format = '%s'",
               connector->options.name, format->options.name);
    put_required(&connector->options, &text);
    buf_text(&text, ");");
    const struct script script = {.name = STR_LITERAL("p.sql"),
                                  .text = buf_as_str(&text)};
    struct plan *plan = NULL;
    enum status rc = plan_parse(&script, &plan, &report);
    if (connector->takes(format)) {
        if (rc != ST_OK)
            fail_msg("%s", buf_cstr(&report));
        assert_ptr_equal(connector_of(&plan->tables[0].options), connector);
        assert_ptr_equal(format_of(&plan->tables[0].format), format);
        plan_free(plan);
        return;
    }
    connector_formats(connector, &names);
    buf_printf(&wanted, "error: option 'format' takes one of %s, not '%s'\n",
               buf_cstr(&names), format->options.name);
    assert_int_equal(rc, ST_USAGE);
    if (strstr(buf_cstr(&report), buf_cstr(&wanted)) == NULL)
        fail_msg("%s has no %s", buf_cstr(&report), buf_cstr(&wanted));
}

static void test_a_script_names_a_format_that_its_connector_takes(UNUSED void **state)
{
    size_t n_refused = 0;
    for (size_t c = 0; c < n_connectors; c++) {
        for (size_t f = 0; f < n_formats; f++) {
            check_script(connectors[c], formats[f]);
            n_refused += !connectors[c]->takes(formats[f]);
        }
    }
    assert_true(n_refused > 0);
}

// Rows there and back.

static unsigned next(unsigned *seed, unsigned n)
{
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 16) % n;
}

static struct value random_value(unsigned *seed, const struct column *column,
                                 struct arena *arena)
{
    static const char *const texts[] = {
        "a",   "0012",      "x,y",  "say \"so\"",       "two\nlines",
        " é ", "{\"k\":1}", "null", "\xF0\x9F\x9A\x8B",
    };
    static const int64_t numbers[] = {0, 1, -1, 2147483647, -2147483647 - 1};
    static const double reals[] = {0, 1, -1.5, 0.1, 1e300, -1e-300, 123456789};
    if (column->nullable && next(seed, 5) == 0)
        return (struct value){0};
    switch (column->type) {
    case TYPE_INT:
        return value_int(numbers[next(seed, ARRAY_LEN(numbers))]);
    case TYPE_BIGINT:
        return value_int(next(seed, 2) ? INT64_MAX : -(int64_t)next(seed, 1000));
    case TYPE_REAL:
        return (struct value){.r = reals[next(seed, ARRAY_LEN(reals))],
                              .kind = VALUE_REAL};
    case TYPE_BOOLEAN:
        return (struct value){.i = next(seed, 2), .kind = VALUE_BOOL};
    case TYPE_BYTES:
        return (struct value){.p = "\0\xFF,\n", .n = 4, .kind = VALUE_BYTES};
    default:
        return value_text(arena_str(arena, str_of(texts[next(seed, ARRAY_LEN(texts))])));
    }
}

static bool value_same(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind == VALUE_NULL)
        return true;
    if (a.kind == VALUE_TEXT || a.kind == VALUE_BYTES)
        return str_eq(value_str(a), value_str(b));
    return a.kind == VALUE_REAL ? a.r == b.r : a.i == b.i;
}

struct made {
    struct arena arena;
    struct schema schema;
    struct options options;
    struct format_table table;
    struct value *rows;
    size_t n_rows;
};

// Columns of all types that the format can hold, in any order.
static void make(struct made *made, const struct format *format, unsigned seed)
{
    *made = (struct made){.n_rows = next(&seed, ROWS_MAX)};
    struct arena *arena = &made->arena;
    made->schema.n = 2 + next(&seed, 7);
    made->schema.columns = arena_array(arena, made->schema.n, sizeof(struct column));
    for (size_t i = 0; i < made->schema.n; i++) {
        enum type type;
        do {
            type = TYPE_TEXT + next(&seed, TYPE_BYTES - TYPE_TEXT + 1);
        } while (format->lacks & 1U << type);
        made->schema.columns[i] =
            (struct column){str_of(arena_printf(arena, "c%zu", i)), type, next(&seed, 2)};
    }
    made->rows = arena_array(arena, made->n_rows * made->schema.n, sizeof(struct value));
    for (size_t i = 0; i < made->n_rows * made->schema.n; i++)
        made->rows[i] =
            random_value(&seed, &made->schema.columns[i % made->schema.n], arena);
    options_init(&made->options, &format->options, arena);
    made->table = (struct format_table){STR_LITERAL("t"), &made->schema, &made->options};
}

// The first rows by their bytes, the others by value.
static void write_file(const struct made *made, const struct format_files *files,
                       struct memory_output *to)
{
    AUTO(buf_release) struct buf rows = {0};
    struct file_writer *writer;
    struct row_format *row_format;
    struct batch batch;
    struct err err;
    size_t n = made->schema.n, n_first = made->n_rows / 2;
    assert_ok(files->open_writer(&made->table, "", &writer, &err), &err);
    assert_ok(files->open_row_format(&made->table, &row_format, &err), &err);
    batch_init(&batch, n);
    memory_output_begin(to);
    assert_ok(writer->ops->begin(writer, &to->output, 0, &err), &err);
    for (size_t i = 0; i < n_first; i++) {
        row_format->ops->fields(row_format, 0, made->rows + i * n, n, &rows);
        row_format->ops->end_row(row_format, &rows);
    }
    assert_ok(writer->ops->rows(writer, buf_as_str(&rows), n_first, &err), &err);
    for (size_t i = n_first; i < made->n_rows; i++)
        memcpy(batch_add(&batch, 0), made->rows + i * n, n * sizeof(struct value));
    assert_ok(writer->ops->batch(writer, &batch, &err), &err);
    assert_ok(writer->ops->finish(writer, (struct str){0}, &err), &err);
    batch_release(&batch);
    row_format->ops->close(row_format);
    writer->ops->close(writer);
}

static void check_rows(const struct made *made, const struct value *rows, size_t n,
                       size_t from)
{
    assert_true(from + n <= made->n_rows);
    for (size_t i = 0; i < n * made->schema.n; i++)
        if (!value_same(rows[i], made->rows[from * made->schema.n + i]))
            fail_msg("row %zu, column %zu differs", from + i / made->schema.n,
                     i % made->schema.n);
}

static void check_file(const struct format *format, unsigned seed)
{
    struct memory_output to = {0};
    struct mem_tree *tree = mem_tree_open(NULL);
    struct storage *storage = storage_mem_open(tree, "/t");
    struct made made;
    struct rows *rows;
    struct batch batch;
    struct err err;
    size_t n = 0;
    make(&made, format, seed);
    write_file(&made, format->files, &to);
    assert_ok(storage_write_bytes(storage, str_of("f"), buf_as_str(&to.file), &err),
              &err);
    memory_output_release(&to);
    assert_ok(format->files->open_rows(&made.table, &(struct rows_request){0}, storage,
                                       str_of("f"), &rows, &err),
              &err);
    batch_init(&batch, made.schema.n);
    do {
        assert_ok(rows->ops->next(rows, &batch, &err), &err);
        check_rows(&made, batch.values, batch.n_rows, n);
        n += batch.n_rows;
    } while (batch.n_rows > 0);
    assert_int_equal(n, made.n_rows);
    assert_int_equal(format->files->stats(rows)->n_rows, made.n_rows);
    rows->ops->close(rows);
    batch_release(&batch);
    arena_release(&made.arena);
    storage->ops->close(storage);
    mem_tree_unref(tree);
}

static void test_files_read_back_as_they_were_written(UNUSED void **state)
{
    for (size_t f = 0; f < n_formats; f++)
        for (unsigned seed = 1; seed <= ROUNDS && formats[f]->files != NULL; seed++)
            check_file(formats[f], seed);
}

static void check_records(const struct format *format, unsigned seed)
{
    struct made made;
    struct record_encoder *encoder;
    struct decoder *decoder;
    struct batch batch;
    struct err err;
    size_t at = 0;
    make(&made, format, seed);
    struct schema_lookup *lookup = memory_lookup_open();
    assert_ok(format->records->open_encoder(&made.table, &encoder, &err), &err);
    encoder->schema_id = 7;
    assert_int_equal(encoder->schema.n > 0, format->schemas != NULL);
    memory_lookup_add(lookup, 7, encoder->schema);
    const struct decoder_request request = {.lookup = lookup};
    assert_ok(format->records->open_decoder(&made.table, &request, &decoder, &err), &err);
    struct buf *values = arena_array(&made.arena, made.n_rows, sizeof(*values));
    struct record *records = arena_array(&made.arena, made.n_rows, sizeof(*records));
    for (size_t i = 0; i < made.n_rows; i++) {
        assert_ok(encoder->ops->encode(encoder, made.rows + i * made.schema.n, &values[i],
                                       &err),
                  &err);
        records[i] =
            (struct record){.offset = (int64_t)i, .value = buf_as_str(&values[i])};
    }
    const struct run run = {
        .next = (int64_t)made.n_rows, .records = records, .n = made.n_rows};
    batch_init(&batch, made.schema.n);
    assert_ok(decoder->ops->decode(decoder, &run, 0, &batch, &at, &err), &err);
    for (size_t i = 0; i < batch.n_rejects; i++)
        fail_msg("%s: %.*s", format->options.name, STR_ARGS(batch.rejects[i].reason));
    assert_int_equal(batch.n_rows, made.n_rows);
    check_rows(&made, batch.values, batch.n_rows, 0);
    for (size_t i = 0; i < made.n_rows; i++)
        buf_release(&values[i]);
    batch_release(&batch);
    decoder->ops->close(decoder);
    encoder->ops->close(encoder);
    lookup->ops->close(lookup);
    arena_release(&made.arena);
}

static void test_records_read_back_as_they_were_written(UNUSED void **state)
{
    for (size_t f = 0; f < n_formats; f++)
        for (unsigned seed = 1; seed <= ROUNDS && formats[f]->records != NULL; seed++)
            check_records(formats[f], seed);
}

// The statements of DuckDB 1.2; tests/e2e/test_generate.py runs them where it is there.
static void test_duckdb_reads_files_by_our_types(UNUSED void **state)
{
    static const struct {
        const char *format, *setup, *call;
    } cases[] = {
        {"csv", "",
         "read_csv('/r''s/part-*', auto_detect = false,\n"
         "    header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '',\n"
         "    allow_quoted_nulls = false, strict_mode = true, hive_partitioning = false, "
         "columns = {\n"
         "      'a''b': 'VARCHAR',\n      'n': 'INTEGER'\n    })"},
        {"avro", "INSTALL avro FROM community;\nLOAD avro;\n",
         "read_avro('/r''s/part-*')"},
    };
    struct column columns[] = {{STR_LITERAL("a'b"), TYPE_TEXT, true},
                               {STR_LITERAL("n"), TYPE_INT, false}};
    const struct schema schema = {columns, ARRAY_LEN(columns)};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(arena_release) struct arena arena = {0};
        AUTO(buf_release) struct buf text = {0};
        const struct format *format = format_find(str_of(cases[i].format));
        struct options options;
        options_init(&options, &format->options, &arena);
        const struct format_table table = {STR_LITERAL("t"), &schema, &options};
        format->files->duckdb(&table, STR_LITERAL("/r's/part-*"), &text);
        assert_string_equal(buf_cstr(&text), cases[i].call);
        assert_string_equal(format->files->duckdb_setup, cases[i].setup);
    }
}

TEST_MAIN(cmocka_unit_test(test_duckdb_reads_files_by_our_types),
          cmocka_unit_test(test_names_are_words_and_unique),
          cmocka_unit_test(test_a_connector_and_its_format_share_no_option),
          cmocka_unit_test(test_a_format_is_for_something),
          cmocka_unit_test(test_formats_with_schemas_have_the_options_of_a_registry),
          cmocka_unit_test(test_connectors_have_the_options_that_are_asked_for),
          cmocka_unit_test(test_a_connector_takes_what_it_can_use),
          cmocka_unit_test(test_a_script_names_a_format_that_its_connector_takes),
          cmocka_unit_test(test_files_read_back_as_they_were_written),
          cmocka_unit_test(test_records_read_back_as_they_were_written))
