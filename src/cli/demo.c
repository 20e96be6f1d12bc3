// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_print.h"
#include "cli/term.h"
#include "core/env.h"
#include "gtfs/make_feed.h"
#include "job/pipeline.h"
#include "job/stop.h"
#include "kafka/embedded.h"
#include "log/verify.h"
#include "storage/storage_url.h"

enum {
    DEMO_PARTITIONS = 4
};

// The job of examples/stm/pipeline.sql, on one machine.
static const char script[] =
    "SET membership = 'none';\n"
    "SET commit.interval = '2s';\n"
    "SET spool = '${ROOT}/spool';\n"
    "\n"
    "CREATE TABLE trips (\n"
    "  route_id TEXT, service_id TEXT NOT NULL, trip_id TEXT NOT NULL,\n"
    "  trip_headsign TEXT, direction_id INT, shape_id TEXT, wheelchair_accessible INT,\n"
    "  note_fr TEXT, note_en TEXT\n"
    ") WITH (connector = 'filesystem', path = '${ROOT}/trips', format = 'csv');\n"
    "\n"
    "CREATE TABLE calendar_dates (\n"
    "  service_id TEXT NOT NULL, date TEXT NOT NULL, exception_type INT\n"
    ") WITH (connector = 'filesystem', path = '${ROOT}/calendar_dates',\n"
    "        format = 'csv');\n"
    "\n"
    "CREATE TABLE frequencies (\n"
    "  trip_id TEXT NOT NULL, start_time TEXT, end_time TEXT, headway_secs INT\n"
    ") WITH (connector = 'filesystem', path = '${ROOT}/frequencies', format = 'csv',\n"
    "        optional = true);\n"
    "\n"
    "CREATE MATERIALIZED VIEW enriched_trip\n"
    "  WITH (path = '${ROOT}/enriched_trip', format = 'csv') AS\n"
    "  SELECT t.*, d.date, d.exception_type, f.start_time, f.end_time, f.headway_secs\n"
    "  FROM trips t\n"
    "  LEFT JOIN calendar_dates d ON d.service_id = t.service_id\n"
    "  LEFT JOIN frequencies f ON f.trip_id = t.trip_id;\n"
    "\n"
    "CREATE TABLE stop_times (\n"
    "  trip_id TEXT NOT NULL, arrival_time TEXT, departure_time TEXT, stop_id TEXT,\n"
    "  stop_sequence INT\n"
    ") WITH (connector = 'kafka', brokers = '${BROKERS}', topic = 'stop_times',\n"
    "        format = 'csv');\n"
    "\n"
    "CREATE TABLE enriched_stop_time ()\n"
    "  WITH (connector = 'filesystem', path = '${ROOT}/enriched_stop_time',\n"
    "        format = 'csv');\n"
    "\n"
    "INSERT INTO enriched_stop_time\n"
    "  SELECT s.*, e.route_id, e.service_id, e.trip_headsign, e.direction_id,\n"
    "         e.shape_id, e.wheelchair_accessible, e.note_fr, e.note_en, e.date,\n"
    "         e.exception_type, e.start_time, e.end_time, e.headway_secs\n"
    "  FROM stop_times s JOIN enriched_trip e ON e.trip_id = s.trip_id;\n";

struct demo {
    const char *root; // directory; the demo works in it
    struct kafka_embedded *broker;
    int64_t begun_ms;
    bool as_json;
    struct buf json; // the commands, so far
};

static int64_t now_ms(void)
{
    return env_system()->ops->monotonic_ms(env_system());
}

// Without words for people what the commands print is read by nobody.
static void say(const struct demo *demo, const char *text)
{
    if (demo->as_json)
        return;
    bool colour = term_has_colour_out();
    printf("\n%s$ %s%s\n", colour ? "\033[1m" : "", text, colour ? "\033[0m" : "");
    fflush(stdout);
}

