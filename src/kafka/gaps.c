// SPDX-License-Identifier: Apache-2.0
#include "kafka/gaps.h"

#include <stdlib.h>

#include "base/mem.h"
#include "kafka/client.h"

enum {
    AGAIN_MS = 1000, // until a gap's end is asked for again
};

void gaps_init(struct kafka_gaps *gaps, struct asker *asker, struct topic *topic,
               int wake_fd)
{
    *gaps = (struct kafka_gaps){0};
    question_init(&gaps->low, asker, topic, wake_fd);
}

void gaps_start(struct kafka_gaps *gaps, size_t n_partitions)
{
    free(gaps->items);
    gaps->items = mem_array(n_partitions, sizeof(*gaps->items));
}

void gaps_stop(struct kafka_gaps *gaps)
{
    gaps->n = 0;
    gaps->ask_at_ms = 0;
    gaps->low_is_of_before = gaps->low.is_asked;
}

void gaps_add(struct kafka_gaps *gaps, const struct stream_gap *gap)
{
    gaps->items[gaps->n++] = *gap;
    gaps->ask_at_ms = 0;
}

static struct stream_gap *find(struct kafka_gaps *gaps, int32_t partition)
{
    for (size_t i = 0; i < gaps->n; i++)
        if (gaps->items[i].partition == partition)
            return &gaps->items[i];
    return NULL;
}

static void ask(struct kafka_gaps *gaps)
{
    if (gaps->n == 0 || gaps->low.is_asked || client_now_ms() < gaps->ask_at_ms)
        return;
    gaps->ask_at_ms = client_now_ms() + AGAIN_MS;
    question_ask(&gaps->low, gaps->items[gaps->n - 1].partition);
}

static bool take(struct kafka_gaps *gaps, struct stream_event *ret)
{
    struct stream_gap *gap = find(gaps, gaps->low.partition);
    if (gaps->low.status != ST_OK || gap == NULL)
        return false;
    ret->kind = STREAM_GAP;
    ret->gap = *gap;
    ret->gap.low = gaps->low.range.low;
    *gap = gaps->items[--gaps->n];
    return true;
}

enum status gaps_tell(struct kafka_gaps *gaps, struct stream_event *ret, struct err *err)
{
    if (question_take(&gaps->low)) {
        bool is_of_before = gaps->low_is_of_before;
        gaps->low_is_of_before = false;
        if (!is_of_before && take(gaps, ret))
            return ST_OK;
        if (!is_of_before && question_is_final(&gaps->low))
            return question_fail(&gaps->low, err);
    }
    ask(gaps);
    return ST_OK;
}

void gaps_release(struct kafka_gaps *gaps)
{
    free(gaps->items);
}
