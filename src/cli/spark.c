// SPDX-License-Identifier: Apache-2.0
// The call of spark-submit that runs a script as tasks of a Spark cluster. What it ships:
// the bundle, the script and the files of --set-file; what then happens stands in
// share/tramline/tramline_spark.py.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/json_print.h"
#include "job/stream.h"
#include "job/tokens.h"
#include "work/order_book.h"

#define SHARE  "share/tramline/"
#define DRIVER SHARE "tramline_spark.py"
#define BUNDLE "tramline-bundle.tar.gz"

enum {
    PATH_BYTES = 4096,
    COUNT_MS = 5000 // for the number of partitions
};

// Who does what of the job: a module of the driver.
struct engine {
    const char *name, *module;
    const char *base;   // another module that it stands on; NULL: none
    bool takes_records; // --records
    bool shares;        // partitions, among members of a group
    int64_t workers_max;
};

static const struct engine engines[] = {
    {"placement", "tramline_placement.py", NULL, false, true, 10000},
    {"units", "tramline_units.py", NULL, true, false, ORDERS_MAX},
    {"sql", "tramline_sql.py", "tramline_units.py", true, false, ORDERS_MAX},
};

struct call {
    const struct args *args;
    struct arena arena;
    char home[PATH_BYTES]; // the folder of this program
    const char *program, *submit, *driver, *bundle;
    const char *script; // its path
    const struct engine *engine;
    int64_t workers, records;
    bool wants_tokens;                   // for HDFS
    struct buf files, archives, modules; // by commas
    const char **words;                  // that are executed, up to a NULL
    size_t n_words, capacity;
};

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void add(struct call *call, const char *word)
{
    MEM_GROW(call->words, call->n_words, call->capacity);
    call->words[call->n_words++] = word;
}

// ---- where things are

static const char *beside(struct call *call, const char *path)
{
    return arena_printf(&call->arena, "%s/%s", call->home, path);
}

static const char *first_of(struct call *call, const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *path = beside(call, paths[i]);
        if (access(path, R_OK) == 0)
            return path;
    }
    return NULL;
}

// Of a bundle it is the loader that runs (packaging/launcher.c).
static void find_self(struct call *call)
{
    ssize_t n = readlink("/proc/self/exe", call->home, sizeof(call->home) - 1);
    call->home[n > 0 ? n : 0] = '\0';
    call->program = arena_cstr(&call->arena, str_of(call->home));
    char *slash = strrchr(call->home, '/');
    if (slash != NULL)
        *slash = '\0';
    if (strcmp(base_of(call->program), "ld.so") == 0)
        call->program = beside(call, "../bin/tramline");
}

static enum status find_driver(struct call *call, struct err *err)
{
    // Installed, or in a bundle; in a build folder of the sources.
    static const char *const paths[] = {"../" DRIVER, "../../" DRIVER};
    call->driver = first_of(call, paths, ARRAY_LEN(paths));
    if (call->driver == NULL)
        return err_set(err, ST_FAIL,
                       "there is no %s/../" DRIVER ", which drives the job on Spark; "
                       "install the program whole",
                       call->home);
    return ST_OK;
}

static bool is_url(const char *text)
{
    return strstr(text, "://") != NULL;
}

// Both have a meaning in spark-submit's lists.
static enum status check_path(const char *path, const char *what, struct err *err)
{
    if (strchr(path, ',') == NULL && strchr(path, '#') == NULL)
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "%s %s: spark-submit cannot ship a file with ',' or '#' in its "
                   "path; give it another name",
                   what, path);
}

