// SPDX-License-Identifier: Apache-2.0
// What a plan tells of a script: kinds, options, types, the hash join, subqueries as
// views.
#include "sql_help.h"

#include <jansson.h>

#define TABLES                                                                     \
    "CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT, n INT, r REAL)" DIM \
    "CREATE TABLE days (service_id TEXT, day TEXT NOT NULL)" DIM                   \
    "CREATE TABLE st (trip_id TEXT NOT NULL, seq INT, stop_id TEXT)" STREAM        \
    "CREATE TABLE o ()" SINK

static void assert_schema(const struct schema *schema, const char *expected)
{
    AUTO(buf_release) struct buf buf = {0};
    schema_format(schema, &buf);
    assert_string_equal(buf_cstr(&buf), expected);
}

static char *read_text(const char *path)
{
    AUTO(buf_release) struct buf buf = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        buf_char(&buf, (char)c);
    fclose(file);
    return buf_detach(&buf);
}

static void test_stm_example_is_a_hash_join(void **state)
{
    (void)state;
    char *text = read_text(TRAMLINE_SOURCE_DIR "/examples/stm/pipeline.sql");
    const struct variable variables[] = {
        {STR_LITERAL("HDFS"), STR_LITERAL("hdfs://nn:9870"), true},
        {STR_LITERAL("USER_NAME"), STR_LITERAL("u"), true},
        {STR_LITERAL("GROUP"), STR_LITERAL("g"), true},
        {STR_LITERAL("NAME"), STR_LITERAL("n"), true},
        {STR_LITERAL("BROKERS"), STR_LITERAL("b:9092"), true},
    };
    struct script script = {.name = STR_LITERAL("pipeline.sql"),
                            .text = str_of(text),
                            .variables = variables,
                            .n_variables = ARRAY_LEN(variables)};
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    assert_status(plan_parse(&script, &plan, &report), ST_OK);
    assert_str(plan->stream->name, "stop_times");
    assert_str(plan->sink->name, "enriched_stop_time");
    assert_str(options_text(&plan->sink->options, "path"),
               "hdfs://nn:9870/user/u/g/project5/n/enriched_stop_time");
    assert_str(plan->join_column, "trip_id");
    assert_int_equal(plan->output.n, 18);
    assert_int_equal(plan->n_views, 1);
    assert_true(plan->views[0].materialized);
    assert_int_equal(options_number(&plan->settings, "commit.bytes"), 128 << 20);
    assert_non_null(plan->native);
    assert_int_equal(plan->native->n_branches, 1);
    const struct native_branch *branch = &plan->native->branches[0];
    assert_int_equal(branch->n_joins, 1);
    const struct native_join *join = &branch->joins[0];
    assert_false(join->left);
    assert_int_equal(join->n_keys, 1);
    assert_int_equal(join->stream_keys[0], 0);
    assert_int_equal(branch->n_outputs, 18);
    assert_int_equal(branch->outputs[4].side, SIDE_STREAM);
    assert_int_equal(branch->outputs[5].side, SIDE_DIMENSION);
    assert_str(join->schema.columns[0].name, "trip_id");
    assert_str(join->schema.columns[branch->outputs[17].column].name, "headway_secs");
    plan_free(plan);
    free(text);
}

