// SPDX-License-Identifier: Apache-2.0
// Is the topic still the one that the log was made from? Kafka's client cannot tell: a
// topic that was removed and recreated under its name looks like one that was cut. So
// a record that was read is read again.
#ifndef WORK_TOPIC_CHECK_H
#define WORK_TOPIC_CHECK_H

#include "work/probe.h"

// Answers a PROBE_CHECK: the partition still reaches `next`, and `last`, where it has not
// left the topic, is still that record. ST_DATA: it is another topic, or was cut.
enum status topic_check(struct topic *topic, struct probe *probe, struct err *err);

#endif
