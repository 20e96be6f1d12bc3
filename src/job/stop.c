// SPDX-License-Identifier: Apache-2.0
#include "job/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

// Signals have no other way in than variables of the process.
static atomic_bool asked;
static _Atomic int less_ms; // STOP_ORPHAN_MS of an orphan
static struct deadline waits;
static struct deadline farewell;
static _Atomic int wake_fd = -1;
static _Atomic int exit_code; // of the guard
static char last_words[ERR_TEXT_MAX + 64];
static atomic_bool is_guarded; // by stop_guard, else by a signal
static atomic_bool has_begun;  // to say its last words
static const char too_late[] =
    "tramline: not at an end 9 s after the signal: left as it is\n";

enum {
    WORDS_MS = 300, // for the last words, which nobody may read
};

// Only what a signal handler may call.
static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void set_alarm(int64_t ms)
{
    struct itimerval time = {.it_value = {ms / 1000, ms % 1000 * 1000}};
    setitimer(ITIMER_REAL, &time, NULL);
}

// Whatever a thread waits for by then. The second one comes while the first still writes:
// into a pipe that is full.
static void on_alarm(UNUSED int number)
{
    int code = atomic_load(&exit_code);
    if (atomic_exchange(&has_begun, true))
        _exit(code);
    set_alarm(WORDS_MS);
    const char *words = atomic_load(&is_guarded) ? last_words : too_late;
    ssize_t n = write(STDERR_FILENO, words, strlen(words));
    (void)n; // there may be nobody left to tell
    _exit(code);
}

static void on_signal(int number)
{
    if (atomic_exchange(&asked, true))
        _exit(128 + number); // the second one: what is committed stays committed
    if (!atomic_load(&is_guarded)) {
        atomic_store(&exit_code, 128 + number);
        set_alarm(STOP_GUARD_MS - atomic_load(&less_ms));
    }
    deadline_end(&waits);
    deadline_set(&farewell, now_ms() + STOP_MS - atomic_load(&less_ms));
    const uint64_t one = 1;
    ssize_t n = write(atomic_load(&wake_fd), &one, sizeof(one));
    (void)n; // it is the first
}

static void catch (int number, void (*handler)(int number), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(number, &action, NULL);
}

enum status stop_open_event(int *ret_fd, struct err *err)
{
    *ret_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return *ret_fd >= 0 ? ST_OK
                        : err_set(err, ST_FAIL,
                                  "no file descriptor to be woken by: %s; raise the "
                                  "limit of open files (ulimit -n)",
                                  strerror(errno));
}

enum status stop_catch(struct err *err)
{
    int fd = atomic_load(&wake_fd);
    if (fd < 0)
        TRY(stop_open_event(&fd, err));
    atomic_store(&wake_fd, fd);
    catch (SIGALRM, on_alarm, SA_NODEFER);
    catch (SIGTERM, on_signal, 0);
    catch (SIGINT, on_signal, 0);
    deadline_set(&waits, 0); // an earlier command's may be over
    if (atomic_load(&asked))
        deadline_end(&waits);
    return ST_OK;
}

void stop_guard(int code, const char *words, int64_t within_ms)
{
    catch (SIGALRM, on_alarm, SA_NODEFER);
    set_alarm(0);
    snprintf(last_words, sizeof(last_words), "%s", words);
    atomic_store(&exit_code, code);
    atomic_store(&is_guarded, true);
    set_alarm(within_ms);
}

void stop_guard_end(void)
{
    set_alarm(0);
    atomic_store(&is_guarded, false);
    if (!atomic_load(&asked))
        return;
    // Even the last line may have to wait, for whoever reads it.
    int64_t left_ms =
        deadline_left(&farewell, now_ms(), STOP_MS) + STOP_GUARD_MS - STOP_MS;
    set_alarm(left_ms);
}

void stop_ask_orphan(void)
{
    if (atomic_load(&asked))
        return;
    atomic_store(&less_ms, STOP_ORPHAN_MS);
    kill(getpid(), SIGTERM);
}

int64_t stop_commit_ms(void)
{
    return STOP_COMMIT_MS - atomic_load(&less_ms);
}

bool stop_is_asked(void)
{
    return atomic_load(&asked);
}

struct deadline *stop_waits(void)
{
    return &waits;
}

const struct deadline *stop_farewell(void)
{
    return &farewell;
}

int stop_fd(void)
{
    return atomic_load(&wake_fd);
}

bool stop_is_why(enum status status)
{
    return stop_is_asked() &&
           (status == ST_RETRY || status == ST_UNKNOWN || status == ST_STOP);
}
