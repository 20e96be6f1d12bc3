// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/dead_choice.h"
#include "cli/dead_counts.h"
#include "cli/dead_show.h"
#include "cli/exit_guard.h"
#include "cli/json_print.h"
#include "job/letter_topic.h"
#include "job/run_parts.h"
#include "job/stop.h"
#include "work/replay.h"

struct dead {
    const struct args *args;
    struct pipeline pipeline;
    struct storage *storage;
    struct dead_choice choice;
};

// Replaying.

static int64_t n_unmatched(const struct replay_report *report)
{
    return report->records - report->ignored - report->rejected - report->matched;
}

static void print_replay(const struct replay_report *report)
{
    if (report->entry < 0) {
        printf("nothing to replay: no letter that is asked for is left that was not "
               "replayed before\n");
        return;
    }
    printf("entry %" PRId64 ": %s replayed: %s gave %s, %s matched nothing, %s ignored, "
           "%s failed again\n",
           report->entry, text_counted(report->records, "letter", "letters"),
           text_count(report->matched), text_counted(report->rows, "row", "rows"),
           text_count(n_unmatched(report)), text_count(report->ignored),
           text_count(report->rejected));
    if (report->has_more)
        printf("there are more: an entry takes %s; replay again\n",
               text_count(REPLAY_LETTERS_MAX));
}

static void replay_json(const struct replay_report *report)
{
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_known(&json, "entry", report->entry);
    json_put_number(&json, "letters", report->records);
    json_put_number(&json, "matched", report->matched);
    json_put_number(&json, "rows", report->rows);
    json_put_number(&json, "unmatched", n_unmatched(report));
    json_put_number(&json, "ignored", report->ignored);
    json_put_number(&json, "failed_again", report->rejected);
    json_put_bool(&json, "has_more", report->has_more);
    json_put_close(&json, '}');
    json_print(&json);
}

static void wait_here(UNUSED struct waiter *waiter, struct wait wait)
{
    struct env *env = env_system();
    int64_t ms = wait.until_ms - env->ops->monotonic_ms(env);
    if (wait.kind != WAIT_NOTHING && ms > 0)
        env->ops->sleep_ms(env, ms);
}

static enum status replay_from(struct run_parts *parts, const struct dead_filter *filter,
                               struct replay_report *ret, struct err *err)
{
    struct waiter waiter = {wait_here};
    const struct replay_parts replay = {
        .job = &parts->job,
        .topic = parts->stream.topic,
        .decoder = parts->stream.decoder,
        .executor = parts->executor,
        .writer = parts->writer,
        .spool = parts->spool,
        .storage = parts->storage,
        .env = env_system(),
        .waiter = &waiter,
    };
    return replay_letters(&replay, filter, ret, err);
}

static enum status replay(struct dead *dead, struct err *err)
{
    struct run_parts parts = {0};
    struct replay_report report = {.entry = -1};
    enum status rc = run_parts_open_aside(&dead->pipeline, &parts, err);
    if (rc == ST_OK)
        rc = replay_from(&parts, &dead->choice.filter, &report, err);
    run_parts_release(&parts);
    if (rc == ST_CONFLICT)
        return err_set(err, ST_FAIL,
                       "nothing of this replay was committed, since another one was "
                       "meanwhile, or its files were removed; say it again for what is "
                       "left");
    TRY(rc);
    (args_has(dead->args, "--json") ? replay_json : print_replay)(&report);
    return ST_OK;
}

// Publishing.

static void print_published(const struct letter_topic_report *report, const char *topic,
                            bool is_all)
{
    if (report->sent + report->unsent == 0) {
        printf("nothing to publish: no letter that is asked for is left that was not "
               "replayed before\n");
        return;
    }
    printf("published %s to topic '%s', all acknowledged: %s\n",
           text_counted(report->acknowledged, "letter", "letters"), topic,
           is_all ? "yes" : "no");
    if (!is_all)
        printf("sent were %s; some may be there that are not acknowledged\n",
               text_counted(report->sent, "letter", "letters"));
    if (report->unsent > 0)
        printf("not sent were %s\n", text_counted(report->unsent, "letter", "letters"));
    printf("at least once: the log does not know of it, so that saying it again "
           "publishes them again; the letters still wait, for --replay, too\n");
}

static void published_json(const struct letter_topic_report *report, const char *topic)
{
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_text(&json, "topic", str_of(topic));
    json_put_number(&json, "sent", report->sent);
    json_put_number(&json, "acknowledged", report->acknowledged);
    json_put_number(&json, "unsent", report->unsent);
    json_put_close(&json, '}');
    json_print(&json);
}

static void warn_of_own_topic(const struct pipeline *pipeline, const char *topic)
{
    const struct options *options = &pipeline->plan->stream->options;
    if (options_is(options, connector_of(options)->place, topic))
        log_warn("'%s' is the topic that the job reads: it reads the letters again, "
                 "beside what --replay brings of them",
                 topic);
}