// A command whose standard output goes nowhere.
static int run_silently(int argc, char **argv)
{
    FILE *before = stdout, *nowhere = fopen("/dev/null", "we");
    if (nowhere != NULL)
        stdout = nowhere; // glibc's is a variable that may be set
    int code = cli_main(argc, argv);
    stdout = before;
    if (nowhere != NULL)
        fclose(nowhere);
    return code;
}

// Runs "tramline A B C D" as the shell would; NULL ends the words.
static enum status run_command(struct demo *demo, const char *a, const char *b,
                               const char *c, const char *d, struct err *err)
{
    char *argv[] = {(char *)a, (char *)b, (char *)c, (char *)d, NULL, NULL};
    int argc = 0;
    AUTO(buf_release) struct buf line = {0};
    buf_text(&line, "tramline");
    while (argv[argc] != NULL)
        buf_printf(&line, " %s", argv[argc++]);
    say(demo, buf_cstr(&line));
    if (demo->as_json)
        argv[argc++] = (char *)"--json";
    int64_t begun_ms = now_ms();
    int code = demo->as_json ? run_silently(argc, argv) : cli_main(argc, argv);
    json_put_open(&demo->json, NULL, '{');
    json_put_text(&demo->json, "command", buf_as_str(&line));
    json_put_seconds(&demo->json, "seconds", now_ms() - begun_ms);
    json_put_close(&demo->json, '}');
    if (stop_is_asked()) // "run" ends well when it is asked to stop
        return err_set(err, ST_FAIL, "stopped by a signal in '%s'", buf_cstr(&line));
    if (code != 0)
        return err_set(err, ST_FAIL, "'%s' ended with exit code %d", buf_cstr(&line),
                       code);
    return ST_OK;
}

// What the script's variables stand for, as a user would say it: the commands that are
// shown can be typed again.
static void export_variables(const struct demo *demo)
{
    const char *brokers = kafka_embedded_brokers(demo->broker);
    setenv("ROOT", demo->root, 1);
    setenv("BROKERS", brokers, 1);
    AUTO(buf_release) struct buf line = {0};
    buf_printf(&line, "cd %s; export ROOT=$PWD BROKERS=%s", demo->root, brokers);
    say(demo, buf_cstr(&line));
}

static enum status write_script(const char *path, struct err *err)
{
    FILE *stream = fopen(path, "wb");
    if (stream == NULL)
        return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(errno));
    size_t n = fwrite(script, 1, sizeof(script) - 1, stream);
    if (fclose(stream) != 0 || n != sizeof(script) - 1)
        return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(errno));
    return ST_OK;
}

static void tell(const struct demo *demo, int64_t n_records, int64_t n_rows)
{
    int64_t ms = now_ms() - demo->begun_ms;
    if (!demo->as_json) {
        printf("\nAll %s stop_times arrived, once; they became %s rows, all in %s:\n  "
               "%s/enriched_stop_time\n",
               text_count(n_records), text_count(n_rows), text_seconds(ms), demo->root);
        return;
    }
    AUTO(buf_release) struct buf result = {0};
    AUTO(buf_release) struct buf json = {0};
    buf_printf(&result, "%s/enriched_stop_time", demo->root);
    json_put_open(&json, NULL, '{');
    json_put_text(&json, "directory", str_of(demo->root));
    json_put_text(&json, "result", buf_as_str(&result));
    json_put_number(&json, "records", n_records);
    json_put_number(&json, "rows", n_rows);
    json_put_seconds(&json, "seconds", ms);
    json_put_open(&json, "commands", '[');
    buf_str(&json, buf_as_str(&demo->json));
    json_put_close(&json, ']');
    json_put_close(&json, '}');
    json_print(&json);
}

