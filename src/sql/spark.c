// SPDX-License-Identifier: Apache-2.0
#include "sql/spark.h"

#include "sql/print_spark.h"
#include "sql/report.h"
#include "sql/spark_portable.h"

enum {
    QUERY_BYTES_MAX = 4 << 20 // functions whose twins name an argument twice may nest
};

void spark_make(struct report *report, struct plan *plan, struct query *query, size_t at)
{
    size_t n_before = report->n;
    spark_check_portable(report, plan, query, at);
    if (report->n > n_before)
        return;
    AUTO(buf_release) struct buf text = BUF_INIT(QUERY_BYTES_MAX);
    AUTO(buf_release) struct buf decode = BUF_INIT(QUERY_BYTES_MAX);
    spark_print_query(&text, query);
    spark_print_decode(&decode, plan->stream);
    if (text.full || decode.full) {
        report_error(report, at, "the query has more than %d bytes as Spark SQL",
                     QUERY_BYTES_MAX);
        report_hint(report, "nest fewer functions, or run the script by another engine");
        return;
    }
    struct spark_query *spark = arena_zalloc(report->arena, sizeof(*spark));
    spark->query = arena_str(report->arena, buf_as_str(&text));
    spark->decode = arena_str(report->arena, buf_as_str(&decode));
    plan->spark = spark;
}
