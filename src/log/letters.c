// SPDX-License-Identifier: Apache-2.0
#include "log/letters.h"

#include <stdlib.h>

void letters_release(struct letters *letters)
{
    free(letters->pages);
    free(letters->taken);
    *letters = (struct letters){0};
}

void letters_note(struct letters *letters, const struct entry *entry)
{
    int64_t n = 0;
    for (size_t i = 0; i < entry->n_files; i++)
        n += entry->files[i].kind == FILE_DEAD ? entry->files[i].rows : 0;
    if (n == 0)
        return;
    MEM_GROW(letters->pages, letters->n_pages, letters->pages_capacity);
    letters->pages[letters->n_pages++] =
        (struct letter_page){entry->number, n, entry->time_ms};
    if (n > ENTRY_NUMBER_MAX - letters->n)
        n = ENTRY_NUMBER_MAX - letters->n; // of a forged log
    letters->n += n;
}

const struct letter_page *letters_page(const struct letters *letters, int64_t entry)
{
    size_t low = 0, high = letters->n_pages;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (letters->pages[middle].entry < entry)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < letters->n_pages && letters->pages[low].entry == entry;
    return is_there ? &letters->pages[low] : NULL;
}

// Index of the first range that ends behind the line.
static size_t place_of(const struct letters *letters, int64_t entry, int64_t line)
{
    size_t low = 0, high = letters->n_taken;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct letter_range *range = &letters->taken[middle];
        bool is_before = range->entry < entry ||
                         (range->entry == entry && range->first + range->count <= line);
        if (is_before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Whether a range that is taken begins before the line `end` of the entry.
static bool begins_before(const struct letters *letters, size_t at, int64_t entry,
                          int64_t end)
{
    return at < letters->n_taken && letters->taken[at].entry == entry &&
           letters->taken[at].first < end;
}

bool letters_is_taken(const struct letters *letters, int64_t entry, int64_t line)
{
    return begins_before(letters, place_of(letters, entry, line), entry, line + 1);
}

static bool take(struct letters *letters, const struct letter_range *range)
{
    const struct letter_page *page = letters_page(letters, range->entry);
    size_t at = place_of(letters, range->entry, range->first);
    bool fits =
        page != NULL && range->count <= page->n && range->first <= page->n - range->count;
    if (!fits || begins_before(letters, at, range->entry, range->first + range->count))
        return false;
    MEM_GROW(letters->taken, letters->n_taken, letters->taken_capacity);
    memmove(letters->taken + at + 1, letters->taken + at,
            (letters->n_taken++ - at) * sizeof(*letters->taken));
    letters->taken[at] = *range;
    letters->n_replayed += range->count;
    return true;
}

const struct letter_range *letters_take(struct letters *letters,
                                        const struct replay *replay)
{
    const struct letter_range *refused = NULL;
    for (size_t i = 0; i < replay->n_letters; i++)
        if (!take(letters, &replay->letters[i]) && refused == NULL)
            refused = &replay->letters[i];
    return refused;
}
