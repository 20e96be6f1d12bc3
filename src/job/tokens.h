// SPDX-License-Identifier: Apache-2.0
// Delegation tokens of the storages of a script that ask for Kerberos: asked for with the
// ticket at hand, written to a file for those who have none, renewed, and asked for again
// before they cannot be renewed any more.
//
// A token's time is looked at when half of it is over. Threads: one.
#ifndef JOB_TOKENS_H
#define JOB_TOKENS_H

#include "job/pipeline.h"

struct kept_token;

struct tokens {
    const struct pipeline *pipeline;
    const char *file; // borrowed
    struct kept_token *items;
    size_t n, capacity;
    bool is_unwritten; // the file has older ones, since it could not be replaced
};

// Whether a table or the result signs in by a ticket, and names no file of tokens.
bool tokens_are_wanted(const struct plan *plan);

// Lists the storages; asks nobody. ST_USAGE: there is none that takes tokens.
enum status tokens_open(struct tokens *tokens, const struct pipeline *pipeline,
                        const char *file, struct err *err);
void tokens_release(struct tokens *tokens);
// New ones for all, into the file, which is replaced in one step, mode 600.
enum status tokens_ask(struct tokens *tokens, struct err *err);
// Renews them, or asks again, until the program is to stop. What fails is logged and
// tried again; ST_FAIL when a token's time is over.
enum status tokens_keep(struct tokens *tokens, struct err *err);

// When to look again at a token that is good for `left_ms` more: half of it, a day at
// most.
int64_t tokens_pause(int64_t left_ms);
// Whether a token that was good for `whole_ms` when it was new and is good for `left_ms`
// after its renewal has met the end of its life, so that another one is to be asked for.
bool tokens_near_end(int64_t whole_ms, int64_t left_ms);

// The first line of standard input, for pipeline->tokens: read within a minute, and no
// byte of what follows. It belongs to the pipeline's arena.
enum status tokens_take_line(struct pipeline *pipeline, struct err *err);
// The same from the environment, where nobody finds it afterwards. ST_USAGE: it is not
// there, or no line of tokens.
enum status tokens_take_variable(struct pipeline *pipeline, struct err *err);

#endif
