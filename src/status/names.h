// SPDX-License-Identifier: Apache-2.0
// The closed lists of the board in words, as labels and in JSON.
#ifndef STATUS_NAMES_H
#define STATUS_NAMES_H

#include "status/board.h"

extern const char *const outcome_names[OUTCOMES_N];
extern const char *const reject_reason_names[REJECT_REASONS_N];
extern const char *const commit_result_names[COMMIT_RESULTS_N];
extern const char *const commit_phase_names[COMMIT_PHASES_N];
extern const char *const board_phase_names[BOARD_PHASES_N];

#endif
