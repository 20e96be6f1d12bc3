// SPDX-License-Identifier: Apache-2.0
#include "avro/codegen.h"

#include <errno.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/text_file.h"

static enum status write_file(const char *path, const struct buf *text, struct err *err)
{
    FILE *stream = fopen(path, "wb");
    if (stream == NULL)
        return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(errno));
    size_t n = fwrite(text->p, 1, text->n, stream);
    if (fclose(stream) != 0 || n != text->n)
        return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(errno));
    printf("%s\n", path);
    return ST_OK;
}

// "dir/stop_times.avsc" -> "stop_times"; in the arena.
static const char *stem(struct args *args, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct str name = str_of(slash ? slash + 1 : path);
    if (str_ends_with(name, ".avsc"))
        name.n -= strlen(".avsc");
    return arena_cstr(&args->arena, name);
}

static enum status run(const struct args *const_args, struct err *err)
{
    struct args *args = (struct args *)const_args;
    AUTO(buf_release) struct buf avsc = {0};
    TRY(text_file_read(args->positional[0], &avsc, err));
    const char *base = stem(args, args->positional[0]);
    const char *directory = args_text(args, "--out", ".");
    char *header_name = arena_printf(&args->arena, "%s.h", base);
    AUTO(buf_release) struct buf header = {0};
    AUTO(buf_release) struct buf source = {0};
    enum status status = avro_codegen(buf_cstr(&avsc), args_text(args, "--prefix", ""),
                                      header_name, &header, &source, err);
    if (status != ST_OK)
        return err_context(err, "%s", args->positional[0]);
    TRY(write_file(arena_printf(&args->arena, "%s/%s", directory, header_name), &header,
                   err));
    return write_file(arena_printf(&args->arena, "%s/%s.c", directory, base), &source,
                      err);
}

static const struct flag flags[] = {
    {"--out", "DIR", "where the two files go (default: here)"},
    {"--prefix", "NAME_", "begins every name that is made"},
};

const struct command command_codegen = {
    .name = "codegen",
    .arguments = "X.avsc",
    .about = "Make C types with encode and decode for an Avro schema",
    .flags = flags,
    .n_flags = ARRAY_LEN(flags),
    .n_arguments = 1,
    .no_script = true,
    .run = run,
};
