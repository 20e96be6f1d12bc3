// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_topic.h"

#include <inttypes.h>
#include <stdio.h>

void sim_topic_init(struct sim_topic *topic, int32_t n_partitions,
                    struct sim_random *random)
{
    topic->n_partitions = n_partitions;
    topic->random = random;
}

static enum sim_record_kind choose_kind(struct sim_random *random)
{
    int64_t dice = sim_between(random, 0, 99);
    return dice < 12   ? SIM_HOLE
           : dice < 16 ? SIM_BAD
           : dice < 20 ? SIM_REFUSED
           : dice < 23 ? SIM_EMPTY
                       : SIM_ROWS;
}

void sim_topic_record(struct sim_topic *topic, int32_t partition,
                      enum sim_record_kind kind, int rows)
{
    struct sim_partition *part = &topic->partitions[partition];
    struct sim_record *record = &part->records[part->high];
    record->kind = kind;
    record->rows = rows;
    record->appended_ms = topic->clock ? topic->clock->now_ms : 0;
    record->epoch = part->epoch;
    static const char marks[] = {
        [SIM_HOLE] = '-', [SIM_ROWS] = 'r', [SIM_BAD] = '!', [SIM_REFUSED] = '~'};
    snprintf(record->value, sizeof(record->value), "%c%" PRId32 ".%" PRId64 ".%d",
             record->kind == SIM_EMPTY ? 'e' : marks[record->kind],
             partition + (topic->is_recreated || part->is_cut ? SIM_OTHER_TOPIC : 0),
             part->high, record->rows);
    part->high++;
}

void sim_topic_append(struct sim_topic *topic, int32_t partition, int64_t n)
{
    const struct sim_partition *part = &topic->partitions[partition];
    while (n-- && part->high < SIM_OFFSETS_MAX)
        sim_topic_record(topic, partition,
                         topic->is_recreated || part->is_cut ? SIM_ROWS
                                                             : choose_kind(topic->random),
                         (int)sim_between(topic->random, part->is_cut ? 1 : 0, 3));
}

void sim_topic_recreate_unseen(struct sim_topic *topic,
                               const int64_t read_to[SIM_PARTITIONS_MAX])
{
    memcpy(topic->first_ones, topic->partitions, sizeof(topic->first_ones));
    topic->is_recreated = true;
    topic->recreated_ms = topic->clock->now_ms;
    for (int32_t p = 0; p < topic->n_partitions; p++) {
        topic->partitions[p] = (struct sim_partition){0};
        sim_topic_append(topic, p, read_to[p] + sim_between(topic->random, 1, 50));
        topic->partitions[p].low = read_to[p];
    }
}

// Each of the others has a row, so that it can be told from those before.
void sim_topic_cut(struct sim_topic *topic, int32_t partition, int64_t to)
{
    struct sim_partition *part = &topic->partitions[partition];
    memcpy(topic->first_ones, topic->partitions, sizeof(topic->first_ones));
    topic->is_cut = part->is_cut = true;
    part->cut_to = part->high = to;
    part->epoch++;
    for (int64_t n = sim_between(topic->random, 0, 40); n > 0; n--)
        if (part->high < SIM_OFFSETS_MAX)
            sim_topic_record(topic, partition, SIM_ROWS,
                             (int)sim_between(topic->random, 1, 3));
}

// Where the first one had a record, so has this one, or there was nothing to compare.
void sim_topic_recreate(struct sim_topic *topic)
{
    memcpy(topic->first_ones, topic->partitions, sizeof(topic->first_ones));
    topic->is_recreated = true;
    topic->recreated_ms = topic->clock ? topic->clock->now_ms : 0;
    for (int32_t p = 0; p < topic->n_partitions; p++) {
        int64_t high = topic->partitions[p].high;
        topic->partitions[p] = (struct sim_partition){0};
        int64_t least = sim_chance(topic->random, 30) ? 0 : high; // else nobody notices
        sim_topic_append(topic, p, sim_between(topic->random, least, high + 50));
    }
}

void sim_topic_away(struct sim_topic *topic, int32_t partition, int64_t from_ms,
                    int64_t until_ms)
{
    topic->partitions[partition].away_from_ms = from_ms;
    topic->partitions[partition].away_until_ms = until_ms;
    topic->partitions[partition].epoch++; // of who leads it then
}

// One past the last record that a leader of that epoch, or an older one, has written.
int64_t sim_epoch_end(const struct sim_partition *part, int32_t epoch)
{
    if (epoch > part->epoch)
        return -1;
    for (int64_t offset = part->low; offset < part->high; offset++)
        if (part->records[offset].epoch > epoch)
            return offset;
    return part->high;
}