// All that was produced must be in the log: the embedded broker drops what is too much.
static enum status prove(const struct demo *demo, int64_t n_stop_times, struct err *err)
{
    char *url = mem_printf("file://%s/enriched_stop_time", demo->root);
    struct storage_config config = {0};
    struct storage *storage;
    enum status status = storage_open(str_of(url), &config, &storage, err);
    free(url);
    TRY(status);
    struct verify_options options = {.checksums = false};
    struct verify_report report = {0};
    status = verify_run(storage, &options, &report, err);
    int64_t n_records = report.records, n_rows = report.rows;
    verify_report_release(&report);
    storage->ops->close(storage);
    TRY(status);
    if (n_records != n_stop_times)
        return err_set(err, ST_FAIL,
                       "%lld stop_times were made, but %lld arrived; what the demo left "
                       "is in %s",
                       (long long)n_stop_times, (long long)n_records, demo->root);
    tell(demo, n_records, n_rows);
    return ST_OK;
}

static enum status steps(struct demo *demo, struct err *err)
{
    if (!demo->as_json)
        printf("In %s: a made feed of STM's shape, a script, an embedded Kafka broker\n",
               demo->root);
    int64_t n_stop_times;
    TRY(write_script("pipeline.sql", err));
    TRY(gtfs_make_feed("feed", 0, &n_stop_times, err));
    TRY(kafka_embedded_create_topic(demo->broker, "stop_times", DEMO_PARTITIONS, err));
    export_variables(demo);
    TRY(run_command(demo, "check", "pipeline.sql", NULL, NULL, err));
    TRY(run_command(demo, "init", "pipeline.sql", NULL, NULL, err));
    TRY(run_command(demo, "extract", "feed", "pipeline.sql", NULL, err));
    TRY(run_command(demo, "explain", "pipeline.sql", NULL, NULL, err));
    TRY(run_command(demo, "produce", "feed", "pipeline.sql", NULL, err));
    TRY(run_command(demo, "run", "pipeline.sql", "--once", NULL, err));
    TRY(run_command(demo, "verify", "pipeline.sql", "--deep", NULL, err));
    TRY(run_command(demo, "cat", "pipeline.sql", "enriched_stop_time", "--limit=8", err));
    return prove(demo, n_stop_times, err);
}

// Makes the demo's directory and goes there.
static enum status make_root(const char *asked, char **ret, struct err *err)
{
    if (asked != NULL) {
        if (mkdir(asked, 0755) != 0 || (*ret = realpath(asked, NULL)) == NULL ||
            chdir(*ret) != 0)
            return err_set(err, ST_USAGE,
                           "--dir %s: %s; give a new directory, in one that is there",
                           asked, strerror(errno));
        return ST_OK;
    }
    const char *set = getenv("TMPDIR"), *tmp = set && set[0] ? set : "/tmp";
    *ret = mem_printf("%s/tramline-demo-XXXXXX", tmp);
    if (mkdtemp(*ret) == NULL || chdir(*ret) != 0)
        return err_set(err, ST_FAIL,
                       "cannot make a directory in %s: %s; give another place by --dir",
                       tmp, strerror(errno));
    return ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    AUTO(mem_auto_free) char *root = NULL;
    TRY(stop_catch(err)); // from here on a signal is seen between two commands
    TRY(make_root(args_text(args, "--dir", NULL), &root, err));
    struct demo demo = {
        .root = root, .begun_ms = now_ms(), .as_json = args_has(args, "--json")};
    enum status status = kafka_embedded_open(&demo.broker, err);
    if (status == ST_OK) {
        status = steps(&demo, err);
        kafka_embedded_close(demo.broker);
    }
    buf_release(&demo.json);
    return status;
}

static const struct flag flags[] = {
    {"--dir", "DIR", "where to work (default: a new directory in $TMPDIR or /tmp)"},
    {"--json", NULL, "only what it came to, as one JSON object"},
};

const struct command command_demo = {
    .name = "demo",
    .arguments = "",
    .about = "Show the whole job: an embedded broker, local files and a made feed",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .no_script = true,
    .run = run,
};
