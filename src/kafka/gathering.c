// SPDX-License-Identifier: Apache-2.0
#include "kafka/gathering.h"

#include "kafka/client.h"

enum {
    LONGEST_MS = 10000
};

void gathering_init(struct kafka_gathering *gathering, struct asker *asker,
                    struct topic *topic, int wake_fd, int32_t wanted)
{
    *gathering = (struct kafka_gathering){.wanted = wanted};
    question_init(&gathering->look, asker, topic, wake_fd);
}

void gathering_assigned(struct kafka_gathering *gathering)
{
    gathering->look_is_of_before = gathering->look.is_asked;
    gathering->look_at_ms = 0;
    if (gathering->until_ms == 0)
        gathering->until_ms = client_now_ms() + LONGEST_MS;
}

// An assignment that is there when the group is stable is of all its members: another
// one takes the assignments of before away first.
static bool are_all_here(struct kafka_gathering *gathering)
{
    struct kafka_question *look = &gathering->look;
    if (!question_take(look))
        return false;
    bool is_of_before = gathering->look_is_of_before;
    gathering->look_is_of_before = false;
    if (question_is_final(look))
        return true;
    return !is_of_before && look->status == ST_OK && look->group.is_stable &&
           look->group.members >= (size_t)gathering->wanted;
}

bool gathering_is_over(struct kafka_gathering *gathering)
{
    int64_t now = client_now_ms();
    if (gathering->wanted == 0)
        return true;
    if (are_all_here(gathering) || now >= gathering->until_ms) {
        gathering->wanted = 0;
        return true;
    }
    if (now >= gathering->look_at_ms) {
        gathering->look_at_ms = now + GATHERING_LOOK_MS;
        question_ask(&gathering->look, QUESTION_GROUP);
    }
    return false;
}
