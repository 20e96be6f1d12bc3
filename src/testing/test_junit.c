// SPDX-License-Identifier: Apache-2.0
// What came of tests as the XML that JUnit made and builds read.
#include <inttypes.h>

#include "testing/test_suite.h"

static void put_xml(struct str text, struct buf *ret)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '&')
            buf_text(ret, "&amp;");
        else if (c == '<')
            buf_text(ret, "&lt;");
        else if (c == '>')
            buf_text(ret, "&gt;");
        else if (c == '"')
            buf_text(ret, "&quot;");
        else if (c < 0x20 && c != '\n' && c != '\t')
            buf_char(ret, ' '); // has no form in XML
        else
            buf_char(ret, (char)c);
    }
}

static void put_seconds(int64_t us, struct buf *ret)
{
    buf_printf(ret, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
}

static void xml_problem(const struct test_result *result, struct buf *ret)
{
    bool failed = result->outcome == TEST_FAILED;
    const char *tag = failed ? "failure" : "error";
    AUTO(buf_release) struct buf text = {0};
    buf_printf(ret, ">\n    <%s message=\"", tag);
    put_xml(failed ? STR_LITERAL("rows differ") : str_of(result->error.text), ret);
    buf_text(ret, "\">");
    test_differences_show(&result->differences, false, &text);
    put_xml(buf_as_str(&text), ret);
    buf_printf(ret, "</%s>\n  </testcase>\n", tag);
}

static void xml_result(const char *script, const struct test_result *result,
                       struct buf *ret)
{
    buf_text(ret, "  <testcase classname=\"");
    put_xml(str_of(script), ret);
    buf_text(ret, "\" name=\"");
    put_xml(str_of(result->name), ret);
    buf_text(ret, "\" file=\"");
    put_xml(str_of(result->path), ret);
    buf_text(ret, "\" time=\"");
    put_seconds(result->us, ret);
    buf_char(ret, '"');
    if (result->outcome == TEST_OK)
        buf_text(ret, "/>\n");
    else
        xml_problem(result, ret);
}

void test_results_junit(const char *script, const struct test_result *results, size_t n,
                        struct buf *ret)
{
    int64_t us = 0;
    for (size_t i = 0; i < n; i++)
        us += results[i].us;
    buf_text(ret, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"");
    put_xml(str_of(script), ret);
    buf_printf(ret, "\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"", n,
               test_results_count(results, n, TEST_FAILED),
               test_results_count(results, n, TEST_BROKEN));
    put_seconds(us, ret);
    buf_text(ret, "\">\n");
    for (size_t i = 0; i < n; i++)
        xml_result(script, &results[i], ret);
    buf_text(ret, "</testsuite>\n");
}
