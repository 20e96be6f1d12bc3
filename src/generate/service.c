// SPDX-License-Identifier: Apache-2.0
#include "generate/generate.h"
#include "generate/template.h"

// systemd.syntax(7): '%' begins a specifier, and is written twice but in a template.
static void put_text(const char *text, bool is_template, struct buf *ret)
{
    for (const char *c = text; *c; c++) {
        if (*c == '%' && !is_template)
            buf_char(ret, '%');
        buf_char(ret, *c);
    }
}

// A path among words: quoted where it needs that. '$' of a command begins a variable.
static void put_path(const char *path, bool of_command, bool is_template, struct buf *ret)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789/._-%@:";
    bool quoted = strspn(path, plain) < strlen(path);
    if (quoted)
        buf_char(ret, '"');
    for (const char *c = path; *c; c++) {
        if ((*c == '%' && !is_template) || (*c == '$' && of_command))
            buf_char(ret, *c);
        else if (*c == '\\' || *c == '"')
            buf_char(ret, '\\');
        buf_char(ret, *c);
    }
    if (quoted)
        buf_char(ret, '"');
}

static bool is_below(const char *path, const char *directory)
{
    size_t n = strlen(directory);
    return strncmp(path, directory, n) == 0 && path[n] == '/';
}

// What the unit hides of /home is visible to a script that stands there.
static bool is_at_home(const char *path)
{
    return is_below(path, "/home") || is_below(path, "/root") ||
           is_below(path, "/run/user");
}

static bool is_temporary(const char *path)
{
    return is_below(path, "/tmp") || is_below(path, "/var/tmp");
}

void generate_service(const struct generate_service *service, struct buf *ret)
{
    AUTO(buf_release) struct buf program = {0};
    AUTO(buf_release) struct buf script = {0};
    AUTO(buf_release) struct buf writes = {0};
    AUTO(buf_release) struct buf variables = {0};
    AUTO(buf_release) struct buf name = {0};
    AUTO(buf_release) struct buf needs = {0};
    put_path(service->program, true, false, &program);
    put_path(service->script, true, service->is_template, &script);
    put_text(service->variables, service->is_template, &variables);
    put_text(service->name, service->is_template, &name);
    bool at_home = is_at_home(service->script) || is_at_home(service->program);
    bool at_tmp = is_temporary(service->script);
    for (size_t i = 0; i < service->n_needs; i++)
        buf_printf(&needs, "%s%.*s", i ? ", " : "# NAME=value lines there for ",
                   STR_ARGS(service->needs[i]));
    buf_text(&needs, service->n_needs ? ".\n" : "");
    if (service->directory != NULL) {
        buf_text(&writes, "WorkingDirectory=");
        put_text(service->directory, false, &writes);
        buf_char(&writes, '\n');
    }
    for (size_t i = 0; i < service->n_writes; i++) {
        at_tmp |= is_temporary(service->writes[i]);
        buf_text(&writes, "ReadWritePaths=");
        put_path(service->writes[i], false, false, &writes);
        buf_char(&writes, '\n');
        at_home |= is_at_home(service->writes[i]);
    }
    struct template_word words[] = {
        {"PROGRAM", buf_cstr(&program)},
        {"SCRIPT", buf_cstr(&script)},
        {"NEEDS", buf_cstr(&needs)},
        {"VARIABLES", buf_cstr(&variables)},
        {"NAME", buf_cstr(&name)},
        {"WRITES", buf_cstr(&writes)},
        {"HOME", at_home ? "read-only" : "yes"},
        {"TMP", at_tmp ? "no" : "yes"},
    };
    template_fill(template_service, words, ARRAY_LEN(words), ret);
}
