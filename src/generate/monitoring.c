// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "generate/generate.h"
#include "generate/template.h"

enum {
    LAG_S_MIN = 300,
    COMMIT_S_MIN = 900
};

// The name as a label's value: what YAML, JSON and PromQL each have a meaning for is '_'.
static void put_label(const char *job, struct buf *ret)
{
    for (const char *c = job; *c; c++)
        buf_char(ret, isalnum((unsigned char)*c) || strchr("._-", *c) ? *c : '_');
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void fill(const char *text, const struct generate_monitoring *job, struct buf *ret)
{
    AUTO(buf_release) struct buf label = {0};
    put_label(job->name, &label);
    int64_t commit_s = (job->commit_ms + 999) / 1000;
    char lag[24], silence[24];
    snprintf(lag, sizeof(lag), "%" PRId64, larger(LAG_S_MIN, 5 * commit_s));
    snprintf(silence, sizeof(silence), "%" PRId64, larger(COMMIT_S_MIN, 10 * commit_s));
    struct template_word words[] = {
        {"JOB", buf_cstr(&label)},
        {"LISTEN", job->listen},
        {"LAG_S", lag},
        {"COMMIT_S", silence},
    };
    template_fill(text, words, ARRAY_LEN(words), ret);
}

void generate_alerts(const struct generate_monitoring *job, struct buf *ret)
{
    fill(template_alerts, job, ret);
}

void generate_grafana(const struct generate_monitoring *job, struct buf *ret)
{
    fill(template_grafana, job, ret);
}