static enum status find_bundle(struct call *call, struct err *err)
{
    static const char *const paths[] = {BUNDLE, "../share/tramline/" BUNDLE};
    call->bundle = args_text(call->args, "--bundle", NULL);
    if (call->bundle == NULL)
        call->bundle = first_of(call, paths, ARRAY_LEN(paths));
    if (call->bundle == NULL)
        return err_set(err, ST_USAGE,
                       "--bundle is missing: the program for the nodes, " BUNDLE
                       ", as a file or a URL that Spark can read; the build target "
                       "'bundle' makes it");
    TRY(check_path(call->bundle, "--bundle", err));
    if (!is_url(call->bundle) && access(call->bundle, R_OK) != 0)
        return err_set(err, ST_USAGE, "--bundle: cannot read %s: %s", call->bundle,
                       strerror(errno));
    return ST_OK;
}

static const char *find_in_path(struct call *call, const char *name)
{
    const char *paths = getenv("PATH");
    struct str rest = str_of(paths ? paths : "");
    while (rest.n > 0) {
        struct str folder = str_cut(&rest, ':');
        const char *path = arena_printf(&call->arena, "%.*s/%s", STR_ARGS(folder), name);
        if (folder.n > 0 && access(path, X_OK) == 0)
            return path;
    }
    return NULL;
}

static enum status find_submit(struct call *call, struct err *err)
{
    const char *home = getenv("SPARK_HOME");
    if (home != NULL && home[0] != '\0') {
        call->submit = arena_printf(&call->arena, "%s/bin/spark-submit", home);
        if (access(call->submit, X_OK) != 0)
            return err_set(err, ST_USAGE, "SPARK_HOME is '%s', and %s cannot be run: %s",
                           home, call->submit, strerror(errno));
        return ST_OK;
    }
    call->submit = find_in_path(call, "spark-submit");
    if (call->submit == NULL && args_has(call->args, "--print"))
        call->submit = "spark-submit"; // it may be another machine that has it
    if (call->submit == NULL)
        return err_set(err, ST_USAGE,
                       "spark-submit is not in PATH, and SPARK_HOME is not set: install "
                       "Spark (pip install pyspark has it), or name its folder by "
                       "SPARK_HOME");
    return ST_OK;
}

// ---- what the nodes get

static enum status ship(struct call *call, const char *path, const char *what,
                        struct err *err)
{
    const char *name = base_of(path);
    TRY(check_path(path, what, err));
    struct str rest = buf_as_str(&call->files);
    while (rest.n > 0) {
        const char *other = arena_cstr(&call->arena, str_cut(&rest, ','));
        if (strcmp(other, path) != 0 && strcmp(base_of(other), name) == 0)
            return err_set(err, ST_USAGE,
                           "%s %s: all files come into one folder on the nodes, and %s "
                           "has the same name; give one of them another",
                           what, path, other);
        if (strcmp(other, path) == 0)
            return ST_OK;
    }
    buf_printf(&call->files, "%s%s", call->files.n > 0 ? "," : "", path);
    return ST_OK;
}

// A value from the environment of this machine is none on the nodes.
static enum status check_variables(const struct args *args, const struct plan *plan,
                                   struct err *err)
{
    for (size_t v = 0; v < plan->n_variables; v++) {
        struct str name = plan->variables[v];
        bool is_given = false;
        for (size_t i = 0; i < args->n_variables; i++)
            is_given |= str_eq(args->variables[i].name, name);
        if (!is_given)
            return err_set(err, ST_USAGE,
                           "${%.*s} comes from the environment, which the nodes do not "
                           "have: give it by --set %.*s=VALUE, a secret by --set-file",
                           STR_ARGS(name), STR_ARGS(name));
    }
    return ST_OK;
}

// A topic is where it is.
static bool is_local(const struct options *options)
{
    if (strcmp(connector_of(options)->place, "path") != 0)
        return false;
    struct str path = options_text(options, "path");
    return path.p != NULL &&
           (memmem(path.p, path.n, "://", 3) == NULL || str_starts_with(path, "file:"));
}

static bool is_relative(const struct options *options)
{
    if (!is_local(options))
        return false;
    struct str path = options_text(options, "path");
    return !str_starts_with(path, "/") && !str_starts_with(path, "file:");
}

