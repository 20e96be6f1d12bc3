// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"
#include "cli/commands.h"
#include "cli/exit_guard.h"
#include "job/stop.h"
#include "job/units.h"
#include "work/order_book.h"

enum {
    RECORDS = 1000000,
    ORDERS = 8,
    TIMEOUT_S = 600,
    LEAST = 10000 // records that several workers would not make faster
};

static enum status take_limits(const struct args *args, struct units_limits *ret,
                               struct err *err)
{
    int64_t timeout_s;
    TRY(args_number(args, "--records", 1, RECORDS, &ret->order_offsets, err));
    TRY(args_number(args, "--slots", 1, 0, &ret->n_slots, err));
    TRY(args_number(args, "--orders", 1, ORDERS, &ret->n_orders, err));
    TRY(args_number(args, "--order-timeout", 1, TIMEOUT_S, &timeout_s, err));
    ret->order_least = ret->order_offsets < LEAST ? ret->order_offsets : LEAST;
    if (ret->n_orders > ORDERS_MAX)
        return err_set(err, ST_USAGE, "--orders takes at most %d", ORDERS_MAX);
    ret->order_ms = timeout_s < INT32_MAX ? timeout_s * 1000 : INT64_MAX;
    return ST_OK;
}

static enum status open_parts(const struct args *args, struct pipeline *pipeline,
                              struct run_parts *parts, struct err *err)
{
    TRY(args_script(args, 0, pipeline, err));
    TRY(pipeline_need_insert(pipeline, err));
    TRY(stop_catch(err));
    pipeline->deadline = stop_waits();
    return run_parts_open_coordinator(pipeline, args_has(args, "--once"), parts, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline = {0};
    struct run_parts parts = {0};
    struct units_limits limits;
    TRY(take_limits(args, &limits, err));
    enum status status = open_parts(args, &pipeline, &parts, err);
    if (status == ST_OK)
        status = units_coordinate(&parts, &limits, err);
    if (stop_is_why(status)) {
        log_info("stopped before anything was ordered");
        status = ST_OK;
    }
    exit_guard_arm(&command_coordinate, status, err);
    run_parts_release(&parts);
    pipeline_release(&pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--once", NULL, "end when all that was in the stream at the start is committed"},
    {"--records", "N", "offsets of an order (1000000)"},
    {"--orders", "N", "orders under way at a time (8)"},
    {"--exit-line", NULL, "its end as a JSON line on stdout; the exit code is 0 then"},
    {"--slots", "N", "orders that are made at a time and become one entry"},
    {"--order-timeout", "S",
     "seconds until one without an answer is given out again (600)"},
    {"--json", NULL, "errors as JSON lines; the others are that anyhow"},
};

const struct command command_coordinate = {
    .name = "coordinate",
    .arguments = "PIPELINE.sql",
    .about = "Commit the units that tramline work makes elsewhere, exactly once",
    .more = "Says on standard output which offsets are to be made into units, a JSON "
            "line each, and reads\nwhat tramline work answered from standard input. "
            "Whoever stands between passes the lines on, and\nsays which orders are "
            "lost; answers may come late, twice or never.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
