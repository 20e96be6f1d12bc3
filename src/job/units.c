// SPDX-License-Identifier: Apache-2.0
#include "job/units.h"

#include <poll.h>

#include "job/stdio_lines.h"
#include "job/stop.h"
#include "work/coordinator.h"
#include "work/make_unit.h"
#include "work/record_line.h"
#include "work/tell_records.h"
#include "work/write_units.h"

enum {
    SEND_MS = 600000
};

// A signal ends a wait of what is not finished all the same, and no other.
static void wait_here(UNUSED struct waiter *waiter, struct wait wait)
{
    struct env *env = env_system();
    int64_t ms = wait.until_ms - env->ops->monotonic_ms(env);
    struct pollfd fd = {.fd = stop_fd(), .events = POLLIN};
    if (wait.kind == WAIT_NOTHING || ms <= 0)
        return;
    if (stop_is_asked())
        env->ops->sleep_ms(env, ms);
    else
        (void)poll(&fd, 1, (int)ms);
}

static struct maker_parts maker_parts(const struct run_parts *parts,
                                      struct waiter *waiter)
{
    return (struct maker_parts){
        .builder =
            {
                .job = &parts->job,
                .topic = parts->stream.topic,
                .stream = parts->stream.stream,
                .decoder = parts->stream.decoder,
                .executor = parts->executor,
                .writer = parts->writer,
                .spool = parts->spool,
                .env = env_system(),
                .status = parts->status,
            },
        .storage = parts->storage,
        .waiter = waiter,
        .deadline = stop_waits(),
        .patience_ms = parts->job.settings.once_timeout_ms,
    };
}

enum status units_work(const struct run_parts *parts,
                       struct str (*code_of)(struct str text, char room[16]),
                       struct err *err)
{
    struct waiter waiter = {wait_here};
    struct stdio_lines lines;
    struct maker maker;
    const struct maker_parts made_of = maker_parts(parts, &waiter);
    maker_open(&maker, &made_of);
    stdio_lines_open(&lines, ORDER_LINE_MAX, SEND_MS);
    enum status rc = make_units(&maker, &lines.lines, code_of, err);
    stdio_lines_close(&lines);
    maker_release(&maker);
    return rc;
}

enum status units_read(const struct run_parts *parts,
                       struct str (*code_of)(struct str text, char room[16]),
                       struct err *err)
{
    struct waiter waiter = {wait_here};
    struct stdio_lines lines;
    struct record_teller teller;
    struct maker maker;
    struct maker_parts made_of = maker_parts(parts, &waiter);
    record_teller_open(&teller, parts->stream.decoder->schema, parts->stream.stream,
                       &lines.lines);
    made_of.builder.decoder = &teller.decoder;
    made_of.builder.executor = &teller.executor;
    made_of.shown_order = &teller.order;
    maker_open(&maker, &made_of);
    stdio_lines_open(&lines, ORDER_LINE_MAX, SEND_MS);
    enum status rc = make_units(&maker, &lines.lines, code_of, err);
    stdio_lines_close(&lines);
    maker_release(&maker);
    record_teller_release(&teller);
    return rc;
}

enum status units_write(const struct run_parts *parts,
                        struct str (*code_of)(struct str text, char room[16]),
                        int64_t now_ms, struct err *err)
{
    struct waiter waiter = {wait_here};
    struct stdio_lines lines;
    struct told_records told;
    struct maker maker;
    struct maker_parts made_of = maker_parts(parts, &waiter);
    told_records_open(&told, parts->pipeline->plan, parts->stream.decoder,
                      parts->writer->row_format, parts->stream.topic->name);
    made_of.builder.decoder = &told.decoder.decoder;
    made_of.builder.executor = &told.executor.executor;
    made_of.builder.stream = &told.stream.stream;
    maker_open(&maker, &made_of);
    stdio_lines_open(&lines, RECORD_LINE_MAX, SEND_MS);
    const struct write_parts writing = {.maker = &maker,
                                        .told = &told,
                                        .lines = &lines.lines,
                                        .code_of = code_of,
                                        .now_ms = now_ms};
    enum status rc = write_units(&writing, err);
    stdio_lines_close(&lines);
    maker_release(&maker);
    told_records_release(&told);
    return rc;
}

enum status units_coordinate(const struct run_parts *parts,
                             const struct units_limits *limits, struct err *err)
{
    struct waiter waiter = {wait_here};
    struct stdio_lines lines;
    stdio_lines_open(&lines, ORDER_LINE_MAX, SEND_MS);
    const struct coordinator_parts coordinator = {
        .job = &parts->job,
        .storage = parts->storage,
        .topic = parts->stream.topic,
        .teller = parts->teller.stream,
        .env = env_system(),
        .waiter = &waiter,
        .deadline = stop_waits(),
        .farewell = stop_farewell(),
        .status = parts->status,
        .lines = &lines.lines,
        .is_shown = parts->server != NULL,
        .keeps_tables =
            options_is(&parts->pipeline->plan->settings, "on_table_change", "fail"),
        .order_offsets = limits->order_offsets,
        .order_least = limits->order_least,
        .n_slots = limits->n_slots,
        .n_orders = limits->n_orders,
        .order_ms = limits->order_ms,
    };
    enum status rc = coordinate(&coordinator, err);
    stdio_lines_close(&lines);
    return rc;
}
