// SPDX-License-Identifier: Apache-2.0
// Any words as the command line of a command, parted by zero bytes: taken, or refused and
// told. The first byte says what the command has.
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fuzz_parts.h"

#include "cli/args.h"

const struct fuzz_budget fuzz_budget = {
    .steps = 20000,
    .steps_a_byte = 1500,
    .bytes = 300000,
    .bytes_a_byte = 400,
    .held = 300000,
    .held_a_byte = 300,
};

enum {
    WORDS_MAX = 4000
};

static const struct flag flags[] = {
    {"--limit", "N", "a number"},
    {"--yes", NULL, "nothing"},
    {"--url", "URL", "instead of the first"},
};

static void check_taken(const struct args *args)
{
    int64_t limit;
    struct err err = {0};
    enum status rc = args_number(args, "--limit", 1, 7, &limit, &err);
    assert(rc == ST_OK ? limit >= 1 : rc == ST_USAGE && err.text[0] != '\0');
    assert(!args_has(args, "--yes") || args_text(args, "--yes", NULL) != NULL);
    size_t n = args->command->n_arguments - args_has(args, "--url");
    for (size_t i = 0; i < n; i++)
        assert(args->positional[i] != NULL);
    for (size_t i = 0; i < args->n_variables; i++)
        assert(args->variables[i].name.n > 0);
}

// What a command line says of itself is nobody's here.
static void silence(void)
{
    static bool is_silent;
    if (is_silent)
        return;
    fflush(stdout);
    bool good = freopen("/dev/null", "w", stdout) != NULL;
    assert(good);
    is_silent = true;
}

void fuzz_input(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    unsigned form = fuzz_byte(&rest);
    struct command command = {.name = "try",
                              .arguments = "A B",
                              .about = "Tries",
                              .flags = flags,
                              .n_flags = ARRAY_LEN(flags),
                              .n_arguments = 1 + form % 3,
                              .instead_of_first = "--url",
                              .no_script = form & 4};
    char **words = mem_array(WORDS_MAX, sizeof(*words));
    int n = 0;
    while (rest.n > 0 && n < WORDS_MAX) {
        struct str word = str_cut(&rest, '\0');
        words[n++] = mem_strndup(word.p, word.n);
    }
    struct args args;
    silence();
    // Errors go to stderr, which is the fuzzer's too.
    FILE *err = stderr;
    stderr = stdout;
    enum args_result result = args_parse(&command, n, words, &args);
    stderr = err;
    if (result == ARGS_RUN)
        check_taken(&args);
    args_release(&args);
    for (int i = 0; i < n; i++)
        free(words[i]);
    free(words);
}
