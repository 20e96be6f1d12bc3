// SPDX-License-Identifier: Apache-2.0
// Is the topic still the one that the log was made from, and is what the log has read
// still in it? By the topic's id and the leader's epochs, where log and port know them
// (KIP-516, KIP-320). Where they do not, a topic that was removed and recreated under
// its name looks like one that was cut: so a record that was read is read again.
#ifndef WORK_TOPIC_CHECK_H
#define WORK_TOPIC_CHECK_H

#include "work/probe.h"

// Answers a PROBE_CHECK: the topic has that id, the partition still reaches `next`, its
// leader has what was written in that epoch, and `last`, where it has not left the topic,
// is still that record. ST_DATA: it is another topic, or was cut.
enum status topic_check(struct topic *topic, struct probe *probe, struct err *err);

#endif
