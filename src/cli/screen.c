// SPDX-License-Identifier: Apache-2.0
#include "cli/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/attr.h"
#include "cli/term.h"

enum {
    KEY_BYTES = 8,
    LINES_OTHERWISE = 24
};

// What a signal's handler needs.
static struct termios before;
static volatile sig_atomic_t is_open;
static volatile sig_atomic_t is_changed; // size or page: all is to be drawn again

static const int fatal[] = {
    SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGABRT, SIGSEGV, SIGBUS,    SIGFPE,
    SIGILL, SIGSYS, SIGTRAP, SIGALRM, SIGUSR1, SIGUSR2, SIGXCPU, SIGVTALRM,
};

#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[0m\033[?25h\033[?1049l"

static void put(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, text, n);
        if (done < 0 && errno != EINTR)
            return; // the terminal is gone
        text += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
}

static void enter(void)
{
    struct termios raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    put(ENTER, sizeof(ENTER) - 1);
}

static void leave(void)
{
    put(LEAVE, sizeof(LEAVE) - 1);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void act_on(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

// From within its handler.
static void take_default(int number)
{
    sigset_t only;
    act_on(number, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, number);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
}

static void end(int number)
{
    int error = errno;
    if (is_open)
        leave();
    is_open = false;
    take_default(number);
    errno = error;
}

static void pause_here(int number)
{
    int error = errno;
    leave();
    take_default(number); // until SIGCONT
    act_on(number, pause_here);
    enter();
    is_changed = true;
    errno = error;
}

static void change(UNUSED int number)
{
    is_changed = true;
}

static enum status refuse(struct err *err)
{
    return err_set(
        err, ST_USAGE,
        "top shows a page that changes and takes keys, so it needs a terminal; "
        "--json prints a line a look without one");
}

enum status screen_check(struct err *err)
{
    return isatty(STDIN_FILENO) && term_takes_sequences() ? ST_OK : refuse(err);
}

enum status screen_open(struct err *err)
{
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return refuse(err);
    signal(SIGTTOU, SIG_IGN); // it is put back from the background, too
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
        act_on(fatal[i], end);
    act_on(SIGTSTP, pause_here);
    act_on(SIGWINCH, change);
    is_open = true;
    enter();
    return ST_OK;
}

void screen_close(void)
{
    if (!is_open)
        return;
    for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
        act_on(fatal[i], SIG_DFL);
    act_on(SIGTSTP, SIG_DFL);
    is_open = false;
    leave();
}

size_t screen_lines(void)
{
    struct winsize size;
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0;
    return is_known ? size.ws_row : LINES_OTHERWISE;
}

// Of the bytes that one key sends.
static int key_of(const char *bytes, ssize_t n)
{
    static const struct {
        const char *bytes;
        int key;
    } keys[] = {
        {"\033[A", KEY_UP},   {"\033[B", KEY_DOWN},     {"\033OA", KEY_UP},
        {"\033OB", KEY_DOWN}, {"\033[5~", KEY_PAGE_UP}, {"\033[6~", KEY_PAGE_DOWN},
        {"\033[H", KEY_HOME}, {"\033[F", KEY_END},      {"\033[1~", KEY_HOME},
        {"\033[4~", KEY_END},
    };
    struct str pressed = {bytes, (size_t)n};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_starts_with(pressed, keys[i].bytes))
            return keys[i].key;
    return bytes[0] == '\033' ? KEY_NONE : (unsigned char)bytes[0];
}

int screen_wait(int fd, int timeout_ms)
{
    struct pollfd events[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = fd, .events = POLLIN}};
    char bytes[KEY_BYTES];
    bool was_changed = is_changed;
    is_changed = false;
    int n_ready = was_changed ? 0 : poll(events, ARRAY_LEN(events), timeout_ms);
    if (n_ready <= 0 || !(events[0].revents & (POLLIN | POLLHUP)))
        return KEY_NONE;
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n > 0)
        return key_of(bytes, n);
    return events[0].revents & POLLHUP ? 'q' : KEY_NONE; // the terminal is gone
}

void screen_put_fitted(struct buf *out, struct str text, size_t width)
{
    size_t n = 0, used = 0;
    while (n < text.n) {
        size_t next = n + 1;
        while (next < text.n && ((unsigned char)text.p[next] & 0xC0) == 0x80)
            next++;
        size_t columns = str_display_width((struct str){text.p + n, next - n});
        if (used + columns > width)
            break;
        used += columns;
        n = next;
    }
    buf_append(out, text.p, n);
    for (; used < width; used++)
        buf_char(out, ' ');
}

void screen_show(struct str text)
{
    AUTO(buf_release) struct buf page = {0};
    size_t lines = screen_lines(), width = term_width();
    buf_text(&page, "\033[H");
    for (size_t i = 0; i < lines && text.p != NULL; i++) {
        if (i > 0)
            buf_text(&page, "\r\n");
        struct str line = str_cut(&text, '\n');
        bool is_reversed = str_starts_with(line, SCREEN_REVERSED);
        if (is_reversed) {
            buf_text(&page, SCREEN_REVERSED);
            line.p += strlen(SCREEN_REVERSED);
            line.n -= strlen(SCREEN_REVERSED);
        }
        if (width > 0 && str_display_width(line) > width)
            screen_put_fitted(&page, line, width);
        else
            buf_str(&page, line);
        buf_text(&page, is_reversed ? "\033[0m\033[K" : "\033[K");
    }
    buf_text(&page, "\033[J");
    put(page.p, page.n);
}