static void test_types_and_nullability_of_outputs(void **state)
{
    (void)state;
    static const struct {
        const char *query, *schema;
    } cases[] = {
        {"SELECT t.* FROM trips t",
         "trip_id TEXT NOT NULL, route_id TEXT, n INT, r REAL"},
        {"SELECT 1 AS a, 'x' AS b, 2.5 AS c, true AS d, 3000000000 AS e, "
         "CAST(NULL AS INT) AS f",
         "a INT NOT NULL, b TEXT NOT NULL, c REAL NOT NULL, d BOOLEAN NOT NULL, "
         "e BIGINT NOT NULL, f INT"},
        {"SELECT d.day, t.trip_id FROM trips t LEFT JOIN days d ON d.day = t.route_id",
         "day TEXT, trip_id TEXT NOT NULL"},
        {"SELECT d.day, t.trip_id FROM trips t RIGHT JOIN days d ON d.day = t.route_id",
         "day TEXT NOT NULL, trip_id TEXT"},
        {"SELECT count(*) AS a, count(n) AS b, sum(n) AS c, avg(n) AS d, min(trip_id) AS "
         "e "
         "FROM trips",
         "a BIGINT NOT NULL, b BIGINT NOT NULL, c BIGINT, d REAL, e TEXT"},
        {"SELECT min(trip_id) AS a, max(n) AS b, sum(r) AS c FROM trips GROUP BY "
         "route_id",
         "a TEXT NOT NULL, b INT, c REAL"},
        {"SELECT n + 1 AS a, n * 2.0 AS b, n || '' AS c, n = 1 AS d, n IS NULL AS e, "
         "trip_id || 'x' AS f FROM trips",
         "a INT, b REAL, c TEXT, d BOOLEAN, e BOOLEAN NOT NULL, f TEXT NOT NULL"},
        {"SELECT COALESCE(n, 0) AS a, NULLIF(1, 2) AS b, CASE WHEN true THEN 1 END AS c, "
         "CASE WHEN n = 1 THEN 1 ELSE 2 END AS d FROM trips",
         "a INT NOT NULL, b INT, c INT, d INT NOT NULL"},
        {"SELECT n AS a, route_id AS b FROM trips UNION ALL SELECT 2.5, 'x'",
         "a REAL, b TEXT"},
        {"SELECT 1 AS a UNION SELECT NULL", "a INT"},
        {"SELECT day AS a FROM days EXCEPT SELECT route_id FROM trips",
         "a TEXT NOT NULL"},
        {"SELECT (SELECT count(*) FROM days) AS a, (SELECT day FROM days) AS b, "
         "EXISTS (SELECT 1) AS c, 1 IN (SELECT n FROM trips) AS d",
         "a BIGINT NOT NULL, b TEXT, c BOOLEAN NOT NULL, d BOOLEAN"},
        {"SELECT gtfs_seconds('1:00:00') AS a, length(trip_id) AS b, "
         "row_number() OVER (ORDER BY n) AS c, lag(trip_id) OVER (ORDER BY n) AS d FROM "
         "trips",
         "a INT, b INT NOT NULL, c BIGINT NOT NULL, d TEXT"},
        {"SELECT a, b FROM (SELECT trip_id, n FROM trips) AS q (a, b)",
         "a TEXT NOT NULL, b INT"},
        {"SELECT * FROM trips JOIN (SELECT trip_id, 1 AS one FROM trips) x USING "
         "(trip_id)",
         "trip_id TEXT NOT NULL, route_id TEXT, n INT, r REAL, one INT NOT NULL"},
        {"SELECT * FROM days x RIGHT JOIN (SELECT service_id, 1 AS one FROM days) y "
         "USING (service_id)",
         "service_id TEXT, day TEXT, one INT NOT NULL"},
        {"SELECT \"Day\", d2 FROM (SELECT day AS \"Day\", DAY AS d2 FROM days) q",
         "Day TEXT NOT NULL, d2 TEXT NOT NULL"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *script = mem_printf(
            "CREATE TABLE trips (trip_id TEXT NOT NULL, route_id TEXT, n INT, r REAL)" DIM
            "CREATE TABLE days (service_id TEXT, day TEXT NOT NULL)" DIM
            "CREATE VIEW v AS %s",
            cases[i].query);
        struct plan *plan = sql_plan(script);
        assert_schema(&plan->views[0].schema, cases[i].schema);
        plan_free(plan);
        free(script);
    }
}

static void check_native(const char *query, const char *why)
{
    char *script = mem_printf(TABLES "INSERT INTO o %s", query);
    struct plan *plan = sql_plan(script);
    if (why == NULL && plan->native == NULL)
        fail_msg("%s: %.*s", query, STR_ARGS(plan->native_why));
    if (why != NULL && !str_is(plan->native_why, why))
        fail_msg("%s: '%.*s' is not '%s'", query, STR_ARGS(plan->native_why), why);
    plan_free(plan);
    free(script);
}

static void test_why_a_query_is_not_native(void **state)
{
    (void)state;
    static const struct {
        const char *query, *why;
    } cases[] = {
        {"SELECT * FROM st", NULL},
        {"SELECT s.stop_id, t.n FROM st s JOIN trips t ON t.trip_id = s.trip_id", NULL},
        {"SELECT t.n FROM trips t JOIN st s ON s.trip_id = t.trip_id", NULL},
        {"SELECT t.n, s.seq FROM st s LEFT JOIN trips t USING (trip_id)", NULL},
        {"SELECT t.n, s.seq FROM trips t RIGHT JOIN st s USING (trip_id)", NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.trip_id = s.trip_id AND t.n = s.seq",
         NULL},
        {"SELECT s.seq, q.m FROM st s JOIN (SELECT n, max(r) AS m FROM trips GROUP BY n) "
         "q "
         "ON q.n = s.seq",
         NULL},
        {"WITH q AS (SELECT n FROM trips) SELECT s.seq FROM st s JOIN q ON q.n = s.seq",
         NULL},
        {"SELECT seq FROM st WHERE seq > 1", NULL},
        {"SELECT seq + 1 AS x, lower(stop_id) AS y FROM st", NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON lower(t.trip_id) = s.trip_id", NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.r = s.seq", NULL},
        {"SELECT s.seq, d.day FROM st s JOIN trips t USING (trip_id) LEFT JOIN days d ON "
         "d.day = t.route_id WHERE t.n > 1 AND s.seq > 1",
         NULL},
        {"SELECT s.seq FROM st s LEFT JOIN trips t USING (trip_id) WHERE t.n IS NULL",
         NULL},
        {"SELECT s.seq FROM st s CROSS JOIN trips t", NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.trip_id = s.trip_id AND t.trip_id = "
         "s.stop_id",
         NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.trip_id = t.route_id", NULL},
        {"SELECT seq FROM st UNION ALL SELECT seq FROM st", NULL},
        {"SELECT x.seq FROM (SELECT seq FROM st) x", NULL},
        {"SELECT x.n FROM (SELECT t.n FROM st s JOIN trips t USING (trip_id)) x WHERE "
         "x.n > "
         "1",
         NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON s.trip_id = t.trip_id LEFT JOIN days d "
         "ON d.day = s.trip_id",
         NULL},
        {"SELECT s.seq FROM st s LEFT JOIN trips t ON s.trip_id = t.trip_id LEFT JOIN "
         "days d ON d.day = s.trip_id",
         NULL},
        {"SELECT s.seq FROM st s JOIN trips t USING (trip_id) JOIN days d ON d.day = "
         "s.stop_id",
         NULL},
        {"SELECT s.seq FROM st s JOIN trips t USING (trip_id) CROSS JOIN days d", NULL},
        {"SELECT s.seq + t.n AS x FROM st s JOIN trips t USING (trip_id)", NULL},
        {"SELECT (SELECT max(n) FROM trips) AS x FROM st", NULL},
        {"SELECT s.seq FROM st s JOIN trips t USING (trip_id) WHERE t.n < s.seq", NULL},
        {"SELECT seq FROM st WHERE EXISTS (SELECT 1 FROM trips)", NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.n IN (SELECT n FROM trips)", NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.n > s.seq", NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.trip_id = s.trip_id OR t.n = 1", NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.n = s.seq + t.n", NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.n / 2 = s.seq", NULL},
        {"SELECT s.seq FROM st s JOIN trips t USING (trip_id) JOIN days d ON d.day = "
         "substr(t.route_id, 1, t.n)",
         NULL},
        {"SELECT s.seq FROM st s LEFT JOIN trips t USING (trip_id) LEFT JOIN days d ON "
         "d.day = t.route_id AND d.day = s.stop_id",
         NULL},
        {"SELECT s.seq FROM st s LEFT JOIN trips t USING (trip_id) LEFT JOIN days d ON "
         "d.day <> t.route_id",
         NULL},
        {"SELECT s.seq FROM st s JOIN trips t USING (trip_id) CROSS JOIN days d WHERE "
         "d.day < t.route_id",
         NULL},
        {"SELECT s.seq FROM st s, trips t, days d WHERE s.trip_id = t.trip_id AND d.day "
         "= "
         "s.stop_id",
         NULL},
        {"SELECT s.seq, d.day || t.route_id AS x FROM st s JOIN trips t USING (trip_id) "
         "JOIN days d ON d.day = s.stop_id",
         NULL},
        {"SELECT s.seq FROM st s LEFT JOIN trips t USING (trip_id) LEFT JOIN days d ON "
         "d.day = COALESCE(t.route_id, 'x')",
         NULL},
        {"SELECT x.seq FROM (SELECT s.seq, t.route_id AS r FROM st s JOIN trips t USING "
         "(trip_id)) x JOIN trips t ON t.route_id = x.r",
         NULL},
        {"SELECT s.seq FROM st s JOIN (trips t CROSS JOIN days d) ON t.trip_id = "
         "s.trip_id",
         NULL},
        {"SELECT s.seq FROM st s LEFT JOIN (trips t CROSS JOIN days d) ON t.trip_id = "
         "s.trip_id",
         "Tables are joined without an equality, or by what may fail, in an outer join."},
        {"SELECT seq FROM st s WHERE NOT EXISTS (SELECT 1 FROM trips t JOIN days d ON "
         "d.day = t.route_id WHERE t.trip_id = s.trip_id AND t.n > s.seq)",
         NULL},
        {"SELECT s.seq FROM st s LEFT JOIN trips t ON t.n = s.seq AND EXISTS (SELECT 1 "
         "FROM days d WHERE d.day = t.trip_id) AND (SELECT d.day FROM days d WHERE "
         "d.service_id = t.trip_id) = s.stop_id",
         "A subquery in ON of a left join uses both its sides."},
        {"SELECT s.seq FROM st s LEFT JOIN trips t ON t.n = s.seq AND EXISTS (SELECT 1 "
         "FROM days d WHERE d.day = t.trip_id) AND (SELECT d.day FROM days d WHERE "
         "d.service_id = t.trip_id LIMIT 1) = s.stop_id",
         "A subquery in ON of a left join uses both its sides."},
        {"SELECT CASE WHEN x.n > 1 THEN EXISTS (SELECT 1 FROM trips t WHERE t.n > x.n "
         "LIMIT "
         "2) END AS x FROM (SELECT 7 / seq AS n FROM st) x",
         "A subquery in CASE or COALESCE uses a column that may fail."},
        {"SELECT s.seq FROM st s LEFT JOIN trips t ON t.n = s.seq AND EXISTS (SELECT 1 "
         "FROM days d WHERE d.day = t.trip_id AND d.service_id = s.trip_id)",
         "A subquery in ON of a left join uses both its sides."},
        {"SELECT seq FROM st s WHERE EXISTS (SELECT 1 FROM trips t WHERE t.n = 7 / "
         "s.seq)",
         NULL},
        {"SELECT s.seq FROM st s JOIN (trips t JOIN days d ON d.day = t.route_id) ON "
         "t.trip_id = s.trip_id",
         NULL},
        {"SELECT s.seq FROM st s JOIN trips t ON t.trip_id = s.trip_id JOIN days d ON "
         "d.day = s.trip_id AND d.day = d.day",
         NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_native(cases[i].query, cases[i].why);
}

static const struct native_asked *first_asked(const struct native_plan *native)
{
    const struct native_steps *steps = native->branches[0].steps;
    for (size_t i = 0; i < steps->n; i++)
        if (steps->items[i].kind == STEP_SQLITE)
            return steps->items[i].asked;
    fail_msg("SQLite is not asked");
    return NULL;
}

// The subquery alone: the rest of the query stays native.
static void test_why_a_subquery_is_for_sqlite(void **state)
{
    (void)state;
    static const struct {
        const char *query, *why;
    } cases[] = {
        {"SELECT seq FROM st s WHERE (SELECT n FROM trips t WHERE t.trip_id = s.trip_id "
         "ORDER BY n LIMIT 1) > 1",
         "A subquery uses columns from outside, or may fail, and is more than a SELECT "
         "with a WHERE."},
        {"SELECT (SELECT DISTINCT n FROM trips t WHERE t.trip_id = s.trip_id) AS x FROM "
         "st s",
         "A subquery as a value has DISTINCT, or a subquery."},
        {"SELECT (SELECT count(*) FROM trips t WHERE t.n < s.seq) AS x FROM st s",
         "A subquery's aggregate is over a condition with columns from outside that is "
         "not an equality, or that may fail."},
        {"SELECT (SELECT sum(t.r) FROM trips t WHERE t.trip_id = s.trip_id) AS x FROM st "
         "s",
         "A subquery's aggregate uses columns from outside, or may fail."},
        {"SELECT (SELECT count(*) + (SELECT 1) FROM trips t WHERE t.trip_id = s.trip_id) "
         "AS x FROM st s",
         "A subquery's aggregate uses columns from outside, or may fail."},
        {"SELECT (SELECT count(*) + (SELECT count(*) FROM days) % 7 FROM trips t WHERE "
         "t.trip_id = s.trip_id) % 5 AS x FROM st s",
         "A subquery's aggregate uses columns from outside, or may fail."},
        {"SELECT (SELECT GREATEST(count(*), (SELECT count(*) FROM days)) FROM trips t "
         "WHERE t.trip_id = s.trip_id) AS x FROM st s",
         "A subquery's aggregate stands beside a subquery."},
        {"SELECT seq FROM st s WHERE EXISTS (SELECT 1 FROM trips t WHERE EXISTS (SELECT "
         "1 FROM days d WHERE d.day = s.trip_id AND d.service_id = t.trip_id))",
         "A subquery in a subquery uses columns from outside, or may fail."},
        {"SELECT CASE WHEN s.seq > 1 THEN EXISTS (SELECT 1 FROM trips t WHERE t.n = 7 / "
         "s.seq) END AS x FROM st s",
         "A subquery that may fail stands in CASE or COALESCE."},
        {"SELECT seq FROM st s WHERE s.seq IN (SELECT t.n + s.seq FROM trips t)",
         "IN compares with an expression that uses columns from outside, or may fail."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *script = mem_printf(TABLES "INSERT INTO o %s", cases[i].query);
        struct plan *plan = sql_plan(script);
        if (plan->native == NULL)
            fail_msg("%s: %.*s", cases[i].query, STR_ARGS(plan->native_why));
        assert_string_equal(first_asked(plan->native)->why, cases[i].why);
        plan_free(plan);
        free(script);
    }
}

// Columns from outside that a subquery has as parameters.
static void test_sqlite_is_asked_with_64_parameters_at_most(void **state)
{
    (void)state;
    for (int n = 64; n <= 65; n++) {
        AUTO(buf_release) struct buf columns = {0};
        AUTO(buf_release) struct buf where = {0};
        for (int i = 0; i < n; i++) {
            buf_printf(&columns, "%sc%d INT", i > 0 ? ", " : "", i);
            buf_printf(&where, "%ss.c%d < t.c0", i > 0 ? " AND " : "", i);
        }
        char *script = mem_printf(
            "CREATE TABLE t (%s)" DIM "CREATE TABLE s (%s)" STREAM
            "CREATE TABLE o ()" SINK "INSERT INTO o SELECT (SELECT count(*) FROM t WHERE "
            "%s) AS n FROM s",
            buf_cstr(&columns), buf_cstr(&columns), buf_cstr(&where));
        struct plan *plan = sql_plan(script);
        if (n == 65)
            assert_str(plan->native_why,
                       "A subquery uses more than 64 columns from outside.");
        else
            assert_non_null(first_asked(plan->native));
        plan_free(plan);
        free(script);
    }
}

static void test_a_join_of_more_than_64_keys_is_a_step(void **state)
{
    (void)state;
    for (int n = 64; n <= 65; n++) {
        AUTO(buf_release) struct buf columns = {0};
        AUTO(buf_release) struct buf on = {0};
        for (int i = 0; i < n; i++) {
            buf_printf(&columns, "%sc%d INT", i > 0 ? ", " : "", i);
            buf_printf(&on, "%ss.c%d = t.c%d", i > 0 ? " AND " : "", i, i);
        }
        char *script = mem_printf("CREATE TABLE t (%s)" DIM "CREATE TABLE s (%s)" STREAM
                                  "CREATE TABLE o ()" SINK
                                  "INSERT INTO o SELECT s.c0 FROM s JOIN t ON %s",
                                  buf_cstr(&columns), buf_cstr(&columns), buf_cstr(&on));
        struct plan *plan = sql_plan(script);
        assert_true((plan->native->branches[0].steps != NULL) == (n == 65));
        plan_free(plan);
        free(script);
    }
}

// JSON as it is written here: with ' for ", and " for \".
static json_t *json_of(const char *text)
{
    AUTO(buf_release) struct buf json = {0};
    for (const char *p = text; *p; p++)
        if (*p == '"')
            buf_text(&json, "\\\"");
        else
            buf_char(&json, *p == '\'' ? '"' : *p);
    json_t *value = json_loads(buf_cstr(&json), 0, NULL);
    if (value == NULL)
        fail_msg("no JSON: %s", buf_cstr(&json));
    return value;
}

#define SEQ       "{'column':'seq','of':'stream','type':'INT'}"
#define SEQ_AND_1 SEQ ",{'constant':1,'type':'INT'}"
#define SEQ_IS_1  "{'op':'=','args':[" SEQ_AND_1 "],'type':'BOOLEAN'}"

// The names are in docs/architecture.md, "The plan as data".
static void test_a_branch_is_data(void **state)
{
    (void)state;
    static const struct {
        const char *query, *data;
    } cases[] = {
        {"SELECT s.seq, t.n FROM st s JOIN trips t ON t.trip_id = s.trip_id WHERE s.seq "
         "> 1",
         "{'filter':[{'op':'>','args':[{'column':'seq','of':'stream','type':'INT'},"
         "{'constant':1,'type':'INT'}],'type':'BOOLEAN'}],'steps':[],'joins':[{'kind':"
         "'inner','keys':[{'stream':{'column':'trip_id','of':'stream','type':'TEXT'},"
         "'tables':{'column':'trip_id','of':'t','type':'TEXT'}}],'conditions':[],"
         "'tables':{'sql':'SELECT \"t\".\"trip_id\" AS \"trip_id\", \"t\".\"n\" AS "
         "\"n\" FROM \"trips\" AS \"t\"','conditions':[],'filter':[],'values':[{"
         "'column':'n','of':'t','type':'INT'}]}}],'outputs':[{'name':'seq','expr':{"
         "'column':'seq','of':'stream','type':'INT'}},{'name':'n','expr':{'column':'"
         "value "
         "0','of':'join 0','type':'INT'}}]}"},
        {"SELECT lower(s.stop_id) AS a, CAST(s.seq AS REAL) + 0.1 AS b, CASE s.seq WHEN "
         "1 "
         "THEN 2 ELSE 3 END AS c, s.stop_id LIKE 'x%' AS d, s.seq IN (1, 2) AS e FROM st "
         "s",
         "{'filter':[],'steps':[],'joins':[],'outputs':[{'name':'a','expr':{'call':"
         "'lower','args':[{'column':'stop_id','of':'stream','type':'TEXT'}],'type':"
         "'TEXT'}},{'name':'b','expr':{'op':'+','args':[{'cast':'REAL','args':[{'column':"
         "'seq','of':'stream','type':'INT'}],'type':'REAL'},{'constant':'0.1','type':"
         "'REAL'}],'type':'REAL'}},{'name':'c','expr':{'case':[[{'constant':1,'type':"
         "'INT'},{'constant':2,'type':'INT'}]],'subject':{'column':'seq','of':'stream',"
         "'type':'INT'},'else':{'constant':3,'type':'INT'},'type':'INT'}},{'name':'d',"
         "'expr':{'op':'like','args':[{'column':'stop_id','of':'stream','type':'TEXT'},"
         "{'constant':'x%','type':'TEXT'}],'escape':'\\\\','type':'BOOLEAN'}},{'name':'e'"
         ","
         "'expr':{'op':'in','args':[{'column':'seq','of':'stream','type':'INT'},{"
         "'constant':1,'type':'INT'},{'constant':2,'type':'INT'}],'type':'BOOLEAN'}}]}"},
        {"SELECT s.seq FROM st s WHERE NOT EXISTS (SELECT 1 FROM trips t WHERE t.trip_id "
         "= "
         "s.trip_id AND t.n > s.seq AND t.r IS NULL)",
         "{'filter':[],'steps':[{'kind':'exists','keys':[{'stream':{'column':'trip_id',"
         "'of':'stream','type':'TEXT'},'tables':{'column':'trip_id','of':'t','type':"
         "'TEXT'}}],'conditions':[{'op':'>','args':[{'column':'value 0','of':'step 0',"
         "'type':'INT'},{'column':'seq','of':'stream','type':'INT'}],'type':'BOOLEAN'}],"
         "'filter':[{'op':'not','args':[{'column':'match','of':'step 0','type':"
         "'BOOLEAN'}],'type':'BOOLEAN'}],'tables':{'sql':'SELECT \"t\".\"r\" AS \"r\", "
         "\"t\".\"trip_id\" AS \"trip_id\", \"t\".\"n\" AS \"n\" FROM \"trips\" AS "
         "\"t\"','conditions':[{'op':'is null','args':[{'column':'r','of':'t','type':"
         "'REAL'}],'type':'BOOLEAN'}],'filter':[],'values':[{'column':'n','of':'t','type'"
         ":"
         "'INT'}]}}],'joins':[],'outputs':[{'name':'seq','expr':{'column':'seq','of':"
         "'stream','type':'INT'}}]}"},
        {"SELECT s.seq, (SELECT t.n FROM trips t WHERE t.trip_id = s.trip_id) AS n FROM "
         "st "
         "s LEFT JOIN days d ON d.day = s.stop_id AND s.seq > 2 WHERE d.service_id IS "
         "NULL",
         "{'filter':[],'steps':[{'kind':'single','keys':[{'stream':{'column':'trip_id',"
         "'of':'stream','type':'TEXT'},'tables':{'column':'trip_id','of':'t','type':"
         "'TEXT'}}],'conditions':[],'filter':[],'tables':{'sql':'SELECT "
         "\"t\".\"trip_id\" AS \"trip_id\", \"t\".\"n\" AS \"n\" FROM \"trips\" AS "
         "\"t\"','conditions':[],'filter':[],'values':[{'column':'n','of':'t','type':"
         "'INT'}]}}],'joins':[{'kind':'left','keys':[{'stream':{'column':'stop_id','of':"
         "'stream','type':'TEXT'},'tables':{'column':'day','of':'d','type':'TEXT'}}],"
         "'conditions':[{'op':'>','args':[{'column':'seq','of':'stream','type':'INT'},{"
         "'constant':2,'type':'INT'}],'type':'BOOLEAN'}],'tables':{'sql':'SELECT "
         "\"d\".\"day\" AS \"day\", \"d\".\"service_id\" AS \"service_id\" FROM "
         "\"days\" AS \"d\"','conditions':[],'filter':[{'op':'is null','args':[{"
         "'column':'service_id','of':'d','type':'TEXT'}],'type':'BOOLEAN'}],'values':[]}}"
         "]"
         ",'outputs':[{'name':'seq','expr':{'column':'seq','of':'stream','type':'INT'}},{"
         "'name':'n','expr':{'case':[[{'op':'=','args':[{'column':'match','of':'step 0',"
         "'type':'INT'},{'constant':1,'type':'INT'}],'type':'BOOLEAN'},{'column':'value "
         "0','of':'step 0','type':'INT'}],[{'op':'=','args':[{'column':'match','of':"
         "'step 0','type':'INT'},{'constant':0,'type':'INT'}],'type':'BOOLEAN'},{"
         "'constant':null,'type':'INT'}]],'else':{'call':'single','args':[{'column':"
         "'match','of':'step 0','type':'INT'}],'type':'INT'},'type':'INT'}}]}"},
        {"SELECT s.seq, (SELECT t.n FROM trips t WHERE t.trip_id = s.trip_id ORDER BY "
         "t.n LIMIT 1) AS n FROM st s WHERE s.seq = 1",
         "{'filter':[" SEQ_IS_1 "],'steps':[{'kind':'sqlite','sql':'SELECT (SELECT "
         "\"t\".\"n\" AS \"n\" FROM \"trips\" AS \"t\" WHERE (\"t\".\"trip_id\" = ?1) "
         "ORDER BY \"t\".\"n\" ASC NULLS LAST LIMIT 1) AS \"answer\"','parameters':[{"
         "'column':'trip_id','of':'stream','type':'TEXT'}],'filter':[]}],'joins':[],"
         "'outputs':[{'name':'seq','expr':" SEQ "},{'name':'n','expr':{'case':[[{'op':"
         "'is null','args':[{'column':'error','of':'step 0','type':'TEXT'}],'type':"
         "'BOOLEAN'},{'column':'answer','of':'step 0','type':'INT'}]],'else':{'call':"
         "'fail','args':[{'column':'error','of':'step 0','type':'TEXT'}],'type':'INT'},"
         "'type':'INT'}}]}"},
        {"SELECT seq IS DISTINCT FROM 1 AS a, seq IS NOT DISTINCT FROM 1 AS b, seq IS "
         "NOT "
         "NULL AS c FROM st WHERE (seq = 1) IS TRUE AND (seq = 1) IS NOT TRUE AND (seq = "
         "1) IS FALSE AND (seq = 1) IS NOT FALSE",
         "{'filter':[{'op':'is true','args':[" SEQ_IS_1 "],'type':'BOOLEAN'},"
         "{'op':'is not true','args':[" SEQ_IS_1 "],'type':'BOOLEAN'},"
         "{'op':'is false','args':[" SEQ_IS_1 "],'type':'BOOLEAN'},"
         "{'op':'is not false','args':[" SEQ_IS_1 "],'type':'BOOLEAN'}],"
         "'steps':[],'joins':[],'outputs':["
         "{'name':'a','expr':{'op':'is distinct from','args':[" SEQ_AND_1 "],'type':"
         "'BOOLEAN'}},"
         "{'name':'b','expr':{'op':'is not distinct from','args':[" SEQ_AND_1 "],'type':"
         "'BOOLEAN'}},"
         "{'name':'c','expr':{'op':'is not null','args':[" SEQ "],'type':'BOOLEAN'}}]}"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *script = mem_printf(TABLES "INSERT INTO o %s", cases[i].query);
        struct plan *plan = sql_plan(script);
        json_t *expected = json_of(cases[i].data);
        struct str text = plan->native->branches[0].data;
        json_t *data = json_loadb(text.p, text.n, 0, NULL);
        if (!json_equal(data, expected))
            fail_msg("%s: %.*s", cases[i].query, STR_ARGS(text));
        json_decref(expected);
        json_decref(data);
        plan_free(plan);
        free(script);
    }
}

static void assert_not_native(struct buf *script, const char *why)
{
    struct plan *plan = sql_plan(buf_cstr(script));
    assert_null(plan->native);
    assert_str(plan->native_why, why);
    plan_free(plan);
}

static void test_the_ninth_join_is_a_step(void **state)
{
    (void)state;
    AUTO(buf_release) struct buf joins = {0};
    buf_text(&joins, TABLES "INSERT INTO o SELECT s.seq FROM st s");
    for (int i = 0; i < 10; i++)
        buf_printf(&joins, " JOIN trips t%d ON t%d.n = s.seq", i, i);
    struct plan *plan = sql_plan(buf_cstr(&joins));
    assert_int_equal(plan->native->branches[0].n_joins, 8);
    assert_int_equal(plan->native->branches[0].steps->n, 2);
    plan_free(plan);
}

static void test_a_native_plan_has_64_steps_and_64_branches_at_most(void **state)
{
    (void)state;
    AUTO(buf_release) struct buf joins = {0};
    AUTO(buf_release) struct buf branches = {0};
    buf_text(&joins, TABLES "INSERT INTO o SELECT s.seq FROM st s WHERE true");
    for (int i = 0; i < 65; i++)
        buf_text(&joins, " AND s.seq IN (SELECT n FROM trips)");
    assert_not_native(&joins, "More than 64 joins and subqueries are run row by row.");
    buf_text(&branches, TABLES "INSERT INTO o SELECT s.seq FROM st s");
    for (int i = 0; i < 64; i++)
        buf_text(&branches, " UNION ALL SELECT s.seq FROM st s");
    assert_not_native(&branches, "More than 64 queries are put together by UNION ALL.");
}

static void test_native_plan_names_keys_first(void **state)
{
    (void)state;
    struct plan *plan =
        sql_plan(TABLES "INSERT INTO o SELECT t.n AS a, s.seq, t.route_id, t.n AS b "
                        "FROM st s LEFT JOIN trips t ON s.stop_id = t.route_id AND "
                        "t.trip_id = s.trip_id");
    const struct native_branch *branch = &plan->native->branches[0];
    const struct native_join *join = &branch->joins[0];
    assert_true(join->left);
    assert_int_equal(join->n_keys, 2);
    assert_int_equal(join->stream_keys[0], 2);
    assert_int_equal(join->stream_keys[1], 0);
    assert_schema(&join->schema, "route_id TEXT NOT NULL, trip_id TEXT NOT NULL, n INT");
    assert_str(
        join->sql,
        "SELECT \"t\".\"route_id\" AS \"route_id\", \"t\".\"trip_id\" AS \"trip_id\", "
        "\"t\".\"n\" AS \"n\" FROM \"trips\" AS \"t\" "
        "WHERE \"t\".\"route_id\" IS NOT NULL");
    assert_int_equal(branch->outputs[0].column, 2);
    assert_int_equal(branch->outputs[1].side, SIDE_STREAM);
    assert_int_equal(branch->outputs[1].column, 1);
    assert_int_equal(branch->outputs[2].column, 0);
    assert_int_equal(branch->outputs[3].column, 2);
    assert_str(plan->join_column, "stop_id");
    assert_schema(&plan->output, "a INT, seq INT, route_id TEXT, b INT");
    plan_free(plan);
}

// What the stream looks up is found through views and subqueries; tables' subqueries are
// computed once, as hidden views.
static void test_subqueries_over_tables_become_views(void **state)
{
    (void)state;
    struct plan *plan = sql_plan(
        TABLES "CREATE VIEW v AS SELECT trip_id AS t, seq FROM st;\n"
               "CREATE VIEW w AS SELECT day FROM days;\n"
               "CREATE VIEW unread AS SELECT day FROM w;\n"
               "INSERT INTO o WITH c AS (SELECT route_id, n FROM trips) "
               "SELECT q.t, x.m FROM (SELECT v.t, v.seq FROM v) q "
               "JOIN (SELECT max(c.n) AS m, c.route_id FROM c GROUP BY c.route_id) x "
               "ON x.route_id = q.t WHERE EXISTS (SELECT 1 FROM w WHERE w.day = q.t)");
    static const char *const names[] = {"w", "unread", "c#3", "x#4"};
    static const bool read[] = {true, false, false, true};
    assert_int_equal(plan->n_views, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_str(plan->views[i].name, names[i]);
        assert_int_equal(plan->views[i].hidden, i >= 2);
        assert_int_equal(plan->views[i].read_by_insert, read[i]);
    }
    assert_str(plan->join_column, "trip_id");
    assert_int_equal(plan->n_lookups, 2);
    assert_str(plan->lookups[0].relation, "x#4");
    assert_str(plan->lookups[0].column, "route_id");
    assert_str(plan->lookups[1].relation, "w");
    assert_str(plan->lookups[1].column, "day");
    plan_free(plan);
}

static void test_options_and_client_options(void **state)
{
    (void)state;
    struct plan *plan = sql_plan(
        "SET batch.interval = '500ms'; SET executor = sqlite;\n"
        "CREATE TABLE st (a BYTES) WITH (connector = 'kafka', brokers = 'b', topic = "
        "'t',\n"
        "  format = avro, codec = 'snappy', partitions = 12, kafka.acks = 1);"
        "CREATE TABLE d (a TEXT) WITH (connector = 'filesystem', path = '$${x}', \n"
        "  format = 'csv', optional = true)");
    const struct table *st = plan_table(plan, STR_LITERAL("st"));
    assert_int_equal(st->kind, TABLE_STREAM);
    assert_int_equal(options_number(&plan->settings, "batch.interval"), 500);
    assert_true(options_is(&plan->settings, "executor", "sqlite"));
    assert_str(options_text(&st->format, "codec"), "snappy");
    assert_int_equal(options_number(&st->options, "partitions"), 12);
    assert_int_equal(st->line, 2);
    const struct table *d = plan_table(plan, STR_LITERAL("d"));
    assert_int_equal(d->kind, TABLE_DIMENSION);
    assert_int_equal(options_number(&d->options, "optional"), 1);
    assert_str(options_text(&d->options, "path"), "${x}");
    assert_null(plan->stream);
    plan_free(plan);
}

static void test_client_options_keep_their_name(void **state)
{
    (void)state;
    struct plan *plan = sql_plan(
        "CREATE TABLE st (a INT) WITH (connector = 'kafka', brokers = 'b', topic = 't',\n"
        " format = 'csv', \"kafka.security.protocol\" = 'SASL_SSL', kafka.acks = 'all')");
    assert_int_equal(plan->tables[0].n_client_options, 2);
    assert_str(plan->tables[0].client_options[0].name, "security.protocol");
    assert_str(plan->tables[0].client_options[0].value, "SASL_SSL");
    assert_str(plan->tables[0].client_options[1].name, "acks");
    plan_free(plan);
}

// A value is never read as SQL.
static void test_variables_are_values(void **state)
{
    (void)state;
    const struct variable variables[] = {
        {STR_LITERAL("X"), STR_LITERAL("'; DROP TABLE t; -- ${Y}"), true},
        {STR_LITERAL("Y"), STR_LITERAL("no"), true},
    };
    const char *text = "CREATE VIEW v AS SELECT '${X}' AS a, 'é${Y}$${Y}' AS b";
    struct script script = {.name = STR_LITERAL("p.sql"),
                            .text = str_of(text),
                            .variables = variables,
                            .n_variables = 2};
    AUTO(buf_release) struct buf report = {0};
    struct plan *plan = NULL;
    assert_status(plan_parse(&script, &plan, &report), ST_OK);
    assert_str(plan->views[0].sql,
               "SELECT '''; DROP TABLE t; -- ${Y}' AS \"a\", 'éno${Y}' AS \"b\"");
    plan_free(plan);
}

static void test_environment_stands_behind_variables(void **state)
{
    (void)state;
    setenv("TRAMLINE_TEST_VALUE", "from the environment", 1);
    struct plan *plan = sql_plan("CREATE VIEW v AS SELECT '${TRAMLINE_TEST_VALUE}' AS a");
    assert_str(plan->views[0].sql, "SELECT 'from the environment' AS \"a\"");
    plan_free(plan);
}

static void hash_of(const char *rest, char ret[65])
{
    char *script = mem_printf(TABLES "%s", rest);
    struct plan *plan = sql_plan(script);
    memcpy(ret, plan->hash, 65);
    plan_free(plan);
    free(script);
}

static void test_hash_follows_the_meaning(void **state)
{
    (void)state;
    char a[65], b[65];
    hash_of("INSERT INTO o SELECT seq FROM st", a);
    hash_of("SET executor = 'sqlite';\n  insert /* same */ INTO o select \"seq\" from ST",
            b);
    assert_string_equal(a, b);
    hash_of("INSERT INTO o SELECT stop_id AS seq FROM st", b);
    assert_string_not_equal(a, b);
    hash_of("INSERT INTO o SELECT seq FROM st WHERE seq > 1", a);
    hash_of("INSERT INTO o SELECT seq FROM st WHERE seq > 2", b);
    assert_string_not_equal(a, b);
    hash_of("CREATE VIEW v AS SELECT n FROM trips; INSERT INTO o SELECT st.seq FROM st "
            "JOIN v ON v.n = st.seq",
            a);
    hash_of(
        "CREATE VIEW v AS SELECT n FROM trips WHERE n > 0; INSERT INTO o SELECT st.seq "
        "FROM st JOIN v ON v.n = st.seq",
        b);
    assert_string_not_equal(a, b);
}

static void test_a_declared_sink_keeps_its_nullability(void **state)
{
    (void)state;
    struct plan *plan = sql_plan("CREATE TABLE st (trip_id TEXT, seq INT)" STREAM
                                 "CREATE TABLE o (trip_id TEXT NOT NULL, seq INT)" SINK
                                 "INSERT INTO o SELECT trip_id, seq FROM st");
    assert_schema(&plan->output, "trip_id TEXT NOT NULL, seq INT");
    plan_free(plan);
}

static void test_a_byte_order_mark_is_passed_over(void **state)
{
    (void)state;
    struct plan *plan = sql_plan("\xEF\xBB\xBFSET executor = 'native';\r\n");
    assert_true(options_is(&plan->settings, "executor", "native"));
    assert_int_equal(plan->n_tables, 0);
    plan_free(plan);
}

static void assert_names(const struct str *names, size_t n, const char *expected)
{
    AUTO(buf_release) struct buf buf = {0};
    for (size_t i = 0; i < n; i++)
        buf_printf(&buf, "%s%.*s", i ? " " : "", STR_ARGS(names[i]));
    assert_string_equal(buf_cstr(&buf), expected);
}

static void test_a_query_names_what_it_reads_once(void **state)
{
    (void)state;
    struct plan *plan = sql_plan(
        TABLES
        "CREATE VIEW v AS WITH d AS (SELECT day FROM days) SELECT t.trip_id, t.n FROM "
        "trips t WHERE EXISTS (SELECT 1 FROM d) AND t.n IN (SELECT n FROM trips);"
        "CREATE VIEW s AS SELECT st.seq, v.n FROM st JOIN v ON v.trip_id = st.trip_id;"
        "INSERT INTO o SELECT s.seq, q.day FROM s CROSS JOIN (SELECT day FROM days) q "
        "WHERE s.n > (SELECT min(n) FROM v) UNION ALL SELECT seq, NULL FROM st");
    assert_string_equal(plan->views[0].name.p, "v");
    assert_names(plan->views[0].reads, plan->views[0].n_reads, "trips days");
    assert_true(plan->views[0].read_by_insert);
    assert_string_equal(plan->views[1].name.p, "q#2");
    assert_names(plan->views[1].reads, plan->views[1].n_reads, "days");
    assert_names(plan->insert_reads, plan->n_insert_reads, "st v q#2");
    plan_free(plan);
}

TEST_MAIN(cmocka_unit_test(test_stm_example_is_a_hash_join),
          cmocka_unit_test(test_types_and_nullability_of_outputs),
          cmocka_unit_test(test_why_a_query_is_not_native),
          cmocka_unit_test(test_a_join_of_more_than_64_keys_is_a_step),
          cmocka_unit_test(test_why_a_subquery_is_for_sqlite),
          cmocka_unit_test(test_sqlite_is_asked_with_64_parameters_at_most),
          cmocka_unit_test(test_a_branch_is_data),
          cmocka_unit_test(test_the_ninth_join_is_a_step),
          cmocka_unit_test(test_a_native_plan_has_64_steps_and_64_branches_at_most),
          cmocka_unit_test(test_native_plan_names_keys_first),
          cmocka_unit_test(test_subqueries_over_tables_become_views),
          cmocka_unit_test(test_options_and_client_options),
          cmocka_unit_test(test_client_options_keep_their_name),
          cmocka_unit_test(test_variables_are_values),
          cmocka_unit_test(test_environment_stands_behind_variables),
          cmocka_unit_test(test_hash_follows_the_meaning),
          cmocka_unit_test(test_a_declared_sink_keeps_its_nullability),
          cmocka_unit_test(test_a_byte_order_mark_is_passed_over),
          cmocka_unit_test(test_a_query_names_what_it_reads_once))
