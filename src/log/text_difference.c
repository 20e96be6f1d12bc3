// SPDX-License-Identifier: Apache-2.0
#include "log/text_difference.h"

#include <stdlib.h>

#include "base/mem.h"

enum {
    CELLS_MAX = 4 << 20 // of 4 bytes; beyond it all of the middle goes and comes
};

struct lines {
    struct str *items;
    size_t n;
};

static struct lines cut_lines(struct str text, struct arena *arena)
{
    size_t n = 1;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    struct lines lines = {.items = arena_array(arena, n, sizeof(*lines.items))};
    while (text.n > 0)
        lines.items[lines.n++] = str_cut(&text, '\n');
    return lines;
}

static void add(struct text_difference *difference, enum line_fate fate, struct str text)
{
    difference->lines[difference->n++] = (struct text_line){fate, text};
    difference->n_gone += fate == LINE_GONE;
    difference->n_new += fate == LINE_NEW;
}

static void add_all(struct text_difference *difference, enum line_fate fate,
                    struct lines lines)
{
    for (size_t i = 0; i < lines.n; i++)
        add(difference, fate, lines.items[i]);
}

// For each pair of places how many lines can stay behind them.
static uint32_t *measure(struct lines a, struct lines b)
{
    size_t width = b.n + 1;
    uint32_t *most = mem_array((a.n + 1) * width, sizeof(*most));
    for (size_t i = a.n; i-- > 0;)
        for (size_t j = b.n; j-- > 0;) {
            uint32_t skip_a = most[(i + 1) * width + j], skip_b = most[i * width + j + 1];
            most[i * width + j] = str_eq(a.items[i], b.items[j])
                                      ? most[(i + 1) * width + j + 1] + 1
                                  : skip_a > skip_b ? skip_a
                                                    : skip_b;
        }
    return most;
}

static void compare(struct text_difference *difference, struct lines a, struct lines b)
{
    size_t i = 0, j = 0, width = b.n + 1;
    uint32_t *most = measure(a, b);
    while (i < a.n && j < b.n) {
        if (str_eq(a.items[i], b.items[j])) {
            add(difference, LINE_STAYED, a.items[i++]);
            j++;
        } else if (most[(i + 1) * width + j] >= most[i * width + j + 1]) {
            add(difference, LINE_GONE, a.items[i++]);
        } else {
            add(difference, LINE_NEW, b.items[j++]);
        }
    }
    free(most);
    add_all(difference, LINE_GONE, (struct lines){a.items + i, a.n - i});
    add_all(difference, LINE_NEW, (struct lines){b.items + j, b.n - j});
}

struct text_difference text_difference(struct str before, struct str after,
                                       struct arena *arena)
{
    struct lines a = cut_lines(before, arena), b = cut_lines(after, arena);
    struct text_difference difference = {
        .lines = arena_array(arena, a.n + b.n, sizeof(*difference.lines))};
    size_t head = 0, tail = 0;
    while (head < a.n && head < b.n && str_eq(a.items[head], b.items[head]))
        head++;
    while (tail < a.n - head && tail < b.n - head &&
           str_eq(a.items[a.n - 1 - tail], b.items[b.n - 1 - tail]))
        tail++;
    struct lines a_middle = {a.items + head, a.n - head - tail};
    struct lines b_middle = {b.items + head, b.n - head - tail};
    add_all(&difference, LINE_STAYED, (struct lines){a.items, head});
    if ((a_middle.n + 1) * (b_middle.n + 1) <= CELLS_MAX) {
        compare(&difference, a_middle, b_middle);
    } else {
        add_all(&difference, LINE_GONE, a_middle);
        add_all(&difference, LINE_NEW, b_middle);
    }
    add_all(&difference, LINE_STAYED, (struct lines){a.items + a.n - tail, tail});
    return difference;
}
