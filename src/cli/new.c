// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/json_print.h"
#include "cli/new_script.h"
#include "core/connector.h"
#include "job/clear_text.h"

static enum status is_there(const char *path, struct err *err)
{
    return err_set(err, ST_USAGE,
                   "%s is there already and stays as it is; --out takes another name",
                   path);
}

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

static enum status write_file(const char *path, struct str text, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return is_there(path, err);
    if (fd < 0)
        return err_set(err, ST_USAGE, "cannot write %s: %s", path, strerror(errno));
    size_t done = 0;
    ssize_t n = 1;
    while (n > 0 && done < text.n) {
        n = write(fd, text.p + done, text.n - done);
        done += n > 0 ? (size_t)n : 0;
    }
    int error = errno;
    bool good = done == text.n;
    if (close(fd) != 0 && good) {
        good = false;
        error = errno;
    }
    if (good)
        return ST_OK;
    unlink(path);
    return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(error));
}

// ${NAME} is for check to look at, with its value.
static enum status check(const char *flag, const struct connector *connector,
                         const char *option, const char *value, struct err *err)
{
    if (strstr(value, "${") != NULL)
        return ST_OK;
    if (value[0] == '\0')
        return err_set(err, ST_USAGE, "%s has an empty value", flag);
    if (str_utf8_valid(str_of(value)) != strlen(value))
        return err_set(err, ST_USAGE, "%s: not UTF-8 text", flag);
    enum status rc = connector->options.check(option, str_of(value), err);
    return rc == ST_OK ? rc : err_context(err, rc, "%s", flag);
}

// Changes nothing.
static enum status make(const char *feed_place, const char *out,
                        const struct new_script_names *names, struct buf *ret,
                        struct err *err)
{
    const struct feed_options options = {0};
    struct feed *feed;
    clear_text_tell_feed(feed_place);
    TRY(feed_open(feed_place, &options, &feed, err));
    enum status rc = new_script_write(feed, names, ret, err);
    feed_close(feed);
    TRY(rc);
    return buf_check(ret, out, err);
}

static void tell_json(const char *out, struct str script)
{
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_text_or_null(&json, "path", str_of(is_stdout(out) ? NULL : out));
    json_put_number(&json, "bytes", (int64_t)script.n);
    json_put_text_or_null(&json, "text", is_stdout(out) ? script : (struct str){0});
    json_put_close(&json, '}');
    json_print(&json);
}

static void tell(const char *out, struct str script)
{
    if (is_stdout(out))
        fwrite(script.p, 1, script.n, stdout);
    else
        printf("%s is made; 'tramline check %s' looks at it, 'tramline help sql' says "
               "how it is written\n",
               out, out);
}

static enum status run(const struct args *args, struct err *err)
{
    const struct new_script_names names = {
        .root = args_text(args, "--root", "data"),
        .topic = args_text(args, "--topic", "stop_times"),
        .brokers = args_text(args, "--brokers", "localhost:9092"),
    };
    const char *feed = args_text(args, "--feed", NULL);
    const char *out = args_text(args, "--out", "pipeline.sql");
    AUTO(mem_auto_free) char *place = mem_printf("%s/trips", names.root);
    if (feed == NULL)
        return err_set(err, ST_USAGE,
                       "--feed is missing: a GTFS feed, as a zip, a directory or a URL");
    TRY(check("--topic", connector_of_topics(), "topic", names.topic, err));
    TRY(check("--brokers", connector_of_topics(), "brokers", names.brokers, err));
    TRY(check("--root", connector_of_files(), "path", names.root[0] ? place : "", err));
    if (!is_stdout(out) && access(out, F_OK) == 0)
        return is_there(out, err);
    AUTO(buf_release) struct buf script = {0};
    TRY(make(feed, out, &names, &script, err));
    if (!is_stdout(out))
        TRY(write_file(out, buf_as_str(&script), err));
    (args_has(args, "--json") ? tell_json : tell)(out, buf_as_str(&script));
    return ST_OK;
}

static const struct flag flags[] = {
    {"--feed", "FEED", "the feed: a zip, a directory or an http(s) URL"},
    {"--out", "FILE",
     "the script (default: pipeline.sql; -: stdout); one that is there stays"},
    {"--topic", "TOPIC", "of the stream (default: stop_times)"},
    {"--brokers", "HOST:PORT", "Kafka bootstrap servers (default: localhost:9092)"},
    {"--root", "PATH", "directory of tables and result, or its URL (default: data)"},
    {"--json", NULL, "what was written, as one JSON object"},
};

const struct command command_new = {
    .name = "new",
    .arguments = "--feed FEED",
    .about = "Write a script for a GTFS feed, from the tables that it has",
    .more =
        "Columns and types are those found; what is to be decided stands in comments.\n"
        "check passes at once.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .no_script = true,
    .run = run,
};
