// SPDX-License-Identifier: Apache-2.0
#include "status/verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json_put.h"
#include "base/text.h"

enum {
    EXPIRY_SOON_MS = 7 * 86400 * 1000,
    WINDOW_POINTS = 30 // of the history: five minutes
};

const char *const verdict_names[VERDICT_BAD + 1] = {
    [VERDICT_OK] = "ok",
    [VERDICT_WARN] = "warn",
    [VERDICT_BAD] = "bad",
};

void verdict_add(struct verdict *verdict, enum verdict_level level, const char *code,
                 const char *fmt, ...)
{
    if (verdict->n == VERDICT_REASONS)
        return;
    struct verdict_reason *reason = &verdict->reasons[verdict->n++];
    va_list args;
    va_start(args, fmt);
    vsnprintf(reason->text, sizeof(reason->text), fmt, args);
    va_end(args);
    reason->code = code;
    reason->level = level;
    if (level > verdict->level)
        verdict->level = level;
}

void verdict_json(const struct verdict *verdict, struct buf *ret)
{
    json_put_text(ret, "verdict", str_of(verdict_names[verdict->level]));
    json_put_open(ret, "reasons", '[');
    for (size_t i = 0; i < verdict->n; i++) {
        const struct verdict_reason *reason = &verdict->reasons[i];
        json_put_open(ret, NULL, '{');
        json_put_text(ret, "code", str_of(reason->code));
        json_put_text(ret, "level", str_of(verdict_names[reason->level]));
        json_put_text(ret, "text", str_of(reason->text));
        json_put_close(ret, '}');
    }
    json_put_close(ret, ']');
}

bool verdict_exceeds(int64_t n, int64_t all, int percent)
{
    return (double)n * 100 > (double)all * (double)percent;
}

static int64_t stalled_ms(const struct look *look)
{
    bool is_over = look->view->phase == BOARD_STOPPED || look->stepped_ms == 0;
    int64_t ms = is_over ? 0 : look->monotonic_ms - look->stepped_ms;
    return ms > VERDICT_STALLED_MS ? ms : 0;
}

static void judge_phase(const struct look *look, struct verdict *verdict)
{
    const struct board_view *view = look->view;
    int64_t stalled = stalled_ms(look);
    if (stalled > 0)
        verdict_add(verdict, VERDICT_BAD, "stalled",
                    "the worker has not moved for %lld s", (long long)(stalled / 1000));
    if (view->phase == BOARD_STARTING)
        verdict_add(verdict, VERDICT_WARN, "starting",
                    "starting: the tables are being read");
    if (view->phase == BOARD_STOPPING || view->phase == BOARD_STOPPED)
        verdict_add(verdict, VERDICT_WARN, "stopping",
                    "stopping: the last commit is made");
    if (view->phase == BOARD_IDLE)
        verdict_add(
            verdict, VERDICT_WARN, "no_partitions",
            "no partitions: other workers have them, or the group is being joined");
    if (view->phase == BOARD_ASSIGNING)
        verdict_add(verdict, VERDICT_WARN, "assigning", "partitions are being claimed");
}

static void judge_waits(const struct look *look, struct verdict *verdict)
{
    const struct board_view *view = look->view;
    if (view->n_retrying > 0)
        verdict_add(verdict, VERDICT_BAD, "storage", "the storage is tried again: %s",
                    view->failure.text);
    if (view->waiting.wall_ms != 0)
        verdict_add(verdict, VERDICT_BAD, "waiting", "waiting: %s", view->waiting.text);
}

static void judge_records(const struct look *look, struct verdict *verdict)
{
    const struct history *history = look->history;
    int64_t n_matched = 0, n_unmatched = 0, n_rejected = 0;
    size_t n = history == NULL ? 0 : history->n;
    for (size_t i = n > WINDOW_POINTS ? n - WINDOW_POINTS : 0; i < n; i++) {
        const struct history_point *point = history_point(history, i);
        n_matched += point->n_matched;
        n_unmatched += point->n_unmatched;
        n_rejected += point->n_rejected;
    }
    int64_t n_all = n_matched + n_unmatched + n_rejected;
    if (n_all < VERDICT_RECORDS_MIN)
        return;
    if (verdict_exceeds(n_unmatched, n_all, VERDICT_UNMATCHED_PERCENT))
        verdict_add(verdict, VERDICT_WARN, "unmatched",
                    "%lld %% of the records of the last minutes match no row of a table",
                    (long long)(n_unmatched * 100 / n_all));
    if (verdict_exceeds(n_rejected, n_all, VERDICT_REJECTS_PERCENT))
        verdict_add(verdict, VERDICT_WARN, "rejects",
                    "%lld %% of the records of the last minutes are dead letters",
                    (long long)(n_rejected * 100 / n_all));
}

static void judge_tables(const struct look *look, struct verdict *verdict)
{
    int64_t expires_ms = -1;
    for (size_t i = 0; i < look->view->n_tables; i++)
        if (look->view->tables[i].expires_ms > expires_ms)
            expires_ms = look->view->tables[i].expires_ms;
    int64_t left_ms = expires_ms - look->wall_ms;
    if (expires_ms < 0 || left_ms > EXPIRY_SOON_MS)
        return;
    if (left_ms <= 0)
        verdict_add(verdict, VERDICT_WARN, "expired",
                    "the tables have known no service for %s",
                    text_counted(-left_ms / 86400000, "day", "days"));
    else
        verdict_add(verdict, VERDICT_WARN, "expiring",
                    "the tables know service for %s more",
                    text_counted(left_ms / 86400000, "day", "days"));
}

void verdict_of(const struct look *look, struct verdict *ret)
{
    *ret = (struct verdict){0};
    judge_phase(look, ret);
    judge_waits(look, ret);
    judge_records(look, ret);
    judge_tables(look, ret);
}

bool verdict_is_alive(const struct look *look, struct buf *why)
{
    int64_t stalled = stalled_ms(look);
    if (stalled == 0)
        return true;
    buf_printf(why, "the worker has not moved for %lld s", (long long)(stalled / 1000));
    return false;
}

bool verdict_is_ready(const struct look *look, struct buf *why)
{
    struct verdict verdict = {0};
    judge_phase(look, &verdict);
    judge_waits(look, &verdict);
    if (verdict.n > 0)
        buf_text(why, verdict.reasons[0].text);
    return verdict.n == 0;
}
