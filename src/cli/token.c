// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/json_print.h"
#include "job/parent.h"
#include "job/stop.h"
#include "job/tokens.h"

static void print_json(const char *file, const struct tokens *tokens)
{
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_text(&json, "path", str_of(file));
    json_put_number(&json, "tokens", (int64_t)tokens->n);
    json_put_close(&json, '}');
    json_print(&json);
}

static enum status ask(const struct args *args, struct pipeline *pipeline,
                       struct tokens *tokens, struct err *err)
{
    const char *file = args_text(args, "--out", NULL);
    if (file == NULL || file[0] == '\0')
        return err_set(err, ST_USAGE,
                       "--out is missing: the file that the tokens are written to");
    TRY(args_script(args, 0, pipeline, err));
    TRY(stop_catch(err));
    pipeline->deadline = stop_waits();
    TRY(tokens_open(tokens, pipeline, file, err));
    TRY(tokens_ask(tokens, err));
    if (args_has(args, "--json"))
        print_json(file, tokens);
    return args_has(args, "--keep") ? tokens_keep(tokens, err) : ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct pipeline pipeline = {0};
    struct tokens tokens = {0};
    struct parent_watch parent = {0};
    if (args_has(args, "--with-parent"))
        parent_watch_open(&parent);
    enum status status = ask(args, &pipeline, &tokens, err);
    tokens_release(&tokens);
    parent_watch_close(&parent);
    pipeline_release(&pipeline);
    return stop_is_why(status) ? ST_OK : status;
}

static const struct flag flags[] = {
    {"--out", "FILE", "where they are written, for its owner alone; it is replaced"},
    {"--keep", NULL, "stay: renew them, ask again before they end, until SIGTERM"},
    {"--with-parent", NULL, "end, as by SIGTERM, with the process that started this one"},
    {"--json", NULL, "what was written as one JSON object"},
};

const struct command command_token = {
    .name = "token",
    .arguments = "PIPELINE.sql",
    .about = "Ask HDFS for delegation tokens, for workers without a Kerberos ticket",
    .more = "One for each storage whose tables have auth = 'kerberos', by the ticket at "
            "hand. Workers\nread them by SET storage.token_file, or by run --token-line. "
            "tramline spark does all this\nby itself.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
