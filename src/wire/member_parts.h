// SPDX-License-Identifier: Apache-2.0
// What the files of a member (member.h) share: member.c has its states, its trouble and
// what the owner hears; member_calls.c the calls and what their answers change.
#ifndef WIRE_MEMBER_PARTS_H
#define WIRE_MEMBER_PARTS_H

#include "wire/member.h"

enum {
    WIRE_BEAT_MS = 1000, // at most, between two heartbeats: so soon a rebalance is known
};

// ---- member.c

void wire_member_set_id(struct wire_member *member, struct str id);
// member->problem is to be told, with the topic and the group in front. Unless it is
// ST_RETRY it is final.
void wire_member_name_problem(struct wire_member *member, enum status status);
// The same again, after a while. It is told when that goes on, and there is nothing that
// the owner could read meanwhile.
void wire_member_try_again(struct wire_member *member, const char *why, int64_t now_ms);
// It has an assignment, and the coordinator agrees: what went wrong before is over.
void wire_member_went_well(struct wire_member *member);
// A code that does not pass.
void wire_member_fail(struct wire_member *member, int16_t code);
bool wire_member_is_final_code(int16_t code);
// What it was given is somebody else's by now, or will be at once.
void wire_member_lose(struct wire_member *member);
// The group shares out anew: the owner gives back first, if it has something.
void wire_member_begin_rebalance(struct wire_member *member);
void wire_member_drop_coordinator(struct wire_member *member);

// ---- member_calls.c

// The coordinator can be called now.
bool wire_member_reach(struct wire_member *member, int64_t now_ms);
void wire_member_send_join(struct wire_member *member, int64_t now_ms);
// Asks for the next topic's partitions; when all are known, shares out.
void wire_member_count(struct wire_member *member, int64_t now_ms);
void wire_member_send_sync(struct wire_member *member, int64_t now_ms);
void wire_member_send_beat(struct wire_member *member, int64_t now_ms);
void wire_member_send_describe(struct wire_member *member, int64_t now_ms);
void wire_member_end_gathering(struct wire_member *member);
void wire_member_send_leave(struct wire_member *member, int64_t now_ms);
// What the coordinator has answered.
void wire_member_take_answers(struct wire_member *member, int64_t now_ms);

#endif