static enum status publish_to(struct dead *dead, const char *topic,
                              struct letter_topic *to, struct err *err)
{
    struct letter_topic_report report = {0};
    warn_of_own_topic(&dead->pipeline, topic);
    enum status rc =
        letter_topic_publish(to, dead->storage, &dead->choice.filter, &report, err);
    bool is_all = report.acknowledged == report.sent && (rc == ST_OK || rc == ST_DATA);
    if (args_has(dead->args, "--json"))
        published_json(&report, topic);
    else if (report.sent + report.unsent > 0 || rc == ST_OK)
        print_published(&report, topic, is_all);
    return rc;
}

static enum status publish(struct dead *dead, struct err *err)
{
    const char *topic = args_text(dead->args, "--to-topic", NULL);
    struct letter_topic *to;
    TRY(letter_topic_open(&dead->pipeline, topic, &to, err));
    enum status rc = publish_to(dead, topic, to, err);
    exit_guard_arm(&command_dead, rc, err);
    letter_topic_close(to);
    return rc;
}

// The command line.

static enum status check_flags(const struct args *args, struct err *err)
{
    bool is_replay = args_has(args, "--replay");
    bool is_publish = args_has(args, "--to-topic");
    const char *other = args_has(args, "--show") ? "--show" : "--all";
    if (is_publish && args_text(args, "--to-topic", "")[0] == '\0')
        return err_set(err, ST_USAGE, "%s has an empty value", "--to-topic");
    if (is_replay && is_publish)
        return err_set(err, ST_USAGE,
                       "--replay commits the letters' rows, --to-topic publishes their "
                       "bytes; leave out one of them");
    if (is_replay && (args_has(args, "--show") || args_has(args, "--all")))
        return err_set(err, ST_USAGE,
                       "--replay takes what was not replayed before, by --where and "
                       "--offsets; leave out %s",
                       other);
    if (is_publish && args_has(args, "--show"))
        return err_set(err, ST_USAGE,
                       "--show shows a letter and publishes nothing; leave it out, or "
                       "--to-topic; --offsets takes one letter, too");
    return ST_OK;
}

static enum status look(struct dead *dead, struct err *err)
{
    const struct dead_filter *filter = &dead->choice.filter;
    bool is_json = args_has(dead->args, "--json");
    struct dead_book book = {0};
    enum status rc = dead_book_read(dead->storage, &book, err);
    if (rc == ST_OK)
        rc = filter->has_name
                 ? dead_show(&dead->pipeline, &book, dead->storage, filter, is_json, err)
                 : dead_counts(&book, dead->storage, filter, is_json, err);
    dead_book_release(&book);
    return rc;
}

static enum status look_or_publish(struct dead *dead, struct err *err)
{
    struct pipeline *pipeline = &dead->pipeline;
    TRY(pipeline_storage(pipeline, &pipeline->plan->sink->options, &dead->storage, err));
    return args_has(dead->args, "--to-topic") ? publish(dead, err) : look(dead, err);
}

static enum status run_script(struct dead *dead, struct err *err)
{
    TRY(pipeline_need_insert(&dead->pipeline, err));
    TRY(dead_choice_open(&dead->choice, &dead->pipeline, err));
    // Else a signal may end it where it is, as a crash may.
    if (args_has(dead->args, "--to-topic")) {
        TRY(stop_catch(err));
        dead->pipeline.deadline = stop_waits();
    }
    return args_has(dead->args, "--replay") ? replay(dead, err)
                                            : look_or_publish(dead, err);
}

static enum status run(const struct args *args, struct err *err)
{
    struct dead dead = {.args = args};
    TRY(check_flags(args, err));
    TRY(dead_choice_parse(args, &dead.choice, err));
    TRY(args_script(args, 0, &dead.pipeline, err));
    enum status status = run_script(&dead, err);
    dead_choice_close(&dead.choice);
    if (dead.storage != NULL)
        dead.storage->ops->close(dead.storage);
    pipeline_release(&dead.pipeline);
    return status;
}

static const struct flag flags[] = {
    {"--show", "ENTRY:LINE", "one letter: its record, headers, reason, columns"},
    {"--where", "COLUMN=VALUE",
     "only letters of that value, as far as they can be read; reason=TEXT: whose reason "
     "has that text in it"},
    {"--partition", "P", "only letters of one partition"},
    {"--offsets", "P:FIRST-LAST", "only letters of these offsets of a partition"},
    {"--since", "TIME",
     "only letters that were committed since a timestamp, or 90min, 12h, 7d ago"},
    {"--until", "TIME", "only letters that were committed before that"},
    {"--all", NULL, "also letters that were replayed"},
    {"--replay", NULL,
     "run their bytes through today's script; commit rows and marks at once"},
    {"--to-topic", "TOPIC", "publish their bytes there, at least once"},
    {"--json", NULL, "as JSON lines: a reason each, or the letter, or what came of them"},
};

const struct command command_dead = {
    .name = "dead",
    .arguments = "PIPELINE.sql",
    .about = "Count the dead letters by reason, show one, replay or publish them",
    .more =
        "Reasons that differ only in what is quoted or in numbers count as one. "
        "--replay takes each\nletter once, however often it is said; what fails again "
        "stays a letter, with its new reason.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .run = run,
};