static enum status check_place(const struct table *table, struct err *err)
{
    if (is_relative(&table->options))
        return err_set(err, ST_USAGE,
                       "table %.*s: the path '%.*s' is another folder on each node; "
                       "write where it is from all of them",
                       STR_ARGS(table->name),
                       STR_ARGS(options_text(&table->options, "path")));
    if (is_local(&table->options))
        log_warn("table %.*s: '%.*s' must be the same folder on all nodes",
                 STR_ARGS(table->name), STR_ARGS(options_text(&table->options, "path")));
    return ST_OK;
}

static enum status check_places(const struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < plan->n_tables; i++)
        if (&plan->tables[i] != plan->sink)
            TRY(check_place(&plan->tables[i], err));
    return check_place(plan->sink, err);
}

// Said before anything is begun; the brokers may be none that this machine can reach.
static void tell_partitions(struct call *call, struct pipeline *pipeline)
{
    struct topic *topic;
    struct err err = {0};
    int32_t n = 0;
    struct deadline deadline = {0};
    struct env *env = env_system();
    deadline_set(&deadline, env->ops->monotonic_ms(env) + COUNT_MS);
    pipeline->deadline = &deadline;
    enum status rc = stream_topic_open(pipeline, &topic, &err);
    if (rc == ST_OK) {
        rc = topic->ops->count(topic, &n, &err);
        topic->ops->close(topic);
    }
    pipeline->deadline = NULL;
    if (rc != ST_OK)
        log_warn("the partitions cannot be counted from here: %s", err.text);
    else if (call->workers > n)
        log_warn("%lld workers share the %s of the topic: %lld of them will have none",
                 (long long)call->workers, text_counted(n, "partition", "partitions"),
                 (long long)(call->workers - n));
}

static enum status check_script(struct call *call, struct err *err)
{
    struct pipeline pipeline = {0};
    enum status rc = args_script(call->args, 0, &pipeline, err);
    if (rc == ST_OK)
        rc = pipeline_need_insert(&pipeline, err);
    if (rc == ST_OK && call->engine->shares && call->workers > 1 &&
        !pipeline_is_shared(&pipeline))
        rc = err_set(err, ST_USAGE,
                     "--workers %lld: this job's stream is read by one worker alone; "
                     "several share a Kafka topic with membership = 'group'",
                     (long long)call->workers);
    if (rc == ST_OK)
        rc = check_places(pipeline.plan, err);
    if (rc == ST_OK && call->engine->shares && pipeline_is_shared(&pipeline))
        tell_partitions(call, &pipeline);
    if (rc == ST_OK)
        rc = check_variables(call->args, pipeline.plan, err);
    call->wants_tokens = rc == ST_OK && tokens_are_wanted(pipeline.plan) &&
                         !args_has(call->args, "--no-tokens");
    pipeline_release(&pipeline);
    return rc;
}

// ---- the call

// An option of spark-submit that is given there, and here: both lists are shipped.
static const char *value_of(const struct args *args, const char *option, size_t *i)
{
    const char *word = args->positional[*i];
    size_t n = strlen(option);
    if (strncmp(word, option, n) != 0)
        return NULL;
    if (word[n] == '=')
        return word + n + 1;
    if (word[n] != '\0' || *i + 1 >= args->n_positional)
        return NULL;
    return args->positional[++*i];
}

static void add_options(struct call *call)
{
    const struct args *args = call->args;
    for (size_t i = 1; i < args->n_positional; i++) {
        const char *files = value_of(args, "--files", &i);
        const char *archives = files ? NULL : value_of(args, "--archives", &i);
        const char *modules = files || archives ? NULL : value_of(args, "--py-files", &i);
        if (files != NULL)
            buf_printf(&call->files, ",%s", files);
        else if (archives != NULL)
            buf_printf(&call->archives, ",%s", archives);
        else if (modules != NULL)
            buf_printf(&call->modules, ",%s", modules);
        else
            add(call, args->positional[i]);
    }
}

