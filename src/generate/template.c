// SPDX-License-Identifier: Apache-2.0
#include "generate/template.h"

// The word that `at`, an '@', begins; NULL: none.
static const struct template_word *word_at(const char *at,
                                           const struct template_word *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(words[i].name);
        if (strncmp(at + 1, words[i].name, length) == 0 && at[1 + length] == '@')
            return &words[i];
    }
    return NULL;
}

void template_fill(const char *text, const struct template_word *words, size_t n_words,
                   struct buf *ret)
{
    while (*text) {
        const struct template_word *word =
            *text == '@' ? word_at(text, words, n_words) : NULL;
        if (word == NULL) {
            buf_char(ret, *text++);
            continue;
        }
        buf_text(ret, word->value);
        text += strlen(word->name) + 2;
    }
}
