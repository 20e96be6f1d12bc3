// SPDX-License-Identifier: Apache-2.0
// An encoder whose rows are CSV, to be read again, and which refuses what the sink's own
// would refuse: a value without a form in an Avro schema is a dead letter in a test too.
#ifndef TESTING_TEST_ENCODER_H
#define TESTING_TEST_ENCODER_H

#include "core/codec.h"
#include "sql/plan.h"

// The plan is borrowed for the encoder's life.
enum status test_encoder_open(const struct plan *plan, struct encoder **ret,
                              struct err *err);

#endif
