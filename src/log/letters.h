// SPDX-License-Identifier: Apache-2.0
// Which dead letters a log tells of, and which of them replays took. Entries are noted in
// their order. Owns its memory; zero is the empty book. One thread.
#ifndef LOG_LETTERS_H
#define LOG_LETTERS_H

#include "log/log_entry.h"

// The letters of one entry.
struct letter_page {
    int64_t entry, n; // lines of its file
    int64_t time_ms;  // of the entry
};

struct letters {
    struct letter_page *pages; // rising
    size_t n_pages, pages_capacity;
    struct letter_range *taken; // by replays; rising, apart
    size_t n_taken, taken_capacity;
    int64_t n, n_replayed;
};

void letters_note(struct letters *letters, const struct entry *entry); // its own letters
// The first range of a replay that is not of letters noted, or of one that is taken; the
// others are taken now. NULL: all of them are.
const struct letter_range *letters_take(struct letters *letters,
                                        const struct replay *replay);
// NULL: the entry has none.
const struct letter_page *letters_page(const struct letters *letters, int64_t entry);
bool letters_is_taken(const struct letters *letters, int64_t entry, int64_t line);
void letters_release(struct letters *letters);

#endif
