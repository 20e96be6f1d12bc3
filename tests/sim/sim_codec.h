// SPDX-License-Identifier: Apache-2.0
// The least that is a decoder, an executor and a writer: a record "r<p>.<o>.<k>" gives
// k lines "<p>.<o>.<j>". Files begin with "BEGIN" and end with "END", so that a cut one
// shows.
#ifndef TESTS_SIM_CODEC_H
#define TESTS_SIM_CODEC_H

#include "core/codec.h"
#include "core/file_writer.h"
#include "sim/sim_event.h"
#include "sim/sim_random.h"
#include "table/executor.h"

struct sim_decoder {
    struct decoder decoder;
    struct sim_random *random;
    struct sim_events *events; // NULL: its faults are not noted
    int fault_percent;         // of calls that wait for a schema in the middle of a run
};

void sim_decoder_init(struct sim_decoder *decoder, struct sim_random *random);
extern const struct executor sim_executor;
extern const struct file_writer sim_writer; // to be copied, as the executor

#endif
