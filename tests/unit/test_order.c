// SPDX-License-Identifier: Apache-2.0
// The lines of orders and answers: there and back, and what is refused.
#include "test.h"

#include "log/order.h"

#define WRITER "11111111-1111-4111-8111-111111111111"
#define FRONT                                                                    \
    "{\"v\":1,\"kind\":\"order\",\"order\":7,\"cluster\":\"c\",\"topic\":\"t\"," \
    "\"plan\":\"p\",\"schema\":\"n INT\",\"writer\":\"" WRITER "\",\"partitions\":["
#define RANGE "{\"partition\":1,\"first\":10,\"next\":20}"
#define UNIT                                                                           \
    "{\"writer\":\"" WRITER "\",\"dimension\":\"d\",\"partitions\":[{\"partition\":1," \
    "\"first\":10,\"next\":20,\"data\":4,\"skipped\":6,\"gap\":0,\"ignored\":0,"       \
    "\"rejected\":1}],\"rows\":0,\"matched\":0,\"first_batch_ms\":1,"                  \
    "\"last_batch_ms\":2,\"files\":[]}"

static void test_an_order_there_and_back(UNUSED void **state)
{
    struct order order;
    struct err err = {0};
    AUTO(buf_release) struct buf line = {0};
    assert_ok(order_decode(STR_LITERAL(FRONT RANGE "],\"later\":true}"), &order, &err),
              &err);
    assert_int_equal(order.number, 7);
    assert_int_equal(order.n_ranges, 1);
    assert_int_equal(order.ranges[0].next, 20);
    order_encode(&order, &line);
    assert_string_equal(buf_cstr(&line), FRONT RANGE "]}\n");
    order_release(&order);
}

static void test_what_is_no_order(UNUSED void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"", "it is not JSON: '[' or '{' expected near end of file"},
        {"{\"kind\":\"order\"}", "field 'v' is not 1, the version of these lines; have "
                                 "the same tramline on both sides"},
        {"{\"v\":\"1\"}", "field 'v' is not 1, the version of these lines; have the same "
                          "tramline on both sides"},
        {"[]", "field 'v' is not 1, the version of these lines; have the same tramline "
               "on both sides"},
        {"{\"v\":1,\"kind\":\"end\"}",
         "field 'order' is not a whole number from 0 to 10^18"},
        {"{\"v\":1,\"kind\":\"end\",\"order\":1}", "field 'kind' is not 'order'"},
        {FRONT "]}", "field 'partitions' is not a list of at least one"},
        {FRONT "{\"partition\":1,\"first\":20,\"next\":20}]}",
         "field 'next' is not beyond first"},
        {FRONT "{\"partition\":1,\"first\":-1,\"next\":20}]}",
         "field 'first' is not a whole number from 0 to 10^18"},
        {FRONT RANGE "," RANGE "]}", "field 'partition' has 1 behind 1, partitions rise"},
        {"{\"v\":1,\"kind\":\"order\",\"order\":7,\"cluster\":\"c\",\"topic\":\"t\","
         "\"plan\":\"p\",\"schema\":\"\",\"writer\":\"../x\",\"partitions\":[" RANGE "]}",
         "field 'writer' is not a UUID"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct order order;
        struct err err;
        assert_status(order_decode(str_of(cases[i].line), &order, &err), ST_DATA);
        assert_string_equal(err.text, cases[i].says);
    }
}

static void test_a_line_that_is_too_long(UNUSED void **state)
{
    struct order order;
    struct err err;
    size_t n = ORDER_LINE_MAX + 1;
    char *text = mem_array(n, 1);
    memset(text, ' ', n);
    assert_status(order_decode((struct str){text, n}, &order, &err), ST_DATA);
    assert_string_equal(err.text, "a line of 1048577 bytes; one has at most 1048576");
    free(text);
}

static void assert_same(const char *line)
{
    struct answer answer;
    struct err err = {0};
    AUTO(buf_release) struct buf again = {0};
    assert_ok(answer_decode(str_of(line), &answer, &err), &err);
    answer_encode(&answer, &again);
    assert_string_equal(buf_cstr(&again), line);
    answer_release(&answer);
}

static void test_answers_there_and_back(UNUSED void **state)
{
    assert_same("{\"v\":1,\"kind\":\"unit\",\"order\":7,\"unit\":" UNIT
                ",\"unmatched\":1,\"filtered\":0}\n");
    assert_same("{\"v\":1,\"kind\":\"lost\",\"order\":7}\n");
    assert_same("{\"v\":1,\"kind\":\"error\",\"order\":7,\"status\":\"retry\","
                "\"code\":\"TL1000\",\"text\":\"no broker\"}\n");
    assert_same("{\"v\":1,\"kind\":\"error\",\"status\":\"final\",\"code\":\"\","
                "\"text\":\"what?\"}\n");
    assert_same("{\"v\":1,\"kind\":\"error\",\"status\":\"final\",\"code\":\"\","
                "\"text\":\"what?\",\"exit_code\":3}\n");
    assert_same("{\"v\":1,\"kind\":\"slots\",\"slots\":4}\n");
    assert_same("{\"v\":1,\"kind\":\"alive\",\"for_ms\":60000}\n");
}

static void test_what_is_no_answer(UNUSED void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"{\"v\":1,\"kind\":\"order\",\"order\":1}",
         "field 'kind' is not 'unit', 'error', 'lost', 'slots' or 'alive'"},
        {"{\"v\":1,\"kind\":\"lost\"}",
         "field 'order' is not a whole number from 0 to 10^18"},
        {"{\"v\":1,\"kind\":\"error\",\"status\":\"maybe\",\"code\":\"\",\"text\":\"\"}",
         "field 'status' is not 'retry' or 'final'"},
        {"{\"v\":1,\"kind\":\"unit\",\"order\":7}", "field 'writer' is not a text"},
        {"{\"v\":1,\"kind\":\"slots\",\"slots\":0}", "field 'slots' is not 1 or more"},
        {"{\"v\":1,\"kind\":\"alive\",\"for_ms\":-1}",
         "field 'for_ms' is not a whole number from 0 to 10^18"},
        {"{\"v\":1,\"kind\":\"unit\",\"order\":7,\"unit\":{\"writer\":\"" WRITER
         "\",\"dimension\":\"d\",\"partitions\":[{\"partition\":1,\"first\":10,"
         "\"next\":20,\"data\":4,\"skipped\":7,\"gap\":0,\"ignored\":0,\"rejected\":1}],"
         "\"rows\":0,\"matched\":0,\"first_batch_ms\":1,\"last_batch_ms\":2,"
         "\"files\":[]}}",
         "the counts of partition 1 do not add up"},
        {"{\"v\":1,\"kind\":\"unit\",\"order\":7,\"unit\":" UNIT ",\"filtered\":5}",
         "field 'filtered' is not at most the unit's records"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct answer answer;
        struct err err;
        assert_status(answer_decode(str_of(cases[i].line), &answer, &err), ST_DATA);
        assert_string_equal(err.text, cases[i].says);
    }
}

TEST_MAIN(cmocka_unit_test(test_an_order_there_and_back),
          cmocka_unit_test(test_what_is_no_order),
          cmocka_unit_test(test_a_line_that_is_too_long),
          cmocka_unit_test(test_answers_there_and_back),
          cmocka_unit_test(test_what_is_no_answer))
