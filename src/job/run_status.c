// SPDX-License-Identifier: Apache-2.0
#include "job/run_status.h"

#include <stdlib.h>

#include "base/log.h"
#include "core/env.h"

enum status run_status_open(struct run_parts *parts, struct err *err)
{
    const struct options *set = &parts->pipeline->plan->settings;
    if (!options_given(set, "status.listen"))
        return ST_OK;
    TRY(status_server_open(options_text(set, "status.listen"), &parts->status->board,
                           &parts->server, err));
    log_info("status: %s", status_server_url(parts->server));
    return ST_OK;
}

static void show_tables(const struct run_parts *parts)
{
    const struct plan *plan = parts->pipeline->plan;
    const struct tables *tables = &parts->tables;
    int64_t now_ms = env_system()->ops->wall_ms(env_system());
    struct board_table *shown = mem_array(plan->n_tables + 1, sizeof(*shown));
    int64_t *expires_ms = mem_array(plan->n_tables + 1, sizeof(*expires_ms));
    expiry_of_all(tables->dates, plan->n_tables, expires_ms);
    size_t n = 0;
    for (size_t i = 0; i < plan->n_tables; i++)
        if (plan->tables[i].kind == TABLE_DIMENSION)
            shown[n++] = (struct board_table){.name = plan->tables[i].name,
                                              .version = str_of(tables->version),
                                              .n_rows = tables->n_rows[i],
                                              .loaded_ms = now_ms,
                                              .expires_ms = expires_ms[i]};
    board_tables(&parts->status->board, shown, n);
    free(shown);
    free(expires_ms);
}

static void show_job(const struct run_parts *parts)
{
    const struct job *job = &parts->job;
    struct arena *arena = &parts->pipeline->arena; // the stream ends before the server
    board_job(&parts->status->board,
              &(struct board_job){
                  .name = job->identity.name,
                  .script = str_of(parts->pipeline->script),
                  .worker = job->worker,
                  .topic = arena_str(arena, job->identity.topic),
                  .cluster = arena_str(arena, job->identity.cluster),
                  .result = str_of(parts->storage->url),
                  .executor = str_of(parts->executor != NULL ? parts->executor->name
                                                             : "tramline work"),
              });
}

void run_status_show(const struct run_parts *parts)
{
    if (parts->executor != NULL) // else it is others that read them
        show_tables(parts);
    show_job(parts);
}
