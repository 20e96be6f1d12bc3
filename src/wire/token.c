// SPDX-License-Identifier: Apache-2.0
#include "wire/token.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define FILE_OPTION    "kafka.sasl.oauthbearer.token.file"
#define COMMAND_OPTION "kafka.sasl.oauthbearer.token.command"

struct wire_token {
    const char *file, *command; // the security's
    struct buf bytes;
    pid_t pid; // of the command, whose group has that number, too; 0: none runs
    int fd;    // what it prints; -1: all has come
    bool is_over;
    int number; // errno of its start
    int state;  // as waitpid has it
};

static void start(struct wire_token *token)
{
    extern char **environ;
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        token->number = errno;
        return;
    }
    char shell[] = "sh", option[] = "-c";
    char *arguments[] = {shell, option, (char *)(uintptr_t)token->command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t how;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&how);
    posix_spawnattr_setpgroup(&how, 0);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setsigdefault(&how, &all);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                       POSIX_SPAWN_SETSIGDEF);
    token->number =
        posix_spawn(&token->pid, "/bin/sh", &actions, &how, arguments, environ);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    if (token->number != 0)
        token->pid = 0;
    token->fd = pipe_fds[0];
    fcntl(token->fd, F_SETFL, O_NONBLOCK);
}

struct wire_token *wire_token_begin(const struct wire_security *security)
{
    struct wire_token *token = mem_zalloc(sizeof(*token));
    *token = (struct wire_token){
        .file = wire_security_token_file(security),
        .command = wire_security_token_command(security),
        .bytes = BUF_INIT(WIRE_TOKEN_BYTES_MAX),
        .fd = -1,
    };
    if (token->file == NULL)
        start(token);
    return token;
}

void wire_token_end(struct wire_token *token)
{
    if (token == NULL)
        return;
    if (token->pid > 0) {
        kill(-token->pid, SIGKILL);
        while (waitpid(token->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (token->fd >= 0)
        close(token->fd);
    if (token->bytes.capacity > 0)
        OPENSSL_cleanse(token->bytes.p, token->bytes.capacity);
    buf_release(&token->bytes);
    free(token);
}

int wire_token_fd(const struct wire_token *token)
{
    return token->fd;
}

// Takes what can be read; false: no more will come.
static bool take_bytes(struct wire_token *token, int fd)
{
    char *room;
    while ((room = buf_room(&token->bytes, 1)) != NULL) {
        size_t n = token->bytes.capacity - token->bytes.n;
        size_t left = buf_left(&token->bytes);
        ssize_t got = read(fd, room, n < left ? n : left);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return true;
        if (got <= 0)
            return false;
        token->bytes.n += (size_t)got;
    }
    return false;
}

static enum status read_file(struct wire_token *token, struct err *err)
{
    int fd;
    int64_t size;
    const char *why = file_open(token->file, &fd, &size);
    if (why != NULL)
        return err_set(err, ST_RETRY, "option '%s': %s: %s", FILE_OPTION, token->file,
                       why);
    while (take_bytes(token, fd)) // a plain file lets nobody wait
        ;
    close(fd);
    return ST_OK;
}

static enum status hear_command(struct wire_token *token, struct err *err)
{
    if (token->number != 0)
        return err_set(err, ST_RETRY, "option '%s': the command cannot be started: %s",
                       COMMAND_OPTION, strerror(token->number));
    if (token->fd >= 0 && take_bytes(token, token->fd))
        return ST_OK;
    if (token->fd >= 0)
        close(token->fd);
    token->fd = -1;
    if (token->bytes.full)
        return ST_OK; // told by the caller
    if (token->pid > 0 && waitpid(token->pid, &token->state, WNOHANG) == 0)
        return ST_OK;
    token->pid = 0;
    token->is_over = true;
    if (token->state == 0)
        return ST_OK;
    return err_set(err, ST_RETRY, "option '%s': the command ended by %s %d",
                   COMMAND_OPTION, WIFSIGNALED(token->state) ? "signal" : "exit code",
                   WIFSIGNALED(token->state) ? WTERMSIG(token->state)
                                             : WEXITSTATUS(token->state));
}

static const char *wrong_token(struct str token)
{
    if (token.n == 0)
        return "is empty";
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] <= ' ' || token.p[i] > '~')
            return "has a character that no token has";
    return NULL;
}

enum status wire_token_take(struct wire_token *token, struct str *ret, struct err *err)
{
    *ret = (struct str){0};
    if (token->file != NULL && !token->is_over)
        TRY(read_file(token, err));
    else if (!token->is_over)
        TRY(hear_command(token, err));
    token->is_over |= token->file != NULL;
    const char *option = token->file != NULL ? FILE_OPTION : COMMAND_OPTION;
    if (token->bytes.full)
        return err_set(err, ST_RETRY, "option '%s': a token of more than %d bytes",
                       option, WIRE_TOKEN_BYTES_MAX);
    if (!token->is_over)
        return ST_OK;
    struct str text = str_trim(buf_as_str(&token->bytes));
    const char *wrong = wrong_token(text);
    if (wrong != NULL)
        return err_set(err, ST_RETRY, "option '%s': the token %s", option, wrong);
    *ret = text;
    return ST_OK;
}
