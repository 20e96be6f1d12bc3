// SPDX-License-Identifier: Apache-2.0
// The whole terminal for one command: its own page, keys as they are pressed, no cursor.
// The terminal is as it was whatever ends the process, but for SIGKILL: an orderly end, a
// signal, an abort, a fault of memory; and while it is stopped by Ctrl-Z.
//
// Threads: one; there is one screen.
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "base/buf.h"
#include "base/status.h"

enum screen_key {
    KEY_NONE,
    KEY_UP = 256, // below are characters
    KEY_DOWN,
    KEY_PAGE_UP,
    KEY_PAGE_DOWN,
    KEY_HOME,
    KEY_END,
};

// ST_USAGE: stdin and stdout are not terminals that take more than plain text.
enum status screen_check(struct err *err);
enum status screen_open(struct err *err);
void screen_close(void);
size_t screen_lines(void);
// Waits for a key, `fd` readable, a change of the terminal's size or a while.
int screen_wait(int fd, int timeout_ms);
// A line that begins so is shown reversed.
#define SCREEN_REVERSED "\033[7m"
// Shows the text: lines that fit, each with what text_visible made of strangers' text.
void screen_show(struct str text);
// Appends at most `width` columns of the text, then blanks up to it.
void screen_put_fitted(struct buf *out, struct str text, size_t width);

#endif