// A JVM reads and gives arguments in the encoding of its locale, which is that of each
// node's: none, most of the time, and then another value would come there in silence.
static enum status check_value(const char *pair, struct err *err)
{
    struct str value = str_of(pair);
    struct str name = str_cut(&value, '=');
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] >= 0x80)
            return err_set(err, ST_USAGE,
                           "--set %.*s: a value beyond ASCII may be another one behind "
                           "Spark's JVMs; give it by --set-file %.*s=FILE",
                           STR_ARGS(name), STR_ARGS(name));
    return ST_OK;
}

static enum status add_variables(struct call *call, struct err *err)
{
    const struct args *args = call->args;
    for (size_t i = 0; i < args->n_given; i += 2) {
        const char *text = args->given[i + 1];
        if (strcmp(args->given[i], "--set-file") == 0) {
            const char *path = strchr(text, '=') + 1; // args.c has seen to it
            TRY(ship(call, path, "--set-file", err));
            add(call, "--local-set-file");
            add(call, text);
            text = arena_printf(&call->arena, "%.*s=%s", (int)(path - text - 1), text,
                                base_of(path));
        } else {
            TRY(check_value(text, err));
        }
        add(call, args->given[i]);
        add(call, text);
    }
    return ST_OK;
}

static const char *text_of(struct call *call, const struct buf *buf)
{
    return arena_cstr(&call->arena, buf_as_str(buf));
}

// The lists are complete when all else is known: their words come last of the first part.
static enum status make_call(struct call *call, struct err *err)
{
    TRY(ship(call, call->script, "the script", err));
    int n_folder = (int)(base_of(call->driver) - call->driver);
    buf_printf(&call->modules, "%.*stramline_common.py,%.*s%s", n_folder, call->driver,
               n_folder, call->driver, call->engine->module);
    if (call->engine->base != NULL)
        buf_printf(&call->modules, ",%.*s%s", n_folder, call->driver, call->engine->base);
    buf_printf(&call->archives, "%s#tramline", call->bundle);
    add(call, call->submit);
    add_options(call);
    size_t n_first = call->n_words;
    for (int i = 0; i < 6; i++)
        add(call, NULL);
    add(call, call->driver);
    add(call, base_of(call->script));
    add(call, "--engine");
    add(call, call->engine->name);
    add(call, "--workers");
    add(call, arena_printf(&call->arena, "%lld", (long long)call->workers));
    if (args_has(call->args, "--once"))
        add(call, "--once");
    if (call->wants_tokens)
        add(call, "--tokens");
    if (call->records > 0) {
        add(call, "--records");
        add(call, arena_printf(&call->arena, "%lld", (long long)call->records));
    }
    TRY(add_variables(call, err));
    add(call, "--program");
    add(call, call->program);
    add(call, "--local-script");
    add(call, arena_cstr(&call->arena, str_of(call->script)));
    call->words[n_first] = "--archives";
    call->words[n_first + 1] = text_of(call, &call->archives);
    call->words[n_first + 2] = "--files";
    call->words[n_first + 3] = text_of(call, &call->files);
    call->words[n_first + 4] = "--py-files";
    call->words[n_first + 5] = text_of(call, &call->modules);
    add(call, NULL);
    return ST_OK;
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._-/=:,#@%+[]";
    return word[0] != '\0' && strspn(word, plain) == strlen(word);
}

// As a shell would read it.
static void print_call(const struct call *call)
{
    for (size_t i = 0; call->words[i] != NULL; i++) {
        const char *word = call->words[i];
        printf("%s", i > 0 ? " " : "");
        if (is_plain(word)) {
            printf("%s", word);
            continue;
        }
        putchar('\'');
        for (; *word != '\0'; word++)
            printf(*word == '\'' ? "'\\''" : "%c", *word);
        putchar('\'');
    }
    putchar('\n');
}

