// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target without libFuzzer, for the tests: replay DIR [MS] gives it each file
// of the folder, then changed copies of them for so many milliseconds (1000). The changes
// follow from $FUZZ_SEED (1). What breaks the target is written to $TMPDIR/crash.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "core/env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

enum {
    INPUT_MAX = 64 << 10, // bytes
    INPUTS_MAX = 1000,
    CHANGES_MAX = 5 // of one copy
};

static struct buf inputs[INPUTS_MAX];
static size_t n_inputs;
static uint8_t input[INPUT_MAX]; // the one that runs
static size_t input_size;
static char crash_path[4096];

// May be called from a signal's handler.
static void save_input(void)
{
    int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, input, input_size) < 0)
        return;
    close(fd);
    static const char text[] = "the input that broke it is in ";
    bool told = write(STDERR_FILENO, text, sizeof(text) - 1) > 0 &&
                write(STDERR_FILENO, crash_path, strlen(crash_path)) > 0 &&
                write(STDERR_FILENO, "\n", 1) > 0;
    (void)told;
}

static void on_abort(int number)
{
    save_input();
    signal(number, SIG_DFL);
    raise(number);
}

static void read_input(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL || n_inputs == INPUTS_MAX) {
        fprintf(stderr, "%s: cannot be read, or is one too many\n", path);
        exit(1);
    }
    struct buf *buf = &inputs[n_inputs++];
    buf->n = fread(buf_room(buf, INPUT_MAX), 1, INPUT_MAX, file);
    fclose(file);
}

static void read_folder(const char *folder)
{
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        if (names[i]->d_name[0] != '.')
            read_input(folder, names[i]->d_name);
        free(names[i]);
    }
    if (n >= 0)
        free(names);
}

static uint64_t state;

static size_t chance(size_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)(state >> 11) % n;
}

// Puts bytes in at a place; what no longer fits falls off the end.
static void insert(size_t at, const uint8_t *p, size_t n)
{
    if (n > INPUT_MAX - at)
        n = INPUT_MAX - at;
    size_t rest = input_size - at;
    if (rest > INPUT_MAX - at - n)
        rest = INPUT_MAX - at - n;
    memmove(input + at + n, input + at, rest);
    memcpy(input + at, p, n);
    input_size = at + n + rest;
}

static void delete_some(size_t at)
{
    size_t n = 1 + chance(1 + (input_size - at) / 4);
    if (at + n > input_size)
        n = input_size - at;
    memmove(input + at, input + at + n, input_size - at - n);
    input_size -= n;
}

static void insert_from_another(size_t at)
{
    const struct buf *other = &inputs[chance(n_inputs)];
    uint8_t piece[256];
    if (other->n == 0)
        return;
    size_t from = chance(other->n);
    size_t n = 1 + chance(sizeof(piece));
    n = n < other->n - from ? n : other->n - from;
    memcpy(piece, other->p + from, n);
    insert(at, piece, n);
}

static void change(void)
{
    static const uint8_t edges[] = {0,    1,    2,   0x7E, 0x7F, 0x80,
                                    0xFE, 0xFF, '"', '{',  '[',  '0'};
    uint8_t bytes[10];
    size_t at = chance(input_size + 1);
    bool inside = at < input_size;
    switch (chance(inside ? 7 : 3)) {
    case 0:
        insert_from_another(at);
        break;
    case 1: // a number as large as it gets
        memset(bytes, 0xFF, 9);
        bytes[9] = 1;
        insert(at, bytes, sizeof(bytes));
        break;
    case 2:
        insert(at, &edges[chance(sizeof(edges))], 1);
        break;
    case 3:
        input[at] ^= (uint8_t)(1 << chance(8));
        break;
    case 4:
        input[at] = edges[chance(sizeof(edges))];
        break;
    case 5:
        delete_some(at);
        break;
    case 6:
        input_size = at;
        break;
    }
}

static void take(const struct buf *from)
{
    input_size = from->n;
    if (from->n)
        memcpy(input, from->p, from->n);
}

static void run(void)
{
    uint8_t *copy = mem_alloc(input_size ? input_size : 1); // a read past the end is seen
    memcpy(copy, input, input_size);
    LLVMFuzzerTestOneInput(copy, input_size);
    free(copy);
}

int main(int argc, char **argv)
{
    struct env *env = env_system();
    const char *tmp = getenv("TMPDIR");
    const char *seed = getenv("FUZZ_SEED");
    int64_t limit_ms = argc > 2 ? atoll(argv[2]) : 1000;
    snprintf(crash_path, sizeof(crash_path), "%s/crash", tmp ? tmp : "/tmp");
    state = seed ? strtoull(seed, NULL, 10) : 1;
    state += state == 0;
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(save_input);
    if (argc > 1)
        read_folder(argv[1]);
    for (size_t i = 0; i < n_inputs; i++) {
        take(&inputs[i]);
        run();
    }
    size_t n_runs = 0;
    int64_t end_ms = env->ops->monotonic_ms(env) + limit_ms;
    while (n_inputs > 0 && env->ops->monotonic_ms(env) < end_ms) {
        take(&inputs[chance(n_inputs)]);
        for (size_t i = 0, n = 1 + chance(CHANGES_MAX); i < n; i++)
            change();
        run();
        n_runs++;
    }
    for (size_t i = 0; i < n_inputs; i++)
        buf_release(&inputs[i]);
    printf("%zu inputs, %zu changed copies\n", n_inputs, n_runs);
    return n_inputs > 0 ? 0 : 1;
}
