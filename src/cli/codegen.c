// SPDX-License-Identifier: Apache-2.0
#include "codegen/codegen.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text_file.h"
#include "cli/commands.h"
#include "cli/json_print.h"

// What every file begins with that may be replaced.
static const char mark[] = "/* Made by tramline codegen";

// Nobody's own file is lost.
static enum status check_replaceable(const char *path, struct err *err)
{
    char begin[sizeof(mark) - 1];
    int fd;
    int64_t size;
    const char *why = file_open(path, &fd, &size);
    if (why != NULL)
        return errno == ENOENT ? ST_OK
                               : err_set(err, ST_FAIL, "cannot write %s: %s", path, why);
    ssize_t n = read(fd, begin, sizeof(begin));
    close(fd);
    if (n == 0 ||
        (n == (ssize_t)sizeof(begin) && memcmp(begin, mark, sizeof(begin)) == 0))
        return ST_OK;
    return err_set(err, ST_USAGE,
                   "%s was not made by tramline codegen and is left as it is; move it "
                   "away, or give another --out",
                   path);
}

// `json`: of all files, NULL where they are told as text.
static enum status write_file(const char *path, const struct buf *text, struct buf *json,
                              struct err *err)
{
    FILE *stream = fopen(path, "wb");
    if (stream == NULL)
        return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(errno));
    size_t n = fwrite(text->p, 1, text->n, stream);
    if (fclose(stream) != 0 || n != text->n)
        return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(errno));
    if (json == NULL) {
        printf("%s\n", path);
        return ST_OK;
    }
    json_put_open(json, NULL, '{');
    json_put_text(json, "path", str_of(path));
    json_put_number(json, "bytes", (int64_t)text->n);
    json_put_close(json, '}');
    return ST_OK;
}

// "dir/stop_times.avsc" -> "stop_times". It becomes the name in an #include.
static enum status stem(const char *path, struct str *ret, struct err *err)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_of(slash ? slash + 1 : path);
    if (str_ends_with(name, ".avsc"))
        name.n -= strlen(".avsc");
    bool good = name.n > 0;
    for (size_t i = 0; i < name.n; i++)
        good = good && (unsigned char)name.p[i] >= ' ' &&
               strchr("\"\\?*", name.p[i]) == NULL;
    if (!good)
        return err_set(err, ST_USAGE,
                       "%s: its name is to name a header, and cannot; rename it to "
                       "letters, digits, _ and -",
                       path);
    *ret = name;
    return ST_OK;
}

struct made {
    struct buf header, source;
};

static enum status make(const struct args *args, struct str name, struct made *made,
                        struct err *err)
{
    const char *path = args->positional[0];
    AUTO(buf_release) struct buf avsc = {0};
    AUTO(buf_release) struct buf header_name = {0};
    TRY(text_input_read(path, &avsc, err));
    buf_printf(&header_name, "%.*s.h", STR_ARGS(name));
    if (avsc.n && memchr(avsc.p, '\0', avsc.n) != NULL)
        return err_set(err, ST_DATA,
                       "%s: a zero byte is in it: this is not a schema's text", path);
    enum status rc =
        avro_codegen(buf_cstr(&avsc), args_text(args, "--prefix", ""),
                     buf_cstr(&header_name), &made->header, &made->source, err);
    return rc == ST_OK || rc == ST_USAGE ? rc : err_context(err, rc, "%s", path);
}

// DIR/NAME.h and DIR/NAME.c, both or none.
static enum status write_both(const char *directory, struct str name,
                              const struct made *made, struct buf *json, struct err *err)
{
    AUTO(buf_release) struct buf header = {0};
    AUTO(buf_release) struct buf source = {0};
    buf_printf(&header, "%s/%.*s.h", directory, STR_ARGS(name));
    buf_printf(&source, "%s/%.*s.c", directory, STR_ARGS(name));
    TRY(check_replaceable(buf_cstr(&header), err));
    TRY(check_replaceable(buf_cstr(&source), err));
    TRY(write_file(buf_cstr(&header), &made->header, json, err));
    return write_file(buf_cstr(&source), &made->source, json, err);
}

static enum status write_made(const struct args *args, struct str name,
                              const struct made *made, struct err *err)
{
    const char *directory = args_text(args, "--out", ".");
    if (!args_has(args, "--json"))
        return write_both(directory, name, made, NULL, err);
    AUTO(buf_release) struct buf json = {0};
    json_put_open(&json, NULL, '{');
    json_put_open(&json, "files", '[');
    TRY(write_both(directory, name, made, &json, err));
    json_put_close(&json, ']');
    json_put_close(&json, '}');
    json_print(&json);
    return ST_OK;
}

static enum status run(const struct args *args, struct err *err)
{
    struct str name = {0};
    struct made made = {0};
    TRY(stem(args->positional[0], &name, err));
    enum status rc = make(args, name, &made, err);
    if (rc == ST_OK)
        rc = write_made(args, name, &made, err);
    buf_release(&made.header);
    buf_release(&made.source);
    return rc;
}

static const struct flag flags[] = {
    {"--out", "DIR", "where X.h and X.c go (default: here)"},
    {"--prefix", "NAME_", "begins the name of every type and function"},
    {"--json", NULL, "the files that were written, as one JSON object"},
};

const struct command command_codegen = {
    .name = "codegen",
    .arguments = "X.avsc",
    .about = "Make C types with encode and decode for an Avro schema",
    .more =
        "Writes X.h and X.c, which need nothing but the C library and compile as C and\n"
        "C++: a struct for each record, with init, release, decode, encode and text "
        "(JSON\n"
        "for logs). Files that it did not make itself are not replaced.",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .no_script = true,
    .run = run,
};