static enum status take_engine(struct call *call, struct err *err)
{
    const char *name = args_text(call->args, "--engine", engines[0].name);
    for (size_t i = 0; i < ARRAY_LEN(engines) && call->engine == NULL; i++)
        if (strcmp(engines[i].name, name) == 0)
            call->engine = &engines[i];
    if (call->engine == NULL)
        return err_set(err, ST_USAGE,
                       "--engine takes 'placement', 'units' or 'sql', not '%s'", name);
    TRY(args_number(call->args, "--records", 1, 0, &call->records, err));
    if (call->records > 0 && !call->engine->takes_records)
        return err_set(
            err, ST_USAGE,
            "--records is for --engine units and sql; a commit of the engine '%s' "
            "is bounded by SET commit.bytes",
            name);
    return ST_OK;
}

static enum status prepare(struct call *call, struct err *err)
{
    TRY(take_engine(call, err));
    TRY(args_number(call->args, "--workers", 1, 0, &call->workers, err));
    if (call->workers == 0)
        return err_set(err, ST_USAGE, "--workers is missing: how many are to run");
    if (call->workers > call->engine->workers_max)
        return err_set(err, ST_USAGE, "--workers takes at most %lld, not %lld",
                       (long long)call->engine->workers_max, (long long)call->workers);
    if (strcmp(call->script, "-") == 0)
        return err_set(err, ST_USAGE,
                       "the script must be a file, which goes to the "
                       "nodes, not '-'");
    find_self(call);
    TRY(check_script(call, err));
    TRY(find_submit(call, err));
    TRY(find_driver(call, err));
    TRY(find_bundle(call, err));
    return make_call(call, err);
}

static void print_json(const struct call *call)
{
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_open(&json, "call", '[');
    for (size_t i = 0; call->words[i] != NULL; i++)
        json_put_text(&json, NULL, str_of(call->words[i]));
    json_put_close(&json, ']');
    json_put_close(&json, '}');
    json_print(&json);
}

static enum status execute(const struct call *call, struct err *err)
{
    bool is_print = args_has(call->args, "--print");
    if (args_has(call->args, "--json"))
        print_json(call);
    else if (is_print)
        print_call(call);
    if (is_print)
        return ST_OK;
    fflush(stdout);
    execv(call->submit, (char *const *)call->words);
    return err_set(err, ST_FAIL, "cannot run %s: %s", call->submit, strerror(errno));
}

static enum status run(const struct args *args, struct err *err)
{
    struct call call = {.args = args, .script = args->positional[0]};
    enum status rc = prepare(&call, err);
    if (rc == ST_OK)
        rc = execute(&call, err);
    buf_release(&call.files);
    buf_release(&call.archives);
    buf_release(&call.modules);
    free(call.words);
    arena_release(&call.arena);
    return rc;
}

static const struct flag flags[] = {
    {"--engine", "NAME",
     "placement: tasks are workers (default); units: tasks of a commit; sql: Spark SQL"},
    {"--workers", "N", "how many tasks run at a time"},
    {"--records", "N", "units, sql: offsets of a task at most (1000000)"},
    {"--once", NULL, "stop when all that was in the stream at the start is committed"},
    {"--bundle", "FILE", "the program for the nodes, " BUNDLE ", or its URL"},
    {"--no-tokens", NULL, "the nodes have Kerberos tickets or keytabs of their own"},
    {"--print", NULL, "print the call of spark-submit instead"},
    {"--json", NULL, "the call as a JSON object, before it is made"},
};

const struct command command_spark = {
    .name = "spark",
    .arguments = "PIPELINE.sql -- SPARK-SUBMIT-OPTION ...",
    .about = "Run the job as tasks of a Spark cluster, by spark-submit",
    .more =
        "Each task is a run of this program, which the executor starts; all behind -- "
        "goes to\nspark-submit, such as --master yarn --queue etl.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .takes_more = true,
    .run = run,
};
